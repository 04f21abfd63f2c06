//! Buffers on the GPU: whole ones, kept by size when they are let go.

use super::count;
use crate::buffer::Storage;
use crate::device::Device;
use crate::error::{Error, Result};
use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wgpu::{Buffer, BufferDescriptor, BufferUsages, ErrorFilter};

/// Bytes of let-go buffers that are kept at most.
const KEPT: u64 = 512 << 20;
/// Smallest buffer.
const LEAST: u64 = 256;
/// From this size on, buffers come in steps of an eighth of a power of two, so that little is wasted.
const FINE: u64 = 1 << 16;

/// The variable that says how many bytes of a GPU's memory the process may take.
const VARIABLE: &str = "TRAINSMITH_GPU_MEMORY";

/// Buffers that were let go, by size.
#[derive(Debug, Default)]
struct Shelves {
    free: HashMap<u64, Vec<Buffer>>,
    /// Bytes of these.
    bytes: u64,
    /// Bytes of all buffers, in use or let go.
    held: u64,
}

/// Where buffers come from and go back to.
#[derive(Debug)]
pub(super) struct Memory {
    device: wgpu::Device,
    /// The device as users name it.
    place: Device,
    /// Bytes that one buffer may have.
    pub(super) largest: u64,
    /// Bytes that all buffers may have.
    most: u64,
    shelves: Mutex<Shelves>,
}

impl Memory {
    /// Memory of a device.
    pub(super) fn new(device: wgpu::Device, place: Device, largest: u64) -> Result<Arc<Self>> {
        let most = most(std::env::var(VARIABLE).ok().as_deref())?;
        Ok(Arc::new(Self { device, place, largest, most, shelves: Mutex::default() }))
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A buffer with room for `bytes` bytes of GPU words; `len` is how many bytes the elements have on the host.
    pub(super) fn take(self: &Arc<Self>, op: &str, bytes: usize, len: usize) -> Result<GpuStorage> {
        let size = rounded(bytes as u64);
        if size > self.largest {
            let rule = format!("tensors of at most {} bytes on this GPU; split it, or use the CPU", self.largest);
            return Err(Error::device(op, rule, format!("{bytes} bytes")));
        }
        let mut shelves = self.shelves();
        let kept = shelves.free.get_mut(&size).and_then(Vec::pop);
        let buffer = if let Some(buffer) = kept {
            shelves.bytes -= size;
            buffer
        } else {
            drop(shelves);
            self.create(op, size)?
        };
        Ok(GpuStorage { buffer, len, memory: Arc::clone(self) })
    }

    /// A new buffer; when there is no room for it, what is kept is let go first.
    fn create(&self, op: &str, size: u64) -> Result<Buffer> {
        if let Some(buffer) = self.attempt(size) {
            return Ok(buffer);
        }
        self.clear();
        self.attempt(size).ok_or_else(|| {
            let held = self.shelves().held;
            let rule = "room in the GPU's memory; use a smaller batch or model, or the CPU";
            let limit =
                if self.most == u64::MAX { String::new() } else { format!(" ({VARIABLE} allows {})", self.most) };
            Error::device(op, rule, format!("no room for {size} bytes beside {held} bytes in use{limit}"))
        })
    }

    fn attempt(&self, size: u64) -> Option<Buffer> {
        let mut shelves = self.shelves();
        if shelves.held.saturating_add(size) > self.most {
            return None;
        }
        shelves.held += size;
        drop(shelves);
        count::add(&count::OBJECTS);
        let scope = self.device.push_error_scope(ErrorFilter::OutOfMemory);
        let buffer = self.device.create_buffer(&BufferDescriptor {
            label: None,
            size,
            usage: BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        if pollster::block_on(scope.pop()).is_some() {
            self.shelves().held -= size;
            return None;
        }
        Some(buffer)
    }

    fn clear(&self) {
        let mut shelves = self.shelves();
        shelves.held -= shelves.bytes;
        shelves.bytes = 0;
        shelves.free.clear();
        drop(shelves);
        let _ = self.device.poll(wgpu::PollType::wait_indefinitely());
    }

    fn give(&self, buffer: Buffer) {
        let mut shelves = self.shelves();
        let size = buffer.size();
        if shelves.bytes + size <= KEPT {
            shelves.bytes += size;
            shelves.free.entry(size).or_default().push(buffer);
        } else {
            shelves.held -= size;
        }
    }
}

/// How many bytes may be taken, if the variable says so.
fn most(text: Option<&str>) -> Result<u64> {
    match text {
        None | Some("") => Ok(u64::MAX),
        Some(text) => text.parse().map_err(|_| Error::value(VARIABLE, "a number of bytes", format!("{text:?}"))),
    }
}

/// The size that a buffer for so many bytes has.
fn rounded(bytes: u64) -> u64 {
    let power = bytes.max(LEAST).next_power_of_two();
    if power <= FINE { power } else { bytes.next_multiple_of(power / 16) }
}

/// Elements on a GPU.
#[derive(Debug)]
pub(super) struct GpuStorage {
    buffer: Buffer,
    /// Bytes of the elements on the host.
    len: usize,
    memory: Arc<Memory>,
}

impl GpuStorage {
    /// The buffer that holds the words.
    pub(super) fn buffer(&self) -> &Buffer {
        &self.buffer
    }
}

impl Drop for GpuStorage {
    fn drop(&mut self) {
        self.memory.give(self.buffer.clone());
    }
}

impl Storage for GpuStorage {
    fn device(&self) -> Device {
        self.memory.place
    }
    fn len(&self) -> usize {
        self.len
    }
    fn host(&self) -> Option<&[u8]> {
        None
    }
    fn host_mut(&mut self) -> Option<&mut [u8]> {
        None
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_a_number_of_bytes() {
        assert_eq!(
            (most(None).unwrap(), most(Some("")).unwrap(), most(Some("4096")).unwrap()),
            (u64::MAX, u64::MAX, 4096)
        );
        let said = most(Some("2GB")).unwrap_err().to_string();
        assert!(said.contains(VARIABLE) && said.contains("2GB") && said.contains("bytes"), "{said}");
    }

    #[test]
    fn sizes_are_few_and_waste_little() {
        assert_eq!((rounded(0), rounded(257), rounded(1 << 16)), (256, 512, 1 << 16));
        for bytes in [100_000, 1 << 20, (1 << 20) + 1, 77_777_777] {
            let size = rounded(bytes);
            assert!(size >= bytes && size <= bytes + bytes / 7 && size.is_multiple_of(256), "{bytes}: {size}");
        }
    }
}
