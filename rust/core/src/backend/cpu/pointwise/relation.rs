//! Comparisons of two lanes, as types, so that loops over them inline them.

use crate::backend::cpu::arch::Lanes;
use crate::backend::cpu::element::Float;

/// A comparison of two lanes; with NaN every one but "not equal" is false.
pub(in crate::backend::cpu) trait Relation<T: Float> {
    /// The truth of every pair of lanes.
    fn of<L: Lanes<Elem = T>>(l: L, a: L::V, b: L::V) -> L::M;
}

/// Stamp comparisons: `Less(l, a, b) = l.lt(a, b);` expands to `struct Less` and `impl<T: Float> Relation<T> for Less`.
macro_rules! relations {
    ($($(#[$doc:meta])+ $name:ident($l:ident, $a:ident, $b:ident) = $body:expr;)+) => {$(
        $(#[$doc])+
        #[derive(Debug)]
        pub(in crate::backend::cpu) struct $name;
        impl<T: Float> Relation<T> for $name {
            #[inline(always)]
            fn of<L: Lanes<Elem = T>>($l: L, $a: L::V, $b: L::V) -> L::M {
                $body
            }
        }
    )+};
}

relations! {
    /// `a == b`.
    Equal(l, a, b) = l.eq(a, b);
    /// `a != b`.
    NotEqual(l, a, b) = l.mask_not(l.eq(a, b));
    /// `a < b`.
    Less(l, a, b) = l.lt(a, b);
    /// `a <= b`.
    LessEqual(l, a, b) = l.le(a, b);
    /// `a > b`.
    Greater(l, a, b) = l.lt(b, a);
    /// `a >= b`.
    GreaterEqual(l, a, b) = l.le(b, a);
}
