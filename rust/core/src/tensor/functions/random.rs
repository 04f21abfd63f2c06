//! Random tensors.

use super::Row;
use super::creation::device;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::RandomOp;
use crate::tensor::args::Call;
use crate::tensor::face::face;
use crate::tensor::generator::Generator;

pub(super) const ROWS: &[Row] =
    &[("rand", |c| draw(c, RandomOp::Uniform)), ("randn", |c| draw(c, RandomOp::Normal)), ("randint", randint)];

fn draw(c: &Call<'_>, kind: RandomOp) -> Result<Vec<Edge>> {
    let dtype = c.maybe_dtype("dtype")?.unwrap_or(DType::F32);
    Ok(vec![Generator::global().draw(kind, &c.shape("shape")?, dtype, device(c)?)?])
}

/// Integers in `[low, high)`: a 32-bit word times the range, shifted down (Lemire 2019, without rejection).
fn randint(c: &Call<'_>) -> Result<Vec<Edge>> {
    let (low, high) = (c.int("low", 0)?, c.int("high", 0)?);
    let range = high.checked_sub(low).filter(|r| (1..=1 << 31).contains(r));
    let Some(range) = range else {
        return Err(Error::value(c.name, "low < high, at most 2^31 apart", format!("{low} and {high}")));
    };
    let b = face();
    let words = Generator::global().draw(RandomOp::Bits, &c.shape("shape")?, DType::I64, device(c)?)?;
    let scaled = b.scale(&words, range as f64)?;
    let shifted = b.binary(crate::ir::op::BinaryOp::ShiftRight, &scaled, &b.full_like(&scaled, 32.0)?)?;
    let x = b.shift(&shifted, low as f64)?;
    Ok(vec![b.cast(&x, c.maybe_dtype("dtype")?.unwrap_or(DType::I64))?])
}
