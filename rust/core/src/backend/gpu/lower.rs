//! One door to every kernel: an op and where its values lie, as dispatches.

use super::choices::Choices;
use super::kernels::epilogue::Epilogue;
use super::kernels::{conv, fused, index, map, movement, order, product, random, reduce, softmax, window};
use super::launch::{Guard, Lowered, Rule, View};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::op::{Composite, Op, PoolKind};
use std::sync::Arc;

/// Elements that a kernel can count.
const MOST: usize = i32::MAX as usize;

/// The dispatches of one op; none for loops, decompositions of matrices, and fused bodies that run op by op.
pub(super) fn lower(op: &Op, inputs: &[View], outputs: &[View], choices: &Choices) -> Result<Option<Lowered>> {
    for view in inputs.iter().chain(outputs) {
        supported(op.name(), view.dtype)?;
        if view.shape().numel() > MOST {
            let rule = "tensors of less than 2^31 elements on a GPU; split it, or compute on the CPU";
            return Err(Error::device(op.name(), rule, view.shape().to_string()));
        }
    }
    let lowered = match op {
        Op::Scan(_) | Op::Linalg(_) => None,
        Op::Fused(attributes) => fused::fused(attributes, inputs, outputs, choices)?,
        op => Some(kernels(op, inputs, outputs, choices)?),
    };
    let Some(mut lowered) = lowered else { return Ok(None) };
    lowered.guards = guards(op, inputs);
    // A dispatch without workgroups does nothing.
    lowered.launches.retain(|launch| !launch.groups.contains(&0));
    Ok(Some(lowered))
}

/// Refuse a dtype that GPUs lack.
pub(super) fn supported(op: &str, dtype: DType) -> Result<()> {
    if dtype == DType::F64 {
        let rule = "no float64 on a GPU, which has none; use float32, or compute on the CPU";
        return Err(Error::dtype(op, rule, "float64"));
    }
    Ok(())
}

/// What an op needs of its inputs.
pub(super) fn guards(op: &Op, inputs: &[View]) -> Vec<Guard> {
    let name = |name: &str| Arc::<str>::from(name);
    match (op, inputs) {
        (Op::Gather { axis }, [x, at]) if at.shape().numel() > 0 => {
            vec![Guard { input: 1, rule: Rule::Below(x.shape()[*axis]), name: name("take") }]
        }
        (Op::ScatterAdd { axis }, [base, at, _]) if at.shape().numel() > 0 => {
            vec![Guard { input: 1, rule: Rule::Below(base.shape()[*axis]), name: name("scatter_add") }]
        }
        (Op::CheckFinite { name }, [x]) if x.dtype.is_float() && x.shape().numel() > 0 => {
            vec![Guard { input: 0, rule: Rule::Finite, name: Arc::clone(name) }]
        }
        (Op::CheckIndex { name, size }, [x]) if x.shape().numel() > 0 => {
            vec![Guard { input: 0, rule: Rule::Below(*size), name: Arc::clone(name) }]
        }
        _ => Vec::new(),
    }
}

fn kernels(op: &Op, inputs: &[View], outputs: &[View], choices: &Choices) -> Result<Lowered> {
    let out = outputs.first().ok_or_else(|| Error::bug(op.name(), "no result"))?;
    let input = |place: usize| {
        inputs.get(place).ok_or_else(|| Error::bug(op.name(), format!("input {place} of {}", inputs.len())))
    };
    if outputs.iter().all(|out| out.shape().numel() == 0) {
        return Ok(Lowered::default());
    }
    Ok(match op {
        Op::Leaf
        | Op::Scan(_)
        | Op::Fused(_)
        | Op::Linalg(_)
        | Op::Composite(Composite::Attention { .. } | Composite::AttentionGrad { .. }) => {
            return Err(Error::bug(op.name(), "no kernel"));
        }
        Op::Fill { value, .. } => movement::fill(*value, out)?.into(),
        Op::Iota { .. } => movement::iota(out)?.into(),
        Op::Random { kind, .. } => random::random(*kind, input(0)?, out)?.into(),
        Op::Unary(_) | Op::Binary(_) | Op::Compare(_) | Op::Select | Op::Cast(_) => {
            map::elementwise(op, inputs, out)?.into()
        }
        Op::Reduce { op, axes } => reduce::reduce(*op, axes, input(0)?, out, choices.fold_threads)?,
        Op::ArgReduce { op, axis } => reduce::arg_reduce(*op, *axis, input(0)?, out)?.into(),
        Op::Cumulate { op, axis, reverse } => reduce::cumulate(*op, *axis, *reverse, input(0)?, out)?.into(),
        Op::View(view) => movement::view(view, input(0)?, out)?.into(),
        Op::Pad { low, interior, value, .. } => movement::pad(low, interior, *value, input(0)?, out)?.into(),
        Op::Concat { axis } => Lowered { apart: true, ..movement::concat(*axis, inputs, out)?.into() },
        Op::MatMul => product::matmul(input(0)?, input(1)?, Epilogue::Plain(out), choices)?,
        Op::Conv(attributes) => conv::conv(attributes, input(0)?, input(1)?, Epilogue::Plain(out), choices)?,
        Op::Gather { axis } => index::gather(*axis, input(0)?, input(1)?, out)?.into(),
        Op::ScatterAdd { axis } => index::scatter_add(*axis, input(0)?, input(1)?, input(2)?, out)?.into(),
        Op::Sort { axis, descending } => {
            let places = outputs.get(1).ok_or_else(|| Error::bug("sort", "one result of two"))?;
            order::sort(*axis, *descending, input(0)?, out, places)?
        }
        Op::Composite(Composite::LogSoftmax { axis }) => {
            softmax::log_softmax(*axis, input(0)?, out, choices.row_threads)?.into()
        }
        Op::Composite(Composite::LogSoftmaxGrad { axis }) => {
            softmax::log_softmax_grad(*axis, (input(0)?, input(1)?), out, choices.row_threads)?.into()
        }
        Op::Composite(Composite::Pool(pool)) => window::pool(pool, input(0)?, out)?.into(),
        Op::Composite(Composite::PoolGrad { pool, .. }) => match pool.kind {
            PoolKind::Max => window::max_grad(pool, input(0)?, input(1)?, out)?.into(),
            PoolKind::Sum => window::sum_grad(pool, input(0)?, out)?.into(),
        },
        Op::CheckFinite { .. } | Op::CheckIndex { .. } => {
            map::copy((super::launch::Slot::Input(0), input(0)?.clone()), (super::launch::Slot::Output(0), out))?.into()
        }
    })
}
