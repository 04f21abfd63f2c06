//! Losses of distances and ranks: pairs and triplets that shall lie near or apart.

use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, CompareOp, ReduceOp, UnaryOp};
use crate::tensor::composite::distance::pairwise_distance;
use crate::tensor::composite::loss::{aligned, reduce};
use crate::tensor::composite::piecewise::{at_least, replace, versus};
use crate::tensor::face::face;

/// `near` unless the target is -1, plus `apart` unless it is 1.
fn by_sign(target: &Edge, near: &Edge, apart: &Edge) -> Result<Edge> {
    let negative = versus(CompareOp::Equal, target, -1.0)?;
    let positive = versus(CompareOp::Equal, target, 1.0)?;
    face().add(&replace(&negative, 0.0, near)?, &replace(&positive, 0.0, apart)?)
}

/// `x` where the target is 1, `max(0, margin - x)` where it is -1. Source: Hadsell, Chopra and LeCun 2006.
pub fn hinge_embedding(input: &Edge, target: &Edge, margin: f64, reduction: &str) -> Result<Edge> {
    const OP: &str = "hinge_embedding_loss";
    let (x, y) = aligned(OP, input, target)?;
    let apart = at_least(&face().shift(&face().neg(&x)?, margin)?, 0.0)?;
    reduce(OP, &by_sign(&y, &x, &apart)?, reduction)
}

/// `max(0, -y (a - b) + margin)`: a target of 1 asks for the first to be larger.
pub fn ranking(first: &Edge, second: &Edge, target: &Edge, margin: f64, reduction: &str) -> Result<Edge> {
    const OP: &str = "margin_ranking_loss";
    let b = face();
    let (first, second) = aligned(OP, first, second)?;
    let (gap, y) = aligned(OP, &b.sub(&first, &second)?, target)?;
    let short = b.shift(&b.neg(&b.mul(&y, &gap)?)?, margin)?;
    reduce(OP, &at_least(&short, 0.0)?, reduction)
}

/// `1 - cos(a, b)` where the target is 1, `max(0, cos(a, b) - margin)` where it is -1; vectors lie along the last axis.
pub fn cosine_embedding(first: &Edge, second: &Edge, target: &Edge, margin: f64, reduction: &str) -> Result<Edge> {
    const OP: &str = "cosine_embedding_loss";
    let b = face();
    let (first, second) = aligned(OP, first, second)?;
    let rank = first.shape().len();
    if !(1..=2).contains(&rank) || target.shape()[..] != first.shape()[..rank - 1] {
        let rule = "vectors (n, d) with targets (n,), or (d,) with a target ()";
        return Err(Error::shape(OP, rule, format!("{} and {}", first.shape(), target.shape())));
    }
    let inner = |x: &Edge, y: &Edge| b.reduce(ReduceOp::Sum, &b.mul(x, y)?, &[rank - 1]);
    let square = |x: &Edge| b.shift(&inner(x, x)?, 1e-12);
    let lengths = b.unary(UnaryOp::Sqrt, &b.mul(&square(&first)?, &square(&second)?)?)?;
    let cosine = b.div(&inner(&first, &second)?, &lengths)?;
    let (near, apart) = (b.shift(&b.neg(&cosine)?, 1.0)?, at_least(&b.shift(&cosine, -margin)?, 0.0)?);
    // A target that is neither counts for nothing.
    let stray = b.compare(CompareOp::NotEqual, &b.unary(UnaryOp::Abs, target)?, &b.full_like(target, 1.0)?)?;
    reduce(OP, &replace(&stray, 0.0, &by_sign(target, &near, &apart)?)?, reduction)
}

/// Distances that [`triplet`] compares, and how.
#[derive(Clone, Copy, Debug)]
pub struct Triplet {
    /// How much nearer the positive shall be.
    pub margin: f64,
    /// Norm of the distance.
    pub p: f64,
    /// Added to differences.
    pub eps: f64,
    /// Take the negative's distance from the positive where that is smaller.
    pub swap: bool,
}

/// `max(0, d(a, p) - d(a, n) + margin)` of vectors along the last axis. Source: Balntas et al. 2016.
pub fn triplet(anchor: &Edge, positive: &Edge, negative: &Edge, options: Triplet, reduction: &str) -> Result<Edge> {
    const OP: &str = "triplet_margin_loss";
    let (anchor, positive) = aligned(OP, anchor, positive)?;
    let (anchor, negative) = aligned(OP, &anchor, negative)?;
    let positive = face().cast(&positive, anchor.dtype())?;
    let distance = |x: &Edge, y: &Edge| pairwise_distance(x, y, options.p, options.eps, false);
    let mut apart = distance(&anchor, &negative)?;
    if options.swap {
        apart = face().binary(BinaryOp::Minimum, &apart, &distance(&positive, &negative)?)?;
    }
    triplet_of_distances(OP, &distance(&anchor, &positive)?, &apart, options.margin, reduction)
}

/// `max(0, near - apart + margin)`.
pub fn triplet_of_distances(op: &str, near: &Edge, apart: &Edge, margin: f64, reduction: &str) -> Result<Edge> {
    if margin.is_nan() || margin <= 0.0 {
        return Err(Error::value(op, "margin above 0", margin.to_string()));
    }
    let (near, apart) = aligned(op, near, apart)?;
    reduce(op, &at_least(&face().shift(&face().sub(&near, &apart)?, margin)?, 0.0)?, reduction)
}
