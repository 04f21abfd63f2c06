//! Memory whose bytes are run: written first, then never again.

#![allow(unsafe_code, reason = "bytes become a function")]

use memmap2::{Mmap, MmapMut};

/// A function `(operands, count)` in memory of its own.
#[derive(Debug)]
pub(super) struct Function(Mmap);

#[cfg(target_arch = "x86_64")]
type Entry = unsafe extern "sysv64" fn(*const *mut u8, usize);
/// Other processors do not know that convention, and nothing writes code for them.
#[cfg(not(target_arch = "x86_64"))]
type Entry = unsafe extern "C" fn(*const *mut u8, usize);

impl Function {
    /// None where the system does not let a program run what it has written.
    pub(super) fn new(code: &[u8]) -> Option<Self> {
        let mut memory = MmapMut::map_anon(code.len()).ok()?;
        memory.copy_from_slice(code);
        memory.make_exec().ok().map(Self)
    }

    /// Run it.
    ///
    /// # Safety
    /// The bytes are a function of this kind, whose instructions the machine has; it may touch what it touches.
    pub(super) unsafe fn call(&self, operands: *const *mut u8, count: usize) {
        // SAFETY: the caller promises a function at the beginning of the memory, which lives as long as `self`.
        let entry = unsafe { std::mem::transmute::<*const u8, Entry>(self.0.as_ptr()) };
        // SAFETY: the caller promises the operands.
        unsafe { entry(operands, count) }
    }
}
