//! Loops that hold a program: the body runs turn by turn on slices of the scanned values.

use super::{Gpu, run};
use crate::backend::interpret;
use crate::buffer::{Meta, Value};
use crate::error::{Error, Result};
use crate::ir::op::ScanOp;

/// Run a loop: the last carries, then the outputs stacked.
pub(super) fn scan(gpu: &Gpu, op: &ScanOp, inputs: &[Value]) -> Result<Vec<Value>> {
    if inputs.len() != op.body.inputs || inputs.len() < op.consts + op.carries {
        return Err(Error::bug("scan", format!("{} inputs, got {}", op.body.inputs, inputs.len())));
    }
    let (consts, rest) = inputs.split_at(op.consts);
    let (first, scanned) = rest.split_at(op.carries);
    let mut carries = first.to_vec();
    let stacked = |&id: &usize| {
        let meta = &op.body.metas[id];
        let shape: Vec<usize> = std::iter::once(op.length).chain(meta.shape.iter().copied()).collect();
        gpu.allocate("scan", &Meta::new(shape, meta.dtype))
    };
    let stacks = op.body.outputs[op.carries..].iter().map(stacked).collect::<Result<Vec<_>>>()?;
    for turn in 0..op.length {
        let place = if op.reverse { op.length - 1 - turn } else { turn };
        let now = scanned.iter().map(|value| run::slice(value, place));
        let arguments: Vec<Value> = consts.iter().cloned().chain(carries).chain(now).collect();
        carries = interpret(gpu, &op.body, &arguments)?;
        for (value, stack) in carries.drain(op.carries..).zip(&stacks) {
            run::copy(gpu, "scan", &value, &run::slice(stack, place))?;
        }
    }
    Ok(carries.into_iter().chain(stacks).collect())
}
