//! What is read next of a left factor, brought near while the tiles before it are computed.
//!
//! A group's rows of one block of the depth are short pieces of memory, a row of the factor apart: too short for the
//! machine to notice a pattern by itself, so packing them would wait for almost every line.

use super::Matrix;
use crate::backend::cpu::arch::Lanes;
use std::ops::Range;

/// Bytes of a line of the caches.
pub(super) const LINE: usize = 64;

/// Pieces of memory that lie `step` elements apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ahead<T> {
    first: *const T,
    pieces: usize,
    step: isize,
    /// Lines of a piece, about.
    lines: usize,
}

impl<T> Ahead<T> {
    /// Some rows and columns of a matrix whose first element lies at `first`, if rows or columns are pieces of memory.
    pub(super) fn of(first: *const T, x: &Matrix<'_, T>, rows: Range<usize>, columns: Range<usize>) -> Option<Self> {
        let place = rows.start as isize * x.row_step + columns.start as isize * x.column_step;
        let (pieces, step, length) = match (x.row_step, x.column_step) {
            (_, 1) => (rows.len(), x.row_step, columns.len()),
            (1, _) => (columns.len(), x.column_step, rows.len()),
            _ => return None,
        };
        let lines = (length * size_of::<T>()).div_ceil(LINE);
        Some(Self { first: first.wrapping_offset(place), pieces, step, lines })
    }

    /// Whether there is nothing to fetch.
    pub(super) fn is_empty(&self) -> bool {
        self.pieces * self.lines == 0
    }

    /// Fetch one share of so many.
    #[inline(always)]
    pub(super) fn fetch<L: Lanes<Elem = T>>(&self, l: L, share: usize, shares: usize) {
        let all = self.pieces * self.lines;
        let (start, end) = (all * share / shares, all * (share + 1) / shares);
        let (mut piece, mut line) = (start / self.lines.max(1), start % self.lines.max(1));
        for _ in start..end {
            let from = self.first.wrapping_offset(piece as isize * self.step);
            l.prefetch_second(from.wrapping_add(line * (LINE / size_of::<T>())));
            line += 1;
            if line == self.lines {
                (piece, line) = (piece + 1, 0);
            }
        }
    }
}
