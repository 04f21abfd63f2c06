//! Growing groups: in program order, each elementwise op and each fold of trailing axes joins the group of what it reads.

use super::graph::{Graph, Pattern};
use super::group::Group;
use super::units::Units;
use super::{Caps, Groups};
use crate::dtype::DType;
use crate::ir::op::Op;
use crate::ir::program::{Instruction, ValueId};
use smallvec::SmallVec;

/// Folds of one row longer than this run as kernels of their own, which split the row.
const LONGEST_SINGLE_ROW: usize = 1 << 14;

/// Form groups of everything that can be in one.
pub(super) fn grow(graph: &Graph<'_>, units: &mut Units, groups: &mut Groups, caps: &Caps) {
    let mut grower = Grower { graph, units, groups, caps };
    for (at, instruction) in graph.program.instructions.iter().enumerate() {
        let empty = |value: &ValueId| graph.shape(*value).numel() == 0;
        if empty(&instruction.first) || instruction.inputs.iter().any(empty) {
            continue;
        }
        match &instruction.op {
            op if op.is_pointwise() && (caps.mixed || grower.is_of_one_float(instruction)) => {
                grower.pointwise(at, instruction);
            }
            Op::Reduce { axes, .. } if grower.is_of_one_float(instruction) => grower.fold(at, instruction, axes),
            _ => {}
        }
    }
}

struct Grower<'g, 'a> {
    graph: &'g Graph<'a>,
    units: &'g mut Units,
    groups: &'g mut Groups,
    caps: &'g Caps,
}

impl Grower<'_, '_> {
    /// Whether an instruction computes with floats of one dtype and truth values alone: others have no kernels together.
    fn is_of_one_float(&self, instruction: &Instruction) -> bool {
        let dtypes = || {
            let values = instruction.inputs.iter().chain(std::iter::once(&instruction.first));
            values.map(|&value| self.graph.program.metas[value].dtype).filter(|&dtype| dtype != DType::Bool)
        };
        let first = dtypes().next();
        dtypes().all(|dtype| dtype.is_float() && Some(dtype) == first)
    }

    fn pointwise(&mut self, at: usize, instruction: &Instruction) {
        let candidates = self.candidates(&instruction.inputs);
        let shape = self.graph.shape(instruction.first);
        let joined = candidates.iter().copied().find(|&unit| {
            let fits = self.groups[&unit].fits(shape);
            let pattern = fits.into_iter().find(|pattern| self.may_join(unit, &instruction.inputs, pattern));
            pattern.map(|pattern| self.join(unit, at, pattern)).is_some()
        });
        match joined {
            Some(unit) => {
                for other in candidates.into_iter().filter(|&other| other != unit) {
                    unite(self.graph, self.units, self.groups, self.caps, unit, other);
                }
            }
            None => self.start(at, Group::new(shape.clone(), None), None),
        }
    }

    /// A fold of trailing axes gives one element a row.
    fn fold(&mut self, at: usize, instruction: &Instruction, axes: &[usize]) {
        let (space, split) = (self.graph.shape(instruction.inputs[0]), trailing(self.graph, instruction, axes));
        let Some(split) = split.filter(|&split| space[split..].iter().any(|&size| size > 1)) else { return };
        if split == 0 && space.numel() > LONGEST_SINGLE_ROW {
            return;
        }
        for unit in self.candidates(&instruction.inputs) {
            let group = &self.groups[&unit];
            let whole = group.whole();
            if group.space == *space
                && group.split.is_none_or(|other| other == split)
                && self.may_join(unit, &instruction.inputs, &whole)
            {
                let group = self.groups.get_mut(&unit).filter(|group| group.split.is_none());
                if let Some(group) = group {
                    group.split = Some(split);
                }
                let row = self.groups[&unit].row().unwrap_or_default();
                self.join(unit, at, row);
                return;
            }
        }
        self.start(at, Group::new(space.clone(), Some(split)), Some(split));
    }

    /// Groups that make what is read, the latest first.
    fn candidates(&self, inputs: &[ValueId]) -> SmallVec<[usize; 3]> {
        let makers = inputs.iter().filter_map(|&input| self.units.maker(self.graph, self.graph.root(input)));
        let mut found: SmallVec<[usize; 3]> = makers.filter(|unit| self.groups.contains_key(unit)).collect();
        found.sort_unstable_by_key(|&unit| std::cmp::Reverse(self.units.last(unit)));
        found.dedup();
        found
    }

    /// Whether every operand lies in the group as its maker says, or is there before the group runs.
    fn may_join(&mut self, unit: usize, inputs: &[ValueId], pattern: &Pattern) -> bool {
        let group = &self.groups[&unit];
        if group.members.len() >= self.caps.members || group.outside.len() >= self.caps.inputs {
            return false;
        }
        let seen = group.seen(self.graph, inputs, pattern);
        let fits = seen.iter().all(|seen| match group.patterns.get(&seen.base) {
            Some(inside) => *inside == seen.pattern,
            None => self.units.maker(self.graph, seen.base) != Some(unit),
        });
        let outside: SmallVec<[ValueId; 3]> =
            seen.iter().map(|seen| seen.base).filter(|base| !group.patterns.contains_key(base)).collect();
        fits && outside.into_iter().all(|base| {
            let maker = self.units.maker(self.graph, base);
            maker.is_none_or(|maker| !self.units.needs(self.graph, maker, unit))
        })
    }

    fn join(&mut self, unit: usize, at: usize, pattern: Pattern) {
        self.units.unite(self.graph, unit, at);
        if let Some(group) = self.groups.get_mut(&unit) {
            group.take(self.graph, at, pattern);
        }
    }

    fn start(&mut self, at: usize, mut group: Group, split: Option<usize>) {
        let pattern = if split.is_some() { group.row().unwrap_or_default() } else { group.whole() };
        group.take(self.graph, at, pattern);
        self.groups.insert(at, group);
    }
}

/// The first of the folded axes, where they are the last of the operand.
fn trailing(graph: &Graph<'_>, instruction: &Instruction, axes: &[usize]) -> Option<usize> {
    let rank = graph.shape(instruction.inputs[0]).len();
    let split = rank - axes.len();
    (!axes.is_empty() && axes.iter().copied().eq(split..rank)).then_some(split)
}

/// Make two groups one, where their spaces agree and nothing has to run between them.
pub(super) fn unite(
    graph: &Graph<'_>,
    units: &mut Units,
    groups: &mut Groups,
    caps: &Caps,
    unit: usize,
    other: usize,
) -> bool {
    let (Some(a), Some(b)) = (groups.get(&unit), groups.get(&other)) else { return false };
    let splits_agree = a.split.is_none() || b.split.is_none() || a.split == b.split;
    let small = a.members.len() + b.members.len() <= caps.members && a.outside.len() + b.outside.len() <= caps.inputs;
    let alike = a.space == b.space && a.product.is_none() && b.product.is_none();
    if unit == other
        || !splits_agree
        || !small
        || !alike
        || reads_otherwise(graph, a, b)
        || reads_otherwise(graph, b, a)
    {
        return false;
    }
    if !units.can_unite(graph, unit, other) {
        return false;
    }
    if let Some(moved) = groups.remove(&other) {
        units.unite(graph, unit, other);
        if let Some(group) = groups.get_mut(&unit) {
            group.absorb(graph, moved);
        }
    }
    true
}

/// Whether `reader` sees a value of `maker` lying otherwise than it is made.
fn reads_otherwise(graph: &Graph<'_>, reader: &Group, maker: &Group) -> bool {
    reader.members.iter().any(|&member| {
        reader.operands(graph, member).iter().any(|seen| match maker.patterns.get(&seen.base) {
            Some(pattern) => *pattern != seen.pattern,
            None => maker.totals.contains_key(&seen.base),
        })
    })
}
