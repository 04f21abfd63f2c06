//! Rows of several arrays, cut into batches.

use crate::buffer::{HostVec, Meta, Value, with_room};
use crate::data::order::Order;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::shape::Shape;

/// Arrays in host memory with one length along their first axis, and the order of their rows.
#[derive(Debug)]
pub struct Rows {
    sources: Vec<Source>,
    order: Order,
    count: usize,
}

/// An array whose rows are whole, but may overlap or lie apart; places in bytes.
#[derive(Debug)]
struct Source {
    value: Value,
    start: usize,
    step: usize,
    width: usize,
}

impl Source {
    fn new(value: Value, count: usize) -> Result<Self> {
        let (meta, size) = (value.meta(), value.dtype.size());
        let row = Layout::contiguous(meta.shape.iter().skip(1).copied().collect());
        let inner = value.layout.strides().get(1..) == Some(row.strides());
        let step = value.layout.strides().first().and_then(|&stride| usize::try_from(stride).ok());
        let inside = value.layout.span().is_none_or(|(_, last)| (last + 1) * size <= value.buffer.len());
        match step {
            Some(step) if inner && inside && meta.shape.first() == Some(&count) && value.host("batches").is_ok() => {
                let (start, width) = (value.layout.offset() * size, row.shape().numel() * size);
                Ok(Self { start, step: if width == 0 { 0 } else { step * size }, width, value })
            }
            _ => {
                let expected = format!("{count} rows in host memory, each of them in row-major order");
                Err(Error::shape("batches", expected, format!("shape {}", meta.shape)))
            }
        }
    }

    /// Adds the bytes of some rows.
    fn take(&self, bytes: &[u8], rows: &[usize], taken: &mut HostVec) {
        match self.width {
            1 => self.take_exactly::<1>(bytes, rows, taken),
            2 => self.take_exactly::<2>(bytes, rows, taken),
            4 => self.take_exactly::<4>(bytes, rows, taken),
            8 => self.take_exactly::<8>(bytes, rows, taken),
            width => rows.iter().for_each(|row| {
                let from = self.start + row * self.step;
                taken.extend_from_slice(&bytes[from..from + width]);
            }),
        }
    }

    /// Adds rows of one element, which a call for any number of bytes would copy slowly.
    fn take_exactly<const WIDTH: usize>(&self, bytes: &[u8], rows: &[usize], taken: &mut HostVec) {
        let filled = taken.len();
        taken.resize(filled + rows.len() * WIDTH, 0);
        let (places, _) = taken[filled..].as_chunks_mut::<WIDTH>();
        for (place, row) in places.iter_mut().zip(rows) {
            let from = self.start + row * self.step;
            place.copy_from_slice(&bytes[from..from + WIDTH]);
        }
    }
}

impl Rows {
    /// Arrays of equal length.
    pub fn new(sources: Vec<Value>, order: Order) -> Result<Self> {
        let first = sources.first().and_then(|value| value.shape().first().copied());
        let Some(count) = first else {
            return Err(Error::shape("batches", "one or more arrays of shape (n, ...)", "no array or no axis"));
        };
        let sources = sources.into_iter().map(|value| Source::new(value, count)).collect::<Result<_>>()?;
        Ok(Self { sources, order, count })
    }

    /// Positions that there are.
    pub fn len(&self) -> usize {
        self.order.len(self.count)
    }

    /// Whether there are no positions.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the rows come as they lie.
    pub fn in_order(&self) -> bool {
        matches!(self.order, Order::Sequence)
    }

    /// Bytes of one row of all arrays.
    pub fn width(&self) -> usize {
        self.sources.iter().map(|source| source.width).sum()
    }

    /// The rows at the positions `start` to `stop - 1`, one value per array.
    pub fn batch(&self, start: usize, stop: usize) -> Result<Vec<Value>> {
        let rows = self.order.at(start..stop);
        let batch = self.sources.iter().map(|source| {
            let (bytes, meta) = (source.value.host("batches")?, source.value.meta());
            let mut taken = with_room(rows.len() * source.width);
            if self.in_order() && source.step == source.width && !rows.is_empty() {
                let from = source.start + start * source.width;
                taken.extend_from_slice(&bytes[from..from + rows.len() * source.width]);
            } else {
                source.take(bytes, &rows, &mut taken);
            }
            let sizes = std::iter::once(rows.len()).chain(meta.shape.iter().skip(1).copied());
            Ok(Value::from_host(taken, &Meta::new(sizes.collect::<Shape>(), meta.dtype), Device::Cpu))
        });
        batch.collect()
    }
}
