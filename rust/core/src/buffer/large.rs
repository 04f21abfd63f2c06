//! Large host buffers that were let go, kept with what they hold for results of the same size.
//!
//! Memory that comes from the system anew is cleared by it page by page, and once more by whoever wants defined bytes: for a
//! sum of two tensors that costs more than the sum. A training loop asks for the same sizes again and again.

use super::{HostVec, pool, zeroed};
use std::sync::Mutex;

/// Bytes that are kept at most, of all threads.
const MOST: usize = 64 << 20;

/// Buffers, those that were let go first in front, and their bytes.
#[derive(Debug)]
struct Kept {
    buffers: Vec<HostVec>,
    bytes: usize,
}

static KEPT: Mutex<Kept> = Mutex::new(Kept { buffers: Vec::new(), bytes: 0 });

/// `len` bytes of no particular value on a cache-line boundary, for a result that is written whole.
pub fn unwritten(len: usize) -> HostVec {
    if pool::keeps(len) {
        return zeroed(len);
    }
    // Nobody waits for a buffer: who holds the lock may be a thread that a forked process no longer has.
    let Ok(mut kept) = KEPT.try_lock() else { return zeroed(len) };
    let found = kept.buffers.iter().rposition(|bytes| bytes.len() == len);
    let found = found.map(|at| kept.buffers.remove(at));
    kept.bytes -= found.as_ref().map_or(0, HostVec::len);
    drop(kept);
    found.unwrap_or_else(|| zeroed(len))
}

/// Keep a buffer for later; of those there are, the oldest are released for it.
pub(super) fn give(bytes: HostVec) {
    if bytes.is_empty() || bytes.len() > MOST || bytes.len() < bytes.capacity() {
        return;
    }
    let mut released = vec![];
    let Ok(mut kept) = KEPT.try_lock() else { return };
    kept.bytes += bytes.len();
    kept.buffers.push(bytes);
    while kept.bytes > MOST {
        let oldest = kept.buffers.remove(0);
        kept.bytes -= oldest.len();
        released.push(oldest);
    }
    // The system takes its time: nobody waits for it.
    drop(kept);
    drop(released);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::HostStorage;
    use crate::device::Device;

    #[test]
    fn a_result_of_the_same_size_gets_the_buffer_as_it_was_left() {
        let len = 1_234_567;
        // Other tests give and take at the same time, so not every try finds its own.
        let found_again = || {
            let mut first = unwritten(len);
            first[5] = 7;
            let place = first.as_ptr();
            drop(HostStorage::new(first, Device::Cpu));
            assert_ne!(unwritten(len + 1).as_ptr(), place);
            let again = unwritten(len);
            assert_eq!(again.len(), len);
            again.as_ptr() == place && again[5] == 7
        };
        assert!((0..100).any(|_| found_again()));
        assert_eq!(zeroed(len)[5], 0);
    }

    #[test]
    fn a_bounded_number_of_bytes_is_kept() {
        for len in [MOST / 2 + 1, MOST / 2 + 2, MOST + 1] {
            drop(HostStorage::new(zeroed(len), Device::Cpu));
            let kept = KEPT.lock().unwrap();
            assert!(kept.bytes <= MOST && kept.bytes == kept.buffers.iter().map(HostVec::len).sum::<usize>());
        }
    }
}
