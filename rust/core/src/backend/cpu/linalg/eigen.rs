//! Eigenvalues of symmetric matrices: reduction to three diagonals, then implicitly shifted QR steps.
//!
//! Source: Golub and Van Loan, Matrix Computations, 4th edition, algorithms 8.3.1 to 8.3.3.

use super::matrix::{Matrix, add_scaled, dot, points_down};
use super::qr::{reflect, reflector};

/// Rising eigenvalues, and eigenvectors in columns, of the matrix whose lower triangle is that of `a`.
pub(super) fn eigh(mut a: Matrix) -> (Vec<f64>, Matrix) {
    let n = a.rows;
    for i in 0..n {
        for j in i + 1..n {
            a[(i, j)] = a[(j, i)];
        }
    }
    let scale = a.scale();
    if scale.is_nan() {
        return (vec![f64::NAN; n], Matrix::build(n, n, |_, _| f64::NAN));
    }
    let unit = if scale > 0.0 { scale } else { 1.0 };
    a.data.iter_mut().for_each(|x| *x /= unit);
    let (mut d, mut e, mut q) = tridiagonal(a);
    diagonalise(&mut d, &mut e, &mut q);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| d[i].total_cmp(&d[j]));
    for i in 0..n {
        if points_down(q.row(i)) {
            q.row_mut(i).iter_mut().for_each(|x| *x = -*x);
        }
    }
    (order.iter().map(|&i| d[i] * unit).collect(), Matrix::build(n, n, |i, j| q[(order[j], i)]))
}

/// Diagonal and side diagonal of `Q A Q^T`, and `Q`, whose rows will become eigenvectors.
fn tridiagonal(mut a: Matrix) -> (Vec<f64>, Vec<f64>, Matrix) {
    let n = a.rows;
    let mut reflectors = Vec::with_capacity(n);
    for k in 0..n.saturating_sub(2) {
        // The matrix stays symmetric, so its row k holds the column.
        let v = reflector(&a.row(k)[k + 1..]);
        let mut w: Vec<f64> = (k + 1..n).map(|i| dot(&a.row(i)[k + 1..], &v)).collect();
        let half = dot(&v, &w) / 2.0;
        add_scaled(&mut w, -half, &v);
        for i in k + 1..n {
            let (from_v, from_w) = (v[i - k - 1], w[i - k - 1]);
            let row = &mut a.row_mut(i)[k + 1..];
            add_scaled(row, -from_v, &w);
            add_scaled(row, -from_w, &v);
        }
        let mut column = a.row(k)[k + 1..].to_vec();
        reflect(&v, &mut column);
        a[(k, k + 1)] = column[0];
        reflectors.push(v);
    }
    let mut q = Matrix::identity(n, n);
    for (k, v) in reflectors.iter().enumerate().rev() {
        for i in k + 1..n {
            reflect(v, &mut q.row_mut(i)[k + 1..]);
        }
    }
    let side = (1..n).map(|i| a[(i - 1, i)]).collect();
    ((0..n).map(|i| a[(i, i)]).collect(), side, q)
}

/// Drive the side diagonal to zero; `d` becomes the eigenvalues, and rows of `q` turn along.
fn diagonalise(d: &mut [f64], e: &mut [f64], q: &mut Matrix) {
    let mut last = e.len();
    let mut turns = 60 * d.len();
    while last > 0 && turns > 0 {
        for k in 0..last {
            if e[k].abs() <= f64::EPSILON * (d[k].abs() + d[k + 1].abs()) || e[k].abs() < f64::MIN_POSITIVE {
                e[k] = 0.0;
            }
        }
        if e[last - 1] == 0.0 {
            last -= 1;
            continue;
        }
        let first = (0..last).rev().find(|&k| e[k] == 0.0).map_or(0, |k| k + 1);
        step(d, e, q, first, last);
        turns -= 1;
    }
}

/// One QR step with Wilkinson's shift on rows `first..=last`.
fn step(d: &mut [f64], e: &mut [f64], q: &mut Matrix, first: usize, last: usize) {
    let side = e[last - 1];
    let half = (d[last - 1] - d[last]) / 2.0;
    let shift = d[last] - side * side / (half + half.hypot(side).copysign(half));
    let (mut x, mut z) = (d[first] - shift, e[first]);
    for k in first..last {
        let length = x.hypot(z);
        let (c, s) = if length == 0.0 { (1.0, 0.0) } else { (x / length, z / length) };
        if k > first {
            e[k - 1] = length;
        }
        let (a, b, side) = (d[k], d[k + 1], e[k]);
        d[k] = c * c * a + 2.0 * c * s * side + s * s * b;
        d[k + 1] = s * s * a - 2.0 * c * s * side + c * c * b;
        e[k] = c * s * (b - a) + (c * c - s * s) * side;
        q.rotate_rows(k, k + 1, c, s);
        if k + 1 < last {
            x = e[k];
            z = s * e[k + 1];
            e[k + 1] *= c;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_rebuild_the_matrix() {
        let n = 40;
        let a = Matrix::build(n, n, |i, j| ((i.min(j) * 7 + i.max(j) * 13) % 11) as f64 - 5.0);
        let (w, v) = eigh(a.clone());
        assert!(w.is_sorted());
        for i in 0..n {
            for j in 0..n {
                let back: f64 = (0..n).map(|k| v[(i, k)] * w[k] * v[(j, k)]).sum();
                let unit: f64 = (0..n).map(|k| v[(k, i)] * v[(k, j)]).sum();
                assert!((back - a[(i, j)]).abs() < 1e-11, "element {i}, {j}: {back}");
                assert!((unit - f64::from(u8::from(i == j))).abs() < 1e-13);
            }
        }
    }
}
