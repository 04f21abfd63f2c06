//! What transforms make of rows of tiles.

#![allow(unsafe_code, reason = "registers are read and written by address")]

use super::super::last::Change;
use super::ENTRIES;
use super::border::Rows;
use crate::backend::cpu::arch::Lanes;
use crate::backend::cpu::element::Float;

/// Where the entries of tiles go: entry after entry `pitch` apart, in each tile after tile.
#[derive(Debug)]
pub(super) struct Entries<'a, T> {
    pub(super) memory: &'a mut [T],
    pub(super) pitch: usize,
}

impl<T: Float> Entries<'_, T> {
    /// Memory from an element of the first entry on, and the distance of entries.
    pub(super) fn from(&mut self, first: usize) -> Entries<'_, T> {
        Entries { memory: &mut self.memory[first..], pitch: self.pitch }
    }

    /// One entry, and what lies behind it.
    #[inline(always)]
    pub(super) fn entry(&mut self, number: usize) -> &mut [T] {
        &mut self.memory[number * self.pitch..]
    }

    /// Whether whole registers of all entries of so many rows of tiles lie in memory.
    fn holds(&self, rows: usize, across: usize, lanes: usize) -> bool {
        (ENTRIES - 1) * self.pitch + rows.saturating_sub(1) * across + across.max(lanes) <= self.memory.len()
    }

    /// Registers of a column of entries, from a tile on.
    ///
    /// # Safety
    /// They lie in memory.
    #[inline(always)]
    unsafe fn write<L: Lanes<Elem = T>>(&mut self, l: L, column: usize, tile: usize, entries: [L::V; 4]) {
        for (i, &entry) in entries.iter().enumerate() {
            // SAFETY: the caller promises it.
            unsafe { l.store_ptr(entry, self.memory.as_mut_ptr().add((4 * i + column) * self.pitch + tile)) };
        }
    }
}

/// First tiles of the registers of a row. The last begins early enough to end with the row, or there is one that reaches
/// beyond it, into the next row, which is written later.
fn starts(across: usize, lanes: usize) -> impl Iterator<Item = usize> {
    let last = across.saturating_sub(lanes);
    (0..across).step_by(lanes).map(move |t| t.min(last))
}

/// `B^T d B` of so many rows of tiles, of two rows of a plane for each and two more.
#[inline(always)]
pub(super) fn inputs<L: Lanes>(
    l: L,
    from: &Rows<'_, L::Elem>,
    (rows, across): (usize, usize),
    to: &mut Entries<'_, L::Elem>,
) {
    assert!(to.holds(rows, across, L::WIDTH));
    for t in starts(across, L::WIDTH) {
        let mut a = seen(l, from.four(l, 0, t));
        let mut b = seen(l, from.four(l, 1, t));
        for row in 0..rows {
            let c = seen(l, from.four(l, 2 * row + 2, t));
            let d = seen(l, from.four(l, 2 * row + 3, t));
            for j in 0..4 {
                let entries = [l.sub(a[j], c[j]), l.add(b[j], c[j]), l.sub(c[j], b[j]), l.sub(d[j], b[j])];
                // SAFETY: `holds` has shown that whole registers of every entry lie in memory.
                unsafe { to.write(l, j, row * across + t, entries) };
            }
            (a, b) = (c, d);
        }
    }
}

/// `d B` of a row.
#[inline(always)]
fn seen<L: Lanes>(l: L, [even, odd, next_even, next_odd]: [L::V; 4]) -> [L::V; 4] {
    [l.sub(even, next_even), l.add(odd, next_even), l.sub(next_even, odd), l.sub(next_odd, odd)]
}

/// `A e A^T` of so many rows of tiles, of two rows of a plane for each.
#[inline(always)]
pub(super) fn slopes<L: Lanes>(
    l: L,
    from: &Rows<'_, L::Elem>,
    (rows, across): (usize, usize),
    to: &mut Entries<'_, L::Elem>,
) {
    assert!(to.holds(rows, across, L::WIDTH));
    for row in 0..rows {
        for t in starts(across, L::WIDTH) {
            let a = met(l, from.two(l, 2 * row, t));
            let b = met(l, from.two(l, 2 * row + 1, t));
            for j in 0..4 {
                let entries = [a[j], l.add(a[j], b[j]), l.sub(a[j], b[j]), b[j]];
                // SAFETY: `holds` has shown that whole registers of every entry lie in memory.
                unsafe { to.write(l, j, row * across + t, entries) };
            }
        }
    }
}

/// `e A^T` of a row.
#[inline(always)]
fn met<L: Lanes>(l: L, [even, odd]: [L::V; 2]) -> [L::V; 4] {
    [even, l.add(even, odd), l.sub(even, odd), odd]
}

/// `A^T m A` of so many rows of tiles, changed: rows of places one after the other.
#[inline(always)]
pub(super) fn sums<L: Lanes>(
    l: L,
    (from, pitch): (&[L::Elem], usize),
    (rows, across): (usize, usize),
    change: Change<L::Elem>,
    places: usize,
    to: &mut [L::Elem],
) {
    assert!((ENTRIES - 1) * pitch + rows.saturating_sub(1) * across + across.max(L::WIDTH) <= from.len());
    for row in 0..rows {
        for t in starts(across, L::WIDTH) {
            let (mut upper, mut lower) = ([l.constant(0.0); 4], [l.constant(0.0); 4]);
            for j in 0..4 {
                let mut entries = [l.constant(0.0); 4];
                for (i, entry) in entries.iter_mut().enumerate() {
                    // SAFETY: whole registers of every entry lie in memory, as was checked above.
                    *entry = unsafe { l.load_ptr(from.as_ptr().add((4 * i + j) * pitch + row * across + t)) };
                }
                (upper[j], lower[j]) = pair(l, entries);
            }
            for (below, entries) in [upper, lower].into_iter().enumerate() {
                let (even, odd) = pair(l, entries);
                let both = l.interleave(change.of(l, even), change.of(l, odd));
                let first = (2 * row + below) * places + 2 * t;
                // What one register of tiles writes too much belongs to the next row, which is written later.
                let end = if across <= L::WIDTH { to.len() } else { (2 * row + below + 1) * places };
                let end = end.min(to.len()).min(first + 2 * L::WIDTH);
                // Behind an odd row there is no other.
                if first < end {
                    write(l, both, &mut to[first..end]);
                }
            }
        }
    }
}

/// `A^T m` of a column.
#[inline(always)]
fn pair<L: Lanes>(l: L, [a, b, c, d]: [L::V; 4]) -> (L::V, L::V) {
    (l.add(l.add(a, b), c), l.add(l.sub(b, c), d))
}

/// Two registers, or as much of them as there is room.
#[inline(always)]
fn write<L: Lanes>(l: L, (low, high): (L::V, L::V), to: &mut [L::Elem]) {
    if to.len() >= 2 * L::WIDTH {
        l.store(low, to);
        l.store(high, &mut to[L::WIDTH..]);
        return;
    }
    let (first, second) = to.split_at_mut(to.len().min(L::WIDTH));
    l.store_part(low, first);
    l.store_part(high, second);
}
