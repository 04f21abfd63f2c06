//! Where a step may be cut: its result along the first axis that has a size, and what each input contributes to a part.
//!
//! Where a sum depends on the parts, a cut is a function of shapes alone, so the order of every sum is the same on any number
//! of threads.

use super::super::{conv, threads};
use crate::buffer::Meta;
use crate::ir::cost::flops;
use crate::ir::fused::FusedKind;
use crate::ir::op::{Composite, Op};
use crate::ir::plan::{Located, Place, Step};
use smallvec::SmallVec;

/// Rows of a part where a row is little work: enough that a matrix product reads its right factor seldom.
const ROWS: usize = 64;

/// The same for a product whose right factor lies by columns: every part packs all of it first.
const ROWS_TO_PACK: usize = 256;

/// Rows of a part of a product at least, where other steps are cut into so many parts.
const LOW: usize = 16;

/// Bytes of a right factor that stay near a thread; every part reads a larger one from afar, so that parts are better few.
const NEAR: usize = 1 << 20;

/// Columns of a part of a fold over rows, whatever work they are: enough that rows are read by several lines at a time.
const COLUMNS: usize = 128;

/// Parts of a step at most, and of a step whose rows are much work each.
const PARTS: usize = 16;

/// Work, in nanoseconds, below which a part is not worth its own.
pub(super) const LEAST: f64 = 500.0;

/// A row of so many nanoseconds is much work.
const HEAVY: f64 = 4000.0;

/// Whether steps are cut.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cutting {
    /// No step is.
    Never,
    /// Those are that are worth it, and those that stand between the parts of such.
    Worth(Option<Batch>),
    /// Those are that are worth it, where no sum becomes several: then bits depend on nothing but the op and its numbers.
    Apart,
    /// All are, at the same rows of `whole`, into parts of so many.
    Rows { whole: usize, part: usize },
}

/// The rows that most of a plan's work goes through, and how many parts they are cut into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Batch {
    pub(super) rows: usize,
    pub(super) parts: usize,
}

impl Batch {
    /// Of the rows that products and convolutions have, those that cost most, with the gradients of weights, which add them up.
    /// A function of shapes alone.
    pub(super) fn of(steps: &[Step]) -> Option<Self> {
        let factored: Vec<Factored> = steps.iter().filter_map(Factored::of).collect();
        let mut found: Vec<(Self, f64)> = vec![];
        for &Factored { rows, least, cost, .. } in &factored {
            let parts = parts(rows, cost, least);
            match found.iter_mut().find(|(batch, _)| batch.rows == rows) {
                Some((batch, all)) => (batch.parts, *all) = (batch.parts.max(parts), *all + cost),
                None => found.push((Self { rows, parts }, cost)),
            }
        }
        for (batch, all) in &mut found {
            *all += factored.iter().filter(|step| step.terms == batch.rows).map(|step| step.cost).sum::<f64>();
        }
        found.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(batch, _)| batch).filter(|batch| batch.parts > 1)
    }
}

/// A product of matrices or a convolution: rows of the result, and the fewest that are a part; the rows that its sums add up.
#[derive(Clone, Copy)]
struct Factored {
    rows: usize,
    least: usize,
    terms: usize,
    cost: f64,
}

impl Factored {
    fn of(step: &Step) -> Option<Self> {
        let (op, output) = factored(step)?;
        let [left, right] = [&step.inputs.first()?.meta, &step.inputs.get(1)?.meta];
        let cost = cost(op, &[left, right], &[output]);
        if let Op::Conv(conv) = op {
            let narrow = right.shape[2..].iter().product::<usize>() <= output.shape[2..].iter().product();
            let (rows, terms) = if narrow { (output.shape[0], 0) } else { (1, right.shape[1]) };
            return (conv.batch_groups == 1).then_some(Self { rows, least: 1, terms, cost });
        }
        let alone = output.shape.iter().rev().skip(2).all(|&size| size == 1);
        let rows = alone.then(|| output.shape.iter().copied().find(|&size| size > 1)).flatten()?;
        Some(Self { rows, least: ROWS, terms: *left.shape.last()?, cost })
    }
}

impl Cutting {
    /// What holds for a step: one that reads nothing which another has made need not be cut like others, and a product is not cut
    /// into more parts for their sake if its right factor is large, or its parts become low. The rows of a kernel's gradient are
    /// none of the batch.
    pub(super) fn of(self, step: &Step) -> Self {
        let Self::Worth(Some(batch)) = self else { return self };
        let made = step.inputs.iter().any(|input| matches!(input.place, Place::Arena(_)));
        let low = batch.rows < LOW * batch.parts;
        let gradient = matches!(step.op, Op::Conv(_)) && is_gradient(&step.inputs[1], &step.outputs[0].meta.shape);
        let apart = gradient || product(step).is_some() && (low || step.inputs[1].meta.bytes() > NEAR);
        Self::Worth(if made && !apart { Some(batch) } else { None })
    }

    /// Rows of a part, and the number of parts, along an axis of this size; `worth` says how many parts are worth it.
    pub(super) fn split(self, size: usize, worth: impl FnOnce() -> usize) -> Option<(usize, usize)> {
        let rows = match self {
            Self::Never => return None,
            Self::Worth(_) | Self::Apart => {
                let batch = if let Self::Worth(batch) = self { batch } else { None };
                let alike = batch.filter(|batch| batch.rows == size).map_or(0, |batch| batch.parts);
                match worth() {
                    0 | 1 if alike < 2 => return None,
                    parts => size.div_ceil(parts.max(alike)),
                }
            }
            Self::Rows { whole, part } if size.is_multiple_of(whole) => size / whole * part,
            Self::Rows { .. } => return None,
        };
        Some((rows, size.div_ceil(rows)))
    }
}

/// The product of matrices that a step is or begins with, and its result.
pub(super) fn product(step: &Step) -> Option<(&Op, &Meta)> {
    factored(step).filter(|(op, _)| **op == Op::MatMul)
}

/// The same of a product or a convolution.
fn factored(step: &Step) -> Option<(&Op, &Meta)> {
    let (op, result) = match &step.op {
        Op::Fused(op) if op.kind() == FusedKind::Product => {
            (&op.body.instructions.first()?.op, &op.body.metas[op.body.first_result()])
        }
        op => (op, &step.outputs.first()?.meta),
    };
    matches!(op, Op::MatMul | Op::Conv(_)).then_some((op, result))
}

/// How a step is cut.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Cut {
    /// Axis of every result.
    pub(super) axis: usize,
    /// Axis of each input that is cut alike; none where every part reads all of it.
    pub(super) inputs: SmallVec<[Option<usize>; 4]>,
    /// Rows of each part; the last may have fewer.
    pub(super) rows: usize,
    /// Number of parts.
    pub(super) parts: usize,
}

/// The cut of an op, if it has one; where it has to be worth it, in parts of at least `grain` rows.
pub(super) fn cut(op: &Op, inputs: &[&Meta], outputs: &[&Meta], grain: usize, cutting: Cutting) -> Option<Cut> {
    let shape = &outputs.first()?.shape;
    let axis = shape.iter().position(|&size| size > 1)?;
    let sizes = shape[axis];
    let sides = sides(op, axis, inputs, outputs)?;
    if sides.iter().zip(inputs).any(|(side, meta)| side.is_some_and(|a| meta.shape[a] != sizes)) {
        return None;
    }
    let least = if matches!(op, Op::Conv(_)) { conv::LEAST[axis.min(1)].min(grain) } else { 1 };
    let (rows, parts) = cutting.split(sizes, || even(sizes, parts(sizes, cost(op, inputs, outputs), grain), least))?;
    Some(Cut { axis, inputs: sides, rows, parts })
}

/// At most so many parts for so many rows, so few that the last is no smaller than `least`.
fn even(rows: usize, parts: usize, least: usize) -> usize {
    let last = |parts: usize| rows - (rows.div_ceil(rows.div_ceil(parts)) - 1) * rows.div_ceil(parts);
    (1..=parts).rev().find(|&parts| last(parts) >= least).unwrap_or(parts)
}

/// Parts for so many rows of so much work together, each of at least `grain` rows but for the sake of having two.
pub(super) fn parts(rows: usize, cost: f64, grain: usize) -> usize {
    let wanted = if rows >= grain { (rows / grain).max(2) } else { 2 * rows / grain };
    wanted.min(PARTS).min(rows).min((cost / LEAST) as usize)
}

/// Examples or outputs of a part of a convolution that fill registers with them.
const LANES: usize = 16;

/// Channels of a part of a kernel's gradient at least, where two parts have as many: each part reads all of the other factor.
const CHANNELS: usize = 64;

/// Whether a convolution has more taps than places, as the gradient of a kernel does.
fn is_gradient(kernel: &Located, shape: &[usize]) -> bool {
    kernel.meta.shape[2..].iter().product::<usize>() > shape[2..].iter().product()
}

/// Entries of a part, where each entry of the cut axis takes so many nanoseconds and holds the rows of the axes after it.
///
/// Parts may depend on the number of threads if they are `free`: if no bit depends on them. Where folds add up what parts leave,
/// bits do.
pub(super) fn grain(op: &Op, inputs: &[Located], shape: &[usize], entry: f64, free: bool) -> usize {
    let axis = shape.iter().position(|&size| size > 1).unwrap_or(0);
    let inner = shape.len().saturating_sub(1).max(axis + 1).min(shape.len());
    if let (Op::Conv(_), [_, kernel, ..]) = (op, inputs) {
        return match (is_gradient(kernel, shape), axis) {
            (true, 0) => (shape[0] / 2).clamp(LANES, CHANNELS),
            (true, _) | (_, 1) => LANES,
            _ => 1,
        };
    }
    let rows = match (op, inputs) {
        (Op::MatMul, [_, b, ..]) if axis + 2 == shape.len() && lies_by_columns(b) => ROWS_TO_PACK,
        (Op::MatMul, [_, b, ..]) if free && axis + 2 == shape.len() && b.meta.bytes() > NEAR => {
            (shape[axis] / (2 * threads::num_threads().max(2))).clamp(ROWS, 4 * ROWS)
        }
        (Op::MatMul, _) => ROWS,
        (Op::Reduce { axes, .. }, [x]) if axis + 1 == shape.len() && !axes.contains(&(x.meta.shape.len() - 1)) => {
            COLUMNS
        }
        _ if entry >= HEAVY => 1,
        _ => ROWS,
    };
    rows.div_ceil(shape[(axis + 1).min(inner)..inner].iter().product::<usize>().max(1))
}

/// Whether the right factor of a product has its columns side by side in memory, so that a product has to turn it.
pub(super) fn lies_by_columns(b: &Located) -> bool {
    b.layout.strides().last().is_some_and(|&step| step != 1)
}

/// Whether a product is cut into parts that would each pack the whole right factor, so that it is better packed once before.
pub(super) fn packs_often(op: &Op, inputs: &[Located], output: &Meta) -> bool {
    let (Op::MatMul, [a, b, ..]) = (op, inputs) else { return false };
    let (rank, metas) = (a.meta.shape.len(), [&a.meta, &b.meta]);
    let alone = a.meta.shape[..rank - 2].iter().all(|&size| size == 1);
    alone && output.shape[rank - 1] > 1 && parts(output.shape[rank - 2], cost(op, &metas, &[output]), ROWS) > 1
}

/// For each input the axis that goes with `axis` of the result; nothing where the op cannot be cut there.
fn sides(op: &Op, axis: usize, inputs: &[&Meta], outputs: &[&Meta]) -> Option<SmallVec<[Option<usize>; 4]>> {
    let all = |axis: usize| Some(inputs.iter().map(|_| Some(axis)).collect());
    match op {
        Op::Fill { .. } | Op::Unary(_) | Op::Binary(_) | Op::Compare(_) | Op::Select | Op::Cast(_) => all(axis),
        Op::CheckFinite { .. } | Op::CheckIndex { .. } => all(axis),
        Op::Reduce { axes, .. } => all((0..inputs[0].shape.len()).filter(|a| !axes.contains(a)).nth(axis)?),
        Op::ArgReduce { axis: gone, .. } => all(if axis < *gone { axis } else { axis + 1 }),
        Op::Cumulate { axis: along, .. }
        | Op::Concat { axis: along }
        | Op::Sort { axis: along, .. }
        | Op::Composite(Composite::LogSoftmax { axis: along } | Composite::LogSoftmaxGrad { axis: along }) => {
            if *along == axis { None } else { all(axis) }
        }
        Op::Pad { low, high, interior, .. } => {
            if (low[axis], high[axis], interior[axis]) == (0, 0, 0) {
                all(axis)
            } else {
                None
            }
        }
        Op::MatMul => {
            let rank = outputs[0].shape.len();
            match axis {
                _ if axis + 2 < rank => all(axis),
                _ if axis + 2 == rank => Some(SmallVec::from_slice(&[Some(axis), None])),
                _ => None,
            }
        }
        Op::Conv(conv) => {
            if conv.batch_groups != 1 {
                return None;
            }
            match axis {
                0 => Some(SmallVec::from_slice(&[Some(0), None])),
                1 if conv.groups == 1 => Some(SmallVec::from_slice(&[None, Some(0)])),
                _ => None,
            }
        }
        Op::Gather { axis: gone } => match axis {
            _ if axis < *gone => Some(SmallVec::from_slice(&[Some(axis), None])),
            _ if axis < gone + inputs[1].shape.len() => Some(SmallVec::from_slice(&[None, Some(axis - gone)])),
            _ => None,
        },
        Op::ScatterAdd { axis: along } => {
            if axis < *along {
                Some(SmallVec::from_slice(&[Some(axis), None, Some(axis)]))
            } else {
                None
            }
        }
        Op::Composite(Composite::Pool(pool) | Composite::PoolGrad { pool, .. }) => {
            if axis + pool.window.len() < outputs[0].shape.len() { all(axis) } else { None }
        }
        // A query that sees keys up to its own place has to know that place.
        Op::Composite(Composite::Attention { causal: false }) if axis + 2 == outputs[0].shape.len() => {
            Some(SmallVec::from_slice(&[Some(axis), None, None]))
        }
        Op::Composite(Composite::Attention { .. } | Composite::AttentionGrad { .. }) => {
            if axis + 2 < outputs[0].shape.len() { all(axis) } else { None }
        }
        Op::Linalg(_) => {
            let lead = inputs.iter().map(|meta| meta.shape.len().saturating_sub(2)).min()?;
            if axis < lead { all(axis) } else { None }
        }
        Op::Leaf | Op::Iota { .. } | Op::Random { .. } | Op::View(_) | Op::Scan(_) | Op::Fused(_) => None,
    }
}

/// Nanoseconds that a step takes on one thread, roughly.
pub(super) fn cost(op: &Op, inputs: &[&Meta], outputs: &[&Meta]) -> f64 {
    let count = |metas: &[&Meta]| metas.iter().map(|meta| meta.shape.numel()).max().unwrap_or(0) as f64;
    let (read, written) = (count(inputs), count(outputs));
    let each = read.max(written);
    match op {
        Op::MatMul => {
            let depth = inputs[0].shape.last().copied().unwrap_or(1) as f64;
            // Few rows or columns fill no tile.
            let [rows, columns] =
                outputs[0].shape.last_chunk().copied().unwrap_or([1, 1]).map(|size| size.max(1) as f64);
            let unused = (8.0 / rows).max(1.0) * (16.0 / columns).max(1.0);
            written * (unused.min(16.0) * depth / 100.0 + 0.1)
        }
        Op::Conv(conv) => {
            let window: usize = inputs[1].shape[1..].iter().product();
            written * (window as f64 / conv.batch_groups as f64 / 100.0 + 0.1)
        }
        Op::Composite(Composite::Pool(pool) | Composite::PoolGrad { pool, .. }) => {
            let window: usize = pool.window.iter().product();
            each * 0.3 + read.min(written) * window as f64 * 0.1
        }
        Op::Composite(Composite::Attention { .. } | Composite::AttentionGrad { .. }) => {
            flops(op, inputs, outputs) as f64 / 200.0
        }
        Op::Fused(fused) => {
            let first = fused.body.instructions.first().map(|instruction| &instruction.op);
            let product = first
                .filter(|_| fused.kind() == FusedKind::Product)
                .map_or(0.0, |op| cost(op, &inputs[..2], &[&fused.body.metas[fused.body.first_result()]]));
            product + fused.space().numel() as f64 * 0.05 * fused.body.instructions.len() as f64
        }
        Op::Scan(scan) => {
            let body = scan.body.instructions.iter().map(|instruction| {
                let meta = |id: &usize| &scan.body.metas[*id];
                let reads: SmallVec<[&Meta; 4]> = instruction.inputs.iter().map(meta).collect();
                cost(&instruction.op, &reads, &[&scan.body.metas[instruction.first]])
            });
            scan.length as f64 * body.sum::<f64>()
        }
        Op::Sort { .. } | Op::Random { .. } => each * 10.0,
        Op::Composite(_) | Op::Unary(_) | Op::Reduce { .. } | Op::ArgReduce { .. } | Op::Cumulate { .. } => each,
        Op::Linalg(_) => {
            let side = inputs[0].shape.last().copied().unwrap_or(1) as f64;
            each * side
        }
        Op::Leaf
        | Op::Fill { .. }
        | Op::Iota { .. }
        | Op::Binary(_)
        | Op::Compare(_)
        | Op::Select
        | Op::Cast(_)
        | Op::View(_)
        | Op::Pad { .. }
        | Op::Concat { .. }
        | Op::Gather { .. }
        | Op::ScatterAdd { .. }
        | Op::CheckFinite { .. }
        | Op::CheckIndex { .. } => 0.2 * each,
    }
}
