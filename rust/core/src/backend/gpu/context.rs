//! One opened GPU: its queue, its shaders, what went wrong.

use super::adapters::adapter;
use super::choices::{self, Choices};
use super::count;
use super::disk::Sealed;
use super::kept::Kept;
use super::memory::Memory;
use super::pipelines::Pipelines;
use super::text::Text;
use super::tier::Tier;
use super::verdicts::Verdicts;
use super::work::{Region, Work};
use crate::backend::need::Need;
use crate::device::Device;
use crate::error::{Error, Result};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, BindGroupLayout, BindGroupLayoutDescriptor, BindGroupLayoutEntry,
    BindingType, Buffer, BufferBindingType, BufferDescriptor, BufferUsages, ComputePipeline, ComputePipelineDescriptor,
    DeviceDescriptor, ErrorFilter, Features, MemoryHints, PipelineCompilationOptions, PipelineLayout,
    PipelineLayoutDescriptor, Queue, ShaderModuleDescriptor, ShaderSource, ShaderStages,
};

/// An opened GPU.
pub(super) struct Context {
    pub(super) device: wgpu::Device,
    pub(super) queue: Queue,
    pub(super) memory: Arc<Memory>,
    /// The device as users name it.
    pub(super) place: Device,
    /// Operands that one kernel can have.
    pub(super) operands: usize,
    /// Compiled shaders of earlier and later processes.
    pub(super) kept: Kept,
    /// Which of several kernels runs.
    pub(super) choices: Arc<Choices>,
    /// Where a table of choices for later processes lies.
    pub(super) tuning: Option<Sealed>,
    /// The process that opened it; children share no driver state.
    process: u32,
    /// The first thing that went wrong outside of a call that could say so.
    fault: Arc<Mutex<Option<String>>>,
    layouts: Mutex<HashMap<usize, Layouts>>,
    pipelines: Mutex<Pipelines<ComputePipeline>>,
    work: Mutex<Work>,
    /// Checks of plans whose calls nobody waits for.
    deferred: Mutex<Vec<Arc<Verdicts>>>,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("device", &self.device).finish_non_exhaustive()
    }
}

/// How a kernel with some number of operands is bound.
#[derive(Clone)]
struct Layouts {
    group: BindGroupLayout,
    pipeline: PipelineLayout,
}

impl Context {
    /// Open the GPU with this number.
    pub(super) fn open(number: u8) -> Result<Self> {
        let adapter = adapter(number)?;
        let tier = Tier::wanted(Tier::of(adapter.features()))?;
        let limits = tier.limits(adapter.limits());
        // Neither changes what is computed; the lowest tier shows what a card without clocks does.
        let clock = if tier == Tier::T0 { Features::empty() } else { Features::TIMESTAMP_QUERY };
        let options = DeviceDescriptor {
            label: Some("trainsmith"),
            required_features: adapter.features() & (Features::PIPELINE_CACHE | clock),
            required_limits: limits.clone(),
            memory_hints: MemoryHints::MemoryUsage,
            ..DeviceDescriptor::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&options))
            .map_err(|error| Error::device("gpu", "a GPU that can be opened", error.to_string()))?;
        let fault: Arc<Mutex<Option<String>>> = Arc::default();
        let note = |fault: &Arc<Mutex<Option<String>>>| {
            let fault = Arc::clone(fault);
            move |text: String| {
                fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(text);
            }
        };
        let (uncaptured, lost) = (note(&fault), note(&fault));
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| uncaptured(error.to_string())));
        device.set_device_lost_callback(move |reason, text| lost(format!("the device was lost: {reason:?} {text}")));
        let largest = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        let memory = Memory::new(device.clone(), Device::Gpu(number), largest)?;
        Ok(Self {
            work: Mutex::new(Work::new(&device)),
            kept: Kept::open(&device, &adapter.get_info()),
            choices: Arc::new(Choices::of(&adapter.get_info())?),
            tuning: choices::file(&adapter.get_info()),
            device,
            queue,
            memory,
            place: Device::Gpu(number),
            operands: limits.max_storage_buffers_per_shader_stage as usize,
            process: std::process::id(),
            fault,
            layouts: Mutex::default(),
            pipelines: Mutex::default(),
            deferred: Mutex::default(),
        })
    }

    /// Whether this process opened it.
    pub(super) fn is_own(&self) -> bool {
        std::process::id() == self.process
    }

    /// Whether the GPU can still be used.
    pub(super) fn healthy(&self, op: &str) -> Result<()> {
        if !self.is_own() {
            let rule = "the process that opened the GPU; start children with spawn, not fork";
            return Err(Error::device(op, rule, "a forked child"));
        }
        match &*self.fault.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(text) => Err(Error::device(op, "a GPU without a fault; start the process again", text.clone())),
        }
    }

    /// The texts of all shaders compiled so far.
    pub(super) fn texts(&self) -> Vec<Arc<str>> {
        self.pipelines.lock().unwrap_or_else(PoisonError::into_inner).texts().cloned().collect()
    }

    /// Tell the user what a step that is about to be made ready needs, if that is much.
    pub(super) fn announce<'a>(&self, texts: impl IntoIterator<Item = &'a Text>, need: Need) {
        let known = self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        let new = texts.into_iter().map(|text| &text.shader).filter(|&shader| !known.contains(shader));
        self.kept.announce(new.map(AsRef::as_ref), need);
    }

    /// Commands that wait to be handed over.
    pub(super) fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Let whoever reads from this GPU look at a plan's checks.
    pub(super) fn defer(&self, verdicts: &Arc<Verdicts>) {
        let mut deferred = self.deferred.lock().unwrap_or_else(PoisonError::into_inner);
        if !deferred.iter().any(|known| Arc::ptr_eq(known, verdicts)) {
            // Those of a plan that is gone are kept until they have been read.
            deferred.retain(|known| Arc::strong_count(known) > 1 || known.unread() > 0);
            deferred.push(Arc::clone(verdicts));
        }
    }

    /// Checks of calls that nobody has read.
    pub(super) fn unread(&self) -> Vec<Arc<Verdicts>> {
        let deferred = self.deferred.lock().unwrap_or_else(PoisonError::into_inner);
        deferred.iter().filter(|verdicts| verdicts.unread() > 0).cloned().collect()
    }

    /// How kernels with so many operands are bound.
    fn group_layout(&self, operands: usize) -> BindGroupLayout {
        self.layouts(operands).group
    }

    fn layouts(&self, operands: usize) -> Layouts {
        let mut known = self.layouts.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(operands).or_insert_with(|| self.new_layouts(operands)).clone()
    }

    fn new_layouts(&self, operands: usize) -> Layouts {
        // Every operand is bound for writing: one buffer may then be bound twice in a dispatch.
        let entry = |binding: usize| BindGroupLayoutEntry {
            binding: binding as u32,
            visibility: ShaderStages::COMPUTE,
            ty: BindingType::Buffer {
                ty: if binding == 0 {
                    BufferBindingType::Uniform
                } else {
                    BufferBindingType::Storage { read_only: false }
                },
                // One binding serves all numbers of a plan.
                has_dynamic_offset: binding == 0,
                min_binding_size: None,
            },
            count: None,
        };
        let entries: Vec<_> = (0..=operands).map(entry).collect();
        let group = self.device.create_bind_group_layout(&BindGroupLayoutDescriptor { label: None, entries: &entries });
        let pipeline = self.device.create_pipeline_layout(&PipelineLayoutDescriptor {
            label: None,
            bind_group_layouts: &[Some(&group)],
            ..PipelineLayoutDescriptor::default()
        });
        Layouts { group, pipeline }
    }

    /// A new buffer that users' tensors do not use.
    pub(super) fn buffer(&self, label: &str, size: u64, usage: BufferUsages) -> Result<Buffer> {
        count::add(&count::OBJECTS);
        let scope = self.device.push_error_scope(ErrorFilter::OutOfMemory);
        let descriptor = BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false };
        let buffer = self.device.create_buffer(&descriptor);
        if pollster::block_on(scope.pop()).is_some() {
            let rule = "room in the GPU's memory; use a smaller batch or model, or the CPU";
            return Err(Error::device(label, rule, format!("no room for {size} bytes")));
        }
        Ok(buffer)
    }

    /// So many bytes of numbers, whose place is told when it is used, and operands, as a kernel sees them.
    pub(super) fn bind(&self, numbers: &Buffer, bytes: usize, operands: &[Region<'_>]) -> BindGroup {
        count::add(&count::OBJECTS);
        let numbers = Region { buffer: numbers, offset: 0, size: Some(bytes as u64) };
        let entries: SmallVec<[BindGroupEntry<'_>; 8]> = std::iter::once(&numbers)
            .chain(operands)
            .enumerate()
            .map(|(binding, region)| BindGroupEntry { binding: binding as u32, resource: region.resource() })
            .collect();
        let layout = &self.group_layout(operands.len());
        self.device.create_bind_group(&BindGroupDescriptor { label: None, layout, entries: &entries })
    }

    /// The compiled shader of a dispatch.
    pub(super) fn pipeline(&self, op: &str, text: &Text) -> Result<Arc<ComputePipeline>> {
        let mut known = self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = known.get(&text.shader) {
            return Ok(pipeline);
        }
        if text.slots.len() > self.operands {
            let rule = format!("kernels of at most {} operands on this GPU", self.operands);
            return Err(Error::device(op, rule, text.slots.len().to_string()));
        }
        let layouts = self.layouts(text.slots.len());
        let scope = self.device.push_error_scope(ErrorFilter::Validation);
        let module = self.device.create_shader_module(ShaderModuleDescriptor {
            label: Some(op),
            source: ShaderSource::Wgsl(text.shader.as_ref().into()),
        });
        let pipeline = self.device.create_compute_pipeline(&ComputePipelineDescriptor {
            label: Some(op),
            layout: Some(&layouts.pipeline),
            module: &module,
            entry_point: Some("main"),
            // Workgroup memory is written before it is read.
            compilation_options: PipelineCompilationOptions {
                zero_initialize_workgroup_memory: false,
                ..PipelineCompilationOptions::default()
            },
            cache: self.kept.cache(),
        });
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(Error::bug(op, format!("a shader that does not compile: {error}\n{}", text.shader)));
        }
        self.kept.add(&text.shader);
        count::add(&count::SHADERS);
        count::add(&count::OBJECTS);
        Ok(known.insert(Arc::clone(&text.shader), pipeline))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::gpu::gpus;

    #[test]
    fn a_lost_device_says_so() {
        if gpus().is_empty() {
            assert!(std::env::var("REQUIRE_GPU").is_err(), "REQUIRE_GPU is set, and there is no GPU with a driver");
            return;
        }
        let context = Context::open(0).unwrap();
        context.healthy("add").unwrap();
        context.device.destroy();
        let _ = context.device.poll(wgpu::PollType::Poll);
        let said = context.healthy("add").unwrap_err().to_string();
        assert!(said.contains("add") && said.contains("start the process again"), "{said}");
    }
}
