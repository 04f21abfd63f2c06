//! Slices taken and added at places that an index names. Every index is checked before anything is written.

use super::copy::by_size;
use super::element::{Compute, Element, Truth};
use super::kernel::{Dst, Src};
use super::rows::{Rows, split};
use crate::error::{Error, Result};
use crate::layout::Layout;
use bytemuck::Pod;

/// Whole slices of `x` along an axis.
pub(super) fn gather(axis: usize, x: &Src<'_>, at: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    check("take", at, x.layout.shape()[axis])?;
    by_size!(x.dtype.size(), W => take::<W>(axis, x, at, out))
}

fn take<W: Pod>(axis: usize, x: &Src<'_>, at: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let source = x.elements::<W>()?;
    let stride = x.layout.strides()[axis];
    let (outer, rest) = split(x.layout, |a| a >= axis);
    let (_, inner) = split(&rest, |a| a > 0);
    let (outer, places, inner) = (Rows::new([&outer]), Rows::new([at.layout]), Rows::new([&inner]));
    let (len, [step]) = (inner.len(), inner.steps());
    let mut rows = out.elements::<W>()?.chunks_exact_mut(len.max(1));
    for [first] in outer.positions() {
        for [place] in places.positions() {
            let base = first.wrapping_add_signed(index_at(at, place) * stride);
            for ([start], row) in inner.starts().zip(&mut rows) {
                copy_row(source, base.wrapping_add(start), step, row);
            }
        }
    }
    Ok(())
}

fn copy_row<W: Pod>(source: &[W], start: usize, step: isize, row: &mut [W]) {
    if step == 1 {
        row.copy_from_slice(&source[start..start + row.len()]);
    } else {
        row.iter_mut().enumerate().for_each(|(i, slot)| *slot = source[super::rows::along(start, step, i)]);
    }
}

/// `base` with slices added; updates of one place add up in row-major order.
pub(super) fn scatter_add(
    axis: usize,
    base: &Src<'_>,
    at: &Src<'_>,
    updates: &Src<'_>,
    out: &mut Dst<'_>,
) -> Result<()> {
    check("scatter_add", at, base.layout.shape()[axis])?;
    super::copy::strided(base, base.layout, out.bytes, &Layout::contiguous(out.meta.shape.clone()))?;
    match Compute::of(base.dtype) {
        Compute::Bool => add::<Truth>(axis, at, updates, out),
        Compute::I64 => add::<i64>(axis, at, updates, out),
        Compute::U64 => add::<u64>(axis, at, updates, out),
        Compute::F32 => add::<f32>(axis, at, updates, out),
        Compute::F64 => add::<f64>(axis, at, updates, out),
    }
}

fn add<T: Element>(axis: usize, at: &Src<'_>, updates: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let source = updates.elements::<T>()?;
    let size = out.meta.shape[axis];
    let indexed = at.layout.shape().len();
    let (outer, rest) = split(updates.layout, |a| a >= axis);
    let (chosen, inner) = split(&rest, |a| a >= indexed);
    let (outer, chosen, inner) = (Rows::new([&outer]), Rows::new([&chosen, at.layout]), Rows::new([&inner]));
    let width = out.meta.shape[axis + 1..].iter().product::<usize>();
    let results = out.elements::<T>()?;
    for (block, [first]) in outer.positions().enumerate() {
        for [slice, place] in chosen.positions() {
            let row = block * size + index_at(at, place) as usize;
            for (slot, [within]) in results[row * width..][..width].iter_mut().zip(inner.positions()) {
                *slot = slot.merge(source[first.wrapping_add(slice).wrapping_add(within)]);
            }
        }
    }
    Ok(())
}

/// Every index lies on an axis of `size` elements.
fn check(op: &str, at: &Src<'_>, size: usize) -> Result<()> {
    for [place] in Rows::new([at.layout]).positions() {
        let index = index_at(at, place);
        if index < 0 || index as usize >= size {
            return Err(Error::index(op, format!("indices in [0, {size})"), index.to_string()));
        }
    }
    Ok(())
}

/// One index, from bytes of any alignment.
fn index_at(at: &Src<'_>, place: usize) -> isize {
    const SIZE: usize = size_of::<i64>();
    bytemuck::pod_read_unaligned::<i64>(&at.bytes[place * SIZE..][..SIZE]) as isize
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fails, run, tensor};
    use crate::dtype::DType;
    use crate::error::Error;
    use crate::ir::op::Op;
    use half::bf16;

    #[test]
    fn slices_replace_the_axis() {
        let x = tensor(&[0i32, 1, 2, 3, 4, 5], &[2, 3], DType::I32);
        let at = tensor(&[2i64, 0, 0, 1], &[2, 2], DType::I64);
        assert_eq!(run::<i32>(&Op::Gather { axis: 1 }, &[x.clone(), at]), [2, 0, 0, 1, 5, 3, 3, 4]);
        let at = tensor(&[1i64, 1], &[2], DType::I64);
        assert_eq!(run::<i32>(&Op::Gather { axis: 0 }, &[x.clone(), at.clone()]), [3, 4, 5, 3, 4, 5]);
        let turned = x.with_layout(x.layout.permute(&[1, 0]));
        assert_eq!(run::<i32>(&Op::Gather { axis: 0 }, &[turned, at]), [1, 4, 1, 4]);
        let one = tensor(&[1i64], &[], DType::I64);
        assert_eq!(run::<i32>(&Op::Gather { axis: 1 }, &[x, one]), [1, 4]);
    }

    #[test]
    fn an_index_outside_is_named() {
        let x = tensor(&[0f32; 5], &[5], DType::F32);
        for (index, text) in
            [(7, "take: expected indices in [0, 5), got 7"), (-1, "take: expected indices in [0, 5), got -1")]
        {
            let error = fails(&Op::Gather { axis: 0 }, &[x.clone(), tensor(&[0i64, index], &[2], DType::I64)]);
            assert!(matches!(error, Error::Index { .. }));
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn nothing_can_be_taken_without_an_index() {
        let none = tensor::<i64>(&[], &[0], DType::I64);
        assert_eq!(run::<u8>(&Op::Gather { axis: 0 }, &[tensor(&[1u8], &[1], DType::U8), none]), [0; 0]);
    }

    #[test]
    fn repeated_places_add_up() {
        let base = tensor(&[1f32, 1.0, 1.0, 1.0, 1.0, 1.0], &[3, 2], DType::F32);
        let at = tensor(&[2i64, 0, 2], &[3], DType::I64);
        let updates = tensor(&[1f32, 2.0, 10.0, 20.0, 3.0, 4.0], &[3, 2], DType::F32);
        let op = Op::ScatterAdd { axis: 0 };
        assert_eq!(run::<f32>(&op, &[base, at, updates]), [11.0, 21.0, 1.0, 1.0, 5.0, 7.0]);
    }

    #[test]
    fn an_inner_axis_scatters_with_narrow_sums_kept_wide() {
        let one = bf16::from_f32(1.0);
        let base = tensor(&[bf16::from_f32(256.0), one], &[1, 2], DType::BF16);
        let at = tensor(&[0i64, 0], &[2, 1], DType::I64);
        let updates = tensor(&[one, one], &[1, 2, 1], DType::BF16);
        let got: Vec<bf16> = run(&Op::ScatterAdd { axis: 1 }, &[base, at, updates]);
        assert_eq!(got, [bf16::from_f32(258.0), one]);
    }
}
