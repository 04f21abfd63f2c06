//! A dispatch of a plan: compiled and numbered once, bound again only where it meets other buffers.

use super::clock;
use super::context::Context;
use super::launch::Slot;
use super::text::Text;
use super::work::Region;
use crate::backend::profile::Label;
use crate::error::Result;
use smallvec::SmallVec;
use std::sync::Arc;
use wgpu::{BindGroup, Buffer, BufferUsages, ComputePipeline};

/// Buffers that a dispatch can meet by turns before it forgets the oldest.
const KEPT: usize = 8;
/// Numbers of a dispatch start on this boundary, which every GPU accepts.
const ALIGN: usize = 256;

/// One dispatch.
#[derive(Debug)]
pub(super) struct Dispatch {
    pipeline: Arc<ComputePipeline>,
    slots: SmallVec<[Slot; 4]>,
    /// Bytes of its numbers.
    bytes: usize,
    groups: [u32; 3],
    bound: Vec<(SmallVec<[Buffer; 4]>, BindGroup)>,
    label: Arc<Label>,
}

/// The numbers of all dispatches of a plan, one after the other.
#[derive(Debug, Default)]
pub(super) struct Numbers(Vec<u8>);

impl Numbers {
    /// Add the numbers of a dispatch, and give where they start.
    pub(super) fn push(&mut self, words: &[u32]) -> usize {
        let start = self.0.len();
        self.0.extend_from_slice(bytemuck::cast_slice(words));
        self.0.resize((start + bytes_for(words)).next_multiple_of(ALIGN), 0);
        start
    }

    /// A buffer with all of them.
    pub(super) fn upload(&self, context: &Context) -> Result<Buffer> {
        let size = self.0.len().max(ALIGN);
        let buffer = context.buffer("numbers", size as u64, BufferUsages::UNIFORM | BufferUsages::COPY_DST)?;
        context.work().write(context, &buffer, 0, &self.0);
        Ok(buffer)
    }
}

/// Bytes that a dispatch with these numbers is bound to.
pub(super) fn bytes_for(words: &[u32]) -> usize {
    (4 * words.len().next_multiple_of(4)).max(16)
}

impl Dispatch {
    /// Compile a dispatch.
    pub(super) fn new(context: &Context, op: &str, text: Text) -> Result<Self> {
        let pipeline = context.pipeline(op, &text)?;
        let (bytes, slots) = (bytes_for(&text.params), text.slots.into());
        let label = text.label.unwrap_or_else(|| clock::plain(op));
        Ok(Self { pipeline, slots, bytes, groups: text.groups, bound: Vec::new(), label })
    }

    /// Bind it to the buffers of this call: the number of the binding, which stays until the next one is made.
    pub(super) fn bind<'b>(
        &mut self,
        context: &Context,
        numbers: &Buffer,
        buffer: impl Fn(Slot) -> Result<&'b Buffer>,
    ) -> Result<usize> {
        let buffers: SmallVec<[&Buffer; 8]> = self.slots.iter().map(|&slot| buffer(slot)).collect::<Result<_>>()?;
        let met = |(known, _): &(SmallVec<[Buffer; 4]>, BindGroup)| known.iter().eq(buffers.iter().copied());
        let known = self.bound.iter().position(met);
        Ok(known.unwrap_or_else(|| {
            if self.bound.len() == KEPT {
                self.bound.remove(0);
            }
            let regions: SmallVec<[Region<'_>; 8]> = buffers.iter().map(|buffer| Region::whole(buffer)).collect();
            let group = context.bind(numbers, self.bytes, &regions);
            self.bound.push((buffers.iter().copied().cloned().collect(), group));
            self.bound.len() - 1
        }))
    }

    /// Record it as it was bound, with the numbers that start at a place.
    pub(super) fn replay(&self, context: &Context, bound: usize, start: usize) {
        let label = || Arc::clone(&self.label);
        context.work().replay(context, &self.pipeline, (&self.bound[bound].1, start), self.groups, label);
    }
}

/// A dispatch that runs once in a plan.
#[derive(Debug)]
pub(super) struct Once {
    dispatch: Dispatch,
    /// Where its numbers start.
    start: usize,
}

impl Once {
    /// Compile a dispatch and add its numbers to those of the plan.
    pub(super) fn new(context: &Context, op: &str, text: Text, numbers: &mut Numbers) -> Result<Self> {
        let start = numbers.push(&text.params);
        Ok(Self { dispatch: Dispatch::new(context, op, text)?, start })
    }

    /// Record it over the buffers of this call.
    pub(super) fn record<'b>(
        &mut self,
        context: &Context,
        numbers: &Buffer,
        buffer: impl Fn(Slot) -> Result<&'b Buffer>,
    ) -> Result<()> {
        let bound = self.dispatch.bind(context, numbers, buffer)?;
        self.dispatch.replay(context, bound, self.start);
        Ok(())
    }
}
