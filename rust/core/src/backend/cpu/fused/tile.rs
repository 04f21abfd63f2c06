//! Tiles: some rows and columns of an iteration space that are worked on together.

use super::compile::Class;

/// Rows and columns that are worked on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tile {
    pub(super) row: usize,
    pub(super) rows: usize,
    pub(super) column: usize,
    pub(super) columns: usize,
    /// By class: elements of a value under the tile, and place of the first in the whole row-major value.
    counts: [usize; 4],
    starts: [usize; 4],
}

impl Tile {
    /// So many rows from `row` on, and columns from `column` on, of a space with `whole` columns.
    pub(super) fn new((row, rows): (usize, usize), (column, columns): (usize, usize), whole: usize) -> Self {
        let (mut counts, mut starts) = ([1; 4], [0; 4]);
        counts[Class::Full as usize] = rows * columns;
        counts[Class::Row as usize] = rows;
        counts[Class::Column as usize] = columns;
        starts[Class::Full as usize] = row * whole + column;
        starts[Class::Row as usize] = row;
        Self { row, rows, column, columns, counts, starts }
    }

    /// Elements of a value of this class.
    pub(super) fn count(&self, class: Class) -> usize {
        self.counts[class as usize]
    }

    /// Place of the first of them.
    pub(super) fn start(&self, class: Class) -> usize {
        self.starts[class as usize]
    }
}
