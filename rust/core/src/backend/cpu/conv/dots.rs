//! The gradient of a kernel that sees few channels: sums over the places of a plane, kept lane by lane.
//!
//! Both factors are read along their rows, so nothing is turned. The input lies in a copy that has a border, as in `narrow.rs`;
//! the kernel, which holds a gradient, in one whose rows lie as far apart, with zeros between them. So a plane is one run. A
//! tile holds a register of sums for each of some outputs and shifts; the lanes of a register are added at the end. A lane is one
//! chain over bands, channels and places, however many channels are taken at a time.
//!
//! What lies between two rows is multiplied by zero: an input that is not finite can make a shift NaN that meets it nowhere.

#![allow(unsafe_code, reason = "tiles are read and written by address")]

use super::super::arch::{Kernel, Lanes, Vectored, dispatch};
use super::super::kernel::{Dst, Src};
use super::super::matmul::Tiles;
use super::super::scratch;
use super::grid::{AXES, Band, Grid, Image, Numbers, moved};
use super::line::{gather, rows};
use super::tile::{self, Planes, ROWS};
use super::{LEAST, Shapes, at, spatial_steps};
use crate::error::{Error, Result};
use std::marker::PhantomData;

/// Places that one band takes of a plane, about.
const DEPTH: usize = 1024;
/// Elements of a tile's rows that stay in the first cache for all columns.
const NEAR: usize = 8 * 1024;
/// Elements of copies, and of sums, that stay in the second cache.
const COPIES: usize = 64 * 1024;
const SUMS: usize = 128 * 1024;

/// Examples of the input from which lanes hold them instead; parts have no fewer.
const FEW: usize = LEAST[0];

/// Whether examples are few. How well they or places fill registers says nothing, so that a part is computed like the whole.
pub(super) fn fits(s: &Shapes) -> bool {
    s.batch < FEW
}

/// Lanes of a register.
pub(super) fn lanes<T: Vectored>() -> usize {
    dispatch::<T, _>(Lane(PhantomData))
}

struct Lane<T>(PhantomData<T>);

impl<T: Vectored> Kernel<T> for Lane<T> {
    type Output = usize;

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, _: L) -> usize {
        L::WIDTH
    }
}

/// Every block of outputs and of examples, every grid and band.
pub(super) fn dots<T: Vectored>(s: &Shapes, x: &Src<'_>, kernel: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let results = out.elements::<T>()?;
    let numbers = s.taps_along();
    let lanes = lanes::<T>();
    let sums = |examples: usize| s.block * examples * s.places() * lanes;
    let most = (SUMS / sums(1).max(1)).clamp(1, s.batch);
    scratch::with::<T, _>(sums(most), |memory| {
        for first in (0..s.outputs).step_by(s.block) {
            for example in (0..s.batch).step_by(most) {
                let examples = most.min(s.batch - example);
                let sums = &mut memory[..sums(examples)];
                sums.fill(T::round_from(0.0));
                for grid in Grid::all(&numbers) {
                    if grid.whole().count.contains(&0) || grid.meetings() == 0 {
                        continue;
                    }
                    let thin = grid.whole().count.iter().product::<usize>() / grid.whole().count[grid.cut()];
                    for band in grid.bands((DEPTH / thin.max(1)).max(1)) {
                        let image = grid.image(&band).rounded(lanes);
                        let run = image.places(&band).next_multiple_of(lanes);
                        let each = image.channel.max(run) + lanes;
                        let part = Part {
                            s,
                            numbers: &numbers,
                            grid: &grid,
                            band,
                            image,
                            run,
                            each,
                            first,
                            example,
                            examples,
                        };
                        part.all(x, kernel, sums)?;
                    }
                }
                dispatch(Ends { s, first, example, sums, results: &mut *results });
            }
        }
        Ok(())
    })
}

/// Lanes added up, to where the result has them: `[batch, outputs, places]`.
struct Ends<'a, T> {
    s: &'a Shapes,
    first: usize,
    example: usize,
    sums: &'a [T],
    results: &'a mut [T],
}

impl<T: Vectored> Kernel<T> for Ends<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, _: L) {
        let (s, places) = (self.s, self.s.places());
        for (number, row) in self.sums.chunks_exact(places * L::WIDTH).enumerate() {
            let (output, example) = (self.first + number % s.block, self.example + number / s.block);
            let to = &mut self.results[(example * s.outputs + output) * places..][..places];
            for (to, lanes) in to.iter_mut().zip(row.chunks_exact(L::WIDTH)) {
                *to = lanes.iter().fold(T::round_from(0.0), |sum, &lane| sum.merge(lane));
            }
        }
    }
}

/// A band of the planes of some examples.
struct Part<'a> {
    s: &'a Shapes,
    numbers: &'a [Numbers; AXES],
    grid: &'a Grid,
    band: Band,
    image: Image,
    /// Elements of a run, and of a copied channel with what registers reach beyond it.
    run: usize,
    each: usize,
    first: usize,
    example: usize,
    examples: usize,
}

impl Part<'_> {
    /// Some channels after the others: copies of them, then all tiles. Sums lie by examples, outputs, places, lanes.
    fn all<T: Vectored>(&self, x: &Src<'_>, kernel: &Src<'_>, sums: &mut [T]) -> Result<()> {
        let (s, row) = (self.s, self.examples * self.each);
        let together = (COPIES / row).min(NEAR / (ROWS * self.run)).clamp(1, s.channels.max(1));
        let columns = self.examples * self.grid.meetings();
        let (source, weights) = (x.elements::<T>()?, kernel.elements::<T>()?);
        let (example, channel) = s.sees(self.first);
        scratch::with::<T, _>(together * (row + ROWS * self.run), |memory| {
            let (copies, near) = memory.split_at_mut(together * row);
            copies.fill(T::round_from(0.0));
            near.fill(T::round_from(0.0));
            scratch::with::<usize, _>(2 * columns, |memory| {
                let (b_columns, c_columns) = memory.split_at_mut(columns);
                self.columns(b_columns, c_columns);
                for c in (0..s.channels).step_by(together) {
                    let channels = together.min(s.channels - c);
                    dispatch(Copies {
                        part: self,
                        source,
                        from: at(x, [example + self.example, channel + c]),
                        steps: [x.layout.strides()[1], x.layout.strides()[0]],
                        channels,
                        to: &mut *copies,
                    });
                    dispatch(Products {
                        part: self,
                        kernel: (weights, at(kernel, [self.first, c])),
                        steps: [kernel.layout.strides()[0], kernel.layout.strides()[1]],
                        spatial: spatial_steps(kernel),
                        near: &mut *near,
                        copies,
                        channels,
                        b_columns,
                        c_columns,
                        sums: &mut *sums,
                    })?;
                }
                Ok(())
            })
        })
    }

    /// Where the shifts of one example after the other begin in the copies, and their sums, in registers.
    fn columns(&self, b_columns: &mut [usize], c_columns: &mut [usize]) {
        let mut number = 0;
        for example in 0..self.examples {
            self.grid.shifts(&self.image, self.numbers, |v, shift| {
                b_columns[number] = example * self.each + shift;
                c_columns[number] = example * self.s.block * self.s.places() + v;
                number += 1;
            });
        }
    }
}

/// Copying channels of examples beside their border.
struct Copies<'a, T> {
    part: &'a Part<'a>,
    source: &'a [T],
    from: usize,
    /// From channel to channel, and from example to example.
    steps: [isize; 2],
    channels: usize,
    to: &'a mut [T],
}

impl<T: Vectored> Kernel<T> for Copies<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let Part { grid, band, image, examples, each, .. } = self.part;
        for (number, to) in self.to.chunks_exact_mut(*each).take(self.channels * examples).enumerate() {
            let [channel, example] = [number / examples, number % examples].map(|number| number as isize);
            let from = moved(self.from, channel * self.steps[0] + example * self.steps[1]);
            grid.rows(image, band, |place, delta, length| {
                gather(l, self.source, moved(from, delta), grid.row_step(), &mut to[place..place + length]);
            });
        }
    }
}

/// Products of planes of the kernel with shifted planes of the copies, added up over places and channels.
struct Products<'a, T> {
    part: &'a Part<'a>,
    kernel: (&'a [T], usize),
    /// From output to output, and from channel to channel.
    steps: [isize; 2],
    spatial: [isize; AXES],
    near: &'a mut [T],
    copies: &'a [T],
    channels: usize,
    b_columns: &'a [usize],
    c_columns: &'a [usize],
    sums: &'a mut [T],
}

impl<T: Vectored> Products<'_, T> {
    /// Whether every element lies in its slice.
    fn fits(&self, lanes: usize) -> bool {
        let Part { s, run, each, examples, .. } = self.part;
        let most = |table: &[usize]| table.iter().max().copied().unwrap_or(0);
        let b = most(self.b_columns) + self.channels.saturating_sub(1) * each * examples + run;
        let c = most(self.c_columns) + (s.block - 1) * s.places() + 1;
        b <= self.copies.len() && c * lanes <= self.sums.len() && ROWS * self.channels * run <= self.near.len()
    }

    /// Planes of some outputs, rows as far apart as in the copies.
    #[inline(always)]
    fn bring<L: Lanes<Elem = T>>(&mut self, l: L, row: usize, height: usize) {
        let Part { grid, image, band, run, .. } = self.part;
        let (along, size) = (self.spatial[AXES - 1] * grid.period() as isize, (band.count[1], band.count[2]));
        for (number, to) in self.near.chunks_exact_mut(*run).take(height * self.channels).enumerate() {
            let [row, channel] = [row + number / self.channels, number % self.channels].map(|number| number as isize);
            let from = moved(self.kernel.1, row * self.steps[0] + channel * self.steps[1]);
            for plane in 0..band.count[0] {
                let (place, delta) = grid.plane(image, band, self.spatial, plane);
                let (from, down) = (moved(from, delta), grid.run_step(self.spatial));
                if along == 1 && down >= 0 {
                    rows(l, size, (&self.kernel.0[from..], down as usize), (&mut to[place..], image.row));
                    continue;
                }
                for run in 0..size.0 {
                    let to = &mut to[place + run * image.row..][..size.1];
                    gather(l, self.kernel.0, moved(from, run as isize * down), along, to);
                }
            }
        }
    }
}

impl<T: Vectored> Kernel<T> for Products<'_, T> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(mut self, l: L) -> Result<()> {
        let Part { s, run, each, examples, .. } = self.part;
        if !self.fits(L::WIDTH) {
            return Err(Error::bug("conv", "a sum outside its memory"));
        }
        let (height, width) = tile::largest_planes::<L>();
        let columns = Tiles::new(self.b_columns.len(), width);
        let tiles = Tiles::new(s.block, height);
        for (row, height) in (0..tiles.count).map(|i| tiles.tile(i)) {
            self.bring(l, row, height);
            for (column, width) in (0..columns.count).map(|i| columns.tile(i)) {
                let Some(micro) = tile::planes::<L>(height, width) else {
                    return Err(Error::bug("conv", "no tile of this size"));
                };
                let tile = Planes {
                    a: self.near.as_ptr(),
                    a_row: self.channels * run,
                    b: self.copies.as_ptr(),
                    b_channel: each * examples,
                    b_columns: self.b_columns[column..].as_ptr(),
                    channels: self.channels,
                    run: *run,
                    c: self.sums.as_mut_ptr().wrapping_add(row * s.places() * L::WIDTH),
                    c_row: s.places() * L::WIDTH,
                    c_columns: self.c_columns[column..].as_ptr(),
                };
                // SAFETY: `fits` has shown that the places of all rows, columns and channels lie in their slices.
                unsafe { micro(l, &tile) };
            }
        }
        Ok(())
    }
}
