//! Running a plan: every value is found by its place, and outputs are written into buffers that nobody else holds.
//!
//! The first call makes the plan ready: kernels and arguments are resolved, steps cut into parts, parts grouped
//! (`prepare.rs`, `cut.rs`, `stage.rs`). Later calls only fill in where inputs and outputs lie.

mod cut;
mod merge;
mod once;
mod panels;
mod pieces;
mod prepare;
mod shares;
mod stage;
mod tail;
mod timed;
mod turns;
mod work;

use super::arena::{Memories, Memory};
use super::{copy, source, threads};
use crate::backend::{Workspace, profile};
use crate::buffer::{Buffer, HostStorage, HostVec, Meta, Storage, Value, unwritten, zeroed};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::ir::plan::{Exit, Located, Place, Plan};
use crate::layout::Layout;
pub(super) use once::{is_long, once};
pub(super) use prepare::Operand;
use prepare::{Prepared, Slots, prepare};
use std::sync::Arc;
use work::Work;

/// What the CPU keeps of a plan from call to call.
struct Room {
    prepared: Prepared,
    constants: Vec<Value>,
    /// What steps leave each other beside the plan.
    aside: HostVec,
    /// Where each slot lies; filled in at every call.
    slots: Vec<Memory>,
    /// The buffer of each exit while a call lasts.
    buffers: Vec<Option<Buffer>>,
}

/// Run a plan; nothing outside the workspace, the outputs and the inputs that the plan replaces is written.
pub(super) fn run(
    plan: &Plan,
    workspace: &mut Workspace,
    inputs: &mut [Value],
    outputs: &mut Vec<Value>,
) -> Result<()> {
    if !fits(plan, inputs) {
        let got: Vec<Meta> = inputs.iter().map(Value::meta).collect();
        return Err(Error::bug("run_plan", format!("inputs {:?}, got {got:?}", plan.inputs)));
    }
    let mut kept = workspace.room.take();
    if kept.as_ref().and_then(|room| room.downcast_ref::<Room>()).is_none() {
        kept = Some(Box::new(Room::new(plan, workspace)?));
    }
    let room = kept.as_mut().and_then(|room| room.downcast_mut::<Room>());
    let room = room.ok_or_else(|| Error::bug("run_plan", "a workspace of another backend"))?;
    let done = room.run(plan, workspace, inputs, outputs);
    room.slots.clear();
    room.keep(plan, workspace);
    workspace.room = kept;
    done
}

/// Bytes of the arena and of what steps leave each other beside it.
pub(super) fn working(plan: &Plan) -> Result<u64> {
    Ok((plan.arena + prepare(plan)?.aside) as u64)
}

fn fits(plan: &Plan, inputs: &[Value]) -> bool {
    let fits = |(value, meta): (&Value, &Meta)| *value.shape() == meta.shape && value.dtype == meta.dtype;
    inputs.len() == plan.inputs.len() && inputs.iter().zip(&plan.inputs).all(fits)
}

impl Room {
    fn new(plan: &Plan, workspace: &mut Workspace) -> Result<Self> {
        let prepared = prepare(plan)?;
        let mut constants = plan.constants.clone();
        dense(&mut constants, &mut workspace.fresh)?;
        workspace.arena = Some(zeroed(plan.arena));
        workspace.spares = vec![None; 2 * plan.exits.len()];
        let slots = Vec::with_capacity(prepared.slots.count());
        let aside = zeroed(prepared.aside);
        Ok(Self { prepared, constants, aside, slots, buffers: vec![None; plan.exits.len()] })
    }

    fn run(
        &mut self,
        plan: &Plan,
        workspace: &mut Workspace,
        inputs: &mut [Value],
        outputs: &mut Vec<Value>,
    ) -> Result<()> {
        dense(inputs, &mut workspace.fresh)?;
        self.claim(plan, workspace, inputs);
        self.place(plan, workspace, inputs)?;
        let work = Work::new(&self.prepared, Memories::new(&self.slots));
        if profile::on() {
            timed::run(plan, &work)?;
        } else if self.prepared.parallel {
            threads::run(&work)?;
        } else {
            threads::inline(&work);
        }
        work.verdict()?;
        self.leave(plan, inputs, outputs)
    }

    /// A sole-owned buffer for every written output: a spare one, or a fresh one, which is counted.
    ///
    /// The workspace keeps two spares for each exit (`i`, and `i` + number of exits): while a variable holds the result
    /// of the last call, the one before is free. An output that replaces an input needs a buffer only where the input
    /// is not the caller's alone, and none is kept for it.
    fn claim(&mut self, plan: &Plan, workspace: &mut Workspace, inputs: &mut [Value]) {
        let count = plan.exits.len();
        for (i, exit) in plan.exits.iter().enumerate() {
            let meta = match exit {
                Exit::Written(meta) => meta,
                Exit::Replaced { input, meta } if sole(&mut inputs[*input], meta).is_none() => meta,
                Exit::Replaced { .. } | Exit::Alias(_) | Exit::Shared { .. } => continue,
            };
            let free = [i, i + count].into_iter().find(|&place| is_free(&mut workspace.spares[place], meta.bytes()));
            self.buffers[i] = free.and_then(|place| workspace.spares[place].take()).or_else(|| {
                workspace.fresh += 1;
                Some(Arc::new(HostStorage::new(unwritten(meta.bytes()), Device::Cpu)))
            });
        }
    }

    /// Note where every slot lies.
    fn place(&mut self, plan: &Plan, workspace: &mut Workspace, inputs: &mut [Value]) -> Result<()> {
        let slots = &mut self.slots;
        slots.clear();
        slots.push(workspace.arena.as_mut().map_or(Memory::EMPTY, |arena| Memory::write(arena)));
        for value in inputs.iter().chain(&self.constants) {
            slots.push(Memory::read(tail(value)?));
        }
        for (i, exit) in plan.exits.iter().enumerate() {
            let memory = match (exit, host_mut(&mut self.buffers[i])) {
                (_, Some(bytes)) => Memory::write(bytes),
                (Exit::Replaced { input, meta }, None) => {
                    let memory = sole(&mut inputs[*input], meta).map_or(Memory::EMPTY, Memory::write);
                    slots[Slots::input(*input)] = memory;
                    memory
                }
                (Exit::Written(_) | Exit::Alias(_) | Exit::Shared { .. }, None) => Memory::EMPTY,
            };
            slots.push(memory);
        }
        slots.push(Memory::write(&mut self.aside));
        Ok(())
    }

    /// The values that leave the plan.
    fn leave(&self, plan: &Plan, inputs: &[Value], values: &mut Vec<Value>) -> Result<()> {
        values.clear();
        for (i, exit) in plan.exits.iter().enumerate() {
            values.push(match (exit, &self.buffers[i]) {
                (Exit::Written(meta) | Exit::Replaced { meta, .. }, Some(buffer)) => Value {
                    buffer: Arc::clone(buffer),
                    layout: Layout::contiguous(meta.shape.clone()),
                    dtype: meta.dtype,
                },
                (Exit::Replaced { input, .. }, None) => inputs[*input].clone(),
                (Exit::Written(_), None) => return Err(Error::bug("run_plan", "an output has no buffer")),
                (Exit::Alias(located), _) => self.alias(located, inputs)?,
                (Exit::Shared { output, layout }, _) => values[*output].with_layout(layout.clone()),
            });
        }
        Ok(())
    }

    fn alias(&self, located: &Located, inputs: &[Value]) -> Result<Value> {
        let value = match located.place {
            Place::Input(i) => &inputs[i],
            Place::Constant(i) => &self.constants[i],
            Place::Arena(_) | Place::Output(_) => {
                return Err(Error::bug("run_plan", format!("nothing lies at {:?}", located.place)));
            }
        };
        let layout = &located.layout;
        let offset = value.layout.offset() + layout.offset();
        Ok(value.with_layout(Layout::new(layout.shape().clone(), layout.strides().into(), offset)))
    }

    /// Keep a handle on every buffer for a later call, in place of the older spare.
    fn keep(&mut self, plan: &Plan, workspace: &mut Workspace) {
        let count = self.buffers.len();
        for (i, exit) in plan.exits.iter().enumerate() {
            let Some(buffer) = self.buffers[i].take() else { continue };
            if matches!(exit, Exit::Replaced { .. }) {
                continue;
            }
            let place = if workspace.spares[i].is_none() { i } else { i + count };
            if workspace.spares[place].is_some() {
                workspace.spares.swap(i, i + count);
            }
            workspace.spares[place] = Some(buffer);
        }
    }
}

/// Let the elements of every value lie row-major without gaps; what does not is copied, and counted.
fn dense(values: &mut [Value], fresh: &mut u64) -> Result<()> {
    for value in values.iter_mut().filter(|value| !value.layout.is_contiguous()) {
        *fresh += 1;
        *value = Value::from_host(copy::row_major(&source("run_plan", value)?)?, &value.meta(), Device::Cpu);
    }
    Ok(())
}

fn is_free(spare: &mut Option<Buffer>, bytes: usize) -> bool {
    spare.as_mut().and_then(Arc::get_mut).is_some_and(|storage| storage.len() == bytes && storage.host_mut().is_some())
}

/// The bytes of a value that nobody else holds, where they are just those of its elements.
fn sole<'a>(value: &'a mut Value, meta: &Meta) -> Option<&'a mut [u8]> {
    let whole = value.layout.offset() == 0 && value.buffer.len() == meta.bytes();
    if whole { Arc::get_mut(&mut value.buffer).and_then(<dyn Storage>::host_mut) } else { None }
}

/// The bytes of a dense value, from its first element.
fn tail(value: &Value) -> Result<&[u8]> {
    let start = value.layout.offset() * value.dtype.size();
    value
        .host("run_plan")?
        .get(start..)
        .ok_or_else(|| Error::bug("run_plan", format!("a value that starts at byte {start}")))
}

fn host_mut(buffer: &mut Option<Buffer>) -> Option<&mut [u8]> {
    buffer.as_mut().and_then(Arc::get_mut).and_then(<dyn Storage>::host_mut)
}

#[cfg(test)]
mod tests;
