//! Groups that end with numbers made of a fold of everything, as a mean loss is: the fold ends the group, the rest is a step of
//! its own.
//!
//! A number made of a fold is known after the last row. Without it the rows of the group can be cut.

use super::prepare::Slots;
use crate::ir::fused::{FusedKind, FusedOp};
use crate::ir::op::Op;
use crate::ir::plan::{Located, Step};
use crate::ir::program::{Instruction, Program, ValueId};
use smallvec::SmallVec;

/// The group up to its folds, and what becomes of these, if that is numbers which nothing else in the group reads.
pub(super) fn ended(op: &FusedOp, step: &Step, slots: Slots, aside: &mut usize) -> Option<[Step; 2]> {
    if op.kind() == FusedKind::Product {
        return None;
    }
    let body = &*op.body;
    let split = Split::of(body)?;
    let (mut main, mut known) =
        (Program::with_inputs(body.metas[..body.inputs].to_vec()), vec![None; body.metas.len()]);
    (0..body.inputs).for_each(|input| known[input] = Some(input));
    let early = body.instructions.iter().filter(|instruction| !split.late[instruction.first]);
    early.for_each(|instruction| copy(body, instruction, &mut main, &mut known));
    let is_late = &split.late;
    let places = |late: bool| (0..body.outputs.len()).filter(move |&i| is_late[body.outputs[i]] == late);
    let mut outputs: SmallVec<[Located; 1]> = places(false).map(|i| step.outputs[i].clone()).collect();
    let mut values: Vec<ValueId> = places(false).map(|i| body.outputs[i]).collect();
    for &fold in split.folds.iter().filter(|fold| !body.outputs.contains(fold)) {
        outputs.push(slots.aside(*aside, body.metas[fold].clone()));
        values.push(fold);
        *aside += body.metas[fold].bytes().next_multiple_of(64);
    }
    main.outputs = values.iter().map(|&value| known[value]).collect::<Option<_>>()?;
    let (rest, needs) = split.rest(body)?;
    let lies = |&value: &ValueId| match values.iter().position(|&known| known == value) {
        Some(place) => outputs.get(place),
        None => step.inputs.get(value),
    };
    let inputs = needs.iter().map(|value| lies(value).cloned()).collect::<Option<_>>()?;
    let rest = Step {
        op: Op::Fused(FusedOp::new(rest).ok()?),
        inputs,
        outputs: places(true).map(|i| step.outputs[i].clone()).collect(),
        ..step.clone()
    };
    Some([Step { op: Op::Fused(FusedOp::new(main).ok()?), outputs, ..step.clone() }, rest])
}

/// Where a body is split.
struct Split {
    /// Folds of everything behind their reshapes, which others read.
    folds: Vec<ValueId>,
    /// The values made of them.
    late: Vec<bool>,
}

impl Split {
    fn of(body: &Program) -> Option<Self> {
        let (mut folds, mut late) = (vec![], vec![false; body.metas.len()]);
        let mut fold = None;
        for instruction in &body.instructions {
            let (result, inputs) = (instruction.first, &instruction.inputs);
            if inputs.iter().any(|&input| late[input] || folds.contains(&input)) {
                let number = body.metas[result].shape.numel() == 1;
                if !number || matches!(instruction.op, Op::Reduce { .. }) {
                    return None;
                }
                late[result] = true;
            }
            if fold.is_some_and(|fold| inputs[..] == [fold]) {
                folds.push(result);
            }
            let whole = |axes: &[usize]| axes.len() == body.metas[inputs[0]].shape.len();
            fold = matches!(&instruction.op, Op::Reduce { axes, .. } if whole(axes)).then_some(result);
        }
        folds.retain(|fold| body.instructions.iter().any(|other| late[other.first] && other.inputs.contains(fold)));
        (!folds.is_empty()).then_some(Self { folds, late })
    }

    /// What is made of the folds, as a body, and the values of the whole that it takes.
    fn rest(&self, body: &Program) -> Option<(Program, Vec<ValueId>)> {
        let mut needed: Vec<bool> = self.late.clone();
        for instruction in body.instructions.iter().rev().filter(|other| !self.folds.contains(&other.first)) {
            if needed[instruction.first] {
                instruction.inputs.iter().for_each(|&input| needed[input] = true);
            }
        }
        let given = |value: ValueId| value < body.inputs || self.folds.contains(&value);
        let needs: Vec<ValueId> = (0..body.metas.len()).filter(|&value| needed[value] && given(value)).collect();
        let mut rest = Program::with_inputs(needs.iter().map(|&value| body.metas[value].clone()));
        let mut known = vec![None; body.metas.len()];
        needs.iter().enumerate().for_each(|(place, &value)| known[value] = Some(place));
        for instruction in body.instructions.iter().filter(|other| needed[other.first] && !given(other.first)) {
            if body.metas[instruction.first].shape.numel() != 1 {
                return None;
            }
            copy(body, instruction, &mut rest, &mut known);
        }
        let outputs = body.outputs.iter().filter(|&&output| self.late[output]);
        rest.outputs = outputs.map(|&output| known[output]).collect::<Option<_>>()?;
        let numbers = needs.iter().all(|&value| body.metas[value].shape.numel() == 1);
        numbers.then_some((rest, needs))
    }
}

/// Copy an instruction whose operands are there.
fn copy(body: &Program, instruction: &Instruction, to: &mut Program, known: &mut [Option<ValueId>]) {
    let (first, end) = (instruction.first, instruction.first + instruction.results);
    let inputs: Option<SmallVec<[ValueId; 2]>> = instruction.inputs.iter().map(|&input| known[input]).collect();
    known[first] = inputs
        .map(|inputs| to.push(instruction.op.clone(), inputs, &body.metas[first..end], instruction.origin.clone()));
}
