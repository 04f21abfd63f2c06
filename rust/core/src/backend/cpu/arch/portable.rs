//! Lanes in plain Rust, 128 bits wide: what the compiler makes SSE2 or NEON of.

use super::{Kernel, Lanes};
use std::array::from_fn;
use std::marker::PhantomData;

/// Lanes that every machine has.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend::cpu) struct Portable<T>(PhantomData<T>);

impl<T> Portable<T> {
    /// These lanes.
    pub(in crate::backend::cpu) fn new() -> Self {
        Self(PhantomData)
    }
}

/// Lanes as many as those of AVX-512, and registers: what they do to an algorithm shows on every machine.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(in crate::backend::cpu) struct Wide<T>(PhantomData<T>);

#[cfg(test)]
impl<T> Wide<T> {
    /// These lanes.
    pub(in crate::backend::cpu) fn new() -> Self {
        Self(PhantomData)
    }
}

/// Lanes side by side.
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
pub(in crate::backend::cpu) struct Pack<T, const N: usize>([T; N]);

/// Stamp functions of each lane.
///
/// `add(a, b) = a + b;` expands to `fn add(self, a: Self::V, b: Self::V) -> Self::V`.
macro_rules! lanewise {
    ($($name:ident($($x:ident),+) = $each:expr;)+) => {$(
        #[inline(always)]
        fn $name(self, $($x: Self::V),+) -> Self::V {
            Pack(from_fn(|i| { $(let $x = $x.0[i];)+ $each }))
        }
    )+};
}

/// Stamp functions of the bits of each lane: `and(a, b) = a & b;` as above.
macro_rules! bitwise {
    ($float:ty: $($name:ident($a:ident, $b:ident) = $each:expr;)+) => {$(
        #[inline(always)]
        fn $name(self, a: Self::V, b: Self::V) -> Self::V {
            Pack(from_fn(|i| { let ($a, $b) = (a.0[i].to_bits(), b.0[i].to_bits()); <$float>::from_bits($each) }))
        }
    )+};
}

/// Stamp comparisons and functions of masks.
macro_rules! truths {
    ($of:ident: $($name:ident($a:ident, $b:ident) = $each:expr;)+) => {$(
        #[inline(always)]
        fn $name(self, a: Self::$of, b: Self::$of) -> Self::M {
            Pack(from_fn(|i| { let ($a, $b) = (a.0[i], b.0[i]); $each }))
        }
    )+};
}

/// Stamp the lanes of one float type: `portable!(Portable<f32>, 4, 16)` expands to `impl Lanes for Portable<f32>`.
macro_rules! portable {
    ($lanes:ident<$float:ty>, $width:expr, $registers:expr) => {
        impl Lanes for $lanes<$float> {
            type Elem = $float;
            type V = Pack<$float, $width>;
            type M = Pack<bool, $width>;
            const WIDTH: usize = $width;
            const REGISTERS: usize = $registers;

            memory!();
            arithmetic!($float);
            bits!($float);
            masks!();
        }
    };
}

macro_rules! memory {
    () => {
        #[inline(always)]
        fn vectorize<K: Kernel<Self::Elem>>(self, kernel: K) -> K::Output {
            kernel.run(self)
        }
        #[inline(always)]
        unsafe fn load_ptr(self, from: *const Self::Elem) -> Self::V {
            // SAFETY: the caller promises WIDTH elements.
            Pack(unsafe { from.cast::<[Self::Elem; Self::WIDTH]>().read_unaligned() })
        }
        #[inline(always)]
        unsafe fn store_ptr(self, x: Self::V, to: *mut Self::Elem) {
            // SAFETY: the caller promises WIDTH elements.
            unsafe { to.cast::<[Self::Elem; Self::WIDTH]>().write_unaligned(x.0) }
        }
        #[inline(always)]
        unsafe fn load_part_ptr(self, from: *const Self::Elem, count: usize) -> Self::V {
            // SAFETY: the caller promises `count` elements, and no other is read.
            Pack(from_fn(|i| if i < count { unsafe { *from.add(i) } } else { 0.0 }))
        }
        #[inline(always)]
        unsafe fn store_part_ptr(self, x: Self::V, to: *mut Self::Elem, count: usize) {
            for (i, &lane) in x.0.iter().enumerate().take(count) {
                // SAFETY: the caller promises `count` elements.
                unsafe { *to.add(i) = lane };
            }
        }
        #[inline(always)]
        unsafe fn transpose_ptr(self, from: *const Self::Elem, from_step: isize, to: *mut Self::Elem, to_step: isize) {
            for i in 0..Self::WIDTH as isize {
                for j in 0..Self::WIDTH as isize {
                    // SAFETY: the caller promises WIDTH rows of WIDTH elements on both sides.
                    unsafe { *to.offset(i * to_step + j) = *from.offset(j * from_step + i) };
                }
            }
        }
        #[inline(always)]
        fn splat(self, x: Self::Elem) -> Self::V {
            Pack([x; Self::WIDTH])
        }
    };
}

/// Whether the target's own instructions fuse; a library call for each lane would cost more than it gives.
const FUSES: bool = cfg!(any(target_feature = "fma", target_arch = "aarch64"));

macro_rules! arithmetic {
    ($float:ty) => {
        lanewise! {
            add(a, b) = a + b;
            sub(a, b) = a - b;
            mul(a, b) = a * b;
            div(a, b) = a / b;
            mul_add(a, b, c) = if FUSES { a.mul_add(b, c) } else { a * b + c };
            neg_mul_add(a, b, c) = if FUSES { (-a).mul_add(b, c) } else { c - a * b };
            sqrt(x) = x.sqrt();
            min(a, b) = if a < b { a } else { b };
            max(a, b) = if a > b { a } else { b };
            floor(x) = x.floor();
            ceil(x) = x.ceil();
            trunc(x) = x.trunc();
            round(x) = x.round_ties_even();
        }
    };
}

macro_rules! bits {
    ($float:ty) => {
        bitwise! {
            $float:
            and(a, b) = a & b;
            or(a, b) = a | b;
            xor(a, b) = a ^ b;
            and_not(a, b) = !a & b;
            add_bits(a, b) = a.wrapping_add(b);
            sub_bits(a, b) = a.wrapping_sub(b);
        }
        #[inline(always)]
        fn shift_left(self, x: Self::V, places: i32) -> Self::V {
            Pack(x.0.map(|x| <$float>::from_bits(x.to_bits() << places)))
        }
        #[inline(always)]
        fn shift_right(self, x: Self::V, places: i32) -> Self::V {
            Pack(x.0.map(|x| <$float>::from_bits(x.to_bits() >> places)))
        }
    };
}

macro_rules! masks {
    () => {
        truths! {
            V:
            eq(a, b) = a == b;
            lt(a, b) = a < b;
            le(a, b) = a <= b;
        }
        truths! {
            M:
            mask_and(a, b) = a & b;
            mask_or(a, b) = a | b;
        }
        #[inline(always)]
        fn mask_not(self, a: Self::M) -> Self::M {
            Pack(a.0.map(|a| !a))
        }
        #[inline(always)]
        fn any(self, a: Self::M) -> bool {
            a.0.contains(&true)
        }
        #[inline(always)]
        fn select(self, condition: Self::M, a: Self::V, b: Self::V) -> Self::V {
            Pack(from_fn(|i| if condition.0[i] { a.0[i] } else { b.0[i] }))
        }
    };
}

portable!(Portable<f32>, 4, 16);
portable!(Portable<f64>, 2, 16);
#[cfg(test)]
portable!(Wide<f32>, 16, 32);
#[cfg(test)]
portable!(Wide<f64>, 8, 32);
