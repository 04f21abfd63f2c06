//! Products of a vector and a matrix: `out[j] = sum over k of x[k] m[k, j]`.
//!
//! Term k goes to lane k mod 8 of its sum, whether the loop runs down columns or across rows of m, so the result does
//! not depend on the strides.

use super::Matrix;
use super::float::Real;
use crate::backend::cpu::rows::along;

const LANES: usize = 8;

/// Columns that are summed together when the loop runs across rows.
const WIDTH: usize = 16;

/// Elements of a vector inside a slice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a, T> {
    pub(super) elements: &'a [T],
    pub(super) first: usize,
    pub(super) step: isize,
}

/// `out = x m`, with as many columns as `out` has elements.
pub(super) fn product<T: Real>(depth: usize, x: Line<'_, T>, m: Matrix<'_, T>, out: &mut [T]) {
    if depth == 0 {
        out.fill(T::ZERO);
        return;
    }
    let x: Vec<T> = (0..depth).map(|k| x.elements[along(x.first, x.step, k)]).collect();
    if m.row_step == 1 {
        for (j, sum) in out.iter_mut().enumerate() {
            let column = &m.elements[along(m.first, m.column_step, j)..][..depth];
            *sum = down(&x, column);
        }
    } else {
        for (block, sums) in out.chunks_mut(WIDTH).enumerate() {
            across(&x, m, block * WIDTH, sums);
        }
    }
}

/// One sum, down a column.
fn down<T: Real>(x: &[T], column: &[T]) -> T {
    let mut lanes = [T::ZERO; LANES];
    for (x, column) in x.chunks(LANES).zip(column.chunks(LANES)) {
        for (lane, (&x, &m)) in lanes.iter_mut().zip(x.iter().zip(column)) {
            *lane = *lane + x * m;
        }
    }
    total(lanes)
}

/// Neighbouring sums, row after row.
fn across<T: Real>(x: &[T], m: Matrix<'_, T>, column: usize, sums: &mut [T]) {
    let mut lanes = [[T::ZERO; WIDTH]; LANES];
    for (k, &x) in x.iter().enumerate() {
        let first = along(along(m.first, m.row_step, k), m.column_step, column);
        let lane = &mut lanes[k % LANES][..sums.len()];
        if m.column_step == 1 {
            let row = &m.elements[first..first + sums.len()];
            lane.iter_mut().zip(row).for_each(|(sum, &m)| *sum = *sum + x * m);
        } else {
            for (j, sum) in lane.iter_mut().enumerate() {
                *sum = *sum + x * m.elements[along(first, m.column_step, j)];
            }
        }
    }
    for (j, sum) in sums.iter_mut().enumerate() {
        *sum = total(lanes.map(|lane| lane[j]));
    }
}

fn total<T: Real>([a, b, c, d, e, f, g, h]: [T; LANES]) -> T {
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}
