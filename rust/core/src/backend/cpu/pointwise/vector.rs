//! Elementwise loops over registers, for rows whose elements lie side by side or are one element.
//!
//! Rows that lie otherwise go through the loops of `mod.rs`, which give the same bits for everything that is exact or
//! rounded once, or are gathered first.

use super::relation::Relation;
use crate::backend::cpu::arch::{Kernel, Lanes, Vectored, dispatch};
use crate::backend::cpu::element::Float;
use crate::backend::cpu::kernel::{Dst, Src};
use crate::backend::cpu::math::{Combine, Function, Map};
use crate::backend::cpu::rows::{Rows, along};
use crate::error::Result;
use std::marker::PhantomData;

/// `out[i] = F(x[i])` by registers. Rows whose elements lie apart are gathered first: the same loop gives the same bits.
pub(super) fn map<F: Function<T>, T: Vectored>(x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let source = x.elements::<T>()?;
    let rows = Rows::new([x.layout]);
    let (len, [step]) = (rows.len(), rows.steps());
    let mut gathered = [T::round_from(0.0); GATHER];
    for (row, [start]) in out.elements::<T>()?.chunks_exact_mut(len.max(1)).zip(rows.starts()) {
        if step == 1 {
            dispatch(Map::<F, T>::new(&source[start..start + len], row));
            continue;
        }
        for (block, part) in row.chunks_mut(GATHER).enumerate() {
            let gathered = &mut gathered[..part.len()];
            let first = along(start, step, block * GATHER);
            gathered.iter_mut().enumerate().for_each(|(i, x)| *x = source[along(first, step, i)]);
            dispatch(Map::<F, T>::new(gathered, part));
        }
    }
    Ok(())
}

/// Elements that are gathered at a time.
const GATHER: usize = 256;

/// One side of a row: its elements, or one for all.
#[derive(Clone, Copy, Debug)]
enum Side<'a, T> {
    Many(&'a [T]),
    One(T),
}

impl<'a, T: Copy> Side<'a, T> {
    /// The row that begins at `start`, if its step is 0 or 1.
    fn row(elements: &'a [T], start: usize, step: isize, len: usize) -> Option<Self> {
        match step {
            0 => Some(Self::One(elements[start])),
            1 => Some(Self::Many(&elements[start..start + len])),
            _ => None,
        }
    }
}

impl<T: Float> Side<'_, T> {
    /// Elements from `at` on, as many as fit into a register and exist.
    #[inline(always)]
    fn load<L: Lanes<Elem = T>>(self, l: L, at: usize, whole: bool) -> L::V {
        match self {
            Self::One(x) => l.splat(x),
            Self::Many(x) if whole => l.load(&x[at..at + L::WIDTH]),
            Self::Many(x) => l.load_part(&x[at..]),
        }
    }
}

/// What one row of a function of two is made of.
#[derive(Debug)]
struct Zip<'a, F, T> {
    a: Side<'a, T>,
    b: Side<'a, T>,
    out: &'a mut [T],
    function: PhantomData<F>,
}

impl<F: Combine<T>, T: Float> Zip<'_, F, T> {
    #[inline(always)]
    fn rows<L: Lanes<Elem = T>>(l: L, a: Side<'_, T>, b: Side<'_, T>, out: &mut [T]) {
        let whole = out.len() / L::WIDTH * L::WIDTH;
        for (i, part) in out[..whole].chunks_exact_mut(L::WIDTH).enumerate() {
            let at = i * L::WIDTH;
            l.store(F::of(l, a.load(l, at, true), b.load(l, at, true)), part);
        }
        if whole < out.len() {
            l.store_part(F::of(l, a.load(l, whole, false), b.load(l, whole, false)), &mut out[whole..]);
        }
    }
}

impl<F: Combine<T>, T: Float> Kernel<T> for Zip<'_, F, T> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        match (self.a, self.b) {
            (Side::Many(a), Side::Many(b)) => Self::rows(l, Side::Many(a), Side::Many(b), self.out),
            (Side::Many(a), Side::One(b)) => Self::rows(l, Side::Many(a), Side::One(b), self.out),
            (Side::One(a), b) => Self::rows(l, Side::One(a), b, self.out),
        }
    }
}

/// `out[i] = F(a[i], b[i])` by registers; false where a row lies otherwise, and nothing is written.
pub(super) fn zip<F: Combine<T>, T: Vectored>(a: &Src<'_>, b: &Src<'_>, out: &mut Dst<'_>) -> Result<bool> {
    let (left, right) = (a.elements::<T>()?, b.elements::<T>()?);
    let rows = Rows::new([a.layout, b.layout]);
    let (len, [s, t]) = (rows.len(), rows.steps());
    for (out, [i, j]) in out.elements::<T>()?.chunks_exact_mut(len.max(1)).zip(rows.starts()) {
        let (Some(a), Some(b)) = (Side::row(left, i, s, len), Side::row(right, j, t, len)) else {
            return Ok(false);
        };
        dispatch(Zip::<F, T> { a, b, out, function: PhantomData });
    }
    Ok(true)
}

/// What one row of a comparison is made of.
#[derive(Debug)]
struct Relate<'a, R, T> {
    a: Side<'a, T>,
    b: Side<'a, T>,
    out: &'a mut [u8],
    relation: PhantomData<R>,
}

impl<R: Relation<T>, T: Float> Kernel<T> for Relate<'_, R, T> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let whole = self.out.len() / L::WIDTH * L::WIDTH;
        for (i, part) in self.out[..whole].chunks_exact_mut(L::WIDTH).enumerate() {
            let at = i * L::WIDTH;
            l.store_mask(R::of(l, self.a.load(l, at, true), self.b.load(l, at, true)), part);
        }
        if whole < self.out.len() {
            let mut bytes = [0; 16];
            l.store_mask(R::of(l, self.a.load(l, whole, false), self.b.load(l, whole, false)), &mut bytes);
            let rest = &mut self.out[whole..];
            rest.copy_from_slice(&bytes[..rest.len()]);
        }
    }
}

/// `out[i] = R(a[i], b[i])` as bytes 0 and 1; false where a row lies otherwise, and nothing is written.
pub(super) fn relate<R: Relation<T>, T: Vectored>(a: &Src<'_>, b: &Src<'_>, out: &mut Dst<'_>) -> Result<bool> {
    let (left, right) = (a.elements::<T>()?, b.elements::<T>()?);
    let rows = Rows::new([a.layout, b.layout]);
    let (len, [s, t]) = (rows.len(), rows.steps());
    for (out, [i, j]) in out.bytes.chunks_exact_mut(len.max(1)).zip(rows.starts()) {
        let (Some(a), Some(b)) = (Side::row(left, i, s, len), Side::row(right, j, t, len)) else {
            return Ok(false);
        };
        dispatch(Relate::<R, T> { a, b, out, relation: PhantomData });
    }
    Ok(true)
}
