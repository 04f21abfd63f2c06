//! Test data as a pure function of a seed.

use trainsmith_core::dtype::{DType, Scalar};
use trainsmith_core::rng;

/// Numbers evenly spread in `[low, high)`; integers are floors, bools are tossed.
pub(crate) fn draw(seed: u64, dtype: DType, low: f64, high: f64, count: usize) -> Vec<Scalar> {
    let low = if dtype.is_unsigned() { low.max(0.0) } else { low };
    let number = |i| {
        let unit = rng::unit_f64(rng::word(seed, 0, i, 0), rng::word(seed, 0, i, 1));
        let x = low + unit * (high - low);
        match dtype {
            DType::Bool => Scalar::Bool(unit < 0.5),
            _ if dtype.is_float() => Scalar::Float(x),
            _ => Scalar::Int(x.floor() as i128),
        }
    };
    (0..count).map(number).collect()
}
