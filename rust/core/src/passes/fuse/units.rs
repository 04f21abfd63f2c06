//! Which instructions run as one, and which of these need which.

use super::graph::Graph;
use crate::ir::program::ValueId;

/// A partition of the instructions into kernels. A unit bears the number of one of its members.
pub(super) struct Units {
    of: Vec<usize>,
    members: Vec<Vec<usize>>,
    last: Vec<usize>,
    /// The last member of a unit and of all units that it needs: it needs none that ends later.
    end: Vec<usize>,
    /// When a walk came by last; spares clearing.
    seen: Vec<u32>,
    walk: u32,
}

impl Units {
    /// Every instruction on its own.
    pub(super) fn new(count: usize) -> Self {
        let each: Vec<usize> = (0..count).collect();
        Self {
            members: each.iter().map(|&at| vec![at]).collect(),
            last: each.clone(),
            end: each.clone(),
            of: each,
            seen: vec![0; count],
            walk: 0,
        }
    }

    /// The unit of an instruction.
    pub(super) fn of(&self, instruction: usize) -> usize {
        self.of[instruction]
    }

    /// The unit that makes a value.
    pub(super) fn maker(&self, graph: &Graph<'_>, value: ValueId) -> Option<usize> {
        graph.maker(value).map(|at| self.of[at])
    }

    /// The last member of a unit in program order.
    pub(super) fn last(&self, unit: usize) -> usize {
        self.last[unit]
    }

    pub(super) fn members(&self, unit: usize) -> &[usize] {
        &self.members[unit]
    }

    /// Make the instructions of `other` members of `unit`.
    pub(super) fn unite(&mut self, graph: &Graph<'_>, unit: usize, other: usize) {
        let moved = std::mem::take(&mut self.members[other]);
        for &member in &moved {
            self.of[member] = unit;
        }
        self.members[unit].extend(moved);
        self.members[unit].sort_unstable();
        self.last[unit] = self.last[unit].max(self.last[other]);
        self.end[unit] = self.end[unit].max(self.end[other]);
        let mut pending = vec![unit];
        while let Some(unit) = pending.pop() {
            for &member in &self.members[unit] {
                for reader in graph.readers(member).iter().map(|&at| self.of[at]) {
                    if self.end[reader] < self.end[unit] {
                        self.end[reader] = self.end[unit];
                        pending.push(reader);
                    }
                }
            }
        }
    }

    /// Whether unit `from` needs unit `on`, directly or by way of others.
    pub(super) fn needs(&mut self, graph: &Graph<'_>, from: usize, on: usize) -> bool {
        self.walk += 1;
        let mut pending = vec![from];
        while let Some(unit) = pending.pop() {
            if unit == on {
                return true;
            }
            if self.end[unit] < self.last[on] || self.seen[unit] == self.walk {
                continue;
            }
            self.seen[unit] = self.walk;
            for &member in &self.members[unit] {
                let inputs = &graph.program.instructions[member].inputs;
                pending.extend(inputs.iter().filter_map(|&input| graph.maker(input)).map(|at| self.of[at]));
            }
        }
        false
    }

    /// Whether unit `from` needs unit `on` by way of a third.
    fn needs_beyond(&mut self, graph: &Graph<'_>, from: usize, on: usize) -> bool {
        let mut nearest: Vec<usize> = Vec::new();
        for &member in &self.members[from] {
            for &input in &graph.program.instructions[member].inputs {
                // Views that a kernel looks through are no third unit.
                let behind = [input, graph.root(input)];
                let direct = graph.maker(behind[1]).is_some_and(|at| self.of[at] == on || self.of[at] == from);
                let at = if direct { None } else { graph.maker(input) };
                nearest.extend(at.map(|at| self.of[at]).filter(|&unit| unit != on && unit != from));
            }
        }
        nearest.sort_unstable();
        nearest.dedup();
        nearest.into_iter().any(|unit| self.needs(graph, unit, on))
    }

    /// Whether two units can run as one: nothing between them has to run after one and before the other.
    pub(super) fn can_unite(&mut self, graph: &Graph<'_>, a: usize, b: usize) -> bool {
        !self.needs_beyond(graph, a, b) && !self.needs_beyond(graph, b, a)
    }

    /// Whether a group can run on the elements of a product: what else it reads is there before, and the product reads
    /// nothing of the group.
    pub(super) fn can_follow(&mut self, graph: &Graph<'_>, group: usize, product: usize) -> bool {
        let result = graph.program.instructions[product].first;
        let mut others: Vec<usize> = Vec::new();
        for &member in &self.members[group] {
            for &input in &graph.program.instructions[member].inputs {
                let root = graph.root(input);
                if graph.unshaped(root) != result {
                    others.extend(graph.maker(root).map(|at| self.of[at]).filter(|&unit| unit != group));
                }
            }
        }
        others.sort_unstable();
        others.dedup();
        let unit = self.of[product];
        !self.needs(graph, unit, group) && others.into_iter().all(|other| !self.needs(graph, other, unit))
    }
}
