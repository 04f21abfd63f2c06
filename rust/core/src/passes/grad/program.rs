//! The derivative of a whole program, itself a program.

use super::{InputGrads, Site, pull};
use crate::buffer::Meta;
use crate::error::Result;
use crate::ir::build::Builder;
use crate::ir::decompose::decompose;
use crate::ir::node::Edge;
use crate::ir::op::Composite;
use crate::ir::program::Program;
use crate::ir::sketch::Sketch;

/// The program that takes `program`'s inputs and the gradients of its floating outputs, and gives the gradients of its
/// floating inputs, in order.
pub fn derivative(program: &Program, device: crate::device::Device) -> Result<Program> {
    let sketch = Sketch(device);
    let inputs = sketch.inputs(&program.metas[..program.inputs]);
    let outputs = program.replay(&sketch, &inputs)?;
    differentiate(sketch, inputs, &outputs)
}

fn differentiate(sketch: Sketch, mut inputs: Vec<Edge>, outputs: &[Edge]) -> Result<Program> {
    let b: &dyn Builder = &sketch;
    let wanted: Vec<Edge> = inputs.iter().filter(|e| e.dtype().is_float()).cloned().collect();
    let floating: Vec<Edge> = outputs.iter().filter(|e| e.dtype().is_float()).cloned().collect();
    let metas: Vec<Meta> = floating.iter().map(|e| e.meta().clone()).collect();
    let grads = sketch.inputs(&metas);
    let seeds: Vec<(Edge, Edge)> = floating.into_iter().zip(grads.iter().cloned()).collect();
    let seeds: Vec<(Edge, Edge)> = seeds.into_iter().filter(|(e, _)| e.node.requires_grad).collect();
    let pulled = pull(b, &seeds, &wanted)?;
    let results: Vec<Edge> = pulled
        .targets
        .into_iter()
        .zip(&wanted)
        .map(|(grad, input)| grad.map_or_else(|| b.full_like(input, 0.0), Ok))
        .collect::<Result<_>>()?;
    inputs.extend(grads);
    Program::from_graph(&inputs, &results)
}

/// Differentiate a composite by differentiating what it stands for.
pub(super) fn through_decomposition(op: &Composite, s: &Site<'_>) -> Result<InputGrads> {
    let sketch = Sketch(s.inputs[0].node.device);
    let metas: Vec<Meta> = s.inputs.iter().map(|e| e.meta().clone()).collect();
    let inputs = sketch.inputs(&metas);
    let outputs = decompose(&sketch, op, &inputs)?;
    let program = differentiate(sketch, inputs, &outputs)?;
    let mut operands = s.inputs.to_vec();
    for (output, grad) in s.outputs.iter().zip(s.grads).filter(|(o, _)| o.dtype().is_float()) {
        operands.push(grad.clone().map_or_else(|| s.b.full_like(output, 0.0), Ok)?);
    }
    let mut results = program.replay(s.b, &operands)?.into_iter();
    Ok(s.inputs.iter().map(|e| if e.dtype().is_float() { results.next() } else { None }).collect())
}
