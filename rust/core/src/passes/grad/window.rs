//! Derivatives of products, attention, pools and convolutions; a convolution's are convolutions again.

use super::{InputGrads, Site};
use crate::error::Result;
use crate::ir::build::Builder;
use crate::ir::infer_window::dilated;
use crate::ir::node::Edge;
use crate::ir::op::{Composite, ConvOp, Op, PoolKind, PoolOp, ReduceOp};
use crate::shape::Shape;
use smallvec::smallvec;

/// `dA = G B^T`, `dB = A^T G`.
pub(super) fn matmul(s: &Site<'_>) -> Result<InputGrads> {
    let (b, g) = (s.b, s.g()?);
    let left = s.wants(0).then(|| b.matmul(g, &b.transpose(&s.inputs[1])?)).transpose()?;
    let right = s.wants(1).then(|| b.matmul(&b.transpose(&s.inputs[0])?, g)).transpose()?;
    Ok(smallvec![left, right])
}

pub(super) fn conv(op: &ConvOp, s: &Site<'_>) -> Result<InputGrads> {
    let (b, g, x, w) = (s.b, s.g()?, &s.inputs[0], &s.inputs[1]);
    let input = s.wants(0).then(|| input_grad(b, op, g, x.shape(), w)).transpose()?;
    let kernel = s.wants(1).then(|| kernel_grad(b, op, g, x, w.shape())).transpose()?;
    Ok(smallvec![input, kernel])
}

/// The backward twin. What each score shares with all of its query is a sum over the result.
pub(super) fn attention(causal: bool, s: &Site<'_>) -> Result<InputGrads> {
    let (b, out) = (s.b, &s.outputs[0]);
    let g = s.grads[0].clone().map_or_else(|| b.full_like(out, 0.0), Ok)?;
    let product = b.reduce(ReduceOp::Sum, &b.mul(&g, out)?, &[out.shape().len() - 1])?;
    let shared = match &s.grads[1] {
        Some(log) => b.sub(&product, log)?,
        None => product,
    };
    let operands = s.inputs.iter().cloned().chain([s.outputs[1].clone(), g, shared]).collect::<Vec<_>>();
    let twin = Op::Composite(Composite::AttentionGrad { causal });
    Ok(b.emit(twin, &operands)?.into_iter().map(Some).collect())
}

/// The backward twin; maxima need the input to find which element was the first.
pub(super) fn pool(op: &PoolOp, s: &Site<'_>) -> Result<InputGrads> {
    let x = &s.inputs[0];
    let sizes = x.shape()[x.shape().len() - op.window.len()..].to_vec();
    let mut operands = vec![s.g()?.clone()];
    if op.kind == PoolKind::Max {
        operands.push(x.clone());
    }
    let twin = Op::Composite(Composite::PoolGrad { pool: op.clone(), sizes });
    Ok(smallvec![Some(s.b.one(twin, &operands)?)])
}

/// Gradient of the input: the output gradient, spread by the strides, meets the flipped kernel with its channels swapped.
fn input_grad(b: &dyn Builder, op: &ConvOp, g: &Edge, input: &Shape, w: &Edge) -> Result<Edge> {
    let groups = op.groups.max(op.batch_groups);
    let flipped = b.flip(w, &(2..input.len()).collect::<Vec<_>>())?;
    let kernel = swap_channels(b, &flipped, groups)?;
    let (mut low, mut high) = (vec![], vec![]);
    for axis in 0..op.strides.len() {
        let window = dilated(w.shape()[axis + 2], op.kernel_dilation[axis]) as isize;
        let spread = dilated(g.shape()[axis + 2], op.strides[axis]) as isize;
        let padded = dilated(input[axis + 2], op.input_dilation[axis]) as isize;
        low.push(window - 1 - op.low[axis]);
        high.push(padded + window - 1 - spread - low[axis]);
    }
    let back = ConvOp {
        strides: op.input_dilation.clone(),
        low,
        high,
        input_dilation: op.strides.clone(),
        kernel_dilation: op.kernel_dilation.clone(),
        groups,
        batch_groups: 1,
    };
    let grad = b.one(Op::Conv(back), &[g.clone(), kernel])?;
    if op.batch_groups == 1 {
        return Ok(grad);
    }
    // Channels hold one block per batch group; those blocks are slices of the batch.
    let (n, c) = (grad.shape()[0], grad.shape()[1]);
    let split: Shape = [n, groups, c / groups].into_iter().chain(grad.shape()[2..].iter().copied()).collect();
    let mut perm: Vec<usize> = (0..split.len()).collect();
    perm.swap(0, 1);
    b.reshape(&b.permute(&b.reshape(&grad, &split)?, &perm)?, input)
}

/// Gradient of the kernel: the input meets the output gradient, batch and channels swapped.
fn kernel_grad(b: &dyn Builder, op: &ConvOp, g: &Edge, x: &Edge, kernel: &Shape) -> Result<Edge> {
    let mut perm: Vec<usize> = (0..kernel.len()).collect();
    perm.swap(0, 1);
    let (image, window) = (b.permute(x, &perm)?, b.permute(g, &perm)?);
    let (mut low, mut high) = (vec![], vec![]);
    for axis in 0..op.strides.len() {
        let reach = dilated(g.shape()[axis + 2], op.strides[axis]) as isize;
        let padded = dilated(x.shape()[axis + 2], op.input_dilation[axis]) as isize;
        let taken = dilated(kernel[axis + 2], op.kernel_dilation[axis]) as isize;
        low.push(op.low[axis]);
        high.push(reach + taken - 1 - padded - op.low[axis]);
    }
    let back = ConvOp {
        strides: op.kernel_dilation.clone(),
        low,
        high,
        input_dilation: op.input_dilation.clone(),
        kernel_dilation: op.strides.clone(),
        groups: op.batch_groups,
        batch_groups: op.groups,
    };
    let grad = b.one(Op::Conv(back), &[image, window])?;
    b.permute(&grad, &perm)
}

/// `[g * O, I, ...]` to `[g * I, O, ...]`.
pub fn swap_channels(b: &dyn Builder, w: &Edge, groups: usize) -> Result<Edge> {
    let (o, i) = (w.shape()[0] / groups, w.shape()[1]);
    let rest = &w.shape()[2..];
    let split: Shape = [groups, o, i].into_iter().chain(rest.iter().copied()).collect();
    let mut perm: Vec<usize> = (0..split.len()).collect();
    perm.swap(1, 2);
    let merged: Shape = [groups * i, o].into_iter().chain(rest.iter().copied()).collect();
    b.reshape(&b.permute(&b.reshape(w, &split)?, &perm)?, &merged)
}
