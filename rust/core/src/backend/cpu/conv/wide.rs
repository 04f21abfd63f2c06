//! Convolution with a kernel wider than its result, as the gradient of a kernel is: sums over the places of a plane.
//!
//! Terms are the places of the kernel, read where they lie; what a result's place adds to them is a shift in a copy of the
//! input that has a border. Lanes hold examples of the input, which lie side by side in the copy. Where examples are few,
//! `dots.rs` computes the same.

#![allow(unsafe_code, reason = "tiles are read and written by address")]

use super::super::arch::{Kernel, Lanes, Vectored, WIDEST, dispatch};
use super::super::kernel::{Dst, Src};
use super::super::matmul::{Tiles, tallest, widest};
use super::super::scratch;
use super::grid::{AXES, Band, Grid, Image, Numbers, moved};
use super::tile::{self, Shifts};
use super::{Shapes, at, spatial_steps};
use crate::error::{Error, Result};

/// Terms that are summed in one chain, about.
const DEPTH: usize = 1024;

/// Every block of outputs, grid and band.
pub(super) fn wide<T: Vectored>(s: &Shapes, x: &Src<'_>, kernel: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let results = out.elements::<T>()?;
    let numbers = s.taps_along();
    let panel = dispatch::<T, _>(Width(s.batch));
    scratch::with::<T, _>(s.block * s.places() * s.batch.next_multiple_of(panel), |sums| {
        for first in (0..s.outputs).step_by(s.block) {
            sums.fill(T::round_from(0.0));
            for grid in Grid::all(&numbers) {
                if grid.whole().count.contains(&0) || grid.meetings() == 0 {
                    continue;
                }
                let thin = grid.whole().count.iter().product::<usize>() / grid.whole().count[grid.cut()];
                for band in grid.bands((DEPTH / thin.max(1)).max(1)) {
                    let part = Part { s, numbers: &numbers, grid: &grid, band, first, panel };
                    part.all(x, kernel, sums)?;
                }
            }
            store(s, first, panel, sums, results);
        }
        Ok(())
    })
}

/// Lanes of a panel: those of a tile of full height, or fewer for so few.
struct Width(usize);

impl<T: Vectored> Kernel<T> for Width {
    type Output = usize;

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, _: L) -> usize {
        (widest::<L>(tallest::<L>()) * L::WIDTH).min(self.0.next_multiple_of(L::WIDTH))
    }
}

/// Sums to where the result has them: `[batch, outputs, places]`.
fn store<T: Vectored>(s: &Shapes, first: usize, panel: usize, sums: &[T], results: &mut [T]) {
    let (places, wide) = (s.places(), s.batch.next_multiple_of(panel));
    for n in 0..s.batch {
        for o in 0..s.block {
            let to = &mut results[(n * s.outputs + first + o) * places..][..places];
            let from = o * places * wide + n / panel * (places * panel) + n % panel;
            to.iter_mut().zip(sums[from..].iter().step_by(panel)).for_each(|(to, &sum)| *to = sum);
        }
    }
}

/// A band of a grid.
struct Part<'a> {
    s: &'a Shapes,
    numbers: &'a [Numbers; AXES],
    grid: &'a Grid,
    band: Band,
    first: usize,
    panel: usize,
}

impl Part<'_> {
    /// Sums lie by outputs, in each by panels, in each by places.
    fn all<T: Vectored>(&self, x: &Src<'_>, kernel: &Src<'_>, sums: &mut [T]) -> Result<()> {
        let (rows, image) = (self.s.block, self.grid.image(&self.band));
        let (runs, columns) = (self.band.count[0] * self.band.count[1], self.grid.meetings());
        scratch::with::<T, _>(image.channel * self.panel, |copies| {
            scratch::with::<usize, _>(2 * (rows + columns + runs), |memory| {
                let (a_rows, memory) = memory.split_at_mut(rows);
                let (c_rows, memory) = memory.split_at_mut(rows);
                let (b_columns, memory) = memory.split_at_mut(columns);
                let (c_columns, memory) = memory.split_at_mut(columns);
                let (kernel_runs, image_runs) = memory.split_at_mut(runs);
                let mut tables = Tables { a_rows, c_rows, b_columns, c_columns, kernel_runs, image_runs };
                self.tables(&image, kernel, &mut tables);
                self.panels(&image, x, kernel, copies, &tables, sums)
            })
        })
    }

    /// Where rows, columns and runs begin.
    fn tables(&self, image: &Image, kernel: &Src<'_>, tables: &mut Tables<'_>) {
        let s = self.s;
        let wide = s.places() * s.batch.next_multiple_of(self.panel);
        let (mut run, mut number) = (0, 0);
        self.grid.runs(image, &self.band, spatial_steps(kernel), |place, from| {
            tables.kernel_runs[run] = from as usize;
            tables.image_runs[run] = place * self.panel;
            run += 1;
        });
        for (o, (a, c)) in tables.a_rows.iter_mut().zip(&mut *tables.c_rows).enumerate() {
            (*a, *c) = ((o as isize * kernel.layout.strides()[0]) as usize, o * wide);
        }
        self.grid.shifts(image, self.numbers, |v, shift| {
            (tables.b_columns[number], tables.c_columns[number]) = (shift * self.panel, v * self.panel);
            number += 1;
        });
    }

    fn panels<T: Vectored>(
        &self,
        image: &Image,
        x: &Src<'_>,
        kernel: &Src<'_>,
        copies: &mut [T],
        tables: &Tables<'_>,
        sums: &mut [T],
    ) -> Result<()> {
        let s = self.s;
        let (source, weights) = (x.elements::<T>()?, kernel.elements::<T>()?);
        let (example, channel) = s.sees(self.first);
        copies.fill(T::round_from(0.0));
        for panel in (0..s.batch).step_by(self.panel) {
            for c in 0..s.channels {
                dispatch(Copies {
                    part: self,
                    image,
                    source,
                    from: at(x, [example + panel, channel + c]),
                    step: x.layout.strides()[0],
                    examples: self.panel.min(s.batch - panel),
                    to: &mut *copies,
                });
                dispatch(Products {
                    a: weights,
                    first: at(kernel, [self.first, c]),
                    a_rows: tables.a_rows,
                    a_runs: tables.kernel_runs,
                    a_step: spatial_steps(kernel)[AXES - 1] * self.grid.period() as isize,
                    b: &*copies,
                    b_columns: tables.b_columns,
                    b_runs: tables.image_runs,
                    length: self.band.count[AXES - 1],
                    panel: self.panel,
                    sums: &mut sums[panel * s.places()..],
                    c_rows: tables.c_rows,
                    c_columns: tables.c_columns,
                })?;
            }
        }
        Ok(())
    }
}

/// Where rows and registers of both factors and of the sums begin, and runs of what is multiplied.
struct Tables<'a> {
    a_rows: &'a mut [usize],
    c_rows: &'a mut [usize],
    b_columns: &'a mut [usize],
    c_columns: &'a mut [usize],
    kernel_runs: &'a mut [usize],
    image_runs: &'a mut [usize],
}

/// Copying a channel of examples beside its border, examples side by side in a panel.
struct Copies<'a, T> {
    part: &'a Part<'a>,
    image: &'a Image,
    source: &'a [T],
    from: usize,
    step: isize,
    examples: usize,
    to: &'a mut [T],
}

impl<T: Vectored> Kernel<T> for Copies<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let Part { grid, band, panel, .. } = self.part;
        let steps = (self.step, grid.row_step());
        grid.rows(self.image, band, |place, delta, length| {
            let to = &mut self.to[place * panel..(place + length) * panel];
            turn(l, self.source, moved(self.from, delta), steps, (self.examples, length), to, *panel);
        });
    }
}

/// Copy so many rows of a length, so that rows lie side by side in a panel.
#[inline(always)]
fn turn<L: Lanes>(
    l: L,
    source: &[L::Elem],
    from: usize,
    (row, along): (isize, isize),
    (rows, length): (usize, usize),
    to: &mut [L::Elem],
    panel: usize,
) {
    let w = L::WIDTH;
    if along != 1 || rows < w || row < 0 {
        for i in 0..rows {
            for j in 0..length {
                to[j * panel + i] = source[moved(from, i as isize * row + j as isize * along)];
            }
        }
        return;
    }
    let source = &source[from..][..(rows - 1) * row as usize + length];
    let to = &mut to[..(length - 1) * panel + rows];
    for i in (0..rows).step_by(w) {
        // The last square overlaps the one before.
        let first = i.min(rows - w);
        let Some(last) = length.checked_sub(w) else {
            turn_short(l, &source[first * row as usize..], row as usize, length, &mut to[first..], panel);
            continue;
        };
        for place in (0..length).step_by(w).map(|j| j.min(last)) {
            // SAFETY: `w` rows from `first` and `w` elements of each from `place` lie in both slices.
            unsafe {
                let from = source.as_ptr().add(first * row as usize + place);
                l.transpose_ptr(from, row, to.as_mut_ptr().add(place * panel + first), panel as isize);
            }
        }
    }
}

/// The same for a register of rows that are shorter than one.
#[inline(always)]
fn turn_short<L: Lanes>(l: L, source: &[L::Elem], row: usize, length: usize, to: &mut [L::Elem], panel: usize) {
    let mut squares = [[l.constant(0.0); WIDEST]; 2];
    let [from, turned] = squares.each_mut().map(|square| square.as_mut_ptr().cast::<L::Elem>());
    let w = const {
        assert!(L::WIDTH <= WIDEST);
        L::WIDTH
    };
    for k in 0..w {
        // SAFETY: the square has a register for each row.
        unsafe { l.store_ptr(l.load_part(&source[k * row..][..length]), from.add(k * w)) };
    }
    // SAFETY: both are squares of registers.
    unsafe { l.transpose_ptr(from, w as isize, turned, w as isize) };
    for (k, to) in to.chunks_mut(panel).take(length).enumerate() {
        // SAFETY: the square has a register for each column.
        l.store(unsafe { l.load_ptr(turned.add(k * w)) }, to);
    }
}

/// Products of rows of the left factor with registers of the right one, summed over runs.
struct Products<'a, T> {
    a: &'a [T],
    first: usize,
    a_rows: &'a [usize],
    a_runs: &'a [usize],
    a_step: isize,
    b: &'a [T],
    /// Where the panel of each group of columns begins.
    b_columns: &'a [usize],
    b_runs: &'a [usize],
    length: usize,
    panel: usize,
    sums: &'a mut [T],
    c_rows: &'a [usize],
    c_columns: &'a [usize],
}

impl<T: Vectored> Products<'_, T> {
    /// Whether every element lies in its slice.
    fn fits(&self) -> bool {
        let most = |table: &[usize]| table.iter().max().copied().unwrap_or(0);
        let reach = (self.length as isize - 1) * self.a_step;
        let signed = |table: &[usize]| {
            let (low, high) = table
                .iter()
                .fold((isize::MAX, isize::MIN), |(low, high), &x| (low.min(x as isize), high.max(x as isize)));
            if table.is_empty() { (0, 0) } else { (low, high) }
        };
        let ((row_low, row_high), (run_low, run_high)) = (signed(self.a_rows), signed(self.a_runs));
        let low = self.first as isize + row_low + run_low + reach.min(0);
        let high = self.first as isize + row_high + run_high + reach.max(0);
        let b = most(self.b_columns) + most(self.b_runs) + self.length * self.panel;
        let c = most(self.c_rows) + most(self.c_columns) + self.panel;
        low >= 0 && (high as usize) < self.a.len() && b <= self.b.len() && c <= self.sums.len()
    }
}

impl<T: Vectored> Kernel<T> for Products<'_, T> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) -> Result<()> {
        if !self.fits() || !self.panel.is_multiple_of(L::WIDTH) {
            return Err(Error::bug("conv", "a sum outside its memory"));
        }
        let registers = self.panel / L::WIDTH;
        let tiles = Tiles::new(self.a_rows.len(), tallest::<L>());
        let width = tiles.width::<L>();
        // Registers of panels that are narrower than a tile stand beside those of the next.
        let (mut b_columns, mut c_columns) = ([0; 8], [0; 8]);
        let count = self.b_columns.len() * registers;
        // Rows of the left factor stay in the first cache for all columns.
        for (row, height) in (0..tiles.count).map(|i| tiles.tile(i)) {
            for column in (0..count).step_by(width) {
                let wide = width.min(count - column);
                for (i, (b, c)) in b_columns.iter_mut().zip(&mut c_columns).take(wide).enumerate() {
                    let (panel, register) = ((column + i) / registers, (column + i) % registers);
                    *b = self.b_columns[panel] + register * L::WIDTH;
                    *c = self.c_columns[panel] + register * L::WIDTH;
                }
                let Some(micro) = tile::shifts::<L>(height, wide) else {
                    return Err(Error::bug("conv", "no tile of this size"));
                };
                let tile = Shifts {
                    a: self.a.as_ptr().wrapping_add(self.first),
                    a_rows: self.a_rows[row..].as_ptr().cast(),
                    a_runs: self.a_runs.as_ptr().cast(),
                    a_step: self.a_step,
                    b: self.b.as_ptr(),
                    b_columns: b_columns.as_ptr(),
                    b_runs: self.b_runs.as_ptr(),
                    b_step: self.panel,
                    runs: self.a_runs.len(),
                    length: self.length,
                    c: self.sums.as_mut_ptr(),
                    c_rows: self.c_rows[row..].as_ptr(),
                    c_columns: c_columns.as_ptr(),
                };
                // SAFETY: `fits` has shown that the places of all rows, registers and runs lie in their slices.
                unsafe { micro(l, &tile) };
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::arch::Isa;

    /// Rows 50 elements apart, from element 7 on.
    struct Rows<'a> {
        source: &'a [f32],
        along: isize,
        lanes: usize,
        length: usize,
        panel: usize,
        to: &'a mut [f32],
    }

    impl Kernel<f32> for Rows<'_> {
        type Output = ();

        #[inline(always)]
        fn run<L: Lanes<Elem = f32>>(self, l: L) {
            turn(l, self.source, 7, (50, self.along), (self.lanes, self.length), self.to, self.panel);
        }
    }

    #[test]
    fn runs_of_any_length_are_turned_with_every_instruction_set() {
        let source: Vec<f32> = (0..40 * 50).map(|i| i as f32).collect();
        for isa in Isa::all() {
            for (lanes, length, along) in
                [(1, 1, 1), (16, 14, 1), (33, 5, 1), (33, 20, 1), (40, 16, 1), (7, 3, 1), (20, 9, 2)]
            {
                let panel = lanes + 3;
                let mut to = vec![-1.0; length * panel];
                f32::run(isa, Rows { source: &source, along, lanes, length, panel, to: &mut to });
                for (j, row) in to.chunks(panel).enumerate() {
                    for (i, &x) in row.iter().enumerate() {
                        let wanted = if i < lanes { source[7 + i * 50 + j * along as usize] } else { -1.0 };
                        assert_eq!(x, wanted, "{} at {i}, {j} of {lanes} x {length}", isa.name());
                    }
                }
            }
        }
    }
}
