//! Groups: elementwise ops, broadcasts and folds over one iteration space.

use super::graph::{Graph, Pattern, Seen, along};
use crate::ir::op::Op;
use crate::ir::program::ValueId;
use crate::shape::Shape;
use smallvec::SmallVec;
use std::collections::HashMap;

/// Instructions that become one kernel.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// In program order; some may also be members of another group, which computes them again.
    pub(super) members: Vec<usize>,
    /// Sizes of the loops.
    pub(super) space: Shape,
    /// The first axis of the columns, once a fold decides it.
    pub(super) split: Option<usize>,
    /// How the value of each member lies in the space.
    pub(super) patterns: HashMap<ValueId, Pattern>,
    /// Values that are complete only after the last row: nothing inside reads them.
    pub(super) totals: HashMap<ValueId, Pattern>,
    /// The product in front.
    pub(super) product: Option<usize>,
    /// Values from outside of more than one element.
    pub(super) outside: Vec<ValueId>,
}

impl Group {
    pub(super) fn new(space: Shape, split: Option<usize>) -> Self {
        Self {
            members: vec![],
            space,
            split,
            patterns: HashMap::new(),
            totals: HashMap::new(),
            product: None,
            outside: vec![],
        }
    }

    pub(super) fn rank(&self) -> usize {
        self.space.len()
    }

    /// The pattern of a value that is whole.
    pub(super) fn whole(&self) -> Pattern {
        self.space.iter().copied().collect()
    }

    /// The pattern of a value of one element a row.
    pub(super) fn row(&self) -> Option<Pattern> {
        let split = self.split?;
        Some(self.space.iter().enumerate().map(|(axis, &size)| if axis < split { size } else { 1 }).collect())
    }

    /// Whether anything is folded.
    pub(super) fn folds(&self, graph: &Graph<'_>) -> bool {
        self.members.iter().any(|&at| matches!(graph.program.instructions[at].op, Op::Reduce { .. }))
    }

    /// The pattern that a value has inside: that of a member, or that in which a reader sees it.
    pub(super) fn pattern_of(&self, value: ValueId) -> Option<&Pattern> {
        self.patterns.get(&value).or_else(|| self.totals.get(&value))
    }

    /// What the operands of a member are behind their views.
    pub(super) fn operands(&self, graph: &Graph<'_>, member: usize) -> SmallVec<[Seen; 3]> {
        let instruction = &graph.program.instructions[member];
        let pattern = match &instruction.op {
            Op::Reduce { .. } => self.whole(),
            _ => self.pattern_of(instruction.first).cloned().unwrap_or_default(),
        };
        self.seen(graph, &instruction.inputs, &pattern)
    }

    /// How the members see an outside value, if all see it alike.
    pub(super) fn reading(&self, graph: &Graph<'_>, value: ValueId) -> Option<Seen> {
        let seen = self.members.iter().flat_map(|&at| self.operands(graph, at));
        let mut seen = seen.filter(|seen| seen.base == value);
        let first = seen.next()?;
        seen.all(|other| other.pattern == first.pattern).then_some(first)
    }

    /// Values that lie along a pattern, behind their views.
    pub(super) fn seen(&self, graph: &Graph<'_>, values: &[ValueId], pattern: &[usize]) -> SmallVec<[Seen; 3]> {
        let axes = |value| along(graph.shape(value), pattern).unwrap_or_default();
        values.iter().map(|&value| graph.trace(value, axes(value), self.rank())).collect()
    }

    /// The patterns that the result of an elementwise op can have here.
    pub(super) fn fits(&self, shape: &Shape) -> SmallVec<[Pattern; 2]> {
        let patterns = std::iter::once(self.whole()).chain(self.row());
        patterns.filter(|pattern| along(shape, pattern).is_some()).collect()
    }

    /// Take a member in whose result lies along `pattern`.
    pub(super) fn take(&mut self, graph: &Graph<'_>, member: usize, pattern: Pattern) {
        let result = graph.program.instructions[member].first;
        self.patterns.insert(result, pattern);
        self.members.push(member);
        self.note_outside(graph, member);
    }

    /// Take another group in.
    pub(super) fn absorb(&mut self, graph: &Graph<'_>, other: Self) {
        self.split = self.split.or(other.split);
        self.members.extend(other.members);
        self.members.sort_unstable();
        self.patterns.extend(other.patterns);
        self.totals.extend(other.totals);
        self.outside.extend(other.outside);
        let inside = &self.patterns;
        self.outside.retain(|value| !inside.contains_key(value));
        self.outside.sort_unstable();
        self.outside.dedup();
        debug_assert!(self.members.iter().all(|&at| graph.program.instructions[at].results == 1));
    }

    fn note_outside(&mut self, graph: &Graph<'_>, member: usize) {
        for seen in self.operands(graph, member) {
            let number = seen.pattern.iter().all(|&size| size == 1);
            if !number && !self.patterns.contains_key(&seen.base) && !self.outside.contains(&seen.base) {
                self.outside.push(seen.base);
            }
        }
    }

    /// Take a fold over all rows in, whose result lies along the columns.
    pub(super) fn take_total(&mut self, graph: &Graph<'_>, member: usize) {
        let split = self.split.unwrap_or_default();
        let columns = self.space.iter().enumerate().map(|(axis, &size)| if axis < split { 1 } else { size }).collect();
        self.totals.insert(graph.program.instructions[member].first, columns);
        self.members.push(member);
        self.members.sort_unstable();
        self.note_outside(graph, member);
    }
}
