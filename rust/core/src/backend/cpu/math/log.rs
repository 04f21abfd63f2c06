//! The natural logarithm.

use super::{Function, polynomial};
use crate::backend::cpu::arch::Lanes;
use std::f64::consts::LN_2;

/// `(log(1 + f) - f + f^2 / 2) / f^3` for `1 + f` from sqrt(1/2) to sqrt(2), to 1e-9.
const TAIL: [f64; 9] = [
    0.333_333_104_482_651_1,
    -0.249_999_865_752_365_43,
    0.200_022_261_460_388_57,
    -0.166_692_517_379_946_3,
    0.142_186_669_036_537_33,
    -0.123_843_384_606_144_34,
    0.118_729_084_695_540_87,
    -0.117_898_388_669_928_18,
    0.069_155_453_011_073_15,
];

/// ln 2 in two parts, the first with so few bits that its products with exponents are exact.
const LN_2_HIGH: f64 = 0.693_359_375;

/// The bits of sqrt(1/2), where mantissas begin here.
const ROOT_HALF: u32 = 0x3f35_04f3;
/// The bits of 1.
const ONE: u32 = 0x3f80_0000;
/// `2^23`: with the bits of a small whole number below, that number above 2^23.
const COUNT: f32 = 8_388_608.0;

/// `log(x)`; at most 0.8 units off, also for subnormal x.
#[derive(Debug)]
pub(in crate::backend::cpu) struct Log;

impl Function<f32> for Log {
    #[inline(always)]
    fn of<L: Lanes<Elem = f32>>(l: L, x: L::V) -> L::V {
        let bits = |bits: u32| l.splat(f32::from_bits(bits));
        let zero = l.constant(0.0);
        // Subnormal numbers are brought among the normal ones first.
        let small = l.lt(x, l.splat(f32::MIN_POSITIVE));
        let scaled = l.select(small, l.mul(x, l.splat(COUNT)), x);
        let bias = l.select(small, l.splat(-COUNT - 127.0 - 23.0), l.splat(-COUNT - 127.0));
        // x = 2^e (1 + f): the exponent counts from sqrt(1/2), not from 1.
        let shifted = l.sub_bits(scaled, bits(ROOT_HALF.wrapping_sub(ONE)));
        let e = l.add(l.or(l.shift_right(shifted, 23), l.splat(COUNT)), bias);
        let mantissa = l.add_bits(l.and(shifted, bits(0x007f_ffff)), bits(ROOT_HALF));
        let f = l.sub(mantissa, l.constant(1.0));
        let square = l.mul(f, f);
        let cubic = l.mul(l.mul(square, f), polynomial(l, f, TAIL));
        let low = l.mul_add(e, l.constant(LN_2 - LN_2_HIGH), cubic);
        let sum = l.add(l.neg_mul_add(square, l.constant(0.5), low), f);
        let finite = l.mul_add(e, l.constant(LN_2_HIGH), sum);
        // 0 gives -inf, +inf and NaN themselves, anything below 0 NaN.
        let infinity = l.splat(f32::INFINITY);
        let result = l.select(l.lt(x, infinity), finite, x);
        let result = l.select(l.eq(x, zero), l.splat(f32::NEG_INFINITY), result);
        l.select(l.lt(x, zero), l.splat(f32::NAN), result)
    }
}

/// `log(1 + x)` with the digits of small arguments; at most 1.5 units off.
#[derive(Debug)]
pub(in crate::backend::cpu) struct Log1p;

impl Function<f32> for Log1p {
    #[inline(always)]
    fn of<L: Lanes<Elem = f32>>(l: L, x: L::V) -> L::V {
        let one = l.constant(1.0);
        let sum = l.add(one, x);
        let log = Log::of(l, sum);
        // What the sum lost, to first order; infinities and the pole have no such term, and 0 keeps its sign.
        let lost = l.sub(x, l.sub(sum, one));
        let corrected = l.add(log, l.div(lost, sum));
        let plain = l.mask_or(l.eq(sum, l.constant(0.0)), l.le(l.splat(f32::INFINITY), sum));
        l.select(l.eq(x, l.constant(0.0)), x, l.select(plain, log, corrected))
    }
}
