//! Rows of the elementwise ops.

use super::common::close::Close;
use super::data::{Data, EDGES};
use super::rows::{LARGE, Row, Slot, shapes, slot};
use trainsmith_core::dtype::DType;
use trainsmith_core::ir::{BinaryOp, CompareOp, Op, UnaryOp};

const HUGE: f64 = f64::INFINITY;

pub(crate) fn unary() -> Vec<Row> {
    let mut rows = Vec::new();
    for &op in UnaryOp::ALL {
        let (low, high) = unary_domain(op);
        let close = unary_close(op);
        for dtype in DType::ALL {
            if !unary_takes(op, dtype) {
                rows.push(Row::refused(Op::Unary(op), vec![slot([3], dtype, Data::Range(0.0, 2.0))]));
                continue;
            }
            let edges = Data::Edges { every: 1, upto: largest_argument(op) };
            rows.push(Row::new(Op::Unary(op), vec![slot([EDGES], dtype, edges)], close));
            if LARGE.contains(&dtype) {
                rows.push(Row::new(Op::Unary(op), vec![slot([130, 300], dtype, Data::Wild(low, high))], close));
            }
            for shape in shapes() {
                rows.push(Row::new(Op::Unary(op), vec![slot(shape, dtype, Data::Wild(low, high))], close));
            }
        }
    }
    rows
}

/// Where the function is defined and does not run away.
fn unary_domain(op: UnaryOp) -> (f64, f64) {
    match op {
        UnaryOp::Neg
        | UnaryOp::Abs
        | UnaryOp::Sign
        | UnaryOp::Reciprocal
        | UnaryOp::Floor
        | UnaryOp::Ceil
        | UnaryOp::Round
        | UnaryOp::Trunc
        | UnaryOp::Not => (-9.0, 9.0),
        UnaryOp::Exp
        | UnaryOp::Sigmoid
        | UnaryOp::Gelu
        | UnaryOp::Asinh
        | UnaryOp::Atan
        | UnaryOp::Sin
        | UnaryOp::Cos => (-20.0, 20.0),
        UnaryOp::Expm1 | UnaryOp::Erf => (-4.0, 4.0),
        UnaryOp::Log | UnaryOp::Sqrt => (0.01, 50.0),
        UnaryOp::Log1p => (-0.9, 9.0),
        UnaryOp::Tan => (-1.5, 1.5),
        UnaryOp::Asin | UnaryOp::Acos | UnaryOp::Atanh => (-1.0, 1.0),
        UnaryOp::Sinh | UnaryOp::Cosh | UnaryOp::Tanh => (-5.0, 5.0),
        UnaryOp::Acosh => (1.0, 3.0),
    }
}

fn unary_takes(op: UnaryOp, dtype: DType) -> bool {
    match op {
        UnaryOp::Not => !dtype.is_float(),
        UnaryOp::Neg
        | UnaryOp::Abs
        | UnaryOp::Sign
        | UnaryOp::Floor
        | UnaryOp::Ceil
        | UnaryOp::Round
        | UnaryOp::Trunc => dtype != DType::Bool,
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
        | UnaryOp::Gelu => dtype.is_float(),
    }
}

/// Periodic functions of huge arguments are noise: the argument's own rounding spans many periods.
fn largest_argument(op: UnaryOp) -> f64 {
    if matches!(op, UnaryOp::Sin | UnaryOp::Cos | UnaryOp::Tan) { 100.0 } else { HUGE }
}

fn unary_close(op: UnaryOp) -> Close {
    match op {
        UnaryOp::Neg
        | UnaryOp::Abs
        | UnaryOp::Not
        | UnaryOp::Floor
        | UnaryOp::Ceil
        | UnaryOp::Round
        | UnaryOp::Trunc => Close::EXACT,
        // Near a root the result is the rounding of the argument's reduction.
        UnaryOp::Sin | UnaryOp::Cos => Close { units: 1.0, scale: 1.0 },
        // Far below zero 1 + erf(x) loses its digits.
        UnaryOp::Gelu => Close { units: 4.0, scale: 1.0 },
        _ => Close::ROUNDED,
    }
}

pub(crate) fn binary() -> Vec<Row> {
    let mut rows = Vec::new();
    for &op in BinaryOp::ALL {
        let close = match op {
            BinaryOp::Add
            | BinaryOp::Sub
            | BinaryOp::Mul
            | BinaryOp::Div
            | BinaryOp::CopySign
            | BinaryOp::NextAfter => Close::EXACT,
            _ => Close::ROUNDED,
        };
        for dtype in DType::ALL {
            let (a, b) = binary_data(op, dtype);
            if !binary_takes(op, dtype) {
                rows.push(Row::refused(Op::Binary(op), vec![slot([3], dtype, a), slot([3], dtype, b)]));
                continue;
            }
            rows.push(Row::new(Op::Binary(op), all_pairs(dtype), close));
            if LARGE.contains(&dtype) {
                let inputs = vec![slot([130, 300], dtype, a), slot([130, 300], dtype, b)];
                rows.push(Row::new(Op::Binary(op), inputs, close));
            }
            for shape in shapes() {
                let inputs = vec![slot(shape.clone(), dtype, a), slot(shape, dtype, b)];
                rows.push(Row::new(Op::Binary(op), inputs, close));
            }
        }
    }
    rows
}

/// Each edge of the dtype with each other.
fn all_pairs(dtype: DType) -> Vec<Slot> {
    let edges = |every| slot([EDGES * EDGES], dtype, Data::Edges { every, upto: HUGE });
    vec![edges(1), edges(EDGES)]
}

fn binary_data(op: BinaryOp, dtype: DType) -> (Data, Data) {
    match op {
        BinaryOp::Pow if dtype.is_float() => (Data::Range(0.1, 3.0), Data::Range(-4.0, 4.0)),
        BinaryOp::Pow => (Data::Wild(-9.0, 9.0), Data::Range(-3.0, 8.0)),
        BinaryOp::ShiftLeft | BinaryOp::ShiftRight => (Data::Wild(-9.0, 9.0), Data::Range(-2.0, 70.0)),
        BinaryOp::Remainder | BinaryOp::FloorDivide => (Data::Wild(-99.0, 99.0), Data::Wild(-4.0, 4.0)),
        BinaryOp::Add
        | BinaryOp::Sub
        | BinaryOp::Mul
        | BinaryOp::Div
        | BinaryOp::Maximum
        | BinaryOp::Minimum
        | BinaryOp::Atan2
        | BinaryOp::CopySign
        | BinaryOp::NextAfter
        | BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Xor => (Data::Wild(-9.0, 9.0), Data::Wild(-9.0, 9.0)),
    }
}

fn binary_takes(op: BinaryOp, dtype: DType) -> bool {
    match op {
        BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Pow | BinaryOp::Remainder | BinaryOp::FloorDivide => {
            dtype != DType::Bool
        }
        BinaryOp::Div | BinaryOp::Atan2 | BinaryOp::CopySign => dtype.is_float(),
        BinaryOp::NextAfter => matches!(dtype, DType::F32 | DType::F64),
        BinaryOp::Maximum | BinaryOp::Minimum => true,
        BinaryOp::And | BinaryOp::Or | BinaryOp::Xor => !dtype.is_float(),
        BinaryOp::ShiftLeft | BinaryOp::ShiftRight => dtype.is_integer(),
    }
}

pub(crate) fn compare() -> Vec<Row> {
    let mut rows = Vec::new();
    for &op in CompareOp::ALL {
        for dtype in DType::ALL {
            rows.push(Row::new(Op::Compare(op), all_pairs(dtype), Close::EXACT));
            for shape in shapes() {
                let inputs = vec![slot(shape.clone(), dtype, Data::Ties), slot(shape, dtype, Data::Ties)];
                rows.push(Row::new(Op::Compare(op), inputs, Close::EXACT));
            }
        }
    }
    rows
}

pub(crate) fn select() -> Vec<Row> {
    let mut rows = Vec::new();
    for dtype in DType::ALL {
        for shape in shapes() {
            let data = Data::Wild(-9.0, 9.0);
            let condition = slot(shape.clone(), DType::Bool, data);
            let inputs = vec![condition, slot(shape.clone(), dtype, data), slot(shape, dtype, data)];
            rows.push(Row::new(Op::Select, inputs, Close::EXACT));
        }
    }
    rows
}

pub(crate) fn cast() -> Vec<Row> {
    let mut rows = Vec::new();
    for from in DType::ALL {
        for to in DType::ALL {
            let close = if to.is_float() && to.size() == 2 { Close::ROUNDED } else { Close::EXACT };
            let edges = Data::Edges { every: 1, upto: HUGE };
            rows.push(Row::new(Op::Cast(to), vec![slot([EDGES], from, edges)], close));
            for shape in shapes() {
                rows.push(Row::new(Op::Cast(to), vec![slot(shape, from, Data::Wild(-300.0, 300.0))], close));
            }
        }
    }
    rows
}
