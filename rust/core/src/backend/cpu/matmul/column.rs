//! Products with one column: rows of the left factor lie in memory one after the other, and a register holds a sum of each.
//!
//! A block of rows as long as there are rows of them is turned in the first cache, so that every sum adds its terms in the
//! order in which tiles do, and gets their bits.

use super::matrix::{Matrix, Size};
use crate::backend::cpu::arch::{Kernel, Lanes, Vectored, WIDEST, chosen};
use crate::error::{Error, Result};

/// `out = a x b`, or `out + a x b`, for a single column.
pub(super) fn column<T: Vectored>(
    adds: bool,
    size: Size,
    a: &Matrix<'_, T>,
    b: &Matrix<'_, T>,
    out: &mut [T],
) -> Result<()> {
    let (first, terms) = (a.pointer("matmul", size.rows, size.depth)?, b.pointer("matmul", size.depth, 1)?);
    let out = out.get_mut(..size.rows).filter(|_| size.columns == 1 && a.column_step == 1);
    let out = out.ok_or_else(|| Error::bug("matmul", "a column of another shape"))?;
    T::run(chosen(), Column { adds, size, first: (first, terms), steps: (a.row_step, b.row_step), out });
    Ok(())
}

/// The sums, a register of them at a time.
struct Column<'a, T> {
    adds: bool,
    size: Size,
    /// The left factor, whose rows have no gaps, and the column.
    first: (*const T, *const T),
    /// Distances of the rows of both.
    steps: (isize, isize),
    out: &'a mut [T],
}

impl<T: Vectored> Kernel<T> for Column<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let Self { adds, size, first: (a, b), steps: (a_row, b_row), out } = self;
        let zero = T::round_from(0.0);
        let (mut turned, mut rest) = ([zero; WIDEST * WIDEST], [zero; WIDEST * WIDEST]);
        let block = size.terms();
        for row in (0..size.rows).step_by(L::WIDTH) {
            let rows = L::WIDTH.min(size.rows - row);
            let from = a.wrapping_offset(row as isize * a_row);
            let mut sum = l.load_part(&out[row..row + rows]);
            // Sums of no terms are written as others are.
            for term in (0..size.depth.max(1)).step_by(block) {
                let end = size.depth.min(term + block);
                let mut part = l.constant(0.0);
                for k in (term..end).step_by(L::WIDTH) {
                    let count = L::WIDTH.min(end - k);
                    let from = from.wrapping_add(k);
                    if rows == L::WIDTH && count == L::WIDTH {
                        // SAFETY: so many rows of so many elements lie inside the left factor, and `turned` has room.
                        unsafe { l.transpose_ptr(from, a_row, turned.as_mut_ptr(), L::WIDTH as isize) };
                    } else {
                        for i in 0..rows {
                            for j in 0..count {
                                let at = from.wrapping_offset(i as isize * a_row + j as isize);
                                // SAFETY: row and term lie inside the left factor.
                                rest[i * L::WIDTH + j] = unsafe { *at };
                            }
                        }
                        l.transpose(&rest, L::WIDTH, &mut turned, L::WIDTH);
                    }
                    for j in 0..count {
                        // SAFETY: the term lies inside the column.
                        let factor = l.splat(unsafe { *b.wrapping_offset((k + j) as isize * b_row) });
                        part = l.mul_add(l.load(&turned[j * L::WIDTH..]), factor, part);
                    }
                }
                sum = if adds || term > 0 { l.add(sum, part) } else { part };
            }
            l.store_part(sum, &mut out[row..row + rows]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::arch::Isa;

    #[test]
    fn a_column_of_any_length_is_its_sums() {
        for isa in Isa::all() {
            for (rows, depth) in [(1, 1), (3, 0), (5, 40), (8, 8), (16, 16), (17, 33), (40, 600), (100, 257)] {
                for adds in [false, true] {
                    // Numbers are eighths, and every product and sum is exact.
                    let number = |i: usize| ((i * 7 + 3) % 31) as f32 * 0.125 - 1.75;
                    let a: Vec<f32> = (0..rows * (depth + 3)).map(number).collect();
                    let b: Vec<f32> = (0..=2 * depth).map(|i| number(i + 5)).collect();
                    let mut got = vec![2.5; rows + 1];
                    let size = Size { rows, columns: 1, depth };
                    let (first, steps) = ((a.as_ptr(), b.as_ptr()), ((depth + 3) as isize, 2));
                    f32::run(isa, Column { adds, size, first, steps, out: &mut got[..rows] });
                    for (i, &got) in got[..rows].iter().enumerate() {
                        let sum: f32 = (0..depth).map(|k| a[i * (depth + 3) + k] * b[2 * k]).sum();
                        let wanted = if adds { 2.5 + sum } else { sum };
                        assert_eq!(got, wanted, "row {i} of {rows} x {depth} with {}", isa.name());
                    }
                    assert_eq!(got[rows], 2.5);
                }
            }
        }
    }
}
