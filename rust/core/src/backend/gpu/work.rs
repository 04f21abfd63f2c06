//! Commands on their way to the GPU: recorded in order, handed over in batches, read back.

use super::clock::{self, Clock};
use super::context::Context;
use super::count;
use super::dispatch::bytes_for;
use super::launch::{Launch, Slot};
use super::transfer::bytes_of;
use super::verdicts::BEHIND;
use crate::backend::profile::{self, Label};
use crate::error::{Error, Result};
use smallvec::SmallVec;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use wgpu::{
    BindGroup, BindingResource, Buffer, BufferBinding, BufferDescriptor, BufferSize, BufferUsages, CommandEncoder,
    CommandEncoderDescriptor, ComputePass, ComputePassDescriptor, ComputePipeline, MapMode, PollType, SubmissionIndex,
};

/// Bytes of numbers that one batch can take.
const NUMBERS: usize = 256 << 10;
/// Dispatches of one batch.
const BATCH: usize = 256;
/// Numbers of a dispatch start on this boundary, which every GPU accepts.
const ALIGN: usize = 256;
/// Batches that may be under way.
const UNDER_WAY: usize = 3;
/// Bytes of uploads that may wait for a batch.
const UPLOADS: usize = 16 << 20;
/// How long a read waits.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);

/// Part of a buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region<'a> {
    /// The buffer.
    pub(super) buffer: &'a Buffer,
    /// First byte, a multiple of 256.
    pub(super) offset: u64,
    /// Bytes, or all that follow.
    pub(super) size: Option<u64>,
}

impl<'a> Region<'a> {
    /// A whole buffer.
    pub(super) fn whole(buffer: &'a Buffer) -> Self {
        Self { buffer, offset: 0, size: None }
    }

    /// As it is bound.
    pub(super) fn resource(&self) -> BindingResource<'a> {
        let size = self.size.and_then(BufferSize::new);
        BindingResource::Buffer(BufferBinding { buffer: self.buffer, offset: self.offset, size })
    }
}

/// Commands that wait to be handed over.
pub(super) struct Work {
    encoder: Option<CommandEncoder>,
    pass: Option<ComputePass<'static>>,
    numbers: Vec<u8>,
    number_buffer: Buffer,
    dispatches: usize,
    uploaded: usize,
    under_way: Vec<SubmissionIndex>,
    /// Buffers for reading back, by turns.
    staging: Vec<Buffer>,
    /// Made by the first profile.
    clock: Option<Clock>,
}

impl Work {
    pub(super) fn new(device: &wgpu::Device) -> Self {
        let number_buffer = device.create_buffer(&BufferDescriptor {
            label: Some("numbers"),
            size: NUMBERS as u64,
            usage: BufferUsages::UNIFORM | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        Self {
            encoder: None,
            pass: None,
            numbers: Vec::new(),
            number_buffer,
            dispatches: 0,
            uploaded: 0,
            under_way: Vec::new(),
            staging: Vec::new(),
            clock: None,
        }
    }

    /// Record a dispatch.
    pub(super) fn launch<'a>(
        &mut self,
        context: &Context,
        op: &str,
        launch: &Launch,
        region: impl Fn(Slot) -> Result<Region<'a>>,
    ) -> Result<()> {
        let text = launch.text();
        let pipeline = context.pipeline(op, &text)?;
        let needed = bytes_for(&text.params);
        if self.numbers.len() + needed > NUMBERS || self.dispatches >= BATCH {
            self.flush(context);
        }
        let start = self.numbers.len();
        self.numbers.extend_from_slice(bytes_of(&text.params));
        self.numbers.resize((start + needed).next_multiple_of(ALIGN), 0);
        let regions: SmallVec<[Region<'a>; 8]> = text.slots.iter().map(|&slot| region(slot)).collect::<Result<_>>()?;
        let group = context.bind(&self.number_buffer, needed, &regions);
        let label = || text.label.unwrap_or_else(|| clock::plain(op));
        self.replay(context, &pipeline, (&group, start), text.groups, label);
        Ok(())
    }

    /// Record a dispatch that is bound, with the numbers that start at a place.
    pub(super) fn replay(
        &mut self,
        context: &Context,
        pipeline: &ComputePipeline,
        (group, start): (&BindGroup, usize),
        groups: [u32; 3],
        label: impl FnOnce() -> Arc<Label>,
    ) {
        if self.dispatches >= BATCH {
            self.flush(context);
        }
        count::add(&count::DISPATCHES);
        if profile::on() {
            return self.timed(context, pipeline, (group, start), groups, label());
        }
        dispatch(self.pass(context), pipeline, (group, start), groups);
        self.dispatches += 1;
    }

    /// Record a dispatch in a pass of its own, whose time is noted when its batch is done.
    fn timed(
        &mut self,
        context: &Context,
        pipeline: &ComputePipeline,
        (group, start): (&BindGroup, usize),
        groups: [u32; 3],
        label: Arc<Label>,
    ) {
        let mut clock = self.clock.take().unwrap_or_else(|| Clock::new(context));
        let alone = !clock.is_of_gpu();
        if alone || clock.is_full() {
            self.clock = Some(clock);
            let index = self.flush(context);
            if alone {
                let wait = PollType::Wait { submission_index: index, timeout: Some(PATIENCE) };
                let _ = context.device.poll(wait);
            }
            clock = self.clock.take().unwrap_or_else(|| Clock::new(context));
        }
        self.pass = None;
        dispatch(&mut clock.pass(self.encoder(context), label), pipeline, (group, start), groups);
        self.dispatches += 1;
        self.clock = Some(clock);
        if alone {
            self.flush(context);
        }
    }

    fn encoder(&mut self, context: &Context) -> &mut CommandEncoder {
        self.encoder
            .get_or_insert_with(|| context.device.create_command_encoder(&CommandEncoderDescriptor { label: None }))
    }

    fn pass(&mut self, context: &Context) -> &mut ComputePass<'static> {
        if self.pass.is_none() {
            let pass = self.encoder(context).begin_compute_pass(&ComputePassDescriptor::default()).forget_lifetime();
            self.pass = Some(pass);
        }
        self.pass.get_or_insert_with(|| unreachable!("a pass that was just begun"))
    }

    /// Hand over what was recorded.
    pub(super) fn flush(&mut self, context: &Context) -> Option<SubmissionIndex> {
        self.pass = None;
        let mut encoder = self.encoder.take()?;
        if !self.numbers.is_empty() {
            context.queue.write_buffer(&self.number_buffer, 0, &self.numbers);
            self.numbers.clear();
        }
        if let Some(clock) = &self.clock {
            clock.close(&mut encoder);
        }
        let handed_over = Instant::now();
        let index = context.queue.submit([encoder.finish()]);
        if let Some(clock) = &mut self.clock {
            clock.read(context, handed_over, index.clone());
        }
        (self.dispatches, self.uploaded) = (0, 0);
        self.under_way.push(index.clone());
        if self.under_way.len() > UNDER_WAY {
            let oldest = self.under_way.remove(0);
            let _ = context.device.poll(PollType::Wait { submission_index: Some(oldest), timeout: Some(PATIENCE) });
        }
        Some(index)
    }

    /// Write bytes, after everything recorded so far and before everything after.
    pub(super) fn write(&mut self, context: &Context, buffer: &Buffer, offset: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        // A write comes before all commands of the next batch, so what was recorded earlier goes first.
        self.flush(context);
        context.queue.write_buffer(buffer, offset, bytes);
        self.uploaded += bytes.len();
        if self.uploaded > UPLOADS {
            context.queue.submit([]);
            self.uploaded = 0;
        }
    }

    /// Copy bytes from buffer to buffer.
    pub(super) fn copy(&mut self, context: &Context, from: Region<'_>, to: Region<'_>, bytes: u64) {
        if bytes > 0 {
            self.pass = None;
            self.encoder(context).copy_buffer_to_buffer(from.buffer, from.offset, to.buffer, to.offset, bytes);
        }
    }

    fn take_staging(&mut self, context: &Context, bytes: u64) -> Result<Buffer> {
        if let Some(place) = self.staging.iter().position(|buffer| buffer.size() >= bytes) {
            return Ok(self.staging.swap_remove(place));
        }
        let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
        context.buffer("staging", bytes.next_power_of_two().max(4096), usage)
    }
}

fn dispatch(
    pass: &mut ComputePass<'static>,
    pipeline: &ComputePipeline,
    (group, start): (&BindGroup, usize),
    [x, y, z]: [u32; 3],
) {
    pass.set_pipeline(pipeline);
    pass.set_bind_group(0, group, &[start as u32]);
    pass.dispatch_workgroups(x, y, z);
}

impl Context {
    /// Parts of buffers, one after the other, once everything recorded before is done; an error where a call of a plan has
    /// failed since.
    pub(super) fn read(&self, op: &str, parts: &[(&Buffer, u64, usize)]) -> Result<Vec<u8>> {
        let waiting = self.unread();
        let heads = waiting.iter().map(|verdicts| verdicts.header()).collect::<Result<Vec<_>>>()?;
        let bytes = parts.iter().map(|(.., bytes)| bytes).sum();
        let mut parts = parts.to_vec();
        parts.extend(heads.iter().map(|&(buffer, offset, _)| (buffer, offset, 4 * BEHIND)));
        let mut found = self.fetch(op, &parts)?;
        let words = found.split_off(bytes);
        for ((verdicts, (.., called)), words) in waiting.iter().zip(heads).zip(words.chunks_exact(4 * BEHIND)) {
            verdicts.settle(self, bytemuck::pod_read_unaligned(words), called)?;
        }
        Ok(found)
    }

    /// Parts of buffers, as they lie there.
    pub(super) fn fetch(&self, op: &str, parts: &[(&Buffer, u64, usize)]) -> Result<Vec<u8>> {
        let bytes: usize = parts.iter().map(|(.., bytes)| bytes).sum();
        if bytes == 0 {
            return Ok(Vec::new());
        }
        count::add(&count::READS);
        let mut work = self.work();
        let staging = work.take_staging(self, bytes as u64)?;
        let mut end = 0;
        for &(buffer, offset, bytes) in parts {
            let to = Region { buffer: &staging, offset: end, size: None };
            work.copy(self, Region { buffer, offset, size: None }, to, bytes as u64);
            end += bytes as u64;
        }
        let index = work.flush(self);
        drop(work);
        let slice = staging.slice(0..bytes as u64);
        let (sender, receiver) = mpsc::channel();
        slice.map_async(MapMode::Read, move |done| {
            let _ = sender.send(done);
        });
        let waited = self.device.poll(PollType::Wait { submission_index: index, timeout: Some(PATIENCE) });
        self.healthy(op)?;
        let failed = |what: String| Error::device(op, "an answer from the GPU; start the process again", what);
        waited.map_err(|error| failed(error.to_string()))?;
        match receiver.recv_timeout(PATIENCE) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(failed(error.to_string())),
            Err(_) => return Err(failed("none".into())),
        }
        let copy = slice.get_mapped_range().map_err(|error| failed(error.to_string()))?.to_vec();
        staging.unmap();
        let mut work = self.work();
        if work.staging.len() < 4 {
            work.staging.push(staging);
        }
        Ok(copy)
    }

    /// Wait until everything recorded is done; an error where a call of a plan has failed since.
    pub(super) fn wait(&self, op: &str) -> Result<()> {
        for verdicts in self.unread() {
            let (buffer, offset, called) = verdicts.header()?;
            let words = self.fetch(op, &[(buffer, offset, 4 * BEHIND)])?;
            verdicts.settle(self, bytemuck::pod_read_unaligned(&words), called)?;
        }
        self.work().flush(self);
        let _ = self.device.poll(PollType::Wait { submission_index: None, timeout: Some(PATIENCE) });
        self.healthy(op)
    }
}
