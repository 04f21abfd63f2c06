//! Small host buffers that were let go, kept by each thread for its next ops.
//!
//! An eager op on a small tensor costs less than the allocator's aligned allocation and release do. What a thread has
//! no room for goes to the threads that have nothing: one thread makes batches, and another lets them go.

use super::HostVec;
use aligned_vec::AVec;
use std::cell::RefCell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Smallest and largest size that is kept, as powers of two.
const SMALLEST: u32 = 6;
const LARGEST: u32 = 16;
/// Buffers of one size that a thread keeps at most.
const KEPT: usize = 16;

const SIZES: usize = (LARGEST - SMALLEST + 1) as usize;

thread_local! {
    static SHELVES: RefCell<[Vec<HostVec>; SIZES]> = const { RefCell::new([const { Vec::new() }; SIZES]) };
}

static SPARE: Mutex<[Vec<HostVec>; SIZES]> = Mutex::new([const { Vec::new() }; SIZES]);

static ALLOCATED: AtomicU64 = AtomicU64::new(0);

/// Host buffers that had to be allocated so far in this process.
pub fn allocated() -> u64 {
    ALLOCATED.load(Ordering::Relaxed)
}

/// The shelf for buffers of at least `len` bytes.
fn shelf(len: usize) -> Option<usize> {
    let power = len.max(1 << SMALLEST).next_power_of_two().trailing_zeros();
    (power <= LARGEST).then_some((power - SMALLEST) as usize)
}

/// An empty buffer with room for `len` bytes, on a cache-line boundary.
pub(super) fn take(len: usize) -> HostVec {
    let Some(shelf) = shelf(len) else { return allocate(len) };
    let kept = SHELVES.try_with(|shelves| shelves.borrow_mut()[shelf].pop()).ok().flatten();
    // Nobody waits for a buffer: to allocate one is quicker.
    let kept = kept.or_else(|| SPARE.try_lock().ok()?[shelf].pop());
    kept.unwrap_or_else(|| allocate(1 << (shelf as u32 + SMALLEST)))
}

fn allocate(capacity: usize) -> HostVec {
    ALLOCATED.fetch_add(1, Ordering::Relaxed);
    AVec::with_capacity(64, capacity)
}

/// Whether buffers of this size are kept here.
pub(super) fn keeps(len: usize) -> bool {
    shelf(len).is_some()
}

/// Keep a buffer for later, if it has the size of a shelf with room.
pub(super) fn give(mut bytes: HostVec) {
    let capacity = bytes.capacity();
    let Some(shelf) = shelf(capacity).filter(|_| capacity.is_power_of_two() && capacity >= 1 << SMALLEST) else {
        return;
    };
    bytes.clear();
    // A thread that is ending has no shelves any more: the buffer is released.
    let _ = SHELVES.try_with(|shelves| {
        let held = &mut shelves.borrow_mut()[shelf];
        if held.len() < KEPT {
            held.push(bytes);
        } else if let Ok(mut spare) = SPARE.try_lock()
            && spare[shelf].len() < KEPT
        {
            spare[shelf].push(bytes);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::{HostStorage, Storage, zeroed};
    use crate::device::Device;

    #[test]
    fn what_is_let_go_is_used_again_and_is_zero() {
        let mut first = HostStorage::copied(&[7; 100], Device::Cpu);
        let place = first.host_mut().unwrap().as_ptr();
        drop(first);
        let again = zeroed(128);
        assert_eq!(again.as_ptr(), place);
        assert_eq!(&again[..], &[0; 128]);
        let before = allocated();
        drop(HostStorage::new(again, Device::Cpu));
        drop(HostStorage::zeroed(65, Device::Cpu));
        assert_eq!(SHELVES.with(|shelves| shelves.borrow()[1].len()), 1);
        assert!(allocated() >= before);
    }

    #[test]
    fn every_size_gets_room_on_a_cache_line_and_large_ones_are_not_kept() {
        for len in [0, 1, 63, 64, 65, 4096, 65_536, 65_537] {
            let bytes = zeroed(len);
            assert!(bytes.len() == len && (bytes.as_ptr() as usize).is_multiple_of(64), "{len}");
            drop(HostStorage::new(bytes, Device::Cpu));
        }
        assert!(shelf(1 << LARGEST).is_some() && shelf((1 << LARGEST) + 1).is_none());
    }

    #[test]
    fn what_one_thread_has_no_room_for_is_used_by_another() {
        // Other tests give and take spare buffers at the same time, so not every try finds its own.
        let found_again = || {
            let many: Vec<_> = (0..=KEPT).map(|_| HostStorage::zeroed(20_000, Device::Cpu)).collect();
            let places: Vec<usize> = many.iter().map(|one| one.host().unwrap().as_ptr() as usize).collect();
            drop(many);
            let found = std::thread::spawn(|| zeroed(20_000).as_ptr() as usize).join().unwrap();
            found == places[KEPT]
        };
        assert!((0..100).any(|_| found_again()));
    }

    #[test]
    fn a_thread_keeps_a_bounded_number() {
        let many: Vec<_> = (0..2 * KEPT).map(|_| HostStorage::zeroed(1000, Device::Cpu)).collect();
        drop(many);
        assert_eq!(SHELVES.with(|shelves| shelves.borrow()[4].len()), KEPT);
    }
}
