//! Pools by direct loops over planes of up to three axes, a line of places at a time; sums in f64, rounded once.

use super::element::{Compute, Float};
use super::kernel::{Dst, Src};
use super::rows::{Rows, along, split};
use crate::error::{Error, Result};
use crate::ir::op::{PoolKind, PoolOp};
use crate::layout::Layout;

/// Maxima or sums under a window.
pub(super) fn pool(op: &PoolOp, x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    match Compute::of(x.dtype) {
        Compute::F32 => forward::<f32>(op, x, out),
        Compute::F64 => forward::<f64>(op, x, out),
        Compute::Bool | Compute::I64 | Compute::U64 => Err(unsupported(x)),
    }
}

/// The gradient of each maximum at the first element that has it.
pub(super) fn max_grad(op: &PoolOp, g: &Src<'_>, x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    match Compute::of(g.dtype) {
        Compute::F32 => to_first::<f32>(op, g, x, out),
        Compute::F64 => to_first::<f64>(op, g, x, out),
        Compute::Bool | Compute::I64 | Compute::U64 => Err(unsupported(g)),
    }
}

/// The gradient of each sum at all elements under its window.
pub(super) fn sum_grad(op: &PoolOp, g: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    match Compute::of(g.dtype) {
        Compute::F32 => to_all::<f32>(op, g, out),
        Compute::F64 => to_all::<f64>(op, g, out),
        Compute::Bool | Compute::I64 | Compute::U64 => Err(unsupported(g)),
    }
}

fn unsupported(x: &Src<'_>) -> Error {
    Error::bug("pool", format!("no loop for {}", x.dtype))
}

fn forward<T: Float>(op: &PoolOp, x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let source = x.elements::<T>()?;
    let (lead, plane) = planes(op, x.layout);
    let windows = Windows::new(op, &plane);
    let mut sums = vec![0.0; windows.line];
    let mut rows = out.elements::<T>()?.chunks_exact_mut(windows.line.max(1));
    for [start] in Rows::new([&lead]).positions() {
        for (_, spans) in windows.lines() {
            let Some(row) = rows.next() else { return Ok(()) };
            match op.kind {
                PoolKind::Sum => {
                    sums.fill(0.0);
                    windows.each(&plane, start, spans, |tap, at, _| {
                        for (n, sum) in sums[tap.out..][..tap.count].iter_mut().enumerate() {
                            *sum += source[along(at, tap.step, n)].wide();
                        }
                    });
                    store(&sums, Some(row));
                }
                PoolKind::Max => {
                    row.fill(T::round_from(f64::NEG_INFINITY));
                    windows.each(&plane, start, spans, |tap, at, _| {
                        for (n, max) in row[tap.out..][..tap.count].iter_mut().enumerate() {
                            *max = source[along(at, tap.step, n)].larger(*max);
                        }
                    });
                }
            }
        }
    }
    Ok(())
}

fn to_first<T: Float>(op: &PoolOp, g: &Src<'_>, x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let (gradients, source) = (g.elements::<T>()?, x.elements::<T>()?);
    let ((g_lead, g_plane), (x_lead, x_plane)) = (planes(op, g.layout), planes(op, x.layout));
    let windows = Windows::new(op, &x_plane);
    let mut sums = vec![0.0; x_plane.sizes.iter().product()];
    let mut firsts: Vec<Option<(usize, T)>> = vec![None; windows.line];
    let mut results = out.elements::<T>()?.chunks_exact_mut(sums.len());
    for [g_start, x_start] in Rows::new([&g_lead, &x_lead]).positions() {
        sums.fill(0.0);
        for ([i, j], spans) in windows.lines() {
            firsts.fill(None);
            windows.each(&x_plane, x_start, spans, |tap, at, place| {
                for (n, first) in firsts[tap.out..][..tap.count].iter_mut().enumerate() {
                    let value = source[along(at, tap.step, n)];
                    if first.is_none_or(|(_, max)| value > max || (value.is_odd() && !max.is_odd())) {
                        *first = Some((place + n * tap.stride, value));
                    }
                }
            });
            let from = g_plane.at(g_start, [i, j, 0]);
            for (k, &(place, _)) in firsts.iter().enumerate().filter_map(|(k, first)| Some((k, first.as_ref()?))) {
                sums[place] += gradients[along(from, g_plane.strides[2], k)].wide();
            }
        }
        store(&sums, results.next());
    }
    Ok(())
}

fn to_all<T: Float>(op: &PoolOp, g: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let gradients = g.elements::<T>()?;
    let (lead, g_plane) = planes(op, g.layout);
    let (_, plane) = planes(op, &Layout::contiguous(out.meta.shape.clone()));
    let windows = Windows::new(op, &plane);
    let mut sums = vec![0.0; plane.sizes.iter().product()];
    let mut results = out.elements::<T>()?.chunks_exact_mut(sums.len());
    for [start] in Rows::new([&lead]).positions() {
        sums.fill(0.0);
        for ([i, j], spans) in windows.lines() {
            let from = g_plane.at(start, [i, j, 0]);
            windows.each(&plane, 0, spans, |tap, _, place| {
                for n in 0..tap.count {
                    let share = gradients[along(from, g_plane.strides[2], tap.out + n)].wide();
                    sums[place + n * tap.stride] += share;
                }
            });
        }
        store(&sums, results.next());
    }
    Ok(())
}

fn store<T: Float>(sums: &[f64], row: Option<&mut [T]>) {
    for (result, &sum) in row.into_iter().flatten().zip(sums) {
        *result = T::round_from(sum);
    }
}

/// One plane, as three axes: leading ones of size 1 where the window has fewer.
#[derive(Debug)]
struct Plane {
    sizes: [usize; 3],
    strides: [isize; 3],
}

/// The axes before the window's, and the plane that the window moves over.
fn planes(op: &PoolOp, layout: &Layout) -> (Layout, Plane) {
    let axes = op.window.len();
    let rank = layout.shape().len();
    let (lead, inner) = split(layout, |axis| axis >= rank - axes);
    let mut plane = Plane { sizes: [1; 3], strides: [0; 3] };
    plane.sizes[3 - axes..].copy_from_slice(inner.shape());
    plane.strides[3 - axes..].copy_from_slice(inner.strides());
    (lead, plane)
}

impl Plane {
    fn at(&self, start: usize, place: [usize; 3]) -> usize {
        (0..3).fold(start, |at, axis| along(at, self.strides[axis], place[axis]))
    }

    fn row_major(&self, place: [usize; 3]) -> usize {
        (place[0] * self.sizes[1] + place[1]) * self.sizes[2] + place[2]
    }
}

/// The elements of one axis that a place of the window covers: `first`, and `count` in all, `step` apart.
#[derive(Clone, Copy, Debug)]
struct Span {
    first: usize,
    count: usize,
    step: usize,
}

/// The places `out, out + 1, ...` of the innermost axis whose element under the window exists, and where it is.
#[derive(Clone, Copy, Debug)]
struct Tap {
    out: usize,
    count: usize,
    /// The first one's element.
    first: usize,
    /// Distance of their elements in memory.
    step: isize,
    /// Distance of their elements along the axis.
    stride: usize,
}

/// Every place of the window: by spans along the outer axes, and by element of the window along the innermost one.
#[derive(Debug)]
struct Windows {
    outer: [Vec<Span>; 2],
    taps: Vec<Tap>,
    line: usize,
}

impl Windows {
    fn new(op: &PoolOp, plane: &Plane) -> Self {
        let axes = op.window.len();
        let outer = std::array::from_fn(|place| match place.checked_sub(3 - axes) {
            None => vec![Span { first: 0, count: 1, step: 1 }],
            Some(axis) => {
                let size = plane.sizes[place];
                (0..op.places(axis, size)).map(|at| Span::new(op, axis, at, size)).collect()
            }
        });
        let last = axes - 1;
        let line = op.places(last, plane.sizes[2]);
        let taps = (0..op.window[last]).map(|element| Tap::new(op, last, element, plane, line)).collect();
        Self { outer, taps, line }
    }

    /// Lines of places in row-major order: their indices, and what they cover, along the outer axes.
    fn lines(&self) -> impl Iterator<Item = ([usize; 2], [Span; 2])> + '_ {
        let [deep, high] = &self.outer;
        deep.iter().enumerate().flat_map(move |(i, &a)| high.iter().enumerate().map(move |(j, &b)| ([i, j], [a, b])))
    }

    /// Visit what a line of places covers, for each place in row-major order: the tap, and where its first element is in
    /// memory and in the plane.
    fn each(&self, plane: &Plane, start: usize, [a, b]: [Span; 2], mut visit: impl FnMut(&Tap, usize, usize)) {
        for i in a.elements() {
            for j in b.elements() {
                for tap in &self.taps {
                    let place = [i, j, tap.first];
                    visit(tap, plane.at(start, place), plane.row_major(place));
                }
            }
        }
    }
}

impl Tap {
    fn new(op: &PoolOp, axis: usize, element: usize, plane: &Plane, line: usize) -> Self {
        let (size, stride) = (plane.sizes[2], op.strides[axis]);
        let shift = element * op.dilation[axis];
        // Place p covers element `p stride + shift - low`.
        let out = op.low[axis].saturating_sub(shift).div_ceil(stride).min(line);
        let end = (size + op.low[axis]).saturating_sub(shift).div_ceil(stride).clamp(out, line);
        let first = if end > out { out * stride + shift - op.low[axis] } else { 0 };
        Self { out, count: end - out, first, step: plane.strides[2] * stride as isize, stride }
    }
}

impl Span {
    /// Place `at` of the window, without what lies in the border.
    fn new(op: &PoolOp, axis: usize, at: usize, size: usize) -> Self {
        let step = op.dilation[axis];
        let start = at * op.strides[axis];
        let skipped = op.low[axis].saturating_sub(start).div_ceil(step);
        let first = (start + skipped * step).saturating_sub(op.low[axis]);
        let reachable = size.saturating_sub(first).div_ceil(step);
        Self { first, count: op.window[axis].saturating_sub(skipped).min(reachable), step }
    }

    fn elements(self) -> impl Iterator<Item = usize> {
        (0..self.count).map(move |i| self.first + i * self.step)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{run, tensor};
    use super::*;
    use crate::dtype::DType;
    use crate::ir::op::{Composite, Op};

    fn line(kind: PoolKind) -> PoolOp {
        PoolOp { kind, window: vec![2], strides: vec![2], low: vec![1], high: vec![1], dilation: vec![1] }
    }

    fn pooled(op: PoolOp, x: &[f32]) -> Vec<f32> {
        run(&Op::Composite(Composite::Pool(op)), &[tensor(x, &[x.len()], DType::F32)])
    }

    #[test]
    fn the_border_never_counts() {
        let x = [-1.0, -2.0, -3.0, -4.0];
        assert_eq!(pooled(line(PoolKind::Max), &x), [-1.0, -2.0, -4.0]);
        assert_eq!(pooled(line(PoolKind::Sum), &x), [-1.0, -5.0, -4.0]);
    }

    #[test]
    fn a_window_in_the_border_alone_holds_nothing() {
        let op = PoolOp { low: vec![2], high: vec![0], ..line(PoolKind::Max) };
        assert_eq!(pooled(op.clone(), &[7.0, 8.0]), [f32::NEG_INFINITY, 8.0]);
        assert_eq!(pooled(PoolOp { kind: PoolKind::Sum, ..op }, &[7.0, 8.0]), [0.0, 15.0]);
    }

    #[test]
    fn dilated_windows_skip_elements_also_from_within_the_border() {
        let op = PoolOp { window: vec![3], strides: vec![1], dilation: vec![2], ..line(PoolKind::Sum) };
        assert_eq!(pooled(op, &[1.0, 10.0, 100.0, 1000.0]), [1010.0, 101.0]);
    }

    #[test]
    fn the_first_of_equal_maxima_takes_the_gradient() {
        let pool = PoolOp {
            window: vec![2, 2],
            strides: vec![1, 1],
            low: vec![0, 0],
            high: vec![0, 0],
            dilation: vec![1, 1],
            kind: PoolKind::Max,
        };
        let x = tensor(&[5f32, 5.0, 1.0, 5.0, 5.0, f32::NAN], &[2, 3], DType::F32);
        let g = tensor(&[2f32, 3.0], &[1, 2], DType::F32);
        let twin = Op::Composite(Composite::PoolGrad { pool, sizes: vec![2, 3] });
        assert_eq!(run::<f32>(&twin, &[g, x]), [2.0, 0.0, 0.0, 0.0, 0.0, 3.0]);
    }
}
