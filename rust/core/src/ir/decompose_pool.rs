//! The meaning of pools: one strided slice of the padded input for each element of the window, stacked and folded.

use crate::dtype::Scalar;
use crate::error::Result;
use crate::ir::build::Builder;
use crate::ir::node::Edge;
use crate::ir::op::{ArgOp, BinaryOp, CompareOp, Op, PoolKind, PoolOp, ReduceOp};
use crate::shape::Shape;

/// Maxima or sums under the window.
pub(super) fn pool(b: &dyn Builder, op: &PoolOp, x: &Edge) -> Result<Edge> {
    let axis = x.shape().len() - op.window.len();
    let (border, fold) = match op.kind {
        PoolKind::Max => (f64::NEG_INFINITY, ReduceOp::Max),
        PoolKind::Sum => (0.0, ReduceOp::Sum),
    };
    let parts = parts(b, op, x, border)?;
    b.reduce(fold, &stack(b, &parts, axis)?, &[axis])
}

/// The gradient of a sum goes to every element under its window.
pub(super) fn sum_pool_grad(b: &dyn Builder, op: &PoolOp, sizes: &[usize], g: &Edge) -> Result<Edge> {
    let spread = places(op).iter().map(|place| put_back(b, op, sizes, place, g)).collect::<Result<Vec<_>>>()?;
    gather_up(b, op, sizes, &spread)
}

/// The gradient of a maximum goes to its first element, or to its first NaN.
pub(super) fn max_pool_grad(b: &dyn Builder, op: &PoolOp, g: &Edge, x: &Edge) -> Result<Edge> {
    let sizes = &x.shape()[x.shape().len() - op.window.len()..];
    let first = first_maxima(b, op, x)?;
    let mut spread = vec![];
    for (number, place) in places(op).iter().enumerate() {
        let chosen = b.compare(CompareOp::Equal, &first, &b.full_like(&first, number as f64)?)?;
        let share = b.select(&chosen, g, &b.full_like(g, 0.0)?)?;
        spread.push(put_back(b, op, sizes, place, &share)?);
    }
    gather_up(b, op, sizes, &spread)
}

/// For each place of the window, the row-major number of the window's element that holds the first maximum or NaN; 0 where
/// the window lies in the border alone.
fn first_maxima(b: &dyn Builder, op: &PoolOp, x: &Edge) -> Result<Edge> {
    let axis = x.shape().len() - op.window.len();
    let (max, elements) = (pool(b, op, x)?, parts(b, op, x, f64::NEG_INFINITY)?);
    let inside = parts(b, op, &b.full_like(x, 1.0)?, 0.0)?;
    let mut hits = vec![];
    for (element, inside) in elements.iter().zip(&inside) {
        let equal = b.compare(CompareOp::Equal, element, &max)?;
        let odd = b.compare(CompareOp::NotEqual, element, element)?;
        let inside = b.compare(CompareOp::NotEqual, inside, &b.full_like(inside, 0.0)?)?;
        hits.push(b.binary(BinaryOp::And, &b.binary(BinaryOp::Or, &equal, &odd)?, &inside)?);
    }
    b.one(Op::ArgReduce { op: ArgOp::Max, axis }, &[stack(b, &hits, axis)?])
}

/// What a plane of numbers, shaped like the window's axes, holds at each first maximum of `x`.
pub fn at_first_maxima(b: &dyn Builder, op: &PoolOp, x: &Edge, plane: &Edge) -> Result<Edge> {
    let first = first_maxima(b, op, x)?;
    let mut found = b.full_like(&first, 0.0)?;
    for (number, part) in parts(b, op, plane, 0.0)?.iter().enumerate() {
        let chosen = b.compare(CompareOp::Equal, &first, &b.full_like(&first, number as f64)?)?;
        found = b.select(&chosen, &b.expand(part, first.shape())?, &found)?;
    }
    Ok(found)
}

/// Each element of the window, in row-major order.
fn places(op: &PoolOp) -> Vec<Vec<usize>> {
    let window: Shape = op.window.as_slice().into();
    window.indices().map(|place| place.to_vec()).collect()
}

/// For each element of the window, what lies under it, one for every place of the window.
fn parts(b: &dyn Builder, op: &PoolOp, x: &Edge, border: f64) -> Result<Vec<Edge>> {
    let lead = x.shape().len() - op.window.len();
    let ahead = |values: &[usize]| [&vec![0; lead], values].concat();
    let pad = Op::Pad {
        low: ahead(&op.low),
        high: ahead(&op.high),
        interior: vec![0; x.shape().len()],
        value: Scalar::Float(border),
    };
    let padded = b.one(pad, std::slice::from_ref(x))?;
    let mut sizes = x.shape().to_vec();
    for (axis, size) in sizes[lead..].iter_mut().enumerate() {
        *size = op.places(axis, *size);
    }
    let steps: Vec<isize> = [&vec![1; lead], op.strides.as_slice()].concat().into_iter().map(|s| s as isize).collect();
    let start = |place: &[usize]| place.iter().zip(&op.dilation).map(|(k, d)| k * d).collect::<Vec<_>>();
    places(op).iter().map(|place| b.slice(&padded, ahead(&start(place)), sizes.clone(), steps.clone())).collect()
}

/// Edges of one shape along a new axis.
fn stack(b: &dyn Builder, parts: &[Edge], axis: usize) -> Result<Edge> {
    let mut shape = parts[0].shape().to_vec();
    shape.insert(axis, 1);
    let parts = parts.iter().map(|part| b.reshape(part, &shape.as_slice().into())).collect::<Result<Vec<_>>>()?;
    b.one(Op::Concat { axis }, &parts)
}

/// A value for each place of the window, put back under one of its elements in the padded input.
fn put_back(b: &dyn Builder, op: &PoolOp, sizes: &[usize], place: &[usize], g: &Edge) -> Result<Edge> {
    let lead = g.shape().len() - sizes.len();
    let (mut low, mut high, mut interior) = (vec![0; lead], vec![0; lead], vec![0; lead]);
    for axis in 0..sizes.len() {
        let reach = (g.shape()[lead + axis] - 1) * op.strides[axis] + 1;
        let before = place[axis] * op.dilation[axis];
        low.push(before);
        high.push(op.low[axis] + sizes[axis] + op.high[axis] - before - reach);
        interior.push(op.strides[axis] - 1);
    }
    b.one(Op::Pad { low, high, interior, value: Scalar::Float(0.0) }, std::slice::from_ref(g))
}

/// The sum of padded parts, without the border.
fn gather_up(b: &dyn Builder, op: &PoolOp, sizes: &[usize], parts: &[Edge]) -> Result<Edge> {
    let lead = parts[0].shape().len() - sizes.len();
    let total = b.reduce(ReduceOp::Sum, &stack(b, parts, lead)?, &[lead])?;
    let starts = [&vec![0; lead], op.low.as_slice()].concat();
    let kept = [&total.shape()[..lead], sizes].concat();
    b.slice(&total, starts, kept, vec![1; total.shape().len()])
}
