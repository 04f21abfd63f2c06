//! Buffers on the GPU: whole ones, kept by size when they are let go.

use super::count;
use crate::buffer::Storage;
use crate::device::Device;
use crate::error::{Error, Result};
use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use wgpu::{Buffer, BufferDescriptor, BufferUsages, ErrorFilter};

/// Bytes of let-go buffers that are kept at most.
const KEPT: u64 = 512 << 20;
/// Smallest buffer.
const LEAST: u64 = 256;
/// From this size on, buffers come in steps of an eighth of a power of two, so that little is wasted.
const FINE: u64 = 1 << 16;

/// Buffers that were let go, by size.
#[derive(Debug, Default)]
struct Shelves {
    free: HashMap<u64, Vec<Buffer>>,
    bytes: u64,
}

/// Where buffers come from and go back to.
#[derive(Debug)]
pub(super) struct Memory {
    device: wgpu::Device,
    /// The device as users name it.
    place: Device,
    /// Bytes that one buffer may have.
    largest: u64,
    shelves: Mutex<Shelves>,
}

impl Memory {
    pub(super) fn new(device: wgpu::Device, place: Device, largest: u64) -> Arc<Self> {
        Arc::new(Self { device, place, largest, shelves: Mutex::default() })
    }

    /// A buffer with room for `bytes` bytes of GPU words; `len` is how many bytes the elements have on the host.
    pub(super) fn take(self: &Arc<Self>, op: &str, bytes: usize, len: usize) -> Result<GpuStorage> {
        let size = rounded(bytes as u64);
        if size > self.largest {
            let rule = format!("tensors of at most {} bytes on this GPU; split it, or use the CPU", self.largest);
            return Err(Error::device(op, rule, format!("{bytes} bytes")));
        }
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
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
    pub(super) fn create(&self, op: &str, size: u64) -> Result<Buffer> {
        if let Ok(buffer) = self.attempt(size) {
            return Ok(buffer);
        }
        self.clear();
        self.attempt(size).map_err(|_| {
            let rule = "room in the GPU's memory; use a smaller batch or model, or the CPU";
            Error::device(op, rule, format!("no room for {size} bytes"))
        })
    }

    fn attempt(&self, size: u64) -> std::result::Result<Buffer, wgpu::Error> {
        count::add(&count::OBJECTS);
        let scope = self.device.push_error_scope(ErrorFilter::OutOfMemory);
        let buffer = self.device.create_buffer(&BufferDescriptor {
            label: None,
            size,
            usage: BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        match pollster::block_on(scope.pop()) {
            None => Ok(buffer),
            Some(error) => Err(error),
        }
    }

    fn clear(&self) {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        *shelves = Shelves::default();
        drop(shelves);
        let _ = self.device.poll(wgpu::PollType::wait_indefinitely());
    }

    fn give(&self, buffer: Buffer) {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        let size = buffer.size();
        if shelves.bytes + size <= KEPT {
            shelves.bytes += size;
            shelves.free.entry(size).or_default().push(buffer);
        }
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
    fn sizes_are_few_and_waste_little() {
        assert_eq!((rounded(0), rounded(257), rounded(1 << 16)), (256, 512, 1 << 16));
        for bytes in [100_000, 1 << 20, (1 << 20) + 1, 77_777_777] {
            let size = rounded(bytes);
            assert!(size >= bytes && size <= bytes + bytes / 7 && size.is_multiple_of(256), "{bytes}: {size}");
        }
    }
}
