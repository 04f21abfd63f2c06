//! What transforms make of places, and of sums.

#![allow(unsafe_code, reason = "registers are read and written by address")]

use super::ENTRIES;
use super::image::Image;
use crate::backend::cpu::arch::Lanes;
use crate::backend::cpu::element::Float;

/// The entries of tiles: entry after entry `pitch` apart.
#[derive(Debug)]
pub(super) struct Entries<'a, T> {
    pub(super) memory: &'a mut [T],
    pub(super) pitch: usize,
}

/// A register of each tile of some rows: where the first one lies in an entry, and the distance of tiles.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) first: usize,
    pub(super) step: usize,
    /// Rows of tiles, and tiles of a row.
    pub(super) rows: usize,
    pub(super) across: usize,
}

impl Column {
    /// Where the register of a tile lies.
    #[inline(always)]
    fn tile(self, row: usize, tile: usize) -> usize {
        self.first + (row * self.across + tile) * self.step
    }
}

impl<T: Float> Entries<'_, T> {
    /// Whether registers of the tiles lie in memory.
    fn has(&self, column: Column, lanes: usize) -> bool {
        let last = column.tile(column.rows, 0).saturating_sub(column.step);
        (ENTRIES - 1) * self.pitch + last + lanes <= self.memory.len()
    }

    /// Registers of a row of entries.
    ///
    /// # Safety
    /// They lie in memory.
    #[inline(always)]
    unsafe fn write<L: Lanes<Elem = T>>(&mut self, l: L, row: usize, at: usize, entries: [L::V; 4]) {
        for (j, &entry) in entries.iter().enumerate() {
            // SAFETY: the caller promises it.
            unsafe { l.store_ptr(entry, self.memory.as_mut_ptr().add((4 * row + j) * self.pitch + at)) };
        }
    }
}

/// `B^T d B` of tiles, of two rows of places for each row of them and two more.
#[inline(always)]
pub(super) fn inputs<L: Lanes>(l: L, from: &Image<'_, L::Elem>, column: Column, to: &mut Entries<'_, L::Elem>) {
    assert!(from.holds([2 * column.rows + 2, 2 * column.across + 2], L::WIDTH) && to.has(column, L::WIDTH));
    for row in 0..column.rows {
        // SAFETY: the image holds two rows for each row of tiles and two more, and has two columns for each tile and two more.
        // Registers of every tile lie in memory, as was checked above.
        unsafe {
            let (mut a, mut b) = (seen(l, from, 2 * row, 0), seen(l, from, 2 * row, 1));
            for tile in 0..column.across {
                let (c, d) = (seen(l, from, 2 * row, 2 * tile + 2), seen(l, from, 2 * row, 2 * tile + 3));
                for i in 0..4 {
                    let entries = [l.sub(a[i], c[i]), l.add(b[i], c[i]), l.sub(c[i], b[i]), l.sub(d[i], b[i])];
                    to.write(l, i, column.tile(row, tile), entries);
                }
                (a, b) = (c, d);
            }
        }
    }
}

/// `B^T d` of a column.
///
/// # Safety
/// The image holds four rows, and has the column.
#[inline(always)]
unsafe fn seen<L: Lanes>(l: L, from: &Image<'_, L::Elem>, row: usize, x: usize) -> [L::V; 4] {
    let mut places = [l.constant(0.0); 4];
    for (y, place) in places.iter_mut().enumerate() {
        // SAFETY: the caller promises the places.
        *place = unsafe { from.place(l, row + y, x) };
    }
    let [a, b, c, d] = places;
    [l.sub(a, c), l.add(b, c), l.sub(c, b), l.sub(d, b)]
}

/// `A e A^T` of tiles, of two rows of places for each row of them.
#[inline(always)]
pub(super) fn slopes<L: Lanes>(l: L, from: &Image<'_, L::Elem>, column: Column, to: &mut Entries<'_, L::Elem>) {
    assert!(from.holds([2 * column.rows, 2 * column.across], L::WIDTH) && to.has(column, L::WIDTH));
    for row in 0..column.rows {
        for tile in 0..column.across {
            // SAFETY: the image holds two rows for each row of tiles, and has two columns for each tile. Registers of every
            // tile lie in memory, as was checked above.
            unsafe {
                let (a, b) = (met(l, from, 2 * row, 2 * tile), met(l, from, 2 * row, 2 * tile + 1));
                for i in 0..4 {
                    let entries = [a[i], l.add(a[i], b[i]), l.sub(a[i], b[i]), b[i]];
                    to.write(l, i, column.tile(row, tile), entries);
                }
            }
        }
    }
}

/// `A e` of a column.
///
/// # Safety
/// The image holds two rows, and has the column.
#[inline(always)]
unsafe fn met<L: Lanes>(l: L, from: &Image<'_, L::Elem>, row: usize, x: usize) -> [L::V; 4] {
    // SAFETY: the caller promises the places.
    let (a, b) = unsafe { (from.place(l, row, x), from.place(l, row + 1, x)) };
    [a, l.add(a, b), l.sub(a, b), b]
}

/// `A^T m A` of tiles, to two rows of places for each row of them.
#[inline(always)]
pub(super) fn sums<L: Lanes>(l: L, from: &Entries<'_, L::Elem>, column: Column, to: &mut Image<'_, L::Elem>) {
    assert!(to.holds([2 * column.rows, 0], L::WIDTH) && from.has(column, L::WIDTH));
    for row in 0..column.rows {
        for tile in 0..column.across {
            let at = column.tile(row, tile);
            let (mut upper, mut lower) = ([l.constant(0.0); 4], [l.constant(0.0); 4]);
            for j in 0..4 {
                let mut entries = [l.constant(0.0); 4];
                for (i, entry) in entries.iter_mut().enumerate() {
                    // SAFETY: registers of every tile lie in memory, as was checked above.
                    *entry = unsafe { l.load_ptr(from.memory.as_ptr().add((4 * i + j) * from.pitch + at)) };
                }
                (upper[j], lower[j]) = pair(l, entries);
            }
            for (below, entries) in [upper, lower].into_iter().enumerate() {
                let (even, odd) = pair(l, entries);
                // SAFETY: the image holds two rows for each row of tiles.
                unsafe {
                    to.set(l, 2 * row + below, 2 * tile, even);
                    to.set(l, 2 * row + below, 2 * tile + 1, odd);
                }
            }
        }
    }
}

/// `A^T m` of a column.
#[inline(always)]
fn pair<L: Lanes>(l: L, [a, b, c, d]: [L::V; 4]) -> (L::V, L::V) {
    (l.add(l.add(a, b), c), l.add(l.sub(b, c), d))
}
