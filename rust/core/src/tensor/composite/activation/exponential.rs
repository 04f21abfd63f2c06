//! Activations with an exponential piece. The exponential never sees the side where it would overflow.

use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{CompareOp, UnaryOp};
use crate::tensor::composite::piecewise::{keep, replace, versus};
use crate::tensor::face::face;

/// `x` above 0, `alpha (exp(x) - 1)` up to it. Source: Clevert, Unterthiner and Hochreiter 2016, equation 15.
pub fn elu(x: &Edge, alpha: f64) -> Result<Edge> {
    pieces(x, 1.0, alpha, 1.0)
}

/// `elu` scaled so that layers keep mean 0 and variance 1. Source: Klambauer et al. 2017, equation 2.
pub fn selu(x: &Edge) -> Result<Edge> {
    const SCALE: f64 = 1.050_700_987_355_480_5;
    const ALPHA: f64 = 1.673_263_242_354_377_2;
    pieces(x, SCALE, SCALE * ALPHA, 1.0)
}

/// `x` above 0, `alpha (exp(x / alpha) - 1)` up to it. Source: Barron 2017.
pub fn celu(x: &Edge, alpha: f64) -> Result<Edge> {
    if alpha == 0.0 {
        return Err(Error::value("celu", "alpha other than 0", "0"));
    }
    pieces(x, 1.0, alpha, 1.0 / alpha)
}

fn pieces(x: &Edge, above: f64, below: f64, rate: f64) -> Result<Edge> {
    let b = face();
    let positive = versus(CompareOp::Greater, x, 0.0)?;
    let mut negative = replace(&positive, 0.0, x)?;
    if rate != 1.0 {
        negative = b.scale(&negative, rate)?;
    }
    let curve = b.scale(&b.unary(UnaryOp::Expm1, &negative)?, below)?;
    let line = if above == 1.0 { x.clone() } else { b.scale(x, above)? };
    b.select(&positive, &line, &curve)
}

/// `log(1 + exp(x))`, exact for every `x`.
///
/// One comparison decides both pieces of `max(x, 0) + log(1 + exp(-|x|))`, so their corners cancel in every derivative.
pub fn softplus_unit(x: &Edge) -> Result<Edge> {
    let b = face();
    let positive = versus(CompareOp::Greater, x, 0.0)?;
    let away = b.select(&positive, &b.neg(x)?, x)?;
    let tail = b.unary(UnaryOp::Log1p, &b.unary(UnaryOp::Exp, &away)?)?;
    b.add(&keep(&positive, x, 0.0)?, &tail)
}

/// `log(1 + exp(beta x)) / beta`, and `x` itself where `beta x` is above a threshold.
pub fn softplus(x: &Edge, beta: f64, threshold: f64) -> Result<Edge> {
    let b = face();
    if beta == 0.0 {
        return Err(Error::value("softplus", "beta other than 0", "0"));
    }
    let scaled = b.scale(x, beta)?;
    let linear = versus(CompareOp::Greater, &scaled, threshold)?;
    let curve = b.div(&softplus_unit(&scaled)?, &b.full_like(x, beta)?)?;
    b.select(&linear, x, &curve)
}

/// `log(sigmoid(x))`, exact for every `x`.
pub fn log_sigmoid(x: &Edge) -> Result<Edge> {
    face().neg(&softplus_unit(&face().neg(x)?)?)
}
