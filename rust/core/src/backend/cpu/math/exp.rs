//! The exponential function and what is made of it.

use super::{Function, polynomial};
use crate::backend::cpu::arch::Lanes;
use std::f64::consts::{LN_2, LOG2_E};

/// `(exp(r) - 1 - r) / r^2` for `|r| <= ln(2) / 2`, to 3e-9.
const TAIL: [f64; 5] = [
    0.500_000_010_095_557_2,
    0.166_665_128_940_048_93,
    0.041_666_187_362_938_54,
    0.008_369_597_949_323_621,
    0.001_395_171_256_971_058,
];

/// ln 2 in two parts, the first with so few bits that its products with exponents are exact.
const LN_2_HIGH: f64 = 0.693_359_375;
/// What the first part lacks.
const LN_2_LOW: f64 = LN_2 - LN_2_HIGH;

/// 1.5 * 2^23: added to a small integer, it leaves that integer in the lowest bits.
pub(super) const MAGIC: f64 = 12_582_912.0;

/// `x = n ln(2) + r` with a whole n: gives n and r.
#[inline(always)]
fn reduce<L: Lanes<Elem = f32>>(l: L, x: L::V) -> (L::V, L::V) {
    let magic = l.constant(MAGIC);
    let n = l.sub(l.mul_add(x, l.constant(LOG2_E), magic), magic);
    let r = l.neg_mul_add(n, l.constant(LN_2_HIGH), x);
    (n, l.neg_mul_add(n, l.constant(LN_2_LOW), r))
}

/// `2^n` for a whole n from -126 to 127.
#[inline(always)]
fn power_of_two<L: Lanes<Elem = f32>>(l: L, n: L::V) -> L::V {
    let bits = l.add(n, l.constant(MAGIC + 127.0));
    l.shift_left(bits, 23)
}

/// `exp(x)` for x from -87 to 88 and NaN, where nothing has to be looked for; at most 1.1 units off.
#[inline(always)]
pub(super) fn exp_inside<L: Lanes<Elem = f32>>(l: L, x: L::V) -> L::V {
    let (n, sum) = parts(l, x);
    l.mul(sum, power_of_two(l, n))
}

/// `exp(x)` as `2^n` and what it is multiplied by.
#[inline(always)]
fn parts<L: Lanes<Elem = f32>>(l: L, x: L::V) -> (L::V, L::V) {
    let (n, r) = reduce(l, x);
    let sum = l.mul_add(l.mul(r, r), polynomial(l, r, TAIL), r);
    (n, l.add(sum, l.constant(1.0)))
}

/// `exp(x)`; at most 1.1 units off where the result is no subnormal.
#[derive(Debug)]
pub(in crate::backend::cpu) struct Exp;

impl Function<f32> for Exp {
    #[inline(always)]
    fn of<L: Lanes<Elem = f32>>(l: L, x: L::V) -> L::V {
        // A result below all numbers takes some machines a hundred times as long as another: -inf is common behind masks.
        let (zero, nothing) = (l.constant(0.0), l.le(x, l.constant(-104.0)));
        // The variable operand comes second, so that NaN survives the clamp.
        let x = l.min(l.constant(89.0), l.select(nothing, zero, x));
        let (n, sum) = parts(l, x);
        // Two factors reach beyond the exponents of normal numbers, and the last product rounds once.
        let magic = l.constant(MAGIC);
        let half = l.sub(l.mul_add(n, l.constant(0.5), magic), magic);
        let result = l.mul(l.mul(sum, power_of_two(l, half)), power_of_two(l, l.sub(n, half)));
        l.select(nothing, zero, result)
    }
}

/// `exp(x) - 1` with the digits of small arguments; at most 1.7 units off.
#[derive(Debug)]
pub(in crate::backend::cpu) struct Expm1;

impl Function<f32> for Expm1 {
    #[inline(always)]
    fn of<L: Lanes<Elem = f32>>(l: L, x: L::V) -> L::V {
        let inside = l.min(l.constant(89.0), l.max(l.constant(-20.0), x));
        let (n, r) = reduce(l, inside);
        let sum = l.mul_add(l.mul(r, r), polynomial(l, r, TAIL), r);
        // 2^n (1 + sum) - 1 at half its size, since 2^128 is no number.
        let half = power_of_two(l, l.sub(n, l.constant(1.0)));
        let result = l.mul_add(half, sum, l.sub(half, l.constant(0.5)));
        l.copy_sign(l.add(result, result), x)
    }
}

/// `1 / (1 + exp(-x))`; at most 2.3 units off.
#[derive(Debug)]
pub(in crate::backend::cpu) struct Sigmoid;

impl Function<f32> for Sigmoid {
    #[inline(always)]
    fn of<L: Lanes<Elem = f32>>(l: L, x: L::V) -> L::V {
        // The exponent is never positive, so nothing overflows and the small end keeps its digits.
        let small = Exp::of(l, l.or(x, l.constant(-0.0)));
        let one = l.constant(1.0);
        let above = l.select(l.lt(x, l.constant(0.0)), small, one);
        l.div(above, l.add(one, small))
    }
}
