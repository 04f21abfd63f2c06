//! Copies of short rows: most rows of an image are a few registers long, and a call for each would cost more than the copy.

use super::super::arch::Lanes;
use super::super::rows::along;

/// Copy elements that lie `step` apart to neighbours.
#[inline(always)]
pub(super) fn gather<L: Lanes>(l: L, from: &[L::Elem], first: usize, step: isize, to: &mut [L::Elem]) {
    if step == 1 {
        copy(l, &from[first..][..to.len()], to);
    } else {
        for (i, slot) in to.iter_mut().enumerate() {
            *slot = from[along(first, step, i)];
        }
    }
}

/// Copy neighbours to places that lie `step` apart.
#[inline(always)]
pub(super) fn scatter<L: Lanes>(l: L, from: &[L::Elem], to: &mut [L::Elem], step: usize) {
    if step == 1 {
        copy(l, from, &mut to[..from.len()]);
    } else {
        for (slot, &x) in to.iter_mut().step_by(step).zip(from) {
            *slot = x;
        }
    }
}

/// Copy by registers; the last one overlaps the one before.
#[inline(always)]
pub(super) fn copy<L: Lanes>(l: L, from: &[L::Elem], to: &mut [L::Elem]) {
    let length = to.len().min(from.len());
    if length < L::WIDTH {
        l.store_part(l.load_part(&from[..length]), &mut to[..length]);
        return;
    }
    let last = length - L::WIDTH;
    let mut i = 0;
    while i < last {
        l.store(l.load(&from[i..]), &mut to[i..]);
        i += L::WIDTH;
    }
    l.store(l.load(&from[last..]), &mut to[last..]);
}
