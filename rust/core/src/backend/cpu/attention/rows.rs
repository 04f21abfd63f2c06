//! What happens to a row of scores between two products.

use super::super::arch::{Kernel, Lanes, Vectored, dispatch};
use super::super::element::Float;
use super::super::fold::extreme;
use super::super::math::{Combine, simple};
use crate::ir::op::ReduceOp;
use std::marker::PhantomData;

/// Take its maximum from each element, and give it; a row without elements has none.
pub(super) fn centre<T: Vectored>(row: &mut [T]) -> Option<T> {
    let max = extreme(ReduceOp::Max, row)?;
    lower(row, max);
    Some(max)
}

/// Take a number from each element.
pub(super) fn lower<T: Vectored>(row: &mut [T], by: T) {
    dispatch(Changed::<simple::Sub, T> { row, by, function: PhantomData });
}

/// Divide each element by a number.
pub(super) fn divide<T: Vectored>(row: &mut [T], by: T) {
    dispatch(Changed::<simple::Div, T> { row, by, function: PhantomData });
}

/// `row[j] = weights[j] (row[j] - shared)`.
pub(super) fn pull<T: Vectored>(weights: &[T], row: &mut [T], shared: T) {
    dispatch(Pulled { weights, row, shared });
}

/// `row[j] = F(row[j], by)`.
struct Changed<'a, F, T> {
    row: &'a mut [T],
    by: T,
    function: PhantomData<F>,
}

impl<F: Combine<T>, T: Float> Kernel<T> for Changed<'_, F, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let by = l.splat(self.by);
        let mut chunks = self.row.chunks_exact_mut(L::WIDTH);
        for chunk in &mut chunks {
            l.store(F::of(l, l.load(chunk), by), chunk);
        }
        let rest = chunks.into_remainder();
        l.store_part(F::of(l, l.load_part(rest), by), rest);
    }
}

struct Pulled<'a, T> {
    weights: &'a [T],
    row: &'a mut [T],
    shared: T,
}

impl<T: Float> Kernel<T> for Pulled<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let shared = l.splat(self.shared);
        let (mut chunks, mut weights) = (self.row.chunks_exact_mut(L::WIDTH), self.weights.chunks_exact(L::WIDTH));
        for (chunk, weights) in (&mut chunks).zip(&mut weights) {
            l.store(l.mul(l.load(weights), l.sub(l.load(chunk), shared)), chunk);
        }
        let (rest, weights) = (chunks.into_remainder(), weights.remainder());
        l.store_part(l.mul(l.load_part(weights), l.sub(l.load_part(rest), shared)), rest);
    }
}
