//! The memories of a running plan, of which threads borrow bytes while they work on a part of a step.

#![allow(unsafe_code, reason = "threads borrow disjoint bytes of one memory at once")]

use crate::error::{Error, Result};
use std::ops::Range;
use std::ptr::NonNull;
use std::slice;

/// One memory: the arena, an input, a constant or an output.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    first: *mut u8,
    len: usize,
    writable: bool,
}

// SAFETY: the pointer is followed only through `Memories`, while the borrow it was made from lasts.
unsafe impl Send for Memory {}

impl Memory {
    /// Nothing.
    pub(super) const EMPTY: Self = Self { first: std::ptr::null_mut(), len: 0, writable: false };

    /// Bytes to read.
    pub(super) fn read(bytes: &[u8]) -> Self {
        Self { first: bytes.as_ptr().cast_mut(), len: bytes.len(), writable: false }
    }

    /// Bytes to read and write.
    pub(super) fn write(bytes: &mut [u8]) -> Self {
        Self { first: bytes.as_mut_ptr(), len: bytes.len(), writable: true }
    }

    /// Number of bytes.
    pub(super) fn len(self) -> usize {
        self.len
    }

    /// Address of the first of so many elements, if they are there and aligned; never null, so that none of them are a slice.
    pub(super) fn elements<T>(self, count: usize) -> Option<*mut T> {
        let first = if count == 0 { NonNull::dangling().as_ptr() } else { self.first.cast::<T>() };
        (first.is_aligned() && count * size_of::<T>() <= self.len).then_some(first)
    }

    /// Some of the bytes; as many of them as there are.
    pub(super) fn part(self, start: usize, len: usize) -> Self {
        let start = start.min(self.len);
        Self { first: self.first.wrapping_add(start), len: len.min(self.len - start), writable: self.writable }
    }
}

/// The memories of one call, by slot.
///
/// Made from borrows that last as long as the call. That no thread writes what another one uses is shown once for a
/// plan: `prepare::check` for the parts of one step, `stage::stages` for those of different steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memories<'a>(&'a [Memory]);

// SAFETY: threads touch the bytes only through `reading` and `writing`, under the rule stated above.
unsafe impl Sync for Memories<'_> {}

impl<'a> Memories<'a> {
    /// The memories of a call.
    pub(super) fn new(slots: &'a [Memory]) -> Self {
        Self(slots)
    }

    /// Bytes of a slot to read.
    pub(super) fn reading(self, slot: usize, range: Range<usize>) -> Result<&'a [u8]> {
        let memory = self.find(slot, &range)?;
        if range.is_empty() {
            return Ok(&[]);
        }
        // SAFETY: the range lies in a memory that is borrowed for the call, and no part that runs now writes it.
        Ok(unsafe { slice::from_raw_parts(memory.first.add(range.start), range.len()) })
    }

    /// Bytes of a slot to write, which no other part that runs now touches.
    pub(super) fn writing(self, slot: usize, range: Range<usize>) -> Result<&'a mut [u8]> {
        let memory = self.find(slot, &range)?;
        if !memory.writable {
            return Err(Error::bug("plan", format!("slot {slot} is only to read")));
        }
        if range.is_empty() {
            return Ok(&mut []);
        }
        // SAFETY: the range lies in a memory that is borrowed for writing, and this part alone touches it now.
        Ok(unsafe { slice::from_raw_parts_mut(memory.first.add(range.start), range.len()) })
    }

    /// A memory of which parts are borrowed later, under the rule that holds for the slot.
    pub(super) fn within(self, slot: usize, range: Range<usize>) -> Result<Memory> {
        Ok(self.find(slot, &range)?.part(range.start, range.len()))
    }

    fn find(self, slot: usize, range: &Range<usize>) -> Result<Memory> {
        let memory = self.0.get(slot).copied().unwrap_or(Memory::EMPTY);
        if range.start > range.end || range.end > memory.len {
            return Err(Error::bug("plan", format!("bytes {range:?} of {} in slot {slot}", memory.len)));
        }
        Ok(memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_lent_where_they_lie() {
        let (input, mut arena) = ([1u8, 2, 3], [0u8; 4]);
        let slots = [Memory::write(&mut arena), Memory::read(&input)];
        let memories = Memories::new(&slots);
        memories.writing(0, 1..3).unwrap().copy_from_slice(memories.reading(1, 0..2).unwrap());
        assert_eq!(memories.reading(0, 0..4).unwrap(), [0, 1, 2, 0]);
        assert!(memories.reading(0, 4..4).unwrap().is_empty() && memories.writing(0, 2..2).unwrap().is_empty());
    }

    #[test]
    fn a_part_of_a_memory_is_one_itself() {
        let mut bytes = [1u8, 2, 3, 4];
        let slots = [Memory::write(&mut bytes)];
        let inner = [Memories::new(&slots).within(0, 1..4).unwrap().part(1, 9)];
        let inner = Memories::new(&inner);
        assert_eq!(inner.reading(0, 0..2).unwrap(), [3, 4]);
        inner.writing(0, 1..2).unwrap()[0] = 5;
        assert!(inner.reading(0, 0..3).is_err());
        assert_eq!(bytes, [1, 2, 3, 5]);
    }

    #[test]
    fn addresses_are_those_of_elements_that_are_there() {
        let mut bytes = [0u8; 8];
        let memory = Memory::write(&mut bytes);
        assert_eq!(memory.elements::<u8>(8), Some(memory.first));
        assert_eq!(memory.elements::<u8>(9), None);
        assert!(Memory::EMPTY.elements::<f32>(0).is_some_and(|first| !first.is_null()));
        assert_eq!(Memory::EMPTY.elements::<f32>(1), None);
    }

    #[test]
    fn bytes_outside_and_inputs_to_write_are_refused() {
        let mut arena = [0u8; 4];
        let slots = [Memory::read(&[1, 2]), Memory::write(&mut arena)];
        let memories = Memories::new(&slots);
        assert!(memories.reading(0, 1..3).is_err() && memories.writing(1, 3..5).is_err());
        assert!(memories.reading(2, 0..1).is_err() && memories.writing(0, 0..1).is_err());
        assert!(memories.reading(1, Range { start: 3, end: 2 }).is_err());
    }
}
