//! The penalty on heads that look alike.

use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{CompareOp, Op, ReduceOp};
use crate::shape::Shape;
use crate::tensor::composite::piecewise::{replace, root};
use crate::tensor::face::face;

/// `scale` times the mean cosine of pairs of heads, heads `[B, H, L]` or `[H, L]`; 0 for less than two heads.
pub fn routing_diversity(heads: &Edge, scale: f64) -> Result<Edge> {
    const OP: &str = "routing_diversity_loss";
    let b = face();
    let (batch, count, length) = match heads.shape()[..] {
        [batch, count, length] if heads.dtype().is_float() => (batch, count, length),
        [count, length] if heads.dtype().is_float() => (1, count, length),
        _ => {
            let got = format!("{} {}", heads.dtype(), heads.shape());
            return Err(Error::shape(OP, "floating heads (batch, heads, length) or (heads, length)", got));
        }
    };
    let x = b.reshape(heads, &[batch, count, length].into())?;
    let pairs = batch * count * count.saturating_sub(1);
    let square: Shape = [batch, count, count].into();
    let size = root(&b.reduce(ReduceOp::Sum, &b.mul(&x, &x)?, &[2])?)?;
    let down = b.expand(&b.reshape(&size, &[batch, count, 1].into())?, &square)?;
    let across = b.expand(&b.reshape(&size, &[batch, 1, count].into())?, &square)?;
    let inner = b.matmul(&x, &b.transpose(&x)?)?;
    let cosine = b.div(&inner, &b.shift(&b.mul(&down, &across)?, 1e-12)?)?;
    let number = b.source(Op::Iota { length: count }, x.node.device)?;
    let row = b.expand(&b.reshape(&number, &[count, 1].into())?, &square)?;
    let same = b.compare(CompareOp::Equal, &row, &b.expand(&number, &square)?)?;
    let sum = b.reduce(ReduceOp::Sum, &replace(&same, 0.0, &cosine)?, &[0, 1, 2])?;
    b.scale(&sum, scale / pairs.max(1) as f64)
}
