//! Rows of what moves over a grid: pools, transposed convolutions, resizing; formulas live in `composite`.

use super::Row;
use crate::tensor::composite::{convolution, pool, resize};

pub(super) const ROWS: &[Row] = &[
    ("max_pool", |c| pool::max_pool(c)),
    ("avg_pool", |c| Ok(vec![pool::avg_pool(c)?])),
    ("conv_transpose", |c| Ok(vec![convolution::conv_transpose(c)?])),
    ("interpolate", |c| Ok(vec![resize::interpolate(c)?])),
    ("adaptive_pool", |c| pool::adaptive_pool(c)),
];
