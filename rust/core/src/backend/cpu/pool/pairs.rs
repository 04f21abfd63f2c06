//! Maxima of windows of two by two that lie side by side: one pass over pairs of rows, without a branch.
//!
//! A line of places is taken by whole groups, the last of which overlaps the one before, so that every loop is a vector's.
//! The results are those of the other loops, bit by bit.

#![allow(
    clippy::needless_range_loop,
    reason = "adapters of iterators stay calls where nothing is optimized across crates"
)]

use super::super::arch::{Kernel, Lanes, Vectored};
use super::super::element::Float;
use super::super::rows::Rows;
use super::windows::Plane;
use crate::ir::op::{PoolKind, PoolOp};
use crate::layout::Layout;

/// Places that are computed together.
const GROUP: usize = 8;
/// The same of a line that is shorter.
const FEW: usize = 4;

/// Two neighbours of a row.
type Pair<T> = [T; 2];

/// Whether windows are pairs of neighbours in pairs of rows, without a border, and the rows of all planes are dense.
pub(super) fn fits(op: &PoolOp, planes: &[&Plane]) -> bool {
    op.kind == PoolKind::Max
        && op.window == [2, 2]
        && op.strides == [2, 2]
        && op.dilation == [1, 1]
        && op.low == [0, 0]
        && op.high == [0, 0]
        && planes.iter().all(|plane| plane.strides[2] == 1)
}

/// The largest element of each window.
pub(super) struct Maxima<'a, T> {
    pub(super) lead: &'a Layout,
    pub(super) plane: &'a Plane,
    pub(super) source: &'a [T],
    pub(super) results: &'a mut [T],
}

impl<T: Vectored> Kernel<T> for Maxima<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, _: L) {
        let Self { lead, plane, source, results } = self;
        let [_, height, width] = plane.sizes;
        let (lines, line) = (height / 2, width / 2);
        let mut results = results.chunks_exact_mut(line.max(1));
        for [start] in Rows::new([lead]).positions() {
            for i in 0..lines {
                let Some(to) = results.next() else { return };
                let rows = [0, 1].map(|row| &source[plane.at(start, [0, 2 * i + row, 0])..][..2 * line]);
                maxima_of_line(rows, to);
            }
        }
    }
}

/// The gradient of each window at the first of its largest elements.
pub(super) struct Shares<'a, T> {
    /// Of the gradient and of the input.
    pub(super) leads: [&'a Layout; 2],
    pub(super) planes: [&'a Plane; 2],
    pub(super) gradients: &'a [T],
    pub(super) source: &'a [T],
    pub(super) results: &'a mut [T],
}

impl<T: Vectored> Kernel<T> for Shares<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, _: L) {
        let Self { leads, planes: [g_plane, plane], gradients, source, results } = self;
        let [_, height, width] = plane.sizes;
        let (lines, line) = (height / 2, width / 2);
        let mut results = results.chunks_exact_mut((height * width).max(1));
        for [g_start, start] in Rows::new(leads).positions() {
            let Some(result) = results.next() else { return };
            for i in 0..lines {
                let rows = [0, 1].map(|row| &source[plane.at(start, [0, 2 * i + row, 0])..][..2 * line]);
                let g = &gradients[g_plane.at(g_start, [0, i, 0])..][..line];
                let (top, bottom) = result[2 * i * width..][..2 * width].split_at_mut(width);
                shares_of_line(rows, g, [&mut top[..2 * line], &mut bottom[..2 * line]]);
                if width > 2 * line {
                    (top[2 * line], bottom[2 * line]) = (T::round_from(0.0), T::round_from(0.0));
                }
            }
            result[2 * lines * width..].fill(T::round_from(0.0));
        }
    }
}

/// One line of places, by groups.
#[inline(always)]
fn maxima_of_line<T: Float>([top, bottom]: [&[T]; 2], to: &mut [T]) {
    let line = to.len();
    if line >= GROUP {
        let whole = line / GROUP * GROUP;
        for (from, end) in [(0, whole), (line - GROUP, line)] {
            let part = 2 * from..2 * end;
            maxima(pairs(&top[part.clone()]), pairs(&bottom[part]), &mut to[from..end]);
            if whole == line {
                return;
            }
        }
    } else if line >= FEW {
        for from in [0, line - FEW] {
            let part = 2 * from..2 * (from + FEW);
            maxima(pairs(&top[part.clone()]), pairs(&bottom[part]), &mut to[from..from + FEW]);
        }
    } else {
        maxima(pairs(top), pairs(bottom), to);
    }
}

/// One line of gradients, by groups.
#[inline(always)]
fn shares_of_line<T: Float>([top, bottom]: [&[T]; 2], g: &[T], [to_top, to_bottom]: [&mut [T]; 2]) {
    let line = g.len();
    if line >= GROUP {
        let whole = line / GROUP * GROUP;
        for (from, end) in [(0, whole), (line - GROUP, line)] {
            let part = 2 * from..2 * end;
            let (a, b) = (pairs(&top[part.clone()]), pairs(&bottom[part.clone()]));
            let (c, d) = (to_top[part.clone()].as_chunks_mut().0, to_bottom[part].as_chunks_mut().0);
            shares(a, b, &g[from..end], c, d);
            if whole == line {
                return;
            }
        }
    } else if line >= FEW {
        for from in [0, line - FEW] {
            let part = 2 * from..2 * (from + FEW);
            let (a, b) = (pairs(&top[part.clone()]), pairs(&bottom[part.clone()]));
            let (c, d) = (to_top[part.clone()].as_chunks_mut().0, to_bottom[part].as_chunks_mut().0);
            shares(a, b, &g[from..from + FEW], c, d);
        }
    } else {
        shares(pairs(top), pairs(bottom), g, to_top.as_chunks_mut().0, to_bottom.as_chunks_mut().0);
    }
}

#[inline(always)]
fn pairs<T>(row: &[T]) -> &[Pair<T>] {
    row.as_chunks().0
}

/// Whether an element takes the place of the largest before it: of numbers that are none the first stays.
#[inline(always)]
fn better<T: Float>(x: T, max: T) -> bool {
    (x > max) | (x.is_odd() & !max.is_odd())
}

/// What is larger, or the later one that is no number.
#[inline(always)]
fn larger<T: Float>(x: T, max: T) -> T {
    if (x > max) | x.is_odd() { x } else { max }
}

#[inline(always)]
fn maxima<T: Float>(top: &[Pair<T>], bottom: &[Pair<T>], to: &mut [T]) {
    let (top, bottom) = (&top[..to.len()], &bottom[..to.len()]);
    for i in 0..to.len() {
        let ([a, b], [c, d]) = (top[i], bottom[i]);
        to[i] = larger(d, larger(c, larger(b, a)));
    }
}

/// Sums that begin with 0, as those of windows that overlap: -0 becomes 0.
#[inline(always)]
fn shares<T: Float>(top: &[Pair<T>], bottom: &[Pair<T>], g: &[T], to_top: &mut [Pair<T>], to_bottom: &mut [Pair<T>]) {
    let (top, bottom) = (&top[..g.len()], &bottom[..g.len()]);
    let (to_top, to_bottom) = (&mut to_top[..g.len()], &mut to_bottom[..g.len()]);
    let zero = T::round_from(0.0);
    for i in 0..g.len() {
        let ([a, b], [c, d]) = (top[i], bottom[i]);
        let second = better(b, a);
        let max = if second { b } else { a };
        let third = better(c, max);
        let max = if third { c } else { max };
        let fourth = better(d, max);
        let g = T::round_from(0.0 + g[i].wide());
        to_top[i] = [
            if second | third | fourth { zero } else { g },
            if third | fourth {
                zero
            } else if second {
                g
            } else {
                zero
            },
        ];
        to_bottom[i] = [
            if fourth {
                zero
            } else if third {
                g
            } else {
                zero
            },
            if fourth { g } else { zero },
        ];
    }
}
