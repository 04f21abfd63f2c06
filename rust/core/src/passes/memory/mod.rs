//! Program to plan: views become layouts, values get places in one arena according to their lifetimes.

mod arena;
mod commit;

use crate::buffer::{Meta, alignment, element_size};
use crate::device::Device;
use crate::ir::op::{Op, ViewOp};
use crate::ir::plan::{Exit, Located, Place, Plan, Step};
use crate::ir::program::{Instruction, Program, ValueId};
use crate::ir::view::view_layout;
use crate::layout::Layout;
use arena::Arena;
use smallvec::{SmallVec, smallvec};
use std::collections::HashMap;
use std::sync::Arc;

/// An output that is the new value of a cell, and the input that is its old one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cell {
    /// Number of the output.
    pub output: usize,
    /// Number of the input.
    pub input: usize,
}

/// Steps for which memory rests after its last use: a GPU may run steps together that share none.
fn rest(device: Device) -> usize {
    match device {
        Device::Cpu | Device::Reference => 0,
        Device::Gpu(_) => 8,
    }
}

/// Lay a program out in memory. New values of cells lie over the old ones where that is safe.
pub fn plan(program: &Program, cells: &[Cell]) -> Plan {
    plan_on(Device::Cpu, program, cells)
}

/// Lay a program out in the memory of a device.
pub fn plan_on(device: Device, program: &Program, cells: &[Cell]) -> Plan {
    Planner::new(device, program).finish(cells)
}

/// Bytes that some value owns; views share them.
type StorageId = usize;

#[derive(Clone)]
struct Alias {
    storage: StorageId,
    layout: Layout,
}

struct Draft {
    op: Op,
    inputs: SmallVec<[ValueId; 2]>,
    outputs: SmallVec<[StorageId; 1]>,
    origin: Option<Arc<str>>,
}

struct Planner<'a> {
    device: Device,
    program: &'a Program,
    /// Where each value of the program lies.
    aliases: Vec<Alias>,
    /// Row-major content of each storage.
    storages: Vec<Meta>,
    places: Vec<Option<Place>>,
    drafts: Vec<Draft>,
    exits: Vec<Exit>,
}

impl<'a> Planner<'a> {
    fn new(device: Device, program: &'a Program) -> Self {
        let mut planner =
            Self { device, program, aliases: vec![], storages: vec![], places: vec![], drafts: vec![], exits: vec![] };
        for i in 0..program.first_result() {
            let place = i.checked_sub(program.inputs).map_or(Place::Input(i), Place::Constant);
            let storage = planner.store(program.metas[i].clone(), Some(place));
            planner.aliases.push(planner.whole(storage));
        }
        for instruction in &program.instructions {
            if let Op::View(view) = &instruction.op
                && let Some(layout) = view_layout(view, &planner.aliases[instruction.inputs[0]].layout)
            {
                let storage = planner.aliases[instruction.inputs[0]].storage;
                planner.aliases.push(Alias { storage, layout });
                continue;
            }
            let mut outputs = SmallVec::new();
            if let Op::CheckFinite { .. } | Op::CheckIndex { .. } = &instruction.op {
                planner.aliases.push(planner.aliases[instruction.inputs[0]].clone());
                planner.draft(instruction, outputs);
                continue;
            }
            for k in 0..instruction.results {
                let storage = planner.store(program.metas[instruction.first + k].clone(), None);
                planner.aliases.push(planner.whole(storage));
                outputs.push(storage);
            }
            planner.draft(instruction, outputs);
        }
        planner
    }

    fn draft(&mut self, instruction: &Instruction, outputs: SmallVec<[StorageId; 1]>) {
        let Instruction { op, inputs, origin, .. } = instruction.clone();
        self.drafts.push(Draft { op, inputs, outputs, origin });
    }

    fn store(&mut self, meta: Meta, place: Option<Place>) -> StorageId {
        self.storages.push(meta);
        self.places.push(place);
        self.storages.len() - 1
    }

    fn whole(&self, storage: StorageId) -> Alias {
        Alias { storage, layout: Layout::contiguous(self.storages[storage].shape.clone()) }
    }

    /// Whether a value has every element of its storage, in order.
    fn is_whole(&self, alias: &Alias) -> bool {
        alias.layout.is_contiguous() && alias.layout.shape().numel() == self.storages[alias.storage].shape.numel()
    }

    /// Decide how each output leaves: in a buffer of its own, as another output's buffer, or as an input's.
    fn place_outputs(&mut self) {
        for (number, &value) in self.program.outputs.iter().enumerate() {
            let alias = self.aliases[value].clone();
            let exit = match self.places[alias.storage] {
                Some(Place::Input(_) | Place::Constant(_)) => Exit::Alias(self.locate(value)),
                Some(Place::Output(output)) => Exit::Shared { output, layout: alias.layout },
                Some(Place::Arena(_)) | None if self.is_whole(&alias) => {
                    self.places[alias.storage] = Some(Place::Output(number));
                    Exit::Written(self.program.metas[value].clone())
                }
                Some(Place::Arena(_)) | None => self.copy_out(number, value),
            };
            self.exits.push(exit);
        }
    }

    /// A part of a larger storage is copied into a buffer of its own.
    fn copy_out(&mut self, number: usize, value: ValueId) -> Exit {
        let meta = self.program.metas[value].clone();
        let storage = self.store(meta.clone(), Some(Place::Output(number)));
        let op = Op::View(ViewOp::Reshape(meta.shape.clone()));
        self.drafts.push(Draft { op, inputs: smallvec![value], outputs: smallvec![storage], origin: None });
        Exit::Written(meta)
    }

    /// Bytes that a storage takes.
    fn bytes(&self, storage: StorageId) -> usize {
        let meta = &self.storages[storage];
        meta.shape.numel() * element_size(meta.dtype, self.device)
    }

    fn locate(&self, value: ValueId) -> Located {
        let alias = &self.aliases[value];
        let place = self.places[alias.storage].unwrap_or(Place::Arena(0));
        Located { place, layout: alias.layout.clone(), meta: self.program.metas[value].clone() }
    }

    /// Give every remaining storage an arena offset that is free from the step that writes it to the last that reads it.
    fn place_arena(&mut self) -> usize {
        let mut last_use: HashMap<StorageId, usize> = HashMap::new();
        for (turn, draft) in self.drafts.iter().enumerate() {
            let read = draft.inputs.iter().map(|&i| self.aliases[i].storage);
            for storage in read.chain(draft.outputs.iter().copied()) {
                last_use.insert(storage, turn);
            }
        }
        let mut dying: Vec<Vec<StorageId>> = vec![vec![]; self.drafts.len()];
        for (storage, turn) in last_use {
            dying[(turn + rest(self.device)).min(self.drafts.len() - 1)].push(storage);
        }
        let mut arena = Arena::new(alignment(self.device));
        for (turn, mut dead) in dying.into_iter().enumerate() {
            for storage in self.drafts[turn].outputs.clone() {
                if self.places[storage].is_none() {
                    self.places[storage] = Some(Place::Arena(arena.take(self.bytes(storage))));
                }
            }
            dead.sort_unstable();
            for storage in dead {
                if let Some(Place::Arena(offset)) = self.places[storage] {
                    arena.give(offset, self.bytes(storage));
                }
            }
        }
        arena.size
    }

    fn finish(mut self, cells: &[Cell]) -> Plan {
        self.place_outputs();
        let commit = self.commit(cells);
        let arena = self.place_arena();
        let steps = self.drafts.iter().map(|draft| Step {
            body: match &draft.op {
                Op::Scan(scan) => Some(Arc::new(plan_on(self.device, &scan.body, &[]))),
                _ => None,
            },
            op: draft.op.clone(),
            inputs: draft.inputs.iter().map(|&i| self.locate(i)).collect(),
            outputs: draft
                .outputs
                .iter()
                .map(|&storage| Located {
                    place: self.places[storage].unwrap_or(Place::Arena(0)),
                    layout: self.whole(storage).layout,
                    meta: self.storages[storage].clone(),
                })
                .collect(),
            origin: draft.origin.clone(),
        });
        Plan {
            steps: steps.collect(),
            commit,
            arena,
            inputs: self.program.metas[..self.program.inputs].to_vec(),
            constants: self.program.constants.clone(),
            exits: self.exits,
        }
    }
}
