//! Gradients of taps: transformed tiles multiplied by transformed gradients of their sums, added up over tiles.

#![allow(unsafe_code, reason = "tiles are read and written by address")]

use super::super::tile::{self, Planes};
use super::super::{Shapes, at, spatial_steps};
use super::border::{Border, Plane};
use super::taps::{TAPS, gathered};
use super::transform::{Entries, inputs, slopes};
use super::{APART, ENTRIES, Segment, Tiling, lanes};
use crate::backend::cpu::arch::{Kernel, Lanes, Vectored, WIDEST, dispatch};
use crate::backend::cpu::kernel::{Dst, Src};
use crate::backend::cpu::matmul::Tiles;
use crate::backend::cpu::scratch;
use crate::error::{Error, Result};
use std::ops::Range;

/// Tiles at a time at most, and elements of transformed gradients of sums, about.
const TOGETHER: usize = 448;
const SLOPES: usize = 1 << 21;
/// Elements of sums, about.
const SUMS: usize = 1 << 22;

/// Every group of rows of tiles. Here examples are the channels that taps see, and channels the examples that are added up.
pub(in super::super) fn gradient<T: Vectored>(
    s: &Shapes,
    x: &Src<'_>,
    kernel: &Src<'_>,
    out: &mut Dst<'_>,
) -> Result<()> {
    let (tiling, lanes) = (Tiling::new(&s.taps), lanes::<T>());
    // A function of outputs and planes alone, since it decides the order of sums.
    let rows = tiling.most(TOGETHER.min(SLOPES / (ENTRIES * s.outputs))).min(s.channels * tiling.down);
    let row = (rows * tiling.across + lanes).next_multiple_of(APART);
    let together = (SUMS / (ENTRIES * s.outputs * lanes)).clamp(1, s.batch);
    let [inputs, slopes] = [together * row, s.outputs * row].map(|size| size + APART);
    let sums = s.outputs * together * lanes + APART;
    let border = Border::<T>::room(2 * rows.min(tiling.down) + 2, tiling.across, lanes);
    let results = out.elements::<T>()?;
    scratch::with::<T, _>(ENTRIES * (inputs + slopes + sums) + 2 * border, |memory| {
        scratch::with::<usize, _>(2 * together, |columns| {
            let (inputs_memory, memory) = memory.split_at_mut(ENTRIES * inputs);
            let (slopes_memory, memory) = memory.split_at_mut(ENTRIES * slopes);
            let (sums_memory, memory) = memory.split_at_mut(ENTRIES * sums);
            let (first, second) = memory.split_at_mut(border);
            let (inputs_at, sums_at) = columns.split_at_mut(together);
            for (i, (from, to)) in inputs_at.iter_mut().zip(&mut *sums_at).enumerate() {
                (*from, *to) = (i * row, i);
            }
            let (input, [_, down, across]) = (x.elements::<T>()?, spatial_steps(kernel));
            let slopes_plane = Plane {
                source: kernel.elements::<T>()?,
                first: 0,
                size: [s.taps[1].0, s.taps[2].0],
                steps: [down, across],
                low: [0, 0],
            };
            dispatch(Gradient {
                s,
                x: (x, input),
                kernel,
                results,
                tiling,
                rows,
                inputs: Entries { memory: inputs_memory, pitch: inputs },
                slopes: Entries { memory: slopes_memory, pitch: slopes },
                sums: Entries { memory: sums_memory, pitch: sums },
                inputs_at,
                sums_at,
                row,
                slopes_plane,
                borders: [first, second],
            })
        })
    })
}

struct Gradient<'a, T> {
    s: &'a Shapes,
    x: (&'a Src<'a>, &'a [T]),
    kernel: &'a Src<'a>,
    results: &'a mut [T],
    tiling: Tiling,
    /// Rows of tiles at a time.
    rows: usize,
    inputs: Entries<'a, T>,
    slopes: Entries<'a, T>,
    /// A register for each output and channel.
    sums: Entries<'a, T>,
    /// Where each channel begins in an entry of inputs, and in an output's sums, in registers.
    inputs_at: &'a [usize],
    sums_at: &'a [usize],
    /// Elements of a channel or an output of tiles.
    row: usize,
    /// A plane of the gradient of sums, from the first of all elements.
    slopes_plane: Plane<'a, T>,
    borders: [&'a mut [T]; 2],
}

impl<T: Vectored> Kernel<T> for Gradient<'_, T> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(mut self, l: L) -> Result<()> {
        let [first, second] = std::mem::take(&mut self.borders);
        let inputs = Plane::of(self.s, self.x.1, 0);
        let across = self.tiling.across;
        let mut borders = [Border::new(l, first, &inputs, across), Border::new(l, second, &self.slopes_plane, across)];
        let together = self.inputs_at.len();
        for first in (0..self.s.batch).step_by(together) {
            let channels = first..self.s.batch.min(first + together);
            for rows in self.tiling.groups(self.s.channels, self.rows) {
                for segment in self.tiling.segments(rows.clone()) {
                    self.transform(l, channels.clone(), &segment, &mut borders);
                }
                let count = rows.len() * self.tiling.across;
                self.end(l, count);
                self.multiply(l, channels.len(), count, rows.start > 0)?;
            }
            self.store(l, channels);
        }
        Ok(())
    }
}

impl<T: Vectored> Gradient<'_, T> {
    /// Rows of tiles of one example.
    #[inline(always)]
    fn transform<L: Lanes<Elem = T>>(
        &mut self,
        l: L,
        channels: Range<usize>,
        segment: &Segment,
        [first, second]: &mut [Border<'_, T>; 2],
    ) {
        let (s, across) = (self.s, self.tiling.across);
        for (number, c) in channels.enumerate() {
            let plane = Plane::of(s, self.x.1, at(self.x.0, [c, segment.example]));
            let rows = first.rows(&plane, 2 * segment.row, 2 * segment.count + 2);
            let mut to = self.inputs.from(number * self.row + segment.before);
            inputs(l, &rows, (segment.count, across), &mut to);
        }
        for o in 0..s.outputs {
            let plane = Plane { first: at(self.kernel, [o, segment.example]), ..self.slopes_plane };
            let rows = second.rows(&plane, 2 * segment.row, 2 * segment.count);
            let mut to = self.slopes.from(o * self.row + segment.before);
            slopes(l, &rows, (segment.count, across), &mut to);
        }
    }

    /// Zeros behind the last tile, up to a whole register.
    #[inline(always)]
    fn end<L: Lanes<Elem = T>>(&mut self, l: L, count: usize) {
        for entries in [&mut self.inputs, &mut self.slopes] {
            for entry in entries.memory.chunks_exact_mut(entries.pitch) {
                for row in entry.chunks_exact_mut(self.row) {
                    l.store(l.constant(0.0), &mut row[count..]);
                }
            }
        }
    }

    /// For each entry what outputs and channels have to do with each other, lane by lane.
    #[inline(always)]
    fn multiply<L: Lanes<Elem = T>>(&mut self, l: L, channels: usize, count: usize, adds: bool) -> Result<()> {
        let run = count.next_multiple_of(L::WIDTH);
        let (row, outputs) = (self.row, self.s.outputs);
        let fits = run <= row && outputs * row <= self.slopes.pitch && channels * row <= self.inputs.pitch;
        if !fits || outputs * channels * L::WIDTH > self.sums.pitch {
            return Err(Error::bug("conv", "a product outside its memory"));
        }
        let (height, width) = tile::largest_planes::<L>();
        let (tiles, columns) = (Tiles::new(outputs, height), Tiles::new(channels, width));
        for entry in 0..ENTRIES {
            let (slopes, inputs) = (self.slopes.entry(entry), self.inputs.entry(entry));
            let sums = self.sums.entry(entry);
            for (output, height) in (0..tiles.count).map(|i| tiles.tile(i)) {
                for (column, width) in (0..columns.count).map(|i| columns.tile(i)) {
                    let Some(micro) = tile::planes::<L>(height, width) else {
                        return Err(Error::bug("conv", "no tile of this size"));
                    };
                    let tile = Planes {
                        a: slopes[output * row..].as_ptr(),
                        a_row: row,
                        b: inputs.as_ptr(),
                        b_channel: 0,
                        b_columns: self.inputs_at[column..].as_ptr(),
                        channels: 1,
                        run,
                        c: sums[output * channels * L::WIDTH..].as_mut_ptr(),
                        c_row: channels * L::WIDTH,
                        c_columns: self.sums_at[column..].as_ptr(),
                        adds,
                    };
                    // SAFETY: each entry has whole registers of every output and channel up to `run`, and a register of
                    // sums for each pair, as was checked above.
                    unsafe { micro(l, &tile) };
                }
            }
        }
        Ok(())
    }

    /// Lanes added up, to where the result has them.
    #[inline(always)]
    fn store<L: Lanes<Elem = T>>(&mut self, l: L, channels: Range<usize>) {
        let (s, sums) = (self.s, &self.sums);
        let mut lanes = [T::round_from(0.0); WIDEST];
        for o in 0..s.outputs {
            for (number, c) in channels.clone().enumerate() {
                let mut entries = [l.constant(0.0); ENTRIES];
                for (i, entry) in entries.iter_mut().enumerate() {
                    *entry = l.load(&sums.memory[i * sums.pitch + (o * channels.len() + number) * L::WIDTH..]);
                }
                let to = &mut self.results[(c * s.outputs + o) * TAPS..][..TAPS];
                for (to, sum) in to.iter_mut().zip(gathered(l, &entries)) {
                    l.store(sum, &mut lanes);
                    *to = lanes[..L::WIDTH].iter().fold(T::round_from(0.0), |sum, &lane| sum.merge(lane));
                }
            }
        }
    }
}
