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
    let (bias, plus, gate) = (address(&last.bias, row)?, address(&last.plus, whole)?, address(&last.gate, whole)?);
    if last.relu || last.bias.is_some() || last.plus.is_some() || last.gate.is_some() {
        // SAFETY: the operands hold so many elements, and are borrowed until the product has run.
        product = unsafe { product.finished(Finish { bias, plus, relu: last.relu, gate, row }) };
    }
    let target = Target::new(out.elements::<T>()?, size.rows, size.columns, size.columns)?;
    memory::with(product.scratch(), |scratch| product.run((0, 0), target, false, scratch, |_, _| ()))
}

fn shapeless() -> Error {
    Error::bug("matmul", "panels of another factor")
}
