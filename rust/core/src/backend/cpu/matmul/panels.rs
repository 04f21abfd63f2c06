//! A right factor in panels: packed once, read in place by every part of a product.
//!
//! `panels[p, k, j] = b[k, p width + j]`, and no particular value beyond the last column.

#![allow(unsafe_code, reason = "tiles are finished by address")]

use super::micro::{Finish, tallest, widest};
use super::pack::Pack;
use super::{Matrix, Product, Size, Target, memory};
use crate::backend::cpu::arch::{Kernel, Lanes, Vectored, dispatch};
use crate::backend::cpu::kernel::{Dst, Src};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::shape::Shape;
use bytemuck::Pod;
use std::marker::PhantomData;

/// Columns of a panel with one instruction set: what fits beside the tallest tile.
const fn width<L: Lanes>() -> usize {
    widest::<L>(tallest::<L>()) * L::WIDTH
}

/// Shape of the panels of a factor with so many rows and columns, if products of its dtype read panels.
pub(in crate::backend::cpu) fn panels(rows: usize, columns: usize, dtype: DType) -> Option<Shape> {
    let width = match dtype {
        DType::F32 => dispatch(Width::<f32>::new()),
        DType::F64 => dispatch(Width::<f64>::new()),
        _ => return None,
    };
    Some([columns.div_ceil(width), rows, width].into())
}

/// Asks for the columns of a panel.
pub(super) struct Width<T>(PhantomData<T>);

impl<T> Width<T> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: Vectored> Kernel<T> for Width<T> {
    type Output = usize;
    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, _: L) -> usize {
        width::<L>()
    }
}

/// Write the panels of a factor `[..., rows, columns]`, or of some of its columns.
pub(in crate::backend::cpu) fn pack(b: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    match b.dtype {
        DType::F64 => packed::<f64>(b, out),
        _ => packed::<f32>(b, out),
    }
}

/// A right factor in panels, in memory that the caller lends.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend::cpu) struct Panels<'a, T> {
    elements: &'a [T],
    width: usize,
}

impl<'a, T: Vectored + Pod> Panels<'a, T> {
    /// Elements that a factor of so many rows and columns takes.
    pub(in crate::backend::cpu) fn room(rows: usize, columns: usize) -> usize {
        let width = dispatch(Width::<T>::new());
        columns.div_ceil(width) * width * rows
    }

    /// Pack a factor into `room` elements.
    pub(in crate::backend::cpu) fn of(
        b: Matrix<'_, T>,
        (rows, columns): (usize, usize),
        room: &'a mut [T],
    ) -> Result<Self> {
        let width = dispatch(Width::<T>::new());
        if room.len() < Self::room(rows, columns) {
            return Err(shapeless());
        }
        let from = b.pointer("matmul", rows, columns)?;
        let Matrix { row_step, column_step, .. } = b;
        dispatch(&Pack { from, row_step, column_step, rows, columns, to: room.as_mut_ptr(), width });
        Ok(Self { elements: room, width })
    }

    /// `out = a x b` for the first columns of the factor, row-major.
    pub(in crate::backend::cpu) fn multiply(self, size: Size, a: Matrix<'_, T>, out: &mut [T]) -> Result<()> {
        let product = Product::by_panels(size, a, self.elements, self.width)?;
        let target = Target::new(out, size.rows, size.columns, size.columns)?;
        memory::with(product.scratch(), |scratch| product.run((0, 0), target, scratch))
    }
}

fn packed<T: Vectored + Pod>(b: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let [count, depth, width] = out.meta.shape[..] else { return Err(shapeless()) };
    let (size, matrix) = matrix::<T>(b)?;
    if size.rows != depth || size.columns > count * width {
        return Err(shapeless());
    }
    let from = matrix.pointer("matmul", depth, size.columns)?;
    let to = out.elements::<T>()?;
    if to.len() < count * depth * width {
        return Err(shapeless());
    }
    let Matrix { row_step, column_step, .. } = matrix;
    dispatch(&Pack { from, row_step, column_step, rows: depth, columns: size.columns, to: to.as_mut_ptr(), width });
    Ok(())
}

/// The last two axes of an operand.
fn matrix<'a, T: Pod>(x: &Src<'a>) -> Result<(Size, Matrix<'a, T>)> {
    let Some([rows, columns]) = x.layout.shape().last_chunk().copied() else { return Err(shapeless()) };
    let Some([row_step, column_step]) = x.layout.strides().last_chunk().copied() else { return Err(shapeless()) };
    let matrix = Matrix { elements: x.elements::<T>()?, first: x.layout.offset(), row_step, column_step };
    Ok((Size { rows, columns, depth: columns }, matrix))
}

/// What becomes of a product's elements, in this order.
#[derive(Debug, Default)]
pub(in crate::backend::cpu) struct Last<'a> {
    /// One number for each column is added.
    pub(in crate::backend::cpu) bias: Option<Src<'a>>,
    /// A matrix is added.
    pub(in crate::backend::cpu) plus: Option<Src<'a>>,
    /// What is at most zero becomes zero.
    pub(in crate::backend::cpu) relu: bool,
    /// What lies where this matrix is at most zero becomes zero.
    pub(in crate::backend::cpu) gate: Option<Src<'a>>,
    /// Every element is multiplied by that of a matrix.
    pub(in crate::backend::cpu) times: Option<Src<'a>>,
}

/// `[..., m, k] x panels`, where all leading axes are 1. The matrices of `last` are row-major and lie apart from the result.
pub(in crate::backend::cpu) fn by_panels(
    a: &Src<'_>,
    panels: &Src<'_>,
    out: &mut Dst<'_>,
    last: &Last<'_>,
) -> Result<()> {
    match a.dtype {
        DType::F64 => product::<f64>(a, panels, out, last),
        _ => product::<f32>(a, panels, out, last),
    }
}

fn product<T: Vectored + Pod>(a: &Src<'_>, panels: &Src<'_>, out: &mut Dst<'_>, last: &Last<'_>) -> Result<()> {
    let (size, left) = matrix::<T>(a)?;
    let size = Size { columns: out.meta.shape.last().copied().unwrap_or(1), ..size };
    let right = panels.elements::<T>()?.get(panels.layout.offset()..).ok_or_else(shapeless)?;
    let Some(&width) = panels.layout.shape().last() else { return Err(shapeless()) };
    let mut product = Product::by_panels(size, left, right, width)?;
    let address = |x: &Option<Src<'_>>, count: usize| -> Result<*const T> {
        let Some(x) = x else { return Ok(std::ptr::null()) };
        let elements = x.elements::<T>()?.get(x.layout.offset()..).filter(|elements| elements.len() >= count);
        elements.map(<[T]>::as_ptr).ok_or_else(shapeless)
    };
    let (whole, row) = (size.rows * size.columns, size.columns);
    let (bias, plus) = (address(&last.bias, row)?, address(&last.plus, whole)?);
    let (gate, times) = (address(&last.gate, whole)?, address(&last.times, whole)?);
    if last.relu || [bias, plus, gate, times].iter().any(|x| !x.is_null()) {
        // SAFETY: the operands hold so many elements, and are borrowed until the product has run.
        product = unsafe { product.finished(Finish { bias, plus, relu: last.relu, gate, times, row }) };
    }
    let target = Target::new(out.elements::<T>()?, size.rows, size.columns, size.columns)?;
    memory::with(product.scratch(), |scratch| product.run((0, 0), target, scratch))
}

fn shapeless() -> Error {
    Error::bug("matmul", "panels of another factor")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::Meta;
    use crate::layout::Layout;

    fn numbers(count: usize, seed: usize) -> Vec<f64> {
        (0..count).map(|i| ((i * 7 + seed) % 31) as f64 * 0.125 - 1.75).collect()
    }

    fn src<'a>(x: &'a [f64], layout: &'a Layout) -> Src<'a> {
        Src { bytes: bytemuck::cast_slice(x), layout, dtype: DType::F64 }
    }

    /// The product element by element, and by panels, with those of bias, matrix to add, gate and factor that there are.
    fn compared((m, k, n): (usize, usize, usize), relu: bool, has: [bool; 4]) -> (Vec<f64>, Vec<f64>) {
        let (a, b) = (numbers(m * k, 3), numbers(k * n, 11));
        let sides = [numbers(n, 5), numbers(m * n, 17), numbers(m * n, 23), numbers(m * n, 29)];
        let [ab, bb, row, whole] = [[m, k], [k, n], [1, n], [m, n]].map(|shape| Layout::contiguous(shape.into()));
        let shape = panels(k, n, DType::F64).unwrap();
        let mut packed = vec![f64::NAN; shape.numel()];
        let meta = Meta::new(shape.clone(), DType::F64);
        pack(&src(&b, &bb), &mut Dst { bytes: bytemuck::cast_slice_mut(&mut packed), meta: &meta }).unwrap();
        let [bias, plus, gate, times] = &sides;
        let last = Last {
            bias: has[0].then(|| src(bias, &row)),
            plus: has[1].then(|| src(plus, &whole)),
            relu,
            gate: has[2].then(|| src(gate, &whole)),
            times: has[3].then(|| src(times, &whole)),
        };
        let mut out = vec![f64::NAN; m * n];
        let meta = Meta::new([m, n], DType::F64);
        let layout = Layout::contiguous(shape);
        let packed = Src { bytes: bytemuck::cast_slice(&packed), layout: &layout, dtype: DType::F64 };
        let mut target = Dst { bytes: bytemuck::cast_slice_mut(&mut out), meta: &meta };
        by_panels(&src(&a, &ab), &packed, &mut target, &last).unwrap();
        let wanted = |at: usize| {
            let (i, j) = (at / n, at % n);
            let mut x: f64 = (0..k).map(|l| a[i * k + l] * b[l * n + j]).sum();
            x += if has[0] { bias[j] } else { 0.0 };
            x += if has[1] { plus[at] } else { 0.0 };
            x = if relu && x <= 0.0 { 0.0 } else { x };
            x = if has[2] && gate[at] <= 0.0 { 0.0 } else { x };
            if has[3] { x * times[at] } else { x }
        };
        ((0..m * n).map(wanted).collect(), out)
    }

    #[test]
    fn tiles_finish_what_comes_after_a_product() {
        for size in [(1, 1, 1), (9, 0, 20), (7, 5, 3), (13, 300, 17), (64, 9, 40), (100, 600, 33)] {
            for bits in 0..32u8 {
                let has = [1, 2, 4, 16].map(|bit| bits & bit != 0);
                let (wanted, got) = compared(size, bits & 8 != 0, has);
                // Every number is an eighth and every product exact, so nothing is rounded.
                assert_eq!(wanted, got, "{size:?} {bits}");
            }
        }
    }

    #[test]
    fn panels_of_another_factor_are_refused() {
        let x = [0f64; 12];
        let layout = Layout::contiguous([3, 4].into());
        let b = Src { bytes: bytemuck::cast_slice(&x), layout: &layout, dtype: DType::F64 };
        let meta = Meta::new([1, 2, 4], DType::F64);
        let mut out = [0f64; 8];
        assert!(pack(&b, &mut Dst { bytes: bytemuck::cast_slice_mut(&mut out), meta: &meta }).is_err());
    }
}
