//! Gradient clipping that cannot overflow.

use crate::error::Result;
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, CompareOp, ReduceOp, UnaryOp};
use crate::tensor::face::face;

/// Euclidean norm of all gradients together, each divided by the largest magnitude before it is squared.
pub fn global_norm(grads: &[Edge]) -> Result<Edge> {
    let b = face();
    let all = |e: &Edge| (0..e.shape().len()).collect::<Vec<_>>();
    let mut largest: Option<Edge> = None;
    for grad in grads {
        let peak = b.reduce(ReduceOp::Max, &b.unary(UnaryOp::Abs, grad)?, &all(grad))?;
        largest = Some(match largest {
            Some(so_far) => b.binary(BinaryOp::Maximum, &so_far, &peak)?,
            None => peak,
        });
    }
    let Some(largest) = largest else {
        return crate::tensor::functions::creation::scalar("clip_grad_norm_", crate::dtype::Scalar::Float(0.0), None);
    };
    let zero = b.full_like(&largest, 0.0)?;
    let one = b.full_like(&largest, 1.0)?;
    let unit = b.select(&b.compare(CompareOp::Equal, &largest, &zero)?, &one, &largest)?;
    let mut total = zero;
    for grad in grads {
        let scaled = b.div(grad, &b.expand(&unit, grad.shape())?)?;
        total = b.add(&total, &b.reduce(ReduceOp::Sum, &b.mul(&scaled, &scaled)?, &all(grad))?)?;
    }
    b.mul(&b.unary(UnaryOp::Sqrt, &total)?, &unit)
}

/// Scale gradients by `max_norm / (norm + 1e-6)` where that is below 1; gives the norm and the scaled gradients.
pub fn clip_by_norm(grads: &[Edge], max_norm: f64) -> Result<(Edge, Vec<Edge>)> {
    let b = face();
    let norm = global_norm(grads)?;
    let factor = b.div(&b.full_like(&norm, max_norm)?, &b.shift(&norm, 1e-6)?)?;
    let factor = b.binary(BinaryOp::Minimum, &factor, &b.full_like(&norm, 1.0)?)?;
    let scaled =
        grads.iter().map(|g| b.mul(g, &b.expand(&b.cast(&factor, g.dtype())?, g.shape())?)).collect::<Result<_>>()?;
    Ok((norm, scaled))
}
