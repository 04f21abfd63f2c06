//! Elementwise ops: functions of one or two numbers, comparison, choice, cast.

use super::dense::{Dense, Num};
use super::special;
use crate::buffer::Meta;
use crate::error::{Error, Result};
use crate::ir::op::{BinaryOp, CompareOp, UnaryOp};

pub(super) fn unary(op: UnaryOp, x: &Dense, meta: &Meta) -> Result<Dense> {
    Dense::build(meta, |index| match x.at(index) {
        Num::F(x) => Ok(Num::F(unary_float(op, x)?)),
        Num::I(x) => Ok(Num::I(unary_int(op, x)?)),
        Num::B(x) => Ok(Num::B(!x)),
    })
}

pub(super) fn binary(op: BinaryOp, a: &Dense, b: &Dense, meta: &Meta) -> Result<Dense> {
    Dense::build(meta, |index| match (op, a.at(index), b.at(index)) {
        // The neighbour of a number depends on its dtype.
        (BinaryOp::NextAfter, Num::F(a), Num::F(b)) => Ok(Num::F(special::next_after(a, b, meta.dtype))),
        (_, a, b) => combine(op, a, b),
    })
}

pub(super) fn compare(op: CompareOp, a: &Dense, b: &Dense, meta: &Meta) -> Result<Dense> {
    Dense::build(meta, |index| {
        Ok(Num::B(match (a.at(index), b.at(index)) {
            (Num::F(a), Num::F(b)) => holds(op, &a, &b),
            (a, b) => holds(op, &a.int(), &b.int()),
        }))
    })
}

pub(super) fn select(condition: &Dense, a: &Dense, b: &Dense, meta: &Meta) -> Result<Dense> {
    Dense::build(meta, |index| Ok(if condition.at(index).truth() { a.at(index) } else { b.at(index) }))
}

pub(super) fn cast(x: &Dense, meta: &Meta) -> Result<Dense> {
    Dense::build(meta, |index| Ok(x.at(index).cast(meta.dtype)))
}

/// A binary op on two numbers of one kind, not yet rounded or wrapped.
pub(super) fn combine(op: BinaryOp, a: Num, b: Num) -> Result<Num> {
    match (a, b) {
        (Num::F(a), Num::F(b)) => Ok(Num::F(binary_float(op, a, b)?)),
        (Num::I(a), Num::I(b)) => Ok(Num::I(binary_int(op, a, b)?)),
        (Num::B(a), Num::B(b)) => Ok(Num::B(binary_bool(op, a, b)?)),
        (Num::F(_) | Num::I(_) | Num::B(_), _) => Err(Error::bug(op.name(), "operands of two kinds")),
    }
}

fn unary_float(op: UnaryOp, x: f64) -> Result<f64> {
    Ok(match op {
        UnaryOp::Neg => -x,
        UnaryOp::Abs => x.abs(),
        UnaryOp::Sign if x.is_nan() => x,
        UnaryOp::Sign => f64::from(i8::from(x > 0.0) - i8::from(x < 0.0)),
        UnaryOp::Reciprocal => 1.0 / x,
        UnaryOp::Exp => x.exp(),
        UnaryOp::Expm1 => x.exp_m1(),
        UnaryOp::Log => x.ln(),
        UnaryOp::Log1p => x.ln_1p(),
        UnaryOp::Sqrt => x.sqrt(),
        UnaryOp::Sin => x.sin(),
        UnaryOp::Cos => x.cos(),
        UnaryOp::Tan => x.tan(),
        UnaryOp::Asin => x.asin(),
        UnaryOp::Acos => x.acos(),
        UnaryOp::Atan => x.atan(),
        UnaryOp::Sinh => x.sinh(),
        UnaryOp::Cosh => x.cosh(),
        UnaryOp::Tanh => x.tanh(),
        UnaryOp::Asinh => special::asinh(x),
        UnaryOp::Acosh => special::acosh(x),
        UnaryOp::Atanh => special::atanh(x),
        UnaryOp::Sigmoid => special::sigmoid(x),
        UnaryOp::Erf => special::erf(x),
        UnaryOp::Gelu => x * 0.5 * (1.0 + special::erf(x * std::f64::consts::FRAC_1_SQRT_2)),
        UnaryOp::Floor => x.floor(),
        UnaryOp::Ceil => x.ceil(),
        UnaryOp::Round => x.round_ties_even(),
        UnaryOp::Trunc => x.trunc(),
        UnaryOp::Not => return Err(undefined(op.name(), "floats")),
    })
}

fn unary_int(op: UnaryOp, x: i128) -> Result<i128> {
    Ok(match op {
        UnaryOp::Neg => -x,
        UnaryOp::Abs => x.abs(),
        UnaryOp::Sign => x.signum(),
        UnaryOp::Not => !x,
        UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Round | UnaryOp::Trunc => x,
        UnaryOp::Reciprocal
        | UnaryOp::Exp
        | UnaryOp::Expm1
        | UnaryOp::Log
        | UnaryOp::Log1p
        | UnaryOp::Sqrt
        | UnaryOp::Sin
        | UnaryOp::Cos
        | UnaryOp::Tan
        | UnaryOp::Asin
        | UnaryOp::Acos
        | UnaryOp::Atan
        | UnaryOp::Sinh
        | UnaryOp::Cosh
        | UnaryOp::Tanh
        | UnaryOp::Asinh
        | UnaryOp::Acosh
        | UnaryOp::Atanh
        | UnaryOp::Sigmoid
        | UnaryOp::Erf
        | UnaryOp::Gelu => return Err(undefined(op.name(), "integers")),
    })
}

fn binary_float(op: BinaryOp, a: f64, b: f64) -> Result<f64> {
    Ok(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div => a / b,
        BinaryOp::Pow => a.powf(b),
        BinaryOp::Maximum | BinaryOp::Minimum if a.is_nan() || b.is_nan() => f64::NAN,
        BinaryOp::Maximum => a.max(b),
        BinaryOp::Minimum => a.min(b),
        BinaryOp::Remainder => special::floor_divide(a, b).1,
        BinaryOp::FloorDivide => special::floor_divide(a, b).0,
        BinaryOp::Atan2 => a.atan2(b),
        BinaryOp::CopySign => a.copysign(b),
        BinaryOp::NextAfter => return Err(undefined(op.name(), "floats without a dtype")),
        BinaryOp::And | BinaryOp::Or | BinaryOp::Xor | BinaryOp::ShiftLeft | BinaryOp::ShiftRight => {
            return Err(undefined(op.name(), "floats"));
        }
    })
}

fn binary_int(op: BinaryOp, a: i128, b: i128) -> Result<i128> {
    // No integer dtype has more bits: a longer shift has pushed every bit out, and a negative one counts as longer.
    let shift = u32::try_from(b).ok().filter(|&n| n < 64);
    Ok(match op {
        BinaryOp::Add => a.wrapping_add(b),
        BinaryOp::Sub => a.wrapping_sub(b),
        BinaryOp::Mul => a.wrapping_mul(b),
        BinaryOp::Pow => special::int_pow(a, b),
        BinaryOp::Maximum => a.max(b),
        BinaryOp::Minimum => a.min(b),
        BinaryOp::Remainder | BinaryOp::FloorDivide if b == 0 => 0,
        BinaryOp::Remainder => (a % b + b) % b,
        BinaryOp::FloorDivide => a / b - i128::from(a % b != 0 && (a < 0) != (b < 0)),
        BinaryOp::And => a & b,
        BinaryOp::Or => a | b,
        BinaryOp::Xor => a ^ b,
        BinaryOp::ShiftLeft => shift.map_or(0, |n| a << n),
        BinaryOp::ShiftRight => shift.map_or(if a < 0 { -1 } else { 0 }, |n| a >> n),
        BinaryOp::Div | BinaryOp::Atan2 | BinaryOp::CopySign | BinaryOp::NextAfter => {
            return Err(undefined(op.name(), "integers"));
        }
    })
}

fn binary_bool(op: BinaryOp, a: bool, b: bool) -> Result<bool> {
    Ok(match op {
        BinaryOp::Maximum | BinaryOp::Or => a || b,
        BinaryOp::Minimum | BinaryOp::And => a && b,
        BinaryOp::Xor => a != b,
        BinaryOp::Add
        | BinaryOp::Sub
        | BinaryOp::Mul
        | BinaryOp::Div
        | BinaryOp::Pow
        | BinaryOp::Remainder
        | BinaryOp::FloorDivide
        | BinaryOp::Atan2
        | BinaryOp::CopySign
        | BinaryOp::NextAfter
        | BinaryOp::ShiftLeft
        | BinaryOp::ShiftRight => return Err(undefined(op.name(), "bools")),
    })
}

fn holds<T: PartialOrd>(op: CompareOp, a: &T, b: &T) -> bool {
    match op {
        CompareOp::Equal => a == b,
        CompareOp::NotEqual => a != b,
        CompareOp::Less => a < b,
        CompareOp::LessEqual => a <= b,
        CompareOp::Greater => a > b,
        CompareOp::GreaterEqual => a >= b,
    }
}

fn undefined(op: &str, kind: &str) -> Error {
    Error::bug(op, format!("not defined on {kind}, which its dtype rule should have said"))
}
