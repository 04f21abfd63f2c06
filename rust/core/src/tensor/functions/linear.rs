//! Products.

use super::Row;
use super::promote::unify;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::shape::Shape;
use crate::tensor::face::face;

pub(super) const ROWS: &[Row] = &[
    ("matmul", |c| {
        let (a, b) = unify(c.name, c.edge(0)?, c.edge(1)?)?;
        Ok(vec![matmul(&a, &b)?])
    }),
    ("linear", |c| Ok(vec![linear(&c.edge(0)?, &c.edge(1)?, c.maybe_edge(2)?.as_ref())?])),
];

/// Product of matrices; 1-d operands are rows and columns, leading axes broadcast.
pub(crate) fn matmul(a: &Edge, b: &Edge) -> Result<Edge> {
    let f = face();
    let (ra, rb) = (a.shape().len(), b.shape().len());
    if ra == 0 || rb == 0 {
        let got = format!("{} and {}", a.shape(), b.shape());
        return Err(Error::shape("matmul", "operands with at least one axis", got));
    }
    let left = if ra == 1 { f.reshape(a, &[1, a.shape()[0]].into())? } else { a.clone() };
    let right = if rb == 1 { f.reshape(b, &[b.shape()[0], 1].into())? } else { b.clone() };
    let (ls, rs) = (left.shape().clone(), right.shape().clone());
    if ls[ls.len() - 1] != rs[rs.len() - 2] {
        let got = format!("{} and {}", a.shape(), b.shape());
        return Err(Error::shape("matmul", "inner sizes that match: lhs[-1] == rhs[-2]", got));
    }
    let product = if rs.len() == 2 && ls.len() > 2 {
        // One tall product instead of many small ones.
        let rows: usize = ls[..ls.len() - 1].iter().product();
        let tall = f.reshape(&left, &[rows, ls[ls.len() - 1]].into())?;
        f.reshape(&f.matmul(&tall, &right)?, &ls.with(ls.len() - 1, rs[1]))?
    } else {
        let batch = Shape::broadcast("matmul", &ls[..ls.len() - 2].into(), &rs[..rs.len() - 2].into())?;
        let widen = |e: &Edge| {
            let matrix = &e.shape()[e.shape().len() - 2..];
            f.expand(e, &batch.iter().chain(matrix).copied().collect())
        };
        f.matmul(&widen(&left)?, &widen(&right)?)?
    };
    let rank = product.shape().len();
    let mut gone = vec![];
    if ra == 1 {
        gone.push(rank - 2);
    }
    if rb == 1 {
        gone.push(rank - 1);
    }
    f.reshape(&product, &product.shape().reduced(&gone, false))
}

/// `x W^T + b`.
pub(crate) fn linear(x: &Edge, weight: &Edge, bias: Option<&Edge>) -> Result<Edge> {
    let f = face();
    let fits = weight.shape().len() == 2 && x.shape().last() == Some(&weight.shape()[1]);
    if !fits {
        return Err(Error::shape(
            "linear",
            "input [..., in] and weight [out, in]",
            format!("input {} and weight {}", x.shape(), weight.shape()),
        ));
    }
    let y = matmul(x, &f.transpose(weight)?)?;
    match bias {
        None => Ok(y),
        Some(bias) if *bias.shape() == [weight.shape()[0]].into() => f.add(&y, &f.expand(bias, y.shape())?),
        Some(bias) => {
            Err(Error::shape("linear", format!("a bias of shape ({},)", weight.shape()[0]), bias.shape().to_string()))
        }
    }
}
