//! Elements as GPUs hold them: 64-bit integers in two words, everything else in one; half floats widened to f32.

use crate::buffer::{HostVec, zeroed};
use crate::dtype::DType;
use bytemuck::{cast_slice, pod_read_unaligned};
use half::{bf16, f16};
use std::borrow::Cow;

/// Row-major host bytes as words of the GPU.
pub(super) fn pack(bytes: &[u8], dtype: DType) -> Cow<'_, [u8]> {
    fn widen<const N: usize>(bytes: &[u8], word: impl Fn([u8; N]) -> u32) -> Cow<'_, [u8]> {
        let (elements, _) = bytes.as_chunks::<N>();
        Cow::Owned(elements.iter().flat_map(|&element| word(element).to_ne_bytes()).collect())
    }
    match dtype {
        DType::Bool => widen(bytes, |[byte]: [u8; 1]| u32::from(byte != 0)),
        DType::U8 => widen(bytes, |[byte]: [u8; 1]| u32::from(byte)),
        DType::I8 => widen(bytes, |byte| i32::from(i8::from_ne_bytes(byte)) as u32),
        DType::U16 => widen(bytes, |two| u32::from(u16::from_ne_bytes(two))),
        DType::I16 => widen(bytes, |two| i32::from(i16::from_ne_bytes(two)) as u32),
        DType::F16 => widen(bytes, |two| f16::from_ne_bytes(two).to_f32().to_bits()),
        DType::BF16 => widen(bytes, |two| bf16::from_ne_bytes(two).to_f32().to_bits()),
        DType::I32 | DType::U32 | DType::F32 | DType::I64 | DType::U64 | DType::F64 => Cow::Borrowed(bytes),
    }
}

/// Words of the GPU as row-major host bytes.
pub(super) fn unpack(words: &[u8], dtype: DType) -> HostVec {
    fn narrow<const N: usize>(words: &[u8], element: impl Fn(u32) -> [u8; N]) -> HostVec {
        let mut bytes = zeroed(words.len() / 4 * N);
        for (word, out) in words.chunks_exact(4).zip(bytes.as_chunks_mut::<N>().0) {
            *out = element(pod_read_unaligned(word));
        }
        bytes
    }
    match dtype {
        DType::Bool | DType::U8 | DType::I8 => narrow(words, |word| [word as u8]),
        DType::U16 | DType::I16 => narrow(words, |word| (word as u16).to_ne_bytes()),
        DType::F16 => narrow(words, |word| f16::from_f32(f32::from_bits(word)).to_ne_bytes()),
        DType::BF16 => narrow(words, |word| bf16::from_f32(f32::from_bits(word)).to_ne_bytes()),
        DType::I32 | DType::U32 | DType::F32 | DType::I64 | DType::U64 | DType::F64 => {
            let mut bytes = zeroed(words.len());
            bytes.copy_from_slice(words);
            bytes
        }
    }
}

/// Words as bytes.
pub(super) fn bytes_of(words: &[u32]) -> &[u8] {
    cast_slice(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_back_as_they_went() {
        for dtype in DType::ALL {
            let bytes: Vec<u8> = match dtype {
                DType::Bool => (0..8).map(|byte| byte % 2).collect(),
                // No NaN, whose payload may change.
                DType::F16 | DType::BF16 => (0..4u16).flat_map(|i| (0x3C00 + 77 * i).to_ne_bytes()).collect(),
                _ => (0..32u8).map(|byte| byte.wrapping_mul(37)).collect(),
            };
            assert_eq!(unpack(&pack(&bytes, dtype), dtype)[..], bytes[..], "{dtype}");
        }
    }
}
