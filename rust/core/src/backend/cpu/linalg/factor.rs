//! Triangular factors: Cholesky, and elimination with row pivots for systems and determinants.

use super::matrix::{Matrix, add_scaled, dot};
use crate::error::{Error, Result};

/// `L` with `L L^T = A`, row by row (Golub and Van Loan, Matrix Computations, 4th edition, section 4.2.5).
pub(super) fn cholesky(mut a: Matrix) -> Result<Matrix> {
    let n = a.rows;
    for i in 0..n {
        for j in 0..i {
            let (above, row) = a.two_rows(j, i);
            row[j] = (row[j] - dot(&above[..j], &row[..j])) / above[j];
        }
        let row = a.row_mut(i);
        let square = row[i] - dot(&row[..i], &row[..i]);
        if square.is_nan() || square <= 0.0 {
            return Err(Error::value(
                "cholesky",
                "positive definite matrices; add a small multiple of eye(n)",
                format!("one whose leading part of size {} is not", i + 1),
            ));
        }
        row[i] = square.sqrt();
        row[i + 1..].fill(0.0);
    }
    Ok(a)
}

/// `X` with `A X = B`.
pub(super) fn solve(mut a: Matrix, mut b: Matrix) -> Result<Matrix> {
    let n = a.rows;
    eliminate(&mut a, Some(&mut b));
    if (0..n).any(|i| a[(i, i)] == 0.0) {
        return Err(Error::value(
            "solve",
            "matrices that have an inverse; use linalg.pinv for others",
            "a singular one",
        ));
    }
    for i in (0..n).rev() {
        for j in i + 1..n {
            let factor = -a[(i, j)];
            let (row, below) = b.two_rows(i, j);
            add_scaled(row, factor, below);
        }
        let pivot = a[(i, i)];
        b.row_mut(i).iter_mut().for_each(|x| *x /= pivot);
    }
    Ok(b)
}

pub(super) fn det(mut a: Matrix) -> f64 {
    let sign = eliminate(&mut a, None);
    (0..a.rows).fold(sign, |product, i| product * a[(i, i)])
}

/// Sign and logarithm of the size.
pub(super) fn slogdet(mut a: Matrix) -> (f64, f64) {
    let sign = eliminate(&mut a, None);
    (0..a.rows).map(|i| a[(i, i)]).fold((sign, 0.0), |(sign, log), pivot| {
        let step = if pivot == 0.0 { 0.0 } else { 1f64.copysign(pivot) };
        (if pivot.is_nan() { f64::NAN } else { sign * step }, log + pivot.abs().ln())
    })
}

/// Gaussian elimination with the largest pivot of each column; what is done to `a` is done to `b`. Gives the sign of the swaps.
///
/// Below the diagonal the multipliers are left standing.
fn eliminate(a: &mut Matrix, mut b: Option<&mut Matrix>) -> f64 {
    let n = a.rows;
    let mut sign = 1.0;
    for k in 0..n {
        let best = (k + 1..n).fold(k, |best, i| if a[(i, k)].abs() > a[(best, k)].abs() { i } else { best });
        if best != k {
            a.swap_rows(k, best);
            if let Some(b) = &mut b {
                b.swap_rows(k, best);
            }
            sign = -sign;
        }
        let pivot = a[(k, k)];
        if pivot == 0.0 {
            continue;
        }
        for i in k + 1..n {
            let (pivot_row, row) = a.two_rows(k, i);
            let factor = row[k] / pivot;
            add_scaled(&mut row[k + 1..], -factor, &pivot_row[k + 1..]);
            row[k] = factor;
            if let Some(b) = &mut b {
                let (pivot_row, row) = b.two_rows(k, i);
                add_scaled(row, -factor, pivot_row);
            }
        }
    }
    sign
}
