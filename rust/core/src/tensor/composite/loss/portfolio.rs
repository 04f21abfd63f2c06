//! The Sharpe ratio as a loss.

use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, CompareOp, ReduceOp, UnaryOp};
use crate::tensor::composite::activation::softmax;
use crate::tensor::composite::loss::{aligned, average};
use crate::tensor::composite::piecewise::{keep, replace, versus};
use crate::tensor::face::face;

/// Minus mean over standard deviation of the returns of a portfolio whose shares are the softmax of each row.
///
/// 0 without gradient where the deviation is below 1e-8, or below what rounding alone makes of equal returns.
/// Source: Zhang, Zohren and Roberts 2020.
pub fn sharpe(logits: &Edge, returns: &Edge) -> Result<Edge> {
    const OP: &str = "sharpe_loss";
    let b = face();
    let (x, returns) = aligned(OP, logits, returns)?;
    if x.shape().len() != 2 || x.shape().numel() == 0 {
        return Err(Error::shape(OP, "weights and returns (periods, assets)", x.shape().to_string()));
    }
    let portfolio = b.reduce(ReduceOp::Sum, &b.mul(&softmax(&x, 1)?, &returns)?, &[1])?;
    let mean = average(&portfolio, &[0])?;
    let gap = b.sub(&portfolio, &b.expand(&mean, portfolio.shape())?)?;
    let variance = average(&b.mul(&gap, &gap)?, &[0])?;
    let rounding = b.scale(&b.unary(UnaryOp::Abs, &mean)?, 4.0 * rounding(x.dtype()))?;
    let noise = b.binary(BinaryOp::Maximum, &rounding, &b.full_like(&mean, 1e-8)?)?;
    let steady = b.compare(CompareOp::Less, &variance, &b.mul(&noise, &noise)?)?;
    let steady = b.binary(BinaryOp::Or, &steady, &versus(CompareOp::Equal, &variance, 0.0)?)?;
    let deviation = b.unary(UnaryOp::Sqrt, &replace(&steady, 1.0, &variance)?)?;
    let ratio = b.neg(&b.div(&mean, &deviation)?)?;
    keep(&b.unary(UnaryOp::Not, &steady)?, &ratio, 0.0)
}

/// The distance from 1 to the next number.
fn rounding(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => f64::EPSILON,
        DType::F16 => 2f64.powi(-10),
        DType::BF16 => 2f64.powi(-7),
        _ => f64::from(f32::EPSILON),
    }
}
