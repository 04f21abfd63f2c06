//! Planes of a convolution as tiles read them: with a border, even columns apart from odd ones.

#![allow(unsafe_code, reason = "registers are read by address")]

use super::super::Shapes;
use super::super::grid::moved;
use crate::backend::cpu::arch::Lanes;
use crate::backend::cpu::element::Float;

/// Elements of one channel of one example, with a border of zeros.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plane<'a, T> {
    pub(super) source: &'a [T],
    pub(super) first: usize,
    /// Rows and columns, and their distances in memory.
    pub(super) size: [usize; 2],
    pub(super) steps: [isize; 2],
    /// Width of the border above and to the left; negative where rows and columns are left out.
    pub(super) low: [isize; 2],
}

impl<'a, T> Plane<'a, T> {
    /// The input of a convolution, from the first element of a channel of an example.
    pub(super) fn of(s: &Shapes, source: &'a [T], first: usize) -> Self {
        let [_, (down, row), (across, column)] = s.input;
        let [_, above, left] = s.low;
        Self { source, first, size: [down, across], steps: [row, column], low: [above, left] }
    }

    /// Which of so many columns of the plane with its border are elements: the first, the one behind the last.
    fn inside(&self, columns: usize) -> (usize, usize) {
        let place = |at: isize| at.clamp(0, columns as isize) as usize;
        let end = place(self.size[1] as isize + self.low[1]);
        (place(self.low[1]).min(end), end)
    }
}

/// How planes that are as wide and have one border are read.
#[derive(Debug)]
pub(super) struct Border<'a, T> {
    /// All bits for each column that is an element, none for each of the border.
    mask: &'a mut [T],
    /// Rows whose elements are no neighbours in memory.
    copy: &'a mut [T],
}

/// Some rows of a plane with its border, those of which that are elements from `first` to `end`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows<'a, T> {
    mask: &'a [T],
    source: &'a [T],
    /// Where the first of the border's columns in row `first` would be.
    begin: usize,
    step: isize,
    first: usize,
    end: usize,
}

impl<'a, T: Float> Border<'a, T> {
    /// Columns that tiles see, and with them the last register.
    fn columns(across: usize, lanes: usize) -> usize {
        (2 * across.max(lanes) + 2).next_multiple_of(lanes)
    }

    /// Elements of memory for so many rows of so many tiles.
    pub(super) fn room(rows: usize, across: usize, lanes: usize) -> usize {
        (rows + 1) * Self::columns(across, lanes)
    }

    #[inline(always)]
    pub(super) fn new<L: Lanes<Elem = T>>(l: L, memory: &'a mut [T], plane: &Plane<'_, T>, across: usize) -> Self {
        let (zero, bits) = (l.constant(0.0), 8 * size_of::<T>() as i32);
        let all = l.sub_bits(zero, l.shift_right(l.constant(-0.0), bits - 1));
        let (mask, copy) = memory.split_at_mut(Self::columns(across, L::WIDTH));
        let (first, end) = plane.inside(mask.len());
        mask.fill(T::round_from(0.0));
        mask[first..end].fill(T::round_from(1.0));
        for mask in mask.chunks_exact_mut(L::WIDTH) {
            l.store(l.select(l.lt(zero, l.load(mask)), all, zero), mask);
        }
        Self { mask, copy }
    }

    /// So many rows, from one of the border on.
    #[inline(always)]
    pub(super) fn rows<'b>(&'b mut self, plane: &Plane<'b, T>, row: usize, count: usize) -> Rows<'b, T> {
        let place = |at: isize| (at - row as isize).clamp(0, count as isize) as usize;
        let (first, end) = (place(plane.low[0]), place(plane.low[0] + plane.size[0] as isize));
        let start = moved(plane.first, ((row + first) as isize - plane.low[0]) * plane.steps[0]);
        let rows = Rows { mask: self.mask, source: plane.source, begin: 0, step: plane.steps[0], first, end };
        if first >= end {
            return rows;
        }
        let begin = moved(start, -plane.low[1]);
        let last = moved(begin, (end - first - 1) as isize * plane.steps[0]);
        let fits = begin.max(last).saturating_add(self.mask.len()) <= plane.source.len();
        // Elements beside rows are other numbers, which the mask takes away; at the ends of memory there are none.
        if plane.steps[1] == 1 && fits {
            return Rows { begin, ..rows };
        }
        let (left, right) = plane.inside(self.mask.len());
        for (number, line) in self.copy.chunks_exact_mut(self.mask.len()).take(end - first).enumerate() {
            let row = moved(start, number as isize * plane.steps[0]);
            for (column, slot) in line[left..right].iter_mut().enumerate() {
                let column = (left + column) as isize - plane.low[1];
                *slot = plane.source[moved(row, column * plane.steps[1])];
            }
        }
        Rows { source: self.copy, step: self.mask.len() as isize, ..rows }
    }
}

impl<T: Float> Rows<'_, T> {
    /// Elements of a row from the first that a tile sees, and the mask there, if the row is none of the border.
    #[inline(always)]
    fn find(&self, row: usize, tile: usize, columns: usize) -> Option<(*const T, *const T)> {
        if row < self.first || row >= self.end {
            return None;
        }
        let from = moved(self.begin, (row - self.first) as isize * self.step) + 2 * tile;
        Some((self.source[from..][..columns].as_ptr(), self.mask[2 * tile..][..columns].as_ptr()))
    }

    /// Even columns and odd ones of a register of tiles, and those of the tiles one further on.
    #[inline(always)]
    pub(super) fn four<L: Lanes<Elem = T>>(&self, l: L, row: usize, tile: usize) -> [L::V; 4] {
        let Some((from, mask)) = self.find(row, tile, 2 * L::WIDTH + 2) else { return [l.constant(0.0); 4] };
        // SAFETY: `find` has shown that two registers and two more elements lie at both places.
        unsafe {
            let (even, odd) = halves(l, from, mask);
            let (next_even, next_odd) = halves(l, from.add(2), mask.add(2));
            [even, odd, next_even, next_odd]
        }
    }

    /// Even columns and odd ones of a register of tiles.
    #[inline(always)]
    pub(super) fn two<L: Lanes<Elem = T>>(&self, l: L, row: usize, tile: usize) -> [L::V; 2] {
        let Some((from, mask)) = self.find(row, tile, 2 * L::WIDTH) else { return [l.constant(0.0); 2] };
        // SAFETY: `find` has shown that two registers lie at both places.
        let (even, odd) = unsafe { halves(l, from, mask) };
        [even, odd]
    }
}

/// Even and odd elements of two registers; what is no element becomes zero.
///
/// # Safety
/// Two registers lie at both addresses.
#[inline(always)]
unsafe fn halves<L: Lanes>(l: L, from: *const L::Elem, mask: *const L::Elem) -> (L::V, L::V) {
    // SAFETY: the caller promises both.
    unsafe {
        let low = l.and(l.load_ptr(from), l.load_ptr(mask));
        let high = l.and(l.load_ptr(from.add(L::WIDTH)), l.load_ptr(mask.add(L::WIDTH)));
        l.deinterleave(low, high)
    }
}
