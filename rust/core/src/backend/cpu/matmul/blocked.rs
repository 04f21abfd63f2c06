//! Products by blocks: which part of the factors is in cache while which tile of the result is in registers.
//!
//! For blocks of columns, for blocks of the depth, for groups of rows, for panels of columns, for tiles: a panel of the
//! right factor stays in the first cache, a group's rows of the left one and a block of the right one in the second. With 32
//! registers tiles come before panels, and a tile's rows stay in the first cache.
//! Both are read in place if their rows, or the columns of the left one, are rows of memory; else they are packed, and so is
//! what lies so far apart that it falls into the same few places of the cache.
//! The sums of one block of the depth are added to those of the blocks before. The length of such a block depends on the
//! depth alone, so no bit depends on which part of a product is computed, or by which registers.

use super::ahead::{Ahead, LINE};
use super::matrix::{Matrix, Size, Target};
use super::micro::{Finish, Tile, micro, tallest};
use super::pack::{Pack, Strips};
use super::tiles::Tiles;
use crate::backend::cpu::arch::{Kernel, Lanes, Vectored, chosen};
use crate::error::{Error, Result};
use std::ops::Range;

/// Bytes of a block of the right factor, for half of a small second cache.
const BLOCK: usize = 256 * 1024;
/// Bytes of panels that are read again for every tile: they stay in the second cache.
const STREAM: usize = 512 * 1024;
/// Tiles of rows that share a panel while it is in the first cache; their rows of the left factor stay in the second.
const GROUP: usize = 16;
/// Place for the rows of the tallest tile.
const TALL: usize = 16;
/// Place for the columns of the widest panel.
const WIDEST: usize = 128;
/// Bytes of a page, and of one way of the first cache.
const PAGE: usize = 4096;
/// Rows from which packing rows of the right factor that lie badly costs less than it saves.
const MANY: usize = 48;

/// A product whose parts can be computed one by one, in any order and by any thread.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend::cpu) struct Product<'a, T> {
    size: Size,
    a: Matrix<'a, T>,
    b: Matrix<'a, T>,
    first: (*const T, *const T),
    /// The right factor lies in panels.
    panels: bool,
    /// Its sums are added to what the result holds.
    adds: bool,
    finish: Option<Finish<T>>,
}

// SAFETY: the pointers are into the slices that the factors borrow.
unsafe impl<T: Sync> Send for Product<'_, T> {}
// SAFETY: a product only reads its factors.
unsafe impl<T: Sync> Sync for Product<'_, T> {}

/// Which blocks a product of some size is cut into.
#[derive(Clone, Copy, Debug)]
struct Blocks {
    depth: usize,
    columns: usize,
    pack_a: bool,
    pack_b: bool,
}

impl Blocks {
    fn new<T>(size: Size, a: (isize, isize), b: (isize, isize)) -> Self {
        let depth = size.terms();
        let most = (BLOCK / size_of::<T>() / depth / 64 * 64).max(64);
        let columns = size.columns.div_ceil(size.columns.div_ceil(most).max(1)).next_multiple_of(64).min(most);
        let far = |step: isize| step.unsigned_abs() * size_of::<T>();
        // Rows of b this far apart fall into so many sets of the first cache, each of which holds eight lines.
        let sets = PAGE / (1 << far(b.0).trailing_zeros().min(12)).clamp(64, PAGE);
        let crowded = depth > sets * 4 && size.rows >= MANY;
        // Rows of a whole pages apart fall into the same sets of the second cache.
        let paged = far(a.0).is_multiple_of(PAGE) && size.rows >= MANY && size.columns >= MANY;
        // Terms of a tile half a page apart fall into two sets of the first.
        let halves = far(a.1).is_multiple_of(PAGE / 2) && size.columns > 32;
        Self {
            depth,
            columns: columns.clamp(1, size.columns.max(1)),
            pack_a: if a.1 == 1 { paged } else { a.0 != 1 || halves },
            pack_b: b.1 != 1 || crowded,
        }
    }

    fn scratch(&self) -> usize {
        let a = if self.pack_a { GROUP * TALL * self.depth } else { 0 };
        a + self.depth * (WIDEST + if self.pack_b { self.columns } else { 0 })
    }
}

impl<'a, T: Vectored> Product<'a, T> {
    /// The product of two matrices.
    pub(in crate::backend::cpu) fn new(size: Size, a: Matrix<'a, T>, b: Matrix<'a, T>) -> Result<Self> {
        let first = (a.pointer("matmul", size.rows, size.depth)?, b.pointer("matmul", size.depth, size.columns)?);
        Ok(Self { size, a, b, first, panels: false, adds: false, finish: None })
    }

    /// The product with a factor that lies in panels of so many columns.
    pub(super) fn by_panels(size: Size, a: Matrix<'a, T>, panels: &'a [T], width: usize) -> Result<Self> {
        let long = size.columns.div_ceil(width) * size.depth;
        let b = Matrix { elements: panels, first: 0, row_step: width as isize, column_step: 1 };
        let first = (a.pointer("matmul", size.rows, size.depth)?, b.pointer("matmul", long, width)?);
        Ok(Self { size, a, b, first, panels: true, adds: false, finish: None })
    }

    /// The same product, added to what its result holds.
    pub(super) fn added(self) -> Self {
        Self { adds: true, ..self }
    }

    /// The same product, whose elements are finished so before they are written.
    ///
    /// # Safety
    /// The addresses are valid for reads of all rows and columns for as long as the product lives.
    pub(super) unsafe fn finished(self, finish: Finish<T>) -> Self {
        Self { finish: Some(finish), ..self }
    }

    /// Elements of scratch memory that `run` needs.
    pub(in crate::backend::cpu) fn scratch(&self) -> usize {
        self.blocks().scratch()
    }

    fn blocks(&self) -> Blocks {
        let steps = |x: &Matrix<'_, T>| (x.row_step, x.column_step);
        let blocks = Blocks::new::<T>(self.size, steps(&self.a), steps(&self.b));
        if !self.panels {
            return blocks;
        }
        // Panels come one after the other from wherever they lie: a block of them need not stay in the second cache.
        let columns = self.size.columns.next_multiple_of(WIDEST).max(1);
        Blocks { columns, pack_a: blocks.pack_a && self.a.column_step != 1, pack_b: false, ..blocks }
    }

    /// Compute the part of the product that begins at row and column `at` and is as large as `out`.
    ///
    pub(in crate::backend::cpu) fn run(&self, at: (usize, usize), out: Target<'_, T>, scratch: &mut [T]) -> Result<()> {
        let inside = at.0 + out.rows() <= self.size.rows && at.1 + out.columns() <= self.size.columns;
        if !inside || scratch.len() < self.scratch() || (self.panels && at.1 > 0) {
            return Err(Error::bug("matmul", "a part outside its product, or too little scratch memory"));
        }
        T::run(chosen(), Run { product: *self, at, out, scratch })
    }
}

/// One call of `Product::run`.
struct Run<'a, 'b, T> {
    product: Product<'a, T>,
    at: (usize, usize),
    out: Target<'b, T>,
    scratch: &'b mut [T],
}

impl<T: Vectored> Kernel<T> for Run<'_, '_, T> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) -> Result<()> {
        let product = &self.product;
        let blocks = product.blocks();
        let (packed_a, packed_b) =
            self.scratch.split_at_mut(if blocks.pack_a { GROUP * TALL * blocks.depth } else { 0 });
        let mut walk = Walk {
            product,
            blocks,
            packed: (packed_a.as_mut_ptr(), packed_b.as_mut_ptr()),
            at: self.at,
            out: self.out,
        };
        walk.all(l)
    }
}

/// Walking over the blocks of a part of a product.
struct Walk<'a, 'b, T> {
    product: &'a Product<'a, T>,
    blocks: Blocks,
    packed: (*mut T, *mut T),
    at: (usize, usize),
    out: Target<'b, T>,
}

/// Whether a tile's rows stay in the first cache for all panels, rather than a panel for all tiles.
///
/// With 32 registers a panel alone fills most of that cache, and panels that are read one after the other arrive by themselves.
const fn by_tiles<L: Lanes>() -> bool {
    L::REGISTERS >= 32
}

/// Columns of the result, terms of their sums, and where the right factor has both: in panels `step` apart.
#[derive(Clone, Copy, Debug)]
struct Block<T> {
    column: usize,
    columns: usize,
    term: usize,
    terms: usize,
    first: *const T,
    row_step: isize,
    panel_step: usize,
    /// The last panel, if it lies elsewhere, in rows as long as a panel is wide.
    edge: Option<*const T>,
}

/// Tiles of the result that share a block, and where the left factor has their rows.
#[derive(Clone, Copy, Debug)]
struct Group<T> {
    row: usize,
    height: usize,
    first: *const T,
    row_step: isize,
    column_step: isize,
}

impl<T: Vectored> Walk<'_, '_, T> {
    fn all<L: Lanes<Elem = T>>(&mut self, l: L) -> Result<()> {
        let depth = self.product.size.depth;
        let tiles = Tiles::new(self.out.rows(), tallest::<L>());
        let panels = self.product.panels.then_some(self.product.b.row_step as usize);
        let width = panels.unwrap_or(tiles.width::<L>() * L::WIDTH);
        if let Some(first) = self.ahead(tiles, 0, 0..depth.min(self.blocks.depth)) {
            first.fetch(l, 0, 1);
        }
        let most = if panels.is_some() && by_tiles::<L>() {
            (STREAM / size_of::<T>() / self.blocks.depth).next_multiple_of(WIDEST)
        } else {
            self.blocks.columns
        };
        for column in (0..self.out.columns()).step_by(most) {
            let columns = most.min(self.out.columns() - column);
            // Sums of no terms are written, and finished, as others are.
            for term in (0..depth.max(1)).step_by(self.blocks.depth) {
                let terms = self.blocks.depth.min(depth - term);
                let block = self.block(l, width, (column, columns), (term, terms));
                for group in (0..tiles.count).step_by(GROUP) {
                    let last = tiles.count.min(group + GROUP);
                    let ahead = self.ahead(tiles, last, term..term + terms);
                    self.group(l, width, (group..last).map(|i| tiles.tile(i)), &block, ahead)?;
                }
            }
        }
        Ok(())
    }

    /// What is packed of the left factor after the tiles before `last`: the next group's rows, or the first one's next terms.
    fn ahead(&self, tiles: Tiles, last: usize, terms: Range<usize>) -> Option<Ahead<T>> {
        if !self.blocks.pack_a {
            return None;
        }
        let (first, terms) = if last < tiles.count {
            (last, terms)
        } else {
            (0, terms.end..self.product.size.depth.min(terms.end + self.blocks.depth))
        };
        let (row, _) = tiles.tile(first);
        let (end, height) = tiles.tile(tiles.count.min(first + GROUP).checked_sub(1)?);
        let rows = self.at.0 + row..self.at.0 + end + height;
        Ahead::of(self.product.first.0, &self.product.a, rows, terms).filter(|ahead| !ahead.is_empty())
    }

    /// A block of the right factor, packed where it has to be. Blocks of columns are whole panels.
    fn block<L: Lanes<Elem = T>>(
        &self,
        l: L,
        width: usize,
        (column, columns): (usize, usize),
        (term, terms): (usize, usize),
    ) -> Block<T> {
        let (b, depth) = (&self.product.b, self.product.size.depth);
        if self.product.panels {
            let first = self.product.first.1.wrapping_add((column / width * depth + term) * width);
            let (row_step, panel_step) = (width as isize, depth * width);
            return Block { column, columns, term, terms, first, row_step, panel_step, edge: None };
        }
        let place = term as isize * b.row_step + (self.at.1 + column) as isize * b.column_step;
        let from = self.product.first.1.wrapping_offset(place);
        if !self.blocks.pack_b {
            // Only columns that fill no register are packed, for which whole registers can be read.
            let whole = columns / L::WIDTH * L::WIDTH;
            let rest = columns - columns / width * width;
            let edge = (whole < columns).then_some(self.packed.1.cast_const());
            if edge.is_some() {
                self.pack(l, from.wrapping_add(columns - rest), (terms, rest), width);
            }
            return Block { column, columns, term, terms, first: from, row_step: b.row_step, panel_step: width, edge };
        }
        self.pack(l, from, (terms, columns), width);
        let (first, panel_step) = (self.packed.1, terms * width);
        Block { column, columns, term, terms, first, row_step: width as isize, panel_step, edge: None }
    }

    fn pack<L: Lanes<Elem = T>>(&self, l: L, from: *const T, (rows, columns): (usize, usize), width: usize) {
        let Matrix { row_step, column_step, .. } = self.product.b;
        l.vectorize(&Pack { from, row_step, column_step, rows, columns, to: self.packed.1, width });
    }

    /// All tiles of a group of rows: panel by panel, so that a panel stays in the first cache for all of them, or the other way.
    #[inline(always)]
    fn group<L: Lanes<Elem = T>>(
        &mut self,
        l: L,
        width: usize,
        tiles: impl Iterator<Item = (usize, usize)> + Clone,
        block: &Block<T>,
        ahead: Option<Ahead<T>>,
    ) -> Result<()> {
        let (mut groups, mut count) = ([None; GROUP], 0);
        let strips = self.strips(l, tiles.clone(), block);
        for (i, ((row, height), group)) in tiles.zip(&mut groups).enumerate() {
            *group = Some(match strips {
                Some(first) => Group {
                    row,
                    height,
                    first: first.wrapping_add(i * TALL * self.blocks.depth),
                    row_step: 1,
                    column_step: tallest::<L>().next_multiple_of(L::WIDTH) as isize,
                },
                None => self.rows(l, i, row, height, block),
            });
            count = i + 1;
        }
        let (panels, line) = (block.columns.div_ceil(width), LINE / size_of::<T>());
        let whole = self.product.finish.filter(|_| block.term + block.terms == self.product.size.depth);
        let by_tiles = by_tiles::<L>();
        let (outer, inner) = if by_tiles { (count, panels) } else { (panels, count) };
        for (a, b) in (0..outer).flat_map(|a| (0..inner).map(move |b| (a, b))) {
            let (panel, i) = if by_tiles { (b, a) } else { (a, b) };
            let Some(group) = &groups[i] else { continue };
            let across = panel * width;
            let columns = width.min(block.columns - across);
            if self.product.panels && !by_tiles && across + width < block.columns {
                // The next panel arrives while the tiles of this one are computed.
                let next = block.first.wrapping_add((panel + 1) * block.panel_step);
                let lines = block.terms * width / line;
                for number in lines * i / count..lines * (i + 1) / count {
                    l.prefetch(next.wrapping_add(number * line));
                }
            }
            if let Some(ahead) = &ahead {
                ahead.fetch(l, a * inner + b, panels * count);
            }
            let (b, b_row) = match block.edge {
                Some(edge) if across + width > block.columns => (edge, width as isize),
                _ => (block.first.wrapping_add(panel * block.panel_step), block.row_step),
            };
            let Some(kernel) = micro::<L>(group.height, columns.div_ceil(L::WIDTH)) else {
                return Err(Error::bug("matmul", "no tile of this size"));
            };
            let tile = Tile {
                a: group.first,
                a_row: group.row_step,
                a_column: group.column_step,
                b,
                b_row,
                depth: block.terms,
                c: self.out.pointer(group.row, block.column + across),
                c_row: self.out.row_step(),
                columns,
                adds: self.product.adds || block.term > 0,
                finish: whole.map(|finish| finish.at(self.at.0 + group.row, self.at.1 + block.column + across)),
            };
            // SAFETY: the factors hold every term of these rows and columns, `out` these rows and columns.
            unsafe { kernel(l, &tile) };
        }
        Ok(())
    }

    /// Strips of the left factor for tiles, where it has to be packed and lies by columns.
    fn strips<L: Lanes<Elem = T>>(
        &self,
        l: L,
        tiles: impl Iterator<Item = (usize, usize)>,
        block: &Block<T>,
    ) -> Option<*const T> {
        let a = &self.product.a;
        if !self.blocks.pack_a || a.row_step != 1 {
            return None;
        }
        let (mut rows, mut count, mut first) = ([(0, 0); GROUP], 0, 0);
        for ((row, height), place) in tiles.zip(&mut rows) {
            first = if count == 0 { row } else { first };
            // What lies beyond the tile's rows is not used.
            *place = (row - first, height.next_multiple_of(L::WIDTH).min(self.product.size.rows - self.at.0 - row));
            count += 1;
        }
        let place = (self.at.0 + first) as isize + block.term as isize * a.column_step;
        l.vectorize(&Strips {
            from: self.product.first.0.wrapping_offset(place),
            step: a.column_step,
            terms: block.terms,
            tiles: &rows[..count],
            to: self.packed.0,
            strip: TALL * self.blocks.depth,
            width: tallest::<L>().next_multiple_of(L::WIDTH),
        });
        Some(self.packed.0)
    }

    /// Rows of the left factor, packed where they have to be: side by side for each term.
    fn rows<L: Lanes<Elem = T>>(&self, l: L, tile: usize, row: usize, height: usize, block: &Block<T>) -> Group<T> {
        let a = &self.product.a;
        let place = (self.at.0 + row) as isize * a.row_step + block.term as isize * a.column_step;
        let from = self.product.first.0.wrapping_offset(place);
        let (row_step, column_step) = (a.row_step, a.column_step);
        if !self.blocks.pack_a {
            return Group { row, height, first: from, row_step, column_step };
        }
        let to = self.packed.0.wrapping_add(tile * TALL * self.blocks.depth);
        let terms = block.terms;
        if column_step == 1 {
            l.vectorize(&Pack { from, row_step, column_step, rows: height, columns: terms, to, width: terms });
            return Group { row, height, first: to, row_step: terms as isize, column_step: 1 };
        }
        let width = tallest::<L>().next_multiple_of(L::WIDTH);
        let (row_step, column_step) = (column_step, row_step);
        l.vectorize(&Pack { from, row_step, column_step, rows: terms, columns: height, to, width });
        Group { row, height, first: to, row_step: 1, column_step: width as isize }
    }
}

#[cfg(test)]
mod tests {
    use super::super::panels::Width;
    use super::*;
    use crate::backend::cpu::arch::Isa;

    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7 + seed) % 31) as f32 * 0.125 - 1.75).collect()
    }

    /// A matrix by rows, by columns, or with a gap between neighbours.
    fn laid(x: &[f32], columns: usize, how: usize) -> (Vec<f32>, isize, isize) {
        let rows = x.len().checked_div(columns).unwrap_or(0);
        match how {
            0 => (x.to_vec(), columns as isize, 1),
            1 => ((0..x.len()).map(|i| x[i % rows * columns + i / rows]).collect(), 1, rows as isize),
            _ => (x.iter().flat_map(|&x| [x, f32::NAN]).collect(), 2 * columns as isize, 2),
        }
    }

    fn of((elements, row_step, column_step): &(Vec<f32>, isize, isize)) -> Matrix<'_, f32> {
        Matrix { elements, first: 0, row_step: *row_step, column_step: *column_step }
    }

    const SIZES: [(usize, usize, usize); 12] = [
        (1, 1, 1),
        (1, 600, 70),
        (2, 9, 33),
        (3, 5, 48),
        (4, 257, 25),
        (5, 3, 17),
        (13, 300, 129),
        (29, 64, 256),
        (50, 65, 256),
        (97, 31, 40),
        (113, 8, 7),
        (6, 0, 5),
    ];

    #[test]
    fn every_cut_layout_and_instruction_set_gives_the_same_sums() {
        for (m, k, n) in SIZES {
            let (a, b) = (numbers(m * k, 3), numbers(k * n, 11));
            let size = Size { rows: m, columns: n, depth: k };
            for isa in Isa::all() {
                let fuses = isa.name() != "portable";
                let chain = |i: usize, j: usize| {
                    let term = |sum: f32, l: usize| {
                        let (a, b) = (a[i * k + l], b[l * n + j]);
                        if fuses || cfg!(target_arch = "aarch64") { a.mul_add(b, sum) } else { a * b + sum }
                    };
                    let block = Size { rows: m, columns: n, depth: k }.terms();
                    let sums = (0..k).step_by(block).map(|l| (l..k.min(l + block)).fold(0.0, term));
                    sums.reduce(|sum, block| sum + block).unwrap_or(0.0)
                };
                let wanted: Vec<f32> = (0..m * n).map(|at| chain(at / n, at % n)).collect();
                for (left, right) in (0..9).map(|i| (laid(&a, k, i / 3), laid(&b, n, i % 3))) {
                    let product = Product::new(size, of(&left), of(&right)).unwrap();
                    let mut scratch = vec![f32::NAN; product.scratch()];
                    let mut out = vec![f32::NAN; m * n];
                    let (row, column) = (m / 3, n / 2);
                    let (top, bottom) = Target::new(&mut out, m, n, n).unwrap().split_rows(row);
                    let parts = [(top, 0), (bottom, row)].into_iter().flat_map(|(half, row)| {
                        let (left, right) = half.split_columns(column);
                        [(left, (row, 0)), (right, (row, column))]
                    });
                    for (out, at) in parts {
                        let (product, scratch) = (product, &mut scratch[..]);
                        f32::run(isa, Run { product, at, out, scratch }).unwrap();
                    }
                    assert_eq!(out, wanted, "{m} {k} {n} on {}", isa.name());
                }
                for (left, right) in (0..9).map(|i| (laid(&a, k, i / 3), laid(&b, n, i % 3))) {
                    let width = f32::run(isa, Width::new());
                    let mut panels = vec![f32::NAN; n.div_ceil(width) * k * width];
                    let Matrix { row_step, column_step, .. } = of(&right);
                    let (from, to) = (right.0.as_ptr(), panels.as_mut_ptr());
                    f32::run(isa, &Pack { from, row_step, column_step, rows: k, columns: n, to, width });
                    let product = Product::by_panels(size, of(&left), &panels, width).unwrap();
                    let (mut scratch, mut out) = (vec![f32::NAN; product.scratch()], vec![f32::NAN; m * n]);
                    let out_part = Target::new(&mut out, m, n, n).unwrap();
                    let scratch = &mut scratch[..];
                    f32::run(isa, Run { product, at: (0, 0), out: out_part, scratch }).unwrap();
                    assert_eq!(out, wanted, "{m} {k} {n} by panels on {}", isa.name());
                }
            }
        }
    }

    #[test]
    fn finishing_touches_every_element_once_when_its_sum_is_whole() {
        for (m, k, n) in SIZES {
            let (a, b) = (laid(&numbers(m * k, 5), k, 0), laid(&numbers(k * n, 2), n, 1));
            let product = Product::new(Size { rows: m, columns: n, depth: k }, of(&a), of(&b)).unwrap();
            let plus: Vec<f32> = (0..m * n).map(|at| at as f32).collect();
            let none = std::ptr::null();
            let finish = Finish { bias: none, plus: plus.as_ptr(), relu: false, gate: none, times: none, row: n };
            // SAFETY: `plus` outlives the product.
            let last = unsafe { product.finished(finish) };
            let mut scratch = vec![0.0; product.scratch()];
            let (mut plain, mut finished) = (vec![1.5; m * (n + 3)], vec![1.5; m * (n + 3)]);
            for (product, out) in [(product, &mut plain), (last, &mut finished)] {
                product.run((0, 0), Target::new(out, m, n, n + 3).unwrap(), &mut scratch).unwrap();
            }
            for (at, (&x, &y)) in plain.iter().zip(&finished).enumerate() {
                let (i, j) = (at / (n + 3), at % (n + 3));
                let wanted = if j < n { x + (i * n + j) as f32 } else { 1.5 };
                assert_eq!(y, wanted, "row {i} and column {j} of {m} {k} {n}");
            }
        }
    }

    #[test]
    fn parts_outside_and_short_scratch_are_refused() {
        let b = laid(&numbers(6, 1), 2, 1);
        let a = numbers(9, 1);
        let short = Matrix { elements: &a[..8], first: 0, row_step: 3, column_step: 1 };
        assert!(Product::new(Size { rows: 3, columns: 2, depth: 3 }, short, of(&b)).is_err());
        let whole = laid(&a, 3, 0);
        let product = Product::new(Size { rows: 3, columns: 2, depth: 3 }, of(&whole), of(&b)).unwrap();
        let mut out = [0.0; 6];
        assert!(Target::new(&mut out, 3, 3, 2).is_err() && Target::new(&mut out, 4, 2, 2).is_err());
        let mut scratch = vec![0.0; product.scratch()];
        let target = Target::new(&mut out, 3, 2, 2).unwrap();
        assert!(product.run((1, 0), target, &mut scratch).is_err());
        let target = Target::new(&mut out, 3, 2, 2).unwrap();
        assert!(product.run((0, 0), target, &mut []).is_err());
    }
}
