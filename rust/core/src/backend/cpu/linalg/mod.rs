//! Decompositions of matrices: each matrix of a batch is loaded in f64, decomposed by a textbook algorithm, rounded once.
//!
//! Called by `kernel.rs` alone; an algorithm sees one row-major [`Matrix`] and no layout.

mod eigen;
mod factor;
mod matrix;
mod qr;
mod svd;

use super::element::{Compute, Float};
use super::kernel::{Dst, Src};
use super::rows::{Rows, along, split};
use crate::error::{Error, Result};
use crate::ir::op::LinalgOp;
use matrix::Matrix;

/// Run one decomposition on every matrix.
pub(super) fn linalg(op: LinalgOp, inputs: &[Src<'_>], outputs: &mut [Dst<'_>]) -> Result<()> {
    match inputs.first().map(|a| Compute::of(a.dtype)) {
        Some(Compute::F32) => batches::<f32>(op, inputs, outputs),
        Some(Compute::F64) => batches::<f64>(op, inputs, outputs),
        Some(Compute::Bool | Compute::I64 | Compute::U64) | None => Err(Error::bug(op.name(), "no floating input")),
    }
}

fn batches<T: Float>(op: LinalgOp, inputs: &[Src<'_>], outputs: &mut [Dst<'_>]) -> Result<()> {
    let starts: Vec<Vec<usize>> = inputs.iter().map(starts).collect();
    let sources = inputs.iter().map(Src::elements::<T>).collect::<Result<Vec<_>>>()?;
    let mut targets = outputs.iter_mut().map(Dst::elements::<T>).collect::<Result<Vec<_>>>()?;
    let count = starts[0].len();
    for batch in 0..count {
        let matrices: Vec<Matrix> = (0..inputs.len()).map(|i| load(&inputs[i], sources[i], starts[i][batch])).collect();
        let results = decompose(op, matrices)?;
        for (target, result) in targets.iter_mut().zip(results) {
            let size = result.len();
            for (to, x) in target[batch * size..(batch + 1) * size].iter_mut().zip(result) {
                *to = T::round_from(x);
            }
        }
    }
    Ok(())
}

/// Results in row-major order.
fn decompose(op: LinalgOp, mut inputs: Vec<Matrix>) -> Result<Vec<Vec<f64>>> {
    let Some(a) = (!inputs.is_empty()).then(|| inputs.remove(0)) else {
        return Err(Error::bug(op.name(), "no input"));
    };
    Ok(match op {
        LinalgOp::Cholesky => vec![factor::cholesky(a)?.data],
        LinalgOp::Solve => match inputs.pop() {
            Some(b) => vec![factor::solve(a, b)?.data],
            None => return Err(Error::bug("solve", "one input")),
        },
        LinalgOp::Det => vec![vec![factor::det(a)]],
        LinalgOp::Slogdet => {
            let (sign, log) = factor::slogdet(a);
            vec![vec![sign], vec![log]]
        }
        LinalgOp::Qr { full } => {
            let (q, r) = qr::qr(&a, full);
            vec![q.data, r.data]
        }
        LinalgOp::Svd => {
            let (u, s, vt) = svd::svd(a);
            vec![u.data, s, vt.data]
        }
        LinalgOp::Eigh => {
            let (w, v) = eigen::eigh(a);
            vec![w, v.data]
        }
    })
}

/// Buffer index of the first element of each matrix.
fn starts(x: &Src<'_>) -> Vec<usize> {
    let matrix = x.layout.shape().len() - 2;
    let (outer, _) = split(x.layout, |axis| axis >= matrix);
    Rows::new([&outer]).positions().map(|[start]| start).collect()
}

fn load<T: Float>(x: &Src<'_>, source: &[T], start: usize) -> Matrix {
    let (shape, strides) = (x.layout.shape(), x.layout.strides());
    let rank = shape.len();
    let [down, right] = [strides[rank - 2], strides[rank - 1]];
    Matrix::build(shape[rank - 2], shape[rank - 1], |i, j| source[along(along(start, down, i), right, j)].wide())
}

#[cfg(test)]
mod tests {
    use super::super::CPU;
    use super::super::testing::{elements, fails, tensor};
    use super::*;
    use crate::backend::Backend;
    use crate::dtype::DType;
    use crate::ir::op::{Op, ViewOp};

    fn run(op: LinalgOp, a: &[f64], shape: &[usize]) -> Vec<Vec<f64>> {
        let a = tensor(a, shape, DType::F64);
        CPU.run_op(&Op::Linalg(op), &[a]).unwrap().iter().map(elements).collect()
    }

    #[test]
    fn matrices_of_a_batch_are_independent_however_they_lie() {
        let x = tensor(&[4f32, 0.0, 9.0, 0.0, 0.0, 1.0, 0.0, 16.0], &[2, 2, 2], DType::F32);
        let turned = &CPU.run_op(&Op::View(ViewOp::Permute(vec![1, 2, 0])), &[x]).unwrap()[0];
        let got = CPU.run_op(&Op::Linalg(LinalgOp::Det), std::slice::from_ref(turned)).unwrap();
        assert_eq!(elements::<f32>(&got[0]), [4.0, 144.0]);
    }

    #[test]
    fn what_cannot_be_decomposed_is_an_error() {
        let singular = tensor(&[1.0, 2.0, 2.0, 4.0], &[2, 2], DType::F64);
        let error = fails(&Op::Linalg(LinalgOp::Solve), &[singular.clone(), singular]);
        assert!(matches!(error, Error::Value { .. }));
        let indefinite = tensor(&[1.0, 2.0, 2.0, 1.0], &[2, 2], DType::F64);
        assert!(matches!(fails(&Op::Linalg(LinalgOp::Cholesky), &[indefinite]), Error::Value { .. }));
    }

    #[test]
    fn known_matrices() {
        assert_eq!(run(LinalgOp::Cholesky, &[4.0, 99.0, 2.0, 5.0], &[2, 2]), [[2.0, 0.0, 1.0, 2.0]]);
        assert_eq!(run(LinalgOp::Det, &[0.0, 2.0, 3.0, 0.0], &[2, 2]), [[-6.0]]);
        assert_eq!(run(LinalgOp::Slogdet, &[0.0, 1.0, 1.0, 0.0], &[2, 2]), [[-1.0], [0.0]]);
        assert_eq!(run(LinalgOp::Slogdet, &[0.0; 4], &[2, 2]), [[0.0], [f64::NEG_INFINITY]]);
        assert_eq!(run(LinalgOp::Eigh, &[3.0, 0.0, 0.0, -1.0], &[2, 2]), [vec![-1.0, 3.0], vec![0.0, 1.0, 1.0, 0.0]]);
        assert_eq!(run(LinalgOp::Svd, &[0.0, -2.0], &[1, 2]), [vec![1.0], vec![2.0], vec![0.0, -1.0]]);
    }

    #[test]
    fn empty_matrices_have_a_determinant_of_one() {
        assert_eq!(run(LinalgOp::Det, &[], &[0, 0]), [[1.0]]);
        assert_eq!(run(LinalgOp::Det, &[], &[0, 2, 2]), [[0.0; 0]]);
        assert_eq!(run(LinalgOp::Qr { full: true }, &[], &[2, 0]), [vec![1.0, 0.0, 0.0, 1.0], vec![]]);
        assert_eq!(run(LinalgOp::Svd, &[], &[0, 3]), [[0.0; 0], [], []]);
    }

    #[test]
    fn a_rank_below_the_sides_still_gives_orthonormal_vectors() {
        let got = run(LinalgOp::Svd, &[1.0, 2.0, 2.0, 4.0, 0.0, 0.0], &[3, 2]);
        let u = &got[0];
        let dot = |a: usize, b: usize| (0..3).map(|i| u[2 * i + a] * u[2 * i + b]).sum::<f64>();
        assert!((dot(0, 0) - 1.0).abs() < 1e-14 && (dot(1, 1) - 1.0).abs() < 1e-14 && dot(0, 1).abs() < 1e-14);
        assert!((got[1][0] - 5.0).abs() < 1e-14 && got[1][1] < 1e-14);
    }

    #[test]
    fn a_nan_spreads() {
        assert!(run(LinalgOp::Svd, &[f64::NAN, 1.0, 1.0, 1.0], &[2, 2])[1].iter().all(|x| x.is_nan()));
        assert!(run(LinalgOp::Eigh, &[f64::NAN, 1.0, 1.0, 1.0], &[2, 2])[0].iter().all(|x| x.is_nan()));
    }
}
