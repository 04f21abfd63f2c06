//! Running folds along one axis; floats run in f64 and round at every element they write.

use super::element::{Compute, Float};
use super::kernel::{Dst, Src};
use super::rows::{Rows, along, split};
use crate::error::{Error, Result};
use crate::ir::op::CumulateOp;
use crate::layout::Layout;
use bytemuck::Pod;

/// Running fold along one axis, the element itself included.
pub(super) fn cumulate(op: CumulateOp, axis: usize, reverse: bool, x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    match (Compute::of(x.dtype), op) {
        (Compute::F32, _) => float::<f32>(op, axis, reverse, x, out),
        (Compute::F64, _) => float::<f64>(op, axis, reverse, x, out),
        (Compute::I64, CumulateOp::Sum) => run(axis, reverse, x, out, 0i64, i64::wrapping_add, |sum| sum),
        (Compute::I64, CumulateOp::Prod) => run(axis, reverse, x, out, 1i64, i64::wrapping_mul, |product| product),
        (Compute::U64, CumulateOp::Sum) => run(axis, reverse, x, out, 0u64, u64::wrapping_add, |sum| sum),
        (Compute::U64, CumulateOp::Prod) => run(axis, reverse, x, out, 1u64, u64::wrapping_mul, |product| product),
        (Compute::Bool, CumulateOp::Sum | CumulateOp::Prod) => Err(Error::bug(op.name(), "no loop for bool")),
    }
}

fn float<T: Float>(op: CumulateOp, axis: usize, reverse: bool, x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    match op {
        CumulateOp::Sum => run(axis, reverse, x, out, 0.0, |sum, x: T| sum + x.wide(), T::round_from),
        CumulateOp::Prod => run(axis, reverse, x, out, 1.0, |product, x: T| product * x.wide(), T::round_from),
    }
}

fn run<T: Pod, A: Copy>(
    axis: usize,
    reverse: bool,
    x: &Src<'_>,
    out: &mut Dst<'_>,
    start: A,
    step: impl Fn(A, T) -> A,
    store: impl Fn(A) -> T,
) -> Result<()> {
    let source = x.elements::<T>()?;
    let to = Layout::contiguous(out.meta.shape.clone());
    let results = out.elements::<T>()?;
    let (from_lanes, _) = split(x.layout, |a| a == axis);
    let (to_lanes, _) = split(&to, |a| a == axis);
    let (length, from_step, to_step) = (to.shape()[axis], x.layout.strides()[axis], to.strides()[axis]);
    for [from, to] in Rows::new([&from_lanes, &to_lanes]).positions() {
        let mut running = start;
        for turn in 0..length {
            let i = if reverse { length - 1 - turn } else { turn };
            running = step(running, source[along(from, from_step, i)]);
            results[along(to, to_step, i)] = store(running);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{run, tensor};
    use super::*;
    use crate::dtype::DType;
    use crate::ir::op::Op;

    #[test]
    fn folds_run_along_any_axis_both_ways() {
        let x = tensor(&[1f32, 2.0, 3.0, 4.0, 5.0, 6.0], &[2, 3], DType::F32);
        let sum = |axis, reverse| Op::Cumulate { op: CumulateOp::Sum, axis, reverse };
        assert_eq!(run::<f32>(&sum(1, false), std::slice::from_ref(&x)), [1.0, 3.0, 6.0, 4.0, 9.0, 15.0]);
        assert_eq!(run::<f32>(&sum(1, true), std::slice::from_ref(&x)), [6.0, 5.0, 3.0, 15.0, 11.0, 6.0]);
        assert_eq!(run::<f32>(&sum(0, false), &[x]), [1.0, 2.0, 3.0, 5.0, 7.0, 9.0]);
    }

    #[test]
    fn products_stay_zero_after_a_zero() {
        let op = Op::Cumulate { op: CumulateOp::Prod, axis: 0, reverse: false };
        assert_eq!(run::<f64>(&op, &[tensor(&[2.0, 0.0, 3.0], &[3], DType::F64)]), [2.0, 0.0, 0.0]);
        assert_eq!(run::<u8>(&op, &[tensor(&[16u8, 16, 3], &[3], DType::U8)]), [16, 0, 0]);
    }

    #[test]
    fn empty_axes_give_nothing() {
        let op = Op::Cumulate { op: CumulateOp::Sum, axis: 0, reverse: true };
        assert_eq!(run::<i64>(&op, &[tensor::<i64>(&[], &[0, 2], DType::I64)]), [0; 0]);
    }
}
