//! Losses that ask for the right order or proportion, whatever scale and offset.

use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, CompareOp, ReduceOp, UnaryOp};
use crate::shape::Shape;
use crate::tensor::composite::loss::{aligned, reduce, spread};
use crate::tensor::composite::piecewise::{detached, keep, replace, versus};
use crate::tensor::face::face;

/// Variances below this have no direction.
const LEAST_VARIANCE: f64 = 1e-24;

/// Minus Pearson's correlation along axis 0, the mean over other axes; 0 without gradient where a variance vanishes.
pub fn correlation(input: &Edge, target: &Edge, weight: Option<&Edge>) -> Result<Edge> {
    const OP: &str = "correlation_loss";
    let (x, y) = batch(OP, input, target)?;
    let weight = weight.map(|w| spread(OP, w, &x)).transpose()?;
    face().neg(&reduce(OP, &pearson(&x, &y, weight.as_ref())?, "mean")?)
}

/// Minus the correlation of smooth ranks of the input with ranks of the target.
///
/// The smooth rank of `x_i` is the sum over `j` of `sigmoid((x_i - x_j) / t)`, `t` a share of the standard deviation of `x`,
/// so that scale and offset of `x` do not matter. Equal targets share their mean rank. Source: Qin, Liu and Li 2010, section 4.1.
pub fn spearman(input: &Edge, target: &Edge, temperature: f64) -> Result<Edge> {
    const OP: &str = "spearman_loss";
    let b = face();
    if temperature.is_nan() || temperature <= 0.0 {
        return Err(Error::value(OP, "temperature above 0", temperature.to_string()));
    }
    let (x, y) = batch(OP, input, target)?;
    let x = centred(&x, None)?;
    let variance = mean(&b.mul(&x, &x)?, None)?;
    let flat = versus(CompareOp::Less, &variance, LEAST_VARIANCE)?;
    let deviation = b.unary(UnaryOp::Sqrt, &replace(&flat, 1.0, &variance)?)?;
    let scaled = b.div(&x, &b.scale(&deviation, temperature)?)?;
    let scaled = replace(&flat, 0.0, &scaled)?;
    let smooth = ranks(&scaled, |gap| b.unary(UnaryOp::Sigmoid, gap))?;
    let step = |gap: &Edge| b.shift(&b.scale(&b.unary(UnaryOp::Sign, gap)?, 0.5)?, 0.5);
    b.neg(&reduce(OP, &pearson(&smooth, &ranks(&y, step)?, None)?, "mean")?)
}

fn batch(op: &str, input: &Edge, target: &Edge) -> Result<(Edge, Edge)> {
    let (x, y) = aligned(op, input, target)?;
    match x.shape().first() {
        Some(1..) => Ok((x, y)),
        _ => Err(Error::shape(op, "a batch of at least one example on axis 0", x.shape().to_string())),
    }
}

/// The weighted mean along axis 0, repeated.
fn mean(x: &Edge, weight: Option<&Edge>) -> Result<Edge> {
    let b = face();
    let Some(weight) = weight else {
        let sum = b.reduce_spread(ReduceOp::Sum, x, &[0])?;
        return b.div(&sum, &b.full_like(&sum, x.shape()[0] as f64)?);
    };
    let sum = b.reduce_spread(ReduceOp::Sum, &b.mul(x, weight)?, &[0])?;
    b.div(&sum, &b.reduce_spread(ReduceOp::Sum, weight, &[0])?)
}

/// `x` minus its mean. The first row goes first, so that equal numbers become exact zeros.
fn centred(x: &Edge, weight: Option<&Edge>) -> Result<Edge> {
    let b = face();
    let first = b.expand(&detached(&b.narrow(x, 0, 0, 1)?)?, x.shape())?;
    let near = b.sub(x, &first)?;
    b.sub(&near, &mean(&near, weight)?)
}

/// One correlation for each place of the other axes.
fn pearson(x: &Edge, y: &Edge, weight: Option<&Edge>) -> Result<Edge> {
    let b = face();
    let (x, y) = (centred(x, weight)?, centred(y, weight)?);
    let (across, down) = (mean(&b.mul(&x, &x)?, weight)?, mean(&b.mul(&y, &y)?, weight)?);
    let least = |v: &Edge| versus(CompareOp::Less, v, LEAST_VARIANCE);
    let flat = b.binary(BinaryOp::Or, &least(&across)?, &least(&down)?)?;
    let length = |v: &Edge| b.unary(UnaryOp::Sqrt, &replace(&flat, 1.0, v)?);
    let product = b.div(&mean(&b.mul(&x, &y)?, weight)?, &b.mul(&length(&across)?, &length(&down)?)?)?;
    let defined = b.unary(UnaryOp::Not, &flat)?;
    let first = b.narrow(&keep(&defined, &product, 0.0)?, 0, 0, 1)?;
    b.reshape(&first, &x.shape().reduced(&[0], false))
}

/// The sum over `j` of `step(x_i - x_j)`, along axis 0.
fn ranks(x: &Edge, step: impl Fn(&Edge) -> Result<Edge>) -> Result<Edge> {
    let b = face();
    let size = x.shape()[0];
    let rest = &x.shape()[1..];
    let shape = |lead: [usize; 2]| lead.into_iter().chain(rest.iter().copied()).collect::<Shape>();
    let square = shape([size, size]);
    let own = b.expand(&b.reshape(x, &shape([size, 1]))?, &square)?;
    let other = b.expand(&b.reshape(x, &shape([1, size]))?, &square)?;
    let steps = step(&b.sub(&own, &other)?)?;
    b.reduce(ReduceOp::Sum, &steps, &[1])
}
