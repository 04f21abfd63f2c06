//! The innermost loops: one tile of the result in registers, one pass over the depth.
//!
//! Each element of a tile is one chain `s = a_k b_k + s` in the order of k, whatever the tile's shape, so the bits of a
//! product depend neither on how it is cut into tiles nor on the width of the registers.

use super::tiles::by_shape;
use crate::backend::cpu::arch::{Kernel, Lanes};
use crate::backend::cpu::element::Float;
use std::hint::black_box;

/// What a tile is computed from.
#[derive(Debug)]
pub(in crate::backend::cpu) struct Tile<T> {
    /// First element of the left factor's rows.
    pub(in crate::backend::cpu) a: *const T,
    /// Distance of its rows.
    pub(in crate::backend::cpu) a_row: isize,
    /// Distance of its columns.
    pub(in crate::backend::cpu) a_column: isize,
    /// First element of the right factor's columns: whole registers of them, whose neighbours in a row lie side by side.
    pub(in crate::backend::cpu) b: *const T,
    /// Distance of its rows.
    pub(in crate::backend::cpu) b_row: isize,
    /// Terms to add.
    pub(in crate::backend::cpu) depth: usize,
    /// First element of the result.
    pub(in crate::backend::cpu) c: *mut T,
    /// Distance of its rows.
    pub(in crate::backend::cpu) c_row: usize,
    /// Columns that exist: more than the registers but the last hold, at most what all hold.
    pub(in crate::backend::cpu) columns: usize,
    /// Whether sums are added to what the result holds.
    pub(in crate::backend::cpu) adds: bool,
    /// What becomes of them, if they are whole.
    pub(in crate::backend::cpu) finish: Option<Finish<T>>,
}

/// What becomes of the sums of a tile once they are whole: addresses that belong to its first element, or null.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend::cpu) struct Finish<T> {
    /// Added to every row.
    pub(in crate::backend::cpu) bias: *const T,
    /// Added element by element, then.
    pub(in crate::backend::cpu) plus: *const T,
    /// What is at most zero becomes zero, then.
    pub(in crate::backend::cpu) relu: bool,
    /// Zero where this is at most zero, then.
    pub(in crate::backend::cpu) gate: *const T,
    /// Multiplied by this element by element, at last.
    pub(in crate::backend::cpu) times: *const T,
    /// Distance of the rows of matrices.
    pub(in crate::backend::cpu) row: usize,
}

impl<T> Finish<T> {
    /// That of the tile which begins at this row and column.
    pub(super) fn at(self, row: usize, column: usize) -> Self {
        let moved = |x: *const T, by: usize| if x.is_null() { x } else { x.wrapping_add(by) };
        let by = row * self.row + column;
        let [plus, gate, times] = [self.plus, self.gate, self.times].map(|x| moved(x, by));
        Self { bias: moved(self.bias, column), plus, gate, times, ..self }
    }

    /// Finish the elements of a tile that are written.
    ///
    /// # Safety
    /// The elements of the tile are valid for writes, and for reads wherever an address is given.
    #[inline(always)]
    unsafe fn tile<L: Lanes<Elem = T>>(&self, l: L, tile: &Tile<T>, rows: usize)
    where
        T: Float,
    {
        for i in 0..rows {
            for j in (0..tile.columns).step_by(L::WIDTH) {
                let (to, count) = (tile.c.wrapping_add(i * tile.c_row + j), tile.columns - j);
                // SAFETY: the caller promises the elements.
                unsafe {
                    let x = self.of(l, load(l, to, count), (i, j), count);
                    if count >= L::WIDTH {
                        l.store_ptr(x, to);
                    } else {
                        l.store_part_ptr(x, to, count);
                    }
                }
            }
        }
    }

    /// The lanes that begin at this row and column of the tile, of which `count` exist.
    ///
    /// # Safety
    /// So many elements are valid for reads wherever an address is given.
    #[inline(always)]
    unsafe fn of<L: Lanes<Elem = T>>(&self, l: L, sum: L::V, (row, column): (usize, usize), count: usize) -> L::V
    where
        T: Float,
    {
        let zero = l.constant(0.0);
        let (mut x, by) = (sum, row * self.row + column);
        // SAFETY: the caller promises the elements.
        unsafe {
            if !self.bias.is_null() {
                x = l.add(x, load(l, self.bias.add(column), count));
            }
            if !self.plus.is_null() {
                x = l.add(x, load(l, self.plus.add(by), count));
            }
            if self.relu {
                x = l.select(l.le(x, zero), zero, x);
            }
            if !self.gate.is_null() {
                x = l.select(l.le(load(l, self.gate.add(by), count), zero), zero, x);
            }
            if !self.times.is_null() {
                x = l.mul(x, load(l, self.times.add(by), count));
            }
        }
        x
    }
}

/// Compute a tile.
///
/// # Safety
/// Every element that the tile names is valid for reads, and those of the result for writes that nothing else sees.
pub(in crate::backend::cpu) type Micro<L, T> = unsafe fn(L, &Tile<T>);

/// Registers across a tile of this height that the instruction set has room for, beside one row of b and one of a.
pub(in crate::backend::cpu) const fn widest<L: Lanes>(height: usize) -> usize {
    let most = (L::REGISTERS - 1) / (height + 1);
    let cap = if height == 1 { 8 } else { 4 };
    if most > cap { cap } else { most }
}

/// The greatest height of a tile.
pub(in crate::backend::cpu) const fn tallest<L: Lanes>() -> usize {
    if L::REGISTERS >= 32 { 14 } else { 6 }
}

/// The function for tiles of this height and width in registers, if there is one.
pub(in crate::backend::cpu) fn micro<L: Lanes>(height: usize, width: usize) -> Option<Micro<L, L::Elem>> {
    by_shape!(enter, height, width)
}

/// Enter the code of the instruction set.
///
/// # Safety
/// As for every `Micro`: the elements that the tile names are valid.
unsafe fn enter<L: Lanes, const M: usize, const N: usize>(l: L, tile: &Tile<L::Elem>) {
    l.vectorize(Sums::<_, M, N>(tile));
}

/// Rows of a tile of one register across that share an address.
const GROUP: usize = 5;

/// The loop over the depth. Run by whoever promises every element that the tile names.
struct Sums<'a, T, const M: usize, const N: usize>(&'a Tile<T>);

impl<T: Float, const M: usize, const N: usize> Kernel<T> for Sums<'_, T, M, N> {
    type Output = ();

    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "adapters of iterators stay calls in builds without link-time optimization"
    )]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let t = self.0;
        // The result's lines arrive while the sums are computed.
        for i in 0..M {
            let row = t.c.wrapping_add(i * t.c_row);
            l.prefetch(row);
            l.prefetch(row.wrapping_add(t.columns - 1));
        }
        let mut c = [[l.constant(0.0); N]; M];
        // Narrow tiles multiply faster than addresses of all rows can be added up one after the other.
        let start = |i: usize| {
            let row = t.a.wrapping_offset(i as isize * t.a_row);
            if N == 1 && M > GROUP { black_box(row) } else { row }
        };
        let (mut a, mut middle, mut last, mut b) = (t.a, start(GROUP), start(2 * GROUP), t.b);
        for _ in 0..t.depth {
            let mut row = [l.constant(0.0); N];
            for j in 0..N {
                // SAFETY: the caller promises a row of whole registers for each term.
                row[j] = unsafe { l.load_ptr(b.add(j * L::WIDTH)) };
            }
            for i in 0..M {
                // SAFETY: the caller promises an element of a for each row and term.
                let x = l.splat(unsafe {
                    match i / GROUP {
                        1 if N == 1 => *middle.offset((i - GROUP) as isize * t.a_row),
                        2.. if N == 1 => *last.offset((i - 2 * GROUP) as isize * t.a_row),
                        _ => *a.offset(i as isize * t.a_row),
                    }
                });
                for j in 0..N {
                    c[i][j] = l.mul_add(x, row[j], c[i][j]);
                }
            }
            a = a.wrapping_offset(t.a_column);
            middle = middle.wrapping_offset(t.a_column);
            last = last.wrapping_offset(t.a_column);
            b = b.wrapping_offset(t.b_row);
        }
        for i in 0..M {
            for j in 0..N {
                let to = t.c.wrapping_add(i * t.c_row + j * L::WIDTH);
                // SAFETY: the caller promises the tile's elements, of which these are `columns - j WIDTH` or all lanes.
                unsafe { write(l, c[i][j], to, t.adds, t.columns - j * L::WIDTH) };
            }
        }
        // A pass of its own: sums that more code names than this do not stay in registers.
        if let Some(finish) = &t.finish {
            // SAFETY: the caller promises the tile's elements and those of `finish`.
            unsafe { finish.tile(l, t, M) };
        }
    }
}

/// Write or add as many lanes as there are columns.
///
/// # Safety
/// `to` is valid for reads and writes of `columns` elements, at most `WIDTH`.
#[inline(always)]
unsafe fn write<L: Lanes>(l: L, sum: L::V, to: *mut L::Elem, adds: bool, columns: usize) {
    // SAFETY: the caller promises the elements.
    unsafe {
        if columns >= L::WIDTH {
            l.store_ptr(if adds { l.add(l.load_ptr(to), sum) } else { sum }, to);
        } else {
            l.store_part_ptr(if adds { l.add(l.load_part_ptr(to, columns), sum) } else { sum }, to, columns);
        }
    }
}

/// As many lanes as there are columns.
///
/// # Safety
/// `from` is valid for reads of `count` elements, or of all lanes.
#[inline(always)]
unsafe fn load<L: Lanes>(l: L, from: *const L::Elem, count: usize) -> L::V {
    // SAFETY: the caller promises the elements.
    unsafe { if count >= L::WIDTH { l.load_ptr(from) } else { l.load_part_ptr(from, count) } }
}

#[cfg(test)]
mod tests {
    use super::super::super::arch::{Isa, Vectored};
    use super::*;

    struct Heights;

    impl<T: Float> Kernel<T> for Heights {
        type Output = ();

        fn run<L: Lanes<Elem = T>>(self, _: L) {
            for height in 1..=tallest::<L>() {
                for width in 1..=widest::<L>(height) {
                    assert!(micro::<L>(height, width).is_some(), "{height} x {width} of {} registers", L::REGISTERS);
                }
            }
        }
    }

    #[test]
    fn every_tile_that_can_be_asked_for_is_there() {
        Isa::all().for_each(|isa| f32::run(isa, Heights));
    }
}
