//! Plans: every step is lowered once, at the first call; a call binds values and records dispatches.
//!
//! Checks write into a status buffer. Where the caller can take a call back later, nobody waits for it: the last phase
//! does nothing once a check has failed. Else it is read before the last phase, so that a step that fails changes
//! nothing, and its error comes from the call that it belongs to.

use super::context::Context;
use super::launch::Slot;
use super::memory::GpuStorage;
use super::prepare::{Prepared, Stage, prepare, view};
use super::verdicts::UNREAD;
use super::{Gpu, run, scan, storage};
use crate::backend::{Backend, Undo, Workspace, locate};
use crate::buffer::{Buffer, Meta, Value};
use crate::error::{Error, Result};
use crate::ir::op::Op;
use crate::ir::plan::{Exit, Located, Plan};
use std::sync::Arc;

/// Run a plan.
pub(super) fn run(
    gpu: &Gpu,
    plan: &Plan,
    workspace: &mut Workspace,
    inputs: &mut [Value],
    outputs: &mut Vec<Value>,
) -> Result<()> {
    for input in inputs.iter_mut() {
        *input = gpu.compacted("compile", input)?;
    }
    let mut prepared = match workspace.room.take().and_then(|room| room.downcast::<Prepared>().ok()) {
        Some(prepared) => prepared,
        None => Box::new(prepare(gpu, plan)?),
    };
    let done = call(gpu, plan, (&mut prepared, workspace.undo.as_ref()), inputs, outputs);
    workspace.room = Some(prepared);
    done
}

fn call(
    gpu: &Gpu,
    plan: &Plan,
    (prepared, undo): (&mut Prepared, Option<&Undo>),
    inputs: &mut [Value],
    outputs: &mut Vec<Value>,
) -> Result<()> {
    outputs.clear();
    let context = gpu.context("compile")?;
    let undo = undo.filter(|_| prepared.masked);
    if prepared.verdicts.as_ref().is_some_and(|verdicts| verdicts.unread() >= UNREAD) {
        context.wait("compile")?;
    }
    // Where each output is written; those without a buffer of their own are found when all is done.
    let mut targets: Vec<Option<Value>> = Vec::new();
    for exit in &plan.exits {
        targets.push(match exit {
            Exit::Written(meta) => Some(gpu.allocate("compile", meta)?),
            Exit::Replaced { input, meta } => Some(own(gpu, &mut inputs[*input], meta)?),
            Exit::Alias(_) | Exit::Shared { .. } => None,
        });
    }
    let Prepared { arena, constants, scratch, stages, commit, verdicts, late, numbers, .. } = prepared;
    let now = Call { gpu, context, plan, arena, constants, inputs, targets: &targets };
    let status = verdicts.as_ref().map(|verdicts| verdicts.buffer()).transpose()?;
    let buffer = |slot: Slot| match (slot, status) {
        (Slot::Status, Some(status)) => Ok(status),
        (Slot::Scratch(place), _) => scratch.get(place).map(GpuStorage::buffer).ok_or_else(|| lost(slot)),
        _ => now.buffer(slot),
    };
    let mut judge = || -> Result<()> {
        let Some(verdicts) = &*verdicts else { return Ok(()) };
        late.iter_mut().try_for_each(|look| look.record(context, numbers, buffer))?;
        if undo.is_some() { Ok(()) } else { verdicts.judge(context) }
    };
    if let (Some(verdicts), Some(undo)) = (&*verdicts, undo) {
        verdicts.defer(undo);
        context.defer(verdicts);
    }
    for (turn, stage) in stages.iter_mut().enumerate() {
        if turn == *commit {
            judge()?;
        }
        match stage {
            Stage::Kernel { dispatch, origin } => {
                dispatch.record(context, numbers, buffer).map_err(|error| locate(error, origin.as_deref()))?;
            }
            Stage::Turns { turns, origin } => {
                turns.record(context, numbers, buffer).map_err(|error| locate(error, origin.as_deref()))?;
            }
            Stage::Nothing => {}
            Stage::Whole(step) => {
                now.whole(*step).map_err(|error| locate(error, plan.steps[*step].origin.as_deref()))?;
            }
        }
    }
    if *commit >= stages.len() {
        judge()?;
    }
    for (place, exit) in plan.exits.iter().enumerate() {
        let value = match exit {
            Exit::Written(_) | Exit::Replaced { .. } => targets[place].clone(),
            Exit::Alias(located) => Some(now.value(located)?),
            Exit::Shared { output, layout } => {
                outputs.get(*output).map(|value: &Value| value.with_layout(layout.clone()))
            }
        };
        outputs.push(value.ok_or_else(|| Error::bug("plan", format!("output {place} has no origin")))?);
    }
    context.work().flush(context);
    context.healthy("compile")
}

/// Let an input be the only holder of its memory, so that it can be written.
fn own(gpu: &Gpu, input: &mut Value, meta: &Meta) -> Result<Value> {
    if Arc::get_mut(&mut input.buffer).is_none() {
        let copy = gpu.allocate("compile", meta)?;
        run::copy(gpu, "compile", input, &copy)?;
        *input = copy;
    }
    Ok(input.clone())
}

fn lost(slot: Slot) -> Error {
    Error::bug("plan", format!("nothing at {slot:?}"))
}

/// One call of a plan.
struct Call<'a> {
    gpu: &'a Gpu,
    context: &'a Context,
    plan: &'a Plan,
    arena: &'a Buffer,
    constants: &'a [Value],
    inputs: &'a [Value],
    targets: &'a [Option<Value>],
}

impl<'a> Call<'a> {
    fn memory(&self, slot: Slot) -> Result<&'a Buffer> {
        let memory = match slot {
            Slot::Arena => Some(self.arena),
            Slot::Given(place) => self.inputs.get(place).map(|value| &value.buffer),
            Slot::Constant(place) => self.constants.get(place).map(|value| &value.buffer),
            Slot::Exit(place) => self.targets.get(place).and_then(Option::as_ref).map(|value| &value.buffer),
            Slot::Input(_) | Slot::Output(_) | Slot::Scratch(_) | Slot::Status => None,
        };
        memory.ok_or_else(|| lost(slot))
    }

    fn buffer(&self, slot: Slot) -> Result<&'a wgpu::Buffer> {
        Ok(storage("compile", self.memory(slot)?)?.buffer())
    }

    fn value(&self, located: &Located) -> Result<Value> {
        let view = view(self.gpu.device(), self.plan, located);
        let slot = view.home.unwrap_or(Slot::Arena);
        Ok(Value { buffer: Arc::clone(self.memory(slot)?), layout: view.layout, dtype: view.dtype })
    }

    /// Run a step as an op of its own.
    fn whole(&self, turn: usize) -> Result<()> {
        let step = &self.plan.steps[turn];
        let inputs = step.inputs.iter().map(|located| self.value(located)).collect::<Result<Vec<_>>>()?;
        let results = match &step.op {
            Op::Scan(attributes) => scan::scan(self.gpu, attributes, &inputs)?,
            op => {
                let metas: Vec<Meta> = step.outputs.iter().map(|located| located.meta.clone()).collect();
                run::run(self.gpu, op, &inputs, &metas)?.into_vec()
            }
        };
        for (from, to) in results.iter().zip(&step.outputs) {
            run::copy(self.gpu, step.op.name(), from, &self.value(to)?)?;
        }
        self.context.healthy(step.op.name())
    }
}
