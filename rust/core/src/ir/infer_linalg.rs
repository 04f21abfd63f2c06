//! Shape and dtype rules of the ops on matrices and of sorting.

use crate::buffer::Meta;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::infer::{in_rank, mismatch};
use crate::ir::op::LinalgOp;
use crate::shape::Shape;
use smallvec::{SmallVec, smallvec};

pub(super) fn sort(axis: usize, input: &Meta) -> Result<SmallVec<[Meta; 1]>> {
    in_rank("sort", axis, input)?;
    Ok(smallvec![input.clone(), Meta::new(input.shape.clone(), DType::I64)])
}

/// Number of inputs.
pub(super) fn linalg_arity(op: LinalgOp) -> usize {
    if op == LinalgOp::Solve { 2 } else { 1 }
}

pub(super) fn linalg(op: LinalgOp, inputs: &[Meta]) -> Result<SmallVec<[Meta; 1]>> {
    let a = &inputs[0];
    let rank = a.shape.len();
    if !matches!(a.dtype, DType::F32 | DType::F64) {
        let rule = "a float32 or float64 tensor; cast with astype first";
        return Err(Error::dtype(op.name(), rule, a.dtype.to_string()));
    }
    if rank < 2 {
        return Err(Error::shape(op.name(), "matrices, that is at least two axes", a.shape.to_string()));
    }
    let (rows, columns) = (a.shape[rank - 2], a.shape[rank - 1]);
    if rows != columns && !matches!(op, LinalgOp::Qr { .. } | LinalgOp::Svd) {
        return Err(Error::shape(op.name(), "square matrices", a.shape.to_string()));
    }
    let batch = &a.shape[..rank - 2];
    let with = |sizes: &[usize]| Meta::new(batch.iter().chain(sizes).copied().collect::<Shape>(), a.dtype);
    let small = rows.min(columns);
    Ok(match op {
        LinalgOp::Cholesky => smallvec![a.clone()],
        LinalgOp::Solve => {
            let b = &inputs[1];
            let fits = b.dtype == a.dtype && b.shape.len() == rank && b.shape[..rank - 1] == a.shape[..rank - 1];
            if !fits {
                return Err(mismatch("solve", "[..., n, n] and [..., n, k] of one dtype", inputs));
            }
            smallvec![b.clone()]
        }
        LinalgOp::Det => smallvec![with(&[])],
        LinalgOp::Slogdet => smallvec![with(&[]), with(&[])],
        LinalgOp::Qr { full: true } => smallvec![with(&[rows, rows]), a.clone()],
        LinalgOp::Qr { full: false } => smallvec![with(&[rows, small]), with(&[small, columns])],
        LinalgOp::Svd => smallvec![with(&[rows, small]), with(&[small]), with(&[small, columns])],
        LinalgOp::Eigh => smallvec![with(&[rows]), a.clone()],
    })
}
