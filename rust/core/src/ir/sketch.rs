//! A builder that draws nodes without running them: how programs are differentiated and rewritten as graphs.

use crate::buffer::{Meta, Value};
use crate::device::Device;
use crate::error::Result;
use crate::ir::build::Builder;
use crate::ir::infer::infer;
use crate::ir::node::{Edge, Edges, Leaf, Node, NodeParts, Tape};
use crate::ir::op::Op;
use smallvec::SmallVec;

/// Draws nodes for one device.
#[derive(Clone, Copy, Debug)]
pub struct Sketch(pub Device);

impl Sketch {
    /// The inputs of a program; floating ones are differentiable.
    pub fn inputs(self, metas: &[Meta]) -> Vec<Edge> {
        let leaf = |(place, meta): (usize, &Meta)| {
            let parts = NodeParts {
                op: Op::Leaf,
                metas: SmallVec::from_iter([meta.clone()]),
                device: self.0,
                requires_grad: meta.dtype.is_float(),
                sink: None,
                leaf: Some(Leaf::Input(place)),
                recording: 0,
                origin: None,
            };
            Edge { node: Node::new(parts, None), port: 0, value: None }
        };
        metas.iter().enumerate().map(leaf).collect()
    }

    fn draw(self, op: Op, inputs: &[Edge], differentiable: bool) -> Result<Edges> {
        let metas: SmallVec<[Meta; 4]> = inputs.iter().map(|e| e.meta().clone()).collect();
        let metas = infer(&op, &metas)?;
        let requires_grad = differentiable && metas.iter().any(|m| m.dtype.is_float());
        let tape = Tape { inputs: inputs.into(), outputs: SmallVec::new() };
        let parts =
            NodeParts { op, metas, device: self.0, requires_grad, sink: None, leaf: None, recording: 0, origin: None };
        Ok(Node::new(parts, Some(tape)).outputs())
    }
}

impl Builder for Sketch {
    fn emit(&self, op: Op, inputs: &[Edge]) -> Result<Edges> {
        self.draw(op, inputs, inputs.iter().any(|e| e.node.requires_grad))
    }

    fn emit_frozen(&self, op: Op, inputs: &[Edge]) -> Result<Edges> {
        self.draw(op, inputs, false)
    }

    fn constant(&self, value: Value) -> Result<Edge> {
        let meta = value.meta();
        let node = Node::leaf(Leaf::Value(value.clone()), meta, self.0, None, 0);
        Ok(Edge { node, port: 0, value: Some(value) })
    }

    fn source(&self, op: Op, _: Device) -> Result<Edge> {
        let builder: &dyn Builder = self;
        builder.one(op, &[])
    }
}
