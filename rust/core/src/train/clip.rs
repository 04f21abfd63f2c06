//! Gradient clipping that cannot overflow.

use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, CompareOp, ReduceOp, UnaryOp};
use crate::tensor::face::face;
use crate::tensor::functions::creation::scalar;
use crate::train::transform::working;

/// Euclidean norm of all tensors together.
pub fn global_norm(tensors: &[Edge]) -> Result<Edge> {
    norm_of(tensors, 2.0)
}

/// `(sum |x|^order)^(1 / order)` over all tensors together, or the largest magnitude where the order is infinite.
///
/// Magnitudes are divided by the largest before they are raised, so their powers neither overflow nor vanish. The result
/// has the widest dtype among the tensors, f32 or wider.
pub fn norm_of(tensors: &[Edge], order: f64) -> Result<Edge> {
    let b = face();
    let all = |e: &Edge| (0..e.shape().len()).collect::<Vec<_>>();
    let tensors: Vec<&Edge> = tensors.iter().filter(|e| e.shape().numel() > 0).collect();
    let wide = tensors.iter().map(|e| working(e.dtype())).max_by_key(|d| d.size()).unwrap_or(DType::F32);
    let mut largest: Option<Edge> = None;
    for tensor in &tensors {
        let peak = b.cast(&b.reduce(ReduceOp::Max, &b.unary(UnaryOp::Abs, tensor)?, &all(tensor))?, wide)?;
        largest = Some(match largest {
            Some(so_far) => b.binary(BinaryOp::Maximum, &so_far, &peak)?,
            None => peak,
        });
    }
    let Some(largest) = largest else { return scalar("clip_grad_norm_", Scalar::Float(0.0), Some(wide)) };
    if order == f64::INFINITY {
        return Ok(largest);
    }
    let (zero, one) = (b.full_like(&largest, 0.0)?, b.full_like(&largest, 1.0)?);
    let infinite = b.compare(CompareOp::Equal, &largest, &b.full_like(&largest, f64::INFINITY)?)?;
    let unit = b.select(&b.compare(CompareOp::Equal, &largest, &zero)?, &one, &largest)?;
    let unit = b.select(&infinite, &one, &unit)?;
    let mut total = zero;
    for tensor in tensors {
        let tensor = b.cast(tensor, wide)?;
        let part = b.div(&tensor, &b.expand(&unit, tensor.shape())?)?;
        let power = if order == 2.0 {
            b.mul(&part, &part)?
        } else {
            b.binary(BinaryOp::Pow, &b.unary(UnaryOp::Abs, &part)?, &b.full_like(&part, order)?)?
        };
        total = b.add(&total, &b.reduce(ReduceOp::Sum, &power, &all(&tensor))?)?;
    }
    let root = if order == 2.0 {
        b.unary(UnaryOp::Sqrt, &total)?
    } else {
        b.binary(BinaryOp::Pow, &total, &b.full_like(&total, 1.0 / order)?)?
    };
    b.mul(&root, &unit)
}

/// Scale gradients by `max_norm / (norm + 1e-6)` where that is below 1; gives the norm and the scaled gradients.
pub fn clip_by_norm(grads: &[Edge], max_norm: f64, order: f64) -> Result<(Edge, Vec<Edge>)> {
    let b = face();
    let norm = norm_of(grads, order)?;
    let factor = b.div(&b.full_like(&norm, max_norm)?, &b.shift(&norm, 1e-6)?)?;
    let factor = b.binary(BinaryOp::Minimum, &factor, &b.full_like(&norm, 1.0)?)?;
    // The product is taken in the wide dtype: a factor below the smallest half-precision number still counts.
    let scaled = |g: &Edge| {
        let wide = b.cast(g, norm.dtype())?;
        b.cast(&b.mul(&wide, &b.expand(&factor, g.shape())?)?, g.dtype())
    };
    let scaled = grads.iter().map(scaled).collect::<Result<_>>()?;
    Ok((norm, scaled))
}
