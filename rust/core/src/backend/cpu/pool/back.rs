//! Gradients of pools: sums over the windows that an element lies in.

#![allow(
    clippy::needless_range_loop,
    reason = "adapters of iterators stay calls where nothing is optimized across crates"
)]

use super::super::arch::{Kernel, Lanes, Vectored, dispatch};
use super::super::kernel::{Dst, Src};
use super::super::rows::{Rows, along};
use super::windows::{Plane, Span, Windows, covered, gather, planes};
use super::{Room, add, pairs, room};
use crate::error::Result;
use crate::ir::op::PoolOp;
use crate::layout::Layout;

pub(super) fn to_first<T: Vectored>(op: &PoolOp, g: &Src<'_>, x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let ((g_lead, g_plane), (x_lead, x_plane)) = (planes(op, g.layout), planes(op, x.layout));
    let (gradients, source, results) = (g.elements::<T>()?, x.elements::<T>()?, out.elements::<T>()?);
    let (leads, planes) = ([&g_lead, &x_lead], [&g_plane, &x_plane]);
    if pairs::fits(op, &planes) {
        dispatch(pairs::Shares { leads, planes, gradients, source, results });
        return Ok(());
    }
    let windows = Windows::new(op, &x_plane);
    let back = Back { leads, planes, windows: &windows, gradients, source: Some(source), results };
    back.all(op)
}

pub(super) fn to_all<T: Vectored>(op: &PoolOp, g: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let (lead, g_plane) = planes(op, g.layout);
    let (_, plane) = planes(op, &Layout::contiguous(out.meta.shape.clone()));
    let windows = Windows::new(op, &plane);
    let (gradients, results) = (g.elements::<T>()?, out.elements::<T>()?);
    let planes = [&g_plane, &plane];
    let back = Back { leads: [&lead, &lead], planes, windows: &windows, gradients, source: None, results };
    back.all(op)
}

/// Gradients to the first maximum of each window in the source, or without one to all its elements.
struct Back<'a, T> {
    /// Of the gradient and of the input.
    leads: [&'a Layout; 2],
    planes: [&'a Plane; 2],
    windows: &'a Windows,
    gradients: &'a [T],
    source: Option<&'a [T]>,
    results: &'a mut [T],
}

impl<T: Vectored> Back<'_, T> {
    /// Where windows share no element, nothing is summed, and there is nothing to round.
    fn all(self, op: &PoolOp) -> Result<()> {
        let [_, plane] = self.planes;
        let sums = plane.sizes[0] * plane.sizes[1] * self.windows.dealt();
        let apart = (0..op.window.len()).all(|a| op.dilation[a] == 1 && op.window[a] <= op.strides[a]);
        if apart {
            room::<T, T>(self.windows, sums, |room| {
                dispatch::<T, _>(Sums { back: self, room });
                Ok(())
            })
        } else {
            room::<T, f64>(self.windows, sums, |room| {
                dispatch::<T, _>(Sums { back: self, room });
                Ok(())
            })
        }
    }
}

/// Gradients, and what they are summed in.
struct Sums<'a, T, A> {
    back: Back<'a, T>,
    room: Room<'a, T, A>,
}

impl<T: Vectored, A: Vectored> Kernel<T> for Sums<'_, T, A> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, _: L) {
        let Back { leads, planes: [g_plane, plane], windows, gradients, source, results } = self.back;
        let Room { row, line, firsts, sums } = self.room;
        let (width, dealt) = (plane.sizes[2], windows.dealt());
        let mut results = results.chunks_exact_mut((plane.sizes[0] * plane.sizes[1] * width).max(1));
        for [g_start, start] in Rows::new(leads).positions() {
            sums.fill(A::round_from(0.0));
            for ([i, j], spans) in windows.lines() {
                if let Some(source) = source {
                    find(windows, plane, start, spans, source, row, line, firsts);
                }
                let from = g_plane.at(g_start, [i, j, 0]);
                for (n, g) in line.iter_mut().enumerate() {
                    *g = gradients[along(from, g_plane.strides[2], n)];
                }
                for (i, j) in covered(spans) {
                    let plane_row = (i.1 * plane.sizes[1] + j.1) * dealt;
                    for (z, tap) in windows.taps.iter().enumerate() {
                        let to = &mut sums[plane_row + tap.at..][..tap.count];
                        let line = &line[tap.out..][..tap.count];
                        if source.is_some() {
                            let number = windows.number(i.0, j.0, z);
                            share(line, &firsts[tap.out..][..tap.count], number, to);
                        } else {
                            add(line, to);
                        }
                    }
                }
            }
            let Some(result) = results.next() else { return };
            for (to, from) in result.chunks_exact_mut(width.max(1)).zip(sums.chunks_exact(dealt.max(1))) {
                gather(from, windows.stride, to);
            }
        }
    }
}

/// Add gradients where the first maximum is this element of the window.
#[inline(always)]
fn share<T: Vectored, A: Vectored>(line: &[T], firsts: &[u32], number: u32, sums: &mut [A]) {
    let (firsts, sums) = (&firsts[..line.len()], &mut sums[..line.len()]);
    for i in 0..line.len() {
        let share = if firsts[i] == number { line[i] } else { T::round_from(0.0) };
        sums[i] = A::round_from(sums[i].wide() + share.wide());
    }
}

/// For each place of a line the number of its first maximum among the elements of the window.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "a line, what it covers, and where its maxima go")]
fn find<T: Vectored>(
    windows: &Windows,
    plane: &Plane,
    start: usize,
    spans: [Span; 2],
    source: &[T],
    row: &mut [T],
    maxima: &mut [T],
    firsts: &mut [u32],
) {
    firsts.fill(u32::MAX);
    for (i, j) in covered(spans) {
        let elements = windows.row(plane, start, [i.1, j.1], source, row);
        for (z, tap) in windows.taps.iter().enumerate() {
            let run = &elements[tap.at..][..tap.count];
            let number = windows.number(i.0, j.0, z);
            better(run, number, &mut maxima[tap.out..][..tap.count], &mut firsts[tap.out..][..tap.count]);
        }
    }
}

/// Let what is larger than all before replace it; of numbers that are none the first stays.
#[inline(always)]
fn better<T: Vectored>(run: &[T], number: u32, maxima: &mut [T], firsts: &mut [u32]) {
    let (maxima, firsts) = (&mut maxima[..run.len()], &mut firsts[..run.len()]);
    for i in 0..run.len() {
        let (x, max, first) = (run[i], maxima[i], firsts[i]);
        let better = first == u32::MAX || x > max || (x.is_odd() && !max.is_odd());
        maxima[i] = if better { x } else { max };
        firsts[i] = if better { number } else { first };
    }
}
