//! Sorting along one axis: stable, with the positions that the elements came from.

use super::element::{Compute, Element, Truth};
use super::kernel::{Dst, Src};
use super::rows::{Rows, along, split};
use crate::error::{Error, Result};
use crate::layout::Layout;
use std::cmp::Ordering;

/// Write sorted elements and their positions.
pub(super) fn sort(axis: usize, descending: bool, x: &Src<'_>, outputs: &mut [Dst<'_>]) -> Result<()> {
    match Compute::of(x.dtype) {
        Compute::Bool => lanes::<Truth>(axis, descending, x, outputs),
        Compute::I64 => lanes::<i64>(axis, descending, x, outputs),
        Compute::U64 => lanes::<u64>(axis, descending, x, outputs),
        Compute::F32 => lanes::<f32>(axis, descending, x, outputs),
        Compute::F64 => lanes::<f64>(axis, descending, x, outputs),
    }
}

fn lanes<T: Element>(axis: usize, descending: bool, x: &Src<'_>, outputs: &mut [Dst<'_>]) -> Result<()> {
    let [values, positions] = outputs else {
        return Err(Error::bug("sort", format!("two results, got {}", outputs.len())));
    };
    let source = x.elements::<T>()?;
    let to = Layout::contiguous(values.meta.shape.clone());
    let (values, positions) = (values.elements::<T>()?, positions.elements::<i64>()?);
    let (from_lanes, to_lanes) = (split(x.layout, |a| a == axis).0, split(&to, |a| a == axis).0);
    let (length, from_step, to_step) = (to.shape()[axis], x.layout.strides()[axis], to.strides()[axis]);
    let mut lane: Vec<(T, usize)> = Vec::with_capacity(length);
    for [from, to] in Rows::new([&from_lanes, &to_lanes]).positions() {
        lane.clear();
        lane.extend((0..length).map(|i| (source[along(from, from_step, i)], i)));
        if descending {
            lane.sort_by(|a, b| compare(b.0, a.0));
        } else {
            lane.sort_by(|a, b| compare(a.0, b.0));
        }
        for (i, &(value, position)) in lane.iter().enumerate() {
            values[along(to, to_step, i)] = value;
            positions[along(to, to_step, i)] = position as i64;
        }
    }
    Ok(())
}

/// The order of two elements; a NaN is larger than any number, and equal to another one.
fn compare<T: Element>(a: T, b: T) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_odd().cmp(&b.is_odd()))
}

#[cfg(test)]
mod tests {
    use super::super::CPU;
    use super::super::testing::{elements, tensor};
    use crate::backend::Backend;
    use crate::dtype::DType;
    use crate::ir::op::Op;

    fn sorted(x: &[f32], descending: bool) -> (Vec<f32>, Vec<i64>) {
        let x = tensor(x, &[x.len()], DType::F32);
        let got = CPU.run_op(&Op::Sort { axis: 0, descending }, &[x]).unwrap();
        (elements(&got[0]), elements(&got[1]))
    }

    #[test]
    fn equal_elements_keep_their_order_both_ways() {
        assert_eq!(sorted(&[2.0, 1.0, 2.0, 1.0], false), (vec![1.0, 1.0, 2.0, 2.0], vec![1, 3, 0, 2]));
        assert_eq!(sorted(&[2.0, 1.0, 2.0, 1.0], true), (vec![2.0, 2.0, 1.0, 1.0], vec![0, 2, 1, 3]));
    }

    #[test]
    fn a_nan_is_the_largest() {
        assert_eq!(sorted(&[f32::NAN, f32::INFINITY, 0.0, f32::NAN], false).1, [2, 1, 0, 3]);
        assert_eq!(sorted(&[f32::NAN, f32::INFINITY, 0.0, f32::NAN], true).1, [0, 3, 1, 2]);
    }

    #[test]
    fn lines_of_any_axis_are_sorted_on_their_own() {
        let x = tensor(&[3i64, 1, 2, 4], &[2, 2], DType::I64);
        let got = CPU.run_op(&Op::Sort { axis: 0, descending: false }, &[x]).unwrap();
        assert_eq!(elements::<i64>(&got[0]), [2, 1, 3, 4]);
        let none = tensor::<i64>(&[], &[2, 0], DType::I64);
        assert_eq!(elements::<i64>(&CPU.run_op(&Op::Sort { axis: 1, descending: true }, &[none]).unwrap()[0]), [0; 0]);
    }
}
