//! Sorting and what follows from it.

use super::Row;
use super::promote::unify;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::ir::node::{Edge, Edges};
use crate::ir::op::{CompareOp, CumulateOp, Op};
use crate::shape::Shape;
use crate::tensor::args::Call;
use crate::tensor::face::face;

pub(super) const ROWS: &[Row] = &[
    ("sort", |c| Ok(vec![ordered(c, &c.edge(0)?)?.remove(0)])),
    ("argsort", |c| Ok(vec![ordered(c, &c.edge(0)?)?.remove(1)])),
    ("topk", topk),
    ("searchsorted", searchsorted),
];

/// Sorted elements, and the positions they came from.
fn ordered(c: &Call<'_>, x: &Edge) -> Result<Edges> {
    let axis = c.axis("axis", -1, x.shape().len())?;
    face().emit(Op::Sort { axis, descending: c.flag("descending", false)? }, std::slice::from_ref(x))
}

/// The first `k` of the sorted elements, and their positions.
fn topk(c: &Call<'_>) -> Result<Vec<Edge>> {
    let x = c.edge(0)?;
    let axis = c.axis("axis", -1, x.shape().len())?;
    let k = c.int("k", 1)?;
    let size = x.shape()[axis];
    let Some(k) = usize::try_from(k).ok().filter(|&k| k <= size) else {
        return Err(Error::value(c.name, format!("k in [0, {size}], the size of axis {axis}"), k.to_string()));
    };
    let sorted = face().emit(Op::Sort { axis, descending: c.flag("largest", true)? }, &[x])?;
    sorted.iter().map(|part| face().narrow(part, axis, 0, k)).collect()
}

/// How many elements of a sorted line lie before each value: all are sorted together, and those of the line counted.
///
/// The sort is stable, so what stands first among equals decides on which side of them a value falls.
fn searchsorted(c: &Call<'_>) -> Result<Vec<Edge>> {
    let b = face();
    let (line, values) = unify(c.name, c.edge(0)?, c.edge(1)?)?;
    if line.shape().len() != 1 {
        return Err(Error::shape(c.name, "a sorted line, that is one axis", line.shape().to_string()));
    }
    let left = match c.text("side", "left")?.as_str() {
        "left" => true,
        "right" => false,
        other => return Err(Error::value(c.name, "side left or right", format!("{other:?}"))),
    };
    let (length, count) = (line.shape()[0], values.shape().numel());
    let flat = b.reshape(&values, &[count].into())?;
    let parts = if left { [flat, line] } else { [line, flat] };
    let joined = b.one(Op::Concat { axis: 0 }, &parts)?;
    let order = &b.emit(Op::Sort { axis: 0, descending: false }, &[joined])?[1];
    // In `order`, positions from `border` on (left) or before it (right) belong to the line.
    let border = b.full_like(order, if left { count } else { length } as f64)?;
    let of_line = b.compare(if left { CompareOp::GreaterEqual } else { CompareOp::Less }, order, &border)?;
    let of_line = b.cast(&of_line, DType::I64)?;
    let before = b.one(Op::Cumulate { op: CumulateOp::Sum, axis: 0, reverse: false }, &[of_line])?;
    let whole: Shape = [length + count].into();
    let zeros = b.source(Op::Fill { value: Scalar::Int(0), shape: whole, dtype: DType::I64 }, values.node.device)?;
    let back = b.one(Op::ScatterAdd { axis: 0 }, &[zeros, order.clone(), before])?;
    let found = b.narrow(&back, 0, if left { 0 } else { length }, count)?;
    Ok(vec![b.reshape(&found, values.shape())?])
}
