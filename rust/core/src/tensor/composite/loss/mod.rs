//! Losses, one family a file. Shapes that would broadcast by accident are errors.

mod binary;
mod classes;
mod correlation;
mod ctc;
mod embedding;
mod focal;
mod likelihood;
mod margin;
mod portfolio;
mod quantile;
mod regression;
mod routing;

pub use binary::{bce, bce_with_logits, multilabel_soft_margin, soft_margin};
pub use classes::{CrossEntropy, cross_entropy, nll};
pub use correlation::{correlation, spearman};
pub use ctc::{Ctc, ctc};
pub use embedding::{Triplet, cosine_embedding, hinge_embedding, ranking, triplet, triplet_of_distances};
pub use focal::focal;
pub use likelihood::{Poisson, gaussian_nll, kl_div, poisson_nll};
pub use margin::{multi_margin, multilabel_margin};
pub use portfolio::sharpe;
pub use quantile::quantile;
pub use regression::{huber, l1, mse, smooth_l1};
pub use routing::routing_diversity;

use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::ReduceOp;
use crate::shape::Shape;
use crate::tensor::face::face;

/// `none`, `mean` or `sum` over all elements.
pub fn reduce(op: &str, x: &Edge, reduction: &str) -> Result<Edge> {
    match reduction {
        "none" => Ok(x.clone()),
        "sum" => total(x),
        "mean" => average(x, &(0..x.shape().len()).collect::<Vec<_>>()),
        _ => Err(Error::value(op, "reduction to be \"none\", \"mean\" or \"sum\"", format!("{reduction:?}"))),
    }
}

/// `reduce` of weighted losses; the mean is divided by the sum of the weights.
fn weigh(op: &str, x: &Edge, weight: Option<&Edge>, reduction: &str) -> Result<Edge> {
    let Some(weight) = weight else { return reduce(op, x, reduction) };
    let weight = spread(op, weight, x)?;
    let weighted = face().mul(x, &weight)?;
    if reduction == "mean" {
        face().div(&total(&weighted)?, &total(&weight)?)
    } else {
        reduce(op, &weighted, reduction)
    }
}

/// A weight with the shape and dtype of what it weighs.
fn spread(op: &str, weight: &Edge, like: &Edge) -> Result<Edge> {
    let weight = face().cast(weight, like.dtype())?;
    match Shape::broadcast(op, weight.shape(), like.shape()) {
        Ok(shape) if shape == *like.shape() => face().expand(&weight, &shape),
        _ => Err(Error::shape(op, format!("weights that broadcast to {}", like.shape()), weight.shape().to_string())),
    }
}

/// Sum of all elements.
fn total(x: &Edge) -> Result<Edge> {
    face().reduce(ReduceOp::Sum, x, &(0..x.shape().len()).collect::<Vec<_>>())
}

/// Mean over axes, which disappear.
fn average(x: &Edge, axes: &[usize]) -> Result<Edge> {
    let count: usize = axes.iter().map(|&a| x.shape()[a]).product();
    let sum = face().reduce(ReduceOp::Sum, x, axes)?;
    face().div(&sum, &face().full_like(&sum, count as f64)?)
}

/// One floating dtype for two tensors.
fn unified(op: &str, x: &Edge, y: &Edge) -> Result<(Edge, Edge)> {
    let dtype = DType::promote(op, x.dtype(), y.dtype())?;
    let dtype = if dtype.is_float() { dtype } else { DType::F32 };
    Ok((face().cast(x, dtype)?, face().cast(y, dtype)?))
}

/// One floating dtype and one shape, or an error.
fn aligned(op: &str, input: &Edge, target: &Edge) -> Result<(Edge, Edge)> {
    if input.shape() == target.shape() {
        return unified(op, input, target);
    }
    Err(Error::shape(
        op,
        "input and target of one shape; reshape one of them, a loss never broadcasts",
        format!("{} and {}", input.shape(), target.shape()),
    ))
}
