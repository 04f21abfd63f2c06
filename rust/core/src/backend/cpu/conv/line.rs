//! Copies of short rows: most rows of an image are a few registers long, and a call for each would cost more than the copy.

#![allow(unsafe_code, reason = "rows are read and written by address")]

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
pub(super) fn scatter<T: Copy>(from: &[T], to: &mut [T], step: usize) {
    for (slot, &x) in to.iter_mut().step_by(step).zip(from) {
        *slot = x;
    }
}

/// Copy so many rows of a length, whose starts lie a step apart in both.
#[inline(always)]
pub(super) fn rows<L: Lanes>(
    l: L,
    (count, length): (usize, usize),
    (from, from_step): (&[L::Elem], usize),
    (to, to_step): (&mut [L::Elem], usize),
) {
    if length < L::WIDTH {
        for row in 0..count {
            copy(l, &from[row * from_step..][..length], &mut to[row * to_step..]);
        }
        return;
    }
    let Some(last) = count.checked_sub(1) else { return };
    let from = &from[..last * from_step + length];
    let to = &mut to[..last * to_step + length];
    for row in 0..count {
        // SAFETY: the last row ends where both slices do, and rows before it lie before it.
        unsafe {
            let (from, to) = (from.as_ptr().add(row * from_step), to.as_mut_ptr().add(row * to_step));
            let mut i = 0;
            while i + L::WIDTH < length {
                l.store_ptr(l.load_ptr(from.add(i)), to.add(i));
                i += L::WIDTH;
            }
            let i = length - L::WIDTH;
            l.store_ptr(l.load_ptr(from.add(i)), to.add(i));
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
