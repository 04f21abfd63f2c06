//! Groups that read the same large value become one, and folds over the rows end the group that makes or reads their operand.

use super::graph::Graph;
use super::grow::unite;
use super::units::Units;
use super::{Caps, Groups};
use crate::dtype::DType;
use crate::ir::op::Op;
use crate::ir::program::{Instruction, ValueId};
use std::collections::BTreeMap;

/// Unite groups that read one value, of those that `wanted` picks.
pub(super) fn unite_readers(
    graph: &Graph<'_>,
    units: &mut Units,
    groups: &mut Groups,
    caps: &Caps,
    wanted: impl Fn(ValueId) -> bool,
) {
    let mut readers: BTreeMap<ValueId, Vec<usize>> = BTreeMap::new();
    let mut order: Vec<usize> = groups.keys().copied().collect();
    order.sort_unstable();
    for unit in order {
        let group = &groups[&unit];
        let large = |value: ValueId| graph.shape(value).numel() == group.space.numel();
        for &value in group.outside.iter().filter(|&&value| large(value) && wanted(value)) {
            readers.entry(value).or_default().push(unit);
        }
    }
    for (_, mut found) in readers {
        found.retain(|unit| groups.contains_key(unit));
        for pair in 1..found.len() {
            let (unit, other) = (found[pair - 1], found[pair]);
            if unite(graph, units, groups, caps, unit, other) {
                found[pair] = unit;
            }
        }
    }
}

/// Let folds over the rows join, but for those of f64: f32 are added in f64, where the order of the rows does not show.
pub(super) fn end_with_totals(graph: &Graph<'_>, units: &mut Units, groups: &mut Groups, caps: &Caps) {
    for (at, instruction) in graph.program.instructions.iter().enumerate() {
        let Op::Reduce { axes, .. } = &instruction.op else { continue };
        let Some(split) = leading(graph, instruction, axes) else { continue };
        let operand = instruction.inputs[0];
        if graph.program.metas[operand].dtype == DType::F64 {
            continue;
        }
        let root = graph.root(operand);
        let maker = units.maker(graph, root);
        let mut candidates: Vec<usize> = groups.keys().copied().collect();
        candidates.retain(|unit| maker == Some(*unit) || groups[unit].outside.contains(&root));
        candidates.sort_unstable_by_key(|unit| (maker != Some(*unit), *unit));
        for unit in candidates {
            let group = &groups[&unit];
            let fits = group.space == *graph.shape(operand)
                && group.product.is_none()
                && group.split.is_none_or(|other| other == split)
                && group.members.len() < caps.members
                && !group.outside.contains(&instruction.first);
            if !fits {
                continue;
            }
            let seen = group.seen(graph, &[operand], &group.whole());
            let made = group.patterns.get(&root).is_none_or(|pattern| *pattern == seen[0].pattern);
            if made && !group.totals.contains_key(&root) && units.can_unite(graph, unit, units.of(at)) {
                units.unite(graph, unit, at);
                if let Some(group) = groups.get_mut(&unit) {
                    group.split = Some(split);
                    group.take_total(graph, at);
                }
                break;
            }
        }
    }
}

/// The first axis that is left, where a fold takes the first axes and leaves some.
fn leading(graph: &Graph<'_>, instruction: &Instruction, axes: &[usize]) -> Option<usize> {
    let shape = graph.shape(instruction.inputs[0]);
    let fits = axes.iter().copied().eq(0..axes.len()) && axes.len() < shape.len();
    let (rows, columns) = shape.split_at(if fits { axes.len() } else { 0 });
    let long = |sizes: &[usize]| sizes.iter().product::<usize>() > 1;
    (long(rows) && long(columns)).then_some(axes.len())
}
