//! Arithmetic that changes nothing, or that a cheaper op does to the bit.
//!
//! `x + 0` stays, since it makes a positive zero of a negative one; `x - 0` and `x + (-0)` go.

use super::{Rewrite, Rewriter};
use crate::buffer::Meta;
use crate::dtype::{DType, Scalar};
use crate::ir::op::{BinaryOp, CompareOp, Composite, Op, PoolKind, UnaryOp};
use crate::ir::program::ValueId;
use smallvec::{SmallVec, smallvec};

impl Rewriter<'_> {
    pub(super) fn unary(&self, op: UnaryOp, x: ValueId) -> Option<Rewrite> {
        match op {
            UnaryOp::Neg | UnaryOp::Not => self.under(op, x).map(Rewrite::Value),
            UnaryOp::Abs => {
                let inner = self.under(UnaryOp::Neg, x).or_else(|| self.under(UnaryOp::Abs, x));
                // The smallest integer has no absolute value, but its negative has the same.
                inner.map(|inner| Rewrite::Op(Op::Unary(UnaryOp::Abs), smallvec![inner]))
            }
            _ => None,
        }
    }

    /// The operand of `x`, where `x` is made by this op.
    fn under(&self, op: UnaryOp, x: ValueId) -> Option<ValueId> {
        self.maker(x).filter(|maker| maker.op == Op::Unary(op)).map(|maker| maker.inputs[0])
    }

    pub(super) fn binary(&self, op: BinaryOp, a: ValueId, b: ValueId) -> Option<Rewrite> {
        let same = |value: ValueId| Some(Rewrite::Value(value));
        let made = |op: BinaryOp, a: ValueId, b: ValueId| Some(Rewrite::Op(Op::Binary(op), smallvec![a, b]));
        let negated = |x: ValueId| Some(Rewrite::Op(Op::Unary(UnaryOp::Neg), smallvec![x]));
        match op {
            BinaryOp::Mul if self.is(b, 1.0) => same(a),
            BinaryOp::Mul if self.is(a, 1.0) => same(b),
            BinaryOp::Mul if self.is_float(a) && self.is(b, -1.0) => negated(a),
            BinaryOp::Mul if self.is_float(a) && self.is(a, -1.0) => negated(b),
            BinaryOp::Div if self.is(b, 1.0) => same(a),
            BinaryOp::Sub if self.is(b, 0.0) => same(a),
            BinaryOp::Add if self.is_neutral(b) => same(a),
            BinaryOp::Add if self.is_neutral(a) => same(b),
            BinaryOp::Add => match (self.under(UnaryOp::Neg, a), self.under(UnaryOp::Neg, b)) {
                (_, Some(b)) => made(BinaryOp::Sub, a, b),
                (Some(a), None) => made(BinaryOp::Sub, b, a),
                (None, None) => None,
            },
            BinaryOp::Sub => self.under(UnaryOp::Neg, b).and_then(|b| made(BinaryOp::Add, a, b)),
            _ => None,
        }
    }

    fn is_float(&self, x: ValueId) -> bool {
        self.dtype(x).is_float()
    }

    /// Whether a value is this number everywhere, a zero of this sign.
    fn is(&self, x: ValueId, wanted: f64) -> bool {
        match self.number(x) {
            Some(Scalar::Float(value)) => value.to_bits() == wanted.to_bits(),
            Some(Scalar::Int(value)) => value == wanted as i128,
            _ => false,
        }
    }

    /// Whether adding it changes nothing.
    fn is_neutral(&self, x: ValueId) -> bool {
        self.is(x, if self.is_float(x) { -0.0 } else { 0.0 })
    }

    pub(super) fn select(&mut self, condition: ValueId, a: ValueId, b: ValueId) -> Option<Rewrite> {
        if a == b {
            return Some(Rewrite::Value(a));
        }
        if let Some(inner) = self.under(UnaryOp::Not, condition) {
            return Some(Rewrite::Op(Op::Select, smallvec![inner, b, a]));
        }
        let (x, zero) = self.at_most_zero(condition)?;
        if let Some(rewrite) = self.rectified_pool(x, a, b) {
            return Some(rewrite);
        }
        // The derivative of a rectifier asks its input for the sign; its output, which is stored anyway, has the same.
        let y = self.rectified.get(&x).copied().filter(|_| b != x)?;
        let meta = self.meta(condition).clone();
        let mask = self.add(Op::Compare(CompareOp::LessEqual), smallvec![y, zero], &[meta], None);
        Some(Rewrite::Op(Op::Select, smallvec![mask, a, b]))
    }

    /// The derivative of a maximum of each window of `x`, zero where `x` is at most zero: it is that where the maximum is not, since
    /// only the places of maxima have any. The maxima are fewer.
    fn rectified_pool(&mut self, x: ValueId, zero: ValueId, grad: ValueId) -> Option<Rewrite> {
        let maker = self.maker(grad)?;
        let op @ Op::Composite(Composite::PoolGrad { pool, .. }) = &maker.op else { return None };
        let forward = (Op::Composite(Composite::Pool(pool.clone())), smallvec![x]);
        let (op, &[of_maxima, of]) = (op.clone(), maker.inputs.first_chunk()?);
        let maxima =
            *self.known.get(&forward).filter(|_| pool.kind == PoolKind::Max && of == x && self.is(zero, 0.0))?;
        let meta = self.meta(maxima).clone();
        let Rewrite::Op(view, number) = self.filled(Scalar::Float(0.0), &meta) else { return None };
        let zero = self.add(view, number, std::slice::from_ref(&meta), None);
        let truth = Meta::new(meta.shape.clone(), DType::Bool);
        let mask = self.add(Op::Compare(CompareOp::LessEqual), smallvec![maxima, zero], &[truth], None);
        let kept = self.add(Op::Select, smallvec![mask, zero, of_maxima], &[meta], None);
        Some(Rewrite::Op(op, smallvec![kept, x]))
    }

    /// `x` and zero, where the value is `x <= 0` and `x` is no rectified value itself.
    fn at_most_zero(&self, condition: ValueId) -> Option<(ValueId, ValueId)> {
        let maker = self.maker(condition).filter(|maker| maker.op == Op::Compare(CompareOp::LessEqual))?;
        let (x, zero) = (maker.inputs[0], maker.inputs[1]);
        (self.is(zero, 0.0) && self.is_float(x)).then_some((x, zero))
    }

    /// Remember `where(x <= 0, 0, x)`.
    pub(super) fn note_rectified(&mut self, op: &Op, inputs: &SmallVec<[ValueId; 2]>, result: ValueId) {
        if *op == Op::Select
            && self.is(inputs[1], 0.0)
            && let Some((x, _)) = self.at_most_zero(inputs[0])
            && x == inputs[2]
        {
            self.rectified.insert(x, result);
        }
    }

    pub(super) fn cast(&mut self, dtype: DType, x: ValueId, meta: &Meta) -> Option<Rewrite> {
        if self.dtype(x) == dtype {
            return Some(Rewrite::Value(x));
        }
        match self.number(x) {
            Some(Scalar::Float(value)) if dtype.is_float() && is_exact(value) => {
                return Some(self.filled(Scalar::Float(value), meta));
            }
            _ => {}
        }
        let maker = self.maker(x)?;
        let Op::Cast(wide) = maker.op else { return None };
        let source = maker.inputs[0];
        holds(wide, self.dtype(source)).then(|| Rewrite::Op(Op::Cast(dtype), smallvec![source]))
    }
}

/// Whether every float dtype has the number.
fn is_exact(value: f64) -> bool {
    value.fract() == 0.0 && value.abs() <= 128.0
}

/// Whether a float dtype has every number of another.
fn holds(wide: DType, narrow: DType) -> bool {
    match (wide, narrow) {
        (DType::F64, DType::F16 | DType::BF16 | DType::F32) | (DType::F32, DType::F16 | DType::BF16) => true,
        (_, _) => false,
    }
}
