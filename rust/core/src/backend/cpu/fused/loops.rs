//! The loops of single instructions over the elements of a tile.
//!
//! What is not worth a loop of its own runs on the kernels of its family, so every function rounds as it does alone.

use super::io::Real;
use crate::backend::cpu::kernel::{Dst, Src};
use crate::backend::cpu::pointwise;
use crate::buffer::Meta;
use crate::error::Result;
use crate::ir::op::{BinaryOp, CompareOp, UnaryOp};
use crate::layout::Layout;

/// `out[i] = f(x[i])` for slices of one length.
fn map<T: Real>(x: &[T], out: &mut [T], f: impl Fn(T) -> T) {
    out.iter_mut().zip(x).for_each(|(out, &x)| *out = f(x));
}

/// `out[i] = f(a[i], b[i])` for slices of one length.
fn zip<T: Real>(a: &[T], b: &[T], out: &mut [T], f: impl Fn(T, T) -> T) {
    out.iter_mut().zip(a.iter().zip(b)).for_each(|(out, (&a, &b))| *out = f(a, b));
}

/// A truth value as a number.
fn bit<T: Real>(value: bool) -> T {
    if value { T::ONE } else { T::ZERO }
}

/// A function of one operand.
pub(super) fn unary<T: Real>(op: UnaryOp, x: &[T], out: &mut [T]) -> Result<()> {
    match op {
        UnaryOp::Neg => map(x, out, |x| -x),
        UnaryOp::Abs => map(x, out, T::abs),
        UnaryOp::Sqrt => map(x, out, T::sqrt),
        UnaryOp::Reciprocal => map(x, out, |x| T::ONE / x),
        other => return alone(&[x], out, |sides, out| pointwise::unary(other, &sides[0], out)),
    }
    Ok(())
}

/// A function of two operands.
pub(super) fn binary<T: Real>(op: BinaryOp, a: &[T], b: &[T], out: &mut [T]) -> Result<()> {
    match op {
        BinaryOp::Add => zip(a, b, out, |a, b| a + b),
        BinaryOp::Sub => zip(a, b, out, |a, b| a - b),
        BinaryOp::Mul => zip(a, b, out, |a, b| a * b),
        BinaryOp::Div => zip(a, b, out, |a, b| a / b),
        BinaryOp::Maximum => zip(a, b, out, T::larger),
        BinaryOp::Minimum => zip(a, b, out, T::smaller),
        other => return alone(&[a, b], out, |sides, out| pointwise::binary(other, &sides[0], &sides[1], out)),
    }
    Ok(())
}

/// A comparison: 1 where it holds, else 0.
pub(super) fn compare<T: Real>(op: CompareOp, a: &[T], b: &[T], out: &mut [T]) {
    match op {
        CompareOp::Equal => zip(a, b, out, |a, b| bit(a == b)),
        CompareOp::NotEqual => zip(a, b, out, |a, b| bit(a != b)),
        CompareOp::Less => zip(a, b, out, |a, b| bit(a < b)),
        CompareOp::LessEqual => zip(a, b, out, |a, b| bit(a <= b)),
        CompareOp::Greater => zip(a, b, out, |a, b| bit(a > b)),
        CompareOp::GreaterEqual => zip(a, b, out, |a, b| bit(a >= b)),
    }
}

/// `condition ? a : b`.
pub(super) fn select<T: Real>(condition: &[T], a: &[T], b: &[T], out: &mut [T]) {
    let sides = condition.iter().zip(a.iter().zip(b));
    out.iter_mut().zip(sides).for_each(|(out, (&c, (&a, &b)))| *out = if c == T::ZERO { b } else { a });
}

/// The opposite of a truth value.
pub(super) fn not<T: Real>(x: &[T], out: &mut [T]) {
    map(x, out, |x| T::ONE - x);
}

/// Whether a number is not zero.
pub(super) fn truth<T: Real>(x: &[T], out: &mut [T]) {
    map(x, out, |x| bit(x != T::ZERO));
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
