//! What the tests of every family share: literal tensors in, literal elements out.

use super::CPU;
use crate::backend::Backend;
use crate::buffer::{Meta, Value};
use crate::dtype::DType;
use crate::error::Error;
use crate::ir::op::Op;
use crate::shape::Shape;
use bytemuck::Pod;

/// A tensor whose bytes are those of `elements`.
pub(super) fn tensor<T: Pod>(elements: &[T], shape: &[usize], dtype: DType) -> Value {
    CPU.upload(bytemuck::cast_slice(elements), &Meta::new(Shape::from(shape), dtype)).expect("an upload")
}

/// The elements of a tensor, row-major.
pub(super) fn elements<T: Pod>(value: &Value) -> Vec<T> {
    CPU.download(value).expect("a download").chunks_exact(size_of::<T>()).map(bytemuck::pod_read_unaligned).collect()
}

/// The elements of the single result of an op.
pub(super) fn run<T: Pod>(op: &Op, inputs: &[Value]) -> Vec<T> {
    let results = CPU.run_op(op, inputs).expect("a result");
    assert_eq!(results.len(), 1);
    elements(&results[0])
}

/// The error of an op that must not run.
pub(super) fn fails(op: &Op, inputs: &[Value]) -> Error {
    CPU.run_op(op, inputs).unwrap_err()
}
