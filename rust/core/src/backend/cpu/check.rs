//! Checks on data: an element that is not finite ends the step, before anything it led to is kept.

use super::copy;
use super::kernel::{Dst, Src};
use super::rows::Rows;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::shape::Shape;
use bytemuck::Pod;
use half::{bf16, f16};

/// Copy the input through, or say which element is not finite.
pub(super) fn check_finite(name: &str, x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    finite(name, x)?;
    copy::strided(x, x.layout, out.bytes, &Layout::contiguous(out.meta.shape.clone()))
}

/// Say which element is not finite, the first in row-major order.
pub(super) fn finite(name: &str, x: &Src<'_>) -> Result<()> {
    match x.dtype {
        DType::F16 => all_finite(name, x, f16::to_f64),
        DType::BF16 => all_finite(name, x, bf16::to_f64),
        DType::F32 => all_finite(name, x, |x: f32| f64::from(x)),
        DType::F64 => all_finite(name, x, |x: f64| x),
        DType::Bool
        | DType::I8
        | DType::I16
        | DType::I32
        | DType::I64
        | DType::U8
        | DType::U16
        | DType::U32
        | DType::U64 => Ok(()),
    }
}

/// Bytes that are looked at together.
const BLOCK: usize = 4096;

/// Whether all elements are finite, if they lie densely, in any order: their exponents are compared as bits, many at a time.
fn quick(x: &Src<'_>) -> bool {
    fn any<W: Pod>(bytes: &[u8], odd: impl Fn(W) -> bool) -> Option<bool> {
        let words: &[W] = bytemuck::try_cast_slice(bytes).ok()?;
        let odd = |block: &[W]| block.iter().fold(false, |found, &word| found | odd(word));
        Some(words.chunks(BLOCK / size_of::<W>()).any(odd))
    }
    // Elements of the buffer that lie between those of a view are looked at too: no fewer, and seldom others.
    let Some((low, high)) = x.layout.span() else { return true };
    let (size, near) = (x.dtype.size(), high - low < x.layout.shape().numel());
    let Some(bytes) = x.bytes.get(low * size..(high + 1) * size).filter(|_| near) else { return false };
    let found = match x.dtype {
        DType::F32 => any(bytes, |word: u32| word & 0x7F80_0000 == 0x7F80_0000),
        DType::F64 => any(bytes, |word: u64| word & 0x7FF0_0000_0000_0000 == 0x7FF0_0000_0000_0000),
        _ => None,
    };
    found == Some(false)
}

fn all_finite<T: Pod>(name: &str, x: &Src<'_>, wide: impl Fn(T) -> f64) -> Result<()> {
    if quick(x) {
        return Ok(());
    }
    let size = size_of::<T>();
    for (number, [place]) in Rows::new([x.layout]).positions().enumerate() {
        let value = wide(bytemuck::pod_read_unaligned(&x.bytes[place * size..][..size]));
        if !value.is_finite() {
            let kind = match value {
                f64::INFINITY => "inf",
                f64::NEG_INFINITY => "-inf",
                _ => "nan",
            };
            return Err(Error::non_finite(
                name,
                "finite values; check the data, or lower the learning rate",
                format!("{kind} at index {:?}", multi_index(number, x.layout.shape())),
            ));
        }
    }
    Ok(())
}

/// Copy indices through, or say which is outside `[0, size)`.
pub(super) fn check_index(name: &str, size: usize, x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    within(name, size, x)?;
    copy::strided(x, x.layout, out.bytes, &Layout::contiguous(out.meta.shape.clone()))
}

/// Say which index is outside `[0, size)`, the first in row-major order.
pub(super) fn within(name: &str, size: usize, x: &Src<'_>) -> Result<()> {
    for [place] in Rows::new([x.layout]).positions() {
        let index: i64 = bytemuck::pod_read_unaligned(&x.bytes[place * 8..][..8]);
        if usize::try_from(index).is_ok_and(|i| i < size) {
            continue;
        }
        return Err(Error::index(name, format!("indices in [0, {size})"), index.to_string()));
    }
    Ok(())
}

/// Index per axis of the element with this row-major number.
fn multi_index(number: usize, shape: &Shape) -> Vec<usize> {
    let mut rest = number;
    let mut index = vec![0; shape.len()];
    for (place, &size) in index.iter_mut().zip(shape.iter()).rev() {
        *place = rest % size;
        rest /= size;
    }
    index
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fails, run, tensor};
    use crate::dtype::DType;
    use crate::error::Error;
    use crate::ir::op::Op;
    use crate::layout::Layout;
    use half::f16;
    use smallvec::SmallVec;

    #[test]
    fn finite_values_pass() {
        let op = Op::CheckFinite { name: "loss".into() };
        assert_eq!(run::<f32>(&op, &[tensor(&[1f32, -2.0], &[2], DType::F32)]), [1.0, -2.0]);
        assert_eq!(run::<i64>(&op, &[tensor(&[1i64], &[], DType::I64)]), [1]);
    }

    #[test]
    fn the_first_index_outside_is_named() {
        let op = Op::CheckIndex { name: "cross_entropy".into(), size: 3 };
        assert_eq!(run::<i64>(&op, &[tensor(&[0i64, 2], &[2], DType::I64)]), [0, 2]);
        let error = fails(&op, &[tensor(&[0i64, 3, -1], &[3], DType::I64)]);
        assert_eq!(error.to_string(), "cross_entropy: expected indices in [0, 3), got 3");
    }

    #[test]
    fn the_first_bad_element_is_named() {
        let op = Op::CheckFinite { name: "gradient of weight".into() };
        let x = tensor(&[0f64, 1.0, 2.0, f64::NEG_INFINITY, f64::NAN, 5.0], &[2, 3], DType::F64);
        let error = fails(&op, std::slice::from_ref(&x));
        assert!(matches!(error, Error::NonFinite { .. }));
        assert!(error.to_string().starts_with("gradient of weight: expected finite values"));
        assert!(error.to_string().ends_with("got -inf at index [1, 0]"));
        let turned = x.with_layout(x.layout.permute(&[1, 0]));
        assert!(fails(&op, &[turned]).to_string().ends_with("got -inf at index [0, 1]"));
        let error = fails(&op, &[tensor(&[f16::NAN], &[], DType::F16)]);
        assert!(error.to_string().ends_with("got nan at index []"));
    }

    #[test]
    fn what_lies_between_the_elements_of_a_view_does_not_count() {
        let op = Op::CheckFinite { name: "x".into() };
        let x = tensor(&[0f32, f32::NAN, 2.0, f32::NAN, 4.0, f32::NAN, 6.0, f32::NAN, 8.0], &[9], DType::F32);
        let view = |shape: [usize; 2], strides: [isize; 2], offset| {
            x.with_layout(Layout::new(shape.into(), SmallVec::from_slice(&strides), offset))
        };
        assert_eq!(run::<f32>(&op, &[view([3, 3], [2, 2], 0)]), [0.0, 2.0, 4.0, 2.0, 4.0, 6.0, 4.0, 6.0, 8.0]);
        assert_eq!(run::<f32>(&op, &[view([2, 2], [-4, 2], 4)]), [4.0, 6.0, 0.0, 2.0]);
        assert_eq!(run::<f32>(&op, &[view([2, 2], [0, 0], 2)]), [2.0; 4]);
        assert!(fails(&op, &[view([3, 3], [1, 2], 0)]).to_string().ends_with("got nan at index [1, 0]"));
    }
}
