//! Sums over taps: transformed tiles multiplied by transformed taps.

use super::super::last::Last;
use super::super::{Shapes, at, spatial_steps, steps};
use super::image::{Image, Planes};
use super::product::{Panels, Product};
use super::taps::Taps;
use super::transform::{Entries, inputs, sums};
use super::{APART, ENTRIES, Segment, Tiling, apart, lanes};
use crate::backend::cpu::arch::{Kernel, Lanes, Vectored, WIDEST, dispatch};
use crate::backend::cpu::kernel::{Dst, Src};
use crate::backend::cpu::scratch;
use crate::error::Result;
use std::ops::Range;

/// Transformed taps at a time, about, so that they take little memory.
const TAPS: usize = 1 << 22;
/// Elements of transformed tiles and of their sums that stay near, about.
const TOGETHER: usize = 96 * 1024;
/// Tiles at a time at least, for which all transformed taps are read once.
const FEWEST: usize = 64;

/// Every group of rows of tiles.
pub(in super::super) fn forward<T: Vectored>(
    s: &Shapes,
    x: &Src<'_>,
    kernel: &Src<'_>,
    last: &Last<'_>,
    out: &mut Dst<'_>,
) -> Result<()> {
    let (tiling, lanes) = (Tiling::new(&s.places), lanes::<T>());
    let together = (TAPS / (ENTRIES * s.channels)).max(WIDEST) / WIDEST * WIDEST;
    let together = together.min(s.outputs);
    let most = (TOGETHER / (ENTRIES * (s.channels + together))).max(FEWEST);
    let rows = tiling.most(most).min(s.batch * tiling.down);
    let tiles = rows * tiling.across;
    let [tile, row] = [s.channels, together].map(|count| apart(count, lanes));
    let taps = together.next_multiple_of(lanes) * s.channels;
    let [taps, tiles, sums] = [taps, tile * tiles, row * tiles].map(|size| size.next_multiple_of(lanes) + APART);
    let highest = 2 * rows.min(tiling.down) + 2;
    let image = Image::<T>::room(highest, 2 * tiling.across + 2, lanes);
    let results = out.elements::<T>()?;
    scratch::with::<T, _>(ENTRIES * (taps + tiles + sums) + image, |memory| {
        let (taps_memory, memory) = memory.split_at_mut(ENTRIES * taps);
        let (tiles_memory, memory) = memory.split_at_mut(ENTRIES * tiles);
        let (sums_memory, image) = memory.split_at_mut(ENTRIES * sums);
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
            weights: Entries { memory: taps_memory, pitch: taps },
            tiles: Entries { memory: tiles_memory, pitch: tiles },
            tile,
            sums: Entries { memory: sums_memory, pitch: sums },
            row,
            image,
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
    weights: Entries<'a, T>,
    /// Channels of tile after tile, `tile` apart.
    tiles: Entries<'a, T>,
    tile: usize,
    /// Outputs of tile after tile, `row` apart.
    sums: Entries<'a, T>,
    row: usize,
    image: &'a mut [T],
}

impl<T: Vectored> Kernel<T> for Forward<'_, T> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(mut self, l: L) -> Result<()> {
        for first in (0..self.s.outputs).step_by(self.together) {
            let outputs = first..self.s.outputs.min(first + self.together);
            let panels = Panels::new::<L>(outputs.len(), self.s.channels);
            self.taps(&outputs).transform(l, panels, &mut self.weights);
            for rows in self.tiling.groups(self.s.batch, self.rows) {
                for segment in self.tiling.segments(rows.clone()) {
                    self.transform(l, &segment);
                }
                let product = Product {
                    left: &self.tiles,
                    steps: [self.tile, 1],
                    right: &self.weights,
                    panels,
                    sums: &mut self.sums,
                    row: self.row,
                    rows: rows.len() * self.tiling.across,
                    terms: self.s.channels,
                    adds: false,
                };
                product.run(l)?;
                for segment in self.tiling.segments(rows) {
                    self.store(l, outputs.clone(), &segment)?;
                }
            }
        }
        Ok(())
    }
}

impl<'a, T: Vectored> Forward<'a, T> {
    /// Those of some outputs.
    fn taps(&self, outputs: &Range<usize>) -> Taps<'a, T> {
        let ((kernel, source), [_, down, across]) = (self.kernel, spatial_steps(self.kernel.0));
        let [output_step, channel_step] = steps(kernel);
        Taps {
            source,
            first: at(kernel, [outputs.start, 0]),
            steps: [output_step, channel_step, down, across],
            outputs: outputs.len(),
            channels: self.s.channels,
        }
    }

    /// Rows of tiles of every channel of an example.
    #[inline(always)]
    fn transform<L: Lanes<Elem = T>>(&mut self, l: L, segment: &Segment) {
        let mut image = Image::new(self.image, 2 * self.tiling.across + 2);
        for channel in (0..self.s.channels).step_by(L::WIDTH) {
            let planes = Planes::of(self.s, self.x, [segment.example, channel], 1, self.s.channels - channel);
            image.bring(l, &planes, 2 * segment.row, 2 * segment.count + 2);
            let column = segment.column(self.tiling, channel, self.tile);
            inputs(l, &image, column, &mut self.tiles);
        }
    }

    /// Sums of an example, changed, to where the result has them.
    #[inline(always)]
    fn store<L: Lanes<Elem = T>>(&mut self, l: L, outputs: Range<usize>, segment: &Segment) -> Result<()> {
        let (s, first) = (self.s, 2 * segment.row);
        let [_, (down, _), (across, _)] = s.places;
        let places = (2 * segment.count).min(down - first) * across;
        let mut image = Image::new(self.image, across);
        let mut changes = [self.last.of(outputs.start)?; WIDEST];
        for number in (0..outputs.len()).step_by(L::WIDTH) {
            sums(l, &self.sums, segment.column(self.tiling, number, self.row), &mut image);
            let output = outputs.start + number;
            let changes = &mut changes[..L::WIDTH.min(outputs.end - output)];
            for (i, change) in changes.iter_mut().enumerate() {
                *change = self.last.of(output + i)?;
            }
            let to = &mut self.results[((segment.example * s.outputs + output) * down + first) * across..];
            image.send(l, places, changes, to, down * across);
        }
        Ok(())
    }
}
