//! The time of each dispatch while a profile runs: by the GPU at both ends of a pass of its own, or by waiting for it.

use super::context::Context;
use crate::backend::profile::{self, Clock as Kind, Label, Run};
use crate::error::Result;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wgpu::{
    Buffer, BufferDescriptor, BufferUsages, CommandEncoder, ComputePass, ComputePassDescriptor,
    ComputePassTimestampWrites, Device, Features, MapMode, PollType, QuerySet, QuerySetDescriptor, QueryType, Queue,
    SubmissionIndex,
};

/// Dispatches of one batch.
const MOST: usize = 256;

/// Clocks of one GPU.
pub(super) struct Clock {
    timer: Option<Timer>,
    /// Dispatches of the batch that is being recorded.
    labels: Vec<Arc<Label>>,
}

/// Where a GPU writes the time.
struct Timer {
    set: QuerySet,
    resolved: Buffer,
    staging: Buffer,
    /// Nanoseconds of a tick.
    tick: f64,
}

impl Timer {
    fn new(device: &Device, queue: &Queue) -> Self {
        let size = 2 * 8 * MOST as u64;
        let buffer = |usage| {
            device.create_buffer(&BufferDescriptor { label: Some("times"), size, usage, mapped_at_creation: false })
        };
        let (label, ty, count) = (None, QueryType::Timestamp, 2 * MOST as u32);
        Self {
            set: device.create_query_set(&QuerySetDescriptor { label, ty, count }),
            resolved: buffer(BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC),
            staging: buffer(BufferUsages::COPY_DST | BufferUsages::MAP_READ),
            tick: f64::from(queue.get_timestamp_period()),
        }
    }
}

impl Clock {
    pub(super) fn new(context: &Context) -> Self {
        let able = context.device.features().contains(Features::TIMESTAMP_QUERY);
        Self { timer: able.then(|| Timer::new(&context.device, &context.queue)), labels: Vec::new() }
    }

    /// Whether the GPU itself takes the time; else each dispatch is handed over alone and waited for.
    pub(super) fn is_of_gpu(&self) -> bool {
        self.timer.is_some()
    }

    /// Whether a batch can take no more.
    pub(super) fn is_full(&self) -> bool {
        self.labels.len() >= MOST
    }

    /// A pass for one dispatch.
    pub(super) fn pass(&mut self, encoder: &mut CommandEncoder, label: Arc<Label>) -> ComputePass<'static> {
        let at = 2 * self.labels.len() as u32;
        self.labels.push(label);
        let writes = self.timer.as_ref().map(|timer| ComputePassTimestampWrites {
            query_set: &timer.set,
            beginning_of_pass_write_index: Some(at),
            end_of_pass_write_index: Some(at + 1),
        });
        let descriptor = ComputePassDescriptor { label: None, timestamp_writes: writes };
        encoder.begin_compute_pass(&descriptor).forget_lifetime()
    }

    /// Before a batch is handed over: bring its times to where the host can read them.
    pub(super) fn close(&self, encoder: &mut CommandEncoder) {
        if let (Some(timer), 1..) = (&self.timer, self.labels.len()) {
            let count = 2 * self.labels.len() as u32;
            encoder.resolve_query_set(&timer.set, 0..count, &timer.resolved, 0);
            encoder.copy_buffer_to_buffer(&timer.resolved, 0, &timer.staging, 0, 8 * u64::from(count));
        }
    }

    /// After a batch was handed over: wait for it, and note what its dispatches took.
    pub(super) fn read(&mut self, context: &Context, start: Instant, index: SubmissionIndex) {
        let labels = std::mem::take(&mut self.labels);
        if labels.is_empty() {
            return;
        }
        let wait = PollType::Wait { submission_index: Some(index), timeout: Some(super::work::PATIENCE) };
        let Some(timer) = &self.timer else {
            let _ = context.device.poll(wait);
            // Alone in its batch.
            let time = start.elapsed();
            let run = |label| Run { label, device: context.place, lane: 0, start, time, call: true };
            return profile::note(Kind::Waiting, labels.into_iter().map(run));
        };
        let slice = timer.staging.slice(0..16 * labels.len() as u64);
        slice.map_async(MapMode::Read, |_| {});
        let times = context.device.poll(wait).ok().and_then(|_| {
            let view = slice.get_mapped_range().ok()?;
            Some(view.chunks_exact(8).map(bytemuck::pod_read_unaligned).collect::<Vec<u64>>())
        });
        timer.staging.unmap();
        let Some(times) = times else { return };
        // The two clocks have no common zero: a batch is shown from its hand-over on.
        let zero = times.iter().step_by(2).copied().min().unwrap_or(0);
        let span = |ticks: u64| Duration::from_nanos((ticks as f64 * timer.tick) as u64);
        let runs = labels.into_iter().zip(times.chunks_exact(2)).map(|(label, pair)| {
            let start = start + span(pair[0] - zero);
            Run {
                label,
                device: context.place,
                lane: 0,
                start,
                time: span(pair[1].saturating_sub(pair[0])),
                call: true,
            }
        });
        profile::note(Kind::Gpu, runs);
    }
}

/// Wait for everything that was handed to GPUs.
pub(super) fn settle<'a>(contexts: impl Iterator<Item = &'a Context>) -> Result<()> {
    contexts.filter(|context| context.is_own()).try_for_each(|context| context.wait("profile"))
}

/// The label of a dispatch that has none of its own.
pub(super) fn plain(op: &str) -> Arc<Label> {
    Arc::new(Label { name: op.to_owned(), flops: 0, bytes: 0 })
}

/// Several kernels of one dispatch as one.
pub(super) fn together<'a>(labels: impl Iterator<Item = &'a Label>) -> Label {
    const SHOWN: usize = 3;
    let (mut names, mut flops, mut bytes): (Vec<(&str, usize)>, _, _) = (Vec::new(), 0, 0);
    for label in labels {
        (flops, bytes) = (flops + label.flops, bytes + label.bytes);
        match names.iter_mut().find(|(name, _)| *name == label.name) {
            Some((_, count)) => *count += 1,
            None => names.push((&label.name, 1)),
        }
    }
    let shown = names.iter().take(SHOWN);
    let mut texts: Vec<String> =
        shown.map(|&(name, count)| if count == 1 { name.to_owned() } else { format!("{count} x {name}") }).collect();
    if names.len() > SHOWN {
        texts.push(format!("{} more", names.len() - SHOWN));
    }
    Label { name: texts.join(" | "), flops, bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_of_one_dispatch_add_up() {
        let label = |name: &str, flops| Label { name: name.into(), flops, bytes: 4 };
        let all = [label("a", 1), label("b", 2), label("a", 3), label("c", 4), label("d", 5), label("e", 6)];
        let whole = together(all.iter());
        assert_eq!((&whole.name[..], whole.flops, whole.bytes), ("2 x a | b | c | 2 more", 21, 24));
        assert_eq!(together(all[..1].iter()), all[0]);
    }
}
