//! Lengths, distances and angles along axes.

use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, CompareOp, ReduceOp, UnaryOp};
use crate::tensor::composite::piecewise::{at_least, replace, root, versus};
use crate::tensor::face::face;

/// The p-norm over axes, which stay with size 1; its derivative at 0 is 0.
fn norm(op: &str, x: &Edge, p: f64, axes: &[usize]) -> Result<Edge> {
    let b = face();
    if p == 2.0 {
        return root(&b.reduce_keep(ReduceOp::Sum, &b.mul(x, x)?, axes)?);
    }
    let size = b.unary(UnaryOp::Abs, x)?;
    if p == 1.0 {
        return b.reduce_keep(ReduceOp::Sum, &size, axes);
    }
    if p == f64::INFINITY {
        return b.reduce_keep(ReduceOp::Max, &size, axes);
    }
    if p == 0.0 {
        return b.reduce_keep(ReduceOp::Sum, &b.cast(&versus(CompareOp::NotEqual, x, 0.0)?, x.dtype())?, axes);
    }
    if !(p > 0.0 && p.is_finite()) {
        return Err(Error::value(op, "p of at least 0", p.to_string()));
    }
    let powers = power(&size, p)?;
    power(&b.reduce_keep(ReduceOp::Sum, &powers, axes)?, 1.0 / p)
}

/// `x^p` of numbers from 0 on, with derivative 0 at 0.
fn power(x: &Edge, p: f64) -> Result<Edge> {
    let b = face();
    let zero = versus(CompareOp::Equal, x, 0.0)?;
    let base = replace(&zero, 1.0, x)?;
    replace(&zero, 0.0, &b.binary(BinaryOp::Pow, &base, &b.full_like(x, p)?)?)
}

/// `x / max(|x|_p, eps)` over axes.
pub fn normalize(x: &Edge, p: f64, axes: &[usize], eps: f64) -> Result<Edge> {
    let length = at_least(&norm("normalize", x, p, axes)?, eps)?;
    face().div(x, &face().expand(&length, x.shape())?)
}

/// `a b / (max(|a|, eps) max(|b|, eps))` along an axis, for two tensors of one shape.
pub fn cosine_similarity(x: &Edge, y: &Edge, axis: usize, eps: f64) -> Result<Edge> {
    let product = face().mul(&normalize(x, 2.0, &[axis], eps)?, &normalize(y, 2.0, &[axis], eps)?)?;
    face().reduce(ReduceOp::Sum, &product, &[axis])
}

/// `|a - b + eps|_p` along the last axis, for two tensors of one shape.
pub fn pairwise_distance(x: &Edge, y: &Edge, p: f64, eps: f64, keepdims: bool) -> Result<Edge> {
    const OP: &str = "pairwise_distance";
    let b = face();
    let Some(axis) = x.shape().len().checked_sub(1) else {
        return Err(Error::shape(OP, "vectors along a last axis", "()"));
    };
    let length = norm(OP, &b.shift(&b.sub(x, y)?, eps)?, p, &[axis])?;
    if keepdims { Ok(length) } else { b.reshape(&length, &x.shape().reduced(&[axis], false)) }
}
