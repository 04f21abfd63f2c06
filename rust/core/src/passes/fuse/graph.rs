//! What fusion asks of a program: who makes a value, how it lies in memory, and what is behind its views.

use crate::ir::op::{Op, ViewOp};
use crate::ir::program::{Program, ValueId};
use crate::ir::view::view_layout;
use crate::layout::Layout;
use crate::shape::Shape;
use smallvec::SmallVec;

/// A size for each axis of an iteration space: the whole axis, or 1.
pub(super) type Pattern = SmallVec<[usize; 6]>;

/// The axis of an iteration space that each axis of a value lies along; none where the value has size 1.
pub(super) type Axes = SmallVec<[Option<usize>; 6]>;

/// A value behind views that only repeat or insert axes.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The value behind the views.
    pub(super) base: ValueId,
    /// How its axes lie in the space.
    pub(super) axes: Axes,
    /// Its sizes in the space.
    pub(super) pattern: Pattern,
}

/// A program with an index.
pub(super) struct Graph<'a> {
    pub(super) program: &'a Program,
    makers: Vec<Option<usize>>,
    /// The instructions that read what an instruction makes.
    readers: Vec<SmallVec<[usize; 2]>>,
    /// How each value lies in the storage that it views.
    pub(super) layouts: Vec<Layout>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(program: &'a Program) -> Self {
        let mut makers = vec![None; program.metas.len()];
        let mut layouts: Vec<Layout> =
            program.metas.iter().map(|meta| Layout::contiguous(meta.shape.clone())).collect();
        let mut readers = vec![SmallVec::new(); program.instructions.len()];
        for (at, instruction) in program.instructions.iter().enumerate() {
            makers[instruction.first..instruction.first + instruction.results].fill(Some(at));
            for maker in instruction.inputs.iter().filter_map(|&input| makers[input]) {
                readers[maker].push(at);
            }
            if let Op::View(view) = &instruction.op
                && let Some(layout) = view_layout(view, &layouts[instruction.inputs[0]])
            {
                layouts[instruction.first] = layout;
            }
        }
        Self { program, makers, readers, layouts }
    }

    /// The instruction that makes a value; inputs and constants have none.
    pub(super) fn maker(&self, value: ValueId) -> Option<usize> {
        self.makers[value]
    }

    /// The instructions that read what an instruction makes.
    pub(super) fn readers(&self, instruction: usize) -> &[usize] {
        &self.readers[instruction]
    }

    pub(super) fn op(&self, value: ValueId) -> Option<&'a Op> {
        self.makers[value].map(|at| &self.program.instructions[at].op)
    }

    pub(super) fn shape(&self, value: ValueId) -> &'a Shape {
        &self.program.metas[value].shape
    }

    /// The value that a view repeats or gives more axes, if it is one that does.
    fn behind(&self, value: ValueId) -> Option<ValueId> {
        let instruction = &self.program.instructions[self.makers[value]?];
        let source = *instruction.inputs.first()?;
        match &instruction.op {
            Op::View(ViewOp::Expand(_)) => Some(source),
            Op::View(ViewOp::Reshape(shape)) => wide(shape).eq(wide(self.shape(source))).then_some(source),
            _ => None,
        }
    }

    /// The value behind all views that only repeat or insert axes.
    pub(super) fn root(&self, mut value: ValueId) -> ValueId {
        while let Some(source) = self.behind(value) {
            value = source;
        }
        value
    }

    /// The value behind all reshapes.
    pub(super) fn unshaped(&self, mut value: ValueId) -> ValueId {
        while let Some(at) = self.makers[value]
            && let Op::View(ViewOp::Reshape(_)) = &self.program.instructions[at].op
        {
            value = self.program.instructions[at].inputs[0];
        }
        value
    }

    /// A value of a space of `rank` axes, seen through its views; `axes` says how the value lies in the space.
    pub(super) fn trace(&self, mut value: ValueId, mut axes: Axes, rank: usize) -> Seen {
        while let Some(source) = self.behind(value) {
            let (from, to) = (self.shape(source), self.shape(value));
            axes = if let Some(Op::View(ViewOp::Expand(_))) = self.op(value) {
                let lead = to.len() - from.len();
                (0..from.len()).map(|axis| if from[axis] == 1 { None } else { axes[axis + lead] }).collect()
            } else {
                let mut left = (0..to.len()).filter(|&axis| to[axis] != 1).map(|axis| axes[axis]);
                from.iter().map(|&size| if size == 1 { None } else { left.next().flatten() }).collect()
            };
            value = source;
        }
        let mut pattern: Pattern = SmallVec::from_elem(1, rank);
        for (axis, place) in axes.iter().enumerate() {
            if let Some(place) = *place {
                pattern[place] = self.shape(value)[axis];
            }
        }
        Seen { base: value, axes, pattern }
    }
}

/// Sizes other than 1.
fn wide(shape: &Shape) -> impl Iterator<Item = usize> + '_ {
    shape.iter().copied().filter(|&size| size != 1)
}

/// How a shape lies along a pattern: its sizes other than 1 in the same order.
pub(super) fn along(shape: &Shape, pattern: &[usize]) -> Option<Axes> {
    let mut places = (0..pattern.len()).filter(|&place| pattern[place] != 1);
    let mut axes = Axes::new();
    for &size in shape.iter() {
        axes.push(if size == 1 { None } else { Some(places.next().filter(|&place| pattern[place] == size)?) });
    }
    places.next().is_none().then_some(axes)
}
