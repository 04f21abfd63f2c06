//! Losses of answers that are yes or no, one for each element.

use crate::dtype::DType;
use crate::error::Result;
use crate::ir::node::Edge;
use crate::ir::op::{CompareOp, UnaryOp};
use crate::tensor::composite::activation::softplus_unit;
use crate::tensor::composite::loss::{aligned, average, reduce, spread};
use crate::tensor::composite::piecewise::{detached, replace, versus};
use crate::tensor::face::face;

/// `-(y log x + (1 - y) log(1 - x))` of probabilities; logarithms stop at -100.
pub fn bce(input: &Edge, target: &Edge, weight: Option<&Edge>, reduction: &str) -> Result<Edge> {
    const OP: &str = "binary_cross_entropy";
    let b = face();
    let (x, y) = aligned(OP, input, target)?;
    let variance = b.mul(&x, &b.shift(&b.neg(&x)?, 1.0)?)?;
    let least = if x.dtype() == DType::F16 { 1e-4 } else { 1e-12 };
    let edge = versus(CompareOp::LessEqual, &b.unary(UnaryOp::Abs, &variance)?, least)?;
    let inside = entropy(&replace(&edge, 0.5, &x)?, &y)?;
    // At the ends of [0, 1] the slope (x - y) / (x (1 - x)) is held at the least denominator; the value does not follow it.
    let fixed = detached(&x)?;
    let slope = detached(&b.scale(&b.sub(&x, &y)?, 1.0 / least)?)?;
    let outside = b.add(&entropy(&fixed, &y)?, &b.mul(&b.sub(&x, &fixed)?, &slope)?)?;
    let mut loss = b.select(&edge, &outside, &inside)?;
    if let Some(weight) = weight {
        loss = b.mul(&loss, &spread(OP, weight, &loss)?)?;
    }
    reduce(OP, &loss, reduction)
}

fn entropy(x: &Edge, y: &Edge) -> Result<Edge> {
    let b = face();
    let bounded = |log: &Edge| replace(&versus(CompareOp::Less, log, -100.0)?, -100.0, log);
    let yes = bounded(&b.unary(UnaryOp::Log, x)?)?;
    let no = bounded(&b.unary(UnaryOp::Log1p, &b.neg(x)?)?)?;
    b.neg(&b.add(&b.mul(y, &yes)?, &b.mul(&b.shift(&b.neg(y)?, 1.0)?, &no)?)?)
}

/// `(1 - y) x + (1 + (p - 1) y) log(1 + exp(-x))`, with `p` the weight of the positive part.
pub fn bce_with_logits(
    input: &Edge,
    target: &Edge,
    weight: Option<&Edge>,
    pos_weight: Option<&Edge>,
    reduction: &str,
) -> Result<Edge> {
    const OP: &str = "binary_cross_entropy_with_logits";
    let b = face();
    let (x, y) = aligned(OP, input, target)?;
    let mut positive = softplus_unit(&b.neg(&x)?)?;
    if let Some(p) = pos_weight {
        let factor = b.shift(&b.mul(&b.shift(&spread(OP, p, &x)?, -1.0)?, &y)?, 1.0)?;
        positive = b.mul(&factor, &positive)?;
    }
    let mut loss = b.add(&b.mul(&b.shift(&b.neg(&y)?, 1.0)?, &x)?, &positive)?;
    if let Some(weight) = weight {
        loss = b.mul(&loss, &spread(OP, weight, &loss)?)?;
    }
    reduce(OP, &loss, reduction)
}

/// `log(1 + exp(-y x))` for targets -1 and 1.
pub fn soft_margin(input: &Edge, target: &Edge, reduction: &str) -> Result<Edge> {
    const OP: &str = "soft_margin_loss";
    let (x, y) = aligned(OP, input, target)?;
    reduce(OP, &softplus_unit(&face().neg(&face().mul(&y, &x)?)?)?, reduction)
}

/// The mean over the last axis of `-(y log s(x) + (1 - y) log s(-x))`, `s` the sigmoid.
pub fn multilabel_soft_margin(input: &Edge, target: &Edge, weight: Option<&Edge>, reduction: &str) -> Result<Edge> {
    const OP: &str = "multilabel_soft_margin_loss";
    let (x, y) = aligned(OP, input, target)?;
    let loss = bce_with_logits(&x, &y, None, None, "none")?;
    let loss = match weight {
        Some(weight) => face().mul(&loss, &spread(OP, weight, &loss)?)?,
        None => loss,
    };
    let last: Vec<usize> = loss.shape().len().checked_sub(1).into_iter().collect();
    reduce(OP, &average(&loss, &last)?, reduction)
}
