//! The innermost loops of convolutions: tiles in registers, as those of matrix products, whose factors lie at listed places.
//!
//! Each element of a tile is one chain `s = a b + s` in the order of the terms, so tiles, cuts and registers change no bit.

#![allow(unsafe_code, reason = "tiles are read and written by address")]

use super::super::arch::{Kernel, Lanes};
use super::super::element::Float;
use super::super::matmul::{by_shape, tallest, widest};

/// A tile whose terms have each a place in the right factor: rows of weights with runs of an image.
#[derive(Debug)]
pub(super) struct Runs<T> {
    /// The left factor: for each term as many neighbours as the tile has rows.
    pub(super) a: *const T,
    /// Whole registers of the right factor lie here for each term.
    pub(super) b: *const T,
    pub(super) terms: *const usize,
    pub(super) depth: usize,
    /// The result: whole registers in rows.
    pub(super) c: *mut T,
    pub(super) c_row: usize,
    /// Whether sums are added to what the result holds.
    pub(super) adds: bool,
}

/// A tile whose rows and registers have each a place, and whose terms are runs that begin at listed places.
#[derive(Debug)]
pub(super) struct Shifts<T> {
    /// The left factor: where its rows begin, where its runs begin, and the step along a run.
    pub(super) a: *const T,
    pub(super) a_rows: *const isize,
    pub(super) a_runs: *const isize,
    pub(super) a_step: isize,
    /// The right factor: where its registers begin, where its runs begin, and the step along a run.
    pub(super) b: *const T,
    pub(super) b_columns: *const usize,
    pub(super) b_runs: *const usize,
    pub(super) b_step: usize,
    /// Number of runs, and their length.
    pub(super) runs: usize,
    pub(super) length: usize,
    /// The result, which sums are added to: where its rows and its registers begin.
    pub(super) c: *mut T,
    pub(super) c_rows: *const usize,
    pub(super) c_columns: *const usize,
}

/// A tile whose rows and columns are runs of whole registers, and whose sums are kept lane by lane.
#[derive(Debug)]
pub(super) struct Planes<T> {
    /// Runs of the left factor, one channel after the other.
    pub(super) a: *const T,
    pub(super) a_row: usize,
    pub(super) b: *const T,
    pub(super) b_channel: usize,
    pub(super) b_columns: *const usize,
    pub(super) channels: usize,
    /// Elements of a run: whole registers.
    pub(super) run: usize,
    /// The result, which sums are added to.
    pub(super) c: *mut T,
    pub(super) c_row: usize,
    /// In registers.
    pub(super) c_columns: *const usize,
}

/// Compute a tile.
///
/// # Safety
/// Every element that the tile names is valid for reads, and those of the result for writes that nothing else sees.
pub(super) type Micro<L, X> = unsafe fn(L, &X);

/// The function for tiles of runs of this height and width in registers, if there is one.
pub(super) fn runs<L: Lanes>(height: usize, width: usize) -> Option<Micro<L, Runs<L::Elem>>> {
    by_shape!(enter_runs, height, width)
}

/// The same for tiles of shifts.
pub(super) fn shifts<L: Lanes>(height: usize, width: usize) -> Option<Micro<L, Shifts<L::Elem>>> {
    by_shape!(enter_shifts, height, width)
}

/// Rows of a tile of planes at most.
pub(super) const ROWS: usize = 8;

/// Height and width of the largest tiles of planes: no wider than a row of a common kernel has shifts.
pub(super) const fn largest_planes<L: Lanes>() -> (usize, usize) {
    let height = if L::REGISTERS >= 32 { ROWS } else { 6 };
    let width = widest::<L>(height);
    (height, if width < 3 { width } else { 3 })
}

/// The same for tiles of planes, which are no wider than three registers.
pub(super) fn planes<L: Lanes>(height: usize, width: usize) -> Option<Micro<L, Planes<L::Elem>>> {
    by_shape!(
        enter_planes, height, width;
        1: 1 2 3; 2: 1 2 3; 3: 1 2 3; 4: 1 2 3; 5: 1 2 3; 6: 1 2 3; 7: 1 2 3; 8: 1 2 3;
    )
}

/// Enter the code of the instruction set.
///
/// # Safety
/// As for every `Micro`: the elements that the tile names are valid.
unsafe fn enter_runs<L: Lanes, const M: usize, const N: usize>(l: L, tile: &Runs<L::Elem>) {
    l.vectorize(RunSums::<_, M, N>(tile));
}

/// Enter the code of the instruction set.
///
/// # Safety
/// As for every `Micro`: the elements that the tile names are valid.
unsafe fn enter_shifts<L: Lanes, const M: usize, const N: usize>(l: L, tile: &Shifts<L::Elem>) {
    l.vectorize(ShiftSums::<_, M, N>(tile));
}

/// Enter the code of the instruction set.
///
/// # Safety
/// As for every `Micro`: the elements that the tile names are valid.
unsafe fn enter_planes<L: Lanes, const M: usize, const N: usize>(l: L, tile: &Planes<L::Elem>) {
    l.vectorize(PlaneSums::<_, M, N>(tile));
}

/// Run by whoever promises every element that the tile names.
struct RunSums<'a, T, const M: usize, const N: usize>(&'a Runs<T>);

impl<T: Float, const M: usize, const N: usize> Kernel<T> for RunSums<'_, T, M, N> {
    type Output = ();

    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "adapters of iterators stay calls where nothing is optimized across crates"
    )]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let t = self.0;
        let mut c = [[l.constant(0.0); N]; M];
        for k in 0..t.depth {
            // SAFETY: the caller promises the place of each term, and whole registers there.
            let b = unsafe { t.b.add(*t.terms.add(k)) };
            let mut row = [l.constant(0.0); N];
            for j in 0..N {
                // SAFETY: as above.
                row[j] = unsafe { l.load_ptr(b.add(j * L::WIDTH)) };
            }
            for i in 0..M {
                // SAFETY: the caller promises an element of a for each row and term.
                let x = l.splat(unsafe { *t.a.add(k * M + i) });
                for j in 0..N {
                    c[i][j] = l.mul_add(x, row[j], c[i][j]);
                }
            }
        }
        for i in 0..M {
            for j in 0..N {
                // SAFETY: the caller promises whole registers of the result.
                unsafe {
                    let to = t.c.add(i * t.c_row + j * L::WIDTH);
                    l.store_ptr(if t.adds { l.add(l.load_ptr(to), c[i][j]) } else { c[i][j] }, to);
                }
            }
        }
    }
}

/// Run by whoever promises every element that the tile names.
struct ShiftSums<'a, T, const M: usize, const N: usize>(&'a Shifts<T>);

impl<T: Float, const M: usize, const N: usize> Kernel<T> for ShiftSums<'_, T, M, N> {
    type Output = ();

    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "adapters of iterators stay calls where nothing is optimized across crates"
    )]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let t = self.0;
        let mut c = [[l.constant(0.0); N]; M];
        for run in 0..t.runs {
            let (mut a, mut b) = ([t.a; M], [t.b; N]);
            // SAFETY: the caller promises the places of all rows, registers and runs.
            unsafe {
                for i in 0..M {
                    a[i] = t.a.offset(*t.a_rows.add(i) + *t.a_runs.add(run));
                }
                for j in 0..N {
                    b[j] = t.b.add(*t.b_columns.add(j) + *t.b_runs.add(run));
                }
            }
            let (mut at_a, mut at_b) = (0, 0);
            for _ in 0..t.length {
                let mut row = [l.constant(0.0); N];
                for j in 0..N {
                    // SAFETY: the caller promises whole registers along each run.
                    row[j] = unsafe { l.load_ptr(b[j].add(at_b)) };
                }
                for i in 0..M {
                    // SAFETY: the caller promises an element of each row along each run.
                    let x = l.splat(unsafe { *a[i].offset(at_a) });
                    for j in 0..N {
                        c[i][j] = l.mul_add(x, row[j], c[i][j]);
                    }
                }
                at_a += t.a_step;
                at_b += t.b_step;
            }
        }
        for i in 0..M {
            for j in 0..N {
                // SAFETY: the caller promises whole registers of the result.
                unsafe {
                    let to = t.c.add(*t.c_rows.add(i) + *t.c_columns.add(j));
                    l.store_ptr(l.add(l.load_ptr(to), c[i][j]), to);
                }
            }
        }
    }
}

/// Run by whoever promises every element that the tile names.
struct PlaneSums<'a, T, const M: usize, const N: usize>(&'a Planes<T>);

impl<T: Float, const M: usize, const N: usize> Kernel<T> for PlaneSums<'_, T, M, N> {
    type Output = ();

    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "adapters of iterators stay calls where nothing is optimized across crates"
    )]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let t = self.0;
        let mut c = [[l.constant(0.0); N]; M];
        let mut at = [[t.c; N]; M];
        for i in 0..M {
            for j in 0..N {
                // SAFETY: the caller promises a register of sums for each row and column.
                unsafe {
                    at[i][j] = t.c.add(i * t.c_row + *t.c_columns.add(j) * L::WIDTH);
                    c[i][j] = l.load_ptr(at[i][j]);
                }
            }
        }
        for channel in 0..t.channels {
            // SAFETY: the caller promises whole runs of each row and column.
            unsafe {
                let a = t.a.add(channel * t.run);
                let mut b = [t.b; N];
                for j in 0..N {
                    b[j] = t.b.add(channel * t.b_channel + *t.b_columns.add(j));
                }
                let mut k = 0;
                while k < t.run {
                    let mut row = [l.constant(0.0); N];
                    for j in 0..N {
                        row[j] = l.load_ptr(b[j].add(k));
                    }
                    for i in 0..M {
                        let x = l.load_ptr(a.add(i * t.a_row + k));
                        for j in 0..N {
                            c[i][j] = l.mul_add(x, row[j], c[i][j]);
                        }
                    }
                    k += L::WIDTH;
                }
            }
        }
        for i in 0..M {
            for j in 0..N {
                // SAFETY: as above.
                unsafe { l.store_ptr(c[i][j], at[i][j]) };
            }
        }
    }
}
