//! How often things happened on GPUs in this process: evidence for tests and for users who wonder.

use std::sync::atomic::{AtomicU64, Ordering};

/// Shaders compiled.
pub(super) static SHADERS: AtomicU64 = AtomicU64::new(0);
/// Dispatches recorded.
pub(super) static DISPATCHES: AtomicU64 = AtomicU64::new(0);
/// Buffers, bind groups and pipelines made.
pub(super) static OBJECTS: AtomicU64 = AtomicU64::new(0);

/// Times somebody waited for values from a GPU.
pub(super) static READS: AtomicU64 = AtomicU64::new(0);

/// One more.
pub(super) fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Shaders compiled so far in this process.
pub fn shaders() -> u64 {
    SHADERS.load(Ordering::Relaxed)
}

/// Dispatches recorded so far in this process.
pub fn dispatches() -> u64 {
    DISPATCHES.load(Ordering::Relaxed)
}

/// Buffers, bind groups and pipelines made so far in this process.
pub fn objects() -> u64 {
    OBJECTS.load(Ordering::Relaxed)
}

/// How often somebody waited for values from a GPU so far in this process.
pub fn reads() -> u64 {
    READS.load(Ordering::Relaxed)
}
