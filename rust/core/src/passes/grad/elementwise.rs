//! Derivatives of elementwise ops.

use super::{InputGrads, Site};
use crate::error::{Error, Result};
use crate::ir::build::Builder;
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, CompareOp, UnaryOp};
use smallvec::smallvec;

pub(super) fn unary(op: UnaryOp, s: &Site<'_>) -> Result<InputGrads> {
    let (b, g) = (s.b, s.g()?);
    let (x, y) = (&s.inputs[0], &s.outputs[0]);
    let grad = match op {
        UnaryOp::Neg => b.neg(g)?,
        UnaryOp::Sign | UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Round | UnaryOp::Trunc => b.full_like(x, 0.0)?,
        UnaryOp::Not => return Ok(smallvec![None]),
        UnaryOp::Abs => b.mul(g, &b.unary(UnaryOp::Sign, x)?)?,
        UnaryOp::Reciprocal => b.neg(&b.mul(g, &b.mul(y, y)?)?)?,
        UnaryOp::Exp => b.mul(g, y)?,
        UnaryOp::Expm1 => b.mul(g, &b.shift(y, 1.0)?)?,
        UnaryOp::Log => b.div(g, x)?,
        UnaryOp::Log1p => b.div(g, &b.shift(x, 1.0)?)?,
        UnaryOp::Sqrt => b.div(g, &b.scale(y, 2.0)?)?,
        UnaryOp::Sin => b.mul(g, &b.unary(UnaryOp::Cos, x)?)?,
        UnaryOp::Cos => b.neg(&b.mul(g, &b.unary(UnaryOp::Sin, x)?)?)?,
        UnaryOp::Tan => b.mul(g, &b.shift(&b.mul(y, y)?, 1.0)?)?,
        UnaryOp::Asin => b.div(g, &root_of_one_minus_square(b, x)?)?,
        UnaryOp::Acos => b.neg(&b.div(g, &root_of_one_minus_square(b, x)?)?)?,
        UnaryOp::Atan => b.div(g, &b.shift(&b.mul(x, x)?, 1.0)?)?,
        UnaryOp::Sinh => b.mul(g, &b.unary(UnaryOp::Cosh, x)?)?,
        UnaryOp::Cosh => b.mul(g, &b.unary(UnaryOp::Sinh, x)?)?,
        UnaryOp::Tanh => b.mul(g, &one_minus_square(b, y)?)?,
        UnaryOp::Asinh => b.div(g, &b.unary(UnaryOp::Sqrt, &b.shift(&b.mul(x, x)?, 1.0)?)?)?,
        UnaryOp::Acosh => b.div(g, &b.unary(UnaryOp::Sqrt, &b.shift(&b.mul(x, x)?, -1.0)?)?)?,
        UnaryOp::Atanh => b.div(g, &one_minus_square(b, x)?)?,
        UnaryOp::Sigmoid => b.mul(g, &b.mul(y, &b.shift(&b.neg(y)?, 1.0)?)?)?,
        UnaryOp::Erf => {
            let bell = b.unary(UnaryOp::Exp, &b.neg(&b.mul(x, x)?)?)?;
            b.mul(g, &b.scale(&bell, std::f64::consts::FRAC_2_SQRT_PI)?)?
        }
        UnaryOp::Gelu => b.mul(g, &gelu_slope(b, x)?)?,
    };
    Ok(smallvec![Some(grad)])
}

/// `Phi(x) + x Phi'(x)`. It is made of the input alone, so that a captured step computes it where it has the input at hand.
fn gelu_slope(b: &dyn Builder, x: &Edge) -> Result<Edge> {
    use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};
    let erf = b.unary(UnaryOp::Erf, &b.scale(x, FRAC_1_SQRT_2)?)?;
    let bell = b.unary(UnaryOp::Exp, &b.scale(&b.mul(x, x)?, -0.5)?)?;
    let density = b.scale(&bell, 0.5 * FRAC_1_SQRT_2 * FRAC_2_SQRT_PI)?;
    b.add(&b.scale(&b.shift(&erf, 1.0)?, 0.5)?, &b.mul(x, &density)?)
}

fn one_minus_square(b: &dyn Builder, x: &Edge) -> Result<Edge> {
    b.shift(&b.neg(&b.mul(x, x)?)?, 1.0)
}

fn root_of_one_minus_square(b: &dyn Builder, x: &Edge) -> Result<Edge> {
    b.unary(UnaryOp::Sqrt, &one_minus_square(b, x)?)
}

pub(super) fn binary(op: BinaryOp, s: &Site<'_>) -> Result<InputGrads> {
    let (b, g) = (s.b, s.g()?);
    let (x, y, out) = (&s.inputs[0], &s.inputs[1], &s.outputs[0]);
    let first = |f: &dyn Fn() -> Result<Edge>| s.wants(0).then(f).transpose();
    let second = |f: &dyn Fn() -> Result<Edge>| s.wants(1).then(f).transpose();
    Ok(match op {
        BinaryOp::Add => smallvec![Some(g.clone()), Some(g.clone())],
        BinaryOp::Sub => smallvec![Some(g.clone()), second(&|| b.neg(g))?],
        BinaryOp::Mul => smallvec![first(&|| b.mul(g, y))?, second(&|| b.mul(g, x))?],
        BinaryOp::Div => {
            smallvec![first(&|| b.div(g, y))?, second(&|| b.neg(&b.div(&b.mul(g, out)?, y)?))?]
        }
        BinaryOp::Pow => {
            smallvec![first(&|| power_base(b, g, x, y, s.wants(1)))?, second(&|| power_exponent(b, g, x, y, out))?]
        }
        BinaryOp::Maximum => smallvec![
            first(&|| b.mul(g, &share(b, CompareOp::Greater, x, y)?))?,
            second(&|| b.mul(g, &share(b, CompareOp::Greater, y, x)?))?,
        ],
        BinaryOp::Minimum => smallvec![
            first(&|| b.mul(g, &share(b, CompareOp::Less, x, y)?))?,
            second(&|| b.mul(g, &share(b, CompareOp::Less, y, x)?))?,
        ],
        BinaryOp::Remainder => {
            let quotient = || b.unary(UnaryOp::Floor, &b.div(x, y)?);
            smallvec![Some(g.clone()), second(&|| b.neg(&b.mul(g, &quotient()?)?))?]
        }
        BinaryOp::Atan2 => {
            let square = b.add(&b.mul(x, x)?, &b.mul(y, y)?)?;
            smallvec![first(&|| b.div(&b.mul(g, y)?, &square))?, second(&|| b.neg(&b.div(&b.mul(g, x)?, &square)?))?,]
        }
        BinaryOp::CopySign => {
            let turned = || b.mul(&b.unary(UnaryOp::Sign, x)?, &b.unary(UnaryOp::Sign, out)?);
            smallvec![first(&|| b.mul(g, &turned()?))?, None]
        }
        BinaryOp::FloorDivide
        | BinaryOp::NextAfter
        | BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Xor
        | BinaryOp::ShiftLeft
        | BinaryOp::ShiftRight => {
            return Err(Error::bug(op.name(), "an op without a derivative reached its rule"));
        }
    })
}

/// 1 where `x` wins, one half at ties, 0 elsewhere.
fn share(b: &dyn Builder, op: CompareOp, x: &Edge, y: &Edge) -> Result<Edge> {
    let (one, half, zero) = (b.full_like(x, 1.0)?, b.full_like(x, 0.5)?, b.full_like(x, 0.0)?);
    let wins = b.compare(op, x, y)?;
    let ties = b.compare(CompareOp::Equal, x, y)?;
    b.select(&wins, &one, &b.select(&ties, &half, &zero)?)
}

/// `g * y * x^(y - 1)`, over a base of 1 where `y` is 0, so that the factor 0 never meets `0^-1`, in no derivative of this.
///
/// Where the exponent is differentiated too, the slope along it there is `1 / x`, so only a base without one is replaced.
fn power_base(b: &dyn Builder, g: &Edge, x: &Edge, y: &Edge, exponent: bool) -> Result<Edge> {
    let mut lost = b.compare(CompareOp::Equal, y, &b.full_like(y, 0.0)?)?;
    if exponent {
        let reciprocal = b.unary(UnaryOp::Abs, &b.unary(UnaryOp::Reciprocal, x)?)?;
        let endless = b.compare(CompareOp::Equal, &reciprocal, &b.full_like(x, f64::INFINITY)?)?;
        lost = b.binary(BinaryOp::And, &lost, &endless)?;
    }
    let base = b.select(&lost, &b.full_like(x, 1.0)?, x)?;
    b.mul(g, &b.mul(y, &b.binary(BinaryOp::Pow, &base, &b.shift(y, -1.0)?)?)?)
}

/// `g * x^y * ln(x)`, and 0 at `x = 0`, `y >= 0`, its limit.
fn power_exponent(b: &dyn Builder, g: &Edge, x: &Edge, y: &Edge, out: &Edge) -> Result<Edge> {
    let zero = b.full_like(x, 0.0)?;
    let at_zero = b.compare(CompareOp::Equal, x, &zero)?;
    let rises = b.compare(CompareOp::GreaterEqual, y, &zero)?;
    let limit = b.binary(BinaryOp::And, &at_zero, &rises)?;
    let safe = b.select(&limit, &b.full_like(x, 1.0)?, x)?;
    b.mul(g, &b.mul(out, &b.unary(UnaryOp::Log, &safe)?)?)
}

pub(super) fn select(s: &Site<'_>) -> Result<InputGrads> {
    let (b, g, condition) = (s.b, s.g()?, &s.inputs[0]);
    let zero = b.full_like(g, 0.0)?;
    let yes = s.wants(1).then(|| b.select(condition, g, &zero)).transpose()?;
    let no = s.wants(2).then(|| b.select(condition, &zero, g)).transpose()?;
    Ok(smallvec![None, yes, no])
}
