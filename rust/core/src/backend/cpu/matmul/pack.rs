//! Copies of blocks of a factor into panels: `width` columns of every row side by side, for the innermost loops.

use crate::backend::cpu::arch::{Kernel, Lanes};
use crate::backend::cpu::element::Float;

/// Panels that are filled at once.
pub(in crate::backend::cpu) const TOGETHER: usize = 4;

/// Rows ahead of the copied one whose lines are fetched.
const SOON: isize = 8;

/// Elements ahead of a square whose lines are fetched: its columns are more pieces of memory than the machine follows by itself.
const FAR: usize = 64;

/// A block to copy: `to[p, i, j] = from[i, p width + j]`, where the last panel may have fewer columns.
#[derive(Debug)]
pub(super) struct Pack<T> {
    /// First element of the block.
    pub(super) from: *const T,
    /// Distance of its rows.
    pub(super) row_step: isize,
    /// Distance of its columns.
    pub(super) column_step: isize,
    /// Its rows.
    pub(super) rows: usize,
    /// Its columns.
    pub(super) columns: usize,
    /// First element of the panels.
    pub(super) to: *mut T,
    /// Columns of a panel.
    pub(super) width: usize,
}

/// Run by whoever promises that the block and the panels are there.
impl<T: Float> Kernel<T> for &Pack<T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let mut whole = 0;
        if self.column_step == 1 && self.width.is_multiple_of(L::WIDTH) {
            whole = self.columns / (TOGETHER * self.width) * TOGETHER;
            for panel in (0..whole).step_by(TOGETHER) {
                // SAFETY: only the product packs, and it has checked that its factors and its scratch hold the block.
                unsafe { self.together(l, panel) };
            }
        }
        for (panel, column) in (0..self.columns).step_by(self.width).enumerate().skip(whole) {
            let columns = self.width.min(self.columns - column);
            let from = self.from.wrapping_offset(column as isize * self.column_step);
            let to = self.to.wrapping_add(panel * self.rows * self.width);
            // SAFETY: only the product packs, and it has checked that its factors and its scratch hold the block.
            unsafe {
                if self.column_step == 1 {
                    self.copy(l, from, to, columns);
                } else if self.row_step == 1 {
                    self.turn(l, from, to, columns);
                } else {
                    self.plain(from, to, 0..self.rows, 0..columns);
                }
            }
        }
    }
}

impl<T: Float> Pack<T> {
    /// One element after the other.
    ///
    /// # Safety
    /// The rows and columns are valid on both sides.
    #[inline(always)]
    unsafe fn plain(&self, from: *const T, to: *mut T, rows: std::ops::Range<usize>, columns: std::ops::Range<usize>) {
        for i in rows {
            for j in columns.clone() {
                let place = i as isize * self.row_step + j as isize * self.column_step;
                // SAFETY: the caller promises both elements.
                unsafe { *to.add(i * self.width + j) = *from.offset(place) };
            }
        }
    }

    /// The panels from this one on, row by row: so a row's lines are read one after the other.
    ///
    /// # Safety
    /// The rows and columns of `TOGETHER` panels are valid on both sides; a panel is whole registers wide.
    #[inline(always)]
    unsafe fn together<L: Lanes<Elem = T>>(&self, l: L, panel: usize) {
        for i in 0..self.rows {
            let from = self.from.wrapping_offset(i as isize * self.row_step).wrapping_add(panel * self.width);
            for line in (0..TOGETHER * self.width).step_by(64 / size_of::<T>()) {
                l.prefetch(from.wrapping_offset(SOON * self.row_step).wrapping_add(line));
            }
            for k in 0..TOGETHER {
                let to = self.to.wrapping_add(((panel + k) * self.rows + i) * self.width);
                for j in (0..self.width).step_by(L::WIDTH) {
                    // SAFETY: the caller promises the rows.
                    unsafe { l.store_ptr(l.load_ptr(from.wrapping_add(k * self.width + j)), to.wrapping_add(j)) };
                }
            }
        }
    }

    /// Rows that lie side by side.
    ///
    /// # Safety
    /// The rows and columns are valid on both sides.
    #[inline(always)]
    unsafe fn copy<L: Lanes<Elem = T>>(&self, l: L, from: *const T, to: *mut T, columns: usize) {
        let whole = columns / L::WIDTH * L::WIDTH;
        for i in 0..self.rows {
            // SAFETY: the caller promises the rows; `whole` columns are whole registers.
            unsafe {
                let (from, to) = (from.offset(i as isize * self.row_step), to.add(i * self.width));
                for j in (0..whole).step_by(L::WIDTH) {
                    l.store_ptr(l.load_ptr(from.add(j)), to.add(j));
                }
                for j in whole..columns {
                    *to.add(j) = *from.add(j);
                }
            }
        }
    }

    /// Columns that lie side by side, by square blocks of registers.
    ///
    /// # Safety
    /// The rows and columns are valid on both sides.
    #[inline(always)]
    unsafe fn turn<L: Lanes<Elem = T>>(&self, l: L, from: *const T, to: *mut T, columns: usize) {
        let (rows, whole) = (self.rows / L::WIDTH * L::WIDTH, columns / L::WIDTH * L::WIDTH);
        // All columns of some rows first: a line of the panel is written at once.
        for i in (0..rows).step_by(L::WIDTH) {
            for j in (0..whole).step_by(L::WIDTH) {
                // SAFETY: the square lies in the rows and columns that the caller promises.
                unsafe {
                    let from = from.offset(j as isize * self.column_step + i as isize);
                    for column in 0..L::WIDTH as isize {
                        l.prefetch(from.wrapping_offset(column * self.column_step).wrapping_add(FAR));
                    }
                    l.transpose_ptr(from, self.column_step, to.add(i * self.width + j), self.width as isize);
                }
            }
        }
        // SAFETY: as the caller promises.
        unsafe {
            self.plain(from, to, rows..self.rows, 0..columns);
            self.plain(from, to, 0..rows, whole..columns);
        }
    }
}

/// Rows of a left factor that lie side by side for each term, copied into a strip for each of some tiles: term by term, so that
/// a line that several tiles share is read once.
#[derive(Debug)]
pub(super) struct Strips<'a, T> {
    /// First term of the first tile's rows.
    pub(super) from: *const T,
    /// Distance of terms.
    pub(super) step: isize,
    /// Terms to copy.
    pub(super) terms: usize,
    /// Rows of each tile: the first of them, and as many as are read.
    pub(super) tiles: &'a [(usize, usize)],
    /// First element of the strips.
    pub(super) to: *mut T,
    /// Distance of strips.
    pub(super) strip: usize,
    /// Distance of terms in a strip.
    pub(super) width: usize,
}

/// Run by whoever promises that the rows and the strips are there.
impl<T: Float> Kernel<T> for &Strips<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let end = self.tiles.last().map_or(0, |&(row, rows)| row + rows);
        for term in 0..self.terms {
            let from = self.from.wrapping_offset(term as isize * self.step);
            let soon = from.wrapping_offset(SOON * self.step);
            for line in (0..end).step_by(64 / size_of::<T>()) {
                l.prefetch(soon.wrapping_add(line));
            }
            let mut to = self.to.wrapping_add(term * self.width);
            for &(row, rows) in self.tiles {
                let from = from.wrapping_add(row);
                for i in (0..rows).step_by(L::WIDTH) {
                    let (from, to) = (from.wrapping_add(i), to.wrapping_add(i));
                    // SAFETY: only the product packs, and it has checked that its factor and its scratch hold the rows.
                    unsafe {
                        if i + L::WIDTH <= rows {
                            l.store_ptr(l.load_ptr(from), to);
                        } else {
                            l.store_part_ptr(l.load_part_ptr(from, rows - i), to, rows - i);
                        }
                    }
                }
                to = to.wrapping_add(self.strip);
            }
        }
    }
}
