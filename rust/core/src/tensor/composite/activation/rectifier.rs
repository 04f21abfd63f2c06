//! Rectifiers: made of straight pieces.

use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{CompareOp, RandomOp};
use crate::shape::Shape;
use crate::tensor::composite::piecewise::{clamp, replace, versus};
use crate::tensor::face::face;
use crate::tensor::generator::Generator;

/// `max(x, 0)`; the derivative is 0 at 0 and NaN stays NaN, so the choice is on `x <= 0`.
pub fn relu(x: &Edge) -> Result<Edge> {
    threshold(x, 0.0, 0.0)
}

/// `min(max(x, 0), 6)` with derivative 0 at 0 and 6. Source: Krizhevsky 2010.
pub fn relu6(x: &Edge) -> Result<Edge> {
    clamp(x, 0.0, 6.0)
}

/// `min(max(x, low), high)` with derivative 0 at both bounds.
pub fn hardtanh(x: &Edge, low: f64, high: f64) -> Result<Edge> {
    if low < high {
        return clamp(x, low, high);
    }
    Err(Error::value("hardtanh", "min_val below max_val", format!("{low} and {high}")))
}

/// `x` above a limit, `value` up to it.
pub fn threshold(x: &Edge, limit: f64, value: f64) -> Result<Edge> {
    replace(&versus(CompareOp::LessEqual, x, limit)?, value, x)
}

/// `x` above 0, `slope * x` up to it. Source: Maas, Hannun and Ng 2013.
pub fn leaky_relu(x: &Edge, slope: f64) -> Result<Edge> {
    bend(x, &face().full_like(x, slope)?)
}

/// A leaky rectifier with a learnt slope, one for all or one for each channel of axis 1. Source: He et al. 2015.
pub fn prelu(x: &Edge, weight: &Edge) -> Result<Edge> {
    let b = face();
    let (slopes, rank) = (weight.shape().numel(), x.shape().len());
    let channels = if rank > 1 { x.shape()[1] } else { 1 };
    if weight.shape().len() > 1 || (slopes != 1 && slopes != channels) {
        let rule = format!("a weight of shape (1,) or ({channels},), one slope for each channel of axis 1");
        return Err(Error::shape("prelu", rule, weight.shape().to_string()));
    }
    let dtype = DType::promote("prelu", x.dtype(), weight.dtype())?;
    let (x, weight) = (b.cast(x, dtype)?, b.cast(weight, dtype)?);
    let column: Shape = (0..rank).map(|a| if a == 1 { slopes } else { 1 }).collect();
    bend(&x, &b.expand(&b.reshape(&weight, &column)?, x.shape())?)
}

/// A leaky rectifier whose slopes are drawn from `[lower, upper)` in training and are their mean else.
///
/// Source: Xu, Wang, Chen and Li 2015.
pub fn rrelu(x: &Edge, lower: f64, upper: f64, training: bool) -> Result<Edge> {
    if lower > upper {
        return Err(Error::value("rrelu", "lower of at most upper", format!("{lower} and {upper}")));
    }
    if !training {
        return leaky_relu(x, f64::midpoint(lower, upper));
    }
    let b = face();
    let drawn =
        b.cast(&Generator::global().draw(RandomOp::Uniform, x.shape(), DType::F32, x.node.device)?, x.dtype())?;
    bend(x, &b.shift(&b.scale(&drawn, upper - lower)?, lower)?)
}

fn bend(x: &Edge, slope: &Edge) -> Result<Edge> {
    let b = face();
    let positive = versus(CompareOp::Greater, x, 0.0)?;
    b.select(&positive, x, &b.mul(slope, &replace(&positive, 0.0, x)?)?)
}
