//! Computing again what is cheap: a value that later groups can make from what they read anyway is not stored.

use super::graph::{Graph, Seen};
use super::group::Group;
use super::units::Units;
use super::{Caps, Groups};
use crate::ir::op::{BinaryOp, Op, UnaryOp};
use crate::ir::program::ValueId;
use smallvec::SmallVec;
use std::collections::HashMap;

/// Who reads a value from outside its group.
#[derive(Clone, Copy, Default)]
struct Readers {
    groups: usize,
    /// Kernels that are no groups, and outputs of the program: the value is stored for them.
    others: usize,
}

/// Let groups compute cheap values of other groups again.
pub(super) fn recompute(graph: &Graph<'_>, units: &Units, groups: &mut Groups, caps: &Caps) {
    let mut readers = readers(graph, units, groups);
    let mut order: Vec<usize> = groups.keys().copied().collect();
    order.sort_unstable_by_key(|&unit| units.last(unit));
    for unit in order {
        let mut pending = groups[&unit].outside.clone();
        while let Some(value) = pending.pop() {
            let group = &groups[&unit];
            let Some(at) = graph.maker(value).filter(|&at| units.of(at) != unit) else { continue };
            let made_in_group = groups.get(&units.of(at)).is_some_and(|maker| maker.patterns.contains_key(&value));
            if !made_in_group || !is_cheap(&graph.program.instructions[at].op) || group.members.len() >= caps.members {
                continue;
            }
            let Some(seen) = group.reading(graph, value) else { continue };
            let operands = group.seen(graph, &graph.program.instructions[at].inputs, &seen.pattern);
            if !pays(graph, units, group, value, &operands, &readers, unit) {
                continue;
            }
            let added: SmallVec<[ValueId; 3]> = operands
                .iter()
                .map(|seen| seen.base)
                .filter(|base| !group.patterns.contains_key(base) && !group.outside.contains(base))
                .collect();
            for &base in &added {
                readers.entry(base).or_default().groups += 1;
            }
            if let Some(readers) = readers.get_mut(&value) {
                readers.groups -= 1;
            }
            if let Some(group) = groups.get_mut(&unit) {
                group.outside.retain(|outside| *outside != value);
                group.take(graph, at, seen.pattern);
                group.members.sort_unstable();
            }
            pending.extend(added);
        }
    }
}

fn readers(graph: &Graph<'_>, units: &Units, groups: &Groups) -> HashMap<ValueId, Readers> {
    let mut readers: HashMap<ValueId, Readers> = HashMap::new();
    for group in groups.values() {
        for &value in &group.outside {
            readers.entry(value).or_default().groups += 1;
        }
    }
    for (at, instruction) in graph.program.instructions.iter().enumerate() {
        let in_group = groups.contains_key(&units.of(at)) && groups[&units.of(at)].product != Some(at);
        if !in_group && !matches!(instruction.op, Op::View(_)) {
            for &input in &instruction.inputs {
                stored(graph, &mut readers, input);
            }
        }
    }
    for &output in &graph.program.outputs {
        stored(graph, &mut readers, output);
    }
    readers
}

/// Something reads a value, and all that it is a view of, from memory.
fn stored(graph: &Graph<'_>, readers: &mut HashMap<ValueId, Readers>, mut value: ValueId) {
    loop {
        readers.entry(value).or_default().others += 1;
        let Some(at) = graph.maker(value) else { return };
        let instruction = &graph.program.instructions[at];
        if !matches!(instruction.op, Op::View(_)) {
            return;
        }
        value = instruction.inputs[0];
    }
}

/// Whether computing a value from these operands saves more memory traffic than it adds.
fn pays(
    graph: &Graph<'_>,
    units: &Units,
    group: &Group,
    value: ValueId,
    operands: &[Seen],
    readers: &HashMap<ValueId, Readers>,
    unit: usize,
) -> bool {
    let bytes = |value: ValueId| graph.program.metas[value].bytes();
    let stored_anyway = readers.get(&value).is_some_and(|readers| readers.others > 0);
    let mut new = 0;
    for seen in operands {
        if let Some(pattern) = group.patterns.get(&seen.base) {
            if *pattern != seen.pattern {
                return false;
            }
            continue;
        }
        if graph.op(seen.base).is_some_and(|op| matches!(op, Op::Fill { .. })) || group.outside.contains(&seen.base) {
            continue;
        }
        if group.totals.contains_key(&seen.base) || units.maker(graph, seen.base) == Some(unit) {
            return false;
        }
        if 4 * bytes(seen.base) <= bytes(value) {
            continue;
        }
        let at_hand = graph.maker(seen.base).is_none_or(|at| !graph_group(graph, at))
            || readers.get(&seen.base).is_some_and(|readers| readers.others > 0);
        new += 1;
        if stored_anyway || !at_hand || new > 1 || bytes(seen.base) > 4 * bytes(value) {
            return false;
        }
    }
    true
}

/// Whether the op may belong to a group, so that its result need not be in memory.
fn graph_group(graph: &Graph<'_>, at: usize) -> bool {
    let op = &graph.program.instructions[at].op;
    op.is_pointwise() || matches!(op, Op::Reduce { .. } | Op::MatMul | Op::Conv(_))
}

/// Whether an op costs about as much as loading its result.
fn is_cheap(op: &Op) -> bool {
    match op {
        Op::Unary(op) => {
            matches!(op, UnaryOp::Neg | UnaryOp::Abs | UnaryOp::Sign | UnaryOp::Not | UnaryOp::Reciprocal)
        }
        Op::Binary(op) => matches!(
            op,
            BinaryOp::Add
                | BinaryOp::Sub
                | BinaryOp::Mul
                | BinaryOp::Div
                | BinaryOp::Maximum
                | BinaryOp::Minimum
                | BinaryOp::CopySign
                | BinaryOp::And
                | BinaryOp::Or
                | BinaryOp::Xor
        ),
        other => other.is_pointwise(),
    }
}
