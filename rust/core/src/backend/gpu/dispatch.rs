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
    pipeline: ComputePipeline,
    slots: SmallVec<[Slot; 4]>,
    /// Where its numbers start, and how many bytes they have.
    numbers: (usize, usize),
    groups: [u32; 3],
    bound: Vec<(SmallVec<[Buffer; 4]>, BindGroup)>,
    label: Arc<Label>,
}

/// The numbers of all dispatches of a plan, one after the other.
#[derive(Debug, Default)]
pub(super) struct Numbers(Vec<u8>);

impl Numbers {
    /// A buffer with all of them.
    pub(super) fn upload(&self, context: &Context) -> Buffer {
        let size = self.0.len().max(ALIGN);
        let buffer = context.buffer("numbers", size as u64, BufferUsages::UNIFORM | BufferUsages::COPY_DST);
        context.work().write(context, &buffer, 0, &self.0);
        buffer
    }
}

impl Dispatch {
    /// Compile a dispatch and add its numbers to those of the plan.
    pub(super) fn new(context: &Context, op: &str, text: Text, numbers: &mut Numbers) -> Result<Self> {
        let pipeline = context.pipeline(op, &text)?;
        let start = numbers.0.len();
        numbers.0.extend_from_slice(bytemuck::cast_slice(&text.params));
        let bytes = (4 * text.params.len().next_multiple_of(4)).max(16);
        numbers.0.resize((start + bytes).next_multiple_of(ALIGN), 0);
        let slots = text.slots.into();
        let label = text.label.unwrap_or_else(|| clock::plain(op));
        Ok(Self { pipeline, slots, numbers: (start, bytes), groups: text.groups, bound: Vec::new(), label })
    }

    /// Record it over the buffers of this call.
    pub(super) fn record<'b>(
        &mut self,
        context: &Context,
        numbers: &Buffer,
        buffer: impl Fn(Slot) -> Result<&'b Buffer>,
    ) -> Result<()> {
        let buffers: SmallVec<[&Buffer; 8]> = self.slots.iter().map(|&slot| buffer(slot)).collect::<Result<_>>()?;
        let met = |(known, _): &(SmallVec<[Buffer; 4]>, BindGroup)| known.iter().eq(buffers.iter().copied());
        let known = self.bound.iter().position(met);
        let place = known.unwrap_or_else(|| {
            if self.bound.len() == KEPT {
                self.bound.remove(0);
            }
            let regions: SmallVec<[Region<'_>; 8]> = buffers.iter().map(|buffer| Region::whole(buffer)).collect();
            let group = context.bind((numbers, self.numbers), &regions);
            self.bound.push((buffers.iter().copied().cloned().collect(), group));
            self.bound.len() - 1
        });
        let label = || Arc::clone(&self.label);
        context.work().replay(context, &self.pipeline, &self.bound[place].1, self.groups, label);
        Ok(())
    }
}
