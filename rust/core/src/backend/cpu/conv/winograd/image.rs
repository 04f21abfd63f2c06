//! Planes of a register of channels as tiles read and write them: place after place, the channels of each side by side.

#![allow(unsafe_code, reason = "blocks are turned by address")]

use super::super::grid::moved;
use super::super::last::Change;
use super::super::{Shapes, at, spatial_steps, steps};
use crate::backend::cpu::arch::{Lanes, WIDEST};
use crate::backend::cpu::element::Float;
use crate::backend::cpu::kernel::Src;

/// A register of channels of one example, fewer where there are no more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planes<'a, T> {
    pub(super) source: &'a [T],
    /// First element of the first channel, and the distance of channels.
    pub(super) first: usize,
    pub(super) step: isize,
    pub(super) channels: usize,
    /// Rows and columns, and their distances in memory.
    pub(super) size: [usize; 2],
    pub(super) steps: [isize; 2],
    /// Width of the border of zeros above and to the left; negative where rows and columns are left out.
    pub(super) low: [isize; 2],
}

impl<'a, T> Planes<'a, T> {
    /// Channels of the input of a convolution, which lie along an axis, from these indices on.
    pub(super) fn of(s: &Shapes, x: (&Src<'_>, &'a [T]), first: [usize; 2], axis: usize, channels: usize) -> Self {
        let [_, (down, row), (across, column)] = s.input;
        let [_, above, left] = s.low;
        Self {
            source: x.1,
            first: at(x.0, first),
            step: steps(x.0)[axis],
            channels,
            size: [down, across],
            steps: [row, column],
            low: [above, left],
        }
    }

    /// Outputs of the gradient of sums, which take the place of taps, from these indices on.
    pub(super) fn of_sums(s: &Shapes, sums: (&Src<'_>, &'a [T]), first: [usize; 2], outputs: usize) -> Self {
        let [_, down, across] = spatial_steps(sums.0);
        Self {
            source: sums.1,
            first: at(sums.0, first),
            step: steps(sums.0)[0],
            channels: outputs,
            size: [s.taps[1].0, s.taps[2].0],
            steps: [down, across],
            low: [0, 0],
        }
    }
}

/// Rows of places. Lanes of channels that do not exist hold no particular number.
#[derive(Debug)]
pub(super) struct Image<'a, T> {
    places: &'a mut [T],
    /// Places of a row.
    width: usize,
}

impl<'a, T: Float> Image<'a, T> {
    pub(super) fn new(places: &'a mut [T], width: usize) -> Self {
        Self { places, width }
    }

    /// Elements of memory for so many rows: a block that ends behind the last place is whole.
    pub(super) fn room(rows: usize, width: usize, lanes: usize) -> usize {
        (rows * width + lanes) * lanes
    }

    /// Whether rows have so many columns, and memory room for so many rows.
    #[inline(always)]
    pub(super) fn holds(&self, [rows, columns]: [usize; 2], lanes: usize) -> bool {
        columns <= self.width && Self::room(rows, self.width, lanes) <= self.places.len()
    }

    /// Channels of a place.
    ///
    /// # Safety
    /// The image holds the row, and has the column.
    #[inline(always)]
    pub(super) unsafe fn place<L: Lanes<Elem = T>>(&self, l: L, row: usize, column: usize) -> L::V {
        // SAFETY: the caller promises the place.
        unsafe { l.load_ptr(self.places.as_ptr().add((row * self.width + column) * L::WIDTH)) }
    }

    /// Set the channels of a place; a column that the image does not have is left out.
    ///
    /// # Safety
    /// The image holds the row.
    #[inline(always)]
    pub(super) unsafe fn set<L: Lanes<Elem = T>>(&mut self, l: L, row: usize, column: usize, x: L::V) {
        if column < self.width {
            // SAFETY: the caller promises the row, of which this is a column.
            unsafe { l.store_ptr(x, self.places.as_mut_ptr().add((row * self.width + column) * L::WIDTH)) };
        }
    }

    /// So many rows of planes with their border, from one of these on.
    #[inline(always)]
    pub(super) fn bring<L: Lanes<Elem = T>>(&mut self, l: L, planes: &Planes<'_, T>, row: usize, count: usize) {
        let column = |at: isize| at.clamp(0, self.width as isize) as usize;
        let end = column(planes.size[1] as isize + planes.low[1]);
        let begin = column(planes.low[1]).min(end);
        let zero = T::round_from(0.0);
        for number in 0..count {
            let (y, line) = ((row + number) as isize - planes.low[0], number * self.width);
            if y < 0 || y >= planes.size[0] as isize || begin == end {
                self.places[line * L::WIDTH..][..self.width * L::WIDTH].fill(zero);
                continue;
            }
            let from = y * planes.steps[0] + (begin as isize - planes.low[1]) * planes.steps[1];
            self.places[line * L::WIDTH..(line + begin) * L::WIDTH].fill(zero);
            self.turn(l, planes, moved(planes.first, from), line + begin, end - begin);
            self.places[(line + end) * L::WIDTH..][..(self.width - end) * L::WIDTH].fill(zero);
        }
    }

    /// So many places of a row of planes, to where they go here. What is written behind them is no more of any number.
    #[inline(always)]
    fn turn<L: Lanes<Elem = T>>(&mut self, l: L, planes: &Planes<'_, T>, from: usize, to: usize, count: usize) {
        for first in (0..count).step_by(L::WIDTH) {
            let block = &mut self.places[(to + first) * L::WIDTH..][..L::WIDTH * L::WIDTH];
            let last = moved(from + first, (L::WIDTH - 1) as isize * planes.step).saturating_add(L::WIDTH);
            if planes.steps[1] == 1 && planes.step >= 0 && last <= planes.source.len() {
                // SAFETY: the rows of the block end at `last` in the slice, and `block` has room for them.
                unsafe {
                    let from = planes.source.as_ptr().add(from + first);
                    l.transpose_ptr(from, planes.step, block.as_mut_ptr(), L::WIDTH as isize);
                }
                continue;
            }
            for (number, place) in block.chunks_exact_mut(L::WIDTH).take(count - first).enumerate() {
                let from = moved(from, (first + number) as isize * planes.steps[1]);
                for (channel, slot) in place[..planes.channels.min(L::WIDTH)].iter_mut().enumerate() {
                    *slot = planes.source[moved(from, channel as isize * planes.step)];
                }
            }
        }
    }

    /// So many places, changed, to planes that lie `plane` apart.
    #[inline(always)]
    pub(super) fn send<L: Lanes<Elem = T>>(
        &self,
        l: L,
        places: usize,
        changes: &[Change<T>],
        to: &mut [T],
        plane: usize,
    ) {
        let mut block = [T::round_from(0.0); WIDEST * WIDEST];
        for first in (0..places).step_by(L::WIDTH) {
            l.transpose(&self.places[first * L::WIDTH..], L::WIDTH, &mut block, L::WIDTH);
            let count = L::WIDTH.min(places - first);
            for (channel, change) in changes.iter().enumerate() {
                let x = change.of(l, l.load(&block[channel * L::WIDTH..]));
                let to = &mut to[channel * plane + first..][..count];
                if count == L::WIDTH { l.store(x, to) } else { l.store_part(x, to) }
            }
        }
    }
}
