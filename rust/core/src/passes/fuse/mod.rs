//! Program to program: what can run as one kernel becomes one op.
//!
//! Groups grow over elementwise ops, broadcasts and folds of one iteration space; a group without folds becomes the epilogue of
//! the product it reads; groups with a common large input unite; folds over the rows end a group; values that are cheap to
//! compute again are not stored. What is left over stays as it is. No group reads, by way of another op, what it makes.

mod aside;
mod collapse;
mod emit;
mod graph;
mod group;
mod grow;
mod order;
mod product;
mod recompute;
mod rows;
mod siblings;
mod units;

use crate::error::Result;
use crate::ir::op::Op;
use crate::ir::program::Program;
use crate::passes::memory::Cell;
use crate::passes::simplify::simplify;
use graph::Graph;
use group::Group;
use std::collections::HashMap;
use units::Units;

/// The groups by their unit.
type Groups = HashMap<usize, Group>;

/// What a kernel of a backend can hold.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Caps {
    /// Instructions of one group.
    pub members: usize,
    /// Instructions after a product.
    pub epilogue: usize,
    /// Inputs of more than one element.
    pub inputs: usize,
    /// Whether elementwise ops of all dtypes have kernels together.
    pub mixed: bool,
}

impl Default for Caps {
    fn default() -> Self {
        Self { members: 64, epilogue: 24, inputs: 16, mixed: false }
    }
}

/// An equal program whose kernels do as much as possible at one pass over the data.
///
/// `cells` names outputs that replace an input in memory: what makes them stays out of products, so that it can write in place.
pub fn fuse(program: &Program, cells: &[Cell], caps: &Caps) -> Result<Program> {
    let program = aside::aside(&simplify(&rows::write_out(program)?));
    let graph = Graph::new(&program);
    let mut units = Units::new(program.instructions.len());
    let mut groups = Groups::new();
    grow::grow(&graph, &mut units, &mut groups, caps);
    // What is left of a product's readers when they are one can be its epilogue.
    siblings::unite_readers(&graph, &mut units, &mut groups, caps, |value| product::is_product(&graph, value));
    product::absorb(&graph, &mut units, &mut groups, cells, caps);
    siblings::unite_readers(&graph, &mut units, &mut groups, caps, |_| true);
    siblings::end_with_totals(&graph, &mut units, &mut groups, caps);
    recompute::recompute(&graph, &units, &mut groups, caps);
    groups.retain(|_, group| !is_plain(&graph, group));
    emit::emit(&graph, &units, &groups, caps)
}

/// Whether a group is one op over values as they are.
fn is_plain(graph: &Graph<'_>, group: &Group) -> bool {
    let [member] = group.members[..] else { return false };
    let whole = group.whole();
    let fold = matches!(graph.program.instructions[member].op, Op::Reduce { .. });
    group.product.is_none() && (fold || group.operands(graph, member).iter().all(|seen| seen.pattern == whole))
}
