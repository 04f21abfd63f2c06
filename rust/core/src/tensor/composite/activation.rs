//! Activations.

use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{CompareOp, Composite, Op, UnaryOp};
use crate::tensor::face::face;

/// `max(x, 0)`; the derivative is 0 at 0 and NaN stays NaN, so the choice is on `x <= 0`.
pub fn relu(x: &Edge) -> Result<Edge> {
    let b = face();
    let zero = b.full_like(x, 0.0)?;
    b.select(&b.compare(CompareOp::LessEqual, x, &zero)?, &zero, x)
}

/// `x Phi(x)`, or its approximation with tanh. Source: Hendrycks and Gimpel 2016, equation 2.
pub fn gelu(x: &Edge, approximate: &str) -> Result<Edge> {
    let b = face();
    let inner = match approximate {
        "none" => b.unary(UnaryOp::Erf, &b.scale(x, std::f64::consts::FRAC_1_SQRT_2)?)?,
        "tanh" => {
            let cubic = b.scale(&b.mul(&b.mul(x, x)?, x)?, 0.044_715)?;
            let root = std::f64::consts::FRAC_2_PI.sqrt();
            b.unary(UnaryOp::Tanh, &b.scale(&b.add(x, &cubic)?, root)?)?
        }
        _ => return Err(Error::value("gelu", "approximate to be \"none\" or \"tanh\"", format!("{approximate:?}"))),
    };
    b.mul(&b.scale(x, 0.5)?, &b.shift(&inner, 1.0)?)
}

/// `x sigmoid(x)`. Source: Elfwing, Uchibe and Doya 2018.
pub fn silu(x: &Edge) -> Result<Edge> {
    face().mul(x, &face().unary(UnaryOp::Sigmoid, x)?)
}

/// `x - log(sum(exp(x)))` along an axis.
pub fn log_softmax(x: &Edge, axis: usize) -> Result<Edge> {
    face().one(Op::Composite(Composite::LogSoftmax { axis }), std::slice::from_ref(x))
}

/// `exp(x) / sum(exp(x))` along an axis.
pub fn softmax(x: &Edge, axis: usize) -> Result<Edge> {
    face().unary(UnaryOp::Exp, &log_softmax(x, axis)?)
}
