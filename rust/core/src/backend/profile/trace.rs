//! Traces in the format that Perfetto and chrome://tracing read.

use super::Run;
use crate::device::Device;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Instant;

/// A device is a process, a thread of it a row; times are microseconds since the start.
pub(super) fn json(begin: Instant, runs: &[Run], beyond: u64) -> String {
    let micros = |run: &Run| run.start.saturating_duration_since(begin).as_secs_f64() * 1e6;
    let lanes: BTreeSet<(Device, u32)> = runs.iter().map(|run| (run.device, run.lane)).collect();
    let devices: BTreeSet<Device> = lanes.iter().map(|&(device, _)| device).collect();
    let number = |device: Device| devices.iter().position(|&known| known == device).unwrap_or(0);
    let name = |what: &str, device: Device, lane: u32, name: String| json!({"name": what, "ph": "M", "pid": number(device), "tid": lane, "args": {"name": name}});
    let mut events: Vec<Value> = Vec::with_capacity(runs.len() + 2 * lanes.len());
    events.extend(devices.iter().map(|&device| name("process_name", device, 0, device.to_string())));
    events.extend(lanes.iter().map(|&(device, lane)| {
        let row = if device == Device::Cpu { format!("thread {lane}") } else { "kernels".to_owned() };
        name("thread_name", device, lane, row)
    }));
    events.extend(runs.iter().map(|run| {
        let (name, time) = (&run.label.name, run.time.as_secs_f64() * 1e6);
        let args = json!({"bytes": run.label.bytes, "flops": run.label.flops});
        let (device, lane) = (number(run.device), run.lane);
        json!({"name": name, "ph": "X", "pid": device, "tid": lane, "ts": micros(run), "dur": time, "args": args})
    }));
    json!({"displayTimeUnit": "ns", "traceEvents": events, "otherData": {"runs_left_out": beyond}}).to_string()
}
