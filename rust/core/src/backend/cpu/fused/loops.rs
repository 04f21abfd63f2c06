//! The loops of single instructions over the elements of a tile, by registers.
//!
//! What is not worth a loop of its own runs on the kernels of its family, so every function rounds as it does alone.

#![allow(unsafe_code, reason = "operands are read and written by address, once their lengths are checked")]

use super::compile::{Code, TILE};
use super::io::Real;
use crate::backend::cpu::arch::{Kernel, Lanes, dispatch};
use crate::backend::cpu::element::Float;
use crate::backend::cpu::kernel::{Dst, Src};
use crate::backend::cpu::math::{Combine, Erf, Exp, Expm1, Function, Gelu, Log, Log1p, Sigmoid, Tanh, simple};
use crate::backend::cpu::native::{Recorder, Value};
use crate::backend::cpu::pointwise::{self, Relation, relation};
use crate::buffer::Meta;
use crate::error::{Error, Result};
use crate::ir::op::{BinaryOp, CompareOp, Op, UnaryOp};
use crate::layout::Layout;
use smallvec::SmallVec;
use std::marker::PhantomData;
use std::slice;

/// What an instruction gives for the lanes of its operands.
trait Lanewise<T: Float, const N: usize> {
    /// The result of these lanes.
    fn of<L: Lanes<Elem = T>>(l: L, from: [L::V; N]) -> L::V;
}

/// Registers of the result that one turn of a loop computes.
const UNROLLED: usize = 4;

/// Copies of a number that stand for a whole tile of it.
pub(super) const COPIES: usize = 16;

/// Operands of an instruction at most.
pub(super) const OPERANDS: usize = 4;

/// An operand of a tile: its elements, or `COPIES` of one number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<T> {
    pub(super) first: *const T,
    pub(super) copies: bool,
}

/// A loop over the elements of a tile; operands that it does not have are not looked at.
///
/// # Safety
/// Every operand holds so many elements, or `COPIES` of a number where it says so, and there are as many to write, which lie
/// over those of an operand one by one or not at all.
pub(super) type Loop<T> = unsafe fn(&[Run<T>; OPERANDS], *mut T, usize);

/// How an instruction is computed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way<T> {
    /// By a loop of its own.
    pub(super) run: Loop<T>,
    /// As a part of machine code: what becomes of the values of its operands.
    pub(super) record: fn(Recorder<T>, [Value; OPERANDS]) -> Value,
}

/// `out[i] = F(from[0][i], .., from[N - 1][i])` for so many i. Run by whoever promises the elements.
struct Each<F, T, const N: usize> {
    from: [Run<T>; N],
    out: *mut T,
    count: usize,
    function: PhantomData<F>,
}

impl<F: Lanewise<T, N>, T: Float, const N: usize> Kernel<T> for Each<F, T, N> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let Self { from, mut out, count, .. } = self;
        let steps = from.map(|x| if x.copies { 0 } else { L::WIDTH });
        let mut at = from.map(|x| x.first);
        // No closure here: its body would be compiled without the instructions of these lanes.
        let mut lanes = [l.constant(0.0); N];
        for _ in 0..count / (UNROLLED * L::WIDTH) {
            for i in 0..UNROLLED {
                for k in 0..N {
                    // SAFETY: the caller promises `count` elements, or COPIES of a number, which fill a register.
                    lanes[k] = unsafe { l.load_ptr(at[k].wrapping_add(i * steps[k])) };
                }
                // SAFETY: the caller promises `count` elements.
                unsafe { l.store_ptr(F::of(l, lanes), out.wrapping_add(i * L::WIDTH)) };
            }
            for k in 0..N {
                at[k] = at[k].wrapping_add(UNROLLED * steps[k]);
            }
            out = out.wrapping_add(UNROLLED * L::WIDTH);
        }
        let rest = count % (UNROLLED * L::WIDTH);
        for _ in 0..rest / L::WIDTH {
            for k in 0..N {
                // SAFETY: as above.
                lanes[k] = unsafe { l.load_ptr(at[k]) };
                at[k] = at[k].wrapping_add(steps[k]);
            }
            // SAFETY: as above.
            unsafe { l.store_ptr(F::of(l, lanes), out) };
            out = out.wrapping_add(L::WIDTH);
        }
        if !rest.is_multiple_of(L::WIDTH) {
            for k in 0..N {
                // SAFETY: as above.
                lanes[k] = unsafe { l.load_part_ptr(at[k], rest % L::WIDTH) };
            }
            // SAFETY: as above.
            unsafe { l.store_part_ptr(F::of(l, lanes), out, rest % L::WIDTH) };
        }
    }
}

/// The loop of one function.
///
/// # Safety
/// As for `Loop`.
unsafe fn run<F: Lanewise<T, N>, T: Real, const N: usize>(from: &[Run<T>; OPERANDS], out: *mut T, count: usize) {
    let from = std::array::from_fn(|k| from[k]);
    dispatch(Each::<F, T, N> { from, out, count, function: PhantomData });
}

/// One function, element by element.
fn each<F: Lanewise<T, N>, T: Real, const N: usize>() -> Way<T> {
    let record = |lanes, from: [Value; OPERANDS]| F::of(lanes, std::array::from_fn(|k| from[k]));
    Way { run: run::<F, T, N>, record }
}

/// How an instruction is computed that takes each element by itself, if it is worth a loop.
pub(super) fn resolve<T: Real>(code: Code) -> Option<Way<T>> {
    Some(match code {
        Code::Unary(op) => return unary::<T>(op),
        Code::Binary(op) => return binary::<T>(op),
        Code::Pair { first, second, last } => return pair::<T>((first, second), last),
        Code::Compare(op) => compare::<T>(op),
        Code::Choose(op) => choose::<T>(op),
        Code::Select => each::<Select, T, 3>(),
        Code::Not => each::<Opposite, T, 1>(),
        Code::Truth => each::<Nonzero, T, 1>(),
        Code::Fill(_) | Code::Copies | Code::Spread | Code::FoldColumns(_) | Code::FoldRows(_) => return None,
    })
}

/// Compute an instruction that has no loop here with the kernel of its op.
///
/// # Safety
/// As for `Loop`, and no operand is copies of a number.
pub(super) unsafe fn alone<T: Real>(code: Code, from: [Run<T>; 2], out: *mut T, count: usize) -> Result<()> {
    let (layout, meta) = (Layout::contiguous([count].into()), Meta::new([count], T::DTYPE));
    let mut copied: [SmallVec<[T; TILE]>; 2] = Default::default();
    for (copy, from) in copied.iter_mut().zip(&from) {
        if std::ptr::eq(from.first, out) {
            // SAFETY: the caller promises `count` elements.
            copy.extend_from_slice(unsafe { slice::from_raw_parts(from.first, count) });
        }
    }
    let side = |k: usize| {
        // SAFETY: as above; nothing of them lies under the result but what was copied.
        let x = if copied[k].is_empty() { unsafe { slice::from_raw_parts(from[k].first, count) } } else { &copied[k] };
        Src { bytes: bytemuck::cast_slice(x), layout: &layout, dtype: T::DTYPE }
    };
    // SAFETY: the caller promises `count` elements, which no operand lies over but those that were copied.
    let out = unsafe { slice::from_raw_parts_mut(out, count) };
    let mut out = Dst { bytes: bytemuck::cast_slice_mut(out), meta: &meta };
    match code {
        Code::Unary(op) => pointwise::unary(op, &side(0), &mut out),
        Code::Binary(op) => pointwise::binary(op, &side(0), &side(1), &mut out),
        _ => Err(Error::bug("fused", "an instruction that takes more than one element")),
    }
}

/// A function of one.
struct One<F>(PhantomData<F>);

impl<F: Function<T>, T: Float> Lanewise<T, 1> for One<F> {
    #[inline(always)]
    fn of<L: Lanes<Elem = T>>(l: L, [x]: [L::V; 1]) -> L::V {
        F::of(l, x)
    }
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
struct Soon<T>(*const T, usize);

impl<T: Float> Kernel<T> for Soon<T> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        for at in (0..self.1).step_by(64 / size_of::<T>()) {
            l.prefetch(self.0.wrapping_add(at));
        }
    }
}

/// Bring so many elements into the first cache.
pub(super) fn fetch<T: Real>(first: *const T, count: usize) {
    dispatch(Soon(first, count));
}

/// Whether each element is not zero, as bytes; slices of one length.
pub(super) fn truths<T: Real>(x: &[T], out: &mut [u8]) {
    dispatch(Truths { x, out });
}

struct Truths<'a, T> {
    x: &'a [T],
    out: &'a mut [u8],
}

impl<T: Float> Kernel<T> for Truths<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        let zero = l.constant(0.0);
        let (mut x, mut out) = (self.x.chunks_exact(L::WIDTH), self.out.chunks_exact_mut(L::WIDTH));
        for (x, out) in (&mut x).zip(&mut out) {
            l.store_mask(relation::NotEqual::of(l, l.load(x), zero), out);
        }
        for (x, out) in x.remainder().iter().zip(out.into_remainder()) {
            *out = u8::from(x.wide() != 0.0);
        }
    }
}

/// A function of one operand.
fn unary<T: Real>(op: UnaryOp) -> Option<Way<T>> {
    Some(match op {
        UnaryOp::Neg => each::<One<simple::Neg>, T, 1>(),
        UnaryOp::Abs => each::<One<simple::Abs>, T, 1>(),
        UnaryOp::Sqrt => each::<One<simple::Sqrt>, T, 1>(),
        UnaryOp::Reciprocal => each::<One<simple::Reciprocal>, T, 1>(),
        other => return T::elementary(other),
    })
}

/// An elementary function of f32. Those of f64 are not made of registers.
pub(super) fn elementary(op: UnaryOp) -> Option<Way<f32>> {
    Some(match op {
        UnaryOp::Exp => each::<One<Exp>, f32, 1>(),
        UnaryOp::Expm1 => each::<One<Expm1>, f32, 1>(),
        UnaryOp::Log => each::<One<Log>, f32, 1>(),
        UnaryOp::Log1p => each::<One<Log1p>, f32, 1>(),
        UnaryOp::Tanh => each::<One<Tanh>, f32, 1>(),
        UnaryOp::Sigmoid => each::<One<Sigmoid>, f32, 1>(),
        UnaryOp::Erf => each::<One<Erf>, f32, 1>(),
        UnaryOp::Gelu => each::<One<Gelu>, f32, 1>(),
        _ => return None,
    })
}

/// A function of two operands.
fn binary<T: Real>(op: BinaryOp) -> Option<Way<T>> {
    Some(match op {
        BinaryOp::Add => each::<Two<simple::Add>, T, 2>(),
        BinaryOp::Sub => each::<Two<simple::Sub>, T, 2>(),
        BinaryOp::Mul => each::<Two<simple::Mul>, T, 2>(),
        BinaryOp::Div => each::<Two<simple::Div>, T, 2>(),
        BinaryOp::Maximum => each::<Two<simple::Maximum>, T, 2>(),
        BinaryOp::Minimum => each::<Two<simple::Minimum>, T, 2>(),
        _ => return None,
    })
}

/// Whether an op runs on the loops here, which take copies of a number for a tile of it.
pub(super) fn takes_copies(op: &Op) -> bool {
    match op {
        Op::Compare(_) | Op::Select => true,
        Op::Binary(op) => pairs(*op) || matches!(op, BinaryOp::Maximum | BinaryOp::Minimum),
        _ => false,
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
            _ => return None,
        }
    };
}

/// A function of a function of two: `second(first(a, b), c)`, or `second(c, first(a, b))` where it comes last.
fn pair<T: Real>((first, second): (BinaryOp, BinaryOp), last: bool) -> Option<Way<T>> {
    Some(by_pair!(first, F => by_pair!(second, G => if last {
        each::<Under<F, G>, T, 3>()
    } else {
        each::<Then<F, G>, T, 3>()
    })))
}

/// A comparison: 1 where it holds, else 0.
fn compare<T: Real>(op: CompareOp) -> Way<T> {
    match op {
        CompareOp::Equal => each::<Holds<relation::Equal>, T, 2>(),
        CompareOp::NotEqual => each::<Holds<relation::NotEqual>, T, 2>(),
        CompareOp::Less => each::<Holds<relation::Less>, T, 2>(),
        CompareOp::LessEqual => each::<Holds<relation::LessEqual>, T, 2>(),
        CompareOp::Greater => each::<Holds<relation::Greater>, T, 2>(),
        CompareOp::GreaterEqual => each::<Holds<relation::GreaterEqual>, T, 2>(),
    }
}

/// `op(x, y) ? a : b`.
fn choose<T: Real>(op: CompareOp) -> Way<T> {
    match op {
        CompareOp::Equal => each::<Chosen<relation::Equal>, T, 4>(),
        CompareOp::NotEqual => each::<Chosen<relation::NotEqual>, T, 4>(),
        CompareOp::Less => each::<Chosen<relation::Less>, T, 4>(),
        CompareOp::LessEqual => each::<Chosen<relation::LessEqual>, T, 4>(),
        CompareOp::Greater => each::<Chosen<relation::Greater>, T, 4>(),
        CompareOp::GreaterEqual => each::<Chosen<relation::GreaterEqual>, T, 4>(),
    }
}
