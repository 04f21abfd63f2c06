//! Singular values by one-sided Jacobi rotations, which find small ones to many digits.
//!
//! Source: Golub and Van Loan, Matrix Computations, 4th edition, section 8.6.3; a tall matrix is first reduced to its
//! triangular factor.

use super::matrix::{Matrix, add_scaled, dot, norm, points_down};
use super::qr::qr;

/// Dot products of unit columns below this count as zero.
const ORTHOGONAL: f64 = 1e-15;
const SWEEPS: usize = 60;

/// `(U, s, V^T)`, as wide as the smaller side.
pub(super) fn svd(a: Matrix) -> (Matrix, Vec<f64>, Matrix) {
    let (rows, columns) = (a.rows, a.columns);
    let small = rows.min(columns);
    let scale = a.scale();
    if scale.is_nan() {
        let odd = |rows, columns| Matrix::build(rows, columns, |_, _| f64::NAN);
        return (odd(rows, small), vec![f64::NAN; small], odd(small, columns));
    }
    let unit = if scale > 0.0 { scale } else { 1.0 };
    let tall = if rows < columns { a.transposed() } else { a };
    let scaled = Matrix::build(tall.rows, tall.columns, |i, j| tall[(i, j)] / unit);
    let (long, s, short) = tall_svd(&scaled);
    let s = s.into_iter().map(|s| s * unit).collect();
    // Rows of `long` and `short` are the vectors; `long` belongs to the longer side.
    let (mut u, mut v) = if rows < columns { (short, long) } else { (long, short) };
    for k in 0..small {
        if points_down(u.row(k)) {
            u.row_mut(k).iter_mut().for_each(|x| *x = -*x);
            v.row_mut(k).iter_mut().for_each(|x| *x = -*x);
        }
    }
    (u.transposed(), s, v)
}

/// Singular vectors as rows, of a matrix with at least as many rows as columns.
fn tall_svd(a: &Matrix) -> (Matrix, Vec<f64>, Matrix) {
    let n = a.columns;
    let (q, r) = qr(a, false);
    // Columns of R, then of R V, lie as rows; V's too.
    let (mut columns, mut v) = (r.transposed(), Matrix::identity(n, n));
    for _ in 0..SWEEPS {
        if !sweep(&mut columns, &mut v) {
            break;
        }
    }
    let lengths: Vec<f64> = (0..n).map(|k| norm(columns.row(k))).collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| lengths[j].total_cmp(&lengths[i]));
    let mut unit = Matrix::build(n, n, |k, i| {
        let length = lengths[order[k]];
        if length > 0.0 { columns[(order[k], i)] / length } else { 0.0 }
    });
    complete(&mut unit);
    let u = Matrix::build(n, q.rows, |k, i| dot(q.row(i), unit.row(k)));
    (u, order.iter().map(|&k| lengths[k]).collect(), Matrix::build(n, n, |k, i| v[(order[k], i)]))
}

/// Rotate every pair of columns to be orthogonal; says whether any was not.
fn sweep(columns: &mut Matrix, v: &mut Matrix) -> bool {
    let mut moved = false;
    for i in 0..columns.rows {
        for j in i + 1..columns.rows {
            let (a, b) = (dot(columns.row(i), columns.row(i)), dot(columns.row(j), columns.row(j)));
            let ab = dot(columns.row(i), columns.row(j));
            if ab == 0.0 || ab.abs() <= ORTHOGONAL * (a * b).sqrt() {
                continue;
            }
            moved = true;
            let cotangent = (b - a) / (2.0 * ab);
            let tangent = 1f64.copysign(cotangent) / (cotangent.abs() + cotangent.hypot(1.0));
            let c = 1.0 / tangent.hypot(1.0);
            columns.rotate_rows(i, j, c, -c * tangent);
            v.rotate_rows(i, j, c, -c * tangent);
        }
    }
    moved
}

/// Fill rows of zeros with unit vectors that are orthogonal to all others.
fn complete(unit: &mut Matrix) {
    let n = unit.rows;
    for k in (0..n).filter(|&k| unit.row(k).iter().all(|&x| x == 0.0)).collect::<Vec<_>>() {
        let rest = |axis: usize, unit: &Matrix| {
            let mut x = vec![0.0; n];
            x[axis] = 1.0;
            for other in (0..n).chain(0..n) {
                let along = dot(unit.row(other), &x);
                add_scaled(&mut x, -along, unit.row(other));
            }
            x
        };
        let candidates = (0..n).map(|axis| rest(axis, unit));
        let Some(best) = candidates.max_by(|a, b| norm(a).total_cmp(&norm(b))) else { return };
        let length = norm(&best);
        unit.row_mut(k).iter_mut().zip(best).for_each(|(to, x)| *to = x / length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_rebuild_the_matrix() {
        for (rows, columns) in [(30, 12), (12, 30), (20, 20)] {
            let a = Matrix::build(rows, columns, |i, j| ((i * 17 + j * 29 + i * j) % 23) as f64 - 11.0);
            let (u, s, vt) = svd(a.clone());
            assert!(s.is_sorted_by(|a, b| a >= b));
            for i in 0..rows {
                for j in 0..columns {
                    let back: f64 = (0..s.len()).map(|k| u[(i, k)] * s[k] * vt[(k, j)]).sum();
                    assert!((back - a[(i, j)]).abs() < 1e-11, "element {i}, {j}: {back} for {}", a[(i, j)]);
                }
            }
        }
    }

    #[test]
    fn small_singular_values_keep_their_digits() {
        let (_, s, _) = svd(Matrix::build(2, 2, |i, j| [[1.0, 1e-20], [1e-20, 1e-18]][i][j]));
        assert!((s[1] / 1e-18 - 1.0).abs() < 1e-14);
    }
}
