//! Elementwise functions.

use super::Row;
use super::promote::{broadcast, floating, pair, typed_pair, unify};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, CompareOp, Op, UnaryOp};
use crate::tensor::args::{Arg, Call};
use crate::tensor::face::face;
use crate::tensor::functions::creation::scalar_like;

pub(super) const ROWS: &[Row] = &[
    ("negative", |c| plain(c, UnaryOp::Neg)),
    ("abs", |c| plain(c, UnaryOp::Abs)),
    ("sign", |c| plain(c, UnaryOp::Sign)),
    ("floor", |c| plain(c, UnaryOp::Floor)),
    ("ceil", |c| plain(c, UnaryOp::Ceil)),
    ("round", |c| plain(c, UnaryOp::Round)),
    ("trunc", |c| plain(c, UnaryOp::Trunc)),
    ("bitwise_invert", |c| plain(c, UnaryOp::Not)),
    ("reciprocal", |c| real(c, UnaryOp::Reciprocal)),
    ("exp", |c| real(c, UnaryOp::Exp)),
    ("expm1", |c| real(c, UnaryOp::Expm1)),
    ("log", |c| real(c, UnaryOp::Log)),
    ("log1p", |c| real(c, UnaryOp::Log1p)),
    ("sqrt", |c| real(c, UnaryOp::Sqrt)),
    ("sin", |c| real(c, UnaryOp::Sin)),
    ("cos", |c| real(c, UnaryOp::Cos)),
    ("tan", |c| real(c, UnaryOp::Tan)),
    ("asin", |c| real(c, UnaryOp::Asin)),
    ("acos", |c| real(c, UnaryOp::Acos)),
    ("atan", |c| real(c, UnaryOp::Atan)),
    ("sinh", |c| real(c, UnaryOp::Sinh)),
    ("cosh", |c| real(c, UnaryOp::Cosh)),
    ("tanh", |c| real(c, UnaryOp::Tanh)),
    ("asinh", |c| real(c, UnaryOp::Asinh)),
    ("acosh", |c| real(c, UnaryOp::Acosh)),
    ("atanh", |c| real(c, UnaryOp::Atanh)),
    ("sigmoid", |c| real(c, UnaryOp::Sigmoid)),
    ("erf", |c| real(c, UnaryOp::Erf)),
    ("log2", |c| {
        Ok(vec![face().scale(&face().unary(UnaryOp::Log, &floating(&c.edge(0)?)?)?, std::f64::consts::LOG2_E)?])
    }),
    ("log10", |c| {
        Ok(vec![face().scale(&face().unary(UnaryOp::Log, &floating(&c.edge(0)?)?)?, std::f64::consts::LOG10_E)?])
    }),
    ("square", |c| c.edge(0).and_then(|x| Ok(vec![face().mul(&x, &x)?]))),
    ("positive", |c| Ok(vec![c.edge(0)?])),
    ("logical_not", |c| Ok(vec![face().unary(UnaryOp::Not, &truth(&c.edge(0)?)?)?])),
    ("isnan", |c| c.edge(0).and_then(|x| Ok(vec![face().compare(CompareOp::NotEqual, &x, &x)?]))),
    ("isinf", |c| Ok(vec![is_infinite(&c.edge(0)?)?])),
    ("isfinite", |c| Ok(vec![is_finite(&c.edge(0)?)?])),
    ("add", |c| arithmetic(c, BinaryOp::Add)),
    ("subtract", |c| arithmetic(c, BinaryOp::Sub)),
    ("multiply", |c| arithmetic(c, BinaryOp::Mul)),
    ("pow", |c| arithmetic(c, BinaryOp::Pow)),
    ("maximum", |c| arithmetic(c, BinaryOp::Maximum)),
    ("minimum", |c| arithmetic(c, BinaryOp::Minimum)),
    ("remainder", |c| arithmetic(c, BinaryOp::Remainder)),
    ("floor_divide", |c| arithmetic(c, BinaryOp::FloorDivide)),
    ("bitwise_and", |c| arithmetic(c, BinaryOp::And)),
    ("bitwise_or", |c| arithmetic(c, BinaryOp::Or)),
    ("bitwise_xor", |c| arithmetic(c, BinaryOp::Xor)),
    ("bitwise_left_shift", |c| arithmetic(c, BinaryOp::ShiftLeft)),
    ("bitwise_right_shift", |c| arithmetic(c, BinaryOp::ShiftRight)),
    ("divide", |c| quotient(c, BinaryOp::Div)),
    ("atan2", |c| quotient(c, BinaryOp::Atan2)),
    ("copysign", |c| quotient(c, BinaryOp::CopySign)),
    ("nextafter", |c| quotient(c, BinaryOp::NextAfter)),
    ("logical_and", |c| logical(c, BinaryOp::And)),
    ("logical_or", |c| logical(c, BinaryOp::Or)),
    ("logical_xor", |c| logical(c, BinaryOp::Xor)),
    ("equal", |c| comparison(c, CompareOp::Equal)),
    ("not_equal", |c| comparison(c, CompareOp::NotEqual)),
    ("less", |c| comparison(c, CompareOp::Less)),
    ("less_equal", |c| comparison(c, CompareOp::LessEqual)),
    ("greater", |c| comparison(c, CompareOp::Greater)),
    ("greater_equal", |c| comparison(c, CompareOp::GreaterEqual)),
    ("where", select),
    ("clip", clip),
];

fn plain(c: &Call<'_>, op: UnaryOp) -> Result<Vec<Edge>> {
    Ok(vec![face().unary(op, &c.edge(0)?)?])
}

fn real(c: &Call<'_>, op: UnaryOp) -> Result<Vec<Edge>> {
    Ok(vec![face().unary(op, &floating(&c.edge(0)?)?)?])
}

fn arithmetic(c: &Call<'_>, op: BinaryOp) -> Result<Vec<Edge>> {
    let (a, b) = pair(c)?;
    Ok(vec![face().one(Op::Binary(op), &[a, b])?])
}

/// Integers become float32 first.
fn quotient(c: &Call<'_>, op: BinaryOp) -> Result<Vec<Edge>> {
    let (a, b) = typed_pair(c)?;
    let (a, b) = broadcast(c.name, floating(&a)?, floating(&b)?)?;
    Ok(vec![face().one(Op::Binary(op), &[a, b])?])
}

fn comparison(c: &Call<'_>, op: CompareOp) -> Result<Vec<Edge>> {
    let (a, b) = pair(c)?;
    Ok(vec![face().one(Op::Compare(op), &[a, b])?])
}

fn logical(c: &Call<'_>, op: BinaryOp) -> Result<Vec<Edge>> {
    let (a, b) = broadcast(c.name, truth(&c.edge(0)?)?, truth(&c.edge(1)?)?)?;
    Ok(vec![face().one(Op::Binary(op), &[a, b])?])
}

/// Not zero.
pub(super) fn truth(x: &Edge) -> Result<Edge> {
    face().cast(x, DType::Bool)
}

fn is_infinite(x: &Edge) -> Result<Edge> {
    if !x.dtype().is_float() {
        return truth(&face().full_like(x, 0.0)?);
    }
    let limit = face().full_like(x, f64::INFINITY)?;
    face().compare(CompareOp::Equal, &face().unary(UnaryOp::Abs, x)?, &limit)
}

fn is_finite(x: &Edge) -> Result<Edge> {
    if !x.dtype().is_float() {
        return face().unary(UnaryOp::Not, &truth(&face().full_like(x, 0.0)?)?);
    }
    let limit = face().full_like(x, f64::INFINITY)?;
    face().compare(CompareOp::Less, &face().unary(UnaryOp::Abs, x)?, &limit)
}

fn select(c: &Call<'_>) -> Result<Vec<Edge>> {
    let condition = c.edge(0)?;
    if condition.dtype() != DType::Bool {
        return Err(Error::dtype(c.name, "a bool condition; compare first", condition.dtype().to_string()));
    }
    let branches = Call { name: c.name, args: &c.args[1..], attrs: c.attrs };
    let (a, b) = pair(&branches)?;
    let (condition, a) = broadcast(c.name, condition, a)?;
    let (a, b) = broadcast(c.name, a, b)?;
    Ok(vec![face().one(Op::Select, &[condition, a, b])?])
}

/// Between two bounds; the derivative is 1 at a bound, and NaN stays.
fn clip(c: &Call<'_>) -> Result<Vec<Edge>> {
    let mut x = c.edge(0)?;
    for (place, op) in [(1, CompareOp::Less), (2, CompareOp::Greater)] {
        let bound = match c.args.get(place) {
            None | Some(Arg::None) => continue,
            Some(Arg::Scalar(s)) => {
                let dtype = s.weak_dtype(c.name, x.dtype())?;
                x = face().cast(&x, dtype)?;
                scalar_like(*s, dtype, x.node.device)?
            }
            Some(Arg::Edge(bound)) => {
                let (cast, bound) = unify(c.name, x.clone(), bound.clone())?;
                x = cast;
                bound
            }
        };
        let (wide, bound) = broadcast(c.name, x.clone(), bound)?;
        let outside = face().compare(op, &wide, &bound)?;
        x = face().select(&outside, &bound, &wide)?;
    }
    Ok(vec![x])
}
