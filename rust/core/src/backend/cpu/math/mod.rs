//! Elementary functions of whole registers, written once over `Lanes`; each names its largest error in units in the last place.
//!
//! An element's result depends on the element alone, never on its place in an array or on its neighbours. Polynomials are
//! our own minimax fits (Remez exchange in 40 digits) on the interval that each function states.

mod erf;
mod exp;
mod log;
pub(in crate::backend::cpu) mod simple;
mod tanh;
mod trigonometry;

pub(in crate::backend::cpu) use erf::{Erf, Gelu};
pub(in crate::backend::cpu) use exp::{Exp, Expm1, Sigmoid};
pub(in crate::backend::cpu) use log::{Log, Log1p};
pub(in crate::backend::cpu) use tanh::Tanh;
pub(in crate::backend::cpu) use trigonometry::{Cos, Sin};

use super::arch::{Kernel, Lanes};
use super::element::Float;
use std::marker::PhantomData;

/// A function of each lane, as a type, so that loops over it inline it.
pub(in crate::backend::cpu) trait Function<T: Float> {
    /// The function of every lane.
    fn of<L: Lanes<Elem = T>>(l: L, x: L::V) -> L::V;
}

/// A function of two lanes, as a type.
pub(in crate::backend::cpu) trait Combine<T: Float> {
    /// The function of every pair of lanes.
    fn of<L: Lanes<Elem = T>>(l: L, a: L::V, b: L::V) -> L::V;
}

/// `out[i] = F(x[i])` for slices of one length.
#[derive(Debug)]
pub(in crate::backend::cpu) struct Map<'a, F, T> {
    x: &'a [T],
    out: &'a mut [T],
    function: PhantomData<F>,
}

impl<'a, F, T> Map<'a, F, T> {
    /// The loop over these slices.
    pub(in crate::backend::cpu) fn new(x: &'a [T], out: &'a mut [T]) -> Self {
        debug_assert_eq!(x.len(), out.len());
        Self { x, out, function: PhantomData }
    }
}

impl<F: Function<T>, T: Float> Kernel<T> for Map<'_, F, T> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let (mut x, mut out) = (self.x.chunks_exact(L::WIDTH), self.out.chunks_exact_mut(L::WIDTH));
        for (x, out) in (&mut x).zip(&mut out) {
            l.store(F::of(l, l.load(x)), out);
        }
        if !x.remainder().is_empty() {
            l.store_part(F::of(l, l.load_part(x.remainder())), out.into_remainder());
        }
    }
}

/// Polynomial by Horner's rule, the coefficient of the lowest power first.
#[inline(always)]
fn polynomial<L: Lanes, const N: usize>(l: L, x: L::V, coefficients: [f64; N]) -> L::V {
    let mut sum = l.constant(coefficients[N - 1]);
    for i in (0..N - 1).rev() {
        sum = l.mul_add(sum, x, l.constant(coefficients[i]));
    }
    sum
}

#[cfg(test)]
mod tests;
