//! What goes into a row: numbers from a range, numbers of every size, and the edges of a dtype.

use super::common::draw;
use trainsmith_core::dtype::{DType, Scalar};
use trainsmith_core::rng;

/// What the elements of a test value are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Data {
    /// Evenly spread in `[low, high)`; integers are floors.
    Range(f64, f64),
    /// As a range, but every fourth integer has all its bits drawn.
    Wild(f64, f64),
    /// Zeros, ones, ties, infinities, NaN and extreme sizes up to a bound, each repeated `every` times in a row.
    Edges { every: usize, upto: f64 },
    /// Few distinct numbers, so that many are equal.
    Ties,
    /// Square matrices of this side whose diagonal outweighs the rest, so that they are well-conditioned.
    Dominant(usize),
}

/// Edges of the float dtypes; those that a dtype cannot hold round to its zero or infinity.
const FLOATS: [f64; 21] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    3.0,
    100.0,
    -88.5,
    1e-3,
    -1e-20,
    1e-40,
    3e38,
    -1e17,
    -1e300,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

/// Edges of the integer dtypes; they wrap.
const INTS: [i128; 17] = [
    0,
    1,
    -1,
    2,
    -2,
    3,
    -7,
    31,
    63,
    64,
    127,
    -128,
    255,
    i64::MIN as i128,
    i64::MAX as i128,
    i32::MIN as i128,
    u64::MAX as i128,
];

/// Number of edges, the same for every dtype.
pub(crate) const EDGES: usize = 21;

/// Numbers for one value.
pub(crate) fn fill(seed: u64, dtype: DType, data: Data, count: usize) -> Vec<Scalar> {
    let (low, high) = match data {
        Data::Range(low, high) | Data::Wild(low, high) => (low, high),
        Data::Ties => (0.0, 3.0),
        Data::Dominant(_) => (-1.0, 1.0),
        Data::Edges { .. } => (0.0, 0.0),
    };
    let spread = draw::draw(seed, dtype, low, high, count);
    spread.into_iter().enumerate().map(|(i, drawn)| element(seed, i, drawn, dtype, data)).collect()
}

fn element(seed: u64, i: usize, drawn: Scalar, dtype: DType, data: Data) -> Scalar {
    match data {
        Data::Edges { every, upto } if dtype.is_float() => {
            let known: Vec<f64> = FLOATS.into_iter().filter(|x| !x.is_finite() || x.abs() <= upto).collect();
            Scalar::Float(known[i / every % known.len()])
        }
        Data::Edges { every, .. } => wrapped(INTS[i / every % INTS.len()], dtype),
        Data::Wild(..) if dtype.is_integer() && i % 4 == 3 => {
            let (high, low) = (rng::word(seed, 1, i, 2), rng::word(seed, 1, i, 3));
            Scalar::Int(i128::from(u64::from(high) << 32 | u64::from(low)))
        }
        Data::Ties if dtype.is_float() => Scalar::Float(drawn.as_f64().floor()),
        Data::Dominant(side) if dtype.is_float() && (i % (side * side)).is_multiple_of(side + 1) => {
            Scalar::Float(drawn.as_f64() + 1.0 + side as f64)
        }
        Data::Range(..) | Data::Wild(..) | Data::Ties | Data::Dominant(_) => drawn,
    }
}

fn wrapped(i: i128, dtype: DType) -> Scalar {
    if dtype == DType::Bool { Scalar::Bool(i % 2 != 0) } else { Scalar::Int(i) }
}
