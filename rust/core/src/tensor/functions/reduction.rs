//! Reductions and running folds.

use super::Row;
use super::elementwise::truth;
use super::promote::floating;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{ArgOp, CompareOp, CumulateOp, Op, ReduceOp, UnaryOp};
use crate::tensor::args::Call;
use crate::tensor::composite::piecewise::root;
use crate::tensor::face::face;

pub(super) const ROWS: &[Row] = &[
    ("sum", |c| total(c, ReduceOp::Sum)),
    ("prod", |c| total(c, ReduceOp::Prod)),
    ("max", |c| fold(c, ReduceOp::Max, &c.edge(0)?)),
    ("min", |c| fold(c, ReduceOp::Min, &c.edge(0)?)),
    ("any", |c| fold(c, ReduceOp::Any, &truth(&c.edge(0)?)?)),
    ("all", |c| fold(c, ReduceOp::All, &truth(&c.edge(0)?)?)),
    ("mean", mean),
    ("var", |c| Ok(vec![variance(c)?])),
    ("std", |c| Ok(vec![root(&variance(c)?)?])),
    ("logsumexp", logsumexp),
    ("argmax", |c| position(c, ArgOp::Max)),
    ("argmin", |c| position(c, ArgOp::Min)),
    ("cumulative_sum", |c| running(c, CumulateOp::Sum)),
    ("cumulative_prod", |c| running(c, CumulateOp::Prod)),
];

fn fold(c: &Call<'_>, op: ReduceOp, x: &Edge) -> Result<Vec<Edge>> {
    let axes = c.axes("axis", x.shape().len())?;
    finish(c, x, &axes, face().reduce(op, x, &axes)?)
}

fn finish(c: &Call<'_>, x: &Edge, axes: &[usize], folded: Edge) -> Result<Vec<Edge>> {
    let keep = c.flag("keepdims", false)?;
    Ok(vec![if keep { face().reshape(&folded, &x.shape().reduced(axes, true))? } else { folded }])
}

/// The dtype that sums are taken in: integers widen to 64 bits, bools count.
fn wide(dtype: DType) -> DType {
    if dtype.is_float() {
        dtype
    } else if dtype.is_unsigned() {
        DType::U64
    } else {
        DType::I64
    }
}

fn total(c: &Call<'_>, op: ReduceOp) -> Result<Vec<Edge>> {
    let x = c.edge(0)?;
    let dtype = c.maybe_dtype("dtype")?.unwrap_or_else(|| wide(x.dtype()));
    fold(c, op, &face().cast(&x, dtype)?)
}

fn count(x: &Edge, axes: &[usize]) -> f64 {
    axes.iter().map(|&a| x.shape()[a] as f64).product()
}

fn mean(c: &Call<'_>) -> Result<Vec<Edge>> {
    let x = floating(&c.edge(0)?)?;
    let axes = c.axes("axis", x.shape().len())?;
    let sum = face().reduce(ReduceOp::Sum, &x, &axes)?;
    let mean = face().div(&sum, &face().full_like(&sum, count(&x, &axes))?)?;
    finish(c, &x, &axes, mean)
}

/// Mean of squared distances from the mean, with `correction` taken from the count.
fn variance(c: &Call<'_>) -> Result<Edge> {
    let x = floating(&c.edge(0)?)?;
    let axes = c.axes("axis", x.shape().len())?;
    let n = count(&x, &axes);
    let sum = face().reduce_spread(ReduceOp::Sum, &x, &axes)?;
    let mean = face().div(&sum, &face().full_like(&sum, n)?)?;
    let centred = face().sub(&x, &mean)?;
    let squares = face().reduce(ReduceOp::Sum, &face().mul(&centred, &centred)?, &axes)?;
    let rest = (n - c.float("correction", 0.0)?).max(0.0);
    let variance = face().div(&squares, &face().full_like(&squares, rest)?)?;
    Ok(finish(c, &x, &axes, variance)?.remove(0))
}

/// `m + log(sum(exp(x - m)))`; an infinite maximum is left alone so that it does not meet its own negative.
fn logsumexp(c: &Call<'_>) -> Result<Vec<Edge>> {
    let b = face();
    let x = floating(&c.edge(0)?)?;
    let axes = c.axes("axis", x.shape().len())?;
    let detached = crate::tensor::mode::with_grad(false, || {
        let max = b.reduce_keep(ReduceOp::Max, &x, &axes)?;
        let limit = b.full_like(&max, f64::INFINITY)?;
        let finite = b.compare(CompareOp::Less, &b.unary(UnaryOp::Abs, &max)?, &limit)?;
        b.select(&finite, &max, &b.full_like(&max, 0.0)?)
    })?;
    let exp = b.unary(UnaryOp::Exp, &b.sub(&x, &b.expand(&detached, x.shape())?)?)?;
    let log = b.unary(UnaryOp::Log, &b.reduce(ReduceOp::Sum, &exp, &axes)?)?;
    let shifted = b.add(&log, &b.reshape(&detached, log.shape())?)?;
    finish(c, &x, &axes, shifted)
}

fn position(c: &Call<'_>, op: ArgOp) -> Result<Vec<Edge>> {
    let b = face();
    let x = c.edge(0)?;
    let keep = c.flag("keepdims", false)?;
    let Some(axis) = c.maybe_int("axis")? else {
        let flat = b.reshape(&x, &[x.shape().numel()].into())?;
        let found = b.one(Op::ArgReduce { op, axis: 0 }, &[flat])?;
        let all: Vec<usize> = (0..x.shape().len()).collect();
        return Ok(vec![if keep { b.reshape(&found, &x.shape().reduced(&all, true))? } else { found }]);
    };
    let axis = crate::shape::Shape::axis(c.name, axis, x.shape().len())?;
    let found = b.one(Op::ArgReduce { op, axis }, std::slice::from_ref(&x))?;
    finish(c, &x, &[axis], found)
}

fn running(c: &Call<'_>, op: CumulateOp) -> Result<Vec<Edge>> {
    let b = face();
    let x = c.edge(0)?;
    let rank = x.shape().len();
    if c.maybe_int("axis")?.is_none() && rank != 1 {
        return Err(Error::value(c.name, format!("axis, for a tensor with {rank} axes"), "None"));
    }
    let axis = c.axis("axis", 0, rank)?;
    let dtype = c.maybe_dtype("dtype")?.unwrap_or_else(|| wide(x.dtype()));
    let x = b.cast(&x, dtype)?;
    let folded = b.one(Op::Cumulate { op, axis, reverse: false }, std::slice::from_ref(&x))?;
    if !c.flag("include_initial", false)? {
        return Ok(vec![folded]);
    }
    let start = if op == CumulateOp::Sum { 0.0 } else { 1.0 };
    let shape = x.shape().with(axis, 1);
    let first = crate::dtype::Scalar::Float(start);
    let first = b.source(Op::Fill { value: first, shape, dtype }, x.node.device)?;
    Ok(vec![b.one(Op::Concat { axis }, &[first, folded])?])
}
