//! Sine and cosine.

use super::exp::MAGIC;
use super::{Function, polynomial};
use crate::backend::cpu::arch::Lanes;
use std::f64::consts::FRAC_2_PI;

/// `(sin(r) / r - 1) / r^2` as a polynomial in `r^2` for `|r| <= pi / 4`, to 6e-12.
const SINE: [f64; 4] =
    [-0.166_666_666_395_587_03, 0.008_333_329_143_985_601, -0.000_198_392_566_507_414_6, 2.717_564_578_198_218e-6];
/// `(cos(r) - 1 + r^2 / 2) / r^4` likewise, to 1e-13.
const COSINE: [f64; 4] =
    [0.041_666_666_619_207_25, -0.001_388_888_343_861_719, 0.000_024_799_436_447_294_234, -2.720_336_301_201_426_6e-7];

/// pi / 2 in four parts; the first three have so few bits that their products with n are exact.
const PARTS: [f64; 4] = [1.570_312_5, 0.000_483_751_296_997_070_3, 7.549_533_620_476_723e-8, 2.563_344_151_594_519e-12];

/// Beyond this size the parts do not reach, and lanes go one by one.
const LIMIT: f64 = 8192.0;

/// The sine of `x + turn pi / 2`.
#[inline(always)]
fn turned<L: Lanes<Elem = f32>>(l: L, x: L::V, turn: f64, rare: fn(f32) -> f32) -> L::V {
    let magic = l.constant(MAGIC);
    let n = l.sub(l.mul_add(x, l.constant(FRAC_2_PI), magic), magic);
    let mut r = x;
    for part in PARTS {
        r = l.neg_mul_add(n, l.constant(part), r);
    }
    let square = l.mul(r, r);
    let sine = l.mul_add(l.mul(r, square), polynomial(l, square, SINE), r);
    let cosine = l.mul_add(
        l.mul(square, square),
        polynomial(l, square, COSINE),
        l.neg_mul_add(square, l.constant(0.5), l.constant(1.0)),
    );
    // The quadrant is in the lowest two bits: odd ones take the cosine, the upper two the other sign.
    let quadrant = l.add(n, l.constant(MAGIC + turn));
    let odd = l.lt(l.or(l.shift_left(quadrant, 31), l.constant(1.0)), l.constant(0.0));
    let sign = l.and(l.shift_left(quadrant, 30), l.constant(-0.0));
    let result = l.xor(l.select(odd, cosine, sine), sign);
    let inside = l.lt(l.abs(x), l.constant(LIMIT));
    if l.any(l.mask_not(inside)) { l.select(inside, result, each(l, x, rare)) } else { result }
}

/// A function of one lane after the other.
#[inline(always)]
fn each<L: Lanes<Elem = f32>>(l: L, x: L::V, f: fn(f32) -> f32) -> L::V {
    let mut lanes = [0.0; 16];
    l.store(x, &mut lanes);
    for lane in &mut lanes {
        *lane = f(*lane);
    }
    l.load(&lanes)
}

/// `sin(x)`; at most 1.9 units off.
#[derive(Debug)]
pub(in crate::backend::cpu) struct Sin;

impl Function<f32> for Sin {
    #[inline(always)]
    fn of<L: Lanes<Elem = f32>>(l: L, x: L::V) -> L::V {
        // -0 is its own sine, which the sum of the reduction forgets.
        l.select(l.eq(x, l.constant(0.0)), x, turned(l, x, 0.0, f32::sin))
    }
}

/// `cos(x)`; as `Sin`.
#[derive(Debug)]
pub(in crate::backend::cpu) struct Cos;

impl Function<f32> for Cos {
    #[inline(always)]
    fn of<L: Lanes<Elem = f32>>(l: L, x: L::V) -> L::V {
        turned(l, x, 1.0, f32::cos)
    }
}
