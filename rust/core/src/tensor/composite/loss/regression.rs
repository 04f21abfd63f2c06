//! Losses of the distance between numbers; each takes a weight, by whose sum the mean is divided.

use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::UnaryOp;
use crate::tensor::composite::loss::{aligned, weigh};
use crate::tensor::composite::piecewise::clamp;
use crate::tensor::face::face;

/// `(x - y)^2`.
pub fn mse(input: &Edge, target: &Edge, weight: Option<&Edge>, reduction: &str) -> Result<Edge> {
    let (input, target) = aligned("mse_loss", input, target)?;
    let error = face().sub(&input, &target)?;
    weigh("mse_loss", &face().mul(&error, &error)?, weight, reduction)
}

/// `|x - y|`.
pub fn l1(input: &Edge, target: &Edge, weight: Option<&Edge>, reduction: &str) -> Result<Edge> {
    absolute("l1_loss", input, target, weight, reduction)
}

fn absolute(op: &str, input: &Edge, target: &Edge, weight: Option<&Edge>, reduction: &str) -> Result<Edge> {
    let (input, target) = aligned(op, input, target)?;
    weigh(op, &face().unary(UnaryOp::Abs, &face().sub(&input, &target)?)?, weight, reduction)
}

/// Half the square up to `delta`, a line of slope `delta` beyond. Source: Huber 1964.
pub fn huber(input: &Edge, target: &Edge, delta: f64, weight: Option<&Edge>, reduction: &str) -> Result<Edge> {
    const OP: &str = "huber_loss";
    if delta.is_nan() || delta <= 0.0 {
        return Err(Error::value(OP, "delta above 0", delta.to_string()));
    }
    weigh(OP, &bowl(OP, input, target, delta)?, weight, reduction)
}

/// The Huber loss over `beta`, and the absolute error at `beta = 0`. Source: Girshick 2015, equation 3.
pub fn smooth_l1(input: &Edge, target: &Edge, beta: f64, weight: Option<&Edge>, reduction: &str) -> Result<Edge> {
    const OP: &str = "smooth_l1_loss";
    if beta.is_nan() || beta < 0.0 {
        return Err(Error::value(OP, "beta of at least 0", beta.to_string()));
    }
    if beta == 0.0 {
        return absolute(OP, input, target, weight, reduction);
    }
    let bowl = bowl(OP, input, target, beta)?;
    weigh(OP, &face().div(&bowl, &face().full_like(&bowl, beta)?)?, weight, reduction)
}

/// `c (e - c / 2)` with `c` the error between `-delta` and `delta`: no square of a large error is ever taken.
fn bowl(op: &str, input: &Edge, target: &Edge, delta: f64) -> Result<Edge> {
    let b = face();
    let (input, target) = aligned(op, input, target)?;
    let error = b.sub(&input, &target)?;
    let near = clamp(&error, -delta, delta)?;
    b.mul(&near, &b.sub(&error, &b.scale(&near, 0.5)?)?)
}
