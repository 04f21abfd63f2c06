//! Resizing by interpolation: along each axis a sum of weighted, picked slices.

use super::table::{along, pick, wide};
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::tensor::args::Call;
use crate::tensor::face::face;

/// For each output, a place of the input and its weight.
type Tap = (Vec<i64>, Vec<f64>);

/// How one axis is resized.
#[derive(Clone, Copy, Debug)]
struct Axis {
    from: usize,
    to: usize,
    /// Outputs per input, where the caller gave it.
    scale: Option<f64>,
    /// Whether the centres of the first and last elements stay, instead of the borders.
    corners: bool,
}

/// The last axes at other sizes.
pub fn interpolate(c: &Call<'_>) -> Result<Edge> {
    let given = c.edge(0)?;
    let size = c.shape("size")?;
    let lead = given.shape().len().checked_sub(size.len()).filter(|_| (1..=3).contains(&size.len()));
    let Some(lead) = lead.filter(|&lead| !size.contains(&0) && !given.shape()[lead..].contains(&0)) else {
        let got = format!("{size} for an input of shape {}", given.shape());
        return Err(Error::shape(c.name, "sizes of at least 1 for the last one to three axes", got));
    };
    let (mode, corners) = (c.text("mode", "nearest")?, c.flag("align_corners", false)?);
    let mut x = face().cast(&given, wide(given.dtype()))?;
    for (place, &to) in size.iter().enumerate() {
        let scale = c.maybe_float(&format!("scale{place}"))?;
        let axis = Axis { from: x.shape()[lead + place], to, scale, corners };
        let taps = match mode.as_str() {
            "nearest" => axis.nearest(0.0),
            "nearest-exact" => axis.nearest(0.5),
            "linear" => axis.linear(),
            "cubic" => axis.cubic(),
            _ => {
                let rule = "mode to be \"nearest\", \"nearest-exact\", \"linear\" or \"cubic\"";
                return Err(Error::value(c.name, rule, format!("{mode:?}")));
            }
        };
        x = weigh(&x, lead + place, &taps)?;
    }
    face().cast(&x, given.dtype())
}

fn weigh(x: &Edge, axis: usize, taps: &[Tap]) -> Result<Edge> {
    let b = face();
    let mut total: Option<Edge> = None;
    for (places, weights) in taps {
        let mut part = pick(x, axis, places)?;
        if taps.len() > 1 {
            part = b.mul(&part, &along(&part, axis, weights)?)?;
        }
        total = Some(match total {
            Some(so_far) => b.add(&so_far, &part)?,
            None => part,
        });
    }
    total.ok_or_else(|| Error::bug("interpolate", "a mode without taps"))
}

impl Axis {
    /// The input under the left border of each output, or under its centre; in f32, which decides ties as torch does.
    fn nearest(self, offset: f32) -> Vec<Tap> {
        let step = self.scale.map_or(self.from as f32 / self.to as f32, |scale| (1.0 / scale) as f32);
        let place = |i: usize| (((i as f32 + offset) * step).floor() as usize).min(self.from - 1) as i64;
        vec![((0..self.to).map(place).collect(), vec![1.0; self.to])]
    }

    /// Where the centre of output `i` lies among the inputs.
    fn centre(self, i: usize) -> f64 {
        if self.corners {
            let step = if self.to > 1 { (self.from - 1) as f64 / (self.to - 1) as f64 } else { 0.0 };
            return step * i as f64;
        }
        let step = self.scale.map_or(self.from as f64 / self.to as f64, |scale| 1.0 / scale);
        step * (i as f64 + 0.5) - 0.5
    }

    /// The two inputs around each output.
    fn linear(self) -> Vec<Tap> {
        let last = self.from - 1;
        let (mut low, mut high) = ((vec![], vec![]), (vec![], vec![]));
        for i in 0..self.to {
            // An axis that keeps its size is copied, whatever scale was given, as in torch.
            let centre = if self.to == self.from { i as f64 } else { self.centre(i).max(0.0) };
            let before = (centre.floor() as usize).min(last);
            let share = (centre - before as f64).min(1.0);
            low.0.push(before as i64);
            low.1.push(1.0 - share);
            high.0.push((before + 1).min(last) as i64);
            high.1.push(share);
        }
        vec![low, high]
    }

    /// The four inputs around each output, the border repeated. Source: Keys 1981, equation 4, with a = -0.75.
    fn cubic(self) -> Vec<Tap> {
        const A: f64 = -0.75;
        let near = |x: f64| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
        let far = |x: f64| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
        let mut taps: Vec<Tap> = vec![(vec![], vec![]); 4];
        for i in 0..self.to {
            let centre = self.centre(i);
            let t = centre - centre.floor();
            let weights = [far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)];
            for (offset, (tap, weight)) in taps.iter_mut().zip(weights).enumerate() {
                let place = centre.floor() as i64 + offset as i64 - 1;
                tap.0.push(place.clamp(0, self.from as i64 - 1));
                tap.1.push(weight);
            }
        }
        taps
    }
}
