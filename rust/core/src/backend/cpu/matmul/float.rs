//! Products of float matrices, by the kernels of the gemm crate; those of a vector by `vector.rs`.
//!
//! The gemm crate adds in an order of its own for small results whose factors both run along the sums, for vectors, and
//! for factors that run along the sums backwards. Those go another way or are copied first, so that the bits of a
//! product are a function of shapes and values and never of strides.

use super::vector::{self, Line};
use super::{Matrix, Size};
use crate::error::{Error, Result};
use gemm::Parallelism;
use std::ops::{Add, Mul};

/// A float type that the gemm crate multiplies.
pub(super) trait Real: Copy + Add<Output = Self> + Mul<Output = Self> + 'static {
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

/// Elements of the result up to which the gemm crate may compute dot products.
const SMALL: usize = 16 * 16;

/// `out = a x b`, row-major.
pub(super) fn product<T: Real>(size: Size, a: Matrix<'_, T>, b: Matrix<'_, T>, out: &mut [T]) -> Result<()> {
    let Size { rows: m, columns: n, depth: k } = size;
    if m == 1 {
        let x = Line { elements: a.elements, first: a.first, step: a.column_step };
        vector::product(k, x, b, out);
        return Ok(());
    }
    if n == 1 {
        let x = Line { elements: b.elements, first: b.first, step: b.row_step };
        vector::product(k, x, a.transposed(), out);
        return Ok(());
    }
    let copied = |elements, columns: usize| Matrix { elements, first: 0, row_step: columns as isize, column_step: 1 };
    let left = (a.column_step < 0).then(|| a.row_major(m, k));
    let a = left.as_deref().map_or(a, |elements| copied(elements, k));
    let dots = m * n <= SMALL && a.column_step == 1 && b.row_step == 1;
    let right = (b.row_step < 0 || dots).then(|| b.row_major(k, n));
    let b = right.as_deref().map_or(b, |elements| copied(elements, n));
    general(size, a, b, out)
}

fn general<T: Real>(size: Size, a: Matrix<'_, T>, b: Matrix<'_, T>, out: &mut [T]) -> Result<()> {
    let Size { rows: m, columns: n, depth: k } = size;
    if m == 0 || n == 0 || k == 0 {
        out.fill(T::ZERO);
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
