//! Sums, means and maxima of table rows over bags.

use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, CompareOp, Composite, Op, PoolKind, PoolOp, ReduceOp};
use crate::shape::Shape;
use crate::tensor::args::Call;
use crate::tensor::face::face;

/// Arguments: indices `[B, L]`, or `[n]` with offsets `[B]`; the table `[rows, width]`; offsets; a factor per index.
///
/// An empty bag gives 0. The gradient of a maximum goes to the first of equals.
pub fn embedding_bag(c: &Call<'_>) -> Result<Edge> {
    let b = face();
    let (index, weight, offsets) = (c.edge(0)?, c.edge(1)?, c.maybe_edge(2)?);
    let (rank, mode) = (index.shape().len(), c.text("mode", "mean")?);
    let starts = offsets.as_ref().is_none_or(|o| o.dtype().is_integer() && o.shape().len() == 1);
    let fits = index.dtype().is_integer() && weight.shape().len() == 2 && rank == 2 - usize::from(offsets.is_some());
    if !starts || !fits {
        let offsets = offsets.map_or(String::new(), |o| format!(" and {} offsets {}", o.dtype(), o.shape()));
        let got = format!("{} indices {}, a table {}{offsets}", index.dtype(), index.shape(), weight.shape());
        let rule = "integer indices [bags, length], or [n] with integer offsets [bags], and a table [rows, width]";
        return Err(Error::shape(c.name, rule, got));
    }
    let index = b.cast(&index, DType::I64)?;
    let (n, bags) = (index.shape().numel(), offsets.as_ref().unwrap_or(&index).shape()[0]);
    let flat = b.reshape(&index, &[n].into())?;
    let bag = if let Some(offsets) = &offsets {
        bag_of(n, &b.cast(offsets, DType::I64)?)?
    } else {
        let bags = b.reshape(&b.source(Op::Iota { length: bags }, index.node.device)?, &[bags, 1].into())?;
        b.reshape(&b.expand(&bags, index.shape())?, &[n].into())?
    };
    let counted = match c.maybe_int("padding_idx")? {
        Some(padding) => {
            let rows = weight.shape()[0] as i64;
            let padding = if padding < 0 { padding + rows } else { padding };
            b.compare(CompareOp::NotEqual, &flat, &b.full_like(&flat, padding as f64)?)?
        }
        None => b.compare(CompareOp::Equal, &flat, &flat)?,
    };
    let mut rows = b.one(Op::Gather { axis: 0 }, &[weight, flat])?;
    if let Some(factor) = c.maybe_edge(3)? {
        if mode != "sum" || *factor.shape() != *index.shape() {
            let rule = "per_sample_weights of the indices' shape, and only with mode \"sum\"";
            return Err(Error::value(c.name, rule, format!("{} with mode {mode:?}", factor.shape())));
        }
        let column = b.reshape(&b.cast(&factor, rows.dtype())?, &[n, 1].into())?;
        rows = b.mul(&rows, &b.expand(&column, rows.shape())?)?;
    }
    match mode.as_str() {
        "sum" => sum(&rows, &bag, &counted, bags),
        "mean" => {
            let ones = b.full_like(&b.narrow(&rows, 1, 0, 1)?, 1.0)?;
            let count = sum(&ones, &bag, &counted, bags)?;
            let count = b.binary(BinaryOp::Maximum, &count, &b.full_like(&count, 1.0)?)?;
            let total = sum(&rows, &bag, &counted, bags)?;
            b.div(&total, &b.expand(&count, total.shape())?)
        }
        "max" => max(&rows, &bag, &counted, bags),
        _ => Err(Error::value(c.name, "mode to be \"sum\", \"mean\" or \"max\"", format!("{mode:?}"))),
    }
}

/// The bag of each of `n` indices: the number of bags that start at or before it, less one.
fn bag_of(n: usize, offsets: &Edge) -> Result<Edge> {
    let b = face();
    let plane: Shape = [n, offsets.shape()[0]].into();
    let place = b.reshape(&b.source(Op::Iota { length: n }, offsets.node.device)?, &[n, 1].into())?;
    let started = b.compare(CompareOp::LessEqual, &b.expand(offsets, &plane)?, &b.expand(&place, &plane)?)?;
    b.shift(&b.reduce(ReduceOp::Sum, &b.cast(&started, DType::I64)?, &[1])?, -1.0)
}

fn sum(rows: &Edge, bag: &Edge, counted: &Edge, bags: usize) -> Result<Edge> {
    let b = face();
    let column = b.reshape(counted, &[counted.shape()[0], 1].into())?;
    let kept = b.select(&b.expand(&column, rows.shape())?, rows, &b.full_like(rows, 0.0)?)?;
    let shape: Shape = [bags, rows.shape()[1]].into();
    let zero = crate::dtype::Scalar::Float(0.0);
    let base = b.source(Op::Fill { value: zero, shape, dtype: rows.dtype() }, rows.node.device)?;
    b.one(Op::ScatterAdd { axis: 0 }, &[base, bag.clone(), kept])
}

/// The maximum over all rows, those of other bags hidden.
fn max(rows: &Edge, bag: &Edge, counted: &Edge, bags: usize) -> Result<Edge> {
    let b = face();
    let (n, width) = (rows.shape()[0], rows.shape()[1]);
    if n == 0 {
        return sum(rows, bag, counted, bags);
    }
    let plane: Shape = [bags, n].into();
    let number = b.reshape(&b.source(Op::Iota { length: bags }, rows.node.device)?, &[bags, 1].into())?;
    let own = b.compare(CompareOp::Equal, &b.expand(&number, &plane)?, &b.expand(bag, &plane)?)?;
    let own = b.binary(BinaryOp::And, &own, &b.expand(counted, &plane)?)?;
    let cube: Shape = [bags, width, n].into();
    let open = b.expand(&b.reshape(&own, &[bags, 1, n].into())?, &cube)?;
    let values = b.expand(&b.transpose(rows)?, &cube)?;
    let values = b.select(&open, &values, &b.full_like(&values, f64::NEG_INFINITY)?)?;
    let pool = PoolOp {
        kind: PoolKind::Max,
        window: vec![n],
        strides: vec![n],
        low: vec![0],
        high: vec![0],
        dilation: vec![1],
    };
    let top = b.one(Op::Composite(Composite::Pool(pool)), &[values])?;
    let top = b.reshape(&top, &[bags, width].into())?;
    let any = b.reshape(&b.reduce(ReduceOp::Any, &own, &[1])?, &[bags, 1].into())?;
    b.select(&b.expand(&any, top.shape())?, &top, &b.full_like(&top, 0.0)?)
}
