//! Matrices inside slices: factors to read by strides, results to write by rows.

use crate::error::{Error, Result};
use std::marker::PhantomData;

/// Rows and columns of a product, and the length of its sums.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::backend::cpu) struct Size {
    /// Rows of the result.
    pub(in crate::backend::cpu) rows: usize,
    /// Columns of the result.
    pub(in crate::backend::cpu) columns: usize,
    /// Terms of each sum.
    pub(in crate::backend::cpu) depth: usize,
}

/// Terms of a block of the depth.
const DEPTH: usize = 256;

impl Size {
    /// Terms that a sum adds before they are added to those before: the depth in equal blocks.
    pub(super) fn terms(self) -> usize {
        self.depth.div_ceil(self.depth.div_ceil(DEPTH).max(1)).max(1)
    }

    /// The size of the transposed product.
    pub(super) fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, depth: self.depth }
    }
}

/// A matrix inside a slice, with any steps.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend::cpu) struct Matrix<'a, T> {
    /// Where the elements are.
    pub(in crate::backend::cpu) elements: &'a [T],
    /// Index of the first one.
    pub(in crate::backend::cpu) first: usize,
    /// Distance of neighbours in a column.
    pub(in crate::backend::cpu) row_step: isize,
    /// Distance of neighbours in a row.
    pub(in crate::backend::cpu) column_step: isize,
}

impl<T: Copy> Matrix<'_, T> {
    /// Rows for columns.
    pub(in crate::backend::cpu) fn transposed(self) -> Self {
        Self { row_step: self.column_step, column_step: self.row_step, ..self }
    }

    /// One element.
    pub(super) fn at(&self, row: usize, column: usize) -> T {
        let delta = row as isize * self.row_step + column as isize * self.column_step;
        self.elements[self.first.wrapping_add_signed(delta)]
    }

    /// Address of the first element of a matrix of this size, every element of which lies in the slice.
    pub(super) fn pointer(&self, op: &str, rows: usize, columns: usize) -> Result<*const T> {
        let reach = |size: usize, step: isize| (size as i128 - 1) * step as i128;
        let (down, across) = (reach(rows, self.row_step), reach(columns, self.column_step));
        let first = self.first as i128;
        let inside = first + down.min(0) + across.min(0) >= 0
            && first + down.max(0) + across.max(0) < self.elements.len() as i128;
        if rows == 0 || columns == 0 {
            return Ok(self.elements.as_ptr());
        }
        if inside {
            Ok(&raw const self.elements[self.first])
        } else {
            Err(Error::bug(op, "a matrix outside its buffer"))
        }
    }
}

/// Rows to write: a part of a row-major matrix that can be cut further, also by columns.
#[derive(Debug)]
pub(in crate::backend::cpu) struct Target<'a, T> {
    first: *mut T,
    row_step: usize,
    rows: usize,
    columns: usize,
    life: PhantomData<&'a mut [T]>,
}

// SAFETY: a target is the only way to its elements, as a mutable slice is.
unsafe impl<T: Send> Send for Target<'_, T> {}

impl<'a, T> Target<'a, T> {
    /// The first `columns` elements of each of `rows` rows that begin `row_step` apart.
    pub(in crate::backend::cpu) fn new(
        elements: &'a mut [T],
        rows: usize,
        columns: usize,
        row_step: usize,
    ) -> Result<Self> {
        let fits = rows == 0 || columns == 0 || (rows - 1) * row_step + columns <= elements.len();
        if !fits || (rows > 1 && columns > row_step) {
            return Err(Error::bug("matmul", "a result outside its buffer"));
        }
        Ok(Self { first: elements.as_mut_ptr(), row_step, rows, columns, life: PhantomData })
    }

    /// Number of rows.
    pub(in crate::backend::cpu) fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub(in crate::backend::cpu) fn columns(&self) -> usize {
        self.columns
    }

    /// The rows before `row`, and the others.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests compute products by parts"))]
    pub(in crate::backend::cpu) fn split_rows(self, row: usize) -> (Self, Self) {
        let row = row.min(self.rows);
        let second = self.first.wrapping_add(row * self.row_step);
        (Self { rows: row, ..self }, Self { first: second, rows: self.rows - row, ..self })
    }

    /// The columns before `column`, and the others.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests compute products by parts"))]
    pub(in crate::backend::cpu) fn split_columns(self, column: usize) -> (Self, Self) {
        let column = column.min(self.columns);
        let second = self.first.wrapping_add(column);
        (Self { columns: column, ..self }, Self { first: second, columns: self.columns - column, ..self })
    }

    /// Address of an element, for kernels that stay inside.
    pub(super) fn pointer(&mut self, row: usize, column: usize) -> *mut T {
        self.first.wrapping_add(row * self.row_step + column)
    }

    /// Distance of neighbours in a column.
    pub(super) fn row_step(&self) -> usize {
        self.row_step
    }
}
