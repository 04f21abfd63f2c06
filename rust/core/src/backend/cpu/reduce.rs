//! Axes folded away.
//!
//! The elements of one result are brought together in row-major order, `BLOCK` at a time, whatever the strides; a fold
//! of `fold.rs` takes each block. So the order of additions is a function of the shape alone.

use super::element::{Compute, Element, Truth};
use super::fold::{All, Any, BLOCK, Fold, Largest, Product, Smallest, Sum, TILE, WrappingProduct, WrappingSum};
use super::kernel::{Dst, Src};
use super::rows::{Rows, along, split};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::op::{ArgOp, ReduceOp};
use bytemuck::Pod;

/// Neighbours from which one result at a time is quicker than neighbouring results.
const RUN: usize = 16;

/// Fold axes away.
pub(super) fn reduce(op: ReduceOp, axes: &[usize], x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    match Compute::of(x.dtype) {
        // What a share of a sum leaves is rounded when all of them are added up.
        Compute::F32 if op == ReduceOp::Sum && out.meta.dtype == DType::F64 => {
            folded::<f32, f64, Sum>(axes, x, out, Sum::default(), Sum::wide)
        }
        Compute::F32 => number::<f32>(op, axes, x, out, Sum::default(), Product::default()),
        Compute::F64 => number::<f64>(op, axes, x, out, Sum::default(), Product::default()),
        Compute::I64 => number::<i64>(op, axes, x, out, WrappingSum::default(), WrappingProduct::default()),
        Compute::U64 => number::<u64>(op, axes, x, out, WrappingSum::default(), WrappingProduct::default()),
        Compute::Bool => match op {
            ReduceOp::Any | ReduceOp::Max => fold::<Truth, _>(axes, x, out, Any::default()),
            ReduceOp::All | ReduceOp::Min => fold::<Truth, _>(axes, x, out, All::default()),
            ReduceOp::Sum | ReduceOp::Prod => Err(unsupported(op, x)),
        },
    }
}

fn unsupported(op: ReduceOp, x: &Src<'_>) -> Error {
    Error::bug(op.name(), format!("no loop for {}", x.dtype))
}

fn number<T: Element>(
    op: ReduceOp,
    axes: &[usize],
    x: &Src<'_>,
    out: &mut Dst<'_>,
    sum: impl Fold<T>,
    product: impl Fold<T>,
) -> Result<()> {
    match op {
        ReduceOp::Sum => fold(axes, x, out, sum),
        ReduceOp::Prod => fold(axes, x, out, product),
        ReduceOp::Max => fold(axes, x, out, Largest::<T>(None)),
        ReduceOp::Min => fold(axes, x, out, Smallest::<T>(None)),
        ReduceOp::Any | ReduceOp::All => Err(unsupported(op, x)),
    }
}

fn fold<T: Element, F: Fold<T>>(axes: &[usize], x: &Src<'_>, out: &mut Dst<'_>, start: F) -> Result<()> {
    folded::<T, T, F>(axes, x, out, start, F::value)
}

/// Folds, of which `value` makes results.
fn folded<T: Element, R: Pod, F: Fold<T>>(
    axes: &[usize],
    x: &Src<'_>,
    out: &mut Dst<'_>,
    start: F,
    value: impl Fn(&F) -> R + Copy,
) -> Result<()> {
    let source = x.elements::<T>()?;
    let results = out.elements::<R>()?;
    let (kept, folded) = split(x.layout, |axis| axes.contains(&axis));
    let (kept, inner) = (Rows::new([&kept]), Rows::new([&folded]));
    if inner.len() == 0 {
        results.fill(value(&start));
    } else if folded.is_contiguous() {
        for (result, [first]) in results.iter_mut().zip(kept.positions()) {
            let mut running = start;
            source[first..first + inner.len()].chunks(BLOCK).for_each(|block| running.take(block));
            *result = value(&running);
        }
    } else if inner.steps() == [1] && inner.len() >= RUN {
        for (result, [first]) in results.iter_mut().zip(kept.positions()) {
            *result = value(&fold_runs(source, first, &inner, start));
        }
    } else {
        let (len, [step]) = (kept.len(), kept.steps());
        for (row, [first]) in results.chunks_exact_mut(len.max(1)).zip(kept.starts()) {
            for (tile, results) in row.chunks_mut(TILE).enumerate() {
                fold_tile(source, along(first, step, tile * TILE), step, &inner, results, (start, value));
            }
        }
    }
    Ok(())
}

/// Fold runs of neighbours; blocks that a run ends in are put together.
fn fold_runs<T: Element, F: Fold<T>>(source: &[T], first: usize, inner: &Rows<1>, start: F) -> F {
    let mut running = start;
    let (mut pieces, mut filled) = ([T::zeroed(); BLOCK], 0);
    for [at] in inner.starts() {
        let mut run = &source[first.wrapping_add(at)..][..inner.len()];
        if filled > 0 {
            let (piece, rest) = run.split_at(run.len().min(BLOCK - filled));
            pieces[filled..][..piece.len()].copy_from_slice(piece);
            (filled, run) = (filled + piece.len(), rest);
            if filled < BLOCK {
                continue;
            }
            running.take(&pieces);
        }
        let blocks = run.chunks_exact(BLOCK);
        let rest = blocks.remainder();
        blocks.for_each(|block| running.take(block));
        pieces[..rest.len()].copy_from_slice(rest);
        filled = rest.len();
    }
    if filled > 0 {
        running.take(&pieces[..filled]);
    }
    running
}

/// Fold neighbouring results, a block of each at a time.
fn fold_tile<T: Element, R, F: Fold<T>>(
    source: &[T],
    first: usize,
    step: isize,
    inner: &Rows<1>,
    results: &mut [R],
    (start, value): (F, impl Fn(&F) -> R),
) {
    let mut running = [start; TILE];
    let running = &mut running[..results.len()];
    let mut starts = [0; BLOCK];
    let mut filled = 0;
    let [apart] = inner.steps();
    for [at] in inner.starts() {
        let first = first.wrapping_add(at);
        for i in 0..inner.len() {
            starts[filled] = along(first, apart, i);
            filled += 1;
            if filled == BLOCK {
                F::take_across(running, source, &starts, step);
                filled = 0;
            }
        }
    }
    if filled > 0 {
        F::take_across(running, source, &starts[..filled], step);
    }
    results.iter_mut().zip(running).for_each(|(result, fold)| *result = value(fold));
}

/// Position of the extreme along one axis: the first of equals, and the first NaN before everything.
pub(super) fn arg_reduce(op: ArgOp, axis: usize, x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    match Compute::of(x.dtype) {
        Compute::Bool => arg::<Truth>(op, axis, x, out),
        Compute::I64 => arg::<i64>(op, axis, x, out),
        Compute::U64 => arg::<u64>(op, axis, x, out),
        Compute::F32 => arg::<f32>(op, axis, x, out),
        Compute::F64 => arg::<f64>(op, axis, x, out),
    }
}

fn arg<T: Element>(op: ArgOp, axis: usize, x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    match op {
        ArgOp::Max => first_by(axis, x, out, |a: T, b: T| a > b),
        ArgOp::Min => first_by(axis, x, out, |a: T, b: T| a < b),
    }
}

fn first_by<T: Element>(axis: usize, x: &Src<'_>, out: &mut Dst<'_>, beats: impl Fn(T, T) -> bool) -> Result<()> {
    let source = x.elements::<T>()?;
    let (length, step) = (x.layout.shape()[axis], x.layout.strides()[axis]);
    let (kept, _) = split(x.layout, |a| a == axis);
    for (result, [first]) in out.elements::<i64>()?.iter_mut().zip(Rows::new([&kept]).positions()) {
        let mut best = (0, source[first]);
        for i in 1..length {
            let candidate = source[along(first, step, i)];
            if !best.1.is_odd() && (beats(candidate, best.1) || candidate.is_odd()) {
                best = (i, candidate);
            }
        }
        *result = best.0 as i64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{elements, run, tensor};
    use super::*;
    use crate::dtype::DType;
    use crate::ir::op::Op;
    use bytemuck::Pod;
    use half::f16;

    fn reduced<T: Pod>(op: ReduceOp, axes: &[usize], x: &[T], shape: &[usize], dtype: DType) -> Vec<T> {
        run(&Op::Reduce { op, axes: axes.to_vec() }, &[tensor(x, shape, dtype)])
    }

    #[test]
    fn any_axes_fold() {
        let x: Vec<f32> = (1u8..=24).map(f32::from).collect();
        let sum = |axes: &[usize]| reduced(ReduceOp::Sum, axes, &x, &[2, 3, 4], DType::F32);
        assert_eq!(sum(&[0, 1, 2]), [300.0]);
        assert_eq!(sum(&[1, 2]), [78.0, 222.0]);
        assert_eq!(sum(&[0, 2]), [68.0, 100.0, 132.0]);
        assert_eq!(sum(&[0, 1]), [66.0, 72.0, 78.0, 84.0]);
        assert_eq!(sum(&[]), x);
    }

    #[test]
    fn empty_folds_give_the_neutral_element() {
        for (op, wanted) in [(ReduceOp::Sum, 0), (ReduceOp::Prod, 1)] {
            assert_eq!(reduced::<i32>(op, &[1], &[], &[2, 0], DType::I32), [wanted; 2]);
        }
        for (op, wanted) in [(ReduceOp::Any, 0), (ReduceOp::All, 1)] {
            assert_eq!(reduced::<u8>(op, &[0], &[], &[0], DType::Bool), [wanted]);
        }
        assert_eq!(reduced::<f64>(ReduceOp::Max, &[1], &[], &[0, 2], DType::F64), [0.0; 0]);
    }

    #[test]
    fn order_does_not_depend_on_strides() {
        let x: Vec<f64> = (0..600).map(|i| (f64::from(i) * 0.7).sin() * 10f64.powi(i % 9)).collect();
        let rows = tensor(&x, &[2, 300], DType::F64);
        let columns: Vec<f64> = (0..600).map(|i| x[i % 2 * 300 + i / 2]).collect();
        let columns = tensor(&columns, &[300, 2], DType::F64);
        let turned = columns.with_layout(columns.layout.permute(&[1, 0]));
        let op = Op::Reduce { op: ReduceOp::Sum, axes: vec![1] };
        assert_eq!(run::<u64>(&op, &[rows]), run::<u64>(&op, &[turned]));
    }

    proptest::proptest! {
        #[test]
        fn every_way_through_memory_gives_the_same_bits(
            sizes in proptest::collection::vec(1usize..40, 3),
            axes in proptest::sample::subsequence(vec![0usize, 1, 2], 1..4),
            turns in proptest::sample::select(vec![[0usize, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]),
        ) {
            let count: usize = sizes.iter().product();
            let x: Vec<f32> = (0..count).map(|i| (i as f32 * 0.7).sin() * 10f32.powi((i % 9) as i32)).collect();
            let x = tensor(&x, &sizes, DType::F32);
            // The same elements in another order of memory, and with the kept axes first.
            let lay = |order: &[usize]| {
                let turned = x.with_layout(x.layout.permute(order));
                let shape: Vec<usize> = order.iter().map(|&axis| sizes[axis]).collect();
                tensor(&elements::<f32>(&turned), &shape, DType::F32)
            };
            let mut back = [0; 3];
            turns.iter().enumerate().for_each(|(to, &from)| back[from] = to);
            let turned = lay(&turns);
            let turned = turned.with_layout(turned.layout.permute(&back));
            let kept: Vec<usize> = (0..3).filter(|axis| !axes.contains(axis)).collect();
            let dense = lay(&[&kept[..], &axes[..]].concat());
            for op in [ReduceOp::Sum, ReduceOp::Prod, ReduceOp::Max] {
                let wanted = run::<u32>(&Op::Reduce { op, axes: (kept.len()..3).collect() }, std::slice::from_ref(&dense));
                let op = Op::Reduce { op, axes: axes.clone() };
                proptest::prop_assert_eq!(&run::<u32>(&op, std::slice::from_ref(&turned)), &wanted);
                proptest::prop_assert_eq!(&run::<u32>(&op, std::slice::from_ref(&x)), &wanted);
            }
        }
    }

    #[test]
    fn sums_accumulate_wider() {
        let tenth = vec![0.1f32; 100_000];
        assert_eq!(reduced(ReduceOp::Sum, &[0], &tenth, &[100_000], DType::F32), [10_000.0]);
        let ones = vec![f16::from_f32(1.0); 4096];
        assert_eq!(reduced(ReduceOp::Sum, &[0], &ones, &[4096], DType::F16), [f16::from_f32(4096.0)]);
        assert_eq!(reduced(ReduceOp::Sum, &[0], &[100i8, 100], &[2], DType::I8), [-56]);
    }

    #[test]
    fn extremes_propagate_nan() {
        let x = [1.0, f32::NAN, 3.0, -1.0];
        for op in [ReduceOp::Max, ReduceOp::Min] {
            let got = reduced(op, &[1], &x, &[2, 2], DType::F32);
            assert!(got[0].is_nan() && got[1] == if op == ReduceOp::Max { 3.0 } else { -1.0 });
        }
        assert_eq!(reduced(ReduceOp::Max, &[0], &[0u8, 1], &[2], DType::Bool), [1]);
        assert_eq!(reduced(ReduceOp::Min, &[0], &[0u8, 1], &[2], DType::Bool), [0]);
        assert_eq!(reduced(ReduceOp::All, &[1], &[1u8, 1, 1, 0], &[2, 2], DType::Bool), [1, 0]);
    }

    #[test]
    fn the_first_extreme_counts() {
        let arg =
            |op, x: &[f32]| -> Vec<i64> { run(&Op::ArgReduce { op, axis: 0 }, &[tensor(x, &[x.len()], DType::F32)]) };
        assert_eq!(arg(ArgOp::Max, &[1.0, 3.0, 3.0, 2.0]), [1]);
        assert_eq!(arg(ArgOp::Min, &[1.0, -0.0, 0.0]), [1]);
        assert_eq!(arg(ArgOp::Max, &[1.0, f32::NAN, f32::INFINITY, f32::NAN]), [1]);
        assert_eq!(arg(ArgOp::Min, &[f32::NAN, -1.0]), [0]);
        let x = tensor(&[1u8, 9, 8, 2, 9, 8], &[2, 3], DType::U8);
        assert_eq!(run::<i64>(&Op::ArgReduce { op: ArgOp::Max, axis: 0 }, std::slice::from_ref(&x)), [1, 0, 0]);
        assert_eq!(run::<i64>(&Op::ArgReduce { op: ArgOp::Max, axis: 1 }, &[x]), [1, 1]);
    }
}
