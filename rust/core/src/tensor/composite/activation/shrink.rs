//! Functions that pull values towards 0.

use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{CompareOp, UnaryOp};
use crate::tensor::composite::piecewise::{replace, versus};
use crate::tensor::face::face;

/// `x - tanh(x)`.
pub fn tanh_shrink(x: &Edge) -> Result<Edge> {
    face().sub(x, &face().unary(UnaryOp::Tanh, x)?)
}

/// `x / (1 + |x|)`.
pub fn softsign(x: &Edge) -> Result<Edge> {
    face().div(x, &face().shift(&face().unary(UnaryOp::Abs, x)?, 1.0)?)
}

/// `x - lambd sign(x)` outside `[-lambd, lambd]`, 0 inside.
pub fn soft_shrink(x: &Edge, lambd: f64) -> Result<Edge> {
    let b = face();
    if lambd < 0.0 {
        return Err(Error::value("softshrink", "lambd of at least 0", lambd.to_string()));
    }
    let moved = b.sub(x, &b.scale(&b.unary(UnaryOp::Sign, x)?, lambd)?)?;
    replace(&small(x, lambd)?, 0.0, &moved)
}

/// `x` outside `[-lambd, lambd]`, 0 inside.
pub fn hard_shrink(x: &Edge, lambd: f64) -> Result<Edge> {
    replace(&small(x, lambd)?, 0.0, x)
}

fn small(x: &Edge, lambd: f64) -> Result<Edge> {
    versus(CompareOp::LessEqual, &face().unary(UnaryOp::Abs, x)?, lambd)
}
