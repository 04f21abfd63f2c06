//! How rows are split into tiles.

use super::micro::widest;
use crate::backend::cpu::arch::Lanes;

/// Rows in tiles whose heights differ by at most one.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend::cpu) struct Tiles {
    /// How many.
    pub(in crate::backend::cpu) count: usize,
    height: usize,
    taller: usize,
}

impl Tiles {
    /// Tiles at most so tall.
    pub(in crate::backend::cpu) fn new(rows: usize, tallest: usize) -> Self {
        let count = rows.div_ceil(tallest);
        let height = rows.checked_div(count).unwrap_or(0);
        Self { count, height, taller: rows - count * height }
    }

    /// First row and height of one.
    pub(in crate::backend::cpu) fn tile(self, i: usize) -> (usize, usize) {
        (i * self.height + i.min(self.taller), self.height + usize::from(i < self.taller))
    }

    /// Registers across that fit beside the tallest.
    pub(in crate::backend::cpu) fn width<L: Lanes>(self) -> usize {
        widest::<L>(self.height + usize::from(self.taller > 0))
    }
}
