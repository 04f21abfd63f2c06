//! The focal loss: cross-entropy that counts easy examples less.

use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, CompareOp, Op, UnaryOp};
use crate::shape::Shape;
use crate::tensor::composite::activation::log_softmax;
use crate::tensor::composite::loss::classes::{checked, pick};
use crate::tensor::composite::loss::{aligned, bce_with_logits, spread, weigh};
use crate::tensor::composite::piecewise::{replace, versus};
use crate::tensor::face::face;

const OP: &str = "focal_loss";

/// `-a (1 - p)^gamma log p`, `p` the probability of the truth. Source: Lin et al. 2017, equation 5.
///
/// A target of the input's shape asks a question of each element, where `alpha` weighs a yes and `1 - alpha` a no. Else the
/// input holds scores `[N, C, ...]` or `[C]`, the target classes, and `alpha` is one weight or one for each class.
pub fn focal(
    input: &Edge,
    target: &Edge,
    gamma: f64,
    alpha: Option<&Edge>,
    weight: Option<&Edge>,
    reduction: &str,
) -> Result<Edge> {
    if gamma.is_nan() || gamma < 0.0 {
        return Err(Error::value(OP, "gamma of at least 0", gamma.to_string()));
    }
    let loss = if input.shape() == target.shape() {
        binary(input, target, gamma, alpha)?
    } else {
        classes(input, target, gamma, alpha)?
    };
    weigh(OP, &loss, weight, reduction)
}

fn binary(input: &Edge, target: &Edge, gamma: f64, alpha: Option<&Edge>) -> Result<Edge> {
    let b = face();
    let (x, y) = aligned(OP, input, target)?;
    let no = b.shift(&b.neg(&y)?, 1.0)?;
    let mix = |yes: &Edge, other: &Edge| b.add(&b.mul(yes, &y)?, &b.mul(other, &no)?);
    let wrong = mix(&b.unary(UnaryOp::Sigmoid, &b.neg(&x)?)?, &b.unary(UnaryOp::Sigmoid, &x)?)?;
    let loss = fade(&bce_with_logits(&x, &y, None, None, "none")?, &wrong, gamma)?;
    let Some(alpha) = alpha else { return Ok(loss) };
    let alpha = spread(OP, alpha, &x)?;
    b.mul(&mix(&alpha, &b.shift(&b.neg(&alpha)?, 1.0)?)?, &loss)
}

fn classes(input: &Edge, target: &Edge, gamma: f64, alpha: Option<&Edge>) -> Result<Edge> {
    let b = face();
    let axis = usize::from(input.shape().len() > 1);
    let positions: Shape = input.shape().iter().enumerate().filter(|&(a, _)| a != axis).map(|(_, &n)| n).collect();
    if input.shape().is_empty() || *target.shape() != positions || !target.dtype().is_integer() {
        let rule = format!("a target of shape {}, or integer classes of shape {positions}", input.shape());
        return Err(Error::shape(OP, rule, format!("{} {}", target.dtype(), target.shape())));
    }
    let input = if input.dtype().is_float() { input.clone() } else { b.cast(input, DType::F32)? };
    let target = checked(OP, &b.cast(target, DType::I64)?, input.shape()[axis])?;
    let log = pick(&log_softmax(&input, axis)?, &target, axis)?;
    let loss = fade(&b.neg(&log)?, &b.neg(&b.unary(UnaryOp::Expm1, &log)?)?, gamma)?;
    let Some(alpha) = alpha else { return Ok(loss) };
    let (shape, dtype) = ([input.shape()[axis]].into(), input.dtype());
    let each = b.source(Op::Fill { value: Scalar::Float(0.0), shape, dtype }, input.node.device)?;
    let alpha = spread(OP, alpha, &each)?;
    b.mul(&b.one(Op::Gather { axis: 0 }, &[alpha, target])?, &loss)
}

/// `wrong^gamma loss`. The base stays above 0, where a power below 1 has no slope.
fn fade(loss: &Edge, wrong: &Edge, gamma: f64) -> Result<Edge> {
    let b = face();
    if gamma == 0.0 {
        return Ok(loss.clone());
    }
    let least = if loss.dtype() == DType::F16 { 6e-5 } else { 1e-37 };
    let base = replace(&versus(CompareOp::Less, wrong, least)?, least, wrong)?;
    b.mul(&b.binary(BinaryOp::Pow, &base, &b.full_like(&base, gamma)?)?, loss)
}
