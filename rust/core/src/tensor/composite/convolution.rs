//! Convolution layers in one to three spatial dimensions.

use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{ConvOp, Op};
use crate::shape::Shape;
use crate::tensor::args::Call;
use crate::tensor::face::face;

/// Input `[N, C, ...]` (or without N), weight `[O, C / groups, ...]`, bias `[O]`; strides, padding and dilation per axis.
pub fn conv(c: &Call<'_>) -> Result<Edge> {
    let b = face();
    let (x, weight, bias) = (c.edge(0)?, c.edge(1)?, c.maybe_edge(2)?);
    let spatial = weight.shape().len().saturating_sub(2);
    let batched = x.shape().len() == spatial + 2;
    let x = if batched {
        x
    } else {
        let shape: Shape = std::iter::once(1).chain(x.shape().iter().copied()).collect();
        b.reshape(&x, &shape)?
    };
    let strides = per_axis(c, "stride", 1, spatial)?;
    let dilation = per_axis(c, "dilation", 1, spatial)?;
    let padding = per_axis(c, "padding", 0, spatial)?;
    let low: Vec<isize> = padding.iter().map(|&p| p as isize).collect();
    let groups = usize::try_from(c.int("groups", 1)?).unwrap_or(0);
    let op = ConvOp {
        strides,
        high: low.clone(),
        low,
        input_dilation: vec![1; spatial],
        kernel_dilation: dilation,
        groups,
        batch_groups: 1,
    };
    let mut y = b.one(Op::Conv(op), &[x, weight])?;
    if let Some(bias) = bias {
        let column: Shape = (0..spatial + 2).map(|a| if a == 1 { bias.shape().numel() } else { 1 }).collect();
        y = b.add(&y, &b.expand(&b.reshape(&bias, &column)?, y.shape())?)?;
    }
    if batched { Ok(y) } else { b.reshape(&y, &y.shape()[1..].into()) }
}

fn per_axis(c: &Call<'_>, key: &str, default: i64, spatial: usize) -> Result<Vec<usize>> {
    let given = c.maybe_ints(key)?.unwrap_or_else(|| vec![default]);
    let values = if given.len() == 1 { vec![given[0]; spatial] } else { given };
    let sizes: Option<Vec<usize>> = values.iter().map(|&v| usize::try_from(v).ok()).collect();
    match sizes {
        Some(sizes) if sizes.len() == spatial => Ok(sizes),
        _ => Err(Error::value(
            c.name,
            format!("{key}: one size of at least 0, or {spatial} of them"),
            format!("{values:?}"),
        )),
    }
}
