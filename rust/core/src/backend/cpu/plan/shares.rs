//! Sums over the rows of a batch in shares: each task adds up its own rows, and a later step what the tasks leave.
//!
//! So the gradient of a weight needs no row from another thread. How many shares there are is a function of shapes alone: no
//! bit of a sum depends on the number of threads.

use super::super::arch::{self, Lanes, dispatch};
use super::super::element::Float;
use super::super::kernel::{Dst, Src};
use super::super::scratch;
use super::cut::{Batch, Cut, Cutting, LEAST, cost, parts};
use super::prepare::{Extent, Kernel, Operand, Ready, Slots, operand};
use crate::buffer::Meta;
use crate::dtype::DType;
use crate::error::Result;
use crate::ir::op::{Op, ReduceOp};
use crate::ir::plan::{Located, Step};
use crate::layout::Layout;
use crate::shape::Shape;
use bytemuck::Pod;
use smallvec::{SmallVec, smallvec};

/// Shares at most.
const MOST: usize = 8;

/// Terms of a share at least, and where what it leaves is small.
const TERMS: usize = 256;
const FEW_TERMS: usize = 64;

/// Bytes that are small for what a share leaves, and bytes that all shares together leave at most.
const SMALL: usize = 64 << 10;
const LARGE: usize = 2 << 20;

/// The steps of a sum over many rows, if it is worth more than one share: the shares, and the sum of what they leave.
pub(super) fn shares(step: &Step, slots: Slots, cutting: Cutting, aside: &mut usize) -> Option<Vec<Ready>> {
    let Cutting::Worth(batch) = cutting else { return None };
    let output = step.outputs.first()?;
    let Over { op, inputs, terms } = over(step, output)?;
    let (first, axis) = inputs.first()?;
    let size = first.meta.shape[*axis];
    if size == 0 || output.meta.shape.numel() == 0 {
        return None;
    }
    if op == Op::MatMul && batch.is_none_or(|batch| batch.rows != size) {
        return None;
    }
    let metas: SmallVec<[&Meta; 2]> = inputs.iter().map(|(input, _)| &input.meta).collect();
    let cost = cost(&op, &metas, &[&output.meta]);
    let rows = size.div_ceil(count((size, terms), output.meta.bytes(), cost, batch));
    let count = size.div_ceil(rows);
    if count < 2 {
        return None;
    }
    let cut = |axis: usize| Cut { axis, inputs: smallvec![], rows, parts: count };
    // Shares of a sum are rounded once, with the whole: it has the bits of the sum in one go but for rare ties.
    let dtype = if matches!(op, Op::Reduce { .. }) { DType::F64 } else { output.meta.dtype };
    let left = Meta::new(output.meta.shape.clone(), dtype);
    let share = Ready {
        kernel: Kernel::Op(op),
        inputs: inputs.iter().map(|(input, axis)| operand(slots, input, Some((*axis, &cut(*axis))))).collect(),
        outputs: smallvec![share(slots, *aside, &left, count)],
        parts: count,
        staged: false,
        cost,
        origin: step.origin.clone(),
        step: 0,
    };
    Some(vec![share, total(slots, dtype, count, output, step, aside)])
}

/// A sum over rows: the op, its inputs with the axis of the rows in each, and how many terms each element of the result has.
struct Over {
    op: Op,
    inputs: SmallVec<[(Located, usize); 2]>,
    terms: usize,
}

/// What a step adds up over rows, if it does.
fn over(step: &Step, output: &Located) -> Option<Over> {
    let float = matches!(output.meta.dtype, DType::F32 | DType::F64) && output.layout.is_contiguous();
    if !float || step.inputs.iter().any(|input| input.meta.dtype != output.meta.dtype) {
        return None;
    }
    match (&step.op, &step.inputs[..]) {
        (Op::MatMul, [a, b]) => {
            let (rank, lead) = (a.meta.shape.len(), output.meta.shape.len() - 2);
            let alone = output.meta.shape[..lead].iter().all(|&size| size == 1);
            let inputs = smallvec![(a.clone(), rank - 1), (b.clone(), rank - 2)];
            alone.then(|| Over { op: Op::MatMul, inputs, terms: a.meta.shape[rank - 1] })
        }
        (Op::Reduce { op: ReduceOp::Sum, axes }, [x]) => {
            let shape = &x.meta.shape;
            let terms = axes.iter().map(|&axis| shape[axis]).product();
            let axis = axes.iter().copied().find(|&axis| shape[axis] > 1)?;
            if axes.iter().copied().eq(0..axes.len()) && x.layout.is_contiguous() {
                // Rows of several axes are rows of one, and are cut where those of products are.
                let shape: Shape = [terms].iter().chain(&shape[axes.len()..]).copied().collect();
                let layout = Layout::new(shape.clone(), shape.contiguous_strides(), x.layout.offset());
                let rows = Located { place: x.place, layout, meta: Meta::new(shape, x.meta.dtype) };
                let op = Op::Reduce { op: ReduceOp::Sum, axes: vec![0] };
                return Some(Over { op, inputs: smallvec![(rows, 0)], terms });
            }
            let first = shape.iter().position(|&size| size > 1) == Some(axis);
            first.then(|| Over { op: step.op.clone(), inputs: smallvec![(x.clone(), axis)], terms })
        }
        _ => None,
    }
}

/// Shares of a sum that is cut along so many rows: as many as tasks hold the rows, or as they can share.
fn count((size, terms): (usize, usize), bytes: usize, cost: f64, batch: Option<Batch>) -> usize {
    let least = if bytes <= SMALL { FEW_TERMS } else { TERMS };
    let most = (terms / least).min(LARGE / bytes.max(1)).min(MOST).min(size);
    match batch {
        Some(batch) if batch.rows == size => (1..=most).rev().find(|&count| batch.parts.is_multiple_of(count)),
        _ => Some(most.min((cost / LEAST) as usize)),
    }
    .unwrap_or(1)
    .max(1)
}

/// What parts leave beside the plan, one after the other: each a value like this.
pub(super) fn share(slots: Slots, start: usize, meta: &Meta, parts: usize) -> Operand {
    let extent = || Extent { layout: Layout::contiguous(meta.shape.clone()), meta: meta.clone(), bytes: meta.bytes() };
    Operand::new(slots.last(), start, meta.bytes() as isize, parts, [extent(), extent()])
}

/// The step that adds up what so many parts have left from there on, in their order; takes the room for it.
pub(super) fn total(
    slots: Slots,
    dtype: DType,
    count: usize,
    output: &Located,
    step: &Step,
    aside: &mut usize,
) -> Ready {
    let shape = &output.meta.shape;
    let width = shape.numel();
    let left = slots.aside(*aside, Meta::new([count, width], dtype));
    *aside += left.meta.bytes().next_multiple_of(64);
    let cost = (width * (count + 1)) as f64 * 0.04;
    let axis = shape.iter().position(|&size| size > 1).unwrap_or(0);
    let size = shape.get(axis).copied().unwrap_or(1);
    let each = size.div_ceil(parts(size, cost, 1).max(1)).max(1);
    let pieces = size.div_ceil(each).max(1);
    let cut = |axis, rows| Cut { axis, inputs: smallvec![], rows, parts: pieces };
    let (down, across) = (cut(axis, each), cut(1, each * (width / size.max(1))));
    let cut = pieces > 1;
    Ready {
        kernel: Kernel::Total,
        inputs: smallvec![operand(slots, &left, cut.then_some((1, &across)))],
        outputs: smallvec![operand(slots, output, cut.then_some((axis, &down)))],
        parts: pieces,
        staged: false,
        cost,
        origin: step.origin.clone(),
        step: 0,
    }
}

/// Add up what parts have left, in their order.
pub(super) fn add_up(left: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    match (left.dtype, out.meta.dtype) {
        (DType::F64, DType::F64) => dispatch(Sum { left, to: out.elements::<f64>()? }),
        (DType::F64, _) => scratch::with::<f64, _>(out.meta.shape.numel(), |sums| {
            dispatch(Sum { left, to: &mut *sums })?;
            out.elements::<f32>()?.iter_mut().zip(sums).for_each(|(out, sum)| *out = *sum as f32);
            Ok(())
        }),
        _ => dispatch(Sum { left, to: out.elements::<f32>()? }),
    }
}

/// The sum of rows.
struct Sum<'a, 'b, T> {
    left: &'a Src<'a>,
    to: &'b mut [T],
}

impl<T: Float + Pod> arch::Kernel<T> for Sum<'_, '_, T> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, _: L) -> Result<()> {
        let (elements, layout) = (self.left.elements::<T>()?, self.left.layout);
        let step = layout.strides()[0].unsigned_abs();
        for part in 0..layout.shape()[0] {
            let from = elements.get(layout.offset() + part * step..).unwrap_or_default();
            for (to, &from) in self.to.iter_mut().zip(from) {
                *to = if part == 0 { from } else { to.merge(from) };
            }
        }
        Ok(())
    }
}
