//! Gradients of taps: transformed tiles multiplied by transformed gradients of their sums, added up over tiles.

use super::super::Shapes;
use super::image::{Image, Planes};
use super::product::{Panels, Product};
use super::taps::{TAPS, gathered};
use super::transform::{Entries, inputs, slopes};
use super::{APART, ENTRIES, Segment, Tiling, apart, lanes};
use crate::backend::cpu::arch::{Kernel, Lanes, Vectored, WIDEST, dispatch};
use crate::backend::cpu::kernel::{Dst, Src};
use crate::backend::cpu::scratch;
use crate::error::Result;
use std::ops::Range;

/// Elements of transformed gradients of sums that stay near, about, and tiles at a time at least and at most.
const SLOPES: usize = 1 << 17;
const TOGETHER: [usize; 2] = [64, 256];
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
    let most = (SLOPES / (ENTRIES * s.outputs)).clamp(TOGETHER[0], TOGETHER[1]);
    let rows = tiling.most(most).min(s.channels * tiling.down);
    let tiles = rows * tiling.across;
    let outputs = s.outputs.next_multiple_of(lanes);
    let together = (SUMS / (ENTRIES * outputs)).clamp(1, s.batch);
    let tile = apart(together, lanes);
    let [inputs, slopes, sums] = [tile * tiles, outputs * tiles, together * outputs].map(|size| size + APART);
    let image = Image::<T>::room(2 * rows.min(tiling.down) + 2, 2 * tiling.across + 2, lanes);
    let results = out.elements::<T>()?;
    scratch::with::<T, _>(ENTRIES * (inputs + slopes + sums) + image, |memory| {
        let (inputs_memory, memory) = memory.split_at_mut(ENTRIES * inputs);
        let (slopes_memory, memory) = memory.split_at_mut(ENTRIES * slopes);
        let (sums_memory, image) = memory.split_at_mut(ENTRIES * sums);
        dispatch(Gradient {
            s,
            x: (x, x.elements::<T>()?),
            kernel: (kernel, kernel.elements::<T>()?),
            results,
            tiling,
            rows,
            together,
            inputs: Entries { memory: inputs_memory, pitch: inputs },
            tile,
            slopes: Entries { memory: slopes_memory, pitch: slopes },
            sums: Entries { memory: sums_memory, pitch: sums },
            row: outputs,
            image,
        })
    })
}

struct Gradient<'a, T> {
    s: &'a Shapes,
    x: (&'a Src<'a>, &'a [T]),
    kernel: (&'a Src<'a>, &'a [T]),
    results: &'a mut [T],
    tiling: Tiling,
    /// Rows of tiles at a time, and channels.
    rows: usize,
    together: usize,
    /// Channels of tile after tile, `tile` apart.
    inputs: Entries<'a, T>,
    tile: usize,
    /// Outputs of tile after tile, in panels.
    slopes: Entries<'a, T>,
    /// Outputs of channel after channel, `row` apart.
    sums: Entries<'a, T>,
    row: usize,
    image: &'a mut [T],
}

impl<T: Vectored> Kernel<T> for Gradient<'_, T> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(mut self, l: L) -> Result<()> {
        let panels = Panels::new::<L>(self.s.outputs, self.rows * self.tiling.across);
        for first in (0..self.s.batch).step_by(self.together) {
            let channels = first..self.s.batch.min(first + self.together);
            for rows in self.tiling.groups(self.s.channels, self.rows) {
                for segment in self.tiling.segments(rows.clone()) {
                    self.transform(l, &channels, panels, &segment);
                }
                let product = Product {
                    left: &self.inputs,
                    steps: [1, self.tile],
                    right: &self.slopes,
                    panels,
                    sums: &mut self.sums,
                    row: self.row,
                    rows: channels.len(),
                    terms: rows.len() * self.tiling.across,
                    adds: rows.start > 0,
                };
                product.run(l)?;
            }
            self.store(l, channels);
        }
        Ok(())
    }
}

impl<T: Vectored> Gradient<'_, T> {
    /// Rows of tiles of one example.
    #[inline(always)]
    fn transform<L: Lanes<Elem = T>>(&mut self, l: L, channels: &Range<usize>, panels: Panels, segment: &Segment) {
        let s = self.s;
        let mut image = Image::new(self.image, 2 * self.tiling.across + 2);
        for number in (0..channels.len()).step_by(L::WIDTH) {
            let first = [channels.start + number, segment.example];
            let planes = Planes::of(s, self.x, first, 0, channels.len() - number);
            image.bring(l, &planes, 2 * segment.row, 2 * segment.count + 2);
            inputs(l, &image, segment.column(self.tiling, number, self.tile), &mut self.inputs);
        }
        let mut image = Image::new(self.image, 2 * self.tiling.across);
        for (output, first, step) in panels.registers::<L>() {
            let planes = Planes::of_sums(s, self.kernel, [output, segment.example], s.outputs - output);
            image.bring(l, &planes, 2 * segment.row, 2 * segment.count);
            slopes(l, &image, segment.column(self.tiling, first, step), &mut self.slopes);
        }
    }

    /// Taps of all outputs and some channels, to where the result has them.
    #[inline(always)]
    fn store<L: Lanes<Elem = T>>(&mut self, l: L, channels: Range<usize>) {
        let (outputs, sums) = (self.s.outputs, &self.sums);
        let mut lanes = [T::round_from(0.0); WIDEST];
        for (number, c) in channels.enumerate() {
            for first in (0..outputs).step_by(L::WIDTH) {
                let mut entries = [l.constant(0.0); ENTRIES];
                for (i, entry) in entries.iter_mut().enumerate() {
                    *entry = l.load(&sums.memory[i * sums.pitch + number * self.row + first..]);
                }
                let to = &mut self.results[(c * outputs + first) * TAPS..];
                for (tap, sum) in gathered(l, &entries).into_iter().enumerate() {
                    l.store(sum, &mut lanes);
                    for (taps, &lane) in to.chunks_exact_mut(TAPS).zip(&lanes[..L::WIDTH.min(outputs - first)]) {
                        taps[tap] = lane;
                    }
                }
            }
        }
    }
}
