//! Rows in and out: a position of a leading axis, and values written one after another along a new one.

use crate::backend;
use crate::buffer::{HostVec, Meta, Value, zeroed};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::layout::Layout;

/// Position `at` of a value's leading axis, without a copy.
pub(super) fn row(value: &Value, at: usize) -> Result<Value> {
    let (layout, shape) = (&value.layout, value.shape());
    if shape.first().is_none_or(|&length| at >= length) {
        return Err(Error::bug("run_steps", format!("position {at} of shape {shape}")));
    }
    let offset = layout.offset().wrapping_add_signed(at as isize * layout.strides()[0]);
    Ok(value.with_layout(Layout::new(shape[1..].into(), layout.strides()[1..].into(), offset)))
}

/// Values of one shape and dtype, one after another in host memory.
pub(super) struct Stack {
    bytes: HostVec,
    used: usize,
    item: Meta,
    device: Device,
}

impl Stack {
    /// Room for `count` values like `first`.
    pub(super) fn new(first: &Value, count: usize) -> Self {
        let item = first.meta();
        Self { bytes: zeroed(count * item.bytes()), used: 0, item, device: first.device() }
    }

    /// Write the next value.
    pub(super) fn push(&mut self, value: &Value) -> Result<()> {
        let end = self.used + self.item.bytes();
        if value.meta() != self.item || end > self.bytes.len() {
            return Err(Error::bug("run_steps", format!("results that differ from step to step: {:?}", value.meta())));
        }
        let target = &mut self.bytes[self.used..end];
        match value.buffer.host() {
            Some(host) if value.layout.is_contiguous() => {
                let start = value.layout.offset() * value.dtype.size();
                target.copy_from_slice(&host[start..start + target.len()]);
            }
            Some(_) | None => target.copy_from_slice(&backend::of(self.device).download(value)?),
        }
        self.used = end;
        Ok(())
    }

    /// The first `count` values along a new leading axis.
    pub(super) fn close(mut self, count: usize) -> Result<Value> {
        let sizes: Vec<usize> = std::iter::once(count).chain(self.item.shape.iter().copied()).collect();
        let meta = Meta::new(sizes, self.item.dtype);
        self.bytes.truncate(meta.bytes());
        match self.device {
            Device::Cpu | Device::Reference => Ok(Value::from_host(self.bytes, &meta, self.device)),
            Device::Gpu(_) => backend::of(self.device).upload(&self.bytes, &meta),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Tensor;

    #[test]
    fn rows_come_back_as_they_were() {
        let x = Tensor::from_f32(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [3, 2]).unwrap().value("test").unwrap();
        let turned = x.with_layout(x.layout.permute(&[1, 0]));
        for (value, wanted) in [(&x, vec![1.0, 2.0, 3.0, 4.0]), (&turned, vec![1.0, 3.0, 5.0, 2.0, 4.0, 6.0])] {
            let mut stack = Stack::new(&row(value, 0).unwrap(), 3);
            stack.push(&row(value, 0).unwrap()).unwrap();
            stack.push(&row(value, 1).unwrap()).unwrap();
            let stacked = Tensor::from_value(stack.close(2).unwrap());
            assert_eq!(stacked.to_f64().unwrap(), wanted);
        }
        assert!(row(&x, 3).is_err());
    }

    #[test]
    fn another_shape_is_refused() {
        let x = Tensor::from_f32(&[1.0, 2.0], [2]).unwrap().value("test").unwrap();
        let mut stack = Stack::new(&row(&x, 0).unwrap(), 1);
        assert!(stack.push(&x).is_err());
        stack.push(&row(&x, 0).unwrap()).unwrap();
        assert!(stack.push(&row(&x, 0).unwrap()).is_err());
    }
}
