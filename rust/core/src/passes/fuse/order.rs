//! An order in which the units can run: each after what it reads, otherwise as the program has it.

use super::Groups;
use super::graph::Graph;
use super::units::Units;
use crate::error::{Error, Result};
use crate::ir::op::Op;
use crate::ir::program::ValueId;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// Units in an order in which they can run.
pub(super) fn order(graph: &Graph<'_>, units: &Units, groups: &Groups) -> Result<Vec<usize>> {
    let count = graph.program.instructions.len();
    let mut waiting = vec![0; count];
    let mut readers: Vec<Vec<usize>> = vec![vec![]; count];
    let mut ready = BinaryHeap::new();
    for unit in (0..count).filter(|&unit| units.of(unit) == unit) {
        let makers = reads(graph, units, groups, unit).into_iter().filter_map(|value| units.maker(graph, value));
        let makers: BTreeSet<usize> = makers.filter(|&maker| maker != unit).collect();
        waiting[unit] = makers.len();
        if makers.is_empty() {
            ready.push(Reverse((units.last(unit), unit)));
        }
        for maker in makers {
            readers[maker].push(unit);
        }
    }
    let mut order = Vec::new();
    while let Some(Reverse((_, unit))) = ready.pop() {
        order.push(unit);
        for &reader in &readers[unit] {
            waiting[reader] -= 1;
            if waiting[reader] == 0 {
                ready.push(Reverse((units.last(reader), reader)));
            }
        }
    }
    match waiting.iter().position(|&count| count > 0) {
        None => Ok(order),
        Some(unit) => {
            let members = units.members(unit);
            Err(Error::bug("fuse", format!("instructions {members:?} wait for themselves in\n{}", graph.program)))
        }
    }
}

/// Values that a unit reads from outside, fills of a group excepted.
pub(super) fn reads(graph: &Graph<'_>, units: &Units, groups: &Groups, unit: usize) -> Vec<ValueId> {
    let Some(group) = groups.get(&unit) else {
        let members = units.members(unit).iter();
        return members.flat_map(|&at| graph.program.instructions[at].inputs.iter().copied()).collect();
    };
    let mut values: Vec<ValueId> = Vec::new();
    if let Some(product) = group.product {
        values.extend(&graph.program.instructions[product].inputs);
    }
    for &member in &group.members {
        let bases = group.operands(graph, member).into_iter().map(|seen| seen.base);
        values.extend(bases.filter(|base| is_outside(graph, group, *base)));
    }
    values.sort_unstable();
    values.dedup();
    values
}

/// Whether a group has to be given a value.
pub(super) fn is_outside(graph: &Graph<'_>, group: &super::group::Group, base: ValueId) -> bool {
    let fill = graph.op(base).is_some_and(|op| matches!(op, Op::Fill { .. }));
    let product = group.product.is_some_and(|at| graph.unshaped(base) == graph.program.instructions[at].first);
    !fill && !product && !group.patterns.contains_key(&base)
}
