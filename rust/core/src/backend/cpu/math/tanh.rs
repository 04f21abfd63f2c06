//! The hyperbolic tangent.

use super::exp::exp_inside;
use super::{Function, polynomial};
use crate::backend::cpu::arch::Lanes;

/// `(tanh(x) / x - 1) / x^2` as a polynomial in `x^2` for `|x| <= 0.625`, to 4e-9.
const NEAR: [f64; 5] = [
    -0.333_332_839_265_697_6,
    0.133_314_913_111_406_72,
    -0.053_743_499_508_801_69,
    0.020_650_590_712_769_843,
    -0.005_717_047_942_209_075,
];

/// `tanh(x)`; at most 1.3 units off.
#[derive(Debug)]
pub(in crate::backend::cpu) struct Tanh;

impl Function<f32> for Tanh {
    #[inline(always)]
    fn of<L: Lanes<Elem = f32>>(l: L, x: L::V) -> L::V {
        let size = l.abs(x);
        let square = l.mul(x, x);
        let near = l.mul_add(l.mul(size, square), polynomial(l, square, NEAR), size);
        let one = l.constant(1.0);
        // From 10 on the result rounds to 1. The variable operand comes second, so that NaN survives.
        let enough = l.min(l.constant(10.0), size);
        let grown = l.add(exp_inside(l, l.add(enough, enough)), one);
        let far = l.sub(one, l.div(l.constant(2.0), grown));
        l.copy_sign(l.select(l.lt(size, l.constant(0.625)), near, far), x)
    }
}
