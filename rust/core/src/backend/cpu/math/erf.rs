//! The error function and what is made of it.

use super::exp::exp_inside;
use super::{Function, polynomial};
use crate::backend::cpu::arch::Lanes;
use std::f64::consts::FRAC_1_SQRT_2;

/// `erf(x) / x - 1` as a polynomial in `x^2` for `|x| <= 15/16`, to 5e-10.
const NEAR: [f64; 7] = [
    0.128_379_166_591_450_93,
    -0.376_126_332_034_785,
    0.112_836_863_536_242_59,
    -0.026_858_851_327_766_97,
    0.005_199_600_083_394_221,
    -0.000_812_580_874_293_725_7,
    0.000_082_966_178_990_840_91,
];

/// `log(1 - erf(x))` for x from 15/16 to 4, to 3e-11 of erf.
const FAR: [f64; 9] = [
    0.000_169_182_979_938_389_88,
    -1.129_480_414_464_548_5,
    -0.633_438_660_577_550_3,
    -0.108_144_849_851_148_54,
    0.024_998_393_254_306_82,
    -0.004_103_657_104_308_827,
    0.000_411_636_727_665_746_5,
    -0.000_016_796_010_073_078_03,
    -3.449_119_247_416_176e-7,
];

/// `erf(x)`; at most 1.4 units off. From 4 on it rounds to 1.
#[derive(Debug)]
pub(in crate::backend::cpu) struct Erf;

impl Function<f32> for Erf {
    #[inline(always)]
    fn of<L: Lanes<Elem = f32>>(l: L, x: L::V) -> L::V {
        let size = l.min(l.constant(4.0), l.abs(x));
        let square = l.mul(size, size);
        let near = l.mul_add(size, polynomial(l, square, NEAR), size);
        let far = l.sub(l.constant(1.0), exp_inside(l, polynomial(l, size, FAR)));
        l.copy_sign(l.select(l.lt(size, l.constant(0.9375)), near, far), x)
    }
}

/// `x Phi(x)`, with the distribution function of the normal distribution; at most 1.5 units off, of 1 or of the result if
/// that is larger.
#[derive(Debug)]
pub(in crate::backend::cpu) struct Gelu;

impl Function<f32> for Gelu {
    #[inline(always)]
    fn of<L: Lanes<Elem = f32>>(l: L, x: L::V) -> L::V {
        let erf = Erf::of(l, l.mul(x, l.constant(FRAC_1_SQRT_2)));
        l.mul(l.mul(x, l.constant(0.5)), l.add(erf, l.constant(1.0)))
    }
}
