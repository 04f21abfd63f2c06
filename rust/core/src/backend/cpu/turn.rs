//! Copies of planes with rows and columns exchanged, by square blocks of registers.

use super::arch::{Kernel, Lanes, Vectored, dispatch};
use super::element::Float;

/// `to[i * step + j] = from[j * column + i]` for so many rows i and columns j.
#[derive(Debug)]
pub(super) struct Turn<'a, T> {
    pub(super) from: &'a [T],
    /// Distance of the columns in `from`; its rows lie side by side.
    pub(super) column: usize,
    pub(super) to: &'a mut [T],
    /// Distance of the rows in `to`; its columns lie side by side.
    pub(super) step: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
}

/// Copy with the instructions of this process.
pub(super) fn turn<T: Vectored>(turn: Turn<'_, T>) {
    dispatch(turn);
}

impl<T: Float> Kernel<T> for Turn<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let Self { from, column, to, step, rows, columns } = self;
        let (tall, wide) = (rows / L::WIDTH * L::WIDTH, columns / L::WIDTH * L::WIDTH);
        for i in (0..tall).step_by(L::WIDTH) {
            for j in (0..wide).step_by(L::WIDTH) {
                l.transpose(&from[j * column + i..], column, &mut to[i * step + j..], step);
            }
        }
        for i in 0..rows {
            for j in if i < tall { wide } else { 0 }..columns {
                to[i * step + j] = from[j * column + i];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::arch::Isa;

    #[test]
    fn rows_become_columns_with_every_instruction_set() {
        let from: Vec<f32> = (0..40 * 50).map(|i| i as f32).collect();
        for isa in Isa::all() {
            for (rows, columns) in [(1, 1), (16, 16), (33, 17), (7, 40), (40, 3)] {
                let mut to = vec![-1.0; 40 * 45];
                f32::run(isa, Turn { from: &from, column: 50, to: &mut to, step: 45, rows, columns });
                for (i, row) in to.chunks(45).enumerate() {
                    for (j, &x) in row.iter().enumerate() {
                        let wanted = if i < rows && j < columns { from[j * 50 + i] } else { -1.0 };
                        assert_eq!(x, wanted, "{} at {i}, {j}", isa.name());
                    }
                }
            }
        }
    }
}
