//! Table look-ups.

use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{CompareOp, Op};
use crate::shape::Shape;
use crate::tensor::face::face;

/// Rows of a table; the row `padding_idx` gets no gradient.
pub fn embedding(index: &Edge, weight: &Edge, padding_idx: Option<i64>) -> Result<Edge> {
    let b = face();
    if !index.dtype().is_integer() || weight.shape().len() != 2 {
        let got = format!("{} indices and a table of shape {}", index.dtype(), weight.shape());
        return Err(Error::dtype("embedding", "integer indices and a table [rows, width]", got));
    }
    let index = b.cast(index, DType::I64)?;
    let rows = b.one(Op::Gather { axis: 0 }, &[weight.clone(), index.clone()])?;
    let Some(padding) = padding_idx else { return Ok(rows) };
    let count = weight.shape()[0] as i64;
    let padding = if padding < 0 { padding + count } else { padding };
    let frozen = crate::tensor::mode::with_grad(false, || {
        b.one(crate::passes::grad::identity(&rows), std::slice::from_ref(&rows))
    })?;
    let hit = b.compare(CompareOp::Equal, &index, &b.full_like(&index, padding as f64)?)?;
    let column: Shape = index.shape().iter().copied().chain([1]).collect();
    let hit = b.expand(&b.reshape(&hit, &column)?, rows.shape())?;
    b.select(&hit, &frozen, &rows)
}

/// 1 at the class of each index, 0 elsewhere, as int64.
pub fn one_hot(index: &Edge, classes: i64) -> Result<Edge> {
    let b = face();
    let Some(length) = usize::try_from(classes).ok().filter(|&c| c > 0) else {
        return Err(Error::value("one_hot", "num_classes of at least 1", classes.to_string()));
    };
    let eye = b.source(Op::Iota { length }, index.node.device)?;
    let (row, column): (Shape, Shape) = ([1, length].into(), [length, 1].into());
    let square: Shape = [length, length].into();
    let across = b.expand(&b.reshape(&eye, &row)?, &square)?;
    let down = b.expand(&b.reshape(&eye, &column)?, &square)?;
    let eye = b.cast(&b.compare(CompareOp::Equal, &across, &down)?, DType::I64)?;
    b.one(Op::Gather { axis: 0 }, &[eye, b.cast(index, DType::I64)?])
}
