//! How often things happened in this process: evidence for tests and for users who wonder.

use crate::backend::gpu;
use crate::buffer::pool;
use std::sync::atomic::{AtomicU64, Ordering};

/// Ops run at once.
pub static EAGER_OPS: AtomicU64 = AtomicU64::new(0);
/// Functions recorded.
pub static RECORDINGS: AtomicU64 = AtomicU64::new(0);
/// Captured steps run.
pub static CAPTURED_STEPS: AtomicU64 = AtomicU64::new(0);
/// Output buffers of captured steps that had to be allocated.
pub static FRESH_BUFFERS: AtomicU64 = AtomicU64::new(0);

/// Calls that found their captured step.
pub static PLAN_HITS: AtomicU64 = AtomicU64::new(0);
/// Changes of modules and optimizers that a captured step may depend on.
pub static CHANGES: AtomicU64 = AtomicU64::new(0);

/// Add to a counter.
pub fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}

/// All counters by name.
pub fn all() -> [(&'static str, u64); 9] {
    let get = |c: &AtomicU64| c.load(Ordering::Relaxed);
    [
        ("eager_ops", get(&EAGER_OPS)),
        ("recordings", get(&RECORDINGS)),
        ("captured_steps", get(&CAPTURED_STEPS)),
        ("fresh_buffers", get(&FRESH_BUFFERS)),
        ("plan_hits", get(&PLAN_HITS)),
        ("host_buffers", pool::allocated()),
        ("gpu_dispatches", gpu::dispatches()),
        ("gpu_objects", gpu::objects()),
        ("gpu_reads", gpu::reads()),
    ]
}
