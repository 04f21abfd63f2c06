//! The loops of single instructions over the elements of a tile, by registers.
//!
//! What is not worth a loop of its own runs on the kernels of its family, so every function rounds as it does alone.

#![allow(unsafe_code, reason = "operands are read and written by address, once their lengths are checked")]

use super::io::Real;
use crate::backend::cpu::arch::{Kernel, Lanes, dispatch};
use crate::backend::cpu::element::Float;
use crate::backend::cpu::kernel::{Dst, Src};
use crate::backend::cpu::math::{Combine, Map, simple};
use crate::backend::cpu::pointwise::{self, Relation, relation};
use crate::buffer::Meta;
use crate::error::{Error, Result};
use crate::ir::op::{BinaryOp, CompareOp, Op, ReduceOp, UnaryOp};
use crate::layout::Layout;
use std::marker::PhantomData;

/// What an instruction gives for the lanes of its operands.
trait Lanewise<T: Float, const N: usize> {
    /// The result of these lanes.
    fn of<L: Lanes<Elem = T>>(l: L, from: [L::V; N]) -> L::V;
}

/// Registers of the result that one turn of a loop computes.
const UNROLLED: usize = 4;

/// Copies of a number that stand for a whole tile of it.
pub(super) const COPIES: usize = 16;

/// `out[i] = F(from[0][i], .., from[N - 1][i])` for slices of one length; a shorter one holds `COPIES` of one number.
struct Each<'a, F, T, const N: usize> {
    from: [&'a [T]; N],
    out: &'a mut [T],
    function: PhantomData<F>,
}

impl<F: Lanewise<T, N>, T: Float, const N: usize> Kernel<T> for Each<'_, F, T, N> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let count = self.out.len();
        let from = self.from.map(|x| &x[..x.len().min(count)]);
        assert!(from.iter().all(|x| x.len() == count || x.len() >= L::WIDTH), "operands of other lengths");
        let steps = from.map(|x| if x.len() < count { 0 } else { usize::MAX });
        let (first, out) = (from.map(<[T]>::as_ptr), self.out.as_mut_ptr());
        let whole = count / L::WIDTH * L::WIDTH;
        // No closure here: its body would be compiled without the instructions of these lanes.
        let mut lanes = [l.constant(0.0); N];
        let mut at = 0;
        while at + UNROLLED * L::WIDTH <= whole {
            for _ in 0..UNROLLED {
                for k in 0..N {
                    // SAFETY: `at + WIDTH` is at most the length of an operand, or WIDTH is where it is one number.
                    lanes[k] = unsafe { l.load_ptr(first[k].add(at & steps[k])) };
                }
                // SAFETY: `at + WIDTH` is at most the length of the result.
                unsafe { l.store_ptr(F::of(l, lanes), out.add(at)) };
                at += L::WIDTH;
            }
        }
        while at < whole {
            for k in 0..N {
                // SAFETY: as above.
                lanes[k] = unsafe { l.load_ptr(first[k].add(at & steps[k])) };
            }
            // SAFETY: as above.
            unsafe { l.store_ptr(F::of(l, lanes), out.add(at)) };
            at += L::WIDTH;
        }
        if whole < count {
            for k in 0..N {
                lanes[k] = l.load_part(&from[k][whole & steps[k]..]);
            }
            l.store_part(F::of(l, lanes), &mut self.out[whole..]);
        }
    }
}

fn each<F: Lanewise<T, N>, T: Real, const N: usize>(from: [&[T]; N], out: &mut [T]) {
    dispatch(Each::<F, T, N> { from, out, function: PhantomData });
}

/// A function of two.
struct Two<F>(PhantomData<F>);

impl<F: Combine<T>, T: Float> Lanewise<T, 2> for Two<F> {
    #[inline(always)]
    fn of<L: Lanes<Elem = T>>(l: L, [a, b]: [L::V; 2]) -> L::V {
        F::of(l, a, b)
    }
}

/// `G(F(a, b), c)`, each rounded.
struct Then<F, G>(PhantomData<(F, G)>);

impl<F: Combine<T>, G: Combine<T>, T: Float> Lanewise<T, 3> for Then<F, G> {
    #[inline(always)]
    fn of<L: Lanes<Elem = T>>(l: L, [a, b, c]: [L::V; 3]) -> L::V {
        G::of(l, F::of(l, a, b), c)
    }
}

/// `G(c, F(a, b))`, each rounded.
struct Under<F, G>(PhantomData<(F, G)>);

impl<F: Combine<T>, G: Combine<T>, T: Float> Lanewise<T, 3> for Under<F, G> {
    #[inline(always)]
    fn of<L: Lanes<Elem = T>>(l: L, [a, b, c]: [L::V; 3]) -> L::V {
        G::of(l, c, F::of(l, a, b))
    }
}

/// A comparison as a number.
struct Holds<R>(PhantomData<R>);

impl<R: Relation<T>, T: Float> Lanewise<T, 2> for Holds<R> {
    #[inline(always)]
    fn of<L: Lanes<Elem = T>>(l: L, [a, b]: [L::V; 2]) -> L::V {
        l.select(R::of(l, a, b), l.constant(1.0), l.constant(0.0))
    }
}

/// `R(x, y) ? a : b`.
struct Chosen<R>(PhantomData<R>);

impl<R: Relation<T>, T: Float> Lanewise<T, 4> for Chosen<R> {
    #[inline(always)]
    fn of<L: Lanes<Elem = T>>(l: L, [x, y, a, b]: [L::V; 4]) -> L::V {
        l.select(R::of(l, x, y), a, b)
    }
}

/// `condition ? a : b`.
struct Select;

impl<T: Float> Lanewise<T, 3> for Select {
    #[inline(always)]
    fn of<L: Lanes<Elem = T>>(l: L, [condition, a, b]: [L::V; 3]) -> L::V {
        l.select(l.eq(condition, l.constant(0.0)), b, a)
    }
}

/// The opposite of a truth value.
struct Opposite;

impl<T: Float> Lanewise<T, 1> for Opposite {
    #[inline(always)]
    fn of<L: Lanes<Elem = T>>(l: L, [x]: [L::V; 1]) -> L::V {
        l.sub(l.constant(1.0), x)
    }
}

/// Whether a number is not zero, as a number.
struct Nonzero;

impl<T: Float> Lanewise<T, 1> for Nonzero {
    #[inline(always)]
    fn of<L: Lanes<Elem = T>>(l: L, [x]: [L::V; 1]) -> L::V {
        let zero = l.constant(0.0);
        l.select(l.eq(x, zero), zero, l.constant(1.0))
    }
}

/// Elements that are wanted soon.
struct Soon<'a, T>(&'a [T]);

impl<T: Float> Kernel<T> for Soon<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        for line in self.0.chunks(64 / size_of::<T>()) {
            l.prefetch(line.as_ptr());
        }
    }
}

/// Bring elements into the first cache.
pub(super) fn fetch<T: Real>(soon: &[T]) {
    dispatch(Soon(soon));
}

/// A function of one operand.
pub(super) fn unary<T: Real>(op: UnaryOp, x: &[T], out: &mut [T]) -> Result<()> {
    let x = &x[..out.len()];
    match op {
        UnaryOp::Neg => dispatch(Map::<simple::Neg, T>::new(x, out)),
        UnaryOp::Abs => dispatch(Map::<simple::Abs, T>::new(x, out)),
        UnaryOp::Sqrt => dispatch(Map::<simple::Sqrt, T>::new(x, out)),
        UnaryOp::Reciprocal => dispatch(Map::<simple::Reciprocal, T>::new(x, out)),
        other => return alone(&[x], out, |sides, out| pointwise::unary(other, &sides[0], out)),
    }
    Ok(())
}

/// A function of two operands.
pub(super) fn binary<T: Real>(op: BinaryOp, from: [&[T]; 2], out: &mut [T]) -> Result<()> {
    match op {
        BinaryOp::Add => each::<Two<simple::Add>, T, 2>(from, out),
        BinaryOp::Sub => each::<Two<simple::Sub>, T, 2>(from, out),
        BinaryOp::Mul => each::<Two<simple::Mul>, T, 2>(from, out),
        BinaryOp::Div => each::<Two<simple::Div>, T, 2>(from, out),
        BinaryOp::Maximum => each::<Two<simple::Maximum>, T, 2>(from, out),
        BinaryOp::Minimum => each::<Two<simple::Minimum>, T, 2>(from, out),
        other => return alone(&from, out, |sides, out| pointwise::binary(other, &sides[0], &sides[1], out)),
    }
    Ok(())
}

/// Whether an op runs on the loops here, which take copies of a number for a tile of it.
pub(super) fn takes_copies(op: &Op) -> bool {
    match op {
        Op::Compare(_) | Op::Select => true,
        Op::Binary(op) => pairs(*op) || matches!(op, BinaryOp::Maximum | BinaryOp::Minimum),
        _ => false,
    }
}

/// The largest or smallest element of a row, or NaN.
pub(super) fn extreme<T: Real>(op: ReduceOp, row: &[T]) -> Option<T> {
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
        let mut found = l.splat(*self.row.first()?);
        let mut chunks = self.row.chunks_exact(L::WIDTH);
        for chunk in &mut chunks {
            found = F::of(l, found, l.load(chunk));
        }
        for &x in chunks.remainder() {
            found = F::of(l, found, l.splat(x));
        }
        let mut lanes = [*self.row.first()?; COPIES];
        l.store(found, &mut lanes);
        let mut one = l.splat(lanes[0]);
        for &x in &lanes[1..L::WIDTH] {
            one = F::of(l, one, l.splat(x));
        }
        l.store(one, &mut lanes);
        Some(lanes[0])
    }
}

/// Whether a function of two can be one of a pair.
pub(super) fn pairs(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div)
}

/// Hand the type of a function of two that can be one of a pair to a macro.
macro_rules! by_pair {
    ($op:expr, $name:ident => $body:expr) => {
        match $op {
            BinaryOp::Add => {
                type $name = simple::Add;
                $body
            }
            BinaryOp::Sub => {
                type $name = simple::Sub;
                $body
            }
            BinaryOp::Mul => {
                type $name = simple::Mul;
                $body
            }
            BinaryOp::Div => {
                type $name = simple::Div;
                $body
            }
            _ => return Err(Error::bug("fused", "a pair of other functions")),
        }
    };
}

/// A function of a function of two: `second(first(a, b), c)`, or `second(c, first(a, b))` where it comes last.
pub(super) fn pair<T: Real>(
    (first, second): (BinaryOp, BinaryOp),
    last: bool,
    from: [&[T]; 3],
    out: &mut [T],
) -> Result<()> {
    by_pair!(first, F => by_pair!(second, G => if last {
        each::<Under<F, G>, T, 3>(from, out);
    } else {
        each::<Then<F, G>, T, 3>(from, out);
    }));
    Ok(())
}

/// A comparison: 1 where it holds, else 0.
pub(super) fn compare<T: Real>(op: CompareOp, [a, b]: [&[T]; 2], out: &mut [T]) {
    match op {
        CompareOp::Equal => each::<Holds<relation::Equal>, T, 2>([a, b], out),
        CompareOp::NotEqual => each::<Holds<relation::NotEqual>, T, 2>([a, b], out),
        CompareOp::Less => each::<Holds<relation::Less>, T, 2>([a, b], out),
        CompareOp::LessEqual => each::<Holds<relation::LessEqual>, T, 2>([a, b], out),
        CompareOp::Greater => each::<Holds<relation::Less>, T, 2>([b, a], out),
        CompareOp::GreaterEqual => each::<Holds<relation::LessEqual>, T, 2>([b, a], out),
    }
}

/// `op(x, y) ? a : b`.
pub(super) fn choose<T: Real>(op: CompareOp, [x, y, a, b]: [&[T]; 4], out: &mut [T]) {
    match op {
        CompareOp::Equal => each::<Chosen<relation::Equal>, T, 4>([x, y, a, b], out),
        CompareOp::NotEqual => each::<Chosen<relation::NotEqual>, T, 4>([x, y, a, b], out),
        CompareOp::Less => each::<Chosen<relation::Less>, T, 4>([x, y, a, b], out),
        CompareOp::LessEqual => each::<Chosen<relation::LessEqual>, T, 4>([x, y, a, b], out),
        CompareOp::Greater => each::<Chosen<relation::Less>, T, 4>([y, x, a, b], out),
        CompareOp::GreaterEqual => each::<Chosen<relation::LessEqual>, T, 4>([y, x, a, b], out),
    }
}

/// `condition ? a : b`.
pub(super) fn select<T: Real>(from: [&[T]; 3], out: &mut [T]) {
    each::<Select, T, 3>(from, out);
}

/// The opposite of a truth value.
pub(super) fn not<T: Real>(x: &[T], out: &mut [T]) {
    each::<Opposite, T, 1>([x], out);
}

/// Whether a number is not zero.
pub(super) fn truth<T: Real>(x: &[T], out: &mut [T]) {
    each::<Nonzero, T, 1>([x], out);
}

/// Run the kernel of an op that stands alone.
fn alone<T: Real>(
    from: &[&[T]],
    out: &mut [T],
    run: impl FnOnce(&[Src<'_>], &mut Dst<'_>) -> Result<()>,
) -> Result<()> {
    let (layout, meta) = (Layout::contiguous([out.len()].into()), Meta::new([out.len()], T::DTYPE));
    let [a, b] = [from.first(), from.last()].map(|x| x.map_or(&[][..], |x| &x[..out.len()]));
    let sides = [a, b].map(|x| Src { bytes: bytemuck::cast_slice(x), layout: &layout, dtype: T::DTYPE });
    run(&sides, &mut Dst { bytes: bytemuck::cast_slice_mut(out), meta: &meta })
}
