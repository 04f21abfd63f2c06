//! How rows are split into tiles.

#[cfg(test)]
use super::micro::tallest;
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

/// Heights and widths in registers of every tile that can be asked for.
#[cfg(test)]
pub(in crate::backend::cpu) fn shapes<L: Lanes>() -> impl Iterator<Item = (usize, usize)> {
    (1..=tallest::<L>()).flat_map(|height| (1..=widest::<L>(height)).map(move |width| (height, width)))
}
