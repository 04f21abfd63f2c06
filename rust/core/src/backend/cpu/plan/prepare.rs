//! A plan made ready to run: resolved kernels, places as slots and bytes, steps cut into parts, parts grouped into tasks.

use super::cut::{Cut, cost, cut};
use super::stage::{Access, Stage, stages};
use crate::buffer::Meta;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::op::Op;
use crate::ir::plan::{Exit, Located, Place, Plan};
use crate::ir::view::view_layout;
use crate::layout::Layout;
use smallvec::SmallVec;
use std::ops::Range;
use std::sync::Arc;

/// Nanoseconds of work below which a plan runs on the caller's thread, uncut.
const SMALL: f64 = 12_000.0;

/// A plan that is ready to run.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) steps: Vec<Ready>,
    pub(super) stages: Vec<Stage>,
    pub(super) slots: Slots,
    /// The work is worth more than one thread.
    pub(super) parallel: bool,
}

/// Numbers of the memories that a plan uses: the arena, then inputs, constants, outputs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slots {
    pub(super) inputs: usize,
    pub(super) constants: usize,
    pub(super) outputs: usize,
}

impl Slots {
    fn of(plan: &Plan) -> Self {
        Self { inputs: plan.inputs.len(), constants: plan.constants.len(), outputs: plan.exits.len() }
    }

    pub(super) fn count(self) -> usize {
        1 + self.inputs + self.constants + self.outputs
    }

    pub(super) fn input(i: usize) -> usize {
        1 + i
    }

    pub(super) fn constant(self, i: usize) -> usize {
        1 + self.inputs + i
    }

    pub(super) fn output(self, i: usize) -> usize {
        1 + self.inputs + self.constants + i
    }

    /// Slot of a place, and the byte at which the value's buffer begins there.
    fn of_place(self, place: Place) -> (usize, usize) {
        match place {
            Place::Arena(start) => (0, start),
            Place::Input(i) => (Self::input(i), 0),
            Place::Constant(i) => (self.constant(i), 0),
            Place::Output(i) => (self.output(i), 0),
        }
    }
}

/// One kernel with its arguments.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) kernel: Kernel,
    pub(super) inputs: SmallVec<[Operand; 3]>,
    pub(super) outputs: SmallVec<[Operand; 1]>,
    pub(super) parts: usize,
    pub(super) cost: f64,
    pub(super) origin: Option<Arc<str>>,
}

/// What a step runs.
#[derive(Debug)]
pub(super) enum Kernel {
    /// A kernel of its family.
    Op(Op),
    /// The input's elements, row-major.
    Copy,
    /// The op of a check that passes nothing on.
    Check(Op),
}

/// Elements of one slot that a step reads or writes; from part to part they lie `advance` bytes further on.
#[derive(Debug)]
pub(super) struct Operand {
    pub(super) slot: usize,
    first: usize,
    advance: isize,
    last: usize,
    /// Of every part but the last, and of the last.
    extents: [Extent; 2],
}

/// Elements counted from the lowest byte that they reach.
#[derive(Debug)]
pub(super) struct Extent {
    pub(super) layout: Layout,
    pub(super) meta: Meta,
    pub(super) bytes: usize,
}

impl Operand {
    /// The elements of one of so many parts, and the bytes of the slot that they reach.
    pub(super) fn part(&self, part: usize, parts: usize) -> (&Extent, Range<usize>) {
        let last = part + 1 == parts;
        let start = if last { self.last } else { self.first.wrapping_add_signed(self.advance * part as isize) };
        let extent = &self.extents[usize::from(last)];
        (extent, start..start + extent.bytes)
    }
}

/// Make a plan ready.
pub(super) fn prepare(plan: &Plan) -> Result<Prepared> {
    let slots = Slots::of(plan);
    let costs: Vec<f64> = plan
        .steps
        .iter()
        .map(|step| {
            let metas = |side: &[Located]| side.iter().map(|l| l.meta.clone()).collect::<SmallVec<[Meta; 4]>>();
            let (inputs, outputs) = (metas(&step.inputs), metas(&step.outputs));
            cost(&step.op, &inputs.iter().collect::<SmallVec<[_; 4]>>(), &outputs.iter().collect::<SmallVec<[_; 4]>>())
        })
        .collect();
    let parallel = costs.iter().sum::<f64>() > SMALL;
    let mut steps = Vec::with_capacity(plan.steps.len());
    for (step, &cost) in plan.steps.iter().zip(&costs) {
        let mut inputs: SmallVec<[Located; 2]> = step.inputs.clone();
        let mut op = step.op.clone();
        let kernel = kernel(&step.op, &mut inputs, step.outputs.is_empty());
        if let (Kernel::Copy, [input]) = (&kernel, &inputs[..]) {
            op = Op::Cast(input.meta.dtype);
        }
        let mut outputs = step.outputs.clone();
        if let (Kernel::Copy, [output], [input]) = (&kernel, &mut outputs[..], &inputs[..]) {
            output.layout = Layout::contiguous(input.layout.shape().clone());
            output.meta = input.meta.clone();
        }
        let cut = if parallel { cuts(&op, &inputs, &outputs) } else { None };
        let of = |located: &Located, axis: Option<usize>| operand(slots, located, axis.zip(cut.as_ref()));
        let ready = Ready {
            kernel,
            inputs: inputs.iter().enumerate().map(|(i, l)| of(l, cut.as_ref().and_then(|c| c.inputs[i]))).collect(),
            outputs: outputs.iter().map(|l| of(l, cut.as_ref().map(|c| c.axis))).collect(),
            parts: cut.as_ref().map_or(1, |c| c.parts),
            cost,
            origin: step.origin.clone(),
        };
        check(&ready)?;
        steps.push(ready);
    }
    let stages = if parallel { stages(&steps, plan.commit, &aliases(plan, slots)) } else { vec![Stage::whole(&steps)] };
    Ok(Prepared { steps, stages, slots, parallel })
}

/// What runs an op; a copy reads its input under the layout that the view would have.
fn kernel(op: &Op, inputs: &mut [Located], checks_only: bool) -> Kernel {
    match (op, inputs) {
        (Op::View(view), [input]) => {
            if let Some(layout) = view_layout(view, &input.layout) {
                input.layout = layout;
            }
            input.meta.shape = input.layout.shape().clone();
            Kernel::Copy
        }
        (Op::CheckFinite { .. } | Op::CheckIndex { .. }, _) if checks_only => Kernel::Check(op.clone()),
        _ => Kernel::Op(op.clone()),
    }
}

fn cuts(op: &Op, inputs: &[Located], outputs: &[Located]) -> Option<Cut> {
    let metas = |side: &[Located]| side.iter().map(|l| l.meta.clone()).collect::<SmallVec<[Meta; 4]>>();
    let (reads, writes) = (metas(inputs), metas(outputs));
    // A check has no result: it is cut as its input lies.
    let writes = if writes.is_empty() { reads.clone() } else { writes };
    cut(op, &reads.iter().collect::<SmallVec<[_; 4]>>(), &writes.iter().collect::<SmallVec<[_; 4]>>())
}

/// A value as bytes of a slot, whole or cut along an axis.
fn operand(slots: Slots, located: &Located, cut: Option<(usize, &Cut)>) -> Operand {
    let (slot, base) = slots.of_place(located.place);
    let (layout, size) = (&located.layout, located.meta.dtype.size());
    let part = |axis: usize, rows: usize, skipped: usize| {
        let offset = layout.offset().wrapping_add_signed(layout.strides()[axis] * skipped as isize);
        let shape = layout.shape().with(axis, rows);
        let (extent, low) = extent(&Layout::new(shape, layout.strides().into(), offset), located.meta.dtype);
        (extent, base + low * size)
    };
    let ((full, first), (last, end), advance) = match cut {
        None => {
            let whole = || extent(layout, located.meta.dtype);
            let start = base + whole().1 * size;
            ((whole().0, start), (whole().0, start), 0)
        }
        Some((axis, cut)) => {
            let skipped = cut.rows * (cut.parts - 1);
            let rest = layout.shape()[axis] - skipped;
            let advance = layout.strides()[axis] * (cut.rows * size) as isize;
            (part(axis, cut.rows, 0), part(axis, rest, skipped), advance)
        }
    };
    Operand { slot, first, advance, last: end, extents: [full, last] }
}

/// Elements counted from the lowest one that the layout reaches, and the number of that one.
fn extent(layout: &Layout, dtype: DType) -> (Extent, usize) {
    let (low, end) = layout.span().map_or((0, 0), |(low, high)| (low, high + 1));
    let meta = Meta::new(layout.shape().clone(), dtype);
    let moved = Layout::new(layout.shape().clone(), layout.strides().into(), layout.offset().saturating_sub(low));
    (Extent { layout: moved, meta, bytes: (end - low) * dtype.size() }, low)
}

/// Slots that may be one memory: an output that replaces an input lies in the same one.
fn aliases(plan: &Plan, slots: Slots) -> Vec<usize> {
    let mut aliases: Vec<usize> = (0..slots.count()).collect();
    for (i, exit) in plan.exits.iter().enumerate() {
        if let Exit::Replaced { input, .. } = exit {
            aliases[slots.output(i)] = Slots::input(*input);
        }
    }
    aliases
}

impl Ready {
    /// Bytes that one part reads and writes.
    pub(super) fn accesses<'a>(&'a self, part: usize, aliases: &'a [usize]) -> impl Iterator<Item = Access> + 'a {
        let sides = self.inputs.iter().map(|i| (i, false)).chain(self.outputs.iter().map(|o| (o, true)));
        sides.map(move |(operand, write)| {
            let (_, range) = operand.part(part, self.parts);
            Access { slot: aliases[operand.slot], start: range.start, end: range.end, write }
        })
    }
}

/// No part of a step may write what the same part reads or another part touches.
fn check(step: &Ready) -> Result<()> {
    let same: Vec<usize> = (0..=step.inputs.iter().chain(&step.outputs).map(|o| o.slot).max().unwrap_or(0)).collect();
    let parts: Vec<SmallVec<[Access; 4]>> = (0..step.parts).map(|part| step.accesses(part, &same).collect()).collect();
    for (i, part) in parts.iter().enumerate() {
        for (k, write) in part.iter().enumerate().filter(|(_, access)| access.write) {
            let inside = part.iter().enumerate().filter(|&(l, _)| l != k);
            let outside = parts.iter().enumerate().filter(|&(j, _)| j != i).flat_map(|(_, other)| other.iter());
            if let Some(other) = inside.map(|(_, other)| other).chain(outside).find(|other| write.meets(other)) {
                let (range, used) = (write.start..write.end, other.start..other.end);
                return Err(Error::bug("plan", format!("bytes {range:?} are written while {used:?} are in use")));
            }
        }
    }
    Ok(())
}
