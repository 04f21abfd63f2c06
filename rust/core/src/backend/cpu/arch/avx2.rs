//! AVX2 with fused multiply-add: eight f32 or four f64.

use super::{Kernel, Lanes};
use crate::backend::cpu::element::Float;
#[allow(clippy::wildcard_imports, reason = "intrinsics carry their prefix")]
use std::arch::x86_64::*;
use std::marker::PhantomData;

/// Proof that the machine has AVX2 and FMA, and the lanes of one element type.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend::cpu) struct Avx2<T>(PhantomData<T>);

impl<T> Avx2<T> {
    /// The lanes, where the machine has the instructions.
    pub(in crate::backend::cpu) fn new() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(PhantomData))
    }

    /// The lanes of this element type, by the proof of another.
    pub(in crate::backend::cpu) fn of<U>(_: Avx2<U>) -> Self {
        Self(PhantomData)
    }
}

/// Stamp methods that are intrinsics.
///
/// `add(a: V, b: V) -> V = f(a, b);` expands to `fn add(self, a: Self::V, b: Self::V) -> Self::V`.
macro_rules! methods {
    ($($name:ident($($x:ident: $t:ty),+) -> $r:ty = $body:expr;)+) => {$(
        #[inline(always)]
        fn $name(self, $($x: $t),+) -> $r {
            // SAFETY: `self` exists only where `new` has found AVX2 and FMA.
            unsafe { $body }
        }
    )+};
}

/// `MASK[8 - n..]` begins with n lanes to touch.
const MASK: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
/// `WIDE_MASK[4 - n..]` begins with n lanes to touch.
const WIDE_MASK: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];

#[inline]
#[target_feature(enable = "avx2,fma")]
fn first(count: usize) -> __m256i {
    let window = &MASK[8 - count..][..8];
    // SAFETY: the window holds 32 bytes.
    unsafe { _mm256_loadu_si256(window.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn first_wide(count: usize) -> __m256i {
    let window = &WIDE_MASK[4 - count..][..4];
    // SAFETY: the window holds 32 bytes.
    unsafe { _mm256_loadu_si256(window.as_ptr().cast()) }
}

/// Eight truth values as bytes 0 and 1.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn bytes(mask: __m256) -> u64 {
    let lanes = _mm256_castps_si256(mask);
    let words = _mm_packs_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256::<1>(lanes));
    _mm_cvtsi128_si64(_mm_packs_epi16(words, words)).cast_unsigned() & 0x0101_0101_0101_0101
}

#[target_feature(enable = "avx2,fma")]
fn enter<T: Float, L: Lanes<Elem = T>, K: Kernel<T>>(lanes: L, kernel: K) -> K::Output {
    kernel.run(lanes)
}

/// Transpose a block of 8 x 8.
///
/// # Safety
/// Eight rows of eight elements are valid for reads at `from` and for writes at `to`.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn transpose8(from: *const f32, from_step: isize, to: *mut f32, to_step: isize) {
    // SAFETY: the caller promises the rows.
    let row = |i: isize| unsafe { _mm256_loadu_ps(from.offset(i * from_step)) };
    // Pairs of neighbouring rows, then of pairs, then of halves.
    let pair = |i: isize| (_mm256_unpacklo_ps(row(i), row(i + 1)), _mm256_unpackhi_ps(row(i), row(i + 1)));
    let quad = |i: isize| {
        let ((a, b), (c, d)) = (pair(i), pair(i + 2));
        let low = |x, y| _mm256_shuffle_ps::<0x44>(x, y);
        let high = |x, y| _mm256_shuffle_ps::<0xee>(x, y);
        [low(a, c), high(a, c), low(b, d), high(b, d)]
    };
    let (top, bottom) = (quad(0), quad(4));
    for (i, (&x, &y)) in top.iter().zip(&bottom).enumerate() {
        let (first, second) = (_mm256_permute2f128_ps::<0x20>(x, y), _mm256_permute2f128_ps::<0x31>(x, y));
        // SAFETY: the caller promises the rows.
        unsafe {
            _mm256_storeu_ps(to.offset(i as isize * to_step), first);
            _mm256_storeu_ps(to.offset((i as isize + 4) * to_step), second);
        }
    }
}

/// Transpose a block of 4 x 4.
///
/// # Safety
/// Four rows of four elements are valid for reads at `from` and for writes at `to`.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn transpose4(from: *const f64, from_step: isize, to: *mut f64, to_step: isize) {
    // SAFETY: the caller promises the rows.
    let row = |i: isize| unsafe { _mm256_loadu_pd(from.offset(i * from_step)) };
    let pair = |i: isize| [_mm256_unpacklo_pd(row(i), row(i + 1)), _mm256_unpackhi_pd(row(i), row(i + 1))];
    let (top, bottom) = (pair(0), pair(2));
    for (i, (&x, &y)) in top.iter().zip(&bottom).enumerate() {
        let (first, second) = (_mm256_permute2f128_pd::<0x20>(x, y), _mm256_permute2f128_pd::<0x31>(x, y));
        // SAFETY: the caller promises the rows.
        unsafe {
            _mm256_storeu_pd(to.offset(i as isize * to_step), first);
            _mm256_storeu_pd(to.offset((i as isize + 2) * to_step), second);
        }
    }
}

impl Lanes for Avx2<f32> {
    type Elem = f32;
    type V = __m256;
    type M = __m256;
    const WIDTH: usize = 8;
    const REGISTERS: usize = 16;

    #[inline(always)]
    fn vectorize<K: Kernel<f32>>(self, kernel: K) -> K::Output {
        // SAFETY: `self` exists only where `new` has found AVX2 and FMA.
        unsafe { enter(self, kernel) }
    }
    #[inline(always)]
    unsafe fn load_ptr(self, from: *const f32) -> __m256 {
        // SAFETY: the caller promises eight elements, `self` the instruction.
        unsafe { _mm256_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, x: __m256, to: *mut f32) {
        // SAFETY: the caller promises eight elements, `self` the instruction.
        unsafe { _mm256_storeu_ps(to, x) }
    }
    #[inline(always)]
    unsafe fn load_part_ptr(self, from: *const f32, count: usize) -> __m256 {
        // SAFETY: the caller promises `count` elements, and the mask lets no other be read.
        unsafe { _mm256_maskload_ps(from, first(count)) }
    }
    #[inline(always)]
    unsafe fn store_part_ptr(self, x: __m256, to: *mut f32, count: usize) {
        // SAFETY: the caller promises `count` elements, and the mask lets no other be written.
        unsafe { _mm256_maskstore_ps(to, first(count), x) }
    }
    #[inline(always)]
    unsafe fn transpose_ptr(self, from: *const f32, from_step: isize, to: *mut f32, to_step: isize) {
        // SAFETY: the caller promises eight rows of eight elements, `self` the instructions.
        unsafe { transpose8(from, from_step, to, to_step) }
    }
    #[inline(always)]
    fn store_mask(self, x: __m256, to: &mut [u8]) {
        // SAFETY: `self` exists only where `new` has found AVX2.
        to[..8].copy_from_slice(&unsafe { bytes(x) }.to_le_bytes());
    }
    #[inline(always)]
    fn prefetch(self, at: *const f32) {
        // SAFETY: a prefetch of any address is no access.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
    #[inline(always)]
    fn prefetch_second(self, at: *const f32) {
        // SAFETY: a prefetch of any address is no access.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
    }
    methods! {
        splat(x: f32) -> __m256 = _mm256_set1_ps(x);
        add(a: __m256, b: __m256) -> __m256 = _mm256_add_ps(a, b);
        sub(a: __m256, b: __m256) -> __m256 = _mm256_sub_ps(a, b);
        mul(a: __m256, b: __m256) -> __m256 = _mm256_mul_ps(a, b);
        div(a: __m256, b: __m256) -> __m256 = _mm256_div_ps(a, b);
        mul_add(a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fmadd_ps(a, b, c);
        neg_mul_add(a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fnmadd_ps(a, b, c);
        sqrt(x: __m256) -> __m256 = _mm256_sqrt_ps(x);
        min(a: __m256, b: __m256) -> __m256 = _mm256_min_ps(a, b);
        max(a: __m256, b: __m256) -> __m256 = _mm256_max_ps(a, b);
        floor(x: __m256) -> __m256 = _mm256_floor_ps(x);
        ceil(x: __m256) -> __m256 = _mm256_ceil_ps(x);
        trunc(x: __m256) -> __m256 = _mm256_round_ps::<{ _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC }>(x);
        round(x: __m256) -> __m256 = _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x);
        and(a: __m256, b: __m256) -> __m256 = _mm256_and_ps(a, b);
        or(a: __m256, b: __m256) -> __m256 = _mm256_or_ps(a, b);
        xor(a: __m256, b: __m256) -> __m256 = _mm256_xor_ps(a, b);
        and_not(a: __m256, b: __m256) -> __m256 = _mm256_andnot_ps(a, b);
        shift_left(x: __m256, places: i32) -> __m256 =
            _mm256_castsi256_ps(_mm256_sll_epi32(_mm256_castps_si256(x), _mm_cvtsi32_si128(places)));
        shift_right(x: __m256, places: i32) -> __m256 =
            _mm256_castsi256_ps(_mm256_srl_epi32(_mm256_castps_si256(x), _mm_cvtsi32_si128(places)));
        add_bits(a: __m256, b: __m256) -> __m256 =
            _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b)));
        sub_bits(a: __m256, b: __m256) -> __m256 =
            _mm256_castsi256_ps(_mm256_sub_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b)));
        eq(a: __m256, b: __m256) -> __m256 = _mm256_cmp_ps::<_CMP_EQ_OQ>(a, b);
        lt(a: __m256, b: __m256) -> __m256 = _mm256_cmp_ps::<_CMP_LT_OQ>(a, b);
        le(a: __m256, b: __m256) -> __m256 = _mm256_cmp_ps::<_CMP_LE_OQ>(a, b);
        select(condition: __m256, a: __m256, b: __m256) -> __m256 = _mm256_blendv_ps(b, a, condition);
        mask_and(a: __m256, b: __m256) -> __m256 = _mm256_and_ps(a, b);
        mask_or(a: __m256, b: __m256) -> __m256 = _mm256_or_ps(a, b);
        mask_not(a: __m256) -> __m256 = _mm256_xor_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(-1)));
        any(a: __m256) -> bool = _mm256_movemask_ps(a) != 0;
    }
}

impl Lanes for Avx2<f64> {
    type Elem = f64;
    type V = __m256d;
    type M = __m256d;
    const WIDTH: usize = 4;
    const REGISTERS: usize = 16;

    #[inline(always)]
    fn vectorize<K: Kernel<f64>>(self, kernel: K) -> K::Output {
        // SAFETY: `self` exists only where `new` has found AVX2 and FMA.
        unsafe { enter(self, kernel) }
    }
    #[inline(always)]
    unsafe fn load_ptr(self, from: *const f64) -> __m256d {
        // SAFETY: the caller promises four elements, `self` the instruction.
        unsafe { _mm256_loadu_pd(from) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, x: __m256d, to: *mut f64) {
        // SAFETY: the caller promises four elements, `self` the instruction.
        unsafe { _mm256_storeu_pd(to, x) }
    }
    #[inline(always)]
    unsafe fn load_part_ptr(self, from: *const f64, count: usize) -> __m256d {
        // SAFETY: the caller promises `count` elements, and the mask lets no other be read.
        unsafe { _mm256_maskload_pd(from, first_wide(count)) }
    }
    #[inline(always)]
    unsafe fn store_part_ptr(self, x: __m256d, to: *mut f64, count: usize) {
        // SAFETY: the caller promises `count` elements, and the mask lets no other be written.
        unsafe { _mm256_maskstore_pd(to, first_wide(count), x) }
    }
    #[inline(always)]
    unsafe fn transpose_ptr(self, from: *const f64, from_step: isize, to: *mut f64, to_step: isize) {
        // SAFETY: the caller promises four rows of four elements, `self` the instructions.
        unsafe { transpose4(from, from_step, to, to_step) }
    }
    #[inline(always)]
    fn prefetch(self, at: *const f64) {
        // SAFETY: a prefetch of any address is no access.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
    #[inline(always)]
    fn prefetch_second(self, at: *const f64) {
        // SAFETY: a prefetch of any address is no access.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
    }
    methods! {
        splat(x: f64) -> __m256d = _mm256_set1_pd(x);
        add(a: __m256d, b: __m256d) -> __m256d = _mm256_add_pd(a, b);
        sub(a: __m256d, b: __m256d) -> __m256d = _mm256_sub_pd(a, b);
        mul(a: __m256d, b: __m256d) -> __m256d = _mm256_mul_pd(a, b);
        div(a: __m256d, b: __m256d) -> __m256d = _mm256_div_pd(a, b);
        mul_add(a: __m256d, b: __m256d, c: __m256d) -> __m256d = _mm256_fmadd_pd(a, b, c);
        neg_mul_add(a: __m256d, b: __m256d, c: __m256d) -> __m256d = _mm256_fnmadd_pd(a, b, c);
        sqrt(x: __m256d) -> __m256d = _mm256_sqrt_pd(x);
        min(a: __m256d, b: __m256d) -> __m256d = _mm256_min_pd(a, b);
        max(a: __m256d, b: __m256d) -> __m256d = _mm256_max_pd(a, b);
        floor(x: __m256d) -> __m256d = _mm256_floor_pd(x);
        ceil(x: __m256d) -> __m256d = _mm256_ceil_pd(x);
        trunc(x: __m256d) -> __m256d = _mm256_round_pd::<{ _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC }>(x);
        round(x: __m256d) -> __m256d = _mm256_round_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x);
        and(a: __m256d, b: __m256d) -> __m256d = _mm256_and_pd(a, b);
        or(a: __m256d, b: __m256d) -> __m256d = _mm256_or_pd(a, b);
        xor(a: __m256d, b: __m256d) -> __m256d = _mm256_xor_pd(a, b);
        and_not(a: __m256d, b: __m256d) -> __m256d = _mm256_andnot_pd(a, b);
        shift_left(x: __m256d, places: i32) -> __m256d =
            _mm256_castsi256_pd(_mm256_sll_epi64(_mm256_castpd_si256(x), _mm_cvtsi32_si128(places)));
        shift_right(x: __m256d, places: i32) -> __m256d =
            _mm256_castsi256_pd(_mm256_srl_epi64(_mm256_castpd_si256(x), _mm_cvtsi32_si128(places)));
        add_bits(a: __m256d, b: __m256d) -> __m256d =
            _mm256_castsi256_pd(_mm256_add_epi64(_mm256_castpd_si256(a), _mm256_castpd_si256(b)));
        sub_bits(a: __m256d, b: __m256d) -> __m256d =
            _mm256_castsi256_pd(_mm256_sub_epi64(_mm256_castpd_si256(a), _mm256_castpd_si256(b)));
        eq(a: __m256d, b: __m256d) -> __m256d = _mm256_cmp_pd::<_CMP_EQ_OQ>(a, b);
        lt(a: __m256d, b: __m256d) -> __m256d = _mm256_cmp_pd::<_CMP_LT_OQ>(a, b);
        le(a: __m256d, b: __m256d) -> __m256d = _mm256_cmp_pd::<_CMP_LE_OQ>(a, b);
        select(condition: __m256d, a: __m256d, b: __m256d) -> __m256d = _mm256_blendv_pd(b, a, condition);
        mask_and(a: __m256d, b: __m256d) -> __m256d = _mm256_and_pd(a, b);
        mask_or(a: __m256d, b: __m256d) -> __m256d = _mm256_or_pd(a, b);
        mask_not(a: __m256d) -> __m256d = _mm256_xor_pd(a, _mm256_castsi256_pd(_mm256_set1_epi64x(-1)));
        any(a: __m256d) -> bool = _mm256_movemask_pd(a) != 0;
    }
}
