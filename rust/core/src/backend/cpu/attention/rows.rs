//! What happens to the scores of a block between two products, row by row.

use super::super::arch::{Kernel, Lanes, Vectored, WIDEST, dispatch};
use super::super::fold::{Sum, lanes_of};
use super::super::math::{Combine, simple};
use super::{Block, Head, Operand};

/// The scores of a block, one row of keys for each query.
#[derive(Debug)]
pub(super) struct Scores<'a, T> {
    pub(super) elements: &'a mut [T],
    pub(super) head: Head,
    pub(super) block: Block,
}

impl<T: Vectored> Scores<'_, T> {
    /// The maximum of what each query sees.
    pub(super) fn maxima(&self, out: &mut [T]) {
        dispatch(Maxima { scores: self, out });
    }

    /// Take from each row the number of its query; what the query does not see becomes -inf.
    pub(super) fn lower(&mut self, by: Operand<'_, T>, first: usize) {
        dispatch(Lowered { scores: self, by, first });
    }

    /// `row[j] = weights[j] (row[j] - shared)`, with one shared number for each query.
    pub(super) fn pull(&mut self, weights: &[T], shared: Operand<'_, T>, first: usize) {
        dispatch(Pulled { scores: self, weights, shared, first });
    }
}

/// Divide each query's row of `out` by what its weights add up to, and add the logarithm of that to its number.
pub(super) fn divide<T: Vectored>(weights: &Scores<'_, T>, out: &mut [T], logs: &mut [T]) {
    dispatch(Divided { weights, out, logs });
}

/// Maxima of rows: those of as many rows as a register has lanes become its lanes.
struct Maxima<'a, 'b, T> {
    scores: &'a Scores<'b, T>,
    out: &'a mut [T],
}

impl<T: Vectored> Kernel<T> for Maxima<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let Scores { elements, head, block } = self.scores;
        let zero = T::round_from(0.0);
        let (mut lanes, mut turned) = ([zero; WIDEST * WIDEST], [zero; WIDEST * WIDEST]);
        for (group, out) in self.out.chunks_mut(L::WIDTH).enumerate() {
            for i in 0..out.len() {
                let query = group * L::WIDTH + i;
                let row = &elements[query * block.keys..][..block.seen(*head, query)];
                l.store(lanes_of::<simple::Maximum, T, L>(l, row), &mut lanes[i * L::WIDTH..]);
            }
            l.transpose(&lanes, L::WIDTH, &mut turned, L::WIDTH);
            let mut most = l.load(&turned);
            for j in 1..L::WIDTH {
                most = simple::Maximum::of(l, most, l.load(&turned[j * L::WIDTH..]));
            }
            l.store_part(most, out);
        }
    }
}

/// `row[j] = F(row[j], by)`.
#[inline(always)]
fn change<F: Combine<T>, T: Vectored, L: Lanes<Elem = T>>(l: L, row: &mut [T], by: T) {
    let by = l.splat(by);
    let mut chunks = row.chunks_exact_mut(L::WIDTH);
    for chunk in &mut chunks {
        l.store(F::of(l, l.load(chunk), by), chunk);
    }
    let rest = chunks.into_remainder();
    l.store_part(F::of(l, l.load_part(rest), by), rest);
}

struct Lowered<'a, 'b, T> {
    scores: &'a mut Scores<'b, T>,
    by: Operand<'a, T>,
    first: usize,
}

impl<T: Vectored> Kernel<T> for Lowered<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let Scores { elements, head, block } = self.scores;
        let hidden = T::round_from(f64::NEG_INFINITY);
        for (query, row) in elements.chunks_exact_mut(block.keys).enumerate() {
            let (seen, rest) = row.split_at_mut(block.seen(*head, query));
            change::<simple::Sub, T, L>(l, seen, self.by.of(self.first, query));
            rest.fill(hidden);
        }
    }
}

struct Pulled<'a, 'b, T> {
    scores: &'a mut Scores<'b, T>,
    weights: &'a [T],
    shared: Operand<'a, T>,
    first: usize,
}

impl<T: Vectored> Kernel<T> for Pulled<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let Scores { elements, block, .. } = self.scores;
        let rows = elements.chunks_exact_mut(block.keys).zip(self.weights.chunks_exact(block.keys));
        for (query, (row, weights)) in rows.enumerate() {
            let shared = l.splat(self.shared.of(self.first, query));
            let (mut chunks, mut factors) = (row.chunks_exact_mut(L::WIDTH), weights.chunks_exact(L::WIDTH));
            for (chunk, weights) in (&mut chunks).zip(&mut factors) {
                l.store(l.mul(l.load(weights), l.sub(l.load(chunk), shared)), chunk);
            }
            let (rest, weights) = (chunks.into_remainder(), factors.remainder());
            l.store_part(l.mul(l.load_part(weights), l.sub(l.load_part(rest), shared)), rest);
        }
    }
}

struct Divided<'a, 'b, T> {
    weights: &'a Scores<'b, T>,
    out: &'a mut [T],
    logs: &'a mut [T],
}

impl<T: Vectored> Kernel<T> for Divided<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let Scores { elements, head, block } = self.weights;
        for (query, log) in self.logs.iter_mut().enumerate() {
            let sum = Sum::of_row(l, &elements[query * block.keys..][..block.seen(*head, query)]);
            change::<simple::Div, T, L>(l, &mut self.out[query * head.values..][..head.values], sum);
            *log = T::round_from(log.wide() + sum.wide().ln());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::arch::Isa;

    #[test]
    fn maxima_are_of_what_a_query_sees_with_every_instruction_set() {
        for isa in Isa::all() {
            for (queries, keys, causal) in
                [(1, 1, false), (5, 3, true), (20, 40, true), (33, 17, false), (16, 16, true)]
            {
                let head = Head { queries, keys, width: 1, values: 1, causal };
                let block = Block { first: 0, queries, keys };
                // The last key that a query does not see would be the largest.
                let at = |i: usize| ((i * 7) % 31) as f32 - 40.0 + if i % keys + 1 == keys { 50.0 } else { 0.0 };
                let mut elements: Vec<f32> = (0..queries * keys).map(at).collect();
                if queries > 4 {
                    elements[3 * keys] = f32::NAN;
                }
                let wanted = elements.chunks(keys).enumerate().map(|(i, row)| {
                    let seen = &row[..block.seen(head, i)];
                    if seen.iter().any(|x| x.is_nan()) {
                        f32::NAN
                    } else {
                        seen.iter().copied().fold(f32::MIN, f32::max)
                    }
                });
                let wanted: Vec<u32> = wanted.map(|x| if x.is_nan() { 0 } else { x.to_bits() }).collect();
                let mut out = vec![0.0; queries];
                let scores = Scores { elements: &mut elements, head, block };
                f32::run(isa, Maxima { scores: &scores, out: &mut out });
                let got: Vec<u32> = out.iter().map(|x| if x.is_nan() { 0 } else { x.to_bits() }).collect();
                assert_eq!(got, wanted, "{queries} x {keys} on {}", isa.name());
            }
        }
    }
}
