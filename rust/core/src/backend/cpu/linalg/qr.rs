//! Orthogonal factor by Householder reflections.

use super::matrix::{Matrix, add_scaled, dot, norm};

/// `(Q, R)`; `Q` has `rows` columns where `full`, and as many as the smaller side otherwise.
///
/// Source: Golub and Van Loan, Matrix Computations, 4th edition, algorithm 5.2.1. Signs: no diagonal element of `R` is
/// negative, which makes the result unique where the columns are independent.
pub(super) fn qr(a: &Matrix, full: bool) -> (Matrix, Matrix) {
    let (rows, columns) = (a.rows, a.columns);
    let small = rows.min(columns);
    // Columns lie as rows here, so that reflections walk along memory.
    let mut turned = a.transposed();
    let mut reflectors: Vec<Vec<f64>> = Vec::with_capacity(small);
    for k in 0..small {
        let v = reflector(&turned.row(k)[k..]);
        for j in k..columns {
            reflect(&v, &mut turned.row_mut(j)[k..]);
        }
        reflectors.push(v);
    }
    let width = if full { rows } else { small };
    let mut q = Matrix::identity(width, rows);
    for (k, v) in reflectors.iter().enumerate().rev() {
        for j in 0..width {
            reflect(v, &mut q.row_mut(j)[k..]);
        }
    }
    let mut r = Matrix::build(width, columns, |i, j| if i <= j { turned[(j, i)] } else { 0.0 });
    for k in 0..small {
        if r[(k, k)] < 0.0 {
            r.row_mut(k)[k..].iter_mut().for_each(|x| *x = -*x);
            q.row_mut(k).iter_mut().for_each(|x| *x = -*x);
        }
    }
    (q.transposed(), r)
}

/// `v` of length √2 whose reflection `x - v (v . x)` sends `x` to a multiple of the first axis; zero where `x` is.
pub(super) fn reflector(x: &[f64]) -> Vec<f64> {
    let size = norm(x);
    if size == 0.0 {
        return vec![0.0; x.len()];
    }
    let mut v: Vec<f64> = x.iter().map(|x| x / size).collect();
    v[0] += 1f64.copysign(v[0]);
    let length = norm(&v) / std::f64::consts::SQRT_2;
    for x in &mut v {
        *x /= length;
    }
    v
}

/// `x - v (v . x)`.
pub(super) fn reflect(v: &[f64], x: &mut [f64]) {
    let along = dot(v, x);
    add_scaled(x, -along, v);
}
