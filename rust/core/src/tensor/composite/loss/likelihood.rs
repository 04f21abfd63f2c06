//! Negative log-likelihoods and divergences of distributions.

use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{CompareOp, UnaryOp};
use crate::shape::Shape;
use crate::tensor::composite::loss::{aligned, reduce, total};
use crate::tensor::composite::piecewise::{detached, replace, versus};
use crate::tensor::face::face;
use std::f64::consts::TAU;

/// `y (log y - x)` for a logarithm of probabilities `x`, or `exp(y) (y - x)` where `y` is a logarithm too.
pub fn kl_div(input: &Edge, target: &Edge, log_target: bool, reduction: &str) -> Result<Edge> {
    const OP: &str = "kl_div";
    let b = face();
    let (x, y) = aligned(OP, input, target)?;
    let loss = if log_target {
        b.mul(&b.unary(UnaryOp::Exp, &y)?, &b.sub(&y, &x)?)?
    } else {
        // y log y is 0 at 0, with a derivative of 0 there.
        let zero = versus(CompareOp::Equal, &y, 0.0)?;
        let log = b.unary(UnaryOp::Log, &replace(&zero, 1.0, &y)?)?;
        b.sub(&b.mul(&y, &log)?, &b.mul(&y, &x)?)?
    };
    match (reduction, loss.shape().first()) {
        ("batchmean", Some(&batch)) => {
            let sum = total(&loss)?;
            b.div(&sum, &b.full_like(&sum, batch as f64)?)
        }
        ("batchmean", None) => Err(Error::shape(OP, "a batch axis for \"batchmean\"", "()")),
        ("none" | "mean" | "sum", _) => reduce(OP, &loss, reduction),
        _ => {
            let rule = "reduction to be \"none\", \"batchmean\", \"mean\" or \"sum\"";
            Err(Error::value(OP, rule, format!("{reduction:?}")))
        }
    }
}

/// Options of [`poisson_nll`].
#[derive(Clone, Copy, Debug)]
pub struct Poisson {
    /// The input is the logarithm of the rate.
    pub log_input: bool,
    /// Add Stirling's approximation of `log(y!)`.
    pub full: bool,
    /// Added to a rate before its logarithm is taken.
    pub eps: f64,
}

/// `exp(x) - y x`, or `x - y log(x + eps)` for a rate.
pub fn poisson_nll(input: &Edge, target: &Edge, options: Poisson, reduction: &str) -> Result<Edge> {
    const OP: &str = "poisson_nll_loss";
    let b = face();
    let (x, y) = aligned(OP, input, target)?;
    let mut loss = if options.log_input {
        b.sub(&b.unary(UnaryOp::Exp, &x)?, &b.mul(&y, &x)?)?
    } else {
        b.sub(&x, &b.mul(&y, &b.unary(UnaryOp::Log, &b.shift(&x, options.eps)?)?)?)?
    };
    if options.full {
        let small = versus(CompareOp::LessEqual, &y, 1.0)?;
        let count = replace(&small, 1.0, &y)?;
        let log = b.unary(UnaryOp::Log, &count)?;
        let spread = b.scale(&b.shift(&log, TAU.ln())?, 0.5)?;
        let stirling = b.add(&b.sub(&b.mul(&count, &log)?, &count)?, &spread)?;
        loss = b.add(&loss, &replace(&small, 0.0, &stirling)?)?;
    }
    reduce(OP, &loss, reduction)
}

/// `(log v + (x - y)^2 / v) / 2` with `v = max(var, eps)`; the bound passes the derivative on as if it were not there.
///
/// A negative variance gives NaN. Source: Nix and Weigend 1994.
pub fn gaussian_nll(input: &Edge, target: &Edge, var: &Edge, full: bool, eps: f64, reduction: &str) -> Result<Edge> {
    const OP: &str = "gaussian_nll_loss";
    let b = face();
    let (x, y) = aligned(OP, input, target)?;
    if eps.is_nan() || eps <= 0.0 {
        return Err(Error::value(OP, "eps above 0", eps.to_string()));
    }
    let var = variance(OP, &b.cast(var, x.dtype())?, x.shape())?;
    let var = replace(&versus(CompareOp::Less, &var, 0.0)?, f64::NAN, &var)?;
    let lifted = b.shift(&b.sub(&var, &detached(&var)?)?, eps)?;
    let var = b.select(&versus(CompareOp::Less, &var, eps)?, &lifted, &var)?;
    let error = b.sub(&x, &y)?;
    let square = b.div(&b.mul(&error, &error)?, &var)?;
    let mut loss = b.scale(&b.add(&b.unary(UnaryOp::Log, &var)?, &square)?, 0.5)?;
    if full {
        loss = b.shift(&loss, 0.5 * TAU.ln())?;
    }
    reduce(OP, &loss, reduction)
}

/// One variance for each element, for each row, or for all.
fn variance(op: &str, var: &Edge, shape: &Shape) -> Result<Edge> {
    let b = face();
    let rank = shape.len();
    if var.shape().is_empty() || var.shape() == shape {
        return b.expand(var, shape);
    }
    if rank > 0 {
        let row = shape.with(rank - 1, 1);
        if *var.shape() == row || var.shape()[..] == shape[..rank - 1] {
            return b.expand(&b.reshape(var, &row)?, shape);
        }
    }
    let rule = format!("var of shape {shape}, of that without its last axis or with size 1 there, or one number");
    Err(Error::shape(op, rule, var.shape().to_string()))
}
