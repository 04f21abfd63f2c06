//! The last phase: cells are written over their old values once nothing can fail any more.

use super::{Cell, Draft, Planner, StorageId};
use crate::ir::fused::FusedKind;
use crate::ir::op::Op;
use crate::ir::plan::{Exit, Place};
use crate::ir::program::{Program, ValueId};
use std::collections::{HashMap, HashSet};

impl Planner<'_> {
    /// Choose the outputs that replace an input in memory, move the steps that write them behind all others, and give the
    /// number of the first of these.
    pub(super) fn commit(&mut self, cells: &[Cell]) -> usize {
        let writers: HashMap<StorageId, usize> = self.writers();
        let mut chosen: Vec<(usize, Cell)> =
            cells.iter().filter_map(|cell| Some((self.writer_in_place(cell, &writers)?, *cell))).collect();
        let mut late = self.late(&chosen);
        // A step that can fail must not come after a write: leave the writers that lead to one where they are.
        while let Some(&culprit) = late.iter().find(|&&at| can_fail(&self.drafts[at].op)) {
            let needed = self.needed_by(culprit);
            chosen.retain(|(writer, _)| !needed.contains(writer));
            late = self.late(&chosen);
        }
        // The old value is read before, or by the step that replaces it.
        chosen.retain(|(writer, cell)| {
            let reads = |at: &usize| self.drafts[*at].inputs.iter().any(|&i| self.aliases[i].storage == cell.input);
            late.iter().filter(|at| *at != writer).all(|at| !reads(at))
        });
        for (_, cell) in &chosen {
            if let Exit::Written(meta) = &self.exits[cell.output] {
                self.exits[cell.output] = Exit::Replaced { input: cell.input, meta: meta.clone() };
            }
        }
        let drafts = std::mem::take(&mut self.drafts);
        let (last, first): (Vec<_>, Vec<_>) = drafts.into_iter().enumerate().partition(|(at, _)| late.contains(at));
        let commit = first.len();
        self.drafts = first.into_iter().chain(last).map(|(_, draft)| draft).collect();
        commit
    }

    fn writers(&self) -> HashMap<StorageId, usize> {
        let outputs = |(at, draft): (usize, &Draft)| draft.outputs.iter().map(move |&s| (s, at)).collect::<Vec<_>>();
        self.drafts.iter().enumerate().flat_map(outputs).collect()
    }

    /// The step that can write the cell's new value over the old one, element by element.
    fn writer_in_place(&self, cell: &Cell, writers: &HashMap<StorageId, usize>) -> Option<usize> {
        let Exit::Written(meta) = &self.exits[cell.output] else { return None };
        let old = &self.storages[cell.input];
        let seen = |exit: &Exit| matches!(exit, Exit::Alias(located) if located.place == Place::Input(cell.input));
        if meta != old || self.exits.iter().any(seen) {
            return None;
        }
        let storage = self.aliases[self.program.outputs[cell.output]].storage;
        let writer = *writers.get(&storage)?;
        let draft = &self.drafts[writer];
        let port = draft.outputs.iter().position(|&output| output == storage)?;
        let reads: Vec<usize> =
            (0..draft.inputs.len()).filter(|&i| self.aliases[draft.inputs[i]].storage == cell.input).collect();
        let straight = reads.iter().all(|&i| {
            let layout = &self.aliases[draft.inputs[i]].layout;
            layout.is_contiguous() && layout.shape().numel() == old.shape.numel()
        });
        (straight && is_elementwise(&draft.op, port, &reads)).then_some(writer)
    }

    /// The writers, and all that reads what they write.
    fn late(&self, chosen: &[(usize, Cell)]) -> HashSet<usize> {
        let mut late: HashSet<usize> = chosen.iter().map(|(writer, _)| *writer).collect();
        let mut written: HashSet<StorageId> = HashSet::new();
        for (at, draft) in self.drafts.iter().enumerate() {
            if draft.inputs.iter().any(|&i| written.contains(&self.aliases[i].storage)) {
                late.insert(at);
            }
            if late.contains(&at) {
                written.extend(&draft.outputs);
            }
        }
        late
    }

    /// All steps that a step needs, itself included.
    fn needed_by(&self, step: usize) -> HashSet<usize> {
        let writers = self.writers();
        let (mut needed, mut pending) = (HashSet::new(), vec![step]);
        while let Some(at) = pending.pop() {
            if needed.insert(at) {
                let inputs = self.drafts[at].inputs.iter();
                pending.extend(inputs.filter_map(|&i| writers.get(&self.aliases[i].storage)));
            }
        }
        needed
    }
}

/// Whether result `port` may lie where the inputs `reads` lie: each element is written after the last read of its place.
fn is_elementwise(op: &Op, port: usize, reads: &[usize]) -> bool {
    match op {
        Op::Fused(fused) => {
            let body = &*fused.body;
            let folds = body.instructions.iter().any(|instruction| matches!(instruction.op, Op::Reduce { .. }));
            fused.kind() == FusedKind::Group && !folds && written_last(body, body.outputs[port], reads)
        }
        // Elements of another size would be written over ones that are read later.
        Op::Compare(_) | Op::Cast(_) => false,
        other => other.is_pointwise(),
    }
}

/// Whether no instruction after the one that makes `output` reads one of the inputs.
fn written_last(body: &Program, output: ValueId, reads: &[usize]) -> bool {
    let after = body.instructions.iter().skip_while(|instruction| instruction.first <= output);
    let mut after = after.flat_map(|instruction| &instruction.inputs);
    !after.any(|input| reads.contains(input))
}

/// Whether running an op can give an error that depends on the data, or is no plain kernel.
fn can_fail(op: &Op) -> bool {
    match op {
        Op::Fill { .. }
        | Op::Iota { .. }
        | Op::Random { .. }
        | Op::Unary(_)
        | Op::Binary(_)
        | Op::Compare(_)
        | Op::Select
        | Op::Cast(_)
        | Op::Reduce { .. }
        | Op::ArgReduce { .. }
        | Op::Cumulate { .. }
        | Op::View(_)
        | Op::Pad { .. }
        | Op::Concat { .. }
        | Op::MatMul
        | Op::Conv(_)
        | Op::Sort { .. }
        | Op::Fused(_)
        | Op::Composite(_) => false,
        Op::Leaf
        | Op::Gather { .. }
        | Op::ScatterAdd { .. }
        | Op::Linalg(_)
        | Op::Scan(_)
        | Op::CheckFinite { .. }
        | Op::CheckIndex { .. } => true,
    }
}
