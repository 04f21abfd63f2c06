//! Gates: the input, or half of it, times a number in or near `[0, 1]`.

use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, CompareOp, UnaryOp};
use crate::tensor::composite::activation::exponential::softplus_unit;
use crate::tensor::composite::piecewise::{clamp, detached, keep, versus};
use crate::tensor::face::face;

/// `x Phi(x)`, or its approximation with tanh. Source: Hendrycks and Gimpel 2016, equation 2.
pub fn gelu(x: &Edge, approximate: &str) -> Result<Edge> {
    let b = face();
    match approximate {
        "none" => b.unary(UnaryOp::Gelu, x),
        "tanh" => {
            let cubic = b.scale(&b.mul(&b.mul(x, x)?, x)?, 0.044_715)?;
            let root = std::f64::consts::FRAC_2_PI.sqrt();
            let inner = b.unary(UnaryOp::Tanh, &b.scale(&b.add(x, &cubic)?, root)?)?;
            b.mul(&b.scale(x, 0.5)?, &b.shift(&inner, 1.0)?)
        }
        _ => Err(Error::value("gelu", "approximate to be \"none\" or \"tanh\"", format!("{approximate:?}"))),
    }
}

/// `x sigmoid(x)`. Source: Elfwing, Uchibe and Doya 2018.
pub fn silu(x: &Edge) -> Result<Edge> {
    face().mul(x, &face().unary(UnaryOp::Sigmoid, x)?)
}

/// `x tanh(softplus(x))`. Source: Misra 2019.
pub fn mish(x: &Edge) -> Result<Edge> {
    face().mul(x, &face().unary(UnaryOp::Tanh, &softplus_unit(x)?)?)
}

/// `min(max(x + 3, 0), 6) / 6`. Source: Courbariaux, Bengio and David 2015, with the slope of Howard et al. 2019.
///
/// In float64 the slope inside is 1/6 rounded to float32, as torch has it; the value is exact.
pub fn hard_sigmoid(x: &Edge) -> Result<Edge> {
    let b = face();
    let inside = clamp(&b.shift(x, 3.0)?, 0.0, 6.0)?;
    if x.dtype() != DType::F64 {
        return b.scale(&inside, 1.0 / 6.0);
    }
    let fixed = detached(&inside)?;
    b.add(&b.scale(&fixed, 1.0 / 6.0)?, &b.scale(&b.sub(&inside, &fixed)?, f64::from(1f32 / 6.0))?)
}

/// 0 up to -3, `x` from 3 on, `x (x + 3) / 6` between. Source: Howard et al. 2019.
pub fn hard_swish(x: &Edge) -> Result<Edge> {
    let b = face();
    let (low, high) = (versus(CompareOp::LessEqual, x, -3.0)?, versus(CompareOp::GreaterEqual, x, 3.0)?);
    // The product sees 0 outside, since an infinite factor would meet a zero gradient.
    let outside = b.binary(BinaryOp::Or, &low, &high)?;
    let zero = b.full_like(x, 0.0)?;
    let inside = b.select(&outside, &zero, x)?;
    let curve = b.scale(&b.mul(&inside, &b.shift(&inside, 3.0)?)?, 1.0 / 6.0)?;
    b.select(&outside, &keep(&high, x, 0.0)?, &curve)
}

/// The first half along an axis, times the sigmoid of the second. Source: Dauphin et al. 2017.
pub fn glu(x: &Edge, axis: usize) -> Result<Edge> {
    let b = face();
    let size = x.shape()[axis];
    if !size.is_multiple_of(2) {
        return Err(Error::shape("glu", format!("an even size on axis {axis}"), x.shape().to_string()));
    }
    let half = size / 2;
    b.mul(&b.narrow(x, axis, 0, half)?, &b.unary(UnaryOp::Sigmoid, &b.narrow(x, axis, half, half)?)?)
}
