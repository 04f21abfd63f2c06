//! A closed, fixed-shape program: what passes rewrite, what plans are made of, what a Scan holds.

use crate::buffer::{Meta, Value};
use crate::error::{Error, Result};
use crate::ir::build::Builder;
use crate::ir::node::{Edge, Leaf, Node};
use crate::ir::op::Op;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::sync::Arc;

/// Number of a value inside one program.
pub type ValueId = usize;

/// One op of a program; its results are numbered from `first`.
#[derive(Clone, Debug)]
pub struct Instruction {
    /// What is computed.
    pub op: Op,
    /// Values it takes.
    pub inputs: SmallVec<[ValueId; 2]>,
    /// Number of its first result.
    pub first: ValueId,
    /// Number of results.
    pub results: usize,
    /// File and line of the user's call.
    pub origin: Option<Arc<str>>,
    /// No gradient passes: it was recorded detached, without a tape, or from nothing that has gradients.
    pub frozen: bool,
}

/// Instructions in an order in which they can run.
///
/// Values are numbered inputs first, then constants, then results.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Shape and dtype of every value.
    pub metas: Vec<Meta>,
    /// Number of inputs.
    pub inputs: usize,
    /// Values fixed when the program was made.
    pub constants: Vec<Value>,
    /// The ops.
    pub instructions: Vec<Instruction>,
    /// Values that leave the program.
    pub outputs: Vec<ValueId>,
}

impl Program {
    /// A program with these inputs and no instructions.
    pub fn with_inputs(inputs: impl IntoIterator<Item = Meta>) -> Self {
        let metas: Vec<Meta> = inputs.into_iter().collect();
        Self { inputs: metas.len(), metas, ..Self::default() }
    }

    /// Append a constant; only before the first instruction.
    pub fn constant(&mut self, value: Value) -> ValueId {
        debug_assert!(self.instructions.is_empty());
        self.metas.push(value.meta());
        self.constants.push(value);
        self.metas.len() - 1
    }

    /// Append an instruction through which gradients pass, and give the number of its first result.
    pub fn push(
        &mut self,
        op: Op,
        inputs: SmallVec<[ValueId; 2]>,
        metas: &[Meta],
        origin: Option<Arc<str>>,
    ) -> ValueId {
        let first = self.metas.len();
        self.metas.extend_from_slice(metas);
        self.instructions.push(Instruction { op, inputs, first, results: metas.len(), origin, frozen: false });
        first
    }

    /// Flatten the graph between `inputs` (leaf edges, in order) and `outputs`.
    ///
    /// Only what the outputs need is taken. A leaf that is neither an input nor a value is an error.
    pub fn from_graph(inputs: &[Edge], outputs: &[Edge]) -> Result<Self> {
        let order = reachable(inputs, outputs);
        let mut program = Self::with_inputs(inputs.iter().map(|e| e.meta().clone()));
        let mut number: HashMap<u64, ValueId> = inputs.iter().enumerate().map(|(i, e)| (e.node.id, i)).collect();
        for node in &order {
            match &node.leaf {
                Some(Leaf::Value(value)) => {
                    number.insert(node.id, program.constant(value.clone()));
                }
                Some(Leaf::Variable(_) | Leaf::Input(_)) => {
                    return Err(Error::bug("program", format!("leaf {} is no input of its program", node.id)));
                }
                None => {}
            }
        }
        let place = |number: &HashMap<u64, ValueId>, edge: &Edge| number[&edge.node.id] + edge.port;
        for node in order.iter().filter(|n| n.leaf.is_none()) {
            let operands = node.inputs().iter().map(|e| place(&number, e)).collect();
            let first = program.push(node.op.clone(), operands, &node.metas, node.origin.clone());
            if let Some(instruction) = program.instructions.last_mut() {
                instruction.frozen = !node.requires_grad;
            }
            number.insert(node.id, first);
        }
        program.outputs = outputs.iter().map(|e| place(&number, e)).collect();
        Ok(program)
    }

    /// Apply the program to edges through a builder, op by op.
    pub fn replay(&self, builder: &dyn Builder, inputs: &[Edge]) -> Result<Vec<Edge>> {
        let mut edges: Vec<Edge> = inputs.to_vec();
        for constant in &self.constants {
            edges.push(builder.constant(constant.clone())?);
        }
        for instruction in &self.instructions {
            let operands: SmallVec<[Edge; 2]> = instruction.inputs.iter().map(|&i| edges[i].clone()).collect();
            let op = instruction.op.clone();
            let results =
                if instruction.frozen { builder.emit_frozen(op, &operands)? } else { builder.emit(op, &operands)? };
            edges.extend(results);
        }
        Ok(self.outputs.iter().map(|&i| edges[i].clone()).collect())
    }

    /// Index of the first value that an instruction makes.
    pub fn first_result(&self) -> ValueId {
        self.inputs + self.constants.len()
    }
}

/// Nodes that the outputs need, inputs first, not walking past `inputs`.
fn reachable(inputs: &[Edge], outputs: &[Edge]) -> Vec<Arc<Node>> {
    let mut seen: HashMap<u64, Arc<Node>> = HashMap::new();
    let stop: std::collections::HashSet<u64> = inputs.iter().map(|e| e.node.id).collect();
    let mut pending: Vec<Arc<Node>> = outputs.iter().map(|e| Arc::clone(&e.node)).collect();
    while let Some(node) = pending.pop() {
        if stop.contains(&node.id) || seen.contains_key(&node.id) {
            continue;
        }
        pending.extend(node.inputs().into_iter().map(|e| e.node));
        seen.insert(node.id, node);
    }
    let mut order: Vec<Arc<Node>> = seen.into_values().collect();
    order.sort_unstable_by_key(|n| n.id);
    order
}
