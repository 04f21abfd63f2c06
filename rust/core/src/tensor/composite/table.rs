//! Small tables that the host computes, as constants beside a tensor, and the dtype that sums are made in.

use crate::buffer::Meta;
use crate::dtype::DType;
use crate::error::Result;
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
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
    let table = b.constant(upload(&bytes, &Meta::new([values.len()], DType::F64), like.node.device)?)?;
    let column: Shape = (0..like.shape().len()).map(|a| if a == axis { values.len() } else { 1 }).collect();
    b.expand(&b.reshape(&b.cast(&table, like.dtype())?, &column)?, like.shape())
}

/// Slices of `x` along an axis, at places that the host knows.
pub(super) fn pick(x: &Edge, axis: usize, places: &[i64]) -> Result<Edge> {
    face().one(Op::Gather { axis }, &[x.clone(), integers(x, places)?])
}

/// Where sums of narrow floats are made, to be rounded once.
pub(super) fn wide(dtype: DType) -> DType {
    if matches!(dtype, DType::F16 | DType::BF16) { DType::F32 } else { dtype }
}
