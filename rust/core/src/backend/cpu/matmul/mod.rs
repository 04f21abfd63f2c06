//! Matrix products: every pair of matrices of the batch is read in place, whatever its strides.
//!
//! `blocked.rs` walks over a product by blocks that fit the caches, `micro.rs` computes tiles of it in registers,
//! `pack.rs` copies what cannot be read in place, `panels.rs` does so once for many parts, `ahead.rs`
//! brings near what comes next, `column.rs` computes single columns, `integer.rs` multiplies modulo 2^64.

#![allow(unsafe_code, reason = "tiles are read and written by address")]

mod ahead;
mod blocked;
mod column;
mod integer;
mod matrix;
mod micro;
mod pack;
mod panels;
mod tiles;

use super::arch::Vectored;
use super::element::Compute;
use super::kernel::{Dst, Src};
use super::rows::{Rows, split};
use super::scratch as memory;
use super::turn::{Turn, turn};
use crate::error::{Error, Result};
use crate::layout::Layout;
pub(super) use blocked::Product;
use bytemuck::Pod;
pub(super) use matrix::{Matrix, Size, Target};
pub(super) use micro::{Tile, micro, tallest, widest};
pub(super) use pack::TOGETHER;
pub(super) use panels::{Last, Panels, by_panels, pack, panels};
pub(super) use tiles::{Tiles, by_shape};

/// Columns of a product that are few, beside many rows.
const FEW: usize = 16;
const MANY: usize = 64;

/// `[..., m, k] x [..., k, n]` with equal leading axes.
pub(super) fn matmul(a: &Src<'_>, b: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    match Compute::of(a.dtype) {
        Compute::F32 => each(a, b, out, float::<f32>),
        Compute::F64 => each(a, b, out, float::<f64>),
        Compute::I64 => each(a, b, out, integer::product::<i64>),
        Compute::U64 => each(a, b, out, integer::product::<u64>),
        Compute::Bool => Err(Error::bug("matmul", "no loop for bool")),
    }
}

/// `out = a x b`, row-major.
pub(super) fn float<T: Vectored>(size: Size, a: Matrix<'_, T>, b: Matrix<'_, T>, out: &mut [T]) -> Result<()> {
    by_rows(false, size, a, b, out)
}

/// `out = out + a x b`, row-major.
pub(super) fn add<T: Vectored>(size: Size, a: Matrix<'_, T>, b: Matrix<'_, T>, out: &mut [T]) -> Result<()> {
    by_rows(true, size, a, b, out)
}

fn by_rows<T: Vectored>(adds: bool, size: Size, a: Matrix<'_, T>, b: Matrix<'_, T>, out: &mut [T]) -> Result<()> {
    if size.columns == 1 && a.column_step == 1 {
        return column::column(adds, size, &a, &b, out);
    }
    if size.rows == 1 && size.columns > 1 && b.row_step == 1 {
        // The rows of the transposed right factor have no gaps.
        return column::column(adds, size.transposed(), &b.transposed(), &a.transposed(), out);
    }
    // Another single column is computed as a row, whose neighbours fill registers.
    let (size, a, b) =
        if size.columns == 1 { (size.transposed(), b.transposed(), a.transposed()) } else { (size, a, b) };
    if !adds && size.columns <= FEW && size.rows >= MANY && a.row_step == 1 && b.column_step == 1 {
        // So few columns fill no tile of registers; as rows of the transposed product they do.
        return memory::with(size.rows * size.columns, |turned| {
            by_rows(false, size.transposed(), b.transposed(), a.transposed(), turned)?;
            let (rows, columns) = (size.rows, size.columns);
            turn(Turn { from: turned, column: rows, to: out, step: columns, rows, columns });
            Ok(())
        });
    }
    let product = Product::new(size, a, b)?;
    let product = if adds { product.added() } else { product };
    let target = Target::new(out, size.rows, size.columns, size.columns)?;
    memory::with(product.scratch(), |scratch| product.run((0, 0), target, scratch))
}

fn each<T: Pod>(
    a: &Src<'_>,
    b: &Src<'_>,
    out: &mut Dst<'_>,
    product: impl Fn(Size, Matrix<'_, T>, Matrix<'_, T>, &mut [T]) -> Result<()>,
) -> Result<()> {
    let rank = out.meta.shape.len();
    let size = Size {
        rows: a.layout.shape()[rank - 2],
        columns: b.layout.shape()[rank - 1],
        depth: a.layout.shape()[rank - 1],
    };
    let (left, right) = (a.elements::<T>()?, b.elements::<T>()?);
    let [a_lead, b_lead] = [a, b].map(|side| split(side.layout, |axis| axis >= rank - 2).0);
    let matrix = |layout: &Layout, elements, first| Matrix {
        elements,
        first,
        row_step: layout.strides()[rank - 2],
        column_step: layout.strides()[rank - 1],
    };
    let results = out.elements::<T>()?;
    let batch = Rows::new([&a_lead, &b_lead]);
    for (result, [i, j]) in results.chunks_exact_mut((size.rows * size.columns).max(1)).zip(batch.positions()) {
        product(size, matrix(a.layout, left, i), matrix(b.layout, right, j), result)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{run, tensor};
    use crate::buffer::Value;
    use crate::dtype::DType;
    use crate::ir::op::Op;
    use half::bf16;

    fn naive(a: &[f64], b: &[f64], m: usize, k: usize, n: usize) -> Vec<f64> {
        let sum = |i, j| (0..k).map(|l| a[i * k + l] * b[l * n + j]).sum();
        (0..m * n).map(|at| sum(at / n, at % n)).collect()
    }

    fn turned(x: &[f64], rows: usize, columns: usize) -> Value {
        let columns_first: Vec<f64> = (0..x.len()).map(|i| x[i % rows * columns + i / rows]).collect();
        let value = tensor(&columns_first, &[columns, rows], DType::F64);
        value.with_layout(value.layout.permute(&[1, 0]))
    }

    fn mirrored(x: &[f64], rows: usize, columns: usize) -> Value {
        let backwards: Vec<f64> = x.iter().rev().copied().collect();
        let value = tensor(&backwards, &[rows, columns], DType::F64);
        value.with_layout(value.layout.slice(&[rows - 1, columns - 1], &[rows, columns], &[-1, -1]))
    }

    #[test]
    fn all_strides_give_the_same_bits() {
        let sizes = [
            (1, 1, 1),
            (1, 7, 50),
            (6, 77, 1),
            (3, 2, 4),
            (3, 1, 4),
            (9, 600, 9),
            (40, 600, 1),
            (67, 300, 9),
            (80, 5, 16),
            (17, 33, 9),
            (70, 140, 65),
        ];
        for (m, k, n) in sizes {
            let a: Vec<f64> = (0..m * k).map(|i| (i as f64 * 0.7).sin()).collect();
            let b: Vec<f64> = (0..k * n).map(|i| (i as f64 * 0.3).cos()).collect();
            let lefts = [tensor(&a, &[m, k], DType::F64), turned(&a, m, k), mirrored(&a, m, k)];
            let rights = [tensor(&b, &[k, n], DType::F64), turned(&b, k, n), mirrored(&b, k, n)];
            let first: Vec<f64> = run(&Op::MatMul, &[lefts[0].clone(), rights[0].clone()]);
            assert!(naive(&a, &b, m, k, n).iter().zip(&first).all(|(x, y)| (x - y).abs() < 1e-12));
            for left in &lefts {
                for right in &rights {
                    assert_eq!(run::<f64>(&Op::MatMul, &[left.clone(), right.clone()]), first, "{m} {k} {n}");
                }
            }
        }
    }

    #[test]
    fn repeated_elements_are_read_in_place() {
        let row = tensor(&[1f32, 2.0, 3.0], &[1, 3], DType::F32);
        let spread = row.with_layout(row.layout.expand(&[2, 3].into()));
        let one = tensor(&[2f32], &[1, 1], DType::F32);
        let all = one.with_layout(one.layout.expand(&[3, 4].into()));
        assert_eq!(run::<f32>(&Op::MatMul, &[spread, all]), [12.0; 8]);
    }

    #[test]
    fn a_batch_may_repeat_a_factor() {
        let a = tensor(&[1i32, 2, 3, 4], &[2, 1, 2], DType::I32);
        let b = tensor(&[1i32, 10], &[1, 2, 1], DType::I32);
        let b = b.with_layout(b.layout.expand(&[2, 2, 1].into()));
        assert_eq!(run::<i32>(&Op::MatMul, &[a, b]), [21, 43]);
    }

    #[test]
    fn integers_wrap() {
        let a = tensor(&[100u8, 100], &[1, 2], DType::U8);
        let b = tensor(&[2u8, 1], &[2, 1], DType::U8);
        assert_eq!(run::<u8>(&Op::MatMul, &[a, b]), [44]);
    }

    #[test]
    fn an_empty_depth_sums_to_zero() {
        let a = tensor::<f32>(&[], &[2, 0], DType::F32);
        let b = tensor::<f32>(&[], &[0, 3], DType::F32);
        assert_eq!(run::<f32>(&Op::MatMul, &[a, b]), [0.0; 6]);
    }

    #[test]
    fn narrow_floats_sum_in_f32() {
        let a = tensor(&[bf16::ONE; 300], &[1, 300], DType::BF16);
        let b = tensor(&[bf16::ONE; 300], &[300, 1], DType::BF16);
        assert_eq!(run::<bf16>(&Op::MatMul, &[a, b]), [bf16::from_f32(300.0)]);
    }

    #[test]
    fn nan_is_kept_beside_zero() {
        let a = tensor(&[0f64, 1.0], &[1, 2], DType::F64);
        let b = tensor(&[f64::NAN, 1.0], &[2, 1], DType::F64);
        assert!(run::<f64>(&Op::MatMul, &[a, b])[0].is_nan());
    }
}
