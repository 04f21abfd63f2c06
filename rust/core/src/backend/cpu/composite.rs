//! Compositions with a kernel of their own: one row at a time, in f64, rounded once.

use super::element::{Compute, Float};
use super::kernel::{Dst, Src};
use super::rows::{Rows, along, split};
use crate::error::{Error, Result};
use crate::layout::Layout;

/// `x - m - log(sum(exp(x - m)))` with `m = max(x)` along one axis.
pub(super) fn log_softmax(axis: usize, x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    match Compute::of(x.dtype) {
        Compute::F32 => forward::<f32>(axis, x, out),
        Compute::F64 => forward::<f64>(axis, x, out),
        Compute::Bool | Compute::I64 | Compute::U64 => Err(unsupported(x)),
    }
}

fn forward<T: Float>(axis: usize, x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let source = x.elements::<T>()?;
    let lanes = Lanes::new(axis, [x.layout, &Layout::contiguous(out.meta.shape.clone())]);
    let results = out.elements::<T>()?;
    let mut row = vec![0.0; lanes.length];
    for [from, to] in lanes.rows.positions() {
        lanes.load(source, from, 0, &mut row);
        let max = row.iter().copied().fold(f64::NEG_INFINITY, |m, x| if x > m || x.is_nan() { x } else { m });
        for x in &mut row {
            *x -= max;
        }
        let log = row.iter().map(|x| x.exp()).sum::<f64>().ln();
        for x in &mut row {
            *x -= log;
        }
        lanes.store(&row, results, to, 1);
    }
    Ok(())
}

/// `g - exp(y) * sum(g)` along one axis, from the forward result and its gradient.
pub(super) fn log_softmax_grad(axis: usize, y: &Src<'_>, g: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    match Compute::of(y.dtype) {
        Compute::F32 => backward::<f32>(axis, y, g, out),
        Compute::F64 => backward::<f64>(axis, y, g, out),
        Compute::Bool | Compute::I64 | Compute::U64 => Err(unsupported(y)),
    }
}

fn backward<T: Float>(axis: usize, y: &Src<'_>, g: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let (values, gradients) = (y.elements::<T>()?, g.elements::<T>()?);
    let lanes = Lanes::new(axis, [y.layout, g.layout, &Layout::contiguous(out.meta.shape.clone())]);
    let results = out.elements::<T>()?;
    let (mut row, mut gradient) = (vec![0.0; lanes.length], vec![0.0; lanes.length]);
    for [y, g, to] in lanes.rows.positions() {
        lanes.load(values, y, 0, &mut row);
        lanes.load(gradients, g, 1, &mut gradient);
        let total: f64 = gradient.iter().sum();
        row.iter_mut().zip(&gradient).for_each(|(y, g)| *y = g - y.exp() * total);
        lanes.store(&row, results, to, 2);
    }
    Ok(())
}

fn unsupported(x: &Src<'_>) -> Error {
    Error::bug("log_softmax", format!("no loop for {}", x.dtype))
}

/// Lines along one axis of several layouts of one shape.
#[derive(Debug)]
struct Lanes<const N: usize> {
    rows: Rows<N>,
    steps: [isize; N],
    length: usize,
}

impl<const N: usize> Lanes<N> {
    fn new(axis: usize, layouts: [&Layout; N]) -> Self {
        let kept = layouts.map(|layout| split(layout, |a| a == axis).0);
        Self {
            rows: Rows::new(kept.each_ref()),
            steps: layouts.map(|layout| layout.strides()[axis]),
            length: layouts[0].shape()[axis],
        }
    }

    fn load<T: Float>(&self, source: &[T], start: usize, which: usize, row: &mut [f64]) {
        for (i, slot) in row.iter_mut().enumerate() {
            *slot = source[along(start, self.steps[which], i)].wide();
        }
    }

    fn store<T: Float>(&self, row: &[f64], results: &mut [T], start: usize, which: usize) {
        for (i, &x) in row.iter().enumerate() {
            results[along(start, self.steps[which], i)] = T::round_from(x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{run, tensor};
    use crate::dtype::DType;
    use crate::ir::op::{Composite, Op};

    fn forward(x: &[f32], shape: &[usize], axis: usize) -> Vec<f32> {
        run(&Op::Composite(Composite::LogSoftmax { axis }), &[tensor(x, shape, DType::F32)])
    }

    #[test]
    fn exponentials_add_up_to_one() {
        let half = -std::f32::consts::LN_2;
        assert_eq!(forward(&[1.0, 1.0, -7.0, -7.0], &[2, 2], 1), [half; 4]);
        assert_eq!(forward(&[1.0, -7.0, 1.0, -7.0], &[2, 2], 0), [half; 4]);
    }

    #[test]
    fn large_values_do_not_overflow() {
        assert_eq!(forward(&[1e30, 0.0, f32::NEG_INFINITY], &[3], 0), [0.0, -1e30, f32::NEG_INFINITY]);
        assert!(forward(&[f32::NAN, 0.0], &[2], 0).iter().all(|x| x.is_nan()));
        assert!(forward(&[f32::NEG_INFINITY; 2], &[2], 0).iter().all(|x| x.is_nan()));
        assert_eq!(forward(&[], &[2, 0], 1), [0.0; 0]);
    }

    #[test]
    fn the_gradient_adds_up_to_zero() {
        let y = tensor(&[0.25f64.ln(), 0.75f64.ln()], &[1, 2], DType::F64);
        let g = tensor(&[1.0, 3.0], &[1, 2], DType::F64);
        let got: Vec<f64> = run(&Op::Composite(Composite::LogSoftmaxGrad { axis: 1 }), &[y, g]);
        assert!((got[0] - 0.0).abs() < 1e-15 && (got[1] - 0.0).abs() < 1e-15);
    }
}
