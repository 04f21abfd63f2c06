//! When two results count as equal: integers, bools and moved elements to the bit, computed floats to a few units.

use super::values::numbers;
use trainsmith_core::buffer::Value;
use trainsmith_core::dtype::{DType, Scalar};

/// How far a computed float may be from the reference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Close {
    /// Multiple of the dtype's unit; 0 asks for the same bits (any NaN for a NaN).
    pub(crate) units: f64,
    /// Size of the terms that make up an element, where they can cancel; they add up in f32 or wider.
    pub(crate) scale: f64,
}

impl Close {
    pub(crate) const EXACT: Self = Self { units: 0.0, scale: 0.0 };
    pub(crate) const ROUNDED: Self = Self { units: 1.0, scale: 0.0 };

    /// The end of a chain of nodes, each rounded, whose values have this size.
    pub(crate) fn chain(dtype: DType, nodes: usize, scale: f64) -> Self {
        Self { units: nodes as f64, scale: scale * unit(dtype) / wide_unit(dtype) }
    }
}

/// What a good implementation of one op loses. Narrow floats lose one last place, since the wide result sits beside a tie
/// now and then.
fn unit(dtype: DType) -> f64 {
    match dtype {
        DType::F16 => 1.01 / 1024.0,
        DType::BF16 => 1.01 / 128.0,
        _ => wide_unit(dtype),
    }
}

/// The unit of the dtype that kernels compute in.
fn wide_unit(dtype: DType) -> f64 {
    if dtype == DType::F64 { 1e-12 } else { 1e-6 }
}

/// Below this, floats lose digits by being subnormal.
fn tiny(dtype: DType) -> f64 {
    match dtype {
        DType::F16 => 6e-8,
        DType::F64 => f64::MIN_POSITIVE,
        _ => f64::from(f32::MIN_POSITIVE),
    }
}

/// The first element that is too far from the reference, in words.
pub(crate) fn difference(got: &Value, want: &Value, close: Close) -> Option<String> {
    if got.meta() != want.meta() {
        return Some(format!("{:?} instead of {:?}", got.meta(), want.meta()));
    }
    let (a, b) = (numbers(got), numbers(want));
    let place = (0..a.len()).find(|&i| !fits(a[i], b[i], want.dtype, close))?;
    Some(format!("element {place} of {}: {:?} instead of {:?}", want.shape(), a[place], b[place]))
}

fn fits(got: Scalar, want: Scalar, dtype: DType, close: Close) -> bool {
    match (got, want) {
        (Scalar::Float(a), Scalar::Float(b)) => {
            let unit = unit(dtype) * b.abs() + wide_unit(dtype) * close.scale + tiny(dtype);
            let near = || (a - b).abs() <= close.units * unit;
            (a.is_nan() && b.is_nan())
                || a.to_bits() == b.to_bits()
                || (close.units > 0.0 && (a == b || (a.is_finite() && b.is_finite() && near())))
        }
        (a, b) => a == b,
    }
}
