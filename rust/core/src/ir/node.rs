//! One op applied to inputs: the eager tape and the recorded step are made of the same nodes.
//!
//! A node holds no result. Results belong to the [`Edge`]s that users hold; a node keeps only those inputs and outputs
//! that its derivative reads, so dropping a tensor frees its memory while the tape above it lives on.

use crate::buffer::{Meta, Value};
use crate::device::Device;
use crate::ir::op::Op;
use crate::ir::variable::Variable;
use smallvec::SmallVec;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Where a leaf takes its value from.
#[derive(Clone, Debug)]
pub enum Leaf {
    /// User data, or a constant of a recording.
    Value(Value),
    /// A cell, read when the step runs.
    Variable(Arc<Variable>),
    /// An input of the program that is being recorded.
    Input(usize),
}

/// Inputs of a node and those of its outputs that its derivative reads.
#[derive(Debug, Default)]
pub struct Tape {
    /// Inputs; an edge keeps its value only where the derivative reads it.
    pub inputs: SmallVec<[Edge; 2]>,
    /// Outputs by port, where the derivative reads them.
    pub outputs: SmallVec<[Option<Value>; 1]>,
}

/// One op applied to inputs.
#[derive(Debug)]
pub struct Node {
    /// Unique number; inputs have smaller ones.
    pub id: u64,
    /// What is computed.
    pub op: Op,
    /// Shape and dtype of each result.
    pub metas: SmallVec<[Meta; 1]>,
    /// Where it runs.
    pub device: Device,
    /// Whether a gradient may be asked for.
    pub requires_grad: bool,
    /// Set where backward ends: gradients add up here and go no further.
    pub sink: Option<Arc<Sink>>,
    /// Set on leaves.
    pub leaf: Option<Leaf>,
    /// Number of the recording that made the node; 0 for eager ones.
    pub recording: u64,
    /// File and line of the user's call.
    pub origin: Option<Arc<str>>,
    tape: Mutex<Option<Box<Tape>>>,
}

/// What a new node is made of.
#[derive(Debug)]
pub struct NodeParts {
    /// What is computed.
    pub op: Op,
    /// Shape and dtype of each result.
    pub metas: SmallVec<[Meta; 1]>,
    /// Where it runs.
    pub device: Device,
    /// Whether a gradient may be asked for.
    pub requires_grad: bool,
    /// Where gradients end, if here.
    pub sink: Option<Arc<Sink>>,
    /// Where a leaf takes its value from.
    pub leaf: Option<Leaf>,
    /// Number of the recording, 0 for none.
    pub recording: u64,
    /// File and line of the user's call.
    pub origin: Option<Arc<str>>,
}

impl Node {
    /// Number a node and give it its tape.
    pub fn new(parts: NodeParts, tape: Option<Tape>) -> Arc<Self> {
        let NodeParts { op, metas, device, requires_grad, sink, leaf, recording, origin } = parts;
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self {
            id,
            op,
            metas,
            device,
            requires_grad,
            sink,
            leaf,
            recording,
            origin,
            tape: Mutex::new(tape.map(Box::new)),
        })
    }

    /// A leaf.
    pub fn leaf(leaf: Leaf, meta: Meta, device: Device, sink: Option<Arc<Sink>>, recording: u64) -> Arc<Self> {
        let requires_grad = sink.is_some();
        let metas = SmallVec::from_iter([meta]);
        let parts =
            NodeParts { op: Op::Leaf, metas, device, requires_grad, sink, leaf: Some(leaf), recording, origin: None };
        Self::new(parts, None)
    }

    /// Inputs, while the tape stands.
    pub fn inputs(&self) -> SmallVec<[Edge; 2]> {
        let tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner);
        tape.as_ref().map(|t| t.inputs.clone()).unwrap_or_default()
    }

    /// Whether inputs and saved values are still there.
    pub fn has_tape(&self) -> bool {
        self.tape.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The results as edges, with the values that the tape kept.
    pub fn outputs(self: &Arc<Self>) -> Edges {
        let tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner);
        (0..self.metas.len())
            .map(|port| Edge {
                node: Arc::clone(self),
                port,
                value: tape.as_ref().and_then(|t| t.outputs.get(port).cloned().flatten()),
            })
            .collect()
    }

    /// Let go of inputs and saved values.
    pub fn free_tape(&self) {
        let tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(tape) = tape {
            unwind(*tape);
        }
    }
}

/// Drop chains of any length without recursion: the tape of each node that dies is taken before it drops.
fn unwind(tape: Tape) {
    let mut pending: Vec<Edge> = tape.inputs.into_vec();
    while let Some(edge) = pending.pop() {
        if let Some(mut node) = Arc::into_inner(edge.node)
            && let Some(tape) = node.tape.get_mut().unwrap_or_else(PoisonError::into_inner).take()
        {
            pending.extend(tape.inputs);
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(tape) = self.tape.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            unwind(*tape);
        }
    }
}

/// One result of a node, with its value once there is one.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Producer.
    pub node: Arc<Node>,
    /// Which of its results.
    pub port: usize,
    /// The value; none while recording, and where a tape did not keep it.
    pub value: Option<Value>,
}

/// The results of one op.
pub type Edges = SmallVec<[Edge; 1]>;

impl Edge {
    /// Shape and dtype.
    pub fn meta(&self) -> &Meta {
        &self.node.metas[self.port]
    }

    /// Sizes of the axes.
    pub fn shape(&self) -> &crate::shape::Shape {
        &self.meta().shape
    }

    /// Element type.
    pub fn dtype(&self) -> crate::dtype::DType {
        self.meta().dtype
    }

    /// Whether both are the same result of the same node.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.node, &other.node) && self.port == other.port
    }

    /// The edge without its value.
    pub fn without_value(&self) -> Self {
        Self { node: Arc::clone(&self.node), port: self.port, value: None }
    }
}

/// A place that holds an edge and can be pointed at another: what a tensor object of the user is.
#[derive(Debug)]
pub struct Handle(RwLock<Edge>);

impl Handle {
    /// A place that holds `edge`.
    pub fn new(edge: Edge) -> Arc<Self> {
        Arc::new(Self(RwLock::new(edge)))
    }

    /// What the place holds now.
    pub fn get(&self) -> Edge {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Look at what the place holds now.
    pub fn with<T>(&self, look: impl FnOnce(&Edge) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Point the place at another edge.
    pub fn set(&self, edge: Edge) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = edge;
    }
}

/// Where the gradients of one leaf add up.
#[derive(Debug, Default)]
pub struct Sink(Mutex<Option<Arc<Handle>>>);

impl Sink {
    /// An empty sink.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// The gradient so far.
    pub fn get(&self) -> Option<Arc<Handle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether there is a gradient.
    pub fn is_set(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Replace or clear the gradient.
    pub fn set(&self, grad: Option<Arc<Handle>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = grad;
    }
}
