//! Ops that make elements from attributes or random bits, and the one that checks them.

use super::dense::{Dense, Num};
use crate::buffer::Meta;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::ir::op::RandomOp;
use crate::rng;

pub(super) fn fill(value: Scalar, meta: &Meta) -> Result<Dense> {
    Dense::build(meta, |_| Ok(Num::from(value).cast(meta.dtype)))
}

pub(super) fn iota(meta: &Meta) -> Result<Dense> {
    Dense::build(meta, |index| Ok(Num::I(index[0] as i128)))
}

/// Element i in row-major order takes word i of the draw, and word i of stream 1 where it needs more than 32 bits.
pub(super) fn random(kind: RandomOp, state: &Dense, meta: &Meta) -> Result<Dense> {
    let (key, offset) = (state.data[0].int() as u64, state.data[1].int() as u64);
    let mut next = 0..;
    Dense::build(meta, |_| {
        let i = next.next().unwrap_or_default();
        let (first, second) = (rng::word(key, offset, i, 0), rng::word(key, offset, i, 1));
        Ok(match kind {
            RandomOp::Bits => Num::I(first.into()),
            RandomOp::Uniform if meta.dtype == DType::F64 => Num::F(rng::unit_f64(first, second)),
            RandomOp::Uniform => Num::F(f64::from(rng::unit_f32(first)).min(below_one(meta.dtype))),
            RandomOp::Normal => Num::F(rng::normal(first, second)),
        })
    })
}

/// The largest value below 1, which a draw from [0, 1) may round up to but not beyond.
fn below_one(dtype: DType) -> f64 {
    match dtype {
        DType::F16 => 1.0 - f64::from(half::f16::EPSILON) / 2.0,
        DType::BF16 => 1.0 - f64::from(half::bf16::EPSILON) / 2.0,
        DType::F32
        | DType::F64
        | DType::Bool
        | DType::I8
        | DType::I16
        | DType::I32
        | DType::I64
        | DType::U8
        | DType::U16
        | DType::U32
        | DType::U64 => 1.0,
    }
}

pub(super) fn check_finite(name: &str, x: &Dense) -> Result<Dense> {
    for (index, element) in x.meta.shape.indices().zip(&x.data) {
        if !element.float().is_finite() {
            let got = format!("{} at {}", element.float(), crate::shape::Shape::from(index.as_slice()));
            return Err(Error::non_finite(name, "finite elements", got));
        }
    }
    Ok(x.clone())
}

pub(super) fn check_index(name: &str, size: usize, x: &Dense) -> Result<Dense> {
    for element in &x.data {
        let index = element.float();
        if !(0.0..size as f64).contains(&index) {
            return Err(Error::index(name, format!("indices in [0, {size})"), index.to_string()));
        }
    }
    Ok(x.clone())
}
