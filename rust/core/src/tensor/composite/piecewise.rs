//! What functions in pieces share: comparisons with a number, bounds, safe divisors, values without a derivative.

use crate::error::Result;
use crate::ir::node::Edge;
use crate::ir::op::{CompareOp, UnaryOp};
use crate::passes::grad::identity;
use crate::tensor::face::face;
use crate::tensor::mode;

/// Compare every element with one number.
pub fn versus(op: CompareOp, x: &Edge, number: f64) -> Result<Edge> {
    face().compare(op, x, &face().full_like(x, number)?)
}

/// `number` where `condition` holds, else `x`.
pub fn replace(condition: &Edge, number: f64, x: &Edge) -> Result<Edge> {
    face().select(condition, &face().full_like(x, number)?, x)
}

/// `x` where `condition` holds, else `number`.
pub fn keep(condition: &Edge, x: &Edge, number: f64) -> Result<Edge> {
    face().select(condition, x, &face().full_like(x, number)?)
}

/// `max(x, bound)`; the derivative at the bound is 1, and NaN stays.
pub fn at_least(x: &Edge, bound: f64) -> Result<Edge> {
    replace(&versus(CompareOp::Less, x, bound)?, bound, x)
}

/// Between two bounds; the derivative is 0 from the bounds on, and NaN stays.
pub fn clamp(x: &Edge, low: f64, high: f64) -> Result<Edge> {
    let below = replace(&versus(CompareOp::LessEqual, x, low)?, low, x)?;
    replace(&versus(CompareOp::GreaterEqual, x, high)?, high, &below)
}

/// The value without its derivative.
pub fn detached(x: &Edge) -> Result<Edge> {
    mode::with_grad(false, || face().one(identity(x), std::slice::from_ref(x)))
}

/// `sqrt(x)` with derivative 0 at 0, for lengths.
pub fn root(x: &Edge) -> Result<Edge> {
    let zero = versus(CompareOp::Equal, x, 0.0)?;
    replace(&zero, 0.0, &face().unary(UnaryOp::Sqrt, &replace(&zero, 1.0, x)?)?)
}
