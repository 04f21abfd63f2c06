//! A dense row-major matrix in f64.

use std::ops::{Index, IndexMut};

/// A dense row-major matrix.
#[derive(Clone, Debug)]
pub(super) struct Matrix {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) data: Vec<f64>,
}

impl Matrix {
    pub(super) fn build(rows: usize, columns: usize, mut element: impl FnMut(usize, usize) -> f64) -> Self {
        let mut data = Vec::with_capacity(rows * columns);
        for i in 0..rows {
            data.extend((0..columns).map(|j| element(i, j)));
        }
        Self { rows, columns, data }
    }

    pub(super) fn identity(rows: usize, columns: usize) -> Self {
        Self::build(rows, columns, |i, j| f64::from(u8::from(i == j)))
    }

    pub(super) fn transposed(&self) -> Self {
        Self::build(self.columns, self.rows, |i, j| self[(j, i)])
    }

    pub(super) fn row(&self, i: usize) -> &[f64] {
        &self.data[i * self.columns..(i + 1) * self.columns]
    }

    pub(super) fn row_mut(&mut self, i: usize) -> &mut [f64] {
        &mut self.data[i * self.columns..(i + 1) * self.columns]
    }

    /// Two different rows, `i < j`.
    pub(super) fn two_rows(&mut self, i: usize, j: usize) -> (&mut [f64], &mut [f64]) {
        let (head, tail) = self.data.split_at_mut(j * self.columns);
        (&mut head[i * self.columns..(i + 1) * self.columns], &mut tail[..self.columns])
    }

    pub(super) fn swap_rows(&mut self, i: usize, j: usize) {
        if i != j {
            let (a, b) = self.two_rows(i.min(j), i.max(j));
            a.swap_with_slice(b);
        }
    }

    /// Replace rows `i < j` by `c i + s j` and `c j - s i`.
    pub(super) fn rotate_rows(&mut self, i: usize, j: usize, c: f64, s: f64) {
        let (a, b) = self.two_rows(i, j);
        for (x, y) in a.iter_mut().zip(b) {
            (*x, *y) = (c * *x + s * *y, c * *y - s * *x);
        }
    }

    /// The largest size of an element; NaN where one is not finite.
    pub(super) fn scale(&self) -> f64 {
        let largest = self.data.iter().fold(0.0, |m: f64, x| if x.abs() > m || x.is_nan() { x.abs() } else { m });
        if self.data.iter().all(|x| x.is_finite()) { largest } else { f64::NAN }
    }
}

impl Index<(usize, usize)> for Matrix {
    type Output = f64;
    fn index(&self, (i, j): (usize, usize)) -> &f64 {
        &self.data[i * self.columns + j]
    }
}

impl IndexMut<(usize, usize)> for Matrix {
    fn index_mut(&mut self, (i, j): (usize, usize)) -> &mut f64 {
        &mut self.data[i * self.columns + j]
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `to += factor * from`.
pub(super) fn add_scaled(to: &mut [f64], factor: f64, from: &[f64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += factor * from;
    }
}

/// Euclidean length, without overflow.
pub(super) fn norm(x: &[f64]) -> f64 {
    let largest = x.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return if x.iter().any(|x| x.is_nan()) { f64::NAN } else { largest };
    }
    largest * x.iter().map(|x| (x / largest).powi(2)).sum::<f64>().sqrt()
}

/// Whether the largest element, the first of about equal ones, is negative: the sign rule of singular and eigenvectors.
pub(super) fn points_down(x: &[f64]) -> bool {
    let largest = x.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    x.iter().find(|x| x.abs() >= largest * (1.0 - 1e-6)).is_some_and(|x| *x < 0.0)
}
