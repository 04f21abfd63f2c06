//! Folds over blocks of elements: what a reduction computes, apart from where the elements are.

use super::arch::{Kernel, Lanes, Vectored, WIDEST, dispatch};
use super::element::{Element, Float, Truth};
use super::math::{Combine, simple};
use super::rows::along;
use crate::ir::op::ReduceOp;
use std::marker::PhantomData;

/// Folds that take elements side by side: enough that rows are read by several lines at a time, and that sums of all stay near.
pub(super) const TILE: usize = 128;

/// Elements that a fold takes at once. It shapes the sums of floats, so it is no tuning knob.
pub(super) const BLOCK: usize = 256;

/// The fold of one row, by blocks.
pub(super) fn whole<T, F: Fold<T>>(mut fold: F, row: &[T]) -> T {
    row.chunks(BLOCK).for_each(|block| fold.take(block));
    fold.value()
}

/// The largest or smallest element of a row, or NaN.
pub(super) fn extreme<T: Vectored>(op: ReduceOp, row: &[T]) -> Option<T> {
    match op {
        ReduceOp::Max => dispatch(Extreme::<simple::Maximum, T> { row, function: PhantomData }),
        _ => dispatch(Extreme::<simple::Minimum, T> { row, function: PhantomData }),
    }
}

/// A fold of a row, register by register, where the order of the elements shows in a zero's sign alone.
struct Extreme<'a, F, T> {
    row: &'a [T],
    function: PhantomData<F>,
}

impl<F: Combine<T>, T: Float> Kernel<T> for Extreme<'_, F, T> {
    type Output = Option<T>;
    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) -> Option<T> {
        let mut lanes = [*self.row.first()?; WIDEST];
        l.store(lanes_of::<F, T, L>(l, self.row), &mut lanes);
        let mut one = l.splat(lanes[0]);
        for &x in &lanes[1..L::WIDTH] {
            one = F::of(l, one, l.splat(x));
        }
        l.store(one, &mut lanes);
        Some(lanes[0])
    }
}

/// A row that is not empty, folded into lanes by a function that may meet an element twice.
#[inline(always)]
pub(super) fn lanes_of<F: Combine<T>, T: Float, L: Lanes<Elem = T>>(l: L, row: &[T]) -> L::V {
    let Some(last) = row.len().checked_sub(L::WIDTH) else {
        let mut found = l.splat(row[0]);
        for &x in &row[1..] {
            found = F::of(l, found, l.splat(x));
        }
        return found;
    };
    // The last register overlaps the one before.
    let mut found = l.load(&row[last..]);
    for chunk in row.chunks_exact(L::WIDTH) {
        found = F::of(l, found, l.load(chunk));
    }
    found
}

/// A running fold; blocks come in row-major order.
pub(super) trait Fold<T>: Copy {
    /// Take the next elements.
    fn take(&mut self, block: &[T]);
    /// Take the next elements of folds side by side: element j of each start, `step` apart, goes to fold j. At most `TILE`.
    fn take_across(folds: &mut [Self], source: &[T], starts: &[usize], step: isize) {
        for &start in starts {
            for (j, fold) in folds.iter_mut().enumerate() {
                fold.take(std::slice::from_ref(&source[along(start, step, j)]));
            }
        }
    }
    /// The fold of everything taken.
    fn value(&self) -> T;
}

/// Sum of floats in f64: eight lanes inside a block, and what each addition of a block loses is kept.
///
/// Source of the second part: A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen",
/// ZAMM 54 (1974), method IV.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Sum {
    total: f64,
    lost: f64,
}

impl Sum {
    /// The sum of one row, as `whole` has it, inside a kernel.
    #[inline(always)]
    pub(super) fn of_row<T: Vectored, L: Lanes<Elem = T>>(l: L, row: &[T]) -> T {
        let mut sum = Self::default();
        for block in row.chunks(BLOCK) {
            sum.add(Block(block).run(l));
        }
        Fold::<T>::value(&sum)
    }

    /// The sum before it is rounded to the elements' precision.
    pub(super) fn wide(&self) -> f64 {
        // An infinite total has lost nothing that counts, and the correction would be NaN.
        if self.total.is_finite() { self.total + self.lost } else { self.total }
    }

    /// Add the sum of a block.
    fn add(&mut self, sum: f64) {
        let total = self.total + sum;
        self.lost +=
            if self.total.abs() >= sum.abs() { (self.total - total) + sum } else { (sum - total) + self.total };
        self.total = total;
    }
}

impl<T: Vectored> Fold<T> for Sum {
    fn take(&mut self, block: &[T]) {
        self.add(dispatch(Block(block)));
    }

    fn take_across(folds: &mut [Self], source: &[T], starts: &[usize], step: isize) {
        let mut sums = [0.0; TILE];
        dispatch(Across { source, starts, step, sums: &mut sums[..folds.len()] });
        folds.iter_mut().zip(sums).for_each(|(fold, sum)| fold.add(sum));
    }

    fn value(&self) -> T {
        T::round_from(self.wide())
    }
}

/// The sum of a block: element i goes to lane i mod 8.
struct Block<'a, T>(&'a [T]);

impl<T: Float> Kernel<T> for Block<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, _: L) -> f64 {
        let mut lanes = [0.0; 8];
        let chunks = self.0.chunks_exact(8);
        let tail = chunks.remainder();
        for chunk in chunks {
            for (lane, x) in lanes.iter_mut().zip(chunk) {
                *lane += x.wide();
            }
        }
        for (lane, x) in lanes.iter_mut().zip(tail) {
            *lane += x.wide();
        }
        together(lanes)
    }
}

/// The sums of blocks side by side, each in the order of `Block`.
struct Across<'a, T> {
    source: &'a [T],
    starts: &'a [usize],
    step: isize,
    sums: &'a mut [f64],
}

impl<T: Float> Kernel<T> for Across<'_, T> {
    type Output = ();

    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "adapters of iterators stay calls where nothing is optimized across crates"
    )]
    fn run<L: Lanes<Elem = T>>(self, _: L) {
        let (mut lanes, count) = ([[0.0; TILE]; 8], self.sums.len());
        for (i, &start) in self.starts.iter().enumerate() {
            let lane = &mut lanes[i % 8][..count];
            if self.step == 1 {
                let row = &self.source[start..start + count];
                for j in 0..count {
                    lane[j] += row[j].wide();
                }
            } else {
                for j in 0..count {
                    lane[j] += self.source[along(start, self.step, j)].wide();
                }
            }
        }
        let [a, b, c, d, e, f, g, h] = &lanes;
        for j in 0..count {
            self.sums[j] = together([a[j], b[j], c[j], d[j], e[j], f[j], g[j], h[j]]);
        }
    }
}

/// Add rows to running sums of their columns, in f64.
pub(super) fn add_rows<T: Vectored>(rows: &[T], totals: &mut [f64]) {
    dispatch(Down { rows, totals });
}

/// `totals[j] += rows[i, j]` for one row after the other.
struct Down<'a, 'b, T> {
    rows: &'a [T],
    totals: &'b mut [f64],
}

impl<T: Float> Kernel<T> for Down<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, _: L) {
        for row in self.rows.chunks_exact(self.totals.len().max(1)) {
            for (total, x) in self.totals.iter_mut().zip(row) {
                *total += x.wide();
            }
        }
    }
}

#[inline(always)]
fn together([a, b, c, d, e, f, g, h]: [f64; 8]) -> f64 {
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

/// Product of floats in f64.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product(f64);

impl Default for Product {
    fn default() -> Self {
        Self(1.0)
    }
}

impl<T: Float> Fold<T> for Product {
    fn take(&mut self, block: &[T]) {
        self.0 = block.iter().fold(self.0, |product, x| product * x.wide());
    }
    fn value(&self) -> T {
        T::round_from(self.0)
    }
}

/// Sum of integers, modulo 2^64.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct WrappingSum<T>(T);

/// Product of integers, modulo 2^64.
#[derive(Clone, Copy, Debug)]
pub(super) struct WrappingProduct<T>(T);

/// Stamp the folds of one integer type: `impl Fold<i64> for WrappingSum<i64>` and its product.
macro_rules! wrapping {
    ($($int:ty),+) => {$(
        impl Fold<$int> for WrappingSum<$int> {
            fn take(&mut self, block: &[$int]) {
                self.0 = block.iter().fold(self.0, |sum, &x| sum.wrapping_add(x));
            }
            fn value(&self) -> $int {
                self.0
            }
        }
        impl Default for WrappingProduct<$int> {
            fn default() -> Self {
                Self(1)
            }
        }
        impl Fold<$int> for WrappingProduct<$int> {
            fn take(&mut self, block: &[$int]) {
                self.0 = block.iter().fold(self.0, |product, &x| product.wrapping_mul(x));
            }
            fn value(&self) -> $int {
                self.0
            }
        }
    )+};
}

wrapping!(i64, u64);

/// The largest element, or NaN; shape rules promise at least one element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Largest<T>(pub(super) Option<T>);

impl<T: Element> Fold<T> for Largest<T> {
    fn take(&mut self, block: &[T]) {
        self.0 = self.0.into_iter().chain(block.iter().copied()).reduce(T::larger);
    }
    fn value(&self) -> T {
        self.0.unwrap_or(T::zeroed())
    }
}

/// The smallest element, or NaN; shape rules promise at least one element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Smallest<T>(pub(super) Option<T>);

impl<T: Element> Fold<T> for Smallest<T> {
    fn take(&mut self, block: &[T]) {
        self.0 = self.0.into_iter().chain(block.iter().copied()).reduce(T::smaller);
    }
    fn value(&self) -> T {
        self.0.unwrap_or(T::zeroed())
    }
}

/// Whether one element is true.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Any(bool);

impl Fold<Truth> for Any {
    fn take(&mut self, block: &[Truth]) {
        self.0 |= block.iter().any(|x| x.get());
    }
    fn value(&self) -> Truth {
        Truth::new(self.0)
    }
}

/// Whether no element is false.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct All {
    broken: bool,
}

impl Fold<Truth> for All {
    fn take(&mut self, block: &[Truth]) {
        self.broken |= block.iter().any(|x| !x.get());
    }
    fn value(&self) -> Truth {
        Truth::new(!self.broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_keep_what_small_terms_add() {
        let mut sum = Sum::default();
        for block in [[1e16, 0.0], [1.0, 0.0], [1.0, 0.0], [-1e16, 0.0]] {
            Fold::<f64>::take(&mut sum, &block);
        }
        assert_eq!(Fold::<f64>::value(&sum), 2.0);
    }

    #[test]
    fn infinities_sum_to_infinity_or_nan() {
        let sum = |x: &[f32]| -> f32 {
            let mut sum = Sum::default();
            for &x in x {
                sum.take(&[x]);
            }
            sum.value()
        };
        assert_eq!(sum(&[1.0, f32::INFINITY, 2.0]), f32::INFINITY);
        assert!(sum(&[f32::NEG_INFINITY, f32::INFINITY]).is_nan() && sum(&[f32::NAN, 1.0]).is_nan());
        assert_eq!(sum(&[f32::MAX, f32::MAX, -f32::MAX]), f32::MAX);
    }

    #[test]
    fn extremes_keep_nan_over_blocks() {
        let mut largest = Largest(None);
        for block in [[1.0, f64::NAN], [3.0, 4.0]] {
            largest.take(&block);
        }
        assert!(largest.value().is_nan());
        let mut smallest = Smallest(None);
        for block in [[5u64, 7], [6, 4]] {
            smallest.take(&block);
        }
        assert_eq!(smallest.value(), 4);
    }
}
