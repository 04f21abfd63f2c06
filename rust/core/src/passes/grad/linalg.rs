//! Derivatives of the ops on matrices.
//!
//! Source: M. Giles, "An extended collection of matrix derivative results for forward and reverse mode AD", 2008; for the
//! Cholesky factor I. Murray, "Differentiation of the Cholesky decomposition", arXiv 1602.07527, equation 10.

use super::{InputGrads, Site};
use crate::dtype::Scalar;
use crate::error::{Error, Result};
use crate::ir::build::Builder;
use crate::ir::node::Edge;
use crate::ir::op::{CompareOp, LinalgOp, Op};
use crate::shape::Shape;
use smallvec::smallvec;

pub(super) fn linalg(op: LinalgOp, s: &Site<'_>) -> Result<InputGrads> {
    let (b, a) = (s.b, &s.inputs[0]);
    match op {
        LinalgOp::Cholesky => Ok(smallvec![Some(cholesky(b, &s.outputs[0], s.g()?)?)]),
        LinalgOp::Solve => {
            let rhs = solve(b, &b.transpose(a)?, s.g()?)?;
            let outer = s.wants(0).then(|| b.neg(&b.matmul(&rhs, &b.transpose(&s.outputs[0])?)?)).transpose()?;
            Ok(smallvec![outer, Some(rhs)])
        }
        LinalgOp::Det => {
            let g = b.mul(s.g()?, &s.outputs[0])?;
            Ok(smallvec![Some(scaled_inverse(b, a, &g)?)])
        }
        LinalgOp::Slogdet => Ok(smallvec![s.grads[1].as_ref().map(|g| scaled_inverse(b, a, g)).transpose()?]),
        LinalgOp::Qr { .. } | LinalgOp::Svd | LinalgOp::Eigh => Err(Error::bug(op.name(), "no derivative")),
    }
}

fn solve(b: &dyn Builder, a: &Edge, rhs: &Edge) -> Result<Edge> {
    b.one(Op::Linalg(LinalgOp::Solve), &[a.clone(), rhs.clone()])
}

/// `g A^-T`, one number `g` for each matrix.
fn scaled_inverse(b: &dyn Builder, a: &Edge, g: &Edge) -> Result<Edge> {
    let identity = b.expand(&band(b, a, 0.0, 1.0)?, a.shape())?;
    let column: Shape = g.shape().iter().copied().chain([1, 1]).collect();
    b.mul(&b.expand(&b.reshape(g, &column)?, a.shape())?, &solve(b, &b.transpose(a)?, &identity)?)
}

/// `Phi(M + M^T)` with `M = L^-T Phi(L^T g) L^-1`; `Phi` keeps the lower triangle and halves the diagonal.
fn cholesky(b: &dyn Builder, l: &Edge, g: &Edge) -> Result<Edge> {
    let phi = b.expand(&band(b, l, 1.0, 0.5)?, l.shape())?;
    let upper = b.transpose(l)?;
    let inner = b.mul(&b.matmul(&upper, g)?, &phi)?;
    let left = solve(b, &upper, &inner)?;
    let whole = b.transpose(&solve(b, &upper, &b.transpose(&left)?)?)?;
    b.mul(&b.add(&whole, &b.transpose(&whole)?)?, &phi)
}

/// A matrix `below` the diagonal and `on` it, zero above, of the sizes and dtype of `like`.
fn band(b: &dyn Builder, like: &Edge, below: f64, on: f64) -> Result<Edge> {
    let size = like.shape()[like.shape().len() - 1];
    let device = like.node.device;
    let square: Shape = [size, size].into();
    let iota = b.source(Op::Iota { length: size }, device)?;
    let column = b.expand(&b.reshape(&iota, &[size, 1].into())?, &square)?;
    let row = b.expand(&iota, &square)?;
    let scaled = |op, factor: f64| -> Result<Edge> {
        let mask = b.cast(&b.compare(op, &column, &row)?, like.dtype())?;
        b.scale(&mask, factor)
    };
    if below == 0.0 {
        return scaled(CompareOp::Equal, on);
    }
    b.add(&scaled(CompareOp::Greater, below)?, &scaled(CompareOp::Equal, on)?)
}

/// The gradient of sorted values goes back to the positions they came from.
pub(super) fn sort(axis: usize, s: &Site<'_>) -> Result<InputGrads> {
    let (b, x) = (s.b, &s.inputs[0]);
    let Some(g) = &s.grads[0] else { return Ok(smallvec![None]) };
    let flat: Shape = [x.shape().numel()].into();
    let places = b.reshape(&b.flat_places(&s.outputs[1], axis, x.shape())?, &flat)?;
    let zeros = Op::Fill { value: Scalar::Float(0.0), shape: flat.clone(), dtype: x.dtype() };
    let zeros = b.source(zeros, x.node.device)?;
    let moved = b.one(Op::ScatterAdd { axis: 0 }, &[zeros, places, b.reshape(g, &flat)?])?;
    Ok(smallvec![Some(b.reshape(&moved, x.shape())?)])
}
