//! Fused steps made ready: the compiled body, its cut, and the sum over the parts of what folds over the rows.

use super::super::fused::{Class, Compiled, First, Under, class, compile};
use super::cut::{Cut, Cutting, cost, grain, parts};
use super::prepare::{Kernel, Operand, Ready, Slots, operand};
use super::shares::{share, total};
use super::tail::ended;
use crate::buffer::Meta;
use crate::dtype::DType;
use crate::ir::fused::{FusedKind, FusedOp};
use crate::ir::op::Op;
use crate::ir::plan::{Located, Step};
use crate::shape::Shape;
use smallvec::SmallVec;

/// The steps of a fused op, whose right factor may lie in panels, if it compiles: itself, one for each fold over rows that were cut,
/// and what is made of folds if it could not be cut otherwise.
///
/// `aside` counts the bytes that parts of folds need.
pub(super) fn merge(
    (op, in_panels): (&FusedOp, bool),
    step: &Step,
    slots: Slots,
    aliases: &[usize],
    cutting: Cutting,
    aside: &mut usize,
) -> Option<Vec<Ready>> {
    if let Cutting::Worth(_) = cutting
        && let Some(steps) = ended(op, step, slots, aside)
        && let [Op::Fused(main), Op::Fused(rest)] = [&steps[0].op, &steps[1].op]
        && steps[1].inputs.iter().all(|input| {
            // What was there before the rows has to be there still when they are written.
            let given = step.inputs.iter().any(|other| other.place == input.place && other.layout == input.layout);
            !given || under(slots, aliases, input, &steps[0].outputs) == Under::Apart
        })
        && let Some(mut ready) = merge((main, false), &steps[0], slots, aliases, cutting, aside)
        && ready[0].parts > 1
        && let Some(rest) = merge((rest, false), &steps[1], slots, aliases, cutting, aside)
    {
        ready.extend(rest);
        return Some(ready);
    }
    let product = op.kind() == FusedKind::Product;
    let skipped = if product { 2 } else { 0 };
    let rest = &step.inputs[skipped..];
    let dense: Vec<bool> = rest.iter().map(|input| input.layout.is_contiguous()).collect();
    let beneath: Vec<Under> = step.inputs.iter().map(|input| under(slots, aliases, input, &step.outputs)).collect();
    let code = compile(op, &dense, &beneath)?;
    let metas: SmallVec<[&Meta; 4]> = step.inputs.iter().map(|input| &input.meta).collect();
    let written: SmallVec<[&Meta; 1]> = step.outputs.iter().map(|output| &output.meta).collect();
    let cost = match code.per_element() {
        Some(each) if !product => op.space().numel() as f64 * each,
        _ => cost(&Op::Fused(op.clone()), &metas, &written),
    };
    let cut = cut(op, &code, step, cost, cutting);
    let count = cut.as_ref().map_or(1, |cut| cut.parts);
    let inputs =
        step.inputs.iter().enumerate().map(|(i, input)| {
            operand(slots, input, cut.as_ref().and_then(|cut| cut.inputs[i].map(|axis| (axis, cut))))
        });
    let mut later = vec![];
    let mut outputs: SmallVec<[Operand; 1]> = SmallVec::new();
    for (i, output) in step.outputs.iter().enumerate() {
        if count > 1 && code.folds.iter().any(|fold| fold.output == i) {
            let left = Meta::new(output.meta.shape.clone(), DType::F64);
            outputs.push(share(slots, *aside, &left, count));
            later.push(total(slots, DType::F64, count, output, step, aside));
        } else {
            outputs.push(operand(slots, output, cut.as_ref().map(|cut| (cut.axis, cut))));
        }
    }
    let first = match op.body.instructions.first() {
        Some(_) if in_panels => Some(First::Panels),
        Some(instruction) if product => Some(First::Op(instruction.op.clone())),
        Some(_) | None => None,
    };
    let kernel = Kernel::Fused(Box::new(code), first);
    let inputs = inputs.collect();
    let mut ready = vec![Ready {
        kernel,
        inputs,
        outputs,
        parts: count,
        staged: false,
        cost,
        origin: step.origin.clone(),
        step: 0,
    }];
    ready.extend(later);
    Some(ready)
}

/// Which output may lie over an input.
fn under(slots: Slots, aliases: &[usize], input: &Located, outputs: &[Located]) -> Under {
    let range = |located: &Located| {
        let (slot, start) = slots.of_place(located.place);
        let (low, end) = located.layout.span().map_or((0, 0), |(low, high)| (low, high + 1));
        let size = located.meta.dtype.size();
        (aliases[slot], start + low * size, start + end * size)
    };
    let a = range(input);
    let meets = |b: (usize, usize, usize)| a.0 == b.0 && a.1.max(b.1) < a.2.min(b.2);
    let mut over = (0..outputs.len()).filter(|&i| meets(range(&outputs[i])));
    match (over.next(), over.next()) {
        (None, _) => Under::Apart,
        (Some(i), None) if range(&outputs[i]) == a && outputs[i].meta == input.meta => Under::Same(i),
        (Some(_), _) => Under::Mixed,
    }
}

/// The cut of a body along the first axis of its space that has a size.
fn cut(op: &FusedOp, code: &Compiled, step: &Step, cost: f64, cutting: Cutting) -> Option<Cut> {
    let (space, body) = (op.space(), &op.body);
    let axis = space.iter().position(|&size| size > 1)?;
    if axis + 1 == space.len() && !code.flat {
        return None;
    }
    let kept = |&output: &usize| matches!(class(&body.metas[output].shape, &space), Some(Class::Full | Class::Row));
    let folds = |place: usize| code.folds.iter().any(|fold| fold.output == place);
    if !body.outputs.iter().enumerate().all(|(place, output)| kept(output) || folds(place)) {
        return None;
    }
    let sizes = space[axis];
    let side = |shape: &Shape| (shape[axis] == sizes).then_some(axis);
    let mut sides: SmallVec<[Option<usize>; 4]> = step.inputs.iter().map(|input| side(&input.meta.shape)).collect();
    match body.instructions.first().map(|instruction| &instruction.op) {
        Some(Op::MatMul) => {
            let rank = space.len();
            let (rows, batch) = (axis + 2 == rank, axis + 2 < rank);
            if !rows && !batch {
                return None;
            }
            (sides[0], sides[1]) = (Some(axis), batch.then_some(axis));
        }
        Some(Op::Conv(conv)) => {
            if axis != 0 || conv.batch_groups != 1 {
                return None;
            }
            (sides[0], sides[1]) = (Some(0), None);
        }
        _ => {}
    }
    let first = &body.instructions.first()?.op;
    let free = code.folds.is_empty();
    let worth = || parts(sizes, cost, grain(first, &step.inputs, &space, cost / sizes as f64, free));
    let (rows, parts) = cutting.of(step).split(sizes, worth)?;
    Some(Cut { axis, inputs: sides, rows, parts })
}
