//! Hinge losses of scores against classes.

use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, CompareOp, CumulateOp, Op, ReduceOp, UnaryOp};
use crate::shape::Shape;
use crate::tensor::composite::activation::relu;
use crate::tensor::composite::loss::classes::{checked, pick};
use crate::tensor::composite::loss::reduce;
use crate::tensor::composite::piecewise::{keep, replace, versus};
use crate::tensor::face::face;

/// Floating scores `[N, C]`; one row of them becomes a batch.
fn scores(op: &str, input: &Edge) -> Result<Edge> {
    match input.shape()[..] {
        [_, classes] if input.dtype().is_float() && classes > 0 => Ok(input.clone()),
        [classes] if input.dtype().is_float() && classes > 0 => face().reshape(input, &[1, classes].into()),
        _ => {
            let got = format!("{} {}", input.dtype(), input.shape());
            Err(Error::shape(op, "floating scores (n, classes) or (classes,)", got))
        }
    }
}

/// Integers of a shape, as i64.
fn integers(op: &str, target: &Edge, shape: &[usize]) -> Result<Edge> {
    if target.shape()[..] == *shape && target.dtype().is_integer() {
        return face().cast(target, DType::I64);
    }
    let got = format!("{} {}", target.dtype(), target.shape());
    Err(Error::shape(op, format!("integer classes of shape {}", Shape::from(shape)), got))
}

/// `[N, C]` counts of the last axis, 0 to C - 1.
fn columns(shape: &Shape, like: &Edge) -> Result<Edge> {
    let size = shape[shape.len() - 1];
    face().expand(&face().source(Op::Iota { length: size }, like.node.device)?, shape)
}

/// The sum over other classes of `max(0, margin - x_y + x_i)^p / C`, times the weight of `y`.
///
/// Source: Weston and Watkins 1999.
pub fn multi_margin(
    input: &Edge,
    target: &Edge,
    p: i64,
    margin: f64,
    weight: Option<&Edge>,
    reduction: &str,
) -> Result<Edge> {
    const OP: &str = "multi_margin_loss";
    let b = face();
    if p != 1 && p != 2 {
        return Err(Error::value(OP, "p of 1 or 2", p.to_string()));
    }
    let x = scores(OP, input)?;
    let (rows, classes) = (x.shape()[0], x.shape()[1]);
    let outer = &input.shape()[..input.shape().len() - 1];
    let y = checked(OP, &b.reshape(&integers(OP, target, outer)?, &[rows].into())?, classes)?;
    let column = |e: &Edge| b.expand(&b.reshape(e, &[rows, 1].into())?, x.shape());
    let own = column(&pick(&x, &y, 1)?)?;
    let mut short = relu(&b.shift(&b.sub(&x, &own)?, margin)?)?;
    if p == 2 {
        short = b.mul(&short, &short)?;
    }
    let truth = b.compare(CompareOp::Equal, &columns(x.shape(), &x)?, &column(&y)?)?;
    let sum = b.reduce(ReduceOp::Sum, &replace(&truth, 0.0, &short)?, &[1])?;
    let mut loss = b.div(&sum, &b.full_like(&sum, classes as f64)?)?;
    if let Some(weight) = weight {
        if *weight.shape() != [classes].into() {
            let rule = format!("a weight of shape ({classes},)");
            return Err(Error::shape(OP, rule, weight.shape().to_string()));
        }
        loss = b.mul(&loss, &b.one(Op::Gather { axis: 0 }, &[b.cast(weight, x.dtype())?, y])?)?;
    }
    reduce(OP, &b.reshape(&loss, &outer.iter().copied().collect())?, reduction)
}

/// The sum over true classes `j` and false ones `i` of `max(0, 1 - x_j + x_i) / C`; a row of the target lists true classes
/// up to its first negative number.
pub fn multilabel_margin(input: &Edge, target: &Edge, reduction: &str) -> Result<Edge> {
    const OP: &str = "multilabel_margin_loss";
    let b = face();
    let x = scores(OP, input)?;
    let (rows, classes) = (x.shape()[0], x.shape()[1]);
    let y = b.reshape(&integers(OP, target, input.shape())?, x.shape())?;
    let listed = b.cast(&versus(CompareOp::GreaterEqual, &y, 0.0)?, DType::I64)?;
    let listed = b.one(Op::Cumulate { op: CumulateOp::Prod, axis: 1, reverse: false }, &[listed])?;
    let listed = versus(CompareOp::NotEqual, &listed, 0.0)?;
    let y = checked(OP, &keep(&listed, &y, 0.0)?, classes)?;

    // Axis 1 walks the list, axis 2 the classes.
    let cube: Shape = [rows, classes, classes].into();
    let down = |e: &Edge| b.expand(&b.reshape(e, &[rows, classes, 1].into())?, &cube);
    let across = |e: &Edge| b.expand(&b.reshape(e, &[rows, 1, classes].into())?, &cube);
    let hit = b.compare(CompareOp::Equal, &columns(&cube, &x)?, &down(&y)?)?;
    let hit = b.binary(BinaryOp::And, &hit, &down(&listed)?)?;
    let own = b.reduce(ReduceOp::Sum, &keep(&hit, &across(&x)?, 0.0)?, &[2])?;
    let wrong = b.unary(UnaryOp::Not, &b.reduce(ReduceOp::Any, &hit, &[1])?)?;
    let short = relu(&b.shift(&b.sub(&across(&x)?, &down(&own)?)?, 1.0)?)?;
    let counts = b.binary(BinaryOp::And, &down(&listed)?, &across(&wrong)?)?;
    let sum = b.reduce(ReduceOp::Sum, &keep(&counts, &short, 0.0)?, &[1, 2])?;
    let loss = b.div(&sum, &b.full_like(&sum, classes as f64)?)?;
    let outer: Shape = input.shape()[..input.shape().len() - 1].iter().copied().collect();
    reduce(OP, &b.reshape(&loss, &outer)?, reduction)
}
