//! Eight-bit codes for running means: dynamic, block by block.
//!
//! A block of 256 neighbours shares its largest magnitude, and each value is coded relative to that. The code spends its
//! steps evenly within each of seven decades, twice as many in a decade as in the one below, so a value far below the
//! largest keeps its order of magnitude where a linear code would make it 0. Source: Dettmers et al. 2022, "8-bit
//! optimizers via block-wise quantization", section 2; here the highest code is exactly the largest magnitude.

use crate::buffer::Meta;
use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::ir::build::Builder;
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, CompareOp, Op, ReduceOp, UnaryOp};
use crate::shape::Shape;

const BLOCK: usize = 256;
const DECADES: i32 = 7;

/// How magnitudes become codes; 0 is always code 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Code {
    /// Codes in the lowest decade.
    first: f64,
    /// Whether only 0 itself becomes code 0.
    keeps_small: bool,
    /// Dtype of the codes.
    dtype: DType,
}

/// A code with a sign, -127 to 127.
pub(super) const SIGNED: Code = Code { first: 1.0, keeps_small: false, dtype: DType::I8 };
/// A code for squares, up to 254. A square that became 0 while its mean stays would turn the mean into a huge step.
pub(super) const UNSIGNED: Code = Code { first: 2.0, keeps_small: true, dtype: DType::U8 };

/// Blocks that a number of elements takes.
fn blocks(elements: usize) -> usize {
    elements.div_ceil(BLOCK)
}

impl Code {
    /// The codes of a parameter.
    pub(super) fn codes(self, param: &Meta) -> Meta {
        Meta::new(param.shape.clone(), self.dtype)
    }

    /// The largest magnitudes of a parameter's blocks.
    pub(super) fn largest(param: &Meta) -> Meta {
        Meta::new([blocks(param.shape.numel())], DType::F32)
    }

    /// Codes below those of a decade; decade 7 is the end.
    fn below(self, decade: i32) -> f64 {
        self.first * (2.0_f64.powi(decade) - 1.0)
    }

    /// Codes and largest magnitudes of f32 values.
    pub(super) fn encode(self, b: &dyn Builder, x: &Edge) -> Result<(Edge, Edge)> {
        let rows = in_blocks(b, x)?;
        let magnitude = b.unary(UnaryOp::Abs, &rows)?;
        let largest = b.reduce_keep(ReduceOp::Max, &magnitude, &[1])?;
        let zero = b.full_like(&largest, 0.0)?;
        let some = b.compare(CompareOp::Greater, &largest, &zero)?;
        let unit = b.select(&some, &largest, &b.full_like(&largest, 1.0)?)?;
        let part = b.div(&magnitude, &b.expand(&unit, rows.shape())?)?;
        let (count, scale) = self.decade(b, &part, |decade| 10.0_f64.powi(decade - DECADES))?;
        let way = b.scale(&b.shift(&b.mul(&part, &scale)?, -1.0)?, 1.0 / 9.0)?;
        let place = b.unary(UnaryOp::Floor, &b.mul(&way, &count)?)?;
        let place = b.binary(BinaryOp::Maximum, &place, &b.full_like(&place, 0.0)?)?;
        let place = b.binary(BinaryOp::Minimum, &place, &b.shift(&count, -1.0)?)?;
        let code = b.shift(&b.add(&count, &place)?, 1.0 - self.first)?;
        let least = if self.keeps_small { 0.0 } else { 10.0_f64.powi(-DECADES) / 2.0 };
        let seen = b.compare(CompareOp::Greater, &part, &b.full_like(&part, least)?)?;
        let code = b.select(&seen, &code, &b.full_like(&code, 0.0)?)?;
        let code = b.mul(&code, &b.unary(UnaryOp::Sign, &rows)?)?;
        let codes = b.cast(&back(b, &code, x.shape())?, self.dtype)?;
        Ok((codes, b.reshape(&largest, &Shape::from([rows.shape()[0]]))?))
    }

    /// The f32 values of codes.
    pub(super) fn decode(self, b: &dyn Builder, codes: &Edge, largest: &Edge) -> Result<Edge> {
        let rows = in_blocks(b, &b.cast(codes, DType::F32)?)?;
        let code = b.unary(UnaryOp::Abs, &rows)?;
        let (count, scale) = self.decade(b, &code, |decade| self.below(decade) + 1.0)?;
        let middle = b.sub(&b.shift(&code, self.first - 0.5)?, &count)?;
        let lead = b.shift(&b.scale(&b.div(&middle, &count)?, 9.0)?, 1.0)?;
        let part = b.div(&lead, &scale)?;
        let highest = b.compare(CompareOp::GreaterEqual, &code, &b.full_like(&code, self.below(DECADES))?)?;
        let part = b.select(&highest, &b.full_like(&part, 1.0)?, &part)?;
        let part = b.mul(&part, &b.unary(UnaryOp::Sign, &rows)?)?;
        let largest = b.reshape(largest, &Shape::from([rows.shape()[0], 1]))?;
        back(b, &b.mul(&part, &b.expand(&largest, part.shape())?)?, codes.shape())
    }

    /// Codes in the decade of each element, and what takes the decade's values to 1 and above.
    fn decade(self, b: &dyn Builder, x: &Edge, border: impl Fn(i32) -> f64) -> Result<(Edge, Edge)> {
        let (mut count, mut scale) = (b.full_like(x, self.first)?, b.full_like(x, 10.0_f64.powi(DECADES))?);
        for decade in 1..DECADES {
            let passed = b.compare(CompareOp::GreaterEqual, x, &b.full_like(x, border(decade))?)?;
            let passed = b.cast(&passed, DType::F32)?;
            count = b.add(&count, &b.scale(&passed, self.first * 2.0_f64.powi(decade - 1))?)?;
            scale = b.sub(&scale, &b.scale(&passed, 9.0 * 10.0_f64.powi(DECADES - decade))?)?;
        }
        Ok((count, scale))
    }
}

/// Elements in rows of one block, zeros behind the last.
fn in_blocks(b: &dyn Builder, x: &Edge) -> Result<Edge> {
    let elements = x.shape().numel();
    let flat = b.reshape(x, &Shape::from([elements]))?;
    let rest = blocks(elements) * BLOCK - elements;
    let pad = Op::Pad { low: vec![0], high: vec![rest], interior: vec![0], value: Scalar::Float(0.0) };
    let full = if rest == 0 { flat } else { b.one(pad, std::slice::from_ref(&flat))? };
    b.reshape(&full, &Shape::from([blocks(elements), BLOCK]))
}

/// Rows of one block as elements of a shape.
fn back(b: &dyn Builder, rows: &Edge, shape: &Shape) -> Result<Edge> {
    let flat = b.reshape(rows, &Shape::from([rows.shape().numel()]))?;
    b.reshape(&b.narrow(&flat, 0, 0, shape.numel())?, shape)
}
