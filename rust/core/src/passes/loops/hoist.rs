//! What is the same at every turn is computed once, before the loop.

use crate::error::Result;
use crate::ir::op::{Op, ScanOp, ViewOp};
use crate::ir::program::{Program, ValueId};
use crate::passes::rewrite::{Copy, Results, each, remake};
use smallvec::SmallVec;
use std::sync::Arc;

/// Move what depends on the constants of a loop alone in front of it.
pub(super) fn hoist(program: &Program) -> Result<Program> {
    each(program, |copy, at, scan| if scan.length == 0 { Ok(None) } else { one(copy, at, scan) })
}

fn one(copy: &mut Copy<'_>, at: usize, scan: &ScanOp) -> Result<Option<Results>> {
    let body = &*scan.body;
    let same = same_every_turn(scan);
    let read_outside = |value: ValueId| {
        let by = |i: &crate::ir::program::Instruction| !same[i.first] && i.inputs.contains(&value);
        body.outputs.contains(&value) || body.instructions.iter().any(by)
    };
    let made = body.first_result()..body.metas.len();
    let moved: Vec<ValueId> = made.filter(|&value| same[value] && read_outside(value)).collect();
    if moved.is_empty() {
        return Ok(None);
    }
    let inputs = copy.inputs(at)?;
    let mut outside: Vec<Option<ValueId>> = vec![None; body.metas.len()];
    (0..scan.consts).for_each(|i| outside[i] = Some(inputs[i]));
    for instruction in body.instructions.iter().filter(|i| same[i.first]) {
        let operands: Option<SmallVec<[ValueId; 2]>> = instruction.inputs.iter().map(|&input| outside[input]).collect();
        let first = copy.push(instruction.op.clone(), operands.unwrap_or_default(), at)?;
        (0..instruction.results).for_each(|k| outside[instruction.first + k] = Some(first + k));
    }
    let new: SmallVec<[ValueId; 2]> = moved.iter().filter_map(|&value| outside[value]).collect();
    let metas = body.metas[..scan.consts]
        .iter()
        .chain(moved.iter().map(|&value| &body.metas[value]))
        .chain(&body.metas[scan.consts..body.inputs]);
    let mut known = vec![None; body.metas.len()];
    for (input, slot) in known.iter_mut().enumerate().take(body.inputs) {
        *slot = Some(if input < scan.consts { input } else { input + moved.len() });
    }
    moved.iter().enumerate().for_each(|(place, &value)| known[value] = Some(scan.consts + place));
    let remade = remake(body, metas.cloned().collect(), known, &body.outputs)?;
    let op = ScanOp { body: remade, consts: scan.consts + moved.len(), ..scan.clone() };
    let (fixed, rest) = inputs.split_at(scan.consts);
    let operands = fixed.iter().chain(&new).chain(rest).copied().collect();
    let first = copy.push(Op::Scan(op), operands, at)?;
    Ok(Some((first..first + body.outputs.len()).map(Some).collect()))
}

/// For each value whether it depends on constants of the loop alone, and is worth to be one.
///
/// Repeated elements stay inside: a number is cheap to spread, and dear to read from many places.
fn same_every_turn(scan: &ScanOp) -> Vec<bool> {
    let body: &Arc<Program> = &scan.body;
    let mut same = vec![false; body.metas.len()];
    same[..scan.consts].fill(true);
    for instruction in &body.instructions {
        let moves = match &instruction.op {
            Op::View(ViewOp::Expand(_)) | Op::CheckFinite { .. } | Op::CheckIndex { .. } => false,
            _ => !instruction.inputs.is_empty(),
        };
        let all = moves && instruction.inputs.iter().all(|&input| same[input]);
        same[instruction.first..instruction.first + instruction.results].fill(all);
    }
    same
}
