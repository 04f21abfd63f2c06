//! Products of integer matrices, modulo 2^64: plain loops, rows of the right factor in the innermost one.

use super::{Matrix, Size};
use crate::error::Result;

/// Arithmetic modulo 2^64.
pub(super) trait Wrapping: Copy {
    /// `self + a * b`.
    fn plus_product(self, a: Self, b: Self) -> Self;
    /// The neutral element of addition.
    const ZERO: Self;
}

impl Wrapping for i64 {
    fn plus_product(self, a: Self, b: Self) -> Self {
        self.wrapping_add(a.wrapping_mul(b))
    }
    const ZERO: Self = 0;
}

impl Wrapping for u64 {
    fn plus_product(self, a: Self, b: Self) -> Self {
        self.wrapping_add(a.wrapping_mul(b))
    }
    const ZERO: Self = 0;
}

/// `out = a x b`, row-major.
#[expect(clippy::unnecessary_wraps, reason = "the twin for floats can fail")]
pub(super) fn product<T: Wrapping>(size: Size, a: Matrix<'_, T>, b: Matrix<'_, T>, out: &mut [T]) -> Result<()> {
    out.fill(T::ZERO);
    for (i, row) in out.chunks_exact_mut(size.columns.max(1)).enumerate() {
        for k in 0..size.depth {
            let left = a.at(i, k);
            row.iter_mut().enumerate().for_each(|(j, sum)| *sum = sum.plus_product(left, b.at(k, j)));
        }
    }
    Ok(())
}
