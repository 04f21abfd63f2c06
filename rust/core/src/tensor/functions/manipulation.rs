//! Functions that move, pick and join elements.

use super::Row;
use super::promote::unify;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{CompareOp, Op};
use crate::shape::Shape;
use crate::tensor::args::Call;
use crate::tensor::face::face;

pub(super) const ROWS: &[Row] = &[
    ("reshape", reshape),
    ("permute_dims", permute),
    ("matrix_transpose", |c| matrix_transpose(c)),
    ("expand_dims", expand_dims),
    ("squeeze", squeeze),
    ("broadcast_to", |c| Ok(vec![face().expand(&c.edge(0)?, &c.shape("shape")?)?])),
    ("flip", |c| c.edge(0).and_then(|x| Ok(vec![face().flip(&x, &c.axes("axis", x.shape().len())?)?]))),
    ("astype", |c| astype(c)),
    ("slice", slice),
    ("pad", pad),
    ("concat", concat),
    ("take", take),
    ("take_along_axis", take_along_axis),
    ("put", put),
];

/// One size may be -1: what is left over.
fn reshape(c: &Call<'_>) -> Result<Vec<Edge>> {
    let x = c.edge(0)?;
    let mut sizes = c.ints("shape")?;
    let open: Vec<usize> = (0..sizes.len()).filter(|&i| sizes[i] == -1).collect();
    let known: i64 = sizes.iter().filter(|&&s| s != -1).product();
    let numel = x.shape().numel() as i64;
    let got = || format!("{:?} for a tensor of shape {}", c.ints("shape").unwrap_or_default(), x.shape());
    match open.as_slice() {
        [] => {}
        [one] if known > 0 && numel % known == 0 => sizes[*one] = numel / known,
        _ => return Err(Error::shape(c.name, format!("a shape with {numel} elements, at most one size -1"), got())),
    }
    let shape: Option<Vec<usize>> = sizes.iter().map(|&s| usize::try_from(s).ok()).collect();
    let Some(shape) = shape else {
        return Err(Error::shape(c.name, "sizes of at least 0, at most one -1", got()));
    };
    Ok(vec![face().reshape(&x, &shape.into())?])
}

fn permute(c: &Call<'_>) -> Result<Vec<Edge>> {
    let x = c.edge(0)?;
    let rank = x.shape().len();
    let axes = c.ints("axes")?;
    let perm: Vec<usize> = axes.iter().map(|&a| Shape::axis(c.name, a, rank)).collect::<Result<_>>()?;
    if perm.len() != rank {
        return Err(Error::value(c.name, format!("each of the {rank} axes once"), format!("{axes:?}")));
    }
    Ok(vec![face().permute(&x, &perm)?])
}

fn matrix_transpose(c: &Call<'_>) -> Result<Vec<Edge>> {
    let x = c.edge(0)?;
    if x.shape().len() < 2 {
        return Err(Error::shape(c.name, "a tensor with at least two axes", x.shape().to_string()));
    }
    Ok(vec![face().transpose(&x)?])
}

fn expand_dims(c: &Call<'_>) -> Result<Vec<Edge>> {
    let x = c.edge(0)?;
    let axis = c.axis("axis", 0, x.shape().len() + 1)?;
    let mut shape = x.shape().to_vec();
    shape.insert(axis, 1);
    Ok(vec![face().reshape(&x, &shape.into())?])
}

fn squeeze(c: &Call<'_>) -> Result<Vec<Edge>> {
    let x = c.edge(0)?;
    let axes = c.axes("axis", x.shape().len())?;
    if let Some(&axis) = axes.iter().find(|&&a| x.shape()[a] != 1) {
        return Err(Error::shape(c.name, format!("size 1 on axis {axis}"), x.shape().to_string()));
    }
    Ok(vec![face().reshape(&x, &x.shape().reduced(&axes, false))?])
}

fn astype(c: &Call<'_>) -> Result<Vec<Edge>> {
    let x = c.edge(0)?;
    Ok(vec![face().cast(&x, c.maybe_dtype("dtype")?.unwrap_or(x.dtype()))?])
}

fn unsigned(c: &Call<'_>, key: &str) -> Result<Vec<usize>> {
    Ok(c.shape(key)?.to_vec())
}

fn slice(c: &Call<'_>) -> Result<Vec<Edge>> {
    let x = c.edge(0)?;
    let steps: Vec<isize> = c.ints("steps")?.into_iter().map(|s| s as isize).collect();
    Ok(vec![face().slice(&x, unsigned(c, "starts")?, unsigned(c, "sizes")?, steps)?])
}

/// A border of `value`; `interior` elements between neighbours.
fn pad(c: &Call<'_>) -> Result<Vec<Edge>> {
    let x = c.edge(0)?;
    let value = Scalar::Float(c.float("value", 0.0)?);
    let interior =
        c.maybe_ints("interior")?.map_or_else(|| Ok(vec![0; x.shape().len()]), |_| unsigned(c, "interior"))?;
    let (low, high) = (unsigned(c, "low")?, unsigned(c, "high")?);
    let rank = x.shape().len();
    if [&low, &high, &interior].iter().any(|amounts| amounts.len() != rank) {
        let rule = format!("one amount of low, high and interior for each of {rank} axes");
        return Err(Error::value(c.name, rule, format!("{low:?}, {high:?} and {interior:?}")));
    }
    let op = Op::Pad { low, high, interior, value };
    Ok(vec![face().one(op, &[x])?])
}

/// Tensors one after the other; dtypes promote. Without an axis they are flattened.
fn concat(c: &Call<'_>) -> Result<Vec<Edge>> {
    let mut parts = c.edges()?;
    let Some(first) = parts.first().cloned() else {
        return Err(Error::value(c.name, "at least one tensor", "none"));
    };
    let mut dtype = first.dtype();
    for part in &parts {
        dtype = DType::promote(c.name, dtype, part.dtype())?;
    }
    let flat = c.flag("flatten", false)?;
    for part in &mut parts {
        *part = face().cast(part, dtype)?;
        if flat {
            *part = face().reshape(part, &[part.shape().numel()].into())?;
        }
    }
    let axis = if flat { 0 } else { c.axis("axis", 0, first.shape().len())? };
    Ok(vec![face().one(Op::Concat { axis }, &parts)?])
}

/// Indices as i64 with negative ones counted from the end.
fn wrapped(c: &Call<'_>, index: &Edge, size: usize) -> Result<Edge> {
    if !index.dtype().is_integer() {
        return Err(Error::dtype(c.name, "integer indices", index.dtype().to_string()));
    }
    let b = face();
    let index = b.cast(index, DType::I64)?;
    let below = b.compare(CompareOp::Less, &index, &b.full_like(&index, 0.0)?)?;
    b.select(&below, &b.shift(&index, size as f64)?, &index)
}

fn take(c: &Call<'_>) -> Result<Vec<Edge>> {
    let x = c.edge(0)?;
    let axis = c.axis("axis", 0, x.shape().len())?;
    let index = wrapped(c, &c.edge(1)?, x.shape()[axis])?;
    Ok(vec![face().one(Op::Gather { axis }, &[x, index])?])
}

/// `x` with the element at `index` along `axis` for each position of `index`: one gather from the flattened tensor.
fn take_along_axis(c: &Call<'_>) -> Result<Vec<Edge>> {
    let b = face();
    let (x, index) = (c.edge(0)?, c.edge(1)?);
    let rank = x.shape().len();
    let axis = c.axis("axis", -1, rank)?;
    let fits = index.shape().len() == rank
        && (0..rank).all(|a| a == axis || index.shape()[a] == x.shape()[a] || index.shape()[a] == 1);
    if !fits {
        let got = format!("{} for a tensor of shape {}", index.shape(), x.shape());
        return Err(Error::shape(c.name, format!("indices of the tensor's sizes outside axis {axis}"), got));
    }
    let shape = x.shape().with(axis, index.shape()[axis]);
    let index = b.expand(&wrapped(c, &index, x.shape()[axis])?, &shape)?;
    let flat = b.flat_places(&index, axis, x.shape())?;
    let elements = b.reshape(&x, &[x.shape().numel()].into())?;
    Ok(vec![b.one(Op::Gather { axis: 0 }, &[elements, flat])?])
}

/// `x` with `values` at the flat positions `index` (distinct): a scatter of values, and a mask for what stays.
fn put(c: &Call<'_>) -> Result<Vec<Edge>> {
    let b = face();
    let (x, index) = (c.edge(0)?, c.edge(1)?);
    let values = b.cast(&unify(c.name, c.edge(2)?, x.clone())?.0, x.dtype())?;
    let values = b.expand(&values, index.shape())?;
    let numel = x.shape().numel();
    let index = wrapped(c, &index, numel)?;
    let flat: Shape = [numel].into();
    let base = b.reshape(&x, &flat)?;
    let zeros = |dtype| b.source(Op::Fill { value: Scalar::Int(0), shape: flat.clone(), dtype }, x.node.device);
    let hit = b.one(Op::ScatterAdd { axis: 0 }, &[zeros(DType::I64)?, index.clone(), b.full_like(&index, 1.0)?])?;
    let hit = b.cast(&hit, DType::Bool)?;
    let numeric = if x.dtype() == DType::Bool { DType::I64 } else { x.dtype() };
    let placed = b.one(Op::ScatterAdd { axis: 0 }, &[zeros(numeric)?, index, b.cast(&values, numeric)?])?;
    let placed = b.cast(&placed, x.dtype())?;
    Ok(vec![b.reshape(&b.select(&hit, &placed, &base)?, x.shape())?])
}
