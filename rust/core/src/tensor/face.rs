//! The builder behind every tensor call: runs an op at once, or records it.

use crate::backend;
use crate::buffer::{Meta, Value};
use crate::device::Device;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::ir::build::Builder;
use crate::ir::infer::infer;
use crate::ir::node::{Edge, Edges, Leaf, Node, NodeParts, Tape};
use crate::ir::op::Op;
use crate::ir::view::view_layout;
use crate::layout::Layout;
use crate::passes::grad::{reads, require_derivative};
use crate::shape::Shape;
use crate::tensor::{counters, loops, mode};
use smallvec::SmallVec;
use std::sync::Arc;

/// Runs or records, as the thread's mode says.
#[derive(Clone, Copy, Debug)]
pub struct Face;

/// The one instance, as a builder.
pub fn face() -> &'static dyn Builder {
    &Face
}

impl Builder for Face {
    fn emit(&self, op: Op, inputs: &[Edge]) -> Result<Edges> {
        let device = one_device(&op, inputs)?;
        if mode::recording() == 0 { run(op, inputs, device) } else { record(op, inputs, device) }
    }

    fn emit_frozen(&self, op: Op, inputs: &[Edge]) -> Result<Edges> {
        mode::with_grad(false, || self.emit(op, inputs))
    }

    fn constant(&self, value: Value) -> Result<Edge> {
        Ok(leaf(value))
    }

    fn source(&self, op: Op, device: Device) -> Result<Edge> {
        let name = op.name();
        let edges = if mode::recording() == 0 { run_source(&op, device) } else { record(op, &[], device) };
        edges?.into_iter().next().ok_or_else(|| Error::bug(name, "an op without a result"))
    }
}

/// An edge that holds user data; inside a recording, a constant of it.
pub fn leaf(value: Value) -> Edge {
    let (meta, device) = (value.meta(), value.device());
    let node = Node::leaf(Leaf::Value(value.clone()), meta, device, None, mode::recording());
    Edge { node, port: 0, value: Some(value) }
}

/// A number in every place of a shape; outside recordings a view of one element.
pub fn everywhere(value: Scalar, shape: &Shape, dtype: DType, device: Device) -> Result<Edge> {
    let op = Op::Fill { value, shape: Shape::scalar(), dtype };
    if mode::recording() != 0 {
        return face().expand(&face().source(op, device)?, shape);
    }
    let one = backend::of(device).run_op(&op, &[])?.remove(0);
    Ok(leaf(one.with_layout(one.layout.expand(shape))))
}

fn one_device(op: &Op, inputs: &[Edge]) -> Result<Device> {
    let Some(first) = inputs.first() else { return Ok(Device::Cpu) };
    let device = first.node.device;
    match inputs.iter().find(|e| e.node.device != device) {
        None => Ok(device),
        Some(other) => Err(Error::device(
            op.name(),
            "tensors of one device; move one with to(device)",
            format!("{device} and {}", other.node.device),
        )),
    }
}

/// The value of an edge, or why it has none.
pub fn value_of(op: &str, edge: &Edge) -> Result<Value> {
    edge.value.clone().ok_or_else(|| no_value(op, edge))
}

/// Why an edge has no value here.
pub fn no_value(op: &str, edge: &Edge) -> Error {
    if edge.node.recording == 0 {
        return Error::bug(op, format!("the value of a result of {} was dropped", edge.node.op.name()));
    }
    let origin = edge.node.origin.as_deref().map_or(String::new(), |o| format!(" recorded at {o}"));
    let rule = if edge.node.recording == mode::recording() {
        "a tensor with a value; inside a compiled function values exist only when the step runs, so return the tensor \
         and read it outside"
    } else {
        "a tensor with a value; return it from the compiled function instead of keeping it"
    };
    Error::graph(op, rule, format!("a recorded result of {}{origin}", edge.node.op.name()))
}

fn run(op: Op, inputs: &[Edge], device: Device) -> Result<Edges> {
    counters::add(&counters::EAGER_OPS, 1);
    let mut values: SmallVec<[Value; 3]> = SmallVec::new();
    for edge in inputs {
        values.push(value_of(op.name(), edge)?);
    }
    let taped = mode::grad_enabled() && inputs.iter().any(|e| e.node.requires_grad);
    let results: SmallVec<[Value; 1]> = match view_of(&op, &values)? {
        Some(layout) => SmallVec::from_iter([values[0].with_layout(layout)]),
        None => match &op {
            Op::Scan(scan) if device == Device::Cpu => loops::run(scan, &values)?,
            op => backend::of(device).run_op(op, &values)?,
        },
    };
    let metas: SmallVec<[Meta; 1]> = results.iter().map(Value::meta).collect();
    let taped = taped && metas.iter().any(|m| m.dtype.is_float());
    let tape = if taped { Some(tape(&op, inputs, &results)?) } else { None };
    let leaf = (!taped && results.len() == 1).then(|| Leaf::Value(results[0].clone()));
    let op = if leaf.is_some() { Op::Leaf } else { op };
    let parts = NodeParts { op, metas, device, requires_grad: taped, sink: None, leaf, recording: 0, origin: None };
    let node = Node::new(parts, tape);
    let edge = |(port, value)| Edge { node: Arc::clone(&node), port, value: Some(value) };
    Ok(results.into_iter().enumerate().map(edge).collect())
}

fn run_source(op: &Op, device: Device) -> Result<Edges> {
    let results = backend::of(device).run_op(op, &[])?;
    Ok(results.into_iter().map(leaf).collect())
}

/// The layout of a view that needs no copy.
fn view_of(op: &Op, values: &[Value]) -> Result<Option<Layout>> {
    let Op::View(view) = op else { return Ok(None) };
    infer(op, &[values[0].meta()])?;
    Ok(view_layout(view, &values[0].layout))
}

/// Links to the inputs, with those values alone that the derivative reads.
fn tape(op: &Op, inputs: &[Edge], results: &[Value]) -> Result<Tape> {
    require_derivative(op)?;
    let Some(reads) = reads(op) else { return Err(Error::bug(op.name(), "no derivative")) };
    let kept = |(i, e): (usize, &Edge)| if reads.reads_input(i) { e.clone() } else { e.without_value() };
    let outputs = if reads.outputs { results.iter().cloned().map(Some).collect() } else { SmallVec::new() };
    Ok(Tape { inputs: inputs.iter().enumerate().map(kept).collect(), outputs })
}

fn record(op: Op, inputs: &[Edge], device: Device) -> Result<Edges> {
    let recording = mode::recording();
    if let Some(foreign) = inputs.iter().find(|e| e.node.recording != recording) {
        return Err(Error::graph(
            op.name(),
            "tensors of the compiled function itself; build the graph inside it, or pass the tensor as an argument",
            format!("a result of {} made outside", foreign.node.op.name()),
        ));
    }
    let metas: SmallVec<[Meta; 4]> = inputs.iter().map(|e| e.meta().clone()).collect();
    let metas = infer(&op, &metas)?;
    let taped =
        mode::grad_enabled() && inputs.iter().any(|e| e.node.requires_grad) && metas.iter().any(|m| m.dtype.is_float());
    let (origin, body) = mode::with_recorder(|r| (r.origin(), r.is_body())).unwrap_or_default();
    // What reaches a body is known when it is closed; only then is it known which of its ops see a gradient.
    if taped && !body {
        require_derivative(&op)?;
    }
    let parts = NodeParts { op, metas, device, requires_grad: taped, sink: None, leaf: None, recording, origin };
    let tape = Tape { inputs: inputs.iter().map(Edge::clone).collect(), outputs: SmallVec::new() };
    Ok(Node::new(parts, Some(tape)).outputs())
}
