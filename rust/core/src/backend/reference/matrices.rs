//! Decompositions by the most obvious algorithms, in f64: elimination with every pivot, reflections as whole matrices, Jacobi.

use super::dense::{Dense, Num};
use crate::buffer::Meta;
use crate::error::{Error, Result};
use crate::ir::op::LinalgOp;

type Matrix = Vec<Vec<f64>>;

pub(super) fn linalg(op: LinalgOp, inputs: &[&Dense], metas: &[Meta]) -> Result<Vec<Dense>> {
    let rank = inputs[0].meta.shape.len();
    let count: usize = inputs[0].meta.shape[..rank - 2].iter().product();
    let mut results: Vec<Vec<Num>> = vec![Vec::new(); metas.len()];
    for batch in 0..count {
        let matrices: Vec<Matrix> = inputs.iter().map(|x| matrix(x, batch)).collect();
        for ((result, meta), part) in results.iter_mut().zip(metas).zip(decompose(op, &matrices)?) {
            result.extend(part.into_iter().flatten().map(|x| Num::F(x).fit(meta.dtype)));
        }
    }
    Ok(results.into_iter().zip(metas).map(|(data, meta)| Dense { meta: meta.clone(), data }).collect())
}

fn matrix(x: &Dense, batch: usize) -> Matrix {
    let rank = x.meta.shape.len();
    let (rows, columns) = (x.meta.shape[rank - 2], x.meta.shape[rank - 1]);
    let at = |i: usize, j: usize| x.data[batch * rows * columns + i * columns + j].float();
    (0..rows).map(|i| (0..columns).map(|j| at(i, j)).collect()).collect()
}

fn decompose(op: LinalgOp, inputs: &[Matrix]) -> Result<Vec<Matrix>> {
    let a = &inputs[0];
    Ok(match op {
        LinalgOp::Cholesky => vec![cholesky(a)?],
        LinalgOp::Solve => {
            let (x, sign, _) = eliminate(a, &inputs[1]);
            if sign == 0.0 {
                return Err(Error::value("solve", "matrices that have an inverse", "a singular one"));
            }
            vec![x]
        }
        LinalgOp::Det => {
            let (_, sign, pivots) = eliminate(a, &vec![vec![]; a.len()]);
            vec![vec![vec![pivots.iter().fold(sign, |product, pivot| product * pivot)]]]
        }
        LinalgOp::Slogdet => {
            let (_, sign, pivots) = eliminate(a, &vec![vec![]; a.len()]);
            let signs = pivots.iter().fold(sign, |product, pivot| product * pivot.signum());
            vec![vec![vec![signs]], vec![vec![pivots.iter().map(|pivot| pivot.abs().ln()).sum()]]]
        }
        LinalgOp::Qr { full } => qr(a, full),
        LinalgOp::Svd => svd(a),
        LinalgOp::Eigh => {
            let (values, vectors) = jacobi(a);
            let rows: Vec<Vec<f64>> = vectors.into_iter().map(turned_up).collect();
            vec![vec![values], transposed(&rows, a.len())]
        }
    })
}

fn cholesky(a: &Matrix) -> Result<Matrix> {
    let n = a.len();
    let mut l = vec![vec![0.0; n]; n];
    for j in 0..n {
        for i in j..n {
            let rest = a[i][j] - (0..j).map(|k| l[i][k] * l[j][k]).sum::<f64>();
            if i == j && (rest.is_nan() || rest <= 0.0) {
                return Err(Error::value("cholesky", "positive definite matrices", "another one"));
            }
            l[i][j] = if i == j { rest.sqrt() } else { rest / l[j][j] };
        }
    }
    Ok(l)
}

/// Gauss and Jordan with the largest of all remaining elements as pivot: `A^-1 B`, the sign of the swaps (0 where a pivot
/// is), and the pivots.
fn eliminate(a: &Matrix, b: &Matrix) -> (Matrix, f64, Vec<f64>) {
    let n = a.len();
    let (mut a, mut b) = (a.clone(), b.clone());
    let mut order: Vec<usize> = (0..n).collect();
    let (mut sign, mut pivots) = (1.0, vec![]);
    for k in 0..n {
        let places = (k..n).flat_map(|i| (k..n).map(move |j| (i, j)));
        let (row, column) =
            places.fold((k, k), |best, at| if a[at.0][at.1].abs() > a[best.0][best.1].abs() { at } else { best });
        a.swap(k, row);
        b.swap(k, row);
        for line in &mut a {
            line.swap(k, column);
        }
        order.swap(k, column);
        sign *= if (row == k) == (column == k) { 1.0 } else { -1.0 };
        let pivot = a[k][k];
        pivots.push(pivot);
        if pivot == 0.0 {
            return (b, 0.0, vec![0.0; n]);
        }
        for i in (0..n).filter(|&i| i != k) {
            let factor = a[i][k] / pivot;
            for side in [&mut a, &mut b] {
                let pivot_row = side[k].clone();
                side[i].iter_mut().zip(pivot_row).for_each(|(x, p)| *x -= factor * p);
            }
        }
    }
    let mut x = b.clone();
    for k in 0..n {
        x[order[k]] = b[k].iter().map(|y| y / pivots[k]).collect();
    }
    (x, sign, pivots)
}

/// `Q = H_1 H_2 ...` and `R = Q^T A`, with each reflection a whole matrix; then no diagonal element of `R` is negative.
fn qr(a: &Matrix, full: bool) -> Vec<Matrix> {
    let rows = a.len();
    let columns = a.first().map_or(0, Vec::len);
    let small = rows.min(columns);
    let mut q = identity(rows);
    let mut r = a.clone();
    for k in 0..small {
        let mut v: Vec<f64> = (0..rows).map(|i| if i < k { 0.0 } else { r[i][k] }).collect();
        let length = dot(&v, &v).sqrt();
        if length == 0.0 {
            continue;
        }
        v[k] += length.copysign(v[k]);
        let square = dot(&v, &v);
        let h: Matrix = (0..rows)
            .map(|i| (0..rows).map(|j| f64::from(u8::from(i == j)) - 2.0 * v[i] * v[j] / square).collect())
            .collect();
        r = product(&h, &r);
        q = product(&q, &h);
    }
    for k in 0..small {
        let sign = if r[k][k] < 0.0 { -1.0 } else { 1.0 };
        r[k].iter_mut().for_each(|x| *x *= sign);
        for row in &mut q {
            row[k] *= sign;
        }
    }
    let width = if full { rows } else { small };
    for (i, row) in r.iter_mut().enumerate() {
        row.iter_mut().take(i).for_each(|x| *x = 0.0);
    }
    vec![q.iter().map(|row| row[..width].to_vec()).collect(), r[..width].to_vec()]
}

/// From the eigenvectors `[u; v]` of `[[0, A], [A^T, 0]]`, whose eigenvalues are the singular values with both signs.
fn svd(a: &Matrix) -> Vec<Matrix> {
    let rows = a.len();
    let columns = a.first().map_or(0, Vec::len);
    let small = rows.min(columns);
    let both = |i: usize, j: usize| match (i < rows, j < rows) {
        (true, false) => a[i][j - rows],
        (false, true) => a[j][i - rows],
        _ => 0.0,
    };
    let symmetric: Matrix = (0..rows + columns).map(|i| (0..rows + columns).map(|j| both(i, j)).collect()).collect();
    let (values, vectors) = jacobi(&symmetric);
    let (mut u, mut s, mut v): (Matrix, Vec<f64>, Matrix) = (vec![], vec![], vec![]);
    for (value, vector) in values.iter().zip(&vectors).rev().take(small) {
        let (left, right) = vector.split_at(rows);
        let sign = if turned_up(left.to_vec()) == left { 1.0 } else { -1.0 };
        u.push(orthonormal(left, &u, sign));
        v.push(orthonormal(right, &v, sign));
        s.push(value.abs());
    }
    vec![transposed(&u, rows), vec![s], v]
}

/// The vector at right angles to the others, of length one; where nothing is left of it, that of an axis.
fn orthonormal(x: &[f64], others: &[Vec<f64>], sign: f64) -> Vec<f64> {
    let axes = (0..x.len()).map(|axis| (0..x.len()).map(|i| f64::from(u8::from(i == axis))).collect::<Vec<f64>>());
    let mut found = x.iter().map(|x| sign * x).collect::<Vec<f64>>();
    for candidate in std::iter::once(found.clone()).chain(axes) {
        found = candidate;
        for other in others.iter().chain(others) {
            let along = dot(&found, other);
            found.iter_mut().zip(other).for_each(|(x, o)| *x -= along * o);
        }
        let length = dot(&found, &found).sqrt();
        if length > 0.1 / (x.len() as f64).sqrt() {
            return found.iter().map(|x| x / length).collect();
        }
    }
    found
}

/// Rising eigenvalues, and eigenvectors, of the lower triangle: rotations that zero one pair after another.
fn jacobi(a: &Matrix) -> (Vec<f64>, Matrix) {
    let n = a.len();
    let mut a: Matrix = (0..n).map(|i| (0..n).map(|j| a[i.max(j)][i.min(j)]).collect()).collect();
    let mut vectors = identity(n);
    for _ in 0..100 {
        for (p, q) in (0..n).flat_map(|p| (p + 1..n).map(move |q| (p, q))) {
            if a[p][q] == 0.0 {
                continue;
            }
            let angle = 0.5 * (2.0 * a[p][q]).atan2(a[q][q] - a[p][p]);
            let (s, c) = angle.sin_cos();
            for row in &mut a {
                (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
            }
            for matrix in [&mut a, &mut vectors] {
                let (x, y) = (matrix[p].clone(), matrix[q].clone());
                matrix[p] = x.iter().zip(&y).map(|(x, y)| c * x - s * y).collect();
                matrix[q] = x.iter().zip(&y).map(|(x, y)| s * x + c * y).collect();
            }
            (a[p][q], a[q][p]) = (0.0, 0.0);
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[i][i].total_cmp(&a[j][j]));
    (order.iter().map(|&i| a[i][i]).collect(), order.iter().map(|&i| vectors[i].clone()).collect())
}

/// The vector or its negative, whichever has a positive largest element, the first of about equal ones.
fn turned_up(x: Vec<f64>) -> Vec<f64> {
    let largest = x.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    match x.iter().find(|x| x.abs() >= largest * (1.0 - 1e-6)) {
        Some(first) if *first < 0.0 => x.iter().map(|x| -x).collect(),
        _ => x,
    }
}

fn identity(n: usize) -> Matrix {
    (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let columns = b.first().map_or(0, Vec::len);
    let element = |row: &[f64], j: usize| row.iter().zip(b).map(|(x, line)| x * line[j]).sum();
    a.iter().map(|row| (0..columns).map(|j| element(row, j)).collect()).collect()
}

/// Columns of the given length become rows and the reverse.
fn transposed(rows: &[Vec<f64>], length: usize) -> Matrix {
    (0..length).map(|j| rows.iter().map(|row| row[j]).collect()).collect()
}
