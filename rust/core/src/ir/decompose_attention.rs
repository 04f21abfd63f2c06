//! Attention and its twin as primitives.

use crate::error::Result;
use crate::ir::build::Builder;
use crate::ir::node::Edge;
use crate::ir::op::{CompareOp, Op, ReduceOp, UnaryOp};
use crate::shape::Shape;

/// `softmax(q k^T) v`, and the logarithms of the sums that the exponentials were divided by.
pub(super) fn attention(b: &dyn Builder, causal: bool, inputs: &[Edge]) -> Result<[Edge; 2]> {
    let [q, k, v] = inputs else { return Err(wrong(inputs)) };
    let scores = scores(b, causal, q, k)?;
    let (axis, shape) = (scores.shape().len() - 1, scores.shape());
    let max = b.reduce_keep(ReduceOp::Max, &scores, &[axis])?;
    let exp = b.unary(UnaryOp::Exp, &b.sub(&scores, &b.expand(&max, shape)?)?)?;
    let total = b.reduce_keep(ReduceOp::Sum, &exp, &[axis])?;
    let weights = b.div(&exp, &b.expand(&total, shape)?)?;
    let log = b.add(&max, &b.unary(UnaryOp::Log, &total)?)?;
    Ok([b.matmul(&weights, v)?, b.reshape(&log, &shape.reduced(&[axis], false))?])
}

/// Gradients of queries, keys and values. Source: Dao et al. 2022, appendix B.2.
pub(super) fn attention_grad(b: &dyn Builder, causal: bool, inputs: &[Edge]) -> Result<[Edge; 3]> {
    let [q, k, v, log, g, shared] = inputs else { return Err(wrong(inputs)) };
    let scores = scores(b, causal, q, k)?;
    let spread = |row: &Edge| {
        let kept = row.shape().iter().copied().chain([1]).collect::<Shape>();
        b.expand(&b.reshape(row, &kept)?, scores.shape())
    };
    let weights = b.unary(UnaryOp::Exp, &b.sub(&scores, &spread(log)?)?)?;
    let pulled = b.sub(&b.matmul(g, &b.transpose(v)?)?, &spread(shared)?)?;
    let pulled = b.mul(&weights, &pulled)?;
    Ok([b.matmul(&pulled, k)?, b.matmul(&b.transpose(&pulled)?, q)?, b.matmul(&b.transpose(&weights)?, g)?])
}

fn scores(b: &dyn Builder, causal: bool, q: &Edge, k: &Edge) -> Result<Edge> {
    let scores = b.matmul(q, &b.transpose(k)?)?;
    if !causal {
        return Ok(scores);
    }
    let open = b.expand(&seen_by(b, &scores)?, scores.shape())?;
    b.select(&open, &scores, &b.full_like(&scores, f64::NEG_INFINITY)?)
}

/// For scores `[..., L, S]` the plane `[L, S]` that is true where a query sees a key: up to its own place.
pub fn seen_by(b: &dyn Builder, scores: &Edge) -> Result<Edge> {
    let rank = scores.shape().len();
    let (rows, columns) = (scores.shape()[rank - 2], scores.shape()[rank - 1]);
    let count = |length: usize| b.source(Op::Iota { length }, scores.node.device);
    let plane: Shape = [rows, columns].into();
    let row = b.expand(&b.reshape(&count(rows)?, &[rows, 1].into())?, &plane)?;
    let column = b.expand(&count(columns)?, &plane)?;
    b.compare(CompareOp::GreaterEqual, &row, &column)
}

fn wrong(inputs: &[Edge]) -> crate::error::Error {
    crate::error::Error::bug("attention", format!("three inputs, or six of its twin, got {}", inputs.len()))
}
