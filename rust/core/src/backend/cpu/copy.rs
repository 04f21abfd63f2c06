//! Elements moved as bytes: views that strides cannot say, borders, concatenation, fills. No kernel here reads a value.

use super::arch::Vectored;
use super::kernel::{Dst, Src};
use super::pointwise::scalar_bytes;
use super::rows::{Rows, along};
use super::turn::{Turn, turn};
use crate::buffer::{HostVec, zeroed};
use crate::dtype::Scalar;
use crate::error::{Error, Result};
use crate::ir::op::ViewOp;
use crate::ir::view::view_layout;
use crate::layout::{Layout, Strides};
use bytemuck::Pod;

/// Run `$body` with `$W` bound to bytes of an element's size, which have no alignment.
macro_rules! by_size {
    ($size:expr, $W:ident => $body:expr) => {
        match $size {
            1 => {
                type $W = [u8; 1];
                $body
            }
            2 => {
                type $W = [u8; 2];
                $body
            }
            4 => {
                type $W = [u8; 4];
                $body
            }
            _ => {
                type $W = [u8; 8];
                $body
            }
        }
    };
}
pub(super) use by_size;

/// Copy the elements of `from` (in `x`'s bytes) to the places of `to` (in `out`); both layouts have one shape.
pub(super) fn strided(x: &Src<'_>, from: &Layout, out: &mut [u8], to: &Layout) -> Result<()> {
    let turned = match x.dtype.size() {
        4 => turned::<f32>(x.bytes, from, out, to),
        8 => turned::<f64>(x.bytes, from, out, to),
        _ => false,
    };
    if turned {
        return Ok(());
    }
    by_size!(x.dtype.size(), W => move_each::<W>(x, from, out, to))
}

fn move_each<W: Pod>(x: &Src<'_>, from: &Layout, out: &mut [u8], to: &Layout) -> Result<()> {
    let source = x.elements::<W>()?;
    let target = bytemuck::try_cast_slice_mut::<u8, W>(out).map_err(|_| Error::bug("copy", "a partial element"))?;
    let rows = Rows::new([from, to]);
    let (len, steps) = (rows.len(), rows.steps());
    let (count, [next, beyond], planes) = rows.planes();
    for [first, place] in planes.starts() {
        for row in 0..count {
            let (i, j) = (along(first, next, row), along(place, beyond, row));
            match steps {
                [1, 1] => target[j..j + len].copy_from_slice(&source[i..i + len]),
                [0, 1] => target[j..j + len].fill(source[i]),
                [s, t] => (0..len).for_each(|k| target[along(j, t, k)] = source[along(i, s, k)]),
            }
        }
    }
    Ok(())
}

/// Copy planes whose columns lie side by side on one side and whose rows do on the other; false where they lie otherwise.
fn turned<T: Vectored>(x: &[u8], from: &Layout, out: &mut [u8], to: &Layout) -> bool {
    let rows = Rows::new([from, to]);
    let (columns, [column, along]) = (rows.len(), rows.steps());
    let (rows, [one, step], planes) = rows.planes();
    let (Ok(column), Ok(step)) = (usize::try_from(column), usize::try_from(step)) else { return false };
    let (Ok(source), Ok(target)) = (bytemuck::try_cast_slice(x), bytemuck::try_cast_slice_mut(out)) else {
        return false;
    };
    // Rows of the result that lie closer than they are long would be written over one another.
    if [one, along] != [1, 1] || column < rows || step < columns {
        return false;
    }
    for [i, j] in planes.starts() {
        turn::<T>(Turn { from: &source[i..], column, to: &mut target[j..], step, rows, columns });
    }
    true
}

/// A row-major copy.
pub(super) fn row_major(x: &Src<'_>) -> Result<HostVec> {
    let shape = x.layout.shape().clone();
    let mut bytes = zeroed(shape.numel() * x.dtype.size());
    strided(x, x.layout, &mut bytes, &Layout::contiguous(shape))?;
    Ok(bytes)
}

/// The elements of a view, written out.
pub(super) fn view(view: &ViewOp, x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let from = view_layout(view, x.layout).unwrap_or_else(|| x.layout.clone());
    let to = Layout::contiguous(from.shape().clone());
    strided(x, &from, out.bytes, &to)
}

/// A border of `value`, and `interior` copies of it between neighbours.
pub(super) fn pad(low: &[usize], interior: &[usize], value: Scalar, x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    fill(value, out)?;
    let shape = x.layout.shape();
    let whole = out.meta.shape.contiguous_strides();
    let strides: Strides = whole.iter().zip(interior).map(|(stride, &gap)| stride * (gap as isize + 1)).collect();
    let offset = low.iter().zip(&whole).map(|(&low, &stride)| low * stride as usize).sum();
    strided(x, x.layout, out.bytes, &Layout::new(shape.clone(), strides, offset))
}

/// Inputs one after the other along an axis.
pub(super) fn concat(axis: usize, parts: &[Src<'_>], out: &mut Dst<'_>) -> Result<()> {
    let whole = Layout::contiguous(out.meta.shape.clone());
    let mut start = 0;
    for part in parts {
        let shape = part.layout.shape();
        let to = Layout::new(shape.clone(), whole.strides().into(), start * whole.strides()[axis] as usize);
        strided(part, part.layout, out.bytes, &to)?;
        start += shape[axis];
    }
    Ok(())
}

/// One value everywhere.
pub(super) fn fill(value: Scalar, out: &mut Dst<'_>) -> Result<()> {
    let element = scalar_bytes(value, out.meta.dtype);
    by_size!(element.len(), W => out.elements::<W>()?.fill(bytemuck::pod_read_unaligned(&element)));
    Ok(())
}

/// 0, 1, 2, ...
pub(super) fn iota(out: &mut Dst<'_>) -> Result<()> {
    out.elements::<i64>()?.iter_mut().zip(0..).for_each(|(slot, i)| *slot = i);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{run, tensor};
    use crate::dtype::{DType, Scalar};
    use crate::ir::op::{Op, ViewOp};

    #[test]
    fn a_reshaped_transpose_is_copied() {
        let x = tensor(&[1i16, 2, 3, 4, 5, 6], &[2, 3], DType::I16);
        let turned = x.with_layout(x.layout.permute(&[1, 0]));
        let got: Vec<i16> = run(&Op::View(ViewOp::Reshape([6].into())), &[turned]);
        assert_eq!(got, [1, 4, 2, 5, 3, 6]);
    }

    #[test]
    fn slices_walk_backwards() {
        let x = tensor(&[0f64, 1.0, 2.0, 3.0, 4.0], &[5], DType::F64);
        let op = ViewOp::Slice { starts: vec![4], sizes: vec![3], steps: vec![-2] };
        assert_eq!(run::<f64>(&Op::View(op), &[x]), [4.0, 2.0, 0.0]);
    }

    #[test]
    fn padding_goes_around_and_between() {
        let x = tensor(&[1f32, 2.0, 3.0, 4.0], &[2, 2], DType::F32);
        let pad = |low: [usize; 2], high: [usize; 2], interior: [usize; 2]| Op::Pad {
            low: low.into(),
            high: high.into(),
            interior: interior.into(),
            value: Scalar::Float(9.0),
        };
        assert_eq!(
            run::<f32>(&pad([0, 1], [0, 0], [0, 1]), std::slice::from_ref(&x)),
            [9.0, 1.0, 9.0, 2.0, 9.0, 3.0, 9.0, 4.0]
        );
        let tall: Vec<f32> = run(&pad([1, 0], [1, 0], [1, 0]), &[x]);
        assert_eq!(tall, [9.0, 9.0, 1.0, 2.0, 9.0, 9.0, 3.0, 4.0, 9.0, 9.0]);
        let empty = tensor::<f32>(&[], &[0, 2], DType::F32);
        assert_eq!(run::<f32>(&pad([1, 0], [0, 0], [3, 0]), &[empty]), [9.0, 9.0]);
    }

    #[test]
    fn parts_lie_one_after_the_other() {
        let a = tensor(&[1u8, 2], &[2, 1], DType::U8);
        let b = tensor(&[3u8, 4, 5, 6], &[2, 2], DType::U8);
        let none = tensor::<u8>(&[], &[2, 0], DType::U8);
        assert_eq!(run::<u8>(&Op::Concat { axis: 1 }, &[a, none, b]), [1, 3, 4, 2, 5, 6]);
    }

    #[test]
    fn fills_and_counts() {
        let fill = |value, dtype| Op::Fill { value, shape: [2].into(), dtype };
        assert_eq!(run::<i8>(&fill(Scalar::Int(-3), DType::I8), &[]), [-3, -3]);
        assert_eq!(run::<u64>(&fill(Scalar::Int(i128::from(u64::MAX)), DType::U64), &[]), [u64::MAX; 2]);
        assert_eq!(run::<u8>(&fill(Scalar::Float(0.5), DType::Bool), &[]), [1, 1]);
        assert_eq!(run::<i64>(&Op::Iota { length: 3 }, &[]), [0, 1, 2]);
    }
}
