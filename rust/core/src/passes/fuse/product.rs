//! Epilogues: a group without folds runs on the elements of the product that it reads, before they are stored.

use super::Groups;
use super::collapse::segments;
use super::graph::Graph;
use super::units::Units;
use super::{Caps, group::Group};
use crate::ir::op::Op;
use crate::ir::program::ValueId;
use crate::passes::memory::Cell;

/// Give each product the first group that reads it, where that is legal.
pub(super) fn absorb(graph: &Graph<'_>, units: &mut Units, groups: &mut Groups, cells: &[Cell], caps: &Caps) {
    let updates: Vec<usize> =
        cells.iter().filter_map(|cell| graph.maker(graph.root(graph.program.outputs[cell.output]))).collect();
    let mut readers: Vec<usize> = groups.keys().copied().collect();
    readers.sort_unstable();
    for unit in readers {
        let group = &groups[&unit];
        if group.members.len() > caps.epilogue
            || group.outside.len() > caps.inputs
            || group.folds(graph)
            || updates.iter().any(|at| group.members.contains(at))
        {
            continue;
        }
        // The product that runs last: all others are there before it.
        let products = group.outside.iter().filter_map(|&value| product_of(graph, group, value)).max();
        let Some(product) = products.filter(|&at| units.members(units.of(at)).len() == 1) else { continue };
        if !units.can_follow(graph, unit, product) {
            continue;
        }
        units.unite(graph, unit, product);
        if let Some(group) = groups.get_mut(&unit) {
            group.product = Some(product);
            group.split = None;
        }
    }
}

/// Whether a value is a product, or has all elements of one in their order.
pub(super) fn is_product(graph: &Graph<'_>, value: ValueId) -> bool {
    let op = graph.op(graph.unshaped(value));
    op.is_some_and(|op| matches!(op, Op::MatMul | Op::Conv(_)))
}

/// The product whose elements a value of the group has, in the same order and all of them.
fn product_of(graph: &Graph<'_>, group: &Group, value: ValueId) -> Option<usize> {
    let result = graph.unshaped(value);
    let at = graph.maker(result)?;
    let whole = group.members.iter().all(|&member| {
        let operands = group.operands(graph, member);
        operands.iter().all(|seen| graph.unshaped(seen.base) != result || seen.pattern == group.whole())
    });
    (is_product(graph, value) && whole && segments(&group.space, graph.shape(result)).is_some()).then_some(at)
}
