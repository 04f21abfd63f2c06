//! Pools over planes of up to three axes, a line of places at a time; sums in f64, rounded once.
//!
//! A row of the input is dealt by its remainders under the stride, so that what one element of the window meets, for all
//! places of a line, lies side by side; gradients are summed in rows so dealt and put together at the end of a plane. The
//! commonest windows have loops of their own, in `pairs.rs`.

#![allow(
    clippy::needless_range_loop,
    reason = "adapters of iterators stay calls where nothing is optimized across crates"
)]

mod back;
mod pairs;
mod windows;

use super::arch::{Kernel, Lanes, Vectored, dispatch};
use super::element::{Compute, Element};
use super::kernel::{Dst, Src};
use super::rows::Rows;
use super::scratch;
use crate::error::{Error, Result};
use crate::ir::op::{PoolKind, PoolOp};
use crate::layout::Layout;
use windows::{Plane, Windows, covered, planes};

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
        Compute::F32 => back::to_first::<f32>(op, g, x, out),
        Compute::F64 => back::to_first::<f64>(op, g, x, out),
        Compute::Bool | Compute::I64 | Compute::U64 => Err(unsupported(g)),
    }
}

/// The gradient of each sum at all elements under its window.
pub(super) fn sum_grad(op: &PoolOp, g: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    match Compute::of(g.dtype) {
        Compute::F32 => back::to_all::<f32>(op, g, out),
        Compute::F64 => back::to_all::<f64>(op, g, out),
        Compute::Bool | Compute::I64 | Compute::U64 => Err(unsupported(g)),
    }
}

fn unsupported(x: &Src<'_>) -> Error {
    Error::bug("pool", format!("no loop for {}", x.dtype))
}

/// Working memory of one plane and of one line of places.
struct Room<'a, T, A> {
    /// A row of the input, dealt by its remainders under the stride.
    row: &'a mut [T],
    /// A line of gradients, or of maxima.
    line: &'a mut [T],
    /// For each place of a line the element of the window that is the first maximum.
    firsts: &'a mut [u32],
    /// Sums of a line, or of a plane whose rows are dealt.
    sums: &'a mut [A],
}

/// Lend memory for rows, lines and sums.
fn room<T: Vectored, A: Vectored>(
    windows: &Windows,
    sums: usize,
    run: impl FnOnce(Room<'_, T, A>) -> Result<()>,
) -> Result<()> {
    scratch::with::<T, _>(windows.dealt() + windows.line, |memory| {
        scratch::with::<u32, _>(windows.line, |firsts| {
            scratch::with::<A, _>(sums, |sums| {
                let (row, line) = memory.split_at_mut(windows.dealt());
                run(Room { row, line, firsts, sums })
            })
        })
    })
}

fn forward<T: Vectored>(op: &PoolOp, x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let (lead, plane) = planes(op, x.layout);
    let (source, results) = (x.elements::<T>()?, out.elements::<T>()?);
    if pairs::fits(op, &[&plane]) {
        dispatch(pairs::Maxima { lead: &lead, plane: &plane, source, results });
        return Ok(());
    }
    let windows = Windows::new(op, &plane);
    room::<T, f64>(&windows, windows.line, |room| {
        dispatch(Forward { kind: op.kind, lead: &lead, plane: &plane, windows: &windows, source, results, room });
        Ok(())
    })
}

struct Forward<'a, T> {
    kind: PoolKind,
    lead: &'a Layout,
    plane: &'a Plane,
    windows: &'a Windows,
    source: &'a [T],
    results: &'a mut [T],
    room: Room<'a, T, f64>,
}

impl<T: Vectored> Kernel<T> for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let Self { kind, plane, windows, source, room: Room { row, sums, .. }, .. } = self;
        let mut rows = self.results.chunks_exact_mut(windows.line.max(1));
        for [start] in Rows::new([self.lead]).positions() {
            for (_, spans) in windows.lines() {
                let Some(line) = rows.next() else { return };
                sums.fill(0.0);
                line.fill(T::round_from(f64::NEG_INFINITY));
                for (i, j) in covered(spans) {
                    let elements = windows.row(plane, start, [i.1, j.1], source, row);
                    for tap in &windows.taps {
                        let run = &elements[tap.at..][..tap.count];
                        match kind {
                            PoolKind::Max => larger(l, run, &mut line[tap.out..][..tap.count]),
                            PoolKind::Sum => add(run, &mut sums[tap.out..][..tap.count]),
                        }
                    }
                }
                if kind == PoolKind::Sum {
                    round(sums, line);
                }
            }
        }
    }
}

/// Let what is larger replace what was there.
#[inline(always)]
fn larger<L: Lanes>(l: L, run: &[L::Elem], line: &mut [L::Elem]) {
    let whole = line.len() / L::WIDTH * L::WIDTH;
    for i in (0..whole).step_by(L::WIDTH) {
        let max = l.larger(l.load(&run[i..]), l.load(&line[i..]));
        l.store(max, &mut line[i..]);
    }
    for (max, x) in line[whole..].iter_mut().zip(&run[whole..]) {
        *max = x.larger(*max);
    }
}

/// Add a run to the sums of a line.
#[inline(always)]
fn add<T: Vectored, A: Vectored>(run: &[T], sums: &mut [A]) {
    let sums = &mut sums[..run.len()];
    for i in 0..run.len() {
        sums[i] = A::round_from(sums[i].wide() + run[i].wide());
    }
}

/// Round the sums of a line.
#[inline(always)]
fn round<T: Vectored>(sums: &[f64], line: &mut [T]) {
    let sums = &sums[..line.len()];
    for i in 0..line.len() {
        line[i] = T::round_from(sums[i]);
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

    /// The elements that each window covers, in row-major order.
    fn elements(pool: &PoolOp, sizes: &[usize]) -> Vec<Vec<usize>> {
        let places: crate::shape::Shape = (0..sizes.len()).map(|a| pool.places(a, sizes[a])).collect();
        let window: crate::shape::Shape = pool.window.iter().copied().collect();
        let of = |place: &[usize], element: &[usize]| {
            (0..sizes.len()).try_fold(0, |at, a| {
                let q = (place[a] * pool.strides[a] + element[a] * pool.dilation[a]).checked_sub(pool.low[a])?;
                (q < sizes[a]).then_some(at * sizes[a] + q)
            })
        };
        places.indices().map(|place| window.indices().filter_map(|element| of(&place, &element)).collect()).collect()
    }

    proptest::proptest! {
            #[test]
            fn every_window_gives_and_gets_what_it_covers(
                axes in proptest::collection::vec((1usize..5, 1usize..4, 1usize..3, 0usize..3, 0usize..3, 0usize..18), 1..4),
                lies in 0..3usize,
                common in proptest::prelude::any::<bool>(),
            ) {
                let mut pool = PoolOp { window: vec![], strides: vec![], dilation: vec![], low: vec![], high: vec![], ..line(PoolKind::Sum) };
                let mut sizes = vec![];
                for &(window, stride, dilation, low, high, more) in &axes {
                    pool.window.push(window);
                    pool.strides.push(stride);
                    pool.dilation.push(dilation);
                    pool.low.push(low);
                    pool.high.push(high);
                    sizes.push(((window - 1) * dilation + 1 + more).saturating_sub(low + high).max(1));
                }
                if common && axes.len() == 2 {
                    // The windows that have loops of their own.
                    pool = PoolOp { window: vec![2; 2], strides: vec![2; 2], dilation: vec![1; 2], low: vec![0; 2], high: vec![0; 2], ..pool };
                    sizes = axes.iter().map(|&(_, _, _, odd, _, more)| 2 * more + 2 + odd % 2).collect();
                }
                let covered = elements(&pool, &sizes);
                let plane: usize = sizes.iter().product();
                let numbers = |count: usize, seed: usize| -> Vec<f32> {
                    (0..count).map(|i| match (i + seed) % 29 {
                        7 => f32::NAN,
                        9 | 22 => -0.0,
                        _ => ((i * 7 + seed) % 5) as f32 - 2.0,
                    }).collect()
                };
                let (x, g) = (numbers(2 * plane, 1), (0..2 * covered.len()).map(|i| if i % 7 == 3 { -0.0 } else { (i % 9) as f32 - 4.0 }).collect::<Vec<_>>());
                let shape = [&[2], &sizes[..]].concat();
                let out: Vec<usize> = [2].into_iter().chain((0..sizes.len()).map(|a| pool.places(a, sizes[a]))).collect();
                let value = |x: &[f32], shape: &[usize]| {
                    if lies == 0 {
                        return tensor(x, shape, DType::F32);
                    }
                    if lies == 1 {
                        // Rows are dense, with something between them.
                        let row = shape.last().copied().unwrap_or(1);
                        let wide: Vec<f32> = x.chunks(row).flat_map(|row| row.iter().copied().chain([99.0; 3])).collect();
                        let (rank, mut wider) = (shape.len(), shape.to_vec());
                        wider[rank - 1] += 3;
                        let value = tensor(&wide, &wider, DType::F32);
                        let view = value.layout.slice(&vec![0; rank], shape, &vec![1; rank]);
                        return value.with_layout(view);
                    }
                    // Elements lie the other way round, two apart.
                    let last: Vec<usize> = shape.iter().map(|n| n - 1).collect();
                    let apart: Vec<f32> = x.iter().rev().flat_map(|&x| [x, 99.0]).collect();
                    let value = tensor(&apart, &[shape, &[2]].concat(), DType::F32);
                    let rank = shape.len();
                    let low = [&last[..], &[0]].concat();
                    let view = value.layout.slice(&low, &[shape, &[1]].concat(), &[vec![-1; rank], vec![1]].concat());
                    let strides = view.strides()[..rank].into();
                    value.with_layout(Layout::new(shape.iter().copied().collect(), strides, view.offset()))
                };
                let (x_value, g_value) = (value(&x, &shape), value(&g, &out));
                let bits = |x: &[f32]| -> Vec<u32> { x.iter().map(|x| if x.is_nan() { 1 } else { x.to_bits() }).collect() };
                for kind in [PoolKind::Max, PoolKind::Sum] {
                    let pool = PoolOp { kind, ..pool.clone() };
                    let (mut forward, mut back) = (vec![], vec![0f64; 2 * plane]);
                    for half in 0..2 {
                        let x = &x[half * plane..][..plane];
                        for (place, elements) in covered.iter().enumerate() {
                            let g = f64::from(g[half * covered.len() + place]);
                            if kind == PoolKind::Sum {
                                forward.push(elements.iter().fold(0.0, |sum, &at| sum + f64::from(x[at])) as f32);
                                for &at in elements {
     back[half * plane + at] += g;
    }
                            } else {
                                let max = elements.iter().fold(f32::NEG_INFINITY, |max, &at| x[at].larger(max));
                                let first = elements.iter().find(|&&at| x[at] == max || (max.is_nan() && x[at].is_nan()));
                                forward.push(max);
                                if let Some(&at) = first {
     back[half * plane + at] += g;
    }
                            }
                        }
                    }
                    let back: Vec<f32> = back.iter().map(|&x| x as f32).collect();
                    let op = Op::Composite(Composite::Pool(pool.clone()));
                    proptest::prop_assert_eq!(bits(&run::<f32>(&op, std::slice::from_ref(&x_value))), bits(&forward));
                    let inputs = if kind == PoolKind::Max { vec![g_value.clone(), x_value.clone()] } else { vec![g_value.clone()] };
                    let op = Op::Composite(Composite::PoolGrad { pool, sizes: sizes.clone() });
                    proptest::prop_assert_eq!(bits(&run::<f32>(&op, &inputs)), bits(&back));
                }
            }
        }
}
