//! Convolution by direct loops over any number of axes, sums in f64: the obvious twin of the others.

use super::super::element::Float;
use super::super::kernel::{Dst, Src};
use super::super::rows::along;
use super::at;
use crate::error::Result;
use crate::ir::op::ConvOp;
use crate::shape::Shape;

/// Convolution by direct loops, for few outputs on each channel.
pub(super) fn direct<T: Float>(op: &ConvOp, x: &Src<'_>, kernel: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let (source, weights) = (x.elements::<T>()?, kernel.elements::<T>()?);
    let (x_shape, k_shape, shape) = (x.layout.shape(), kernel.layout.shape(), &out.meta.shape);
    let (batch, outputs, channels) = (shape[0], shape[1], k_shape[1]);
    let window = Window::new(op, x, kernel, shape);
    let spatial: Shape = k_shape[2..].into();
    let places: Vec<_> = spatial.indices().map(|place| (window.weight(&place), place)).collect();
    let mut sums = vec![0.0; shape[2..].iter().product()];
    let mut rows = out.elements::<T>()?.chunks_exact_mut(sums.len().max(1));
    debug_assert_eq!(batch * op.batch_groups, x_shape[0]);
    for n in 0..batch {
        for (o, row) in (0..outputs).zip(&mut rows) {
            let example = o / (outputs / op.batch_groups) * batch + n;
            let first_channel = o / (outputs / op.groups) * channels;
            sums.fill(0.0);
            for c in 0..channels {
                let from = at(x, [example, first_channel + c]);
                let weight = at(kernel, [o, c]);
                for (delta, place) in &places {
                    let weight = weights[weight.wrapping_add_signed(*delta)].wide();
                    window.add(place, from, 0, weight, source, &mut sums);
                }
            }
            row.iter_mut().zip(&sums).for_each(|(result, &sum)| *result = T::round_from(sum));
        }
    }
    Ok(())
}

/// For each spatial axis, which outputs meet which inputs under each kernel element.
#[derive(Debug)]
struct Window {
    taps: Vec<Vec<Tap>>,
    sizes: Vec<usize>,
    x_strides: Vec<isize>,
    kernel_strides: Vec<isize>,
}

/// Outputs `out, out + out_step, ...` of one axis, and the inputs `x, x + x_step, ...` that they meet.
#[derive(Clone, Copy, Default, Debug)]
struct Tap {
    count: usize,
    out: usize,
    out_step: usize,
    x: usize,
    x_step: usize,
}

impl Window {
    fn new(op: &ConvOp, x: &Src<'_>, kernel: &Src<'_>, shape: &Shape) -> Self {
        let taps = (0..shape.len() - 2)
            .map(|axis| {
                let (size, outputs) = (x.layout.shape()[axis + 2], shape[axis + 2]);
                (0..kernel.layout.shape()[axis + 2]).map(|k| Tap::new(op, axis, k, size, outputs)).collect()
            })
            .collect();
        Self {
            taps,
            sizes: shape[2..].to_vec(),
            x_strides: x.layout.strides()[2..].to_vec(),
            kernel_strides: kernel.layout.strides()[2..].to_vec(),
        }
    }

    /// Distance of a kernel element from the first one.
    fn weight(&self, place: &[usize]) -> isize {
        place.iter().zip(&self.kernel_strides).map(|(&k, stride)| k as isize * stride).sum()
    }

    /// Add `weight * x` to every output that meets the kernel element `place`; `from` and `to` are of the outer axes.
    fn add<T: Float>(&self, place: &[usize], from: usize, to: usize, weight: f64, source: &[T], sums: &mut [f64]) {
        let axis = self.sizes.len() - place.len();
        let (tap, stride) = (&self.taps[axis][place[0]], self.x_strides[axis]);
        let (from, to) = (along(from, stride, tap.x), to * self.sizes[axis] + tap.out);
        let step = tap.x_step as isize * stride;
        if place.len() > 1 {
            for i in 0..tap.count {
                self.add(&place[1..], along(from, step, i), to + i * tap.out_step, weight, source, sums);
            }
        } else if (tap.out_step, step) == (1, 1) {
            let line = &source[from..from + tap.count];
            sums[to..to + tap.count].iter_mut().zip(line).for_each(|(sum, x)| *sum += weight * x.wide());
        } else {
            for i in 0..tap.count {
                sums[to + i * tap.out_step] += weight * source[along(from, step, i)].wide();
            }
        }
    }
}

impl Tap {
    /// The outputs that a kernel element meets are evenly spaced, since they solve a linear congruence.
    fn new(op: &ConvOp, axis: usize, k: usize, size: usize, outputs: usize) -> Self {
        let shift = (k * op.kernel_dilation[axis]) as isize - op.low[axis];
        let gap = op.input_dilation[axis] as isize;
        let meets = |p: usize| {
            let place = (p * op.strides[axis]) as isize + shift;
            let inside = place >= 0 && place % gap == 0 && ((place / gap) as usize) < size;
            inside.then_some((p, (place / gap) as usize))
        };
        let mut pairs = (0..outputs).filter_map(meets);
        let Some((out, x)) = pairs.next() else { return Self::default() };
        let (next_out, next_x) = pairs.next().unwrap_or((out, x));
        let count = (0..outputs).filter_map(meets).count();
        Self { count, out, out_step: next_out - out, x, x_step: next_x - x }
    }
}
