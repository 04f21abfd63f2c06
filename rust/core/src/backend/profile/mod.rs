//! What kernels take: time, bytes and operations of each, while a profile runs. Off, it costs one look at a flag a call.

mod trace;

use crate::buffer::Meta;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::ir::cost;
use crate::ir::op::Op;
use crate::layout::Layout;
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Runs of kernels that a trace shows; the table counts those beyond, too.
const MOST: usize = 1 << 20;

static ON: AtomicBool = AtomicBool::new(false);
static RUNNING: Mutex<Option<Profile>> = Mutex::new(None);

/// Whether a profile runs.
#[inline]
pub fn on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// What is known of a kernel before it runs.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Label {
    /// Its op or ops, with shapes.
    pub name: String,
    /// Operations of one run.
    pub flops: u64,
    /// Bytes that one run reads and writes, each once.
    pub bytes: u64,
}

impl Label {
    /// That of an op.
    pub fn new(op: &Op, inputs: &[&Meta], outputs: &[&Meta], bytes: u64) -> Self {
        Self { name: cost::title(op, inputs, outputs), flops: cost::flops(op, inputs, outputs), bytes }
    }
}

/// Bytes of the elements that a layout reaches, each once; an element has `size` of them.
pub(super) fn touched(layout: &Layout, size: usize) -> u64 {
    let axes = layout.shape().iter().zip(layout.strides());
    let elements: usize = axes.map(|(&size, &stride)| if stride == 0 { size.min(1) } else { size }).product();
    (elements * size) as u64
}

/// How the time of a device's kernels was taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Clock {
    /// By the thread that ran the kernel.
    Host,
    /// By the GPU, at both ends of the kernel.
    Gpu,
    /// By the host, from the hand-over of one kernel to its end.
    Waiting,
}

/// One kernel over the whole profile.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// Where it ran.
    pub device: Device,
    /// Its op or ops, with shapes.
    pub name: String,
    /// How often it ran.
    pub calls: u64,
    /// Time of all runs, over all threads.
    pub time: Duration,
    /// Bytes of all runs.
    pub bytes: u64,
    /// Operations of all runs.
    pub flops: u64,
}

/// One stretch of time that a kernel, or a part of it, took.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) label: Arc<Label>,
    pub(super) device: Device,
    /// Thread, or row of the trace.
    pub(super) lane: u32,
    pub(super) start: Instant,
    pub(super) time: Duration,
    /// Whether it is a call of its own, not one more part of one.
    pub(super) call: bool,
}

/// What a profile has seen.
#[derive(Debug)]
pub struct Profile {
    begin: Instant,
    time: Duration,
    rows: HashMap<(Device, Arc<Label>), Row>,
    runs: Vec<Run>,
    beyond: u64,
    clocks: BTreeMap<Device, Clock>,
}

fn running() -> MutexGuard<'static, Option<Profile>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begin to note what runs in this process. Work handed to GPUs before is waited for.
pub fn start() -> Result<()> {
    super::gpu::settle()?;
    let mut running = running();
    if running.is_some() {
        let rule = "one profile at a time in a process; leave the outer one first";
        return Err(Error::value("profile", rule, "another that still runs"));
    }
    let (begin, time) = (Instant::now(), Duration::ZERO);
    let (rows, runs, clocks) = (HashMap::new(), Vec::new(), BTreeMap::new());
    *running = Some(Profile { begin, time, rows, runs, beyond: 0, clocks });
    ON.store(true, Ordering::SeqCst);
    Ok(())
}

/// End the profile that runs, after everything that was handed to GPUs.
pub fn stop() -> Result<Profile> {
    let settled = super::gpu::settle();
    ON.store(false, Ordering::SeqCst);
    let found = running().take();
    let mut profile = found.ok_or_else(|| Error::value("profile", "one that was started", "none"))?;
    settled?;
    profile.time = profile.begin.elapsed();
    Ok(profile)
}

/// What runs during a call.
pub(super) fn during(call: impl FnOnce() -> Result<()>) -> Result<Profile> {
    start()?;
    let done = call();
    let profile = stop()?;
    done.map(|()| profile)
}

/// Note what ran.
pub(super) fn note(clock: Clock, runs: impl IntoIterator<Item = Run>) {
    if let Some(profile) = &mut *running() {
        runs.into_iter().for_each(|run| profile.add(clock, run));
    }
}

/// Number of this thread in traces.
pub(super) fn lane() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    thread_local! { static OWN: Cell<Option<u32>> = const { Cell::new(None) }; }
    OWN.with(|own| {
        let lane = own.get().unwrap_or_else(|| NEXT.fetch_add(1, Ordering::Relaxed));
        own.set(Some(lane));
        lane
    })
}

/// Run an op of the host at once, and note it.
pub(super) fn timed<T>(device: Device, label: impl FnOnce() -> Label, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = run();
    let time = start.elapsed();
    note(Clock::Host, [Run { label: Arc::new(label()), device, lane: lane(), start, time, call: true }]);
    result
}

impl Profile {
    fn add(&mut self, clock: Clock, run: Run) {
        let known = self.clocks.entry(run.device).or_insert(clock);
        *known = (*known).max(clock);
        let row = self.rows.entry((run.device, Arc::clone(&run.label))).or_insert_with(|| {
            let (device, name) = (run.device, run.label.name.clone());
            Row { device, name, calls: 0, time: Duration::ZERO, bytes: 0, flops: 0 }
        });
        row.time += run.time;
        if run.call {
            row.calls += 1;
            row.bytes += run.label.bytes;
            row.flops += run.label.flops;
        }
        if self.runs.len() < MOST {
            self.runs.push(run);
        } else {
            self.beyond += 1;
        }
    }

    /// Kernels, the longest first.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = self.rows.values().cloned().collect();
        rows.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.name.cmp(&b.name)));
        rows
    }

    /// Seconds of the fastest of so many equal pieces of work.
    pub(super) fn least(&self, count: usize) -> Option<f64> {
        let each = self.runs.len() / count.max(1);
        let time = |runs: &[Run]| runs.iter().map(|run| run.time.as_secs_f64()).sum::<f64>();
        (each > 0).then(|| self.runs.chunks_exact(each).map(time).fold(f64::INFINITY, f64::min))
    }

    /// Time from start to stop.
    pub fn time(&self) -> Duration {
        self.time
    }

    /// How each device's kernels were timed.
    pub fn clocks(&self) -> impl Iterator<Item = (Device, Clock)> {
        self.clocks.iter().map(|(&device, &clock)| (device, clock))
    }

    /// The events of a trace viewer, as JSON.
    pub fn trace(&self) -> String {
        trace::json(self.begin, &self.runs, self.beyond)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_add_up_and_parts_are_one_call() {
        let label = |name: &str| Arc::new(Label { name: name.into(), flops: 10, bytes: 4 });
        let begin = Instant::now();
        let mut profile = Profile {
            begin,
            time: Duration::ZERO,
            rows: HashMap::new(),
            runs: Vec::new(),
            beyond: 0,
            clocks: BTreeMap::new(),
        };
        for (name, call, millis) in [("a", true, 1), ("a", false, 2), ("b \"quoted\"", true, 7), ("a", true, 3)] {
            let (time, device) = (Duration::from_millis(millis), Device::Cpu);
            profile.add(Clock::Host, Run { label: label(name), device, lane: 0, start: begin, time, call });
        }
        let rows = profile.rows();
        let facts: Vec<_> = rows.iter().map(|row| (row.calls, row.time.as_millis(), row.bytes, row.flops)).collect();
        assert_eq!(facts, [(1, 7, 4, 10), (2, 6, 8, 20)]);
        let trace: serde_json::Value = serde_json::from_str(&profile.trace()).unwrap();
        let kernels = trace["traceEvents"].as_array().unwrap().iter().filter(|event| event["ph"] == "X");
        assert_eq!(kernels.clone().count(), 4);
        assert!(kernels.clone().any(|event| event["name"] == "b \"quoted\"" && event["dur"] == 7000.0));
    }
}
