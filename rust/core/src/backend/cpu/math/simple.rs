//! Functions that are one instruction or few, exact or rounded once, for every float type.

use super::{Combine, Function};
use crate::backend::cpu::arch::Lanes;
use crate::backend::cpu::element::Float;

/// Stamp functions of one or two registers.
///
/// `Neg(l, x) = l.neg(x);` expands to `struct Neg` and `impl<T: Float> Function<T> for Neg`.
macro_rules! functions {
    ($trait:ident: $($(#[$doc:meta])+ $name:ident($l:ident, $($x:ident),+) = $body:expr;)+) => {$(
        $(#[$doc])+
        #[derive(Debug)]
        pub(in crate::backend::cpu) struct $name;

        impl<T: Float> $trait<T> for $name {
            #[inline(always)]
            fn of<L: Lanes<Elem = T>>($l: L, $($x: L::V),+) -> L::V {
                $body
            }
        }
    )+};
}

functions! {
    Function:
    /// `-x`.
    Neg(l, x) = l.neg(x);
    /// `|x|`.
    Abs(l, x) = l.abs(x);
    /// -1, 0 or 1; NaN stays NaN.
    Sign(l, x) = {
        let zero = l.constant(0.0);
        let plain = l.mask_or(l.eq(x, zero), l.is_nan(x));
        l.select(plain, l.add(x, zero), l.copy_sign(l.constant(1.0), x))
    };
    /// `1 / x`.
    Reciprocal(l, x) = l.div(l.constant(1.0), x);
    /// Square root.
    Sqrt(l, x) = l.sqrt(x);
    /// The largest integer that is not above.
    Floor(l, x) = l.floor(x);
    /// The smallest integer that is not below.
    Ceil(l, x) = l.ceil(x);
    /// The nearest integer, ties to even.
    Round(l, x) = l.round(x);
    /// The integer part.
    Trunc(l, x) = l.trunc(x);
}

functions! {
    Combine:
    /// `a + b`.
    Add(l, a, b) = l.add(a, b);
    /// `a - b`.
    Sub(l, a, b) = l.sub(a, b);
    /// `a * b`.
    Mul(l, a, b) = l.mul(a, b);
    /// `a / b`.
    Div(l, a, b) = l.div(a, b);
    /// The larger one, or NaN.
    Maximum(l, a, b) = l.larger(a, b);
    /// The smaller one, or NaN.
    Minimum(l, a, b) = l.smaller(a, b);
    /// The size of a with the sign of b.
    CopySign(l, a, b) = l.copy_sign(a, b);
}
