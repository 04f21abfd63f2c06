//! Rows of activations, distances and dropout; their formulas live in `composite`.

use super::Row;
use super::promote::{broadcast, floating, unify};
use crate::error::Result;
use crate::ir::node::Edge;
use crate::shape::Shape;
use crate::tensor::args::Call;
use crate::tensor::composite::{activation as a, distance, dropout};
use crate::tensor::face::face;

pub(super) const ROWS: &[Row] = &[
    ("relu", |c| Ok(vec![a::relu(&c.edge(0)?)?])),
    ("relu6", |c| Ok(vec![a::relu6(&c.edge(0)?)?])),
    ("hardtanh", |c| Ok(vec![a::hardtanh(&real(c)?, c.float("min_val", -1.0)?, c.float("max_val", 1.0)?)?])),
    ("threshold", |c| Ok(vec![a::threshold(&real(c)?, c.float("threshold", 0.0)?, c.float("value", 0.0)?)?])),
    ("leaky_relu", |c| Ok(vec![a::leaky_relu(&real(c)?, c.float("negative_slope", 0.01)?)?])),
    ("prelu", |c| Ok(vec![a::prelu(&real(c)?, &floating(&c.edge(1)?)?)?])),
    ("rrelu", |c| {
        let (lower, upper) = (c.float("lower", 1.0 / 8.0)?, c.float("upper", 1.0 / 3.0)?);
        Ok(vec![a::rrelu(&real(c)?, lower, upper, c.flag("training", false)?)?])
    }),
    ("elu", |c| Ok(vec![a::elu(&real(c)?, c.float("alpha", 1.0)?)?])),
    ("selu", |c| Ok(vec![a::selu(&real(c)?)?])),
    ("celu", |c| Ok(vec![a::celu(&real(c)?, c.float("alpha", 1.0)?)?])),
    ("softplus", |c| Ok(vec![a::softplus(&real(c)?, c.float("beta", 1.0)?, c.float("threshold", 20.0)?)?])),
    ("logsigmoid", |c| Ok(vec![a::log_sigmoid(&real(c)?)?])),
    ("gelu", |c| Ok(vec![a::gelu(&real(c)?, &c.text("approximate", "none")?)?])),
    ("silu", |c| Ok(vec![a::silu(&real(c)?)?])),
    ("mish", |c| Ok(vec![a::mish(&real(c)?)?])),
    ("hardsigmoid", |c| Ok(vec![a::hard_sigmoid(&real(c)?)?])),
    ("hardswish", |c| Ok(vec![a::hard_swish(&real(c)?)?])),
    ("glu", |c| along(c, a::glu)),
    ("softsign", |c| Ok(vec![a::softsign(&real(c)?)?])),
    ("tanhshrink", |c| Ok(vec![a::tanh_shrink(&real(c)?)?])),
    ("softshrink", |c| Ok(vec![a::soft_shrink(&real(c)?, c.float("lambd", 0.5)?)?])),
    ("hardshrink", |c| Ok(vec![a::hard_shrink(&real(c)?, c.float("lambd", 0.5)?)?])),
    ("softmax", |c| along(c, a::softmax)),
    ("log_softmax", |c| along(c, a::log_softmax)),
    ("softmin", |c| along(c, a::softmin)),
    ("normalize", |c| {
        let x = real(c)?;
        let axes = Shape::axes(c.name, &c.maybe_ints("axis")?.unwrap_or_else(|| vec![1]), x.shape().len())?;
        Ok(vec![distance::normalize(&x, c.float("p", 2.0)?, &axes, c.float("eps", 1e-12)?)?])
    }),
    ("cosine_similarity", |c| {
        let (x, y) = couple(c)?;
        let axis = c.axis("axis", 1, x.shape().len())?;
        Ok(vec![distance::cosine_similarity(&x, &y, axis, c.float("eps", 1e-8)?)?])
    }),
    ("pairwise_distance", |c| {
        let (x, y) = couple(c)?;
        let (p, eps, keepdims) = (c.float("p", 2.0)?, c.float("eps", 1e-6)?, c.flag("keepdims", false)?);
        Ok(vec![distance::pairwise_distance(&x, &y, p, eps, keepdims)?])
    }),
    ("dropout", |c| Ok(vec![dropout::dropout(&c.edge(0)?, c.float("p", 0.5)?, c.flag("training", true)?)?])),
    ("channel_dropout", |c| {
        let (x, leading) = (c.edge(0)?, usize::try_from(c.int("leading", 2)?).unwrap_or(0));
        let name = c.text("caller", c.name)?;
        Ok(vec![dropout::channel_dropout(&name, &x, leading, c.float("p", 0.5)?, c.flag("training", true)?)?])
    }),
    ("alpha_dropout", |c| {
        let leading = c.maybe_int("leading")?.and_then(|n| usize::try_from(n).ok());
        let (p, training) = (c.float("p", 0.5)?, c.flag("training", false)?);
        Ok(vec![dropout::alpha_dropout(&c.text("caller", c.name)?, &real(c)?, leading, p, training)?])
    }),
];

fn real(c: &Call<'_>) -> Result<Edge> {
    floating(&c.edge(0)?)
}

fn along(c: &Call<'_>, function: fn(&Edge, usize) -> Result<Edge>) -> Result<Vec<Edge>> {
    let x = real(c)?;
    if x.shape().is_empty() {
        // One number is a line of one, as in torch.
        let axis = c.axis("axis", -1, 1)?;
        let line = face().reshape(&x, &[1].into())?;
        return Ok(vec![face().reshape(&function(&line, axis)?, x.shape())?]);
    }
    Ok(vec![function(&x, c.axis("axis", -1, x.shape().len())?)?])
}

/// Two floating tensors of one dtype and shape.
fn couple(c: &Call<'_>) -> Result<(Edge, Edge)> {
    let (x, y) = unify(c.name, floating(&c.edge(0)?)?, floating(&c.edge(1)?)?)?;
    broadcast(c.name, x, y)
}
