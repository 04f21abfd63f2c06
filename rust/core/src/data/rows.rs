//! Rows of several arrays, cut into batches.

use crate::buffer::{HostVec, Meta, Value};
use crate::data::order::Order;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::layout::Layout;
use aligned_vec::AVec;

/// Arrays in host memory with one length along their first axis, and the order of their rows.
#[derive(Debug)]
pub struct Rows {
    sources: Vec<Value>,
    order: Order,
    count: usize,
}

impl Rows {
    /// Arrays that lie in row-major order in buffers of their own.
    pub fn new(sources: Vec<Value>, order: Order) -> Result<Self> {
        let lengths: Vec<Option<usize>> = sources.iter().map(|value| value.shape().first().copied()).collect();
        let Some(&Some(rows)) = lengths.first() else {
            return Err(Error::shape("batches", "one or more arrays of shape (n, ...)", "no array or no axis"));
        };
        for value in &sources {
            let whole = value.layout == Layout::contiguous(value.shape().clone());
            if !whole || value.shape().first() != Some(&rows) || value.host("batches")?.len() != value.meta().bytes() {
                let expected = format!("{rows} rows in row-major order, in a buffer of their own");
                return Err(Error::shape("batches", expected, format!("shape {}", value.shape())));
            }
        }
        Ok(Self { sources, order, count: rows })
    }

    /// Positions that there are.
    pub fn len(&self) -> usize {
        self.order.len(self.count)
    }

    /// Whether there are no positions.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of one row of all arrays.
    pub fn width(&self) -> usize {
        self.sources.iter().map(|value| value.meta().bytes() / self.count.max(1)).sum()
    }

    /// The rows at the positions `start` to `stop - 1`, one value per array.
    pub fn batch(&self, start: usize, stop: usize) -> Result<Vec<Value>> {
        let chosen: Vec<usize> = match &self.order {
            Order::Sequence => Vec::new(),
            Order::Permuted(_) | Order::Listed(_) => (start..stop).map(|position| self.order.at(position)).collect(),
        };
        self.sources
            .iter()
            .map(|value| {
                let (bytes, meta) = (value.host("batches")?, value.meta());
                let width = meta.bytes() / self.count.max(1);
                let mut taken: HostVec = AVec::with_capacity(64, (stop - start) * width);
                if chosen.is_empty() {
                    taken.extend_from_slice(&bytes[start * width..stop * width]);
                }
                for &row in &chosen {
                    taken.extend_from_slice(&bytes[row * width..(row + 1) * width]);
                }
                let sizes = std::iter::once(stop - start).chain(meta.shape.iter().skip(1).copied());
                let shape: Vec<usize> = sizes.collect();
                Ok(Value::from_host(taken, &Meta::new(shape, meta.dtype), Device::Cpu))
            })
            .collect()
    }
}
