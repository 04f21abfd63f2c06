//! Derivatives of reductions and running folds.

use super::{InputGrads, Site};
use crate::buffer::Meta;
use crate::error::Result;
use crate::ir::build::Builder;
use crate::ir::infer::infer;
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, CompareOp, CumulateOp, Op, ReduceOp, ScanOp};
use crate::ir::program::Program;
use crate::shape::Shape;
use smallvec::smallvec;
use std::sync::Arc;

pub(super) fn reduce(op: ReduceOp, axes: &[usize], s: &Site<'_>) -> Result<InputGrads> {
    let (b, x) = (s.b, &s.inputs[0]);
    let spread = |e: &Edge| b.expand(&b.reshape(e, &x.shape().reduced(axes, true))?, x.shape());
    let grad = match op {
        ReduceOp::Any | ReduceOp::All => return Ok(smallvec![None]),
        ReduceOp::Sum => spread(s.g()?)?,
        ReduceOp::Max | ReduceOp::Min => {
            let hit = b.compare(CompareOp::Equal, x, &spread(&s.outputs[0])?)?;
            let ones = b.cast(&hit, x.dtype())?;
            let ties = b.reduce_spread(ReduceOp::Sum, &ones, axes)?;
            b.mul(&spread(s.g()?)?, &b.div(&ones, &ties)?)?
        }
        ReduceOp::Prod => {
            let others = product_of_others(b, x, axes)?;
            b.mul(&spread(s.g()?)?, &others)?
        }
    };
    Ok(smallvec![Some(grad)])
}

/// For each element the product of all others along `axes`, without a division, so zeros are no trouble.
fn product_of_others(b: &dyn Builder, x: &Edge, axes: &[usize]) -> Result<Edge> {
    let kept: Vec<usize> = (0..x.shape().len()).filter(|a| !axes.contains(a)).collect();
    let perm: Vec<usize> = kept.iter().chain(axes).copied().collect();
    let moved = b.permute(x, &perm)?;
    let rows: usize = kept.iter().map(|&a| x.shape()[a]).product();
    let cols: usize = axes.iter().map(|&a| x.shape()[a]).product();
    let flat = b.reshape(&moved, &[rows, cols].into())?;
    let before = exclusive_product(b, &flat, 1, false)?;
    let after = exclusive_product(b, &flat, 1, true)?;
    let others = b.reshape(&b.mul(&before, &after)?, moved.shape())?;
    let mut back = vec![0; perm.len()];
    for (to, &from) in perm.iter().enumerate() {
        back[from] = to;
    }
    b.permute(&others, &back)
}

/// Running product without the element itself.
fn exclusive_product(b: &dyn Builder, x: &Edge, axis: usize, reverse: bool) -> Result<Edge> {
    let size = x.shape()[axis];
    if size == 0 {
        return Ok(x.clone());
    }
    let start = usize::from(reverse);
    let rest = b.narrow(x, axis, start, size - 1)?;
    let product = b.one(Op::Cumulate { op: CumulateOp::Prod, axis, reverse }, &[rest])?;
    let op = Op::Fill { value: crate::dtype::Scalar::Float(1.0), shape: x.shape().with(axis, 1), dtype: x.dtype() };
    let one = b.source(op, x.node.device)?;
    let parts = if reverse { [product, one] } else { [one, product] };
    b.one(Op::Concat { axis }, &parts)
}

pub(super) fn cumulate(op: CumulateOp, axis: usize, reverse: bool, s: &Site<'_>) -> Result<InputGrads> {
    let (b, x, g) = (s.b, &s.inputs[0], s.g()?);
    let grad = match op {
        CumulateOp::Sum => b.one(Op::Cumulate { op, axis, reverse: !reverse }, std::slice::from_ref(g))?,
        CumulateOp::Prod if x.shape()[axis] == 0 => g.clone(),
        CumulateOp::Prod => {
            let before = exclusive_product(b, x, axis, reverse)?;
            b.mul(&before, &weighted_tail(b, x, g, axis, reverse)?)?
        }
    };
    Ok(smallvec![Some(grad)])
}

/// `t_j = g_j + x_{j+1} t_{j+1}`: what later products pass back to the running product at j. A loop, so zeros are no trouble.
fn weighted_tail(b: &dyn Builder, x: &Edge, g: &Edge, axis: usize, reverse: bool) -> Result<Edge> {
    let (size, rank) = (x.shape()[axis], x.shape().len());
    let op = Op::Fill { value: crate::dtype::Scalar::Float(0.0), shape: x.shape().with(axis, 1), dtype: x.dtype() };
    let zero = b.source(op, x.node.device)?;
    let shifted = if reverse {
        b.one(Op::Concat { axis }, &[zero, b.narrow(x, axis, 0, size - 1)?])?
    } else {
        b.one(Op::Concat { axis }, &[b.narrow(x, axis, 1, size - 1)?, zero])?
    };
    let mut perm: Vec<usize> = (0..rank).filter(|&a| a != axis).collect();
    perm.insert(0, axis);
    let (next, g) = (b.permute(&shifted, &perm)?, b.permute(g, &perm)?);
    let slice: Shape = next.shape()[1..].into();
    let op = Op::Fill { value: crate::dtype::Scalar::Float(0.0), shape: slice.clone(), dtype: x.dtype() };
    let start = b.source(op, x.node.device)?;
    let body = tail_body(&Meta::new(slice, x.dtype()))?;
    let scan = ScanOp { body: Arc::new(body), consts: 0, carries: 1, length: size, reverse: !reverse };
    let results = b.emit(Op::Scan(scan), &[start, next, g])?;
    let mut back: Vec<usize> = (1..=axis).collect();
    back.push(0);
    back.extend(axis + 1..rank);
    b.permute(&results[1], &back)
}

/// One turn: inputs carry, next factor, gradient; the new carry is also the output.
fn tail_body(meta: &Meta) -> Result<Program> {
    let mut body = Program::with_inputs([meta.clone(), meta.clone(), meta.clone()]);
    let mul = Op::Binary(BinaryOp::Mul);
    let metas = infer(&mul, &[meta.clone(), meta.clone()])?;
    let product = body.push(mul, smallvec![0, 1], &metas, None);
    let sum = body.push(Op::Binary(BinaryOp::Add), smallvec![product, 2], &metas, None);
    body.outputs = vec![sum, sum];
    Ok(body)
}
