//! The GPU backend, through wgpu: shaders made from ops, run one op at a time or as the steps of a plan.
//!
//! `lower.rs` is the one door to the kernels: it turns an op into dispatches, which are data. `work.rs` hands them to the
//! GPU. Nothing falls back to the CPU silently: decompositions of matrices are computed on the host and say so in the
//! documentation; a dtype that GPUs lack is refused.

mod adapters;
mod carry;
mod check;
mod choices;
mod clock;
mod context;
mod count;
mod disk;
mod dispatch;
mod footprint;
mod kept;
mod kernels;
mod launch;
mod library;
mod lower;
mod memory;
mod pipelines;
mod plan;
mod prepare;
mod queue;
mod run;
mod scan;
mod shader;
mod space;
mod text;
mod tier;
mod transfer;
mod tune;
mod turns;
mod unroll;
mod verdicts;
mod work;

use crate::backend::{Backend, Workspace, result_metas};
use crate::buffer::{Buffer, HostVec, Meta, Value, element_size};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::ir::op::Op;
use crate::ir::plan::Plan;
use crate::layout::Layout;
pub use adapters::{GpuInfo, gpus};
use context::Context;
pub use count::{dispatches, objects, reads, shaders};
use memory::GpuStorage;
use smallvec::SmallVec;
use std::sync::{Arc, OnceLock};
pub use tune::{Finding, Tuner};

/// A GPU by its number, opened when it is first used.
#[derive(Debug)]
pub struct Gpu {
    number: u8,
    context: OnceLock<Result<Context>>,
}

/// The texts of all shaders compiled so far in this process.
pub fn texts() -> Vec<Arc<str>> {
    let opened = (0..Device::GPUS).filter_map(|number| gpu(number).context.get()?.as_ref().ok());
    opened.flat_map(Context::texts).collect()
}

/// Write what GPUs have compiled for later processes; call it before the process ends.
pub fn save_caches() {
    let opened = (0..Device::GPUS).filter_map(|number| gpu(number).context.get()?.as_ref().ok());
    opened.filter(|context| context.is_own()).for_each(|context| context.kept.save(true));
}

/// Wait for everything that was handed to GPUs.
pub(super) fn settle() -> Result<()> {
    clock::settle((0..Device::GPUS).filter_map(|number| gpu(number).context.get()?.as_ref().ok()))
}

/// The GPU with a number below [`Device::GPUS`].
pub fn gpu(number: u8) -> &'static Gpu {
    static ALL: [Gpu; Device::GPUS as usize] = {
        let mut all = [const { Gpu { number: 0, context: OnceLock::new() } }; Device::GPUS as usize];
        let mut number = 0;
        while number < Device::GPUS {
            all[number as usize].number = number;
            number += 1;
        }
        all
    };
    &ALL[(number % Device::GPUS) as usize]
}

impl Gpu {
    /// The opened GPU, or why it cannot be used.
    fn context(&self, op: &str) -> Result<&Context> {
        let context = self.context.get_or_init(|| Context::open(self.number)).as_ref().map_err(Clone::clone)?;
        context.healthy(op)?;
        Ok(context)
    }

    /// What chooses between kernels here: `shipped`, or the hash of a table that was measured.
    pub fn table(&self) -> Result<String> {
        Ok(self.context("tune")?.choices.name().to_owned())
    }

    /// Bytes that a plan works in.
    pub(super) fn working(&self, plan: &Plan) -> Result<u64> {
        prepare::working(self, plan)
    }

    /// Operands that one kernel can have.
    pub fn operands(&self, op: &str) -> Result<usize> {
        Ok(self.context(op)?.operands)
    }

    /// A row-major value with room for its elements.
    fn allocate(&self, op: &str, meta: &Meta) -> Result<Value> {
        let context = self.context(op)?;
        let bytes = meta.shape.numel() * element_size(meta.dtype, Device::Gpu(self.number));
        let storage = context.memory.take(op, bytes, meta.bytes())?;
        let layout = Layout::contiguous(meta.shape.clone());
        Ok(Value { buffer: Arc::new(storage), layout, dtype: meta.dtype })
    }

    /// A value whose elements lie row-major from the start of a buffer of their own.
    fn compacted(&self, op: &str, value: &Value) -> Result<Value> {
        if value.layout == Layout::contiguous(value.shape().clone()) {
            return Ok(value.clone());
        }
        let copy = self.allocate(op, &value.meta())?;
        run::copy(self, op, value, &copy)?;
        Ok(copy)
    }
}

/// The storage behind a buffer, if it lies on a GPU.
fn storage<'a>(op: &str, buffer: &'a Buffer) -> Result<&'a GpuStorage> {
    buffer
        .as_any()
        .downcast_ref()
        .ok_or_else(|| Error::device(op, "a tensor on the GPU; move it with to(device)", buffer.device().to_string()))
}

impl Backend for Gpu {
    fn device(&self) -> Device {
        Device::Gpu(self.number)
    }

    fn upload(&self, bytes: &[u8], meta: &Meta) -> Result<Value> {
        if bytes.len() != meta.bytes() {
            return Err(Error::bug("upload", format!("{} bytes, got {}", meta.bytes(), bytes.len())));
        }
        lower::supported("to", meta.dtype)?;
        let value = self.allocate("to", meta)?;
        let context = self.context("to")?;
        let words = transfer::pack(bytes, meta.dtype);
        context.work().write(context, storage("to", &value.buffer)?.buffer(), 0, &words);
        Ok(value)
    }

    fn download(&self, value: &Value) -> Result<HostVec> {
        let found = self.download_all(std::slice::from_ref(value))?.pop();
        found.ok_or_else(|| Error::bug("download", "one value, got none"))
    }

    fn download_all(&self, values: &[Value]) -> Result<Vec<HostVec>> {
        let context = self.context("download")?;
        let dense = |value: &Value| {
            if value.layout.is_contiguous() { Ok(value.clone()) } else { self.compacted("download", value) }
        };
        let values = values.iter().map(dense).collect::<Result<Vec<_>>>()?;
        let part = |value: &Value| {
            let size = element_size(value.dtype, self.device());
            let (offset, bytes) = ((value.layout.offset() * size) as u64, value.shape().numel() * size);
            Ok((storage("download", &value.buffer)?.buffer().clone(), offset, bytes))
        };
        let parts = values.iter().map(part).collect::<Result<Vec<_>>>()?;
        let borrowed: Vec<_> = parts.iter().map(|(buffer, offset, bytes)| (buffer, *offset, *bytes)).collect();
        let mut words = &context.read("download", &borrowed)?[..];
        let mut found = Vec::new();
        for (value, (.., bytes)) in values.iter().zip(&parts) {
            let (own, rest) = words.split_at(*bytes);
            found.push(transfer::unpack(own, value.dtype));
            words = rest;
        }
        Ok(found)
    }

    fn run_op(&self, op: &Op, inputs: &[Value]) -> Result<SmallVec<[Value; 1]>> {
        let metas = result_metas(op, inputs)?;
        run::run(self, op, inputs, &metas)
    }

    fn run_plan(
        &self,
        plan: &Plan,
        workspace: &mut Workspace,
        inputs: &mut [Value],
        outputs: &mut Vec<Value>,
    ) -> Result<()> {
        plan::run(self, plan, workspace, inputs, outputs)
    }

    fn synchronise(&self) -> Result<()> {
        self.context("synchronise")?.wait("synchronise")
    }

    fn compact(&self, value: &Value) -> Result<Value> {
        self.compacted("compact", value)
    }
}
