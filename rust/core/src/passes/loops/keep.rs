//! Values that a loop has computed and a later one, which reads what the first has stacked, would compute again.

use crate::buffer::Meta;
use crate::error::{Error, Result};
use crate::ir::op::{BinaryOp, Op, ScanOp, UnaryOp, ViewOp};
use crate::ir::program::{Program, ValueId};
use crate::passes::rewrite::{Results, each, makers, remake, scan_at};
use smallvec::SmallVec;
use std::collections::HashMap;

/// Rounds: a loop may read what several others have stacked.
const ROUNDS: usize = 4;

/// Let loops hand on what is dear to compute.
pub(super) fn keep(program: &Program) -> Result<Program> {
    let mut program = program.clone();
    for _ in 0..ROUNDS {
        let found = find(&program);
        if found.is_empty() {
            break;
        }
        program = apply(&program, &found)?;
    }
    Ok(program)
}

/// A value of a later loop's body, and the value of an earlier loop's body that is the same.
struct Kept {
    earlier: usize,
    value: ValueId,
    same: ValueId,
}

/// What each loop takes from an earlier one.
fn find(program: &Program) -> HashMap<usize, Vec<Kept>> {
    let makers = makers(program);
    let mut found = HashMap::new();
    for later in 0..program.instructions.len() {
        let Some(scan) = scan_at(program, later) else { continue };
        let scanned = &program.instructions[later].inputs[scan.consts + scan.carries..];
        let mut earlier: Vec<usize> = scanned.iter().filter_map(|&value| makers[value]).collect();
        earlier.dedup();
        let kept = earlier.into_iter().filter_map(|earlier| {
            let kept = Shared::of(program, earlier, later)?.worth_keeping();
            (!kept.is_empty()).then_some(kept)
        });
        if let Some(kept) = kept.into_iter().next() {
            found.insert(later, kept);
        }
    }
    found
}

/// The part of a later loop's body that an earlier loop computes too.
struct Shared<'a> {
    earlier: usize,
    body: &'a Program,
    /// For each value of the later body the same value of the earlier one.
    same: Vec<Option<ValueId>>,
}

impl<'a> Shared<'a> {
    fn of(program: &'a Program, earlier: usize, later: usize) -> Option<Self> {
        let (first, scan) = (scan_at(program, earlier)?, scan_at(program, later)?);
        if first.length != scan.length {
            return None;
        }
        let (producer, reader) = (&program.instructions[earlier], &program.instructions[later]);
        let mut same = vec![None; scan.body.metas.len()];
        for (place, &input) in reader.inputs.iter().enumerate() {
            let fixed = |scan: &ScanOp| scan.consts + scan.carries;
            let stacked = producer.first + first.carries..producer.first + producer.results;
            same[place] = if place < scan.consts {
                producer.inputs[..first.consts].iter().position(|&other| other == input)
            } else if place < fixed(scan) {
                None
            } else if stacked.contains(&input) {
                Some(first.body.outputs[input - producer.first])
            } else {
                let scanned = &producer.inputs[fixed(first)..];
                scanned.iter().position(|&other| other == input).map(|place| place + fixed(first))
            };
        }
        let known: HashMap<(&Op, &[ValueId]), ValueId> =
            first.body.instructions.iter().map(|i| ((&i.op, &i.inputs[..]), i.first)).collect();
        for instruction in &scan.body.instructions {
            let inputs: Option<SmallVec<[ValueId; 2]>> = instruction.inputs.iter().map(|&input| same[input]).collect();
            let Some(inputs) = inputs else { continue };
            let Some(&value) = known.get(&(&instruction.op, &inputs[..])) else { continue };
            (0..instruction.results).for_each(|k| same[instruction.first + k] = Some(value + k));
        }
        Some(Self { earlier, body: &scan.body, same })
    }

    /// Values that were dear, from which all that is needed of the shared part follows cheaply.
    fn worth_keeping(&self) -> Vec<Kept> {
        let makers = makers(self.body);
        let shared = |value: ValueId| self.same[value].is_some();
        let own = self.body.instructions.iter().filter(|instruction| !shared(instruction.first));
        let mut pending: Vec<ValueId> = own.flat_map(|instruction| instruction.inputs.iter().copied()).collect();
        pending.extend(&self.body.outputs);
        let mut dear = vec![false; self.body.metas.len()];
        for instruction in &self.body.instructions {
            let any = is_dear(&instruction.op) || instruction.inputs.iter().any(|&input| dear[input]);
            dear[instruction.first..instruction.first + instruction.results].fill(any);
        }
        let mut seen = vec![false; self.body.metas.len()];
        let mut kept = Vec::new();
        while let Some(value) = pending.pop() {
            let (Some(same), Some(maker)) = (self.same[value], makers[value]) else { continue };
            if std::mem::replace(&mut seen[value], true) {
                continue;
            }
            let maker = &self.body.instructions[maker];
            // Of a value that was dear in part of its making, a slice is smaller than what was dear.
            let slice = matches!(maker.op, Op::View(ViewOp::Slice { .. }));
            if is_dear(&maker.op) || (slice && dear[value]) {
                kept.push(Kept { earlier: self.earlier, value, same });
            } else {
                pending.extend(&maker.inputs);
            }
        }
        kept
    }
}

/// Whether computing a value costs more than reading it.
fn is_dear(op: &Op) -> bool {
    match op {
        Op::Fill { .. } | Op::Iota { .. } | Op::View(_) | Op::Compare(_) | Op::Select | Op::Cast(_) => false,
        Op::Unary(unary) => !matches!(unary, UnaryOp::Neg | UnaryOp::Abs | UnaryOp::Sign | UnaryOp::Not),
        Op::Binary(binary) => {
            use BinaryOp::{Atan2, FloorDivide, NextAfter, Pow, Remainder};
            matches!(binary, Pow | Remainder | FloorDivide | Atan2 | NextAfter)
        }
        _ => true,
    }
}

fn apply(program: &Program, found: &HashMap<usize, Vec<Kept>>) -> Result<Program> {
    // For each earlier loop the values it stacks besides its outputs.
    let mut more: HashMap<usize, Vec<ValueId>> = HashMap::new();
    for kept in found.values().flatten() {
        let more = more.entry(kept.earlier).or_default();
        if stacked(program, kept.earlier, kept.same).is_none() && !more.contains(&kept.same) {
            more.push(kept.same);
        }
    }
    let mut stacks: HashMap<(usize, ValueId), ValueId> = HashMap::new();
    each(program, |copy, at, scan| {
        let kept = found.get(&at).map(Vec::as_slice).unwrap_or_default();
        let more = more.get(&at).map(Vec::as_slice).unwrap_or_default();
        if kept.is_empty() && more.is_empty() {
            return Ok(None);
        }
        let mut inputs = copy.inputs(at)?;
        for kept in kept {
            let new = stacks.get(&(kept.earlier, kept.same)).copied();
            let old = stacked(program, kept.earlier, kept.same).map(|value| copy.now(value)).transpose()?;
            inputs.push(old.or(new).ok_or_else(|| Error::bug("loops", "a value that was not kept"))?);
        }
        let body = &*scan.body;
        let metas: Vec<Meta> =
            body.metas[..body.inputs].iter().chain(kept.iter().map(|k| &body.metas[k.value])).cloned().collect();
        let mut known: Vec<Option<ValueId>> = (0..body.metas.len()).map(|v| (v < body.inputs).then_some(v)).collect();
        kept.iter().enumerate().for_each(|(place, kept)| known[kept.value] = Some(body.inputs + place));
        let outputs: Vec<ValueId> = body.outputs.iter().chain(more).copied().collect();
        let body = remake(body, metas, known, &outputs)?;
        let first = copy.push(Op::Scan(ScanOp { body, ..scan.clone() }), inputs, at)?;
        let before = scan.body.outputs.len();
        more.iter().enumerate().for_each(|(place, &value)| {
            stacks.insert((at, value), first + before + place);
        });
        Ok(Some((first..first + before).map(Some).collect::<Results>()))
    })
}

/// The output of a loop that is a value of its body, stacked.
fn stacked(program: &Program, at: usize, value: ValueId) -> Option<ValueId> {
    let scan = scan_at(program, at)?;
    let mut places = scan.carries..scan.body.outputs.len();
    places.find(|&place| scan.body.outputs[place] == value).map(|place| program.instructions[at].first + place)
}
