//! Decompositions of matrices, and sums of products named by letters.

use super::Row;
use super::promote::{floating, unify};
use crate::error::{Error, Result};
use crate::ir::node::{Edge, Edges};
use crate::ir::op::{CompareOp, LinalgOp, Op};
use crate::shape::Shape;
use crate::tensor::args::Call;
use crate::tensor::composite::einsum::einsum;
use crate::tensor::face::face;

pub(super) const ROWS: &[Row] = &[
    ("einsum", |c| {
        let operands = c.edges()?;
        if operands.is_empty() {
            return Err(Error::value(c.name, "at least one operand", "none"));
        }
        Ok(vec![einsum(&c.text("equation", "")?, &operands)?])
    }),
    ("cholesky", cholesky),
    ("solve", |c| Ok(vec![solve(c.edge(0)?, c.edge(1)?)?])),
    ("inv", inverse),
    ("det", |c| Ok(decompose(LinalgOp::Det, &c.edge(0)?)?.into_vec())),
    ("slogdet", |c| Ok(decompose(LinalgOp::Slogdet, &c.edge(0)?)?.into_vec())),
    ("qr", |c| Ok(decompose(LinalgOp::Qr { full: c.flag("full", false)? }, &c.edge(0)?)?.into_vec())),
    ("svd", svd),
    ("eigh", |c| Ok(decompose(LinalgOp::Eigh, &c.edge(0)?)?.into_vec())),
];

fn decompose(op: LinalgOp, x: &Edge) -> Result<Edges> {
    face().emit(Op::Linalg(op), &[floating(x)?])
}

fn matrices(op: &str, x: &Edge) -> Result<()> {
    if x.shape().len() >= 2 {
        return Ok(());
    }
    Err(Error::shape(op, "matrices, that is at least two axes", x.shape().to_string()))
}

/// Of the symmetric part, so that the gradient is symmetric too.
fn cholesky(c: &Call<'_>) -> Result<Vec<Edge>> {
    let b = face();
    let x = floating(&c.edge(0)?)?;
    matrices(c.name, &x)?;
    let rank = x.shape().len();
    if x.shape()[rank - 1] != x.shape()[rank - 2] {
        return Err(Error::shape(c.name, "square matrices", x.shape().to_string()));
    }
    let symmetric = b.scale(&b.add(&x, &b.transpose(&x)?)?, 0.5)?;
    Ok(vec![b.one(Op::Linalg(LinalgOp::Cholesky), &[symmetric])?])
}

/// `X` with `A X = B`; a 1-d `B` is one column for each matrix. Leading axes broadcast.
fn solve(a: Edge, b: Edge) -> Result<Edge> {
    let f = face();
    let (a, b) = unify("solve", a, b)?;
    let (a, b) = (floating(&a)?, floating(&b)?);
    matrices("solve", &a)?;
    if b.shape().is_empty() {
        return Err(Error::shape("solve", "a right-hand side with at least one axis", b.shape().to_string()));
    }
    let column = b.shape().len() == 1;
    let right = if column { f.reshape(&b, &[b.shape()[0], 1].into())? } else { b.clone() };
    let split = |e: &Edge| e.shape().len() - 2;
    let batch = Shape::broadcast("solve", &a.shape()[..split(&a)].into(), &right.shape()[..split(&right)].into())?;
    let widen = |e: &Edge| f.expand(e, &batch.iter().chain(&e.shape()[split(e)..]).copied().collect());
    let x = f.one(Op::Linalg(LinalgOp::Solve), &[widen(&a)?, widen(&right)?])?;
    let rank = x.shape().len();
    if column { f.reshape(&x, &x.shape().reduced(&[rank - 1], false)) } else { Ok(x) }
}

fn inverse(c: &Call<'_>) -> Result<Vec<Edge>> {
    let b = face();
    let x = floating(&c.edge(0)?)?;
    matrices(c.name, &x)?;
    let size = x.shape()[x.shape().len() - 1];
    let iota = b.source(Op::Iota { length: size }, x.node.device)?;
    let square: Shape = [size, size].into();
    let column = b.expand(&b.reshape(&iota, &[size, 1].into())?, &square)?;
    let same = b.compare(CompareOp::Equal, &column, &b.expand(&iota, &square)?)?;
    Ok(vec![solve(x.clone(), b.cast(&same, x.dtype())?)?])
}

/// Singular values and vectors; `full` completes the vectors of the longer side to a square matrix.
fn svd(c: &Call<'_>) -> Result<Vec<Edge>> {
    let b = face();
    let x = c.edge(0)?;
    let mut parts = decompose(LinalgOp::Svd, &x)?.into_vec();
    let rank = x.shape().len();
    let (rows, columns) = (x.shape()[rank - 2], x.shape()[rank - 1]);
    if c.flag("full", false)? && rows > columns {
        parts[0] = completed(&parts[0])?;
    }
    if c.flag("full", false)? && columns > rows {
        parts[2] = b.transpose(&completed(&b.transpose(&parts[2])?)?)?;
    }
    Ok(parts)
}

/// Orthonormal columns, and as many more as make the matrix square.
fn completed(u: &Edge) -> Result<Edge> {
    let b = face();
    let rank = u.shape().len();
    let (rows, columns) = (u.shape()[rank - 2], u.shape()[rank - 1]);
    let q = &b.emit(Op::Linalg(LinalgOp::Qr { full: true }), std::slice::from_ref(u))?[0];
    let rest = b.narrow(q, rank - 1, columns, rows - columns)?;
    b.one(Op::Concat { axis: rank - 1 }, &[u.clone(), rest])
}
