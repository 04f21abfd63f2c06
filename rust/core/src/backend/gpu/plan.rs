//! Plans: every step is lowered once, at the first call; a call binds values and records dispatches.
//!
//! Checks write into a status buffer. It is read before the last phase of the plan, so that a step that fails changes
//! nothing, and its error comes from the call that it belongs to.

use super::check::{self, Verdicts};
use super::launch::{Guard, Lowered, View};
use super::memory::GpuStorage;
use super::{Gpu, lower, run, scan};
use crate::backend::{Backend, Workspace, locate};
use crate::buffer::{Buffer, Meta, Value, element_size};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::ir::op::Op;
use crate::ir::plan::{Exit, Located, Place, Plan, Step};
use crate::layout::{Layout, Strides};
use std::sync::Arc;

/// What is made of a plan at its first call.
struct Prepared {
    arena: Buffer,
    constants: Vec<Value>,
    steps: Vec<Ready>,
    verdicts: Option<Verdicts>,
}

/// A step, ready to be recorded.
enum Ready {
    /// Checks, then dispatches.
    Kernels { guards: Vec<(usize, Guard)>, lowered: Lowered, scratch: Vec<GpuStorage> },
    /// A loop, a fused body or a decomposition: run as an op of its own and copied to its place.
    Whole,
}

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
    let prepared = match workspace.room.take().and_then(|room| room.downcast::<Prepared>().ok()) {
        Some(prepared) => prepared,
        None => Box::new(prepare(gpu, plan)?),
    };
    let done = call(gpu, plan, &prepared, inputs, outputs);
    workspace.room = Some(prepared);
    done
}

fn prepare(gpu: &Gpu, plan: &Plan) -> Result<Prepared> {
    let context = gpu.context("compile")?;
    let arena = context.memory.take("compile", plan.arena, plan.arena)?;
    let here = |value: &Value| {
        if value.device() == gpu.device() {
            return gpu.compacted("compile", value);
        }
        let host = crate::backend::of(value.device()).download(value)?;
        gpu.upload(&host, &value.meta())
    };
    let mut checks = 0;
    let mut steps = Vec::new();
    for step in &plan.steps {
        let ready = ready(gpu, step, &mut checks).map_err(|error| locate(error, step.origin.as_deref()))?;
        steps.push(ready);
    }
    Ok(Prepared {
        arena: Arc::new(arena),
        constants: plan.constants.iter().map(here).collect::<Result<_>>()?,
        steps,
        verdicts: (checks > 0).then(|| Verdicts::new(gpu, checks)).transpose()?,
    })
}

fn ready(gpu: &Gpu, step: &Step, checks: &mut usize) -> Result<Ready> {
    if matches!(step.op, Op::Scan(_) | Op::Fused(_) | Op::Linalg(_)) {
        return Ok(Ready::Whole);
    }
    let view = |located: &Located| bound(located, gpu.device()).0;
    let (inputs, outputs): (Vec<View>, Vec<View>) =
        (step.inputs.iter().map(view).collect(), step.outputs.iter().map(view).collect());
    let lowered =
        if outputs.is_empty() { lower::checks(&step.op, &inputs) } else { lower::lower(&step.op, &inputs, &outputs)? };
    let mut guards = Vec::new();
    for guard in &lowered.guards {
        guards.push((*checks, guard.clone()));
        *checks += 1;
    }
    let memory = &gpu.context("compile")?.memory;
    let scratch =
        lowered.scratch.iter().map(|&bytes| memory.take(step.op.name(), bytes, bytes)).collect::<Result<Vec<_>>>()?;
    Ok(Ready::Kernels { guards, lowered, scratch })
}

/// The layout of a value inside its storage, and in the buffer that holds the storage.
fn bound(located: &Located, device: Device) -> (View, Layout) {
    let view = View { layout: located.layout.clone(), dtype: located.meta.dtype };
    let layout = match located.place {
        Place::Arena(start) => moved(&located.layout, start / element_size(located.meta.dtype, device)),
        Place::Input(_) | Place::Constant(_) | Place::Output(_) => located.layout.clone(),
    };
    (run::bound_view(&View { layout: layout.clone(), dtype: view.dtype }, device), layout)
}

/// A layout that starts later.
fn moved(layout: &Layout, by: usize) -> Layout {
    Layout::new(layout.shape().clone(), Strides::from_slice(layout.strides()), layout.offset() + by)
}

fn call(gpu: &Gpu, plan: &Plan, prepared: &Prepared, inputs: &mut [Value], outputs: &mut Vec<Value>) -> Result<()> {
    outputs.clear();
    // Where each output is written; those without a buffer of their own are found when all is done.
    let mut targets: Vec<Option<Value>> = Vec::new();
    for exit in &plan.exits {
        targets.push(match exit {
            Exit::Written(meta) => Some(gpu.allocate("compile", meta)?),
            Exit::Replaced { input, meta } => {
                let value = &mut inputs[*input];
                let sole = Arc::get_mut(&mut value.buffer).is_some();
                Some(if sole { value.clone() } else { gpu.allocate("compile", meta)? })
            }
            Exit::Alias(_) | Exit::Shared { .. } => None,
        });
    }
    let now = Call { gpu, prepared, inputs, targets: &targets };
    for (turn, (step, ready)) in plan.steps.iter().zip(&prepared.steps).enumerate() {
        if turn == plan.commit {
            now.judge(plan)?;
        }
        now.step(step, ready).map_err(|error| locate(error, step.origin.as_deref()))?;
    }
    if plan.commit >= plan.steps.len() {
        now.judge(plan)?;
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
    gpu.context("compile")?.work().flush(gpu.context("compile")?);
    Ok(())
}

/// One call of a plan.
struct Call<'a> {
    gpu: &'a Gpu,
    prepared: &'a Prepared,
    inputs: &'a [Value],
    targets: &'a [Option<Value>],
}

impl Call<'_> {
    fn value(&self, located: &Located) -> Result<Value> {
        let (_, layout) = bound(located, self.gpu.device());
        let missing = || Error::bug("plan", format!("nothing at {:?}", located.place));
        let buffer = match located.place {
            Place::Arena(_) => &self.prepared.arena,
            Place::Input(i) => &self.inputs.get(i).ok_or_else(missing)?.buffer,
            Place::Constant(i) => &self.prepared.constants.get(i).ok_or_else(missing)?.buffer,
            Place::Output(i) => &self.targets.get(i).and_then(Option::as_ref).ok_or_else(missing)?.buffer,
        };
        Ok(Value { buffer: Arc::clone(buffer), layout, dtype: located.meta.dtype })
    }

    fn step(&self, step: &Step, ready: &Ready) -> Result<()> {
        let inputs = step.inputs.iter().map(|located| self.value(located)).collect::<Result<Vec<_>>>()?;
        let outputs = step.outputs.iter().map(|located| self.value(located)).collect::<Result<Vec<_>>>()?;
        match ready {
            Ready::Kernels { guards, lowered, scratch } => {
                for (number, guard) in guards {
                    if let (Some(verdicts), Some(value)) = (&self.prepared.verdicts, inputs.get(guard.input)) {
                        verdicts.ask(self.gpu, *number, guard, value)?;
                    }
                }
                run::record_with(self.gpu, step.op.name(), &lowered.launches, scratch, &inputs, &outputs)
            }
            Ready::Whole => {
                let results = match &step.op {
                    Op::Scan(attributes) => scan::scan(self.gpu, attributes, &inputs)?,
                    op => {
                        let metas: Vec<Meta> = step.outputs.iter().map(|located| located.meta.clone()).collect();
                        run::run(self.gpu, op, &inputs, &metas)?.into_vec()
                    }
                };
                results.iter().zip(&outputs).try_for_each(|(from, to)| run::copy(self.gpu, step.op.name(), from, to))
            }
        }
    }

    /// Wait for the checks so far, and raise what the first failing one found.
    fn judge(&self, plan: &Plan) -> Result<()> {
        let Some(verdicts) = &self.prepared.verdicts else { return Ok(()) };
        let answers = verdicts.read(self.gpu)?;
        for (step, ready) in plan.steps.iter().zip(&self.prepared.steps) {
            let Ready::Kernels { guards, .. } = ready else { continue };
            for (number, guard) in guards {
                let meta = &step.inputs[guard.input].meta;
                if let Some(error) = check::verdict(guard, meta, &answers[*number]) {
                    return Err(locate(error, step.origin.as_deref()));
                }
            }
        }
        Ok(())
    }
}
