//! How rows are split into tiles, and which tiles there are.

use super::micro::widest;
use crate::backend::cpu::arch::Lanes;

/// Stamp the choice of a tile by its height and width, for lanes `L`; shapes that spill are not compiled.
///
/// An arm expands to `(1, 1) if const { ... } => Some($enter::<L, 1, 1>),`.
macro_rules! by_shape {
    ($enter:ident, $height:expr, $width:expr; $($m:literal: $($n:literal)+;)+) => {
        match ($height, $width) {
            $($(($m, $n) if const { $m <= tallest::<L>() && $n <= widest::<L>($m) } => Some($enter::<L, $m, $n>),)+)+
            _ => None,
        }
    };
    ($enter:ident, $height:expr, $width:expr) => {
        by_shape! {
            $enter, $height, $width;
            1: 1 2 3 4 5 6 7 8; 2: 1 2 3 4; 3: 1 2 3 4; 4: 1 2 3 4; 5: 1 2 3 4; 6: 1 2 3 4; 7: 1 2 3; 8: 1 2 3;
            9: 1 2 3; 10: 1 2; 11: 1 2; 12: 1 2; 13: 1 2; 14: 1 2;
        }
    };
}

pub(in crate::backend::cpu) use by_shape;

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
