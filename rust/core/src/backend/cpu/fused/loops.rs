//! The loops of single instructions over the elements of a tile, by registers.
//!
//! What is not worth a loop of its own runs on the kernels of its family, so every function rounds as it does alone.

#![allow(unsafe_code, reason = "operands are read and written by address, once their lengths are checked")]

use super::compile::{Code, TILE};
use super::io::Real;
use crate::backend::cpu::arch::{Kernel, Lanes, dispatch};
use crate::backend::cpu::element::Float;
use crate::backend::cpu::kernel::{Dst, Src};
use crate::backend::cpu::math::{Combine, Function, simple};
use crate::backend::cpu::pointwise::{self, Relation, relation};
use crate::buffer::Meta;
use crate::error::{Error, Result};
use crate::ir::op::{BinaryOp, CompareOp, Op, ReduceOp, UnaryOp};
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

/// An operand of a tile: its elements, or `COPIES` of one number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<T> {
    pub(super) first: *const T,
    pub(super) copies: bool,
}

impl<T> Run<T> {
    /// A slice of at least `count` elements, or of `COPIES` of a number.
    pub(super) fn of(x: &[T], count: usize) -> Self {
        assert!(x.len() >= count.min(COPIES), "an operand of {} elements for {count}", x.len());
        Self { first: x.as_ptr(), copies: x.len() < count }
    }
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
        let Self { from, out, count, .. } = self;
        let (first, steps) = (from.map(|x| x.first), from.map(|x| if x.copies { 0 } else { usize::MAX }));
        let whole = count / L::WIDTH * L::WIDTH;
        // No closure here: its body would be compiled without the instructions of these lanes.
        let mut lanes = [l.constant(0.0); N];
        let mut at = 0;
        while at + UNROLLED * L::WIDTH <= whole {
            for _ in 0..UNROLLED {
                for k in 0..N {
                    // SAFETY: the caller promises `count` elements, or COPIES of a number, which fill a register.
                    lanes[k] = unsafe { l.load_ptr(first[k].wrapping_add(at & steps[k])) };
                }
                // SAFETY: the caller promises `count` elements.
                unsafe { l.store_ptr(F::of(l, lanes), out.wrapping_add(at)) };
                at += L::WIDTH;
            }
        }
        while at < whole {
            for k in 0..N {
                // SAFETY: as above.
                lanes[k] = unsafe { l.load_ptr(first[k].wrapping_add(at & steps[k])) };
            }
            // SAFETY: as above.
            unsafe { l.store_ptr(F::of(l, lanes), out.wrapping_add(at)) };
            at += L::WIDTH;
        }
        if whole < count {
            for k in 0..N {
                // SAFETY: as above.
                lanes[k] = unsafe { l.load_part_ptr(first[k].wrapping_add(whole & steps[k]), count - whole) };
            }
            // SAFETY: as above.
            unsafe { l.store_part_ptr(F::of(l, lanes), out.wrapping_add(whole), count - whole) };
        }
    }
}

/// The operands and the result of an instruction on one tile.
#[derive(Clone, Copy)]
struct Sides<'a, T> {
    from: &'a [Run<T>],
    out: *mut T,
    count: usize,
}

impl<T: Real> Sides<'_, T> {
    fn operand(&self, k: usize) -> Result<Run<T>> {
        self.from.get(k).copied().ok_or_else(|| Error::bug("fused", "an instruction without an operand"))
    }

    /// Compute with these operands, in this order.
    ///
    /// # Safety
    /// As for `lanewise`.
    unsafe fn each<F: Lanewise<T, N>, const N: usize>(&self, order: [usize; N]) -> Result<()> {
        let mut from = [self.operand(0)?; N];
        for (from, k) in from.iter_mut().zip(order) {
            *from = self.operand(k)?;
        }
        dispatch(Each::<F, T, N> { from, out: self.out, count: self.count, function: PhantomData });
        Ok(())
    }

    /// The elements of an operand, copied where the result lies over them.
    ///
    /// # Safety
    /// As for `lanewise`.
    unsafe fn elements<'b>(&self, k: usize, copy: &'b mut SmallVec<[T; TILE]>) -> Result<&'b [T]>
    where
        T: 'b,
    {
        let from = self.operand(k)?;
        // SAFETY: the caller promises `count` elements.
        let x = unsafe { slice::from_raw_parts(from.first, self.count) };
        if !std::ptr::eq(from.first, self.out) {
            return Ok(x);
        }
        copy.extend_from_slice(x);
        Ok(copy)
    }

    /// Run the kernel of an op that stands alone.
    ///
    /// # Safety
    /// As for `lanewise`.
    unsafe fn alone(&self, run: impl FnOnce([&Src<'_>; 2], &mut Dst<'_>) -> Result<()>) -> Result<()> {
        let (layout, meta) = (Layout::contiguous([self.count].into()), Meta::new([self.count], T::DTYPE));
        let (mut a, mut b) = (SmallVec::new(), SmallVec::new());
        // SAFETY: as the caller promises.
        let sides = unsafe { [self.elements(0, &mut a)?, self.elements(self.from.len() - 1, &mut b)?] };
        let [a, b] = sides.map(|x| Src { bytes: bytemuck::cast_slice(x), layout: &layout, dtype: T::DTYPE });
        // SAFETY: the caller promises `count` elements, which no operand lies over but those that were copied.
        let out = unsafe { slice::from_raw_parts_mut(self.out, self.count) };
        run([&a, &b], &mut Dst { bytes: bytemuck::cast_slice_mut(out), meta: &meta })
    }
}

/// Compute an instruction that takes each element by itself.
///
/// # Safety
/// Every operand holds `count` elements, or `COPIES` of a number where it says so, and `out` has `count` to write, which lie
/// over those of an operand one by one or not at all.
pub(super) unsafe fn lanewise<T: Real>(code: Code, from: &[Run<T>], out: *mut T, count: usize) -> Result<()> {
    let sides = Sides { from, out, count };
    // SAFETY: as the caller promises, here and below.
    unsafe {
        match code {
            Code::Fill(value) => {
                slice::from_raw_parts_mut(out, count).fill(T::round_from(value));
                Ok(())
            }
            Code::Spread => {
                std::ptr::copy(sides.operand(0)?.first, out, count);
                Ok(())
            }
            Code::Unary(op) => unary(op, &sides),
            Code::Binary(op) => binary(op, &sides),
            Code::Pair { first, second, last } => pair((first, second), last, &sides),
            Code::Compare(op) => compare(op, &sides),
            Code::Choose(op) => choose(op, &sides),
            Code::Select => sides.each::<Select, 3>([0, 1, 2]),
            Code::Not => sides.each::<Opposite, 1>([0]),
            Code::Truth => sides.each::<Nonzero, 1>([0]),
            Code::Copies | Code::FoldColumns(_) | Code::FoldRows(_) => {
                Err(Error::bug("fused", "an instruction that takes more than one element"))
            }
        }
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

/// A function of one operand.
///
/// # Safety
/// As for `lanewise`.
unsafe fn unary<T: Real>(op: UnaryOp, sides: &Sides<'_, T>) -> Result<()> {
    // SAFETY: as the caller promises.
    unsafe {
        match op {
            UnaryOp::Neg => sides.each::<One<simple::Neg>, 1>([0]),
            UnaryOp::Abs => sides.each::<One<simple::Abs>, 1>([0]),
            UnaryOp::Sqrt => sides.each::<One<simple::Sqrt>, 1>([0]),
            UnaryOp::Reciprocal => sides.each::<One<simple::Reciprocal>, 1>([0]),
            other => sides.alone(|[x, _], out| pointwise::unary(other, x, out)),
        }
    }
}

/// A function of two operands.
///
/// # Safety
/// As for `lanewise`.
unsafe fn binary<T: Real>(op: BinaryOp, sides: &Sides<'_, T>) -> Result<()> {
    // SAFETY: as the caller promises.
    unsafe {
        match op {
            BinaryOp::Add => sides.each::<Two<simple::Add>, 2>([0, 1]),
            BinaryOp::Sub => sides.each::<Two<simple::Sub>, 2>([0, 1]),
            BinaryOp::Mul => sides.each::<Two<simple::Mul>, 2>([0, 1]),
            BinaryOp::Div => sides.each::<Two<simple::Div>, 2>([0, 1]),
            BinaryOp::Maximum => sides.each::<Two<simple::Maximum>, 2>([0, 1]),
            BinaryOp::Minimum => sides.each::<Two<simple::Minimum>, 2>([0, 1]),
            other => sides.alone(|[a, b], out| pointwise::binary(other, a, b, out)),
        }
    }
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
///
/// # Safety
/// As for `lanewise`.
unsafe fn pair<T: Real>((first, second): (BinaryOp, BinaryOp), last: bool, sides: &Sides<'_, T>) -> Result<()> {
    // SAFETY: as the caller promises.
    unsafe {
        by_pair!(first, F => by_pair!(second, G => if last {
            sides.each::<Under<F, G>, 3>([0, 1, 2])
        } else {
            sides.each::<Then<F, G>, 3>([0, 1, 2])
        }))
    }
}

/// A comparison: 1 where it holds, else 0.
///
/// # Safety
/// As for `lanewise`.
unsafe fn compare<T: Real>(op: CompareOp, sides: &Sides<'_, T>) -> Result<()> {
    // SAFETY: as the caller promises.
    unsafe {
        match op {
            CompareOp::Equal => sides.each::<Holds<relation::Equal>, 2>([0, 1]),
            CompareOp::NotEqual => sides.each::<Holds<relation::NotEqual>, 2>([0, 1]),
            CompareOp::Less => sides.each::<Holds<relation::Less>, 2>([0, 1]),
            CompareOp::LessEqual => sides.each::<Holds<relation::LessEqual>, 2>([0, 1]),
            CompareOp::Greater => sides.each::<Holds<relation::Less>, 2>([1, 0]),
            CompareOp::GreaterEqual => sides.each::<Holds<relation::LessEqual>, 2>([1, 0]),
        }
    }
}

/// `op(x, y) ? a : b`.
///
/// # Safety
/// As for `lanewise`.
unsafe fn choose<T: Real>(op: CompareOp, sides: &Sides<'_, T>) -> Result<()> {
    // SAFETY: as the caller promises.
    unsafe {
        match op {
            CompareOp::Equal => sides.each::<Chosen<relation::Equal>, 4>([0, 1, 2, 3]),
            CompareOp::NotEqual => sides.each::<Chosen<relation::NotEqual>, 4>([0, 1, 2, 3]),
            CompareOp::Less => sides.each::<Chosen<relation::Less>, 4>([0, 1, 2, 3]),
            CompareOp::LessEqual => sides.each::<Chosen<relation::LessEqual>, 4>([0, 1, 2, 3]),
            CompareOp::Greater => sides.each::<Chosen<relation::Less>, 4>([1, 0, 2, 3]),
            CompareOp::GreaterEqual => sides.each::<Chosen<relation::LessEqual>, 4>([1, 0, 2, 3]),
        }
    }
}
