//! Taps of a convolution, transformed, as a product reads them.

#![allow(unsafe_code, reason = "taps are read by address")]

use super::super::grid::moved;
use super::ENTRIES;
use super::product::Panels;
use super::transform::Entries;
use crate::backend::cpu::arch::{Lanes, WIDEST};
use crate::backend::cpu::element::Float;
use crate::backend::cpu::rows::along;

/// Taps of a side.
const SIDE: usize = 3;
/// Taps of a kernel.
pub(super) const TAPS: usize = SIDE * SIDE;
/// The same in registers of every width.
const ROUND: usize = 16;

/// Kernels of all outputs and channels.
#[derive(Debug)]
pub(super) struct Taps<'a, T> {
    pub(super) source: &'a [T],
    pub(super) first: usize,
    /// From output to output, channel to channel, row to row and column to column.
    pub(super) steps: [isize; 4],
    pub(super) outputs: usize,
    pub(super) channels: usize,
}

impl<T: Float> Taps<'_, T> {
    /// `G g G^T`: panels of outputs whose terms are channels.
    #[inline(always)]
    pub(super) fn transform<L: Lanes<Elem = T>>(&self, l: L, panels: Panels, to: &mut Entries<'_, T>) {
        for (output, first, step) in panels.registers::<L>() {
            for c in 0..self.channels {
                let taps = self.bring(l, [output, c], self.outputs - output);
                for (entry, &lanes) in transformed(l, &taps).iter().enumerate() {
                    l.store(lanes, &mut to.memory[entry * to.pitch + first + c * step..]);
                }
            }
        }
    }

    /// Each tap of a channel for a register of outputs, of which so many are wanted.
    #[inline(always)]
    fn bring<L: Lanes<Elem = T>>(&self, l: L, [output, channel]: [usize; 2], count: usize) -> [L::V; TAPS] {
        let first = along(along(self.first, self.steps[0], output), self.steps[1], channel);
        let mut lanes = [[T::round_from(0.0); WIDEST]; ROUND];
        let backward = self.steps[3] < 0;
        // Taps side by side are turned, with what lies behind them.
        let start = if backward { moved(first, 1 - TAPS as isize) } else { first };
        let end = along(start, self.steps[0], L::WIDTH - 1).saturating_add(TAPS.next_multiple_of(L::WIDTH));
        let side_by_side = self.steps[3].abs() == 1 && self.steps[2] == SIDE as isize * self.steps[3];
        let dense = side_by_side && self.steps[0] >= 0 && start < end && end <= self.source.len();
        if dense {
            for tap in (0..TAPS).step_by(L::WIDTH) {
                // SAFETY: a register's worth of outputs, and of each as many registers as hold its taps, lie in the slice.
                unsafe {
                    let from = self.source.as_ptr().add(start + tap);
                    l.transpose_ptr(from, self.steps[0], lanes[tap].as_mut_ptr(), WIDEST as isize);
                }
            }
        } else {
            for lane in 0..count.min(L::WIDTH) {
                let from = along(first, self.steps[0], lane);
                for (tap, lanes) in lanes[..TAPS].iter_mut().enumerate() {
                    let from = along(along(from, self.steps[2], tap / SIDE), self.steps[3], tap % SIDE);
                    lanes[lane] = self.source[from];
                }
            }
        }
        let mut taps = [l.constant(0.0); TAPS];
        for (i, tap) in taps.iter_mut().enumerate() {
            let i = if dense && backward { TAPS - 1 - i } else { i };
            *tap = l.load(&lanes[i]);
        }
        taps
    }
}

/// `G g G^T` lane by lane.
#[inline(always)]
fn transformed<L: Lanes>(l: L, taps: &[L::V; TAPS]) -> [L::V; ENTRIES] {
    let mut columns = [[l.constant(0.0); 4]; SIDE];
    for (j, column) in columns.iter_mut().enumerate() {
        *column = spread(l, taps[j], taps[SIDE + j], taps[2 * SIDE + j]);
    }
    let mut entries = [l.constant(0.0); ENTRIES];
    for (i, row) in entries.chunks_exact_mut(4).enumerate() {
        row.copy_from_slice(&spread(l, columns[0][i], columns[1][i], columns[2][i]));
    }
    entries
}

/// `G g` of a column.
#[inline(always)]
fn spread<L: Lanes>(l: L, x: L::V, y: L::V, z: L::V) -> [L::V; 4] {
    let (outer, half) = (l.add(x, z), l.constant(0.5));
    [x, l.mul(half, l.add(outer, y)), l.mul(half, l.sub(outer, y)), z]
}

/// `G^T m G` lane by lane.
#[inline(always)]
pub(super) fn gathered<L: Lanes>(l: L, entries: &[L::V; ENTRIES]) -> [L::V; TAPS] {
    let mut columns = [[l.constant(0.0); SIDE]; 4];
    for (j, column) in columns.iter_mut().enumerate() {
        *column = gather(l, [entries[j], entries[4 + j], entries[8 + j], entries[12 + j]]);
    }
    let mut taps = [l.constant(0.0); TAPS];
    for (i, row) in taps.chunks_exact_mut(SIDE).enumerate() {
        row.copy_from_slice(&gather(l, [columns[0][i], columns[1][i], columns[2][i], columns[3][i]]));
    }
    taps
}

/// `G^T m` of a column.
#[inline(always)]
fn gather<L: Lanes>(l: L, [x, y, z, w]: [L::V; 4]) -> [L::V; SIDE] {
    let half = l.constant(0.5);
    let (sum, difference) = (l.mul(half, l.add(y, z)), l.mul(half, l.sub(y, z)));
    [l.add(x, sum), difference, l.add(sum, w)]
}
