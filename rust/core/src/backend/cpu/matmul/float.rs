//! Products of float matrices, by the kernels of the gemm crate.

use super::{Matrix, Size};
use crate::error::{Error, Result};
use gemm::Parallelism;

/// A float type that the gemm crate multiplies.
pub(super) trait Real: Copy + 'static {
    /// The neutral element of addition.
    const ZERO: Self;
    /// The neutral element of multiplication.
    const ONE: Self;
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
}

/// `out = a x b`, row-major.
pub(super) fn product<T: Real>(size: Size, a: Matrix<'_, T>, b: Matrix<'_, T>, out: &mut [T]) -> Result<()> {
    let Size { rows: m, columns: n, depth: k } = size;
    out.fill(T::ZERO);
    if m == 0 || n == 0 || k == 0 {
        return Ok(());
    }
    if !(inside(&a, m, k) && inside(&b, k, n) && out.len() == m * n) {
        return Err(Error::bug("matmul", "a matrix reaches outside its buffer"));
    }
    let (left, right) = (&raw const a.elements[a.first], &raw const b.elements[b.first]);
    // SAFETY: `inside` has shown that every element of both factors lies in its slice, and `out` holds m * n elements
    // with steps (n, 1) that nothing else refers to while it is borrowed mutably.
    unsafe {
        let (out, columns, steps) = (out.as_mut_ptr(), 1, n as isize);
        let (one, serial) = (T::ONE, Parallelism::None);
        let (ac, ar, bc, br) = (a.column_step, a.row_step, b.column_step, b.row_step);
        gemm::gemm(
            m, n, k, out, columns, steps, false, left, ac, ar, right, bc, br, one, one, false, false, false, serial,
        );
    }
    Ok(())
}

/// Whether every element of a matrix with these sizes, none of them 0, lies in its slice.
fn inside<T>(matrix: &Matrix<'_, T>, rows: usize, columns: usize) -> bool {
    let reach = |size: usize, step: isize| (size as i128 - 1) * step as i128;
    let (down, across) = (reach(rows, matrix.row_step), reach(columns, matrix.column_step));
    let first = matrix.first as i128;
    first + down.min(0) + across.min(0) >= 0 && first + down.max(0) + across.max(0) < matrix.elements.len() as i128
}
