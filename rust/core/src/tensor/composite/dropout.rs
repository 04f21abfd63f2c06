//! Dropout: elements or whole channels set to 0, or to the value that keeps mean and variance.

use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{CompareOp, RandomOp};
use crate::shape::Shape;
use crate::tensor::composite::piecewise::{keep, versus};
use crate::tensor::face::face;
use crate::tensor::generator::Generator;

fn probability(op: &str, p: f64) -> Result<()> {
    if (0.0..=1.0).contains(&p) { Ok(()) } else { Err(Error::value(op, "p in [0, 1]", p.to_string())) }
}

/// True with probability `1 - p`: one draw for each element of `draws`, repeated to the shape of `x`.
fn kept(x: &Edge, draws: &Shape, p: f64) -> Result<Edge> {
    let drawn = Generator::global().draw(RandomOp::Uniform, draws, DType::F32, x.node.device)?;
    face().expand(&versus(CompareOp::GreaterEqual, &drawn, p)?, x.shape())
}

/// One draw for each channel: the sizes of the leading axes, 1 for the others.
fn channels(shape: &Shape, leading: usize) -> Shape {
    shape.iter().enumerate().map(|(a, &size)| if a < leading { size } else { 1 }).collect()
}

fn zeroed(op: &str, x: &Edge, draws: &Shape, p: f64, training: bool) -> Result<Edge> {
    probability(op, p)?;
    if !training || p == 0.0 {
        return Ok(x.clone());
    }
    if p >= 1.0 {
        return face().scale(x, 0.0);
    }
    keep(&kept(x, draws, p)?, &face().scale(x, 1.0 / (1.0 - p))?, 0.0)
}

/// Zero each element with probability `p`, scale the others by `1 / (1 - p)`. Source: Srivastava et al. 2014.
pub fn dropout(x: &Edge, p: f64, training: bool) -> Result<Edge> {
    zeroed("dropout", x, x.shape(), p, training)
}

/// Zero whole channels, named by the leading axes. Source: Tompson et al. 2015.
pub fn channel_dropout(op: &str, x: &Edge, leading: usize, p: f64, training: bool) -> Result<Edge> {
    zeroed(op, x, &channels(x.shape(), leading), p, training)
}

/// Set elements, or channels named by `leading` axes, to the least value of `selu`, then restore mean and variance.
///
/// Source: Klambauer et al. 2017, section 3.
pub fn alpha_dropout(op: &str, x: &Edge, leading: Option<usize>, p: f64, training: bool) -> Result<Edge> {
    /// `-lambda alpha` of `selu`.
    const LEAST: f64 = -1.758_099_340_847_376_6;
    let b = face();
    probability(op, p)?;
    if !training || p == 0.0 {
        return Ok(x.clone());
    }
    if p >= 1.0 {
        return b.scale(x, 0.0);
    }
    let draws = leading.map_or_else(|| x.shape().clone(), |leading| channels(x.shape(), leading));
    let scale = ((1.0 - p) * (1.0 + p * LEAST * LEAST)).sqrt().recip();
    let chosen = keep(&kept(x, &draws, p)?, x, LEAST)?;
    b.shift(&b.scale(&chosen, scale)?, -scale * LEAST * p)
}
