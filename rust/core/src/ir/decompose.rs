//! The meaning of each composite, as primitives: what the reference backend runs and second derivatives go through.

use crate::buffer::Meta;
use crate::device::Device;
use crate::error::Result;
use crate::ir::build::Builder;
use crate::ir::decompose_attention::{attention, attention_grad};
use crate::ir::decompose_pool::{max_pool_grad, pool, sum_pool_grad};
use crate::ir::node::Edge;
use crate::ir::op::{Composite, PoolKind, ReduceOp, UnaryOp};
use crate::ir::program::Program;
use crate::ir::sketch::Sketch;
use smallvec::{SmallVec, smallvec};

/// The program that a composite stands for, on operands like these.
pub fn meaning(op: &Composite, operands: &[Meta]) -> Result<Program> {
    let sketch = Sketch(Device::default());
    let edges = sketch.inputs(operands);
    Program::from_graph(&edges, &decompose(&sketch, op, &edges)?)
}

/// Write a composite as primitives.
pub fn decompose(b: &dyn Builder, op: &Composite, inputs: &[Edge]) -> Result<SmallVec<[Edge; 1]>> {
    match op {
        Composite::LogSoftmax { axis } => Ok(smallvec![log_softmax(b, &inputs[0], *axis)?]),
        Composite::LogSoftmaxGrad { axis } => Ok(smallvec![log_softmax_grad(b, &inputs[0], &inputs[1], *axis)?]),
        Composite::Attention { causal } => Ok(attention(b, *causal, inputs)?.into_iter().collect()),
        Composite::AttentionGrad { causal } => Ok(attention_grad(b, *causal, inputs)?.into_iter().collect()),
        Composite::Pool(attributes) => Ok(smallvec![pool(b, attributes, &inputs[0])?]),
        Composite::PoolGrad { pool, sizes } => Ok(smallvec![match pool.kind {
            PoolKind::Max => max_pool_grad(b, pool, &inputs[0], &inputs[1])?,
            PoolKind::Sum => sum_pool_grad(b, pool, sizes, &inputs[0])?,
        }]),
    }
}

/// `x - m - log(sum(exp(x - m)))` with `m = max(x)`, which keeps every exponential at most 1.
fn log_softmax(b: &dyn Builder, x: &Edge, axis: usize) -> Result<Edge> {
    if x.shape()[axis] == 0 {
        return Ok(x.clone());
    }
    let max = b.reduce_spread(ReduceOp::Max, x, &[axis])?;
    let centred = b.sub(x, &max)?;
    let exp = b.unary(UnaryOp::Exp, &centred)?;
    let total = b.reduce_keep(ReduceOp::Sum, &exp, &[axis])?;
    let log = b.unary(UnaryOp::Log, &total)?;
    let log = b.expand(&log, x.shape())?;
    b.sub(&centred, &log)
}

/// `g - exp(y) * sum(g)`.
fn log_softmax_grad(b: &dyn Builder, y: &Edge, g: &Edge, axis: usize) -> Result<Edge> {
    let total = b.reduce_spread(ReduceOp::Sum, g, &[axis])?;
    let softmax = b.unary(UnaryOp::Exp, y)?;
    let share = b.mul(&softmax, &total)?;
    b.sub(g, &share)
}
