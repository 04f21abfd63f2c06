//! HOW an op or a plan runs. Nothing here differentiates, rewrites or knows a tensor handle; the tensor layer calls it.
//!
//! A backend is one object with few methods and never a method per op.

pub mod cpu;
pub mod gpu;
mod need;
pub mod profile;
pub mod reference;

use crate::buffer::{Buffer, HostVec, Meta, Value};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::ir::infer::infer;
use crate::ir::op::Op;
use crate::ir::plan::Plan;
use crate::ir::program::Program;
pub use need::Need;
use smallvec::SmallVec;
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// Working memory of one plan: its arena, and buffers that outputs will be written into.
#[derive(Debug, Default)]
pub struct Workspace {
    /// Arena of the plan, allocated on first use.
    pub arena: Option<HostVec>,
    /// For each exit two buffers from earlier calls: a value in use and one that may be sole-owned by now.
    pub spares: Vec<Option<Buffer>>,
    /// Buffers that had to be allocated because their last value is still in use.
    pub fresh: u64,
    /// What the backend made of the plan at the first call.
    pub room: Option<Box<dyn Any + Send>>,
    /// Given where a call may come back before its checks are known: see [`Undo`].
    pub undo: Option<Undo>,
}

/// Takes back what the last calls of a plan did outside of it, so many of them.
///
/// A backend that has it need not wait for a call's checks. A call that fails then writes over no input, nor does any
/// later one, until something is read from the device; the reader gets the error, and these calls are taken back.
#[derive(Clone)]
pub struct Undo(pub Arc<dyn Fn(usize) + Send + Sync>);

impl fmt::Debug for Undo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Undo")
    }
}

/// A place that holds values and runs ops.
pub trait Backend: Send + Sync {
    /// The device this backend serves.
    fn device(&self) -> Device;
    /// Copy row-major bytes to the device.
    fn upload(&self, bytes: &[u8], meta: &Meta) -> Result<Value>;
    /// Copy a value to row-major host bytes.
    fn download(&self, value: &Value) -> Result<HostVec>;
    /// Copy values to row-major host bytes, with one wait for all where the device is waited for.
    fn download_all(&self, values: &[Value]) -> Result<Vec<HostVec>> {
        values.iter().map(|value| self.download(value)).collect()
    }
    /// Run one op at once.
    fn run_op(&self, op: &Op, inputs: &[Value]) -> Result<SmallVec<[Value; 1]>>;
    /// Run a plan and fill `outputs`. An input that an exit replaces is written in place where `inputs` holds the only
    /// handle on it, after everything that can fail; nothing else outside the workspace and the outputs is written.
    fn run_plan(
        &self,
        plan: &Plan,
        workspace: &mut Workspace,
        inputs: &mut [Value],
        outputs: &mut Vec<Value>,
    ) -> Result<()>;
    /// Wait until all work is done.
    fn synchronise(&self) -> Result<()>;
    /// The elements of a value row-major in a buffer of its own.
    fn compact(&self, value: &Value) -> Result<Value> {
        self.upload(&self.download(value)?, &value.meta())
    }
}

/// The backend of a device.
pub fn of(device: Device) -> &'static dyn Backend {
    match device {
        Device::Cpu => &cpu::CPU,
        Device::Gpu(number) => gpu::gpu(number),
        Device::Reference => &reference::REFERENCE,
    }
}

/// Memory that a call of a plan takes, before the first one. Of the CPU's kernels it counts what they share, not what each
/// thread keeps.
pub fn need(device: Device, plan: &Plan) -> Result<Need> {
    let working = match device {
        Device::Cpu => cpu::Cpu::working(plan)?,
        Device::Gpu(number) => gpu::gpu(number).working(plan)?,
        Device::Reference => plan.arena as u64,
    };
    Ok(Need::of(device, plan, working))
}

/// Run a program op by op: the obvious twin of every plan, and the way a loop body runs.
pub fn interpret(backend: &dyn Backend, program: &Program, inputs: &[Value]) -> Result<Vec<Value>> {
    if inputs.len() != program.inputs {
        return Err(Error::bug("interpret", format!("{} inputs, got {}", program.inputs, inputs.len())));
    }
    let mut last_use = vec![0; program.metas.len()];
    for (turn, instruction) in program.instructions.iter().enumerate() {
        for &input in &instruction.inputs {
            last_use[input] = turn;
        }
    }
    for &output in &program.outputs {
        last_use[output] = usize::MAX;
    }
    let mut values: Vec<Option<Value>> = inputs.iter().chain(&program.constants).cloned().map(Some).collect();
    for (turn, instruction) in program.instructions.iter().enumerate() {
        let operands: SmallVec<[Value; 4]> = instruction
            .inputs
            .iter()
            .map(|&i| values[i].clone().ok_or_else(|| Error::bug("interpret", "a value was dropped too early")))
            .collect::<Result<_>>()?;
        let results =
            backend.run_op(&instruction.op, &operands).map_err(|e| locate(e, instruction.origin.as_deref()))?;
        values.extend(results.into_iter().map(Some));
        for &input in &instruction.inputs {
            if last_use[input] == turn {
                values[input] = None;
            }
        }
    }
    program
        .outputs
        .iter()
        .map(|&o| values[o].clone().ok_or_else(|| Error::bug("interpret", "an output was dropped")))
        .collect()
}

/// Shapes and dtypes that running `op` on `inputs` gives.
pub fn result_metas(op: &Op, inputs: &[Value]) -> Result<SmallVec<[Meta; 1]>> {
    let metas: SmallVec<[Meta; 4]> = inputs.iter().map(Value::meta).collect();
    infer(op, &metas)
}

/// Add the user's file and line to an error.
pub fn locate(mut error: Error, origin: Option<&str>) -> Error {
    let Some(origin) = origin else { return error };
    let text = match &mut error {
        Error::Shape { got, .. }
        | Error::DType { got, .. }
        | Error::Value { got, .. }
        | Error::Index { got, .. }
        | Error::Device { got, .. }
        | Error::Graph { got, .. }
        | Error::NonFinite { got, .. }
        | Error::Io { got, .. } => got,
        Error::Bug { what, .. } => what,
    };
    text.push_str(" (recorded at ");
    text.push_str(origin);
    text.push(')');
    error
}
