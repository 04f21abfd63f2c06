//! Convolution with 3 x 3 taps one place apart, by fewer products: F(2 x 2, 3 x 3) of Winograd, after Lavin and Gray,
//! "Fast Algorithms for Convolutional Neural Networks" (2016).
//!
//! A tile is 2 x 2 places, which see 4 x 4 inputs d under the taps g. Their sums are `A^T [(G g G^T) (B^T d B)] A`, the
//! middle an elementwise product, with
//!
//! ```text
//!       [1  0 -1  0]        [ 1    0    0 ]
//! B^T = [0  1  1  0]    G = [1/2  1/2  1/2]    A^T = [1  1  1  0]
//!       [0 -1  1  0]        [1/2 -1/2  1/2]          [0  1 -1  1]
//!       [0 -1  0  1]        [ 0    0    1 ]
//! ```
//!
//! so a tile takes 16 products in place of 36. Channels are added up before `A^T [...] A`, so for each of the 16 entries of the
//! middle that is a product of matrices, outputs x channels by channels x tiles (`forward.rs`). The gradient of the taps is
//! `G^T [(B^T d B) (A e A^T)] G` with the gradient e of a tile's sums, added up over tiles before `G^T [...] G`
//! (`gradient.rs`). `image.rs` turns planes so that channels lie along the lanes, `transform.rs` and `taps.rs` transform, and
//! `product.rs` multiplies.
//!
//! The halves are exact, and the order of additions depends on no cut of examples, outputs or channels, so bits do not. An
//! input that is not finite makes all four sums of a tile that sees it NaN.

mod forward;
mod gradient;
mod image;
mod product;
mod taps;
mod transform;

use super::dots::lanes;
use super::grid::AXES;
use super::{LEAST, Shapes};
pub(super) use forward::forward;
pub(super) use gradient::gradient;
use std::ops::Range;
use transform::Column;

/// Entries of a transformed tile.
const ENTRIES: usize = 16;

/// Elements beyond what an entry holds, so that entries do not all meet the same places of the cache.
const APART: usize = 16;

/// Elements at a multiple of which rows would meet the same places of the cache.
const SAME: usize = 512;

/// Channels from which transforms cost less than they save.
const CHANNELS: usize = 16;

/// Outputs from which the gradient of taps costs less, whose channels are few in each part.
const OUTPUTS: usize = 48;

/// Tiles of a plane for which taps are worth their transform.
const TILES: usize = 9;

/// The distance of rows of so many elements in whole registers.
fn apart(count: usize, lanes: usize) -> usize {
    let row = count.next_multiple_of(lanes);
    if row.is_multiple_of(SAME) { row + lanes } else { row }
}

/// Whether this is a sum over 3 x 3 taps that pays. The number of examples says nothing, so that a part is computed like the
/// whole.
pub(super) fn fits(s: &Shapes) -> bool {
    plain(s, &s.taps, &s.places) && s.channels >= CHANNELS && s.outputs >= LEAST[1]
}

/// Whether this is the gradient of 3 x 3 taps, and pays. The number of examples, the channels here, says nothing.
pub(super) fn fits_gradient(s: &Shapes) -> bool {
    plain(s, &s.places, &s.taps) && s.outputs >= OUTPUTS && s.batch >= LEAST[0] && s.channels > 0
}

/// Whether `small` is 3 x 3 and `large` a plane, neither with leaps, under one group.
fn plain(s: &Shapes, small: &[(usize, usize); AXES], large: &[(usize, usize); AXES]) -> bool {
    let [_, (down, _), (across, _)] = *large;
    let (tiles, places) = (down.div_ceil(2) * across.div_ceil(2), down * across);
    let one = s.groups == 1 && s.batch_groups == 1 && s.gaps == [1; AXES];
    let flat = small[0] == (1, 1) && large[0].0 == 1 && s.low[0] == 0 && s.input[0].0 == 1;
    let near = small[1..] == [(3, 1); 2] && large[1].1 == 1 && large[2].1 == 1;
    // Tiles that reach far beyond a plane are work for nothing.
    one && flat && near && tiles >= TILES && places >= 3 * tiles
}

/// Rows of tiles of all examples, one after the other.
#[derive(Clone, Copy, Debug)]
struct Tiling {
    down: usize,
    across: usize,
}

/// Rows of tiles of one example among those that are worked on together.
#[derive(Debug)]
struct Segment {
    example: usize,
    /// First row of the example, and their number.
    row: usize,
    count: usize,
    /// Rows that come before.
    before: usize,
}

impl Segment {
    /// The register that lies `first` elements from where each tile begins, which lie `step` apart.
    fn column(&self, tiling: Tiling, first: usize, step: usize) -> Column {
        Column { first: first + self.before * tiling.across * step, step, rows: self.count, across: tiling.across }
    }
}

impl Tiling {
    /// Tiles that cover a plane.
    fn new(plane: &[(usize, usize); AXES]) -> Self {
        Self { down: plane[1].0.div_ceil(2), across: plane[2].0.div_ceil(2) }
    }

    /// Rows of so many examples, so many at a time.
    fn groups(self, examples: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
        let rows = examples * self.down;
        (0..rows).step_by(most.max(1)).map(move |first| first..rows.min(first + most))
    }

    /// Rows that hold about so many tiles, at least one.
    fn most(self, tiles: usize) -> usize {
        (tiles / self.across).max(1)
    }

    fn segments(self, rows: Range<usize>) -> impl Iterator<Item = Segment> {
        let examples = rows.start / self.down..rows.end.div_ceil(self.down);
        examples.map(move |example| {
            let first = rows.start.max(example * self.down);
            let end = rows.end.min((example + 1) * self.down);
            let before = first - rows.start;
            Segment { example, row: first - example * self.down, count: end - first, before }
        })
    }
}
