//! Fused bodies: a thread for each place of the space where nothing is folded, else rows, else columns.

use super::body::Values;
use super::column::columns;
use super::epilogue::{Epilogue, along};
use super::row::rows;
use super::{conv, product};
use crate::backend::gpu::choices::Choices;
use crate::backend::gpu::launch::{Launch, Lowered, Slot, View};
use crate::backend::gpu::shader::{Kind, Operand, Shader};
use crate::backend::gpu::space::Space;
use crate::dtype::DType;
use crate::error::Result;
use crate::ir::fused::{FusedKind, FusedOp};
use crate::ir::op::Op;
use crate::ir::program::{Program, ValueId};
use crate::shape::Shape;

/// A body and where its values lie.
#[derive(Clone, Copy)]
pub(in crate::backend::gpu) struct Bound<'a> {
    /// What is computed.
    pub(in crate::backend::gpu) body: &'a Program,
    /// The iteration space.
    pub(in crate::backend::gpu) space: &'a Shape,
    /// Where inputs lie.
    pub(in crate::backend::gpu) inputs: &'a [View],
}

/// An output of a kernel: a value of the body, its slot, and where it is put.
pub(in crate::backend::gpu) type Output<'a> = (ValueId, Slot, &'a View);

/// The dispatches of a body; none where it has no kernel and runs op by op.
pub(in crate::backend::gpu) fn fused(
    op: &FusedOp,
    inputs: &[View],
    outputs: &[View],
    choices: &Choices,
) -> Result<Option<Lowered>> {
    let (body, space) = (&*op.body, op.space());
    if op.kind() == FusedKind::Product {
        return epilogue(body, &space, inputs, outputs, choices);
    }
    let bound = Bound { body, space: &space, inputs };
    let all = || body.outputs.iter().zip(outputs).enumerate();
    let output = |(place, (&value, view)): (usize, (&ValueId, &'_ View))| (value, place, view.clone());
    let (totals, rest): (Vec<_>, Vec<_>) = all().map(output).partition(|(value, ..)| bound.is_total(*value));
    let outputs = |found: &'_ [(ValueId, usize, View)]| -> Vec<(ValueId, Slot, View)> {
        found.iter().map(|(value, place, view)| (*value, Slot::Output(*place), view.clone())).collect()
    };
    let (totals, mut rest) = (outputs(&totals), outputs(&rest));
    if !bound.has_kernel(&totals, &rest) {
        return Ok(None);
    }
    let needed = bound.row_folds(totals.iter().map(|(value, ..)| *value));
    // A kernel must not write what a later one still reads.
    let over = |view: &View| {
        view.home.is_some_and(|home| home != Slot::Arena && inputs.iter().any(|input| input.home == Some(home)))
    };
    let narrow = |view: &View| *view.shape() != space;
    if rest.iter().any(|(.., view)| over(view) && (narrow(view) || !needed.is_empty())) {
        return Ok(None);
    }
    let mut lowered = Lowered::default();
    let mut shelf = Vec::new();
    for &fold in &needed {
        let shape = space.with(space.len() - 1, 1);
        let slot = Slot::Scratch(lowered.scratch.len());
        lowered.scratch.push(4 * shape.numel());
        let view = View::whole(shape, DType::F32);
        rest.push((fold, slot, view.clone()));
        shelf.push((fold, slot, view));
    }
    let by_row = |rest: &[(ValueId, Slot, View)]| -> Result<Option<Launch>> {
        let rest: Vec<Output<'_>> = rest.iter().map(|(value, slot, view)| (*value, *slot, view)).collect();
        if rest.is_empty() {
            return Ok(None);
        }
        let folds = !bound.row_folds(rest.iter().map(|(value, ..)| *value)).is_empty();
        if folds { rows(bound, &rest, choices.row_threads) } else { flat(bound, &rest) }.map(Some)
    };
    let by_column = || -> Result<Option<Launch>> {
        let totals: Vec<Output<'_>> = totals.iter().map(|(value, slot, view)| (*value, *slot, view)).collect();
        let shelf: Vec<Output<'_>> = shelf.iter().map(|(value, slot, view)| (*value, *slot, view)).collect();
        if totals.is_empty() { Ok(None) } else { columns(bound, &totals, &shelf).map(Some) }
    };
    let launches = if needed.is_empty() { [by_column()?, by_row(&rest)?] } else { [by_row(&rest)?, by_column()?] };
    lowered.launches = launches.into_iter().flatten().collect();
    Ok(Some(lowered))
}

fn epilogue(
    body: &Program,
    space: &Shape,
    inputs: &[View],
    outputs: &[View],
    choices: &Choices,
) -> Result<Option<Lowered>> {
    if outputs.iter().any(|view| view.shape() != space) {
        return Ok(None);
    }
    let end = Epilogue::Body { body, inputs, outputs };
    let lowered = match &body.instructions[0].op {
        Op::Conv(attributes) => conv::conv(attributes, &inputs[0], &inputs[1], end, choices)?,
        _ => product::matmul(&inputs[0], &inputs[1], end, choices)?,
    };
    Ok(Some(lowered))
}

impl<'a> Bound<'a> {
    /// The value that a fold makes, behind the reshape that puts its axes back.
    fn fold_of(&self, value: ValueId) -> Option<(ValueId, &'a [usize])> {
        let maker = Values::new(self.body).maker(value)?;
        match &maker.op {
            Op::Reduce { axes, .. } => Some((value, axes)),
            Op::View(_) => self.fold_of(maker.inputs[0]),
            _ => None,
        }
    }

    /// Whether a value is known only after the last row.
    fn is_total(&self, value: ValueId) -> bool {
        let rank = self.space.len();
        self.fold_of(value).is_some_and(|(_, axes)| axes.len() + 1 == rank && axes[0] == 0 && rank > 1)
    }

    /// Folds over the columns that values need, first ones first.
    pub(super) fn row_folds(&self, values: impl Iterator<Item = ValueId>) -> Vec<ValueId> {
        let known = Values::new(self.body);
        let (mut pending, mut found): (Vec<ValueId>, Vec<ValueId>) = (values.collect(), Vec::new());
        let mut seen = vec![false; self.body.metas.len()];
        while let Some(value) = pending.pop() {
            let Some(maker) = known.maker(value).filter(|_| !std::mem::replace(&mut seen[value], true)) else {
                continue;
            };
            if let Op::Reduce { axes, .. } = &maker.op
                && axes[..] == [self.space.len() - 1]
            {
                found.push(value);
            }
            pending.extend(&maker.inputs);
        }
        found.sort_unstable();
        found
    }

    /// Whether the kernels here can run the body.
    fn has_kernel(&self, totals: &[(ValueId, Slot, View)], rest: &[(ValueId, Slot, View)]) -> bool {
        let rank = self.space.len();
        let fold = |axes: &[usize]| axes == [rank - 1] || (rank > 1 && axes.iter().copied().eq(0..rank - 1));
        let folds = self.body.instructions.iter().all(|instruction| match &instruction.op {
            Op::Reduce { axes, .. } => fold(axes),
            _ => true,
        });
        let float = |value: ValueId| Kind::of(self.body.metas[value].dtype) == Kind::Float;
        let whole = |shape: &Shape| shape == self.space;
        let row = |shape: &Shape| *shape == self.space.with(rank - 1, 1);
        let fits = rest.iter().all(|(.., view)| whole(view.shape()) || row(view.shape()));
        rank > 0
            && folds
            && fits
            && totals.iter().all(|(value, _, view)| float(*value) && view.shape()[rank - 1] == self.space[rank - 1])
    }

    /// Bind the inputs of the body and give their strides along the space.
    pub(super) fn bind(&self, shader: &mut Shader) -> Vec<(Operand, Vec<isize>)> {
        let input =
            |(place, view): (usize, &View)| (shader.operand(Slot::Input(place), view), along(view, self.space.len()));
        self.inputs.iter().enumerate().map(input).collect()
    }
}

/// A thread for each place.
fn flat(bound: Bound<'_>, outputs: &[Output<'_>]) -> Result<Launch> {
    let mut shader = Shader::default();
    let count = bound.space.numel();
    let place = shader.each(count);
    let rank = bound.space.len();
    let inputs = bound.bind(&mut shader);
    let targets: Vec<(Operand, Vec<isize>)> =
        outputs.iter().map(|(_, slot, view)| (shader.operand(*slot, view), along(view, rank))).collect();
    let strides: Vec<&[isize]> = inputs.iter().chain(&targets).map(|(_, strides)| strides.as_slice()).collect();
    let space = Space::new(bound.space, &strides);
    let positions = shader.positions(&space, &place);
    let mut values = Values::new(bound.body);
    let mut load = |shader: &mut Shader, input: usize| {
        let (from, _) = inputs.get(input)?;
        Some(shader.load(from, &positions[input]))
    };
    let results =
        outputs.iter().map(|(value, ..)| values.get(&mut shader, *value, &mut load)).collect::<Result<Vec<_>>>()?;
    for ((to, _), (result, at)) in targets.iter().zip(results.iter().zip(&positions[inputs.len()..])) {
        // A value of one element a row is the same all along it; all places may write it.
        shader.store(to, at, result);
    }
    Ok(shader.finish_each(count))
}
