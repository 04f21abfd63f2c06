//! What a kernel is before it runs: shader text, numbers, and which values it is bound to. Pure data.

use crate::dtype::DType;
use crate::layout::Layout;
use crate::shape::Shape;
use smallvec::SmallVec;
use std::sync::Arc;

/// Where the elements of an operand lie in what it is bound to.
#[derive(Clone, Debug)]
pub(super) struct View {
    /// Shape, strides and offset, in elements.
    pub(super) layout: Layout,
    /// Element type.
    pub(super) dtype: DType,
}

impl View {
    /// Row-major elements from the start.
    pub(super) fn whole(shape: impl Into<Shape>, dtype: DType) -> Self {
        Self { layout: Layout::contiguous(shape.into()), dtype }
    }

    /// Sizes of the axes.
    pub(super) fn shape(&self) -> &Shape {
        self.layout.shape()
    }

    /// The same bytes under another layout.
    pub(super) fn with(&self, layout: Layout) -> Self {
        Self { layout, dtype: self.dtype }
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
}

/// One dispatch.
#[derive(Clone, Debug)]
pub(super) struct Launch {
    /// The shader; equal texts are one pipeline.
    pub(super) shader: Arc<str>,
    /// What bindings 1, 2, ... are bound to.
    pub(super) slots: SmallVec<[Slot; 4]>,
    /// The words of binding 0.
    pub(super) params: Vec<u32>,
    /// Workgroups in each direction.
    pub(super) groups: [u32; 3],
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
