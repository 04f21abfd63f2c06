//! Rows of what moves over a grid: pools, transposed convolutions, resizing; formulas live in `composite`.

use super::Row;
use crate::tensor::composite::pool;

pub(super) const ROWS: &[Row] = &[
    ("max_pool", |c| pool::max_pool(c)),
    ("avg_pool", |c| Ok(vec![pool::avg_pool(c)?])),
    ("adaptive_pool", |c| pool::adaptive_pool(c)),
];
