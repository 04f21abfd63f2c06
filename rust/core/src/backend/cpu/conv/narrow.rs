//! Convolution with a small kernel: products of its weights with runs of a copy of the input that has a border.
//!
//! The copy holds some channels of some examples, rows with a border side by side, so that what a tap meets, for all places
//! of a plane, is one run of it. A tile is some outputs of a register or two of places; no windows are copied. The few
//! places between two rows are computed and dropped.
//!
//! A register that straddles two lines of the cache takes twice as long to read. So where outputs are many, there are further
//! copies, each moved by as much as some shifts lie beside a multiple of a register.

#![allow(unsafe_code, reason = "tiles are read and written by address")]

use super::super::arch::{Kernel, Lanes, Vectored, dispatch};
use super::super::kernel::{Dst, Src};
use super::super::matmul::{Tiles, tallest};
use super::super::rows::along;
use super::super::scratch;
use super::grid::{AXES, Band, Grid, Image, Numbers, moved};
use super::last::Last;
use super::line::{copy as shift, gather, rows, scatter};
use super::tile::{self, Runs};
use super::{Shapes, at, spatial_steps, steps};
use crate::error::{Error, Result};

/// Terms that are summed in one chain, about.
const DEPTH: usize = 512;
/// Elements of a copy of the input, about: they stay in the second cache.
const IMAGE: usize = 48 * 1024;
/// Elements of weights that stay in the second cache beside it.
const WEIGHTS: usize = 32 * 1024;
/// Elements at whose multiples a register straddles two lines half as often, or never.
const HALF: usize = 8;
/// Places of a copy for which one example is enough.
const PLACES: usize = 128;
/// Moved copies at most, with the one that is not moved, and outputs for which they are worth it.
const MOVED: usize = 4;
const MANY: usize = 16;
/// Elements that a register may reach beyond the last place.
const SLACK: usize = 256;
/// Sums are stored by whole registers of every width.
const ROUND: usize = 128;

/// Every block of outputs, grid and band.
pub(super) fn narrow<T: Vectored>(
    s: &Shapes,
    x: &Src<'_>,
    kernel: &Src<'_>,
    last: &Last<'_>,
    out: &mut Dst<'_>,
) -> Result<()> {
    let results = out.elements::<T>()?;
    let numbers = s.taps_as_shifts();
    for grid in Grid::all(&numbers) {
        if grid.whole().count.contains(&0) {
            continue;
        }
        let taps = grid.meetings();
        let depth = s.channels * taps;
        // A function of the kernel's shape alone, since it decides the order of sums.
        let channels = (DEPTH / s.taps().max(1)).clamp(1, s.channels.max(1));
        let thick = grid.thickness() * channels;
        for band in grid.bands((IMAGE / thick).max(4)) {
            let (image, moves) = laid(s, &numbers, &grid, &band, dispatch::<T, _>(Aligned));
            let columns = image.places(&band).next_multiple_of(ROUND);
            let fits = IMAGE / (channels * image.channel).max(1);
            let examples = fits.min(PLACES.div_ceil(image.places(&band))).clamp(1, s.batch);
            let part =
                Part { s, last, numbers: &numbers, grid: &grid, band, image, channels, examples, columns, taps, moves };
            let example = channels * image.channel;
            let copied = examples * example * moves.count + SLACK;
            let sums = examples * s.block * columns;
            scratch::with::<T, _>(copied + sums + s.block * depth, |memory| {
                let (copies, memory) = memory.split_at_mut(copied);
                let (sums, weights) = memory.split_at_mut(sums);
                scratch::with::<usize, _>((channels + 1) * taps, |memory| {
                    let (terms, deltas) = memory.split_at_mut(channels * taps);
                    copies.fill(T::round_from(0.0));
                    part.all(x, kernel, results, Room { copies, sums, weights, terms, deltas })
                })
            })?;
        }
    }
    Ok(())
}

/// How copies lie, and by how much further ones are moved, so that few registers of `align` elements straddle two lines.
fn laid(s: &Shapes, numbers: &[Numbers; AXES], grid: &Grid, band: &Band, align: usize) -> (Image, Moves) {
    let lie = |align: usize| {
        let image = grid.image(band).rounded(align);
        (image, Moves::new(s, numbers, grid, &image, align))
    };
    let (image, moves) = lie(align);
    // Rows too short for whole registers may still begin at halves of them.
    if moves.count == 1 && align > HALF { lie(HALF) } else { (image, moves) }
}

/// Elements at whose multiples a register does not straddle two lines, or seldom.
struct Aligned;

impl<T: Vectored> Kernel<T> for Aligned {
    type Output = usize;

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, _: L) -> usize {
        L::WIDTH.max(HALF)
    }
}

/// Memory to work in.
struct Room<'a, T> {
    copies: &'a mut [T],
    sums: &'a mut [T],
    weights: &'a mut [T],
    terms: &'a mut [usize],
    /// How far the weight of each tap lies from that of the first.
    deltas: &'a mut [usize],
}

/// By how much copies are moved: the first by nothing.
#[derive(Clone, Copy)]
struct Moves {
    by: [usize; MOVED],
    count: usize,
    align: usize,
}

impl Moves {
    fn new(s: &Shapes, numbers: &[Numbers; AXES], grid: &Grid, image: &Image, align: usize) -> Self {
        let none = Self { by: [0; MOVED], count: 1, align };
        let (mut moves, mut fits) = (none, s.block >= MANY);
        grid.shifts(image, numbers, |_, shift| {
            let beside = shift % align;
            if moves.by[..moves.count].contains(&beside) {
                return;
            }
            fits &= moves.count < MOVED;
            if fits {
                moves.by[moves.count] = beside;
                moves.count += 1;
            }
        });
        if fits { moves } else { none }
    }

    /// Which copy a shift meets, and how far from its first element.
    fn of(&self, shift: usize) -> (usize, usize) {
        let known = self.by[..self.count].iter().position(|&by| by == shift % self.align).unwrap_or(0);
        (known, shift - self.by[known])
    }
}

/// A band of a grid, and how it is cut.
#[derive(Clone, Copy)]
struct Part<'a> {
    s: &'a Shapes,
    last: &'a Last<'a>,
    numbers: &'a [Numbers; AXES],
    grid: &'a Grid,
    band: Band,
    image: Image,
    /// Channels and examples of a copy.
    channels: usize,
    examples: usize,
    /// Places of a row of sums.
    columns: usize,
    /// Taps that meet anything.
    taps: usize,
    moves: Moves,
}

impl Part<'_> {
    fn all<T: Vectored>(&self, x: &Src<'_>, kernel: &Src<'_>, results: &mut [T], room: Room<'_, T>) -> Result<()> {
        let (s, source) = (self.s, x.elements::<T>()?);
        let Room { copies, sums, weights, terms, deltas } = room;
        let mut number = 0;
        let steps_of_taps = spatial_steps(kernel);
        let counts = self.numbers.map(|n| n.shifts.0);
        self.grid.shifts(&self.image, self.numbers, |tap, shift| {
            let (copy, shift) = self.moves.of(shift);
            for c in 0..self.channels {
                terms[c * self.taps + number] = (copy * self.examples * self.channels + c) * self.image.channel + shift;
            }
            let index = [tap / counts[2] / counts[1], tap / counts[2] % counts[1], tap % counts[2]];
            let delta: isize = steps_of_taps.iter().zip(&index).map(|(step, &i)| step * i as isize).sum();
            deltas[number] = delta as usize;
            number += 1;
        });
        for first in (0..s.outputs).step_by(s.block) {
            dispatch(Weights {
                source: kernel.elements::<T>()?,
                first: at(kernel, [first, 0]),
                steps: steps(kernel),
                outputs: s.block,
                channels: s.channels,
                deltas,
                to: &mut *weights,
            });
            let (example, channel) = s.sees(first);
            for n in (0..s.batch).step_by(self.examples) {
                let examples = self.examples.min(s.batch - n);
                if s.channels * self.taps == 0 {
                    // Nothing is met.
                    sums.fill(T::round_from(0.0));
                }
                let seen = if self.taps > 0 { s.channels } else { 0 };
                for c in (0..seen).step_by(self.channels) {
                    let channels = self.channels.min(s.channels - c);
                    let from = at(x, [example + n, channel + c]);
                    dispatch(Copies {
                        part: self,
                        source,
                        from,
                        examples,
                        channels,
                        to: &mut *copies,
                        steps: steps(x),
                    });
                    dispatch(Products {
                        weights: &*weights,
                        first: c * self.taps,
                        row: s.channels * self.taps,
                        outputs: s.block,
                        terms: &terms[..channels * self.taps],
                        copies,
                        example: self.channels * self.image.channel,
                        examples,
                        places: self.image.places(&self.band),
                        sums: &mut *sums,
                        columns: self.columns,
                        adds: c > 0,
                    })?;
                }
                dispatch(Crop {
                    part: self,
                    sums,
                    examples,
                    first,
                    place: (n * s.outputs + first) * s.places(),
                    results,
                })?;
            }
        }
        Ok(())
    }
}

/// The weights of some outputs, as tiles read them: for each tap of each channel those of the outputs of a tile.
struct Weights<'a, T> {
    source: &'a [T],
    first: usize,
    /// From output to output, and from channel to channel.
    steps: [isize; 2],
    outputs: usize,
    channels: usize,
    deltas: &'a [usize],
    to: &'a mut [T],
}

impl<T: Vectored> Kernel<T> for Weights<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, _: L) {
        let tiles = Tiles::new(self.outputs, tallest::<L>());
        let depth = self.channels * self.deltas.len();
        for (row, height) in (0..tiles.count).map(|i| tiles.tile(i)) {
            let mut to = self.to[row * depth..].chunks_exact_mut(height.max(1));
            for c in 0..self.channels {
                let from = moved(self.first, row as isize * self.steps[0] + c as isize * self.steps[1]);
                for (&delta, to) in self.deltas.iter().zip(&mut to) {
                    let from = moved(from, delta as isize);
                    for (i, weight) in to.iter_mut().enumerate() {
                        *weight = self.source[along(from, self.steps[0], i)];
                    }
                }
            }
        }
    }
}

/// Copying channels of examples beside their borders.
struct Copies<'a, T> {
    part: &'a Part<'a>,
    source: &'a [T],
    from: usize,
    examples: usize,
    channels: usize,
    to: &'a mut [T],
    /// From example to example, and from channel to channel.
    steps: [isize; 2],
}

impl<T: Vectored> Kernel<T> for Copies<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let Part { grid, band, image, channels, .. } = self.part;
        let step = grid.row_step();
        for e in 0..self.examples {
            for c in 0..self.channels {
                let from = moved(self.from, e as isize * self.steps[0] + c as isize * self.steps[1]);
                let to = &mut self.to[(e * channels + c) * image.channel..][..image.channel];
                grid.rows(image, band, |place, delta, length| {
                    gather(l, self.source, moved(from, delta), step, &mut to[place..place + length]);
                });
            }
        }
        let all = self.part.examples * channels * image.channel;
        for (copy, by) in self.part.moves.by.iter().enumerate().take(self.part.moves.count).skip(1) {
            let (from, to) = self.to.split_at_mut(copy * all);
            for e in 0..self.examples {
                let channels = e * channels * image.channel..(e * channels + self.channels) * image.channel;
                let length = channels.len() - by;
                shift(l, &from[channels.clone()][*by..], &mut to[channels][..length]);
            }
        }
    }
}

/// The product of weights with runs of copies.
struct Products<'a, T> {
    /// Weights of outputs, tile by tile; of each output the first term, and the number of all.
    weights: &'a [T],
    first: usize,
    row: usize,
    outputs: usize,
    terms: &'a [usize],
    copies: &'a [T],
    /// Distance of two examples in the copies, and their number.
    example: usize,
    examples: usize,
    places: usize,
    sums: &'a mut [T],
    columns: usize,
    adds: bool,
}

impl<T: Vectored> Kernel<T> for Products<'_, T> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) -> Result<()> {
        let depth = self.terms.len();
        let farthest = self.terms.iter().max().copied().unwrap_or(0) + self.example * self.examples.saturating_sub(1);
        let reads = farthest + self.places.next_multiple_of(ROUND) <= self.copies.len();
        let weights = self.first + depth <= self.row && self.outputs * self.row <= self.weights.len();
        let fits = self.places.next_multiple_of(ROUND) <= self.columns;
        if !reads || !weights || !fits || self.examples * self.outputs * self.columns > self.sums.len() {
            return Err(Error::bug("conv", "a product outside its memory"));
        }
        let tiles = Tiles::new(self.outputs, tallest::<L>());
        let width = tiles.width::<L>() * L::WIDTH;
        // Blocks of outputs whose weights stay in the second cache.
        let group = (WEIGHTS / depth.max(1) / tallest::<L>()).max(1);
        for first in (0..tiles.count).step_by(group) {
            for e in 0..self.examples {
                for place in (0..self.places).step_by(width) {
                    let registers = (self.places - place).min(width).div_ceil(L::WIDTH);
                    for (row, height) in (first..tiles.count.min(first + group)).map(|i| tiles.tile(i)) {
                        let Some(micro) = tile::runs::<L>(height, registers) else {
                            return Err(Error::bug("conv", "no tile of this size"));
                        };
                        let tile = Runs {
                            a: self.weights.as_ptr().wrapping_add(row * self.row + self.first * height),
                            b: self.copies.as_ptr().wrapping_add(e * self.example + place),
                            terms: self.terms.as_ptr(),
                            depth,
                            c: self.sums.as_mut_ptr().wrapping_add((e * self.outputs + row) * self.columns + place),
                            c_row: self.columns,
                            adds: self.adds,
                        };
                        // SAFETY: the weights hold `depth` terms of each output, the copies whole registers from each
                        // term's place on, the sums whole registers of each output; all three were checked above.
                        unsafe { micro(l, &tile) };
                    }
                }
            }
        }
        Ok(())
    }
}

/// Changed sums without what lies between two rows, to where the result has them.
struct Crop<'a, T> {
    part: &'a Part<'a>,
    sums: &'a mut [T],
    examples: usize,
    first: usize,
    place: usize,
    results: &'a mut [T],
}

impl<T: Vectored> Kernel<T> for Crop<'_, T> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) -> Result<()> {
        let Part { s, last, grid, band, image, columns, .. } = self.part;
        let (plane, steps) = (s.places(), s.place_steps());
        let step = grid.run_step(steps) as usize;
        for (line, sums) in self.sums.chunks_exact_mut(*columns).take(self.examples * s.block).enumerate() {
            let (e, o) = (line / s.block, line % s.block);
            last.of(self.first + o)?.apply(l, sums);
            let to = &mut self.results[self.place + (e * s.outputs + o) * plane..][..plane];
            for number in 0..band.count[0] {
                let (from, at) = grid.plane(image, band, steps, number);
                let (sums, to) = (&sums[from..], &mut to[moved(0, at)..]);
                if grid.period() == 1 {
                    rows(l, (band.count[1], band.count[2]), (sums, image.row), (to, step));
                    continue;
                }
                for row in 0..band.count[1] {
                    scatter(&sums[row * image.row..][..band.count[2]], &mut to[row * step..], grid.period());
                }
            }
        }
        Ok(())
    }
}
