//! Storage of elements, opaque to everything but its backend, and the value a node holds.

mod large;
pub mod pool;

use crate::device::Device;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::shape::Shape;
use aligned_vec::{AVec, ConstAlign};
pub use large::unwritten;
use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

/// Bytes on a device. Immutable while more than one owner can see it.
pub trait Storage: Send + Sync + Debug {
    /// Device that holds the bytes.
    fn device(&self) -> Device;
    /// Number of bytes.
    fn len(&self) -> usize;
    /// Whether there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The bytes, where they lie in host memory.
    fn host(&self) -> Option<&[u8]>;
    /// The bytes for writing, where they lie in host memory that is ours to write.
    fn host_mut(&mut self) -> Option<&mut [u8]>;
    /// The storage itself, for its own backend.
    fn as_any(&self) -> &dyn Any;
}

/// Shared handle on storage.
pub type Buffer = Arc<dyn Storage>;

/// Host bytes on a cache-line boundary.
pub type HostVec = AVec<u8, ConstAlign<64>>;

/// Host memory owned by the library.
#[derive(Debug)]
pub struct HostStorage {
    bytes: HostVec,
    device: Device,
}

impl HostStorage {
    /// Wrap bytes as storage of `device`.
    pub fn new(bytes: HostVec, device: Device) -> Self {
        Self { bytes, device }
    }

    /// `len` zero bytes.
    pub fn zeroed(len: usize, device: Device) -> Self {
        Self::new(zeroed(len), device)
    }

    /// A copy of `bytes`.
    pub fn copied(bytes: &[u8], device: Device) -> Self {
        let mut copy = with_room(bytes.len());
        copy.extend_from_slice(bytes);
        Self::new(copy, device)
    }
}

impl Drop for HostStorage {
    fn drop(&mut self) {
        let bytes = std::mem::replace(&mut self.bytes, AVec::new(64));
        if pool::keeps(bytes.capacity()) { pool::give(bytes) } else { large::give(bytes) }
    }
}

/// No bytes yet, on a cache-line boundary, with room for `len` of them.
pub fn with_room(len: usize) -> HostVec {
    pool::take(len)
}

/// `len` zero bytes on a cache-line boundary.
pub fn zeroed(len: usize) -> HostVec {
    let mut bytes = with_room(len);
    bytes.resize(len, 0);
    bytes
}

impl Storage for HostStorage {
    fn device(&self) -> Device {
        self.device
    }
    fn len(&self) -> usize {
        self.bytes.len()
    }
    fn host(&self) -> Option<&[u8]> {
        Some(&self.bytes)
    }
    fn host_mut(&mut self) -> Option<&mut [u8]> {
        Some(&mut self.bytes)
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What is known of a value before it is computed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Meta {
    /// Sizes of the axes.
    pub shape: Shape,
    /// Element type.
    pub dtype: DType,
}

impl Meta {
    /// Shape and dtype together.
    pub fn new(shape: impl Into<Shape>, dtype: DType) -> Self {
        Self { shape: shape.into(), dtype }
    }

    /// Bytes of the row-major value.
    pub fn bytes(&self) -> usize {
        self.shape.numel() * self.dtype.size()
    }
}

/// Bytes that an element takes in the memory of a device: GPUs hold whole words.
pub fn element_size(dtype: DType, device: Device) -> usize {
    match device {
        Device::Cpu | Device::Reference => dtype.size(),
        Device::Gpu(_) => dtype.size().max(4),
    }
}

/// Boundary on which values start in the memory of a device.
pub fn alignment(device: Device) -> usize {
    match device {
        Device::Cpu | Device::Reference => 64,
        Device::Gpu(_) => 256,
    }
}

/// A computed value: elements of one dtype, laid out in a buffer.
#[derive(Clone, Debug)]
pub struct Value {
    /// Where the bytes are.
    pub buffer: Buffer,
    /// How the elements lie in them.
    pub layout: Layout,
    /// Element type.
    pub dtype: DType,
}

impl Value {
    /// A row-major value over a whole host vector.
    pub fn from_host(bytes: HostVec, meta: &Meta, device: Device) -> Self {
        debug_assert_eq!(bytes.len(), meta.bytes());
        Self {
            buffer: Arc::new(HostStorage::new(bytes, device)),
            layout: Layout::contiguous(meta.shape.clone()),
            dtype: meta.dtype,
        }
    }

    /// Shape and dtype.
    pub fn meta(&self) -> Meta {
        Meta { shape: self.layout.shape().clone(), dtype: self.dtype }
    }

    /// Sizes of the axes.
    pub fn shape(&self) -> &Shape {
        self.layout.shape()
    }

    /// Device of the buffer.
    pub fn device(&self) -> Device {
        self.buffer.device()
    }

    /// The whole buffer's bytes in host memory.
    pub fn host(&self, op: &str) -> Result<&[u8]> {
        self.buffer.host().ok_or_else(|| Error::device(op, "a tensor in host memory", self.device().to_string()))
    }

    /// The same bytes under another layout.
    pub fn with_layout(&self, layout: Layout) -> Self {
        Self { buffer: Arc::clone(&self.buffer), layout, dtype: self.dtype }
    }
}
