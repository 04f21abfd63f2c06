//! Ops that hold other ops: loops run their body turn by turn, composites run their decomposition.

use super::dense::Dense;
use super::{REFERENCE, evaluate};
use crate::backend::{Backend, locate};
use crate::buffer::{Meta, Value};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::ir::build::Builder;
use crate::ir::decompose::decompose;
use crate::ir::node::{Edge, Edges, Leaf, Node};
use crate::ir::op::{Composite, Op, ScanOp};
use crate::ir::program::Program;

pub(super) fn scan(op: &ScanOp, inputs: &[&Dense], metas: &[Meta]) -> Result<Vec<Dense>> {
    let (consts, rest) = inputs.split_at(op.consts);
    let (carries, scanned) = rest.split_at(op.carries);
    let mut carries: Vec<Dense> = carries.iter().map(|&x| x.clone()).collect();
    let mut slices: Vec<Vec<Dense>> = vec![Vec::new(); metas.len() - op.carries];
    for turn in 0..op.length {
        let place = if op.reverse { op.length - 1 - turn } else { turn };
        let now: Vec<Dense> = scanned.iter().map(|x| slice(x, place)).collect();
        let arguments: Vec<&Dense> = consts.iter().copied().chain(&carries).chain(&now).collect();
        let mut results = program(&op.body, &arguments)?;
        for (stack, result) in slices.iter_mut().zip(results.split_off(op.carries)) {
            stack.push(result);
        }
        carries = results;
    }
    for (mut stack, meta) in slices.into_iter().zip(&metas[op.carries..]) {
        if op.reverse {
            stack.reverse();
        }
        let data = stack.into_iter().flat_map(|x| x.data).collect();
        carries.push(Dense { meta: meta.clone(), data });
    }
    Ok(carries)
}

/// Slice `place` of the leading axis.
fn slice(x: &Dense, place: usize) -> Dense {
    let meta = Meta::new(&x.meta.shape[1..], x.meta.dtype);
    let size = meta.shape.numel();
    Dense { meta, data: x.data[place * size..][..size].to_vec() }
}

/// Run a program op by op.
pub(super) fn program(program: &Program, inputs: &[&Dense]) -> Result<Vec<Dense>> {
    let mut values: Vec<Dense> = inputs.iter().map(|&x| x.clone()).collect();
    for constant in &program.constants {
        values.push(Dense::of("scan", constant)?);
    }
    for instruction in &program.instructions {
        let operands: Vec<&Dense> = instruction.inputs.iter().map(|&i| &values[i]).collect();
        let results = evaluate(&instruction.op, &operands).map_err(|e| locate(e, instruction.origin.as_deref()))?;
        values.extend(results);
    }
    Ok(program.outputs.iter().map(|&i| values[i].clone()).collect())
}

/// A composite means what its decomposition means.
pub(super) fn composite(op: &Composite, inputs: &[&Dense]) -> Result<Vec<Dense>> {
    let edges: Vec<Edge> = inputs.iter().map(|x| edge(x.encode())).collect();
    let name = Op::Composite(op.clone()).name();
    decompose(&AtOnce, op, &edges)?.iter().map(|edge| Dense::of(name, value(edge)?)).collect()
}

/// Runs what it is asked to build.
struct AtOnce;

impl Builder for AtOnce {
    fn emit(&self, op: Op, inputs: &[Edge]) -> Result<Edges> {
        let values = inputs.iter().map(|input| value(input).cloned()).collect::<Result<Vec<_>>>()?;
        Ok(REFERENCE.run_op(&op, &values)?.into_iter().map(edge).collect())
    }

    fn emit_frozen(&self, op: Op, inputs: &[Edge]) -> Result<Edges> {
        self.emit(op, inputs)
    }

    fn constant(&self, value: Value) -> Result<Edge> {
        Ok(edge(value))
    }

    fn source(&self, op: Op, _device: Device) -> Result<Edge> {
        let result = REFERENCE.run_op(&op, &[])?.into_iter().next();
        result.map(edge).ok_or_else(|| Error::bug(op.name(), "an op without a result"))
    }
}

fn edge(value: Value) -> Edge {
    let leaf = Leaf::Value(value.clone());
    Edge { node: Node::leaf(leaf, value.meta(), Device::Reference, None, 0), port: 0, value: Some(value) }
}

fn value(edge: &Edge) -> Result<&Value> {
    edge.value.as_ref().ok_or_else(|| Error::bug("composite", "an edge without a value"))
}
