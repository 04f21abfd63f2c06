//! For each entry a product of matrices.

#![allow(unsafe_code, reason = "tiles are read and written by address")]

use super::ENTRIES;
use super::transform::Entries;
use crate::backend::cpu::arch::Lanes;
use crate::backend::cpu::element::Float;
use crate::backend::cpu::matmul::{Tile, Tiles, micro, tallest, widest};
use crate::error::{Error, Result};

/// How registers of a right factor lie: panel after panel, in each term after term, in each its registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panels {
    tiles: Tiles,
    registers: usize,
    /// Terms that there is room for.
    terms: usize,
}

impl Panels {
    pub(super) fn new<L: Lanes>(columns: usize, terms: usize) -> Self {
        let registers = columns.div_ceil(L::WIDTH);
        Self { tiles: Tiles::new(registers, widest::<L>(tallest::<L>())), registers, terms }
    }

    /// First register of each panel, and their number.
    fn each(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.tiles.count).map(move |i| self.tiles.tile(i))
    }

    /// First column of each register, where its first term lies, and the distance of terms.
    pub(super) fn registers<L: Lanes>(self) -> impl Iterator<Item = (usize, usize, usize)> {
        self.each().flat_map(move |(first, width)| {
            let at = move |i| first * self.terms + i;
            (0..width).map(move |i| ((first + i) * L::WIDTH, at(i) * L::WIDTH, width * L::WIDTH))
        })
    }
}

/// `sums[i, j] = sum over k of left[i, k] right[k, j]`, j in whole registers.
#[derive(Debug)]
pub(super) struct Product<'a, 'b, T> {
    pub(super) left: &'a Entries<'b, T>,
    /// Distances of rows and of terms.
    pub(super) steps: [usize; 2],
    pub(super) right: &'a Entries<'b, T>,
    pub(super) panels: Panels,
    pub(super) sums: &'a mut Entries<'b, T>,
    /// Distance of the rows of sums.
    pub(super) row: usize,
    pub(super) rows: usize,
    pub(super) terms: usize,
    /// Whether sums are added to what there is.
    pub(super) adds: bool,
}

impl<T: Float> Product<'_, '_, T> {
    #[inline(always)]
    pub(super) fn run<L: Lanes<Elem = T>>(self, l: L) -> Result<()> {
        let [row, term] = self.steps;
        let columns = self.panels.registers * L::WIDTH;
        let last = self.rows.saturating_sub(1);
        let left = last * row + self.terms.saturating_sub(1) * term < self.left.pitch;
        let right = self.terms <= self.panels.terms && self.panels.terms * columns <= self.right.pitch;
        if !left || !right || columns > self.row || last * self.row + columns > self.sums.pitch {
            return Err(Error::bug("conv", "a product outside its memory"));
        }
        let tiles = Tiles::new(self.rows, tallest::<L>());
        for entry in 0..ENTRIES {
            let [left, right] = [self.left, self.right].map(|x| x.memory[entry * x.pitch..][..x.pitch].as_ptr());
            let sums = self.sums.memory[entry * self.sums.pitch..][..self.sums.pitch].as_mut_ptr();
            for (register, width) in self.panels.each() {
                for (first, height) in (0..tiles.count).map(|i| tiles.tile(i)) {
                    let Some(micro) = micro::<L>(height, width) else {
                        return Err(Error::bug("conv", "no tile of this size"));
                    };
                    let tile = Tile {
                        a: left.wrapping_add(first * row),
                        a_row: row as isize,
                        a_column: term as isize,
                        b: right.wrapping_add(register * self.panels.terms * L::WIDTH),
                        b_row: (width * L::WIDTH) as isize,
                        depth: self.terms,
                        c: sums.wrapping_add(first * self.row + register * L::WIDTH),
                        c_row: self.row,
                        columns: width * L::WIDTH,
                        adds: self.adds,
                        finish: None,
                    };
                    // SAFETY: each entry has the terms of all rows and panels, and whole registers of sums for all rows, as
                    // was checked above.
                    unsafe { micro(l, &tile) };
                }
            }
        }
        Ok(())
    }
}
