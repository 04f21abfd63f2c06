//! What a recording notes: inputs, cells, gradients and handles it touched, host events, the user's lines.
//!
//! Handles, cells and gradients outside are never changed while recording; what the function does to them lives in
//! overlays here and is applied each time the captured step has run.

use crate::buffer::Meta;
use crate::device::Device;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::{Edge, Handle, Leaf, Node, NodeParts, Sink, Tape};
use crate::ir::op::Op;
use crate::ir::variable::Variable;
use crate::passes::grad::identity;
use crate::shape::Shape;
use crate::tensor::face::face;
use crate::tensor::mode;
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Where an input of a captured step takes its value from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Argument i of the call.
    Argument(usize),
    /// A tensor object that the function reaches.
    Handle(Arc<Handle>),
    /// A cell.
    Variable(Arc<Variable>),
    /// The gradient that stands in a sink at entry.
    Sink(Arc<Sink>),
    /// These numbers of the table that host events fill.
    Numbers(Range<usize>),
}

/// Something the host does at every call before the step runs, such as counting steps or stepping a schedule.
pub trait HostEvent: Send + Sync {
    /// Do it, and give the numbers that the step asked for.
    fn advance(&self) -> Result<Vec<f64>>;
    /// Undo the last advance after a step that failed.
    fn rollback(&self);
    /// Whether more advances than the last can be undone: then nobody has to wait until a step is known to be good.
    fn undoes_many(&self) -> bool {
        false
    }
    /// Whether what the step was recorded with still holds.
    fn fits(&self) -> bool {
        true
    }
}

/// A tensor object outside, as the recording sees it.
#[derive(Debug)]
pub struct HandleEntry {
    /// The object.
    pub handle: Arc<Handle>,
    /// Its value at entry.
    pub input: Edge,
    /// Its value now.
    pub current: Edge,
}

/// A cell, as the recording sees it.
#[derive(Debug)]
pub struct VariableEntry {
    /// The cell.
    pub variable: Arc<Variable>,
    /// Its value now.
    pub current: Edge,
    /// Whether it was written.
    pub written: bool,
}

/// A gradient, as the recording sees it.
#[derive(Debug)]
pub struct SinkEntry {
    /// Where it is kept.
    pub sink: Arc<Sink>,
    /// What it holds now.
    pub current: Option<Arc<Handle>>,
    /// Whether there was a gradient at entry, if the function asked.
    pub at_entry: Option<bool>,
    /// Cleared before anything was added.
    pub cleared_first: bool,
    /// Read by an optimizer of this step.
    pub used: bool,
}

/// Notes of one recording.
pub struct Recorder {
    id: u64,
    /// Inputs of the program, and where they come from.
    pub inputs: Vec<(Source, Edge)>,
    /// Tensor objects outside, by address.
    pub handles: BTreeMap<usize, HandleEntry>,
    /// Cells, by id.
    pub variables: BTreeMap<u64, VariableEntry>,
    /// Gradients, by address, in order of first touch.
    pub sinks: Vec<SinkEntry>,
    /// What the host does at every call, in order.
    pub events: Vec<Arc<dyn HostEvent>>,
    /// Host events that a step undoes where its flag, a bool of shape (), is true.
    pub undone: Vec<(usize, Edge)>,
    scalars: usize,
    /// The body of a loop: what it reaches outside becomes an input, and gradients flow through that.
    body: bool,
    origin: Option<Origin>,
}

/// Names the user's file and line.
pub type Origin = Box<dyn Fn() -> Option<Arc<str>>>;

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("id", &self.id).field("inputs", &self.inputs.len()).finish_non_exhaustive()
    }
}

impl Recorder {
    /// Empty notes; `origin` names the user's file and line when an op is recorded.
    pub fn new(origin: Option<Origin>) -> Self {
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            inputs: vec![],
            handles: BTreeMap::new(),
            variables: BTreeMap::new(),
            sinks: vec![],
            events: vec![],
            undone: vec![],
            scalars: 0,
            body: false,
            origin,
        }
    }

    /// Empty notes of a loop's body.
    pub fn body(origin: Option<Origin>) -> Self {
        Self { body: true, ..Self::new(origin) }
    }

    /// Whether this is the body of a loop.
    pub fn is_body(&self) -> bool {
        self.body
    }

    /// Number of the recording.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The user's file and line.
    pub fn origin(&self) -> Option<Arc<str>> {
        self.origin.as_ref().and_then(|f| f())
    }

    fn input(&mut self, source: Source, meta: Meta, device: Device, sink: Option<Arc<Sink>>) -> Edge {
        let requires_grad = sink.is_some();
        let sink = if self.body { None } else { sink };
        self.place(source, meta, device, sink, requires_grad)
    }

    fn place(&mut self, source: Source, meta: Meta, device: Device, sink: Option<Arc<Sink>>, grad: bool) -> Edge {
        let parts = NodeParts {
            op: Op::Leaf,
            metas: SmallVec::from_iter([meta]),
            device,
            requires_grad: grad,
            sink,
            leaf: Some(Leaf::Input(self.inputs.len())),
            recording: self.id,
            origin: None,
        };
        let edge = Edge { node: Node::new(parts, None), port: 0, value: None };
        self.inputs.push((source, edge.clone()));
        edge
    }

    /// An input of a loop's body: a carry or a slice, numbered among the arguments.
    pub fn slot(&mut self, place: usize, meta: Meta, device: Device, requires_grad: bool) -> Edge {
        self.place(Source::Argument(place), meta, device, None, requires_grad)
    }

    /// Take a tensor object as argument `place` of the function.
    pub fn argument(&mut self, place: usize, handle: &Arc<Handle>) -> Result<()> {
        self.enter(handle, Source::Argument(place)).map(drop)
    }

    /// What a tensor object outside holds now.
    pub fn read_handle(&mut self, handle: &Arc<Handle>) -> Result<Edge> {
        if let Some(entry) = self.handles.get(&(Arc::as_ptr(handle) as usize)) {
            return Ok(entry.current.clone());
        }
        let edge = handle.get();
        if edge.node.recording == self.id {
            return Ok(edge);
        }
        self.enter(handle, Source::Handle(Arc::clone(handle)))
    }

    fn enter(&mut self, handle: &Arc<Handle>, source: Source) -> Result<Edge> {
        let edge = handle.get();
        let (meta, device) = (edge.meta().clone(), edge.node.device);
        if self.body {
            let input = self.place(source, meta, device, None, edge.node.requires_grad);
            let entry = HandleEntry { handle: Arc::clone(handle), input: input.clone(), current: input.clone() };
            self.handles.insert(Arc::as_ptr(handle) as usize, entry);
            return Ok(input);
        }
        if edge.value.is_none() {
            return Err(super::face::no_value("compile", &edge));
        }
        if edge.node.requires_grad && edge.node.sink.is_none() {
            return Err(Error::graph(
                "compile",
                "tensors from outside that are leaves; compute this one inside the function, or detach() it",
                format!("a result of {} that requires a gradient", edge.node.op.name()),
            ));
        }
        let input = self.input(source, meta, device, edge.node.sink.clone());
        let entry = HandleEntry { handle: Arc::clone(handle), input: input.clone(), current: input.clone() };
        self.handles.insert(Arc::as_ptr(handle) as usize, entry);
        Ok(input)
    }

    /// Point a tensor object at another edge.
    pub fn write_handle(&mut self, handle: &Arc<Handle>, edge: Edge) -> Result<()> {
        if handle.get().node.recording == self.id {
            handle.set(edge);
            return Ok(());
        }
        self.read_handle(handle)?;
        if let Some(entry) = self.handles.get_mut(&(Arc::as_ptr(handle) as usize)) {
            entry.current = edge;
        }
        Ok(())
    }

    /// What a cell holds now.
    pub fn read_variable(&mut self, variable: &Arc<Variable>) -> Edge {
        self.read_variable_on(variable, variable.device())
    }

    /// What a cell holds now; where the recording meets it for the first time, it is on this device.
    pub fn read_variable_on(&mut self, variable: &Arc<Variable>, device: Device) -> Edge {
        if let Some(entry) = self.variables.get(&variable.id()) {
            return entry.current.clone();
        }
        let sink = variable.trainable().then(|| Arc::clone(variable.sink()));
        let input = self.input(Source::Variable(Arc::clone(variable)), variable.meta(), device, sink);
        let entry = VariableEntry { variable: Arc::clone(variable), current: input.clone(), written: false };
        self.variables.insert(variable.id(), entry);
        input
    }

    /// Replace what a cell holds; gradients of later uses still go to the cell.
    pub fn write_variable(&mut self, variable: &Arc<Variable>, edge: &Edge) {
        self.read_variable(variable);
        let sink = variable.trainable().then(|| Arc::clone(variable.sink()));
        let parts = NodeParts {
            op: identity(edge),
            metas: SmallVec::from_iter([edge.meta().clone()]),
            device: edge.node.device,
            requires_grad: sink.is_some(),
            sink,
            leaf: None,
            recording: self.id,
            origin: None,
        };
        let tape = Tape { inputs: SmallVec::from_iter([edge.clone()]), outputs: SmallVec::new() };
        let current = Edge { node: Node::new(parts, Some(tape)), port: 0, value: None };
        if let Some(entry) = self.variables.get_mut(&variable.id()) {
            entry.current = current;
            entry.written = true;
        }
    }

    fn sink_entry(&mut self, sink: &Arc<Sink>) -> usize {
        if let Some(at) = self.sinks.iter().position(|e| Arc::ptr_eq(&e.sink, sink)) {
            return at;
        }
        let sink = Arc::clone(sink);
        self.sinks.push(SinkEntry { sink, current: None, at_entry: None, cleared_first: false, used: false });
        self.sinks.len() - 1
    }

    /// The gradient in a sink now.
    pub fn read_sink(&mut self, sink: &Arc<Sink>) -> Option<Arc<Handle>> {
        let at = self.sink_entry(sink);
        let entry = &self.sinks[at];
        if entry.at_entry.is_none() && !entry.cleared_first {
            let outside = sink.get().map(|h| h.get());
            self.sinks[at].at_entry = Some(outside.is_some());
            if let Some(edge) = outside {
                let source = Source::Sink(Arc::clone(sink));
                let input = self.input(source, edge.meta().clone(), edge.node.device, None);
                self.sinks[at].current = Some(Handle::new(input));
            }
        }
        self.sinks[at].current.clone()
    }

    /// Replace or clear the gradient in a sink.
    pub fn write_sink(&mut self, sink: &Arc<Sink>, grad: Option<Arc<Handle>>) {
        let at = self.sink_entry(sink);
        let entry = &mut self.sinks[at];
        if grad.is_none() && entry.at_entry.is_none() {
            entry.cleared_first = true;
        }
        entry.cleared_first |= entry.at_entry.is_none();
        entry.current = grad;
    }

    /// Note that an optimizer has used the gradient.
    pub fn use_sink(&mut self, sink: &Arc<Sink>) {
        let at = self.sink_entry(sink);
        self.sinks[at].used = true;
    }

    /// Undo the last event after a step whose flag, a bool of shape (), turned out true.
    pub fn undo_if(&mut self, flag: &Edge) {
        if let Some(last) = self.events.len().checked_sub(1) {
            self.undone.push((last, flag.clone()));
        }
    }

    /// Do something at every call; gives the inputs that carry its numbers, one for each run of numbers of one kind.
    pub fn event(&mut self, event: Arc<dyn HostEvent>, numbers: &[(DType, Device)]) -> Vec<Edge> {
        self.events.push(event);
        let mut inputs = vec![];
        for alike in numbers.chunk_by(|a, b| a == b) {
            let (first, (dtype, device)) = (self.scalars, alike[0]);
            self.scalars += alike.len();
            let source = Source::Numbers(first..self.scalars);
            inputs.push(self.input(source, Meta::new([alike.len()], dtype), device, None));
        }
        inputs
    }
}

/// Let the recording do something at every call; gives the numbers that the step asked for, each of shape ().
pub fn happens(event: Arc<dyn HostEvent>, numbers: &[(DType, Device)]) -> Result<Vec<Edge>> {
    let inputs = mode::with_recorder(|recorder| recorder.event(event, numbers)).unwrap_or_default();
    let mut singles = vec![];
    for input in &inputs {
        for place in 0..input.shape()[0] {
            let one = face().narrow(input, 0, place, 1)?;
            singles.push(face().reshape(&one, &Shape::scalar())?);
        }
    }
    Ok(singles)
}
