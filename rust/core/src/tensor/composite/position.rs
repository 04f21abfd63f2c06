//! Positions as angles: rotated pairs, and waves to add.

use super::table::along;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{Op, UnaryOp};
use crate::shape::Shape;
use crate::tensor::args::Call;
use crate::tensor::face::face;

/// Each pair of features `i` of `x` `[..., L, E]` turned by `p base^(-2 i / E)`, at positions p `[..., L]` or 0, 1, 2, ...
///
/// Pairs are neighbours, or the two halves. Source: Su et al. 2021, equations 15 and 34.
pub fn rotary(c: &Call<'_>) -> Result<Edge> {
    let b = face();
    let x = c.edge(0)?;
    let rank = x.shape().len();
    let width = x.shape().last().copied().unwrap_or(0);
    if rank < 2 || !width.is_multiple_of(2) || !x.dtype().is_float() {
        let got = format!("{} {}", x.dtype(), x.shape());
        return Err(Error::shape(c.name, "a floating input [..., L, E] with an even E", got));
    }
    let half = width / 2;
    let angles = angles(c, &x, half)?;
    let (cos, sin) = (b.unary(UnaryOp::Cos, &angles)?, b.unary(UnaryOp::Sin, &angles)?);
    let (cos, sin) = (b.cast(&cos, x.dtype())?, b.cast(&sin, x.dtype())?);
    let neighbours = c.flag("interleaved", false)?;
    // [..., L, half, 2] or [..., L, 2, half]
    let (axis, pair) = if neighbours { (rank, [half, 2]) } else { (rank - 1, [2, half]) };
    let paired: Shape = x.shape()[..rank - 1].iter().copied().chain(pair).collect();
    let split = b.reshape(&x, &paired)?;
    let part = |place: usize| b.reshape(&b.narrow(&split, axis, place, 1)?, cos.shape());
    let (first, second) = (part(0)?, part(1)?);
    let turned =
        [b.sub(&b.mul(&first, &cos)?, &b.mul(&second, &sin)?)?, b.add(&b.mul(&second, &cos)?, &b.mul(&first, &sin)?)?];
    let open = paired.with(axis, 1);
    let parts = turned.iter().map(|part| b.reshape(part, &open)).collect::<Result<Vec<_>>>()?;
    b.reshape(&b.one(Op::Concat { axis }, &parts)?, x.shape())
}

/// `p base^(-i / half)` for each position of `x` and each of `half` frequencies.
fn angles(c: &Call<'_>, x: &Edge, half: usize) -> Result<Edge> {
    let b = face();
    let rank = x.shape().len();
    let rows: Shape = x.shape()[..rank - 1].into();
    let place = match c.maybe_edge(1)? {
        Some(places) => places,
        None => b.source(Op::Iota { length: rows[rank - 2] }, x.node.device)?,
    };
    match Shape::broadcast(c.name, place.shape(), &rows) {
        Ok(shape) if shape == rows => {}
        _ => {
            let rule = format!("positions that broadcast to {rows}");
            return Err(Error::shape(c.name, rule, place.shape().to_string()));
        }
    }
    let wide = if x.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
    let column: Shape = place.shape().iter().copied().chain([1]).collect();
    let full: Shape = rows.iter().copied().chain([half]).collect();
    let place = b.expand(&b.reshape(&b.cast(&place, wide)?, &column)?, &full)?;
    b.mul(&place, &along(&place, rank - 1, &frequencies(c, half, 2 * half)?)?)
}

fn frequencies(c: &Call<'_>, count: usize, width: usize) -> Result<Vec<f64>> {
    let base = c.float("base", 10_000.0)?;
    if base <= 0.0 {
        return Err(Error::value(c.name, "base above 0", base.to_string()));
    }
    Ok((0..count).map(|i| base.powf(-2.0 * i as f64 / width as f64)).collect())
}

/// `sin(p base^(-2 i / E))` at feature 2 i and the cosine at 2 i + 1, for positions p below `length`, like `x` `[..., E]`.
///
/// Source: Vaswani et al. 2017, section 3.5.
pub fn sinusoids(c: &Call<'_>) -> Result<Edge> {
    let b = face();
    let shape = c.shape("shape")?;
    let &[length, width] = &shape[..] else {
        return Err(Error::shape(c.name, "two sizes, (length, width)", shape.to_string()));
    };
    let dtype = c.maybe_dtype("dtype")?.unwrap_or(DType::F32);
    if !dtype.is_float() {
        return Err(Error::dtype(c.name, "a floating dtype", dtype.to_string()));
    }
    let wide = if dtype == DType::F64 { DType::F64 } else { DType::F32 };
    let half = width.div_ceil(2);
    let place = b.source(Op::Iota { length }, crate::device::Device::parse(&c.text("device", "cpu")?)?)?;
    let plane: Shape = [length, half].into();
    let place = b.expand(&b.reshape(&b.cast(&place, wide)?, &[length, 1].into())?, &plane)?;
    let angles = b.mul(&place, &along(&place, 1, &frequencies(c, half, width)?)?)?;
    let open: Shape = [length, half, 1].into();
    let waves = [b.unary(UnaryOp::Sin, &angles)?, b.unary(UnaryOp::Cos, &angles)?];
    let waves = waves.iter().map(|wave| b.reshape(wave, &open)).collect::<Result<Vec<_>>>()?;
    let pairs = b.reshape(&b.one(Op::Concat { axis: 2 }, &waves)?, &[length, 2 * half].into())?;
    b.cast(&b.narrow(&pairs, 1, 0, width)?, dtype)
}
