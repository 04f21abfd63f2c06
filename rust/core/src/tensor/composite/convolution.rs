//! Convolution layers in one to three spatial dimensions.

use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{ConvOp, Op};
use crate::passes::grad::swap_channels;
use crate::shape::Shape;
use crate::tensor::args::Call;
use crate::tensor::face::face;

/// Input `[N, C, ...]` (or without N), weight `[O, C / groups, ...]`, bias `[O]`; strides, padding and dilation per axis.
pub fn conv(c: &Call<'_>) -> Result<Edge> {
    let (x, weight) = (c.edge(0)?, c.edge(1)?);
    let spatial = weight.shape().len().saturating_sub(2);
    let padding = per_axis(c, "padding", 0, spatial)?;
    let low: Vec<isize> = padding.iter().map(|&p| p as isize).collect();
    let op = ConvOp {
        strides: per_axis(c, "stride", 1, spatial)?,
        high: low.clone(),
        low,
        input_dilation: vec![1; spatial],
        kernel_dilation: per_axis(c, "dilation", 1, spatial)?,
        groups: groups(c)?,
        batch_groups: 1,
    };
    apply(c, op, &x, weight)
}

/// The map whose transpose is a convolution with this weight `[C, O / groups, ...]`: the gradient of its input.
///
/// Source: Dumoulin and Visin 2016, section 4.
pub fn conv_transpose(c: &Call<'_>) -> Result<Edge> {
    let b = face();
    let (x, weight) = (c.edge(0)?, c.edge(1)?);
    let spatial = weight.shape().len().saturating_sub(2);
    let (strides, dilation) = (per_axis(c, "stride", 1, spatial)?, per_axis(c, "dilation", 1, spatial)?);
    let (padding, extra) = (per_axis(c, "padding", 0, spatial)?, per_axis(c, "output_padding", 0, spatial)?);
    let groups = groups(c)?;
    if spatial == 0 || groups == 0 || !weight.shape()[0].is_multiple_of(groups) {
        let rule = format!("a weight [in, out / groups, kernel...] with in a multiple of groups (groups={groups})");
        return Err(Error::shape(c.name, rule, weight.shape().to_string()));
    }
    if let Some(axis) = (0..spatial).find(|&a| extra[a] >= strides[a].max(dilation[a])) {
        let rule = "output_padding below the stride or the dilation: more names no place of a window";
        return Err(Error::value(c.name, rule, format!("{} on spatial axis {axis}", extra[axis])));
    }
    let reach = |axis: usize| (dilation[axis] * (weight.shape()[axis + 2].max(1) - 1)) as isize;
    let low: Vec<isize> = (0..spatial).map(|a| reach(a) - padding[a] as isize).collect();
    let op = ConvOp {
        strides: vec![1; spatial],
        high: low.iter().zip(&extra).map(|(&low, &extra)| low + extra as isize).collect(),
        low,
        input_dilation: strides,
        kernel_dilation: dilation,
        groups,
        batch_groups: 1,
    };
    let flipped = b.flip(&weight, &(2..spatial + 2).collect::<Vec<_>>())?;
    apply(c, op, &x, swap_channels(b, &flipped, groups)?)
}

fn groups(c: &Call<'_>) -> Result<usize> {
    Ok(usize::try_from(c.int("groups", 1)?).unwrap_or(0))
}

/// Convolve, with or without a batch, and add the bias, argument 2.
fn apply(c: &Call<'_>, op: ConvOp, x: &Edge, kernel: Edge) -> Result<Edge> {
    let b = face();
    let spatial = kernel.shape().len().saturating_sub(2);
    let outputs = kernel.shape().first().copied();
    let batched = x.shape().len() == spatial + 2;
    let shape: Shape = if batched { x.shape().clone() } else { [&[1], &x.shape()[..]].concat().into() };
    let mut y = b.one(Op::Conv(op), &[b.reshape(x, &shape)?, kernel])?;
    if let Some(bias) = c.maybe_edge(2)? {
        if bias.shape().len() != 1 || bias.shape().first().copied() != outputs {
            let rule = format!("a bias of shape ({},)", outputs.unwrap_or(0));
            return Err(Error::shape(c.name, rule, bias.shape().to_string()));
        }
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
