//! The windows of a pool: planes of three axes, what each line of places covers, rows dealt by the stride.

use super::super::arch::Vectored;
use super::super::rows::{along, split};
use crate::ir::op::PoolOp;
use crate::layout::Layout;

/// One plane, as three axes: leading ones of size 1 where the window has fewer.
#[derive(Debug)]
pub(super) struct Plane {
    pub(super) sizes: [usize; 3],
    pub(super) strides: [isize; 3],
}

/// The axes before the window's, and the plane that the window moves over.
pub(super) fn planes(op: &PoolOp, layout: &Layout) -> (Layout, Plane) {
    let axes = op.window.len();
    let rank = layout.shape().len();
    let (lead, inner) = split(layout, |axis| axis >= rank - axes);
    let mut plane = Plane { sizes: [1; 3], strides: [0; 3] };
    plane.sizes[3 - axes..].copy_from_slice(inner.shape());
    plane.strides[3 - axes..].copy_from_slice(inner.strides());
    (lead, plane)
}

impl Plane {
    pub(super) fn at(&self, start: usize, place: [usize; 3]) -> usize {
        (0..3).fold(start, |at, axis| along(at, self.strides[axis], place[axis]))
    }
}

/// The elements of one axis that a place of the window covers: `first`, and `count` in all, `step` apart, of which `skipped`
/// of the window's lie before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    skipped: usize,
    first: usize,
    count: usize,
    step: usize,
}

/// The places `out, out + 1, ...` of the innermost axis whose element under the window exists, and where the first one's
/// element lies in a row that is dealt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tap {
    pub(super) out: usize,
    pub(super) count: usize,
    pub(super) at: usize,
}

/// Every place of the window: by spans along the outer axes, and by element of the window along the innermost one.
#[derive(Debug)]
pub(super) struct Windows {
    outer: [Vec<Span>; 2],
    pub(super) taps: Vec<Tap>,
    pub(super) line: usize,
    /// Along the innermost axis, whose rows are so long.
    pub(super) stride: usize,
    width: usize,
    /// Elements of the window along the middle axis and in all of the inner two.
    inner: [usize; 2],
}

impl Windows {
    pub(super) fn new(op: &PoolOp, plane: &Plane) -> Self {
        let axes = op.window.len();
        let outer = std::array::from_fn(|place| match place.checked_sub(3 - axes) {
            None => vec![Span { skipped: 0, first: 0, count: 1, step: 1 }],
            Some(axis) => {
                let size = plane.sizes[place];
                (0..op.places(axis, size)).map(|at| Span::new(op, axis, at, size)).collect()
            }
        });
        let last = axes - 1;
        let line = op.places(last, plane.sizes[2]);
        let taps = (0..op.window[last]).map(|element| Tap::new(op, last, element, plane.sizes[2], line)).collect();
        let inner = [axes.checked_sub(2).map_or(1, |axis| op.window[axis]), op.window[last]];
        Self { outer, taps, line, stride: op.strides[last], width: plane.sizes[2], inner }
    }

    /// Lines of places in row-major order: their indices, and what they cover, along the outer axes.
    pub(super) fn lines(&self) -> impl Iterator<Item = ([usize; 2], [Span; 2])> + '_ {
        let [deep, high] = &self.outer;
        deep.iter().enumerate().flat_map(move |(i, &a)| high.iter().enumerate().map(move |(j, &b)| ([i, j], [a, b])))
    }

    /// Elements of a row that is dealt.
    pub(super) fn dealt(&self) -> usize {
        self.width.div_ceil(self.stride) * self.stride
    }

    /// Number of an element of the window, in row-major order.
    #[inline(always)]
    pub(super) fn number(&self, x: usize, y: usize, z: usize) -> u32 {
        ((x * self.inner[0] + y) * self.inner[1] + z) as u32
    }

    /// A row of the input, dealt by the stride: where it lies, or in `row`.
    #[inline(always)]
    pub(super) fn row<'a, T: Vectored>(
        &self,
        plane: &Plane,
        start: usize,
        [i, j]: [usize; 2],
        source: &'a [T],
        row: &'a mut [T],
    ) -> &'a [T] {
        let (from, step) = (plane.at(start, [i, j, 0]), plane.strides[2]);
        if step == 1 && self.stride == 1 {
            return &source[from..][..self.width];
        }
        if step == 1 {
            deal(&source[from..][..self.width], self.stride, row);
        } else {
            let each = self.width.div_ceil(self.stride);
            for n in 0..self.width {
                row[n % self.stride * each + n / self.stride] = source[along(from, step, n)];
            }
        }
        row
    }
}

/// The rows that a line of places covers: number in the window and place, along both outer axes.
#[inline(always)]
pub(super) fn covered([a, b]: [Span; 2]) -> impl Iterator<Item = ((usize, usize), (usize, usize))> {
    a.elements().flat_map(move |x| b.elements().map(move |y| (x, y)))
}

impl Tap {
    fn new(op: &PoolOp, axis: usize, element: usize, size: usize, line: usize) -> Self {
        let stride = op.strides[axis];
        let shift = element * op.dilation[axis];
        // Place p covers element `p stride + shift - low`.
        let out = op.low[axis].saturating_sub(shift).div_ceil(stride).min(line);
        let end = (size + op.low[axis]).saturating_sub(shift).div_ceil(stride).clamp(out, line);
        let first = if end > out { out * stride + shift - op.low[axis] } else { 0 };
        Self { out, count: end - out, at: first % stride * size.div_ceil(stride) + first / stride }
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
        Self { skipped, first, count: op.window[axis].saturating_sub(skipped).min(reachable), step }
    }

    /// Their numbers in the window, and where they are.
    #[inline(always)]
    fn elements(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.count).map(move |i| (self.skipped + i, self.first + i * self.step))
    }
}

/// Deal the elements of a row by their remainders: what strides visit lies side by side.
#[inline(always)]
fn deal<T: Copy>(from: &[T], stride: usize, to: &mut [T]) {
    let each = from.len().div_ceil(stride);
    if stride == 2 {
        let (even, odd) = to.split_at_mut(each);
        let half = from.len() / 2;
        let (pairs, firsts, seconds) = (&from[..2 * half], &mut even[..half], &mut odd[..half]);
        for i in 0..half {
            (firsts[i], seconds[i]) = (pairs[2 * i], pairs[2 * i + 1]);
        }
        if each > half {
            even[half] = from[2 * half];
        }
        return;
    }
    for (rest, to) in to.chunks_exact_mut(each.max(1)).enumerate() {
        to.iter_mut().zip(from.iter().skip(rest).step_by(stride)).for_each(|(to, &x)| *to = x);
    }
}

/// The opposite, rounded.
#[inline(always)]
pub(super) fn gather<T: Vectored, A: Vectored>(from: &[A], stride: usize, to: &mut [T]) {
    let each = to.len().div_ceil(stride);
    let round = |x: A| T::round_from(x.wide());
    if stride == 2 {
        let (even, odd) = from.split_at(each);
        let half = to.len() / 2;
        let (firsts, seconds) = (&even[..half], &odd[..half]);
        let pairs = &mut to[..2 * half];
        for i in 0..half {
            (pairs[2 * i], pairs[2 * i + 1]) = (round(firsts[i]), round(seconds[i]));
        }
        if each > half {
            to[2 * half] = round(even[half]);
        }
        return;
    }
    for (rest, from) in from.chunks_exact(each.max(1)).enumerate() {
        to.iter_mut().skip(rest).step_by(stride).zip(from).for_each(|(to, &x)| *to = round(x));
    }
}
