//! Small tables that the host computes, as constants beside a tensor, and the dtype that sums are made in.

use crate::backend;
use crate::buffer::Meta;
use crate::device::Device;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::Op;
use crate::shape::Shape;
use crate::tensor::face::face;
use crate::tensor::object::upload;

/// Whole numbers on the device of `like`.
pub(super) fn integers(like: &Edge, values: &[i64]) -> Result<Edge> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
    face().constant(upload(&bytes, &Meta::new([values.len()], DType::I64), like.node.device)?)
}

/// Numbers along one axis, repeated to the shape of `like`, in its dtype.
pub(super) fn along(like: &Edge, axis: usize, values: &[f64]) -> Result<Edge> {
    let b = face();
    let table = numbers(values, like.dtype(), like.node.device)?;
    let column: Shape = (0..like.shape().len()).map(|a| if a == axis { values.len() } else { 1 }).collect();
    b.expand(&b.reshape(&table, &column)?, like.shape())
}

/// Numbers rounded to a dtype on the host; a device need not have f64.
pub(in crate::tensor) fn numbers(values: &[f64], dtype: DType, device: Device) -> Result<Edge> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
    let host = backend::of(Device::Cpu);
    let wide = host.upload(&bytes, &Meta::new([values.len()], DType::F64))?;
    let rounded = host.run_op(&Op::Cast(dtype), &[wide])?;
    let [table] = &rounded[..] else { return Err(Error::bug("astype", "one result")) };
    face().constant(upload(&host.download(table)?, &table.meta(), device)?)
}

/// Slices of `x` along an axis, at places that the host knows.
pub(super) fn pick(x: &Edge, axis: usize, places: &[i64]) -> Result<Edge> {
    face().one(Op::Gather { axis }, &[x.clone(), integers(x, places)?])
}

/// Where sums of narrow floats are made, to be rounded once.
pub(super) fn wide(dtype: DType) -> DType {
    if matches!(dtype, DType::F16 | DType::BF16) { DType::F32 } else { dtype }
}
