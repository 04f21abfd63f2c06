//! Sums over taps: transformed tiles multiplied by transformed taps.

#![allow(unsafe_code, reason = "tiles are read and written by address")]

use super::super::last::Last;
use super::super::tile::{self, Runs};
use super::super::{Shapes, at, spatial_steps, steps};
use super::border::{Border, Plane};
use super::taps::Taps;
use super::transform::{Entries, inputs, sums};
use super::{APART, ENTRIES, Segment, Tiling, lanes};
use crate::backend::cpu::arch::{Kernel, Lanes, Vectored, dispatch};
use crate::backend::cpu::kernel::{Dst, Src};
use crate::backend::cpu::matmul::{Tiles, tallest};
use crate::backend::cpu::scratch;
use crate::error::{Error, Result};
use std::ops::Range;

/// Transformed taps at a time, about, so that they take little memory.
const TAPS: usize = 1 << 22;
/// Elements of transformed tiles and of their sums that stay near, about.
const TOGETHER: usize = 96 * 1024;
/// Tiles at a time at least, for which all transformed taps are read once.
const FEWEST: usize = 64;
/// Registers of every width end at multiples of this.
const ROUND: usize = 128;

/// Every group of rows of tiles.
pub(in super::super) fn forward<T: Vectored>(
    s: &Shapes,
    x: &Src<'_>,
    kernel: &Src<'_>,
    last: &Last<'_>,
    out: &mut Dst<'_>,
) -> Result<()> {
    let (tiling, lanes) = (Tiling::new(&s.places), lanes::<T>());
    let together = (TAPS / (ENTRIES * s.channels)).clamp(1, s.outputs);
    let tiles = (TOGETHER / (ENTRIES * (s.channels + together))).max(FEWEST);
    let rows = tiling.most(tiles).min(s.batch * tiling.down);
    let row = (rows * tiling.across + lanes).next_multiple_of(APART);
    let [taps, tiles, sums] = [together * s.channels, s.channels * row, together * row].map(|size| size + APART);
    let border = Border::<T>::room(2 * rows.min(tiling.down) + 2, tiling.across, lanes);
    let results = out.elements::<T>()?;
    let all = ENTRIES * (taps + tiles + sums) + ROUND + border;
    scratch::with::<T, _>(all, |memory| {
        scratch::with::<usize, _>(s.channels, |terms| {
            terms.iter_mut().enumerate().for_each(|(c, term)| *term = c * row);
            let (taps_memory, memory) = memory.split_at_mut(ENTRIES * taps);
            let (tiles_memory, memory) = memory.split_at_mut(ENTRIES * tiles);
            let (sums_memory, border) = memory.split_at_mut(ENTRIES * sums + ROUND);
            let input = x.elements::<T>()?;
            dispatch(Forward {
                s,
                x: (x, input),
                kernel: (kernel, kernel.elements::<T>()?),
                last,
                results,
                tiling,
                rows,
                together,
                terms,
                weights: Entries { memory: taps_memory, pitch: taps },
                tiles: Entries { memory: tiles_memory, pitch: tiles },
                sums: Entries { memory: sums_memory, pitch: sums },
                row,
                border,
            })
        })
    })
}

struct Forward<'a, T> {
    s: &'a Shapes,
    x: (&'a Src<'a>, &'a [T]),
    kernel: (&'a Src<'a>, &'a [T]),
    last: &'a Last<'a>,
    results: &'a mut [T],
    tiling: Tiling,
    /// Rows of tiles at a time, and outputs.
    rows: usize,
    together: usize,
    /// Where the tiles of each channel begin in an entry.
    terms: &'a [usize],
    weights: Entries<'a, T>,
    tiles: Entries<'a, T>,
    sums: Entries<'a, T>,
    /// Elements of a channel of tiles, and of an output of sums.
    row: usize,
    border: &'a mut [T],
}

impl<T: Vectored> Kernel<T> for Forward<'_, T> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(mut self, l: L) -> Result<()> {
        let plane = Plane::of(self.s, self.x.1, 0);
        let mut border = Border::new(l, std::mem::take(&mut self.border), &plane, self.tiling.across);
        for first in (0..self.s.outputs).step_by(self.together) {
            let outputs = first..self.s.outputs.min(first + self.together);
            let tiles = Tiles::new(outputs.len(), tallest::<L>());
            self.taps(first).transform(l, tiles, &mut self.weights);
            for rows in self.tiling.groups(self.s.batch, self.rows) {
                for segment in self.tiling.segments(rows.clone()) {
                    self.transform(l, &segment, &mut border);
                }
                self.multiply(l, (tiles, outputs.len()), rows.len() * self.tiling.across)?;
                for segment in self.tiling.segments(rows) {
                    self.store(l, outputs.clone(), &segment)?;
                }
            }
        }
        Ok(())
    }
}

impl<'a, T: Vectored> Forward<'a, T> {
    /// Those of outputs from one on.
    fn taps(&self, output: usize) -> Taps<'a, T> {
        let ((kernel, source), [_, down, across]) = (self.kernel, spatial_steps(self.kernel.0));
        let [output_step, channel_step] = steps(kernel);
        Taps {
            source,
            first: at(kernel, [output, 0]),
            steps: [output_step, channel_step, down, across],
            channels: self.s.channels,
        }
    }

    /// Rows of tiles of every channel of an example.
    #[inline(always)]
    fn transform<L: Lanes<Elem = T>>(&mut self, l: L, segment: &Segment, border: &mut Border<'_, T>) {
        for c in 0..self.s.channels {
            let plane = Plane::of(self.s, self.x.1, at(self.x.0, [segment.example, c]));
            let rows = border.rows(&plane, 2 * segment.row, 2 * segment.count + 2);
            let mut to = self.tiles.from(c * self.row + segment.before);
            inputs(l, &rows, (segment.count, self.tiling.across), &mut to);
        }
    }

    /// For each entry the product of taps, outputs x channels, with channels x tiles.
    #[inline(always)]
    fn multiply<L: Lanes<Elem = T>>(&mut self, l: L, (rows, outputs): (Tiles, usize), count: usize) -> Result<()> {
        let (row, width) = (self.row, rows.width::<L>() * L::WIDTH);
        let depth = self.terms.len();
        let fits = depth * outputs <= self.weights.pitch && count.next_multiple_of(L::WIDTH) <= row;
        if !fits || depth * row > self.tiles.pitch || outputs * row > self.sums.pitch {
            return Err(Error::bug("conv", "a product outside its memory"));
        }
        for entry in 0..ENTRIES {
            let (taps, tiles) = (self.weights.entry(entry), self.tiles.entry(entry));
            let sums = self.sums.entry(entry);
            for column in (0..count).step_by(width) {
                let registers = (count - column).min(width).div_ceil(L::WIDTH);
                for (first, height) in (0..rows.count).map(|i| rows.tile(i)) {
                    let Some(micro) = tile::runs::<L>(height, registers) else {
                        return Err(Error::bug("conv", "no tile of this size"));
                    };
                    let tile = Runs {
                        a: taps[first * depth..].as_ptr(),
                        b: tiles[column..].as_ptr(),
                        terms: self.terms.as_ptr(),
                        depth,
                        c: sums[first * row + column..].as_mut_ptr(),
                        c_row: row,
                        adds: false,
                    };
                    // SAFETY: each entry has `depth` taps of every output, and whole registers up to the last tile of
                    // every channel and output, as was checked above.
                    unsafe { micro(l, &tile) };
                }
            }
        }
        Ok(())
    }

    /// Sums of an example, changed, to where the result has them.
    #[inline(always)]
    fn store<L: Lanes<Elem = T>>(&mut self, l: L, outputs: Range<usize>, segment: &Segment) -> Result<()> {
        let (s, first) = (self.s, 2 * segment.row);
        let [_, (down, _), (across, _)] = s.places;
        for (number, o) in outputs.enumerate() {
            let from = (&self.sums.memory[number * self.row + segment.before..], self.sums.pitch);
            let to = &mut self.results[((segment.example * s.outputs + o) * down + first) * across..];
            let to = &mut to[..(2 * segment.count).min(down - first) * across];
            sums(l, from, (segment.count, self.tiling.across), self.last.of(o)?, across, to);
        }
        Ok(())
    }
}
