//! What a kernel is before it runs: shader text, numbers, and which values it is bound to. Pure data.

use super::footprint::Footprint;
use crate::backend::profile::{Label, touched};
use crate::buffer::{Meta, element_size};
use crate::device::Device;
use crate::dtype::DType;
use crate::ir::op::Op;
use crate::layout::Layout;
use crate::shape::Shape;
use std::sync::Arc;

/// Where the elements of an operand lie in what it is bound to.
#[derive(Clone, Debug)]
pub(super) struct View {
    /// Shape, strides and offset, in elements.
    pub(super) layout: Layout,
    /// Element type.
    pub(super) dtype: DType,
    /// What it is bound to, where that is not its own slot: operands of one place then share a binding.
    pub(super) home: Option<Slot>,
}

impl View {
    /// Elements that lie so in their own slot.
    pub(super) fn new(layout: Layout, dtype: DType) -> Self {
        Self { layout, dtype, home: None }
    }

    /// Row-major elements from the start.
    pub(super) fn whole(shape: impl Into<Shape>, dtype: DType) -> Self {
        Self::new(Layout::contiguous(shape.into()), dtype)
    }

    /// Sizes of the axes.
    pub(super) fn shape(&self) -> &Shape {
        self.layout.shape()
    }

    /// The same bytes under another layout.
    pub(super) fn with(&self, layout: Layout) -> Self {
        Self { layout, ..self.clone() }
    }
}

/// A value that a kernel is bound to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Slot {
    /// Input i of the op.
    Input(usize),
    /// Output i of the op.
    Output(usize),
    /// Working memory i of the op.
    Scratch(usize),
    /// The working memory of a plan.
    Arena,
    /// Input i of a plan.
    Given(usize),
    /// Constant i of a plan.
    Constant(usize),
    /// Output i of a plan.
    Exit(usize),
    /// Answers of a plan's checks.
    Status,
}

/// One dispatch before its text is final: `$b1;` stands for binding 1, `$p0;` for word 0 of binding 0.
#[derive(Clone, Debug)]
pub(super) struct Launch {
    /// What bindings 1, 2, ... are bound to, and the types of their elements.
    pub(super) bindings: Vec<(Slot, &'static str)>,
    /// What it reads and writes.
    pub(super) footprint: Footprint,
    /// The words of binding 0.
    pub(super) params: Vec<u32>,
    /// Declarations outside of functions.
    pub(super) globals: Vec<String>,
    /// The statements.
    pub(super) body: String,
    /// Threads of a workgroup.
    pub(super) threads: u32,
    /// Workgroups in each direction.
    pub(super) groups: [u32; 3],
    /// What a profile calls it.
    pub(super) label: Option<Arc<Label>>,
}

/// What an op needs of its data, before anything that reads it may be believed.
#[derive(Clone, Debug)]
pub(super) enum Rule {
    /// No infinity, no NaN.
    Finite,
    /// Integers in `[0, size)`.
    Below(usize),
}

/// A rule for one input.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    /// Which input.
    pub(super) input: usize,
    /// What must hold.
    pub(super) rule: Rule,
    /// Name for the message.
    pub(super) name: Arc<str>,
}

/// An op as dispatches.
#[derive(Clone, Debug, Default)]
pub(super) struct Lowered {
    /// What is checked first.
    pub(super) guards: Vec<Guard>,
    /// The dispatches, in order.
    pub(super) launches: Vec<Launch>,
    /// Bytes of each piece of working memory.
    pub(super) scratch: Vec<usize>,
    /// Whether the dispatches write elements of their own, so that they can run at once.
    pub(super) apart: bool,
}

impl Lowered {
    /// Let a profile call the dispatches by their op.
    pub(super) fn name(&mut self, op: &Op, inputs: &[View], outputs: &[View]) {
        let meta = |view: &View| Meta::new(view.shape().clone(), view.dtype);
        let metas = [inputs, outputs].map(|side| side.iter().map(meta).collect::<Vec<_>>());
        let [taken, given] = metas.each_ref().map(|side| side.iter().collect::<Vec<_>>());
        let bytes = |view: &View| touched(&view.layout, element_size(view.dtype, Device::Gpu(0)));
        let whole = Label::new(op, &taken, &given, inputs.iter().chain(outputs).map(bytes).sum());
        if let [launch] = &mut self.launches[..] {
            launch.label = Some(Arc::new(whole));
            return;
        }
        let count = self.launches.len();
        for (at, launch) in self.launches.iter_mut().enumerate() {
            let name = format!("{} ({} of {count})", whole.name, at + 1);
            let flops = if at == 0 { whole.flops } else { 0 };
            launch.label = Some(Arc::new(Label { name, flops, bytes: launch.footprint.bytes() }));
        }
    }

    /// Bindings of the dispatch that has most.
    pub(super) fn bindings(&self) -> usize {
        self.launches.iter().map(|launch| launch.bindings.len()).max().unwrap_or(0)
    }
}

impl From<Launch> for Lowered {
    fn from(launch: Launch) -> Self {
        Self { launches: vec![launch], ..Self::default() }
    }
}

impl From<Vec<Launch>> for Lowered {
    fn from(launches: Vec<Launch>) -> Self {
        Self { launches, ..Self::default() }
    }
}
