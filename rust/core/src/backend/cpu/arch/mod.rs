//! Vector registers: every SIMD algorithm is written once over `Lanes`, and the files beside this one only implement it.
//!
//! A value of a `Lanes` type is the proof that its instructions exist here. `dispatch` picks the widest set once per
//! process and runs a `Kernel` with it; `TRAINSMITH_CPU=portable|avx2|avx512` forces one. All code that works on lanes
//! is `#[inline(always)]`, because only what ends up inside `vectorize` is compiled with the instructions of its set;
//! a function that is called through a pointer enters `vectorize` itself. Intrinsics occur here and nowhere else.

#![allow(unsafe_code, reason = "intrinsics")]
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

use super::element::Float;
use crate::error::{Error, Result};
#[cfg(target_arch = "x86_64")]
use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
use avx512::Avx512;
use portable::Portable;
#[cfg(test)]
use portable::Wide;
use std::sync::OnceLock;

/// A computation over lanes of `T`. Its `run` is `#[inline(always)]`, and so is all that it calls on vectors.
pub(in crate::backend::cpu) trait Kernel<T: Float> {
    /// What the computation gives.
    type Output;
    /// Compute with one instruction set.
    fn run<L: Lanes<Elem = T>>(self, lanes: L) -> Self::Output;
}

/// Lanes of the widest registers.
pub(in crate::backend::cpu) const WIDEST: usize = 16;

/// Registers of one instruction set that hold `WIDTH` elements each.
pub(in crate::backend::cpu) trait Lanes: Copy + Send + Sync + 'static {
    /// Element of a lane.
    type Elem: Float;
    /// A register.
    type V: Copy;
    /// One truth value for each lane.
    type M: Copy;
    /// Lanes of a register.
    const WIDTH: usize;
    /// Registers of the instruction set.
    const REGISTERS: usize;

    /// Run a kernel in code that is compiled for this instruction set.
    fn vectorize<K: Kernel<Self::Elem>>(self, kernel: K) -> K::Output;

    /// Read `WIDTH` elements.
    ///
    /// # Safety
    /// `from` is valid for reads of `WIDTH` elements.
    unsafe fn load_ptr(self, from: *const Self::Elem) -> Self::V;
    /// Write `WIDTH` elements.
    ///
    /// # Safety
    /// `to` is valid for writes of `WIDTH` elements.
    unsafe fn store_ptr(self, x: Self::V, to: *mut Self::Elem);
    /// Read `count <= WIDTH` elements; the other lanes are 0.
    ///
    /// # Safety
    /// `from` is valid for reads of `count` elements.
    unsafe fn load_part_ptr(self, from: *const Self::Elem, count: usize) -> Self::V;
    /// Write the first `count <= WIDTH` lanes.
    ///
    /// # Safety
    /// `to` is valid for writes of `count` elements.
    unsafe fn store_part_ptr(self, x: Self::V, to: *mut Self::Elem, count: usize);

    /// Write row j of a block of `WIDTH` x `WIDTH` elements to column j: `to[i, j] = from[j, i]`, rows `step` apart.
    ///
    /// # Safety
    /// `WIDTH` rows of `WIDTH` elements are valid for reads at `from` and for writes at `to`.
    unsafe fn transpose_ptr(self, from: *const Self::Elem, from_step: isize, to: *mut Self::Elem, to_step: isize);

    /// Bring the line of an address into the first cache; the address need not exist.
    #[inline(always)]
    fn prefetch(self, at: *const Self::Elem) {
        let _ = at;
    }

    /// Bring the line of an address into the second cache; the address need not exist.
    #[inline(always)]
    fn prefetch_second(self, at: *const Self::Elem) {
        let _ = at;
    }

    /// The same element in every lane.
    fn splat(self, x: Self::Elem) -> Self::V;
    /// `a + b`.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a - b`.
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b`.
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a / b`.
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b + c`, rounded once where the hardware can.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `c - a * b`, rounded once where the hardware can.
    fn neg_mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// Square root.
    fn sqrt(self, x: Self::V) -> Self::V;
    /// `a < b ? a : b`: b where either is NaN.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a > b ? a : b`: b where either is NaN.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// The largest integer that is not above.
    fn floor(self, x: Self::V) -> Self::V;
    /// The smallest integer that is not below.
    fn ceil(self, x: Self::V) -> Self::V;
    /// The integer part.
    fn trunc(self, x: Self::V) -> Self::V;
    /// The nearest integer, ties to even.
    fn round(self, x: Self::V) -> Self::V;

    /// Bits of both.
    fn and(self, a: Self::V, b: Self::V) -> Self::V;
    /// Bits of either.
    fn or(self, a: Self::V, b: Self::V) -> Self::V;
    /// Bits of one alone.
    fn xor(self, a: Self::V, b: Self::V) -> Self::V;
    /// Bits of `b` that are not in `a`.
    fn and_not(self, a: Self::V, b: Self::V) -> Self::V;
    /// Bits moved up, zeros from below.
    fn shift_left(self, x: Self::V, places: i32) -> Self::V;
    /// Bits moved down, zeros from above.
    fn shift_right(self, x: Self::V, places: i32) -> Self::V;
    /// Sum of the bits as integers, modulo the lane.
    fn add_bits(self, a: Self::V, b: Self::V) -> Self::V;
    /// Difference of the bits as integers, modulo the lane.
    fn sub_bits(self, a: Self::V, b: Self::V) -> Self::V;

    /// `a == b`; false for NaN.
    fn eq(self, a: Self::V, b: Self::V) -> Self::M;
    /// `a < b`; false for NaN.
    fn lt(self, a: Self::V, b: Self::V) -> Self::M;
    /// `a <= b`; false for NaN.
    fn le(self, a: Self::V, b: Self::V) -> Self::M;
    /// `condition ? a : b`.
    fn select(self, condition: Self::M, a: Self::V, b: Self::V) -> Self::V;
    /// Both.
    #[cfg_attr(not(test), expect(dead_code, reason = "for row programs and the tile interpreter"))]
    fn mask_and(self, a: Self::M, b: Self::M) -> Self::M;
    /// Either.
    fn mask_or(self, a: Self::M, b: Self::M) -> Self::M;
    /// The opposite.
    fn mask_not(self, a: Self::M) -> Self::M;
    /// Whether any lane is true.
    fn any(self, a: Self::M) -> bool;

    /// Read the first `WIDTH` elements.
    #[inline(always)]
    fn load(self, from: &[Self::Elem]) -> Self::V {
        let from = &from[..Self::WIDTH];
        // SAFETY: the slice holds WIDTH elements.
        unsafe { self.load_ptr(from.as_ptr()) }
    }

    /// Write to the first `WIDTH` elements.
    #[inline(always)]
    fn store(self, x: Self::V, to: &mut [Self::Elem]) {
        let to = &mut to[..Self::WIDTH];
        // SAFETY: the slice holds WIDTH elements.
        unsafe { self.store_ptr(x, to.as_mut_ptr()) }
    }

    /// Read at most `WIDTH` elements; the other lanes are 0.
    #[inline(always)]
    fn load_part(self, from: &[Self::Elem]) -> Self::V {
        let count = from.len().min(Self::WIDTH);
        // SAFETY: `count` is at most the slice's length and WIDTH.
        unsafe { self.load_part_ptr(from.as_ptr(), count) }
    }

    /// Write the first lanes, as many as fit.
    #[inline(always)]
    fn store_part(self, x: Self::V, to: &mut [Self::Elem]) {
        let count = to.len().min(Self::WIDTH);
        // SAFETY: `count` is at most the slice's length and WIDTH.
        unsafe { self.store_part_ptr(x, to.as_mut_ptr(), count) }
    }

    /// Write row j of a block of `WIDTH` x `WIDTH` elements to column j; rows lie `from_step` and `to_step` apart.
    #[inline(always)]
    fn transpose(self, from: &[Self::Elem], from_step: usize, to: &mut [Self::Elem], to_step: usize) {
        let span = |step: usize| (Self::WIDTH - 1) * step + Self::WIDTH;
        let (from, to) = (&from[..span(from_step)], &mut to[..span(to_step)]);
        // SAFETY: both slices hold `WIDTH` rows of `WIDTH` elements, and a borrow of `to` excludes one of `from`.
        unsafe { self.transpose_ptr(from.as_ptr(), from_step as isize, to.as_mut_ptr(), to_step as isize) }
    }

    /// The same number, rounded to the element, in every lane.
    #[inline(always)]
    fn constant(self, x: f64) -> Self::V {
        self.splat(Self::Elem::round_from(x))
    }

    /// `-x`.
    #[inline(always)]
    fn neg(self, x: Self::V) -> Self::V {
        self.xor(self.constant(-0.0), x)
    }

    /// Size without the sign.
    #[inline(always)]
    fn abs(self, x: Self::V) -> Self::V {
        self.and_not(self.constant(-0.0), x)
    }

    /// The size of `x` with the sign of `sign`.
    #[inline(always)]
    fn copy_sign(self, x: Self::V, sign: Self::V) -> Self::V {
        self.or(self.abs(x), self.and(self.constant(-0.0), sign))
    }

    /// Whether a lane is NaN.
    #[inline(always)]
    fn is_nan(self, x: Self::V) -> Self::M {
        self.mask_not(self.eq(x, x))
    }

    /// The larger one, or NaN where either is.
    #[inline(always)]
    fn larger(self, a: Self::V, b: Self::V) -> Self::V {
        self.select(self.is_nan(a), a, self.max(a, b))
    }

    /// The smaller one, or NaN where either is.
    #[inline(always)]
    fn smaller(self, a: Self::V, b: Self::V) -> Self::V {
        self.select(self.is_nan(a), a, self.min(a, b))
    }

    /// All lanes folded into one, always in this order: halves onto each other until one is left.
    #[inline(always)]
    #[cfg_attr(not(test), expect(dead_code, reason = "for row programs and the tile interpreter"))]
    fn fold(self, x: Self::V, f: impl Fn(Self::Elem, Self::Elem) -> Self::Elem) -> Self::Elem {
        let mut lanes = [Self::Elem::round_from(0.0); 16];
        self.store(x, &mut lanes);
        let mut width = Self::WIDTH;
        while width > 1 {
            width /= 2;
            for i in 0..width {
                lanes[i] = f(lanes[i], lanes[i + width]);
            }
        }
        lanes[0]
    }

    /// Truth values of the first `WIDTH` bytes: any byte but 0 is true.
    #[inline(always)]
    #[cfg_attr(not(test), expect(dead_code, reason = "for row programs and the tile interpreter"))]
    fn load_mask(self, from: &[u8]) -> Self::M {
        let mut lanes = [Self::Elem::round_from(0.0); 16];
        for (lane, &byte) in lanes[..Self::WIDTH].iter_mut().zip(&from[..Self::WIDTH]) {
            *lane = Self::Elem::round_from(f64::from(byte));
        }
        self.mask_not(self.eq(self.load(&lanes), self.constant(0.0)))
    }

    /// Write truth values as bytes 0 and 1 to the first `WIDTH` places.
    #[inline(always)]
    fn store_mask(self, x: Self::M, to: &mut [u8]) {
        let mut lanes = [Self::Elem::round_from(0.0); 16];
        self.store(self.select(x, self.constant(1.0), self.constant(0.0)), &mut lanes);
        for (byte, lane) in to[..Self::WIDTH].iter_mut().zip(&lanes) {
            *byte = u8::from(lane.wide() != 0.0);
        }
    }
}

/// An instruction set that this machine has.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend::cpu) enum Isa {
    /// What every machine has.
    Portable,
    /// As wide as AVX-512, on every machine.
    #[cfg(test)]
    Wide,
    /// AVX2 with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2<f32>),
    /// AVX-512 F, BW, DQ and VL.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512<f32>),
}

impl Isa {
    #[cfg(not(test))]
    const NAMES: [&str; 3] = ["portable", "avx2", "avx512"];
    #[cfg(test)]
    const NAMES: [&str; 4] = ["wide", "portable", "avx2", "avx512"];

    /// The instruction set of this name, if the machine has it.
    pub(in crate::backend::cpu) fn named(name: &str) -> Option<Self> {
        match name {
            "portable" => Some(Self::Portable),
            #[cfg(test)]
            "wide" => Some(Self::Wide),
            #[cfg(target_arch = "x86_64")]
            "avx2" => Avx2::new().map(Self::Avx2),
            #[cfg(target_arch = "x86_64")]
            "avx512" => Avx512::new().map(Self::Avx512),
            _ => None,
        }
    }

    /// Every instruction set that the machine has, the fastest last.
    pub(in crate::backend::cpu) fn all() -> impl Iterator<Item = Self> {
        Self::NAMES.into_iter().filter_map(Self::named)
    }

    /// The name that forces it.
    pub(in crate::backend::cpu) fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            #[cfg(test)]
            Self::Wide => "wide",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => "avx512",
        }
    }
}

/// The choice, or what `TRAINSMITH_CPU` asks for in vain.
static CHOICE: OnceLock<std::result::Result<Isa, String>> = OnceLock::new();

fn choice() -> &'static std::result::Result<Isa, String> {
    CHOICE.get_or_init(|| match std::env::var("TRAINSMITH_CPU") {
        Err(_) => Ok(widest()),
        Ok(name) => Isa::named(&name).ok_or(name),
    })
}

fn widest() -> Isa {
    Isa::all().last().unwrap_or(Isa::Portable)
}

/// The instruction set that this process computes with.
pub(in crate::backend::cpu) fn chosen() -> Isa {
    choice().as_ref().map_or_else(|_| widest(), |&isa| isa)
}

/// Refuse to compute where `TRAINSMITH_CPU` names what the machine lacks.
pub(in crate::backend::cpu) fn check() -> Result<()> {
    choice().as_ref().map(|_| ()).map_err(|name| {
        let here: Vec<&str> = Isa::all().map(Isa::name).collect();
        Error::value("TRAINSMITH_CPU", format!("one of {} on this machine", here.join(", ")), format!("{name:?}"))
    })
}

/// An element type that kernels can be run over.
pub(in crate::backend::cpu) trait Vectored: Float {
    /// Run a kernel with one instruction set.
    fn run<K: Kernel<Self>>(isa: Isa, kernel: K) -> K::Output;
}

/// Stamp the choice for one element type.
///
/// Expands to `impl Vectored for f32`.
macro_rules! vectored {
    ($($type:ty),+) => {$(
        impl Vectored for $type {
            #[inline]
            fn run<K: Kernel<Self>>(isa: Isa, kernel: K) -> K::Output {
                match isa {
                    Isa::Portable => Portable::<$type>::new().vectorize(kernel),
                    #[cfg(test)]
                    Isa::Wide => Wide::<$type>::new().vectorize(kernel),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2(lanes) => Avx2::<$type>::of(lanes).vectorize(kernel),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512(lanes) => Avx512::<$type>::of(lanes).vectorize(kernel),
                }
            }
        }
    )+};
}

vectored!(f32, f64);

/// Run a kernel with the instruction set of this process.
#[inline]
pub(in crate::backend::cpu) fn dispatch<T: Vectored, K: Kernel<T>>(kernel: K) -> K::Output {
    T::run(chosen(), kernel)
}

#[cfg(test)]
mod tests;
