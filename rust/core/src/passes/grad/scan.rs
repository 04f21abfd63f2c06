//! The derivative of a loop: the same loop again with its carries written down, then a loop the other way.

use super::{InputGrads, Site, derivative};
use crate::buffer::Meta;
use crate::error::Result;
use crate::ir::node::Edge;
use crate::ir::op::{Op, ScanOp};
use crate::ir::program::Program;
use std::sync::Arc;

/// Walk back: carries are the gradients of the floating consts and carries; each turn runs the body's derivative.
pub(super) fn scan(op: &ScanOp, s: &Site<'_>) -> Result<InputGrads> {
    let body = &*op.body;
    let is_float = |i: &usize| body.metas[*i].dtype.is_float();
    let fixed = op.consts + op.carries;
    let consts: Vec<usize> = (0..op.consts).filter(is_float).collect();
    let carries: Vec<usize> = (op.consts..fixed).filter(is_float).collect();
    let scanned: Vec<usize> = (fixed..body.inputs).filter(is_float).collect();
    let trajectory = carries_before_each_turn(op, s)?;

    // Gradients of outputs: those of the last carries start the walk, those of stacked outputs are scanned.
    let grad_of = |place: usize| {
        let output = &s.outputs[place];
        s.grads[place].clone().map_or_else(|| s.b.full_like(output, 0.0), Ok)
    };
    let stacked: Vec<usize> = (op.carries..body.outputs.len()).filter(|&o| is_float(&body.outputs[o])).collect();
    let mut inputs: Vec<Edge> = s.inputs[..op.consts].to_vec();
    for &i in &consts {
        inputs.push(s.b.full_like(&s.inputs[i], 0.0)?);
    }
    for &i in &carries {
        inputs.push(grad_of(i - op.consts)?);
    }
    inputs.extend(trajectory);
    inputs.extend_from_slice(&s.inputs[fixed..]);
    for &o in &stacked {
        inputs.push(grad_of(o)?);
    }

    let turn = backward_turn(op, s, &consts, &carries, &scanned, &stacked)?;
    let back = ScanOp {
        body: Arc::new(turn),
        consts: op.consts,
        carries: consts.len() + carries.len(),
        length: op.length,
        reverse: !op.reverse,
    };
    let mut results = s.b.emit(Op::Scan(back), &inputs)?.into_iter();
    let order: Vec<usize> = consts.into_iter().chain(carries).chain(scanned).collect();
    let mut grads: InputGrads = std::iter::repeat_n(None, s.inputs.len()).collect();
    for place in order {
        grads[place] = results.next();
    }
    Ok(grads)
}

/// Run the loop again with each turn's incoming carries as stacked outputs.
fn carries_before_each_turn(op: &ScanOp, s: &Site<'_>) -> Result<Vec<Edge>> {
    if op.carries == 0 {
        return Ok(vec![]);
    }
    let mut body = (*op.body).clone();
    body.outputs.truncate(op.carries);
    body.outputs.extend(op.consts..op.consts + op.carries);
    let again = ScanOp { body: Arc::new(body), ..op.clone() };
    let results = s.b.emit(Op::Scan(again), s.inputs)?;
    Ok(results[op.carries..].to_vec())
}

/// One turn back. Inputs: consts, gradients of floating consts so far, gradients of floating carries, carries, slices,
/// gradients of stacked floating outputs. Outputs: both gradients anew, then gradients of floating slices.
fn backward_turn(
    op: &ScanOp,
    s: &Site<'_>,
    consts: &[usize],
    carries: &[usize],
    scanned: &[usize],
    stacked: &[usize],
) -> Result<Program> {
    use crate::ir::build::Builder;
    use crate::ir::sketch::Sketch;
    let body = &*op.body;
    let sketch = Sketch(s.inputs[0].node.device);
    let pulled_back = derivative(body, sketch.0)?;
    let metas: Vec<Meta> = (0..op.consts)
        .chain(consts.iter().copied())
        .chain(carries.iter().copied())
        .chain(op.consts..body.inputs)
        .map(|i| body.metas[i].clone())
        .chain(stacked.iter().map(|&o| body.metas[body.outputs[o]].clone()))
        .collect();
    let inputs = sketch.inputs(&metas);
    let (held, rest) = inputs.split_at(op.consts);
    let (const_grads, rest) = rest.split_at(consts.len());
    let (carry_grads, rest) = rest.split_at(carries.len());
    let (values, stacked_grads) = rest.split_at(body.inputs - op.consts);
    let operands: Vec<Edge> = held.iter().chain(values).chain(carry_grads).chain(stacked_grads).cloned().collect();
    let mut grads = pulled_back.replay(&sketch, &operands)?.into_iter();
    let b: &dyn Builder = &sketch;
    let mut outputs = Vec::new();
    for so_far in const_grads {
        let grad = grads.next().unwrap_or_else(|| so_far.clone());
        outputs.push(b.add(so_far, &grad)?);
    }
    outputs.extend(grads.take(carries.len() + scanned.len()));
    Program::from_graph(&inputs, &outputs)
}
