//! A plan made ready to run: resolved kernels, places as slots and bytes, steps cut into parts, parts grouped into tasks.

use super::super::fused::{Compiled, First};
use super::cut::{Batch, Cut, Cutting, cost, cut, grain};
use super::merge::merge;
use super::panels::{in_panels, packed};
use super::pieces::pieces;
use super::shares::shares;
use super::stage::{Access, Stage, stages};
use super::turns::{Turns, turns};
use crate::buffer::Meta;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::op::Op;
use crate::ir::plan::{Exit, Located, Place, Plan, Step};
use crate::ir::view::view_layout;
use crate::layout::Layout;
use smallvec::SmallVec;
use std::ops::Range;
use std::sync::Arc;

/// Nanoseconds of work below which a plan runs on the caller's thread, uncut.
const SMALL: f64 = 12_000.0;

/// Bytes beside a plan after which steps take the first ones again. What a step leaves there is read by itself alone, so this
/// decides nothing but how much memory the steps touch, and how far apart those are that have to wait for one another.
const NEAR: usize = 8 << 20;

/// A plan that is ready to run.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) steps: Vec<Ready>,
    pub(super) stages: Vec<Stage>,
    pub(super) slots: Slots,
    /// The work is worth more than one thread.
    pub(super) parallel: bool,
    /// Bytes for what steps leave each other beside the plan: totals of folds that were cut, factors that were turned.
    pub(super) aside: usize,
}

/// Numbers of the memories that a plan uses: the arena, then inputs, constants, outputs, what steps leave each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slots {
    pub(super) inputs: usize,
    pub(super) constants: usize,
    pub(super) outputs: usize,
}

impl Slots {
    pub(super) fn of(plan: &Plan) -> Self {
        Self { inputs: plan.inputs.len(), constants: plan.constants.len(), outputs: plan.exits.len() }
    }

    pub(super) fn count(self) -> usize {
        2 + self.inputs + self.constants + self.outputs
    }

    /// That of what steps leave each other beside the plan.
    pub(super) fn last(self) -> usize {
        self.count() - 1
    }

    /// A row-major value there, from this byte on. Its place is the one behind those of all outputs.
    pub(super) fn aside(self, start: usize, meta: Meta) -> Located {
        let (shape, strides) = (meta.shape.clone(), meta.shape.contiguous_strides());
        let layout = Layout::new(shape, strides, start / meta.dtype.size());
        Located { place: Place::Output(self.outputs), layout, meta }
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
    pub(super) fn of_place(self, place: Place) -> (usize, usize) {
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
    /// The result lies over an input, and the kernel cannot work in place.
    pub(super) staged: bool,
    pub(super) cost: f64,
    pub(super) origin: Option<Arc<str>>,
    /// Number of the plan's step that it belongs to.
    pub(super) step: usize,
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
    /// The right factor of a product, in panels.
    Panels,
    /// A product whose right factor lies in panels.
    Product,
    /// A compiled body, after the product it begins with.
    Fused(Box<Compiled>, Option<First>),
    /// Sums over the parts of a fold.
    Total,
    /// A loop.
    Turns(Box<Turns>),
}

/// Elements of one slot that a step reads or writes; from part to part they lie `advance` bytes further on.
#[derive(Debug)]
pub(in crate::backend::cpu) struct Operand {
    pub(in crate::backend::cpu) slot: usize,
    first: usize,
    advance: isize,
    last: usize,
    /// Of every part but the last, and of the last.
    extents: [Extent; 2],
}

/// Elements counted from the lowest byte that they reach.
#[derive(Debug)]
pub(in crate::backend::cpu) struct Extent {
    pub(in crate::backend::cpu) layout: Layout,
    pub(in crate::backend::cpu) meta: Meta,
    pub(super) bytes: usize,
}

impl Operand {
    /// So many parts that lie `advance` bytes apart.
    pub(super) fn new(slot: usize, first: usize, advance: isize, parts: usize, extents: [Extent; 2]) -> Self {
        let last = first.wrapping_add_signed(advance * (parts as isize - 1));
        Self { slot, first, advance, last, extents }
    }

    /// The elements of one of so many parts, and the bytes of the slot that they reach.
    pub(in crate::backend::cpu) fn part(&self, part: usize, parts: usize) -> (&Extent, Range<usize>) {
        let last = part + 1 == parts;
        let start = if last { self.last } else { self.first.wrapping_add_signed(self.advance * part as isize) };
        let extent = &self.extents[usize::from(last)];
        (extent, start..start + extent.bytes)
    }
}

/// Make a plan ready; for several threads where the work is worth it.
pub(super) fn prepare(plan: &Plan) -> Result<Prepared> {
    let costs = plan.steps.iter().map(|step| cost(&step.op, &metas(&step.inputs), &metas(&step.outputs)));
    let parallel = costs.sum::<f64>() > SMALL;
    prepared(plan, parallel, if parallel { Cutting::Worth(Batch::of(&plan.steps)) } else { Cutting::Never })
}

/// The same for a plan that is known to be worth it, where no sum becomes several.
pub(super) fn prepare_apart(plan: &Plan) -> Result<Prepared> {
    prepared(plan, true, Cutting::Apart)
}

fn prepared(plan: &Plan, parallel: bool, cutting: Cutting) -> Result<Prepared> {
    let slots = Slots::of(plan);
    let aliases = aliases(plan, slots);
    let (steps, commit, aside) = ready(plan, 0, cutting)?;
    let stages = if parallel { stages(&steps, commit, &aliases) } else { vec![Stage::whole(&steps)] };
    Ok(Prepared { steps, stages, slots, parallel, aside })
}

/// The steps of a plan, made ready and cut; the number of the first one of the last phase, and the bytes for totals of folds.
/// The last inputs, so many, are right factors in panels.
pub(super) fn ready(plan: &Plan, lifted: usize, cutting: Cutting) -> Result<(Vec<Ready>, usize, usize)> {
    let slots = Slots::of(plan);
    let aliases = aliases(plan, slots);
    let (mut steps, mut aside, mut most, mut commit) = (Vec::with_capacity(plan.steps.len()), 0, 0, usize::MAX);
    for (at, step) in plan.steps.iter().enumerate() {
        if at == plan.commit {
            commit = steps.len();
        }
        if aside >= NEAR {
            aside = 0;
        }
        let first = steps.len();
        let shared = shares(step, slots, cutting, &mut aside);
        let worth = matches!(cutting, Cutting::Worth(_) | Cutting::Apart);
        let packed = if worth && shared.is_none() { packed(step, slots, &mut aside) } else { None };
        let in_panels = packed.is_some() || in_panels(step, plan.inputs.len() - lifted);
        let then = packed.map(|(pack, then)| {
            steps.push(pack);
            then
        });
        let step = then.as_ref().unwrap_or(step);
        let merged = match (&step.op, &step.body) {
            (Op::Fused(op), _) => merge((op, in_panels), step, slots, &aliases, cutting, &mut aside),
            (Op::Scan(op), Some(body)) => turns(op, body, step, slots, cutting, &mut aside)?,
            (Op::Pad { .. } | Op::Concat { .. }, _) if worth => {
                pieces(step).map(|steps| steps.iter().map(|step| alone(step, false, slots, cutting)).collect())
            }
            _ => shared,
        };
        let mut ready = merged.unwrap_or_else(|| vec![alone(step, in_panels, slots, cutting)]);
        ready.iter_mut().try_for_each(|step| check(step, &aliases))?;
        steps.extend(ready);
        steps[first..].iter_mut().for_each(|ready| ready.step = at);
        most = most.max(aside);
    }
    Ok((steps, commit, most))
}

fn metas(side: &[Located]) -> SmallVec<[&Meta; 4]> {
    side.iter().map(|located| &located.meta).collect()
}

/// A step whose op has a kernel of its own.
pub(super) fn alone(step: &Step, in_panels: bool, slots: Slots, cutting: Cutting) -> Ready {
    let (mut inputs, mut outputs, mut op) = (step.inputs.clone(), step.outputs.clone(), step.op.clone());
    let kernel = if in_panels { Kernel::Product } else { kernel(&step.op, &mut inputs, step.outputs.is_empty()) };
    if let (Kernel::Copy, [output], [input]) = (&kernel, &mut outputs[..], &inputs[..]) {
        op = Op::Cast(input.meta.dtype);
        let shape = input.layout.shape().clone();
        output.layout = Layout::new(shape.clone(), shape.contiguous_strides(), output.layout.offset());
        output.meta = input.meta.clone();
    }
    // A check has no result: it is cut as its input lies.
    let written = if outputs.is_empty() { metas(&inputs) } else { metas(&outputs) };
    let cost = cost(&op, &metas(&inputs), &written);
    let rows =
        written.first().and_then(|meta| meta.shape.iter().find(|&&size| size > 1)).map_or(1.0, |&size| size as f64);
    let shape = written.first().map_or(&[][..], |meta| &meta.shape[..]);
    let grain = grain(&op, &inputs, shape, cost / rows, true);
    let cut = cut(&op, &metas(&inputs), &written, grain, cutting.of(step));
    let of = |located: &Located, axis: Option<usize>| operand(slots, located, axis.zip(cut.as_ref()));
    Ready {
        inputs: inputs.iter().enumerate().map(|(i, l)| of(l, cut.as_ref().and_then(|c| c.inputs[i]))).collect(),
        outputs: outputs.iter().map(|l| of(l, cut.as_ref().map(|c| c.axis))).collect(),
        parts: cut.as_ref().map_or(1, |c| c.parts),
        staged: false,
        cost,
        kernel,
        origin: step.origin.clone(),
        step: 0,
    }
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

/// A value as bytes of a slot, whole or cut along an axis.
pub(super) fn operand(slots: Slots, located: &Located, cut: Option<(usize, &Cut)>) -> Operand {
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
            // What has no elements lies in one place for all parts.
            let (skipped, step) = if located.meta.shape.numel() == 0 { (0, 0) } else { (skipped, cut.rows * size) };
            (part(axis, cut.rows, 0), part(axis, rest, skipped), layout.strides()[axis] * step as isize)
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
pub(super) fn aliases(plan: &Plan, slots: Slots) -> Vec<usize> {
    let mut aliases: Vec<usize> = (0..slots.count()).collect();
    for (i, exit) in plan.exits.iter().enumerate() {
        if let Exit::Replaced { input, .. } = exit {
            aliases[slots.output(i)] = Slots::input(*input);
        }
    }
    aliases
}

impl Ready {
    /// Whether its parts are tasks of their own, which were shown to keep apart though their operands are whole.
    pub(super) fn is_apart(&self) -> bool {
        matches!(self.kernel, Kernel::Turns(_))
    }

    /// Bytes that all parts read and write, each once.
    pub(super) fn bytes(&self) -> u64 {
        let bytes = |operand: &Operand| {
            let parts = if operand.advance == 0 { 1 } else { self.parts };
            (0..parts).map(|part| operand.part(part, parts).0.bytes as u64).sum::<u64>()
        };
        self.inputs.iter().chain(&self.outputs).map(bytes).sum()
    }

    /// Bytes that one part reads and writes.
    pub(super) fn accesses<'a>(&'a self, part: usize, aliases: &'a [usize]) -> impl Iterator<Item = Access> + 'a {
        let sides = self.inputs.iter().map(|i| (i, false)).chain(self.outputs.iter().map(|o| (o, true)));
        sides.map(move |(operand, write)| {
            let (_, range) = operand.part(part, self.parts);
            Access { slot: aliases[operand.slot], start: range.start, end: range.end, write }
        })
    }
}

/// No part of a step may write what another part touches; elements may be written where the same part reads them.
fn check(step: &mut Ready, aliases: &[usize]) -> Result<()> {
    let parts = if step.is_apart() { 1 } else { step.parts };
    let parts: Vec<SmallVec<[Access; 4]>> = (0..parts).map(|part| step.accesses(part, aliases).collect()).collect();
    let mut staged = false;
    for (i, part) in parts.iter().enumerate() {
        for (k, write) in part.iter().enumerate().filter(|(_, access)| access.write) {
            let other = |l: usize, other: &Access| l != k && write.meets(other);
            staged |= part.iter().enumerate().any(|(l, read)| !read.write && other(l, read));
            let inside = part.iter().enumerate().find(|&(l, access)| access.write && other(l, access));
            let outside = parts.iter().enumerate().filter(|&(j, _)| j != i).flat_map(|(_, other)| other.iter());
            let found = inside.map(|(_, other)| other).or_else(|| outside.into_iter().find(|other| write.meets(other)));
            if let Some(other) = found {
                let (range, used) = (write.start..write.end, other.start..other.end);
                return Err(Error::bug("plan", format!("bytes {range:?} are written while {used:?} are in use")));
            }
        }
    }
    step.staged = staged && !matches!(step.kernel, Kernel::Fused(..));
    match &step.kernel {
        Kernel::Op(Op::Unary(_) | Op::Binary(_) | Op::Select | Op::Fused(_)) => Ok(()),
        _ if step.staged => Err(Error::bug("plan", "a step that writes over what it reads")),
        _ => Ok(()),
    }
}
