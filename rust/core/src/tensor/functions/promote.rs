//! Python's view of operands: weak scalars, mixed dtypes, broadcasting.

use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::ir::node::Edge;
use crate::shape::Shape;
use crate::tensor::args::{Arg, Call};
use crate::tensor::face::{everywhere, face};

/// Two operands of one dtype and shape.
pub(super) fn pair(c: &Call<'_>) -> Result<(Edge, Edge)> {
    let (a, b) = typed_pair(c)?;
    broadcast(c.name, a, b)
}

/// Two operands of one dtype.
pub(super) fn typed_pair(c: &Call<'_>) -> Result<(Edge, Edge)> {
    match (c.args.first(), c.args.get(1)) {
        (Some(Arg::Edge(a)), Some(Arg::Scalar(s))) => beside(c.name, a, *s),
        (Some(Arg::Scalar(s)), Some(Arg::Edge(b))) => beside(c.name, b, *s).map(|(b, a)| (a, b)),
        _ => unify(c.name, c.edge(0)?, c.edge(1)?),
    }
}

fn beside(op: &str, tensor: &Edge, scalar: Scalar) -> Result<(Edge, Edge)> {
    let dtype = scalar.weak_dtype(op, tensor.dtype())?;
    Ok((face().cast(tensor, dtype)?, everywhere(scalar, tensor.shape(), dtype, tensor.node.device)?))
}

/// Cast two tensors to their common dtype.
pub(super) fn unify(op: &str, a: Edge, b: Edge) -> Result<(Edge, Edge)> {
    if a.dtype() == b.dtype() {
        return Ok((a, b));
    }
    let dtype = DType::promote(op, a.dtype(), b.dtype())?;
    Ok((face().cast(&a, dtype)?, face().cast(&b, dtype)?))
}

/// Repeat two tensors to their common shape.
pub(super) fn broadcast(op: &str, a: Edge, b: Edge) -> Result<(Edge, Edge)> {
    if a.shape() == b.shape() {
        return Ok((a, b));
    }
    let shape = Shape::broadcast(op, a.shape(), b.shape())?;
    Ok((face().expand(&a, &shape)?, face().expand(&b, &shape)?))
}

/// The tensor as floats: integers and bools become float32.
pub(super) fn floating(x: &Edge) -> Result<Edge> {
    if x.dtype().is_float() { Ok(x.clone()) } else { face().cast(x, DType::F32) }
}
