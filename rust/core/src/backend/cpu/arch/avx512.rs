//! AVX-512 F, BW, DQ and VL: sixteen f32 or eight f64, masks in registers of their own.

use super::avx2::{transpose4, transpose8};
use super::{Kernel, Lanes};
use crate::backend::cpu::element::Float;
#[allow(clippy::wildcard_imports, reason = "intrinsics carry their prefix")]
use std::arch::x86_64::*;
use std::marker::PhantomData;

/// Proof that the machine has AVX-512, and the lanes of one element type.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend::cpu) struct Avx512<T>(PhantomData<T>);

impl<T> Avx512<T> {
    /// The lanes, where the machine has the instructions.
    pub(in crate::backend::cpu) fn new() -> Option<Self> {
        let has = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("fma");
        has.then_some(Self(PhantomData))
    }

    /// The lanes of this element type, by the proof of another.
    pub(in crate::backend::cpu) fn of<U>(_: Avx512<U>) -> Self {
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
            // SAFETY: `self` exists only where `new` has found AVX-512.
            #[allow(unused_unsafe, reason = "functions of masks are plain integers")]
            unsafe { $body }
        }
    )+};
}

/// A mask of the first lanes.
#[inline(always)]
fn first(count: usize) -> u32 {
    (1 << count) - 1
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,fma")]
fn enter<T: Float, L: Lanes<Elem = T>, K: Kernel<T>>(lanes: L, kernel: K) -> K::Output {
    kernel.run(lanes)
}

impl Lanes for Avx512<f32> {
    type Elem = f32;
    type V = __m512;
    type M = __mmask16;
    const WIDTH: usize = 16;
    const REGISTERS: usize = 32;

    #[inline(always)]
    fn vectorize<K: Kernel<f32>>(self, kernel: K) -> K::Output {
        // SAFETY: `self` exists only where `new` has found AVX-512.
        unsafe { enter(self, kernel) }
    }
    #[inline(always)]
    unsafe fn load_ptr(self, from: *const f32) -> __m512 {
        // SAFETY: the caller promises sixteen elements, `self` the instruction.
        unsafe { _mm512_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, x: __m512, to: *mut f32) {
        // SAFETY: the caller promises sixteen elements, `self` the instruction.
        unsafe { _mm512_storeu_ps(to, x) }
    }
    #[inline(always)]
    unsafe fn load_part_ptr(self, from: *const f32, count: usize) -> __m512 {
        // SAFETY: the caller promises `count` elements, and the mask lets no other be read.
        unsafe { _mm512_maskz_loadu_ps(first(count) as __mmask16, from) }
    }
    #[inline(always)]
    unsafe fn store_part_ptr(self, x: __m512, to: *mut f32, count: usize) {
        // SAFETY: the caller promises `count` elements, and the mask lets no other be written.
        unsafe { _mm512_mask_storeu_ps(to, first(count) as __mmask16, x) }
    }
    #[inline(always)]
    unsafe fn transpose_ptr(self, from: *const f32, from_step: isize, to: *mut f32, to_step: isize) {
        // Four quarters, each by the registers of AVX2, which AVX-512 includes.
        for (i, j) in [(0, 0), (0, 8), (8, 0), (8, 8)] {
            // SAFETY: the quarters lie in the block that the caller promises.
            unsafe { transpose8(from.offset(i * from_step + j), from_step, to.offset(j * to_step + i), to_step) };
        }
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
        splat(x: f32) -> __m512 = _mm512_set1_ps(x);
        add(a: __m512, b: __m512) -> __m512 = _mm512_add_ps(a, b);
        sub(a: __m512, b: __m512) -> __m512 = _mm512_sub_ps(a, b);
        mul(a: __m512, b: __m512) -> __m512 = _mm512_mul_ps(a, b);
        div(a: __m512, b: __m512) -> __m512 = _mm512_div_ps(a, b);
        mul_add(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fmadd_ps(a, b, c);
        neg_mul_add(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fnmadd_ps(a, b, c);
        sqrt(x: __m512) -> __m512 = _mm512_sqrt_ps(x);
        min(a: __m512, b: __m512) -> __m512 = _mm512_min_ps(a, b);
        max(a: __m512, b: __m512) -> __m512 = _mm512_max_ps(a, b);
        floor(x: __m512) -> __m512 = _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(x);
        ceil(x: __m512) -> __m512 = _mm512_roundscale_ps::<{ _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC }>(x);
        trunc(x: __m512) -> __m512 = _mm512_roundscale_ps::<{ _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC }>(x);
        round(x: __m512) -> __m512 = _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x);
        and(a: __m512, b: __m512) -> __m512 = _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a), _mm512_castps_si512(b)));
        or(a: __m512, b: __m512) -> __m512 = _mm512_castsi512_ps(_mm512_or_si512(_mm512_castps_si512(a), _mm512_castps_si512(b)));
        xor(a: __m512, b: __m512) -> __m512 = _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(a), _mm512_castps_si512(b)));
        and_not(a: __m512, b: __m512) -> __m512 = _mm512_castsi512_ps(_mm512_andnot_si512(_mm512_castps_si512(a), _mm512_castps_si512(b)));
        shift_left(x: __m512, places: i32) -> __m512 =
            _mm512_castsi512_ps(_mm512_sll_epi32(_mm512_castps_si512(x), _mm_cvtsi32_si128(places)));
        shift_right(x: __m512, places: i32) -> __m512 =
            _mm512_castsi512_ps(_mm512_srl_epi32(_mm512_castps_si512(x), _mm_cvtsi32_si128(places)));
        add_bits(a: __m512, b: __m512) -> __m512 =
            _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)));
        sub_bits(a: __m512, b: __m512) -> __m512 =
            _mm512_castsi512_ps(_mm512_sub_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)));
        eq(a: __m512, b: __m512) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b);
        lt(a: __m512, b: __m512) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b);
        le(a: __m512, b: __m512) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_LE_OQ>(a, b);
        select(condition: __mmask16, a: __m512, b: __m512) -> __m512 = _mm512_mask_blend_ps(condition, b, a);
        mask_and(a: __mmask16, b: __mmask16) -> __mmask16 = a & b;
        mask_or(a: __mmask16, b: __mmask16) -> __mmask16 = a | b;
        mask_not(a: __mmask16) -> __mmask16 = !a;
        any(a: __mmask16) -> bool = a != 0;
    }
}

impl Lanes for Avx512<f64> {
    type Elem = f64;
    type V = __m512d;
    type M = __mmask8;
    const WIDTH: usize = 8;
    const REGISTERS: usize = 32;

    #[inline(always)]
    fn vectorize<K: Kernel<f64>>(self, kernel: K) -> K::Output {
        // SAFETY: `self` exists only where `new` has found AVX-512.
        unsafe { enter(self, kernel) }
    }
    #[inline(always)]
    unsafe fn load_ptr(self, from: *const f64) -> __m512d {
        // SAFETY: the caller promises eight elements, `self` the instruction.
        unsafe { _mm512_loadu_pd(from) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, x: __m512d, to: *mut f64) {
        // SAFETY: the caller promises eight elements, `self` the instruction.
        unsafe { _mm512_storeu_pd(to, x) }
    }
    #[inline(always)]
    unsafe fn load_part_ptr(self, from: *const f64, count: usize) -> __m512d {
        // SAFETY: the caller promises `count` elements, and the mask lets no other be read.
        unsafe { _mm512_maskz_loadu_pd(first(count) as __mmask8, from) }
    }
    #[inline(always)]
    unsafe fn store_part_ptr(self, x: __m512d, to: *mut f64, count: usize) {
        // SAFETY: the caller promises `count` elements, and the mask lets no other be written.
        unsafe { _mm512_mask_storeu_pd(to, first(count) as __mmask8, x) }
    }
    #[inline(always)]
    unsafe fn transpose_ptr(self, from: *const f64, from_step: isize, to: *mut f64, to_step: isize) {
        // Four quarters, each by the registers of AVX2, which AVX-512 includes.
        for (i, j) in [(0, 0), (0, 4), (4, 0), (4, 4)] {
            // SAFETY: the quarters lie in the block that the caller promises.
            unsafe { transpose4(from.offset(i * from_step + j), from_step, to.offset(j * to_step + i), to_step) };
        }
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
        splat(x: f64) -> __m512d = _mm512_set1_pd(x);
        add(a: __m512d, b: __m512d) -> __m512d = _mm512_add_pd(a, b);
        sub(a: __m512d, b: __m512d) -> __m512d = _mm512_sub_pd(a, b);
        mul(a: __m512d, b: __m512d) -> __m512d = _mm512_mul_pd(a, b);
        div(a: __m512d, b: __m512d) -> __m512d = _mm512_div_pd(a, b);
        mul_add(a: __m512d, b: __m512d, c: __m512d) -> __m512d = _mm512_fmadd_pd(a, b, c);
        neg_mul_add(a: __m512d, b: __m512d, c: __m512d) -> __m512d = _mm512_fnmadd_pd(a, b, c);
        sqrt(x: __m512d) -> __m512d = _mm512_sqrt_pd(x);
        min(a: __m512d, b: __m512d) -> __m512d = _mm512_min_pd(a, b);
        max(a: __m512d, b: __m512d) -> __m512d = _mm512_max_pd(a, b);
        floor(x: __m512d) -> __m512d = _mm512_roundscale_pd::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(x);
        ceil(x: __m512d) -> __m512d = _mm512_roundscale_pd::<{ _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC }>(x);
        trunc(x: __m512d) -> __m512d = _mm512_roundscale_pd::<{ _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC }>(x);
        round(x: __m512d) -> __m512d = _mm512_roundscale_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x);
        and(a: __m512d, b: __m512d) -> __m512d = _mm512_castsi512_pd(_mm512_and_si512(_mm512_castpd_si512(a), _mm512_castpd_si512(b)));
        or(a: __m512d, b: __m512d) -> __m512d = _mm512_castsi512_pd(_mm512_or_si512(_mm512_castpd_si512(a), _mm512_castpd_si512(b)));
        xor(a: __m512d, b: __m512d) -> __m512d = _mm512_castsi512_pd(_mm512_xor_si512(_mm512_castpd_si512(a), _mm512_castpd_si512(b)));
        and_not(a: __m512d, b: __m512d) -> __m512d = _mm512_castsi512_pd(_mm512_andnot_si512(_mm512_castpd_si512(a), _mm512_castpd_si512(b)));
        shift_left(x: __m512d, places: i32) -> __m512d =
            _mm512_castsi512_pd(_mm512_sll_epi64(_mm512_castpd_si512(x), _mm_cvtsi32_si128(places)));
        shift_right(x: __m512d, places: i32) -> __m512d =
            _mm512_castsi512_pd(_mm512_srl_epi64(_mm512_castpd_si512(x), _mm_cvtsi32_si128(places)));
        add_bits(a: __m512d, b: __m512d) -> __m512d =
            _mm512_castsi512_pd(_mm512_add_epi64(_mm512_castpd_si512(a), _mm512_castpd_si512(b)));
        sub_bits(a: __m512d, b: __m512d) -> __m512d =
            _mm512_castsi512_pd(_mm512_sub_epi64(_mm512_castpd_si512(a), _mm512_castpd_si512(b)));
        eq(a: __m512d, b: __m512d) -> __mmask8 = _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(a, b);
        lt(a: __m512d, b: __m512d) -> __mmask8 = _mm512_cmp_pd_mask::<_CMP_LT_OQ>(a, b);
        le(a: __m512d, b: __m512d) -> __mmask8 = _mm512_cmp_pd_mask::<_CMP_LE_OQ>(a, b);
        select(condition: __mmask8, a: __m512d, b: __m512d) -> __m512d = _mm512_mask_blend_pd(condition, b, a);
        mask_and(a: __mmask8, b: __mmask8) -> __mmask8 = a & b;
        mask_or(a: __mmask8, b: __mmask8) -> __mmask8 = a | b;
        mask_not(a: __mmask8) -> __mmask8 = !a;
        any(a: __mmask8) -> bool = a != 0;
    }
}
