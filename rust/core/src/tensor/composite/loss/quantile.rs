//! The pinball loss.

use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, CompareOp, Op, ReduceOp};
use crate::shape::Shape;
use crate::tensor::composite::loss::{unified, weigh};
use crate::tensor::composite::piecewise::{keep, versus};
use crate::tensor::face::face;

/// `max(q e, (q - 1) e)` with `e = y - x`; where they are equal the derivative is `-q`. Source: Koenker and Bassett 1978.
///
/// For one quantile, input and target have one shape; for `[Q]` quantiles the input has one more axis, of size `Q`.
/// `sorted` puts the predictions of a target in order first, so that no quantile lies above a higher one.
pub fn quantile(
    input: &Edge,
    target: &Edge,
    quantiles: &Edge,
    weight: Option<&Edge>,
    sorted: bool,
    reduction: &str,
) -> Result<Edge> {
    const OP: &str = "quantile_loss";
    let b = face();
    let (x, y) = unified(OP, input, target)?;
    let wanted: Shape = y.shape().iter().chain(quantiles.shape().iter()).copied().collect();
    if *x.shape() != wanted {
        let rule =
            format!("input of shape {wanted}: that of the target, then one prediction for each of several quantiles");
        return Err(Error::shape(OP, rule, x.shape().to_string()));
    }
    let column = |t: &Edge| match quantiles.shape().len() {
        0 => Ok(t.clone()),
        _ => b.reshape(t, &t.shape().iter().copied().chain([1]).collect()),
    };
    let x = if sorted { ordered(&x)? } else { x };
    let q = b.expand(&b.cast(quantiles, x.dtype())?, x.shape())?;
    let error = b.sub(&b.expand(&column(&y)?, x.shape())?, &x)?;
    let (above, below) = (b.mul(&q, &error)?, b.mul(&b.shift(&q, -1.0)?, &error)?);
    let loss = b.select(&versus(CompareOp::GreaterEqual, &error, 0.0)?, &above, &below)?;
    let weight = match weight {
        Some(w) if w.shape().len() > y.shape().len() => {
            let rule = format!("weights that broadcast to {}, the shape of the target", y.shape());
            return Err(Error::shape(OP, rule, w.shape().to_string()));
        }
        Some(w) => Some(column(w)?),
        None => None,
    };
    weigh(OP, &loss, weight.as_ref(), reduction)
}

/// Numbers in rising order along the last axis: each goes where the count of smaller ones says, earlier ones first of equals.
///
/// Source: rearrangement of Chernozhukov, Fernandez-Val and Galichon 2010.
fn ordered(x: &Edge) -> Result<Edge> {
    let b = face();
    let axis = x.shape().len() - 1;
    let size = x.shape()[axis];
    let lead = &x.shape()[..axis];
    let shape = |tail: [usize; 2]| lead.iter().copied().chain(tail).collect::<Shape>();
    let square = shape([size, size]);
    let own = b.expand(&b.reshape(x, &shape([size, 1]))?, &square)?;
    let other = b.expand(&b.reshape(x, &shape([1, size]))?, &square)?;
    let count = b.source(Op::Iota { length: size }, x.node.device)?;
    let down = b.expand(&b.reshape(&count, &[size, 1].into())?, &square)?;
    let across = b.expand(&b.reshape(&count, &[1, size].into())?, &square)?;
    let tie = b.binary(
        BinaryOp::And,
        &b.compare(CompareOp::Equal, &other, &own)?,
        &b.compare(CompareOp::Less, &across, &down)?,
    )?;
    let before = b.binary(BinaryOp::Or, &b.compare(CompareOp::Less, &other, &own)?, &tie)?;
    let rank = b.reduce_spread(ReduceOp::Sum, &b.cast(&before, count.dtype())?, &[axis + 1])?;
    let here = b.compare(CompareOp::Equal, &rank, &across)?;
    b.reduce(ReduceOp::Sum, &keep(&here, &own, 0.0)?, &[axis])
}
