//! The element types kernels compute in, and what each can do. Narrow dtypes never get here: `kernel.rs` widens them.

use crate::dtype::DType;
use bytemuck::{Pod, Zeroable};

/// The dtypes that kernels are written for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Compute {
    Bool,
    I64,
    U64,
    F32,
    F64,
}

impl Compute {
    /// The compute dtype that `dtype` widens to.
    pub(super) fn of(dtype: DType) -> Self {
        match dtype {
            DType::Bool => Self::Bool,
            DType::I8 | DType::I16 | DType::I32 | DType::I64 => Self::I64,
            DType::U8 | DType::U16 | DType::U32 | DType::U64 => Self::U64,
            DType::F16 | DType::BF16 | DType::F32 => Self::F32,
            DType::F64 => Self::F64,
        }
    }
}

/// A stored truth value: any byte but 0 is true, and kernels write 0 and 1.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(transparent)]
pub(super) struct Truth(u8);

impl Truth {
    pub(super) fn new(value: bool) -> Self {
        Self(u8::from(value))
    }
    pub(super) fn get(self) -> bool {
        self.0 != 0
    }
}

impl PartialEq for Truth {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl PartialOrd for Truth {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.get().partial_cmp(&other.get())
    }
}

/// An element with an order; NaN, where the type has one, wins every choice of an extreme.
pub(super) trait Element: Pod + PartialOrd {
    /// The larger one, or NaN.
    fn larger(self, other: Self) -> Self;
    /// The smaller one, or NaN.
    fn smaller(self, other: Self) -> Self;
    /// The element itself differs from itself: NaN.
    fn is_odd(self) -> bool;
    /// What a scatter makes of two elements in one place: their sum, for truth values "or".
    fn merge(self, other: Self) -> Self;
}

macro_rules! elements {
    ($($type:ty => $merge:expr),+ $(,)?) => {$(
        impl Element for $type {
            #[inline(always)]
            fn larger(self, other: Self) -> Self {
                if self > other || self.is_odd() { self } else { other }
            }
            #[inline(always)]
            fn smaller(self, other: Self) -> Self {
                if self < other || self.is_odd() { self } else { other }
            }
            #[inline(always)]
            fn is_odd(self) -> bool {
                self != self
            }
            #[inline(always)]
            fn merge(self, other: Self) -> Self {
                let merge: fn(Self, Self) -> Self = $merge;
                merge(self, other)
            }
        }
    )+};
}

elements! {
    f32 => |a, b| a + b,
    f64 => |a, b| a + b,
    i64 => i64::wrapping_add,
    u64 => u64::wrapping_add,
    Truth => |a, b| Truth::new(a.get() | b.get()),
}

/// A float that sums in f64.
pub(super) trait Float: Element {
    /// Exact widening.
    fn wide(self) -> f64;
    /// Rounding to nearest, ties to even.
    fn round_from(value: f64) -> Self;
}

impl Float for f32 {
    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn round_from(value: f64) -> Self {
        value as Self
    }
}

impl Float for f64 {
    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }
    #[inline(always)]
    fn round_from(value: f64) -> Self {
        value
    }
}

/// The f32 around `x` whose last bit is odd, where `x` lies between two: rounding it again rounds as if from `x`.
///
/// Source: Boldo and Melquiond, "When double rounding is odd", IMACS 2005.
pub(super) fn to_odd(x: f64) -> f32 {
    let near = x as f32;
    if f64::from(near) == x || x.is_nan() || near.to_bits() & 1 == 1 {
        return near;
    }
    let bits = near.to_bits();
    f32::from_bits(if f64::from(near).abs() < x.abs() { bits + 1 } else { bits - 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_wins_from_either_side() {
        assert!(f32::NAN.larger(1.0).is_nan() && 1f32.larger(f32::NAN).is_nan());
        assert!(f64::NAN.smaller(1.0).is_nan() && 1f64.smaller(f64::NAN).is_nan());
        assert_eq!((2i64.larger(3), 2u64.smaller(3)), (3, 2));
    }

    #[test]
    fn rounding_to_odd_keeps_what_a_tie_would_lose() {
        assert_eq!(to_odd(1.5), 1.5);
        assert_eq!(to_odd(1.0 + 1e-12), 1.0 + f32::EPSILON);
        assert_eq!(to_odd(-1.0 - 1e-12), -1.0 - f32::EPSILON);
        assert_eq!(to_odd(1.0 - 1e-12), 1.0 - f32::EPSILON / 2.0);
        assert_eq!((to_odd(1e300), to_odd(f64::INFINITY)), (f32::MAX, f32::INFINITY));
        assert_eq!(to_odd(1e-300), f32::from_bits(1));
        assert!(to_odd(f64::NAN).is_nan());
    }

    #[test]
    fn any_byte_but_zero_is_true() {
        assert_eq!(Truth(7), Truth::new(true));
        assert!(Truth::new(false) < Truth(2));
    }
}
