//! Losses. Shapes that would broadcast by accident are errors.

use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{CompareOp, Op, ReduceOp, UnaryOp};
use crate::shape::Shape;
use crate::tensor::composite::activation::log_softmax;
use crate::tensor::face::face;

/// `none`, `mean` or `sum` over all elements.
pub fn reduce(op: &str, x: &Edge, reduction: &str) -> Result<Edge> {
    let b = face();
    let axes: Vec<usize> = (0..x.shape().len()).collect();
    match reduction {
        "none" => Ok(x.clone()),
        "sum" => b.reduce(ReduceOp::Sum, x, &axes),
        "mean" => {
            let sum = b.reduce(ReduceOp::Sum, x, &axes)?;
            b.div(&sum, &b.full_like(&sum, x.shape().numel() as f64)?)
        }
        _ => Err(Error::value(op, "reduction to be \"none\", \"mean\" or \"sum\"", format!("{reduction:?}"))),
    }
}

/// One floating dtype and one shape, or an error.
fn aligned(op: &str, input: &Edge, target: &Edge) -> Result<(Edge, Edge)> {
    if input.shape() != target.shape() {
        return Err(Error::shape(
            op,
            "input and target of one shape; reshape one of them, a loss never broadcasts",
            format!("{} and {}", input.shape(), target.shape()),
        ));
    }
    let dtype = DType::promote(op, input.dtype(), target.dtype())?;
    let dtype = if dtype.is_float() { dtype } else { DType::F32 };
    Ok((face().cast(input, dtype)?, face().cast(target, dtype)?))
}

/// Mean squared error.
pub fn mse(input: &Edge, target: &Edge, reduction: &str) -> Result<Edge> {
    let (input, target) = aligned("mse_loss", input, target)?;
    let error = face().sub(&input, &target)?;
    reduce("mse_loss", &face().mul(&error, &error)?, reduction)
}

/// `max(x, 0) - x y + log(1 + exp(-|x|))`, with the positive part weighted by `pos_weight`.
pub fn bce_with_logits(
    input: &Edge,
    target: &Edge,
    weight: Option<&Edge>,
    pos_weight: Option<&Edge>,
    reduction: &str,
) -> Result<Edge> {
    const OP: &str = "binary_cross_entropy_with_logits";
    let b = face();
    let (x, y) = aligned(OP, input, target)?;
    let spread = |w: &Edge| {
        let w = b.cast(w, x.dtype())?;
        match Shape::broadcast(OP, w.shape(), x.shape()) {
            Ok(shape) if shape == *x.shape() => b.expand(&w, &shape),
            _ => Err(Error::shape(OP, format!("weights that broadcast to {}", x.shape()), w.shape().to_string())),
        }
    };
    // softplus(-x) = max(-x, 0) + log(1 + exp(-|x|)); loss = (1 - y) x + (1 + (p - 1) y) softplus(-x).
    // Maximum and magnitude choose by one condition, so that the corners of both cancel in every derivative.
    let (negative, zero) = (b.neg(&x)?, b.full_like(&x, 0.0)?);
    let below = b.compare(CompareOp::Less, &x, &zero)?;
    let magnitude = b.select(&below, &negative, &x)?;
    let tail = b.unary(UnaryOp::Log1p, &b.unary(UnaryOp::Exp, &b.neg(&magnitude)?)?)?;
    let softplus = b.add(&b.select(&below, &negative, &zero)?, &tail)?;
    let factor = match pos_weight {
        Some(p) => Some(b.shift(&b.mul(&b.shift(&spread(p)?, -1.0)?, &y)?, 1.0)?),
        None => None,
    };
    let weighted = factor.map_or_else(|| Ok(softplus.clone()), |f| b.mul(&f, &softplus))?;
    let mut loss = b.add(&b.mul(&b.shift(&b.neg(&y)?, 1.0)?, &x)?, &weighted)?;
    if let Some(weight) = weight {
        loss = b.mul(&loss, &spread(weight)?)?;
    }
    reduce(OP, &loss, reduction)
}

/// Options of [`cross_entropy`].
#[derive(Clone, Debug)]
pub struct CrossEntropy {
    /// Weight of each class.
    pub weight: Option<Edge>,
    /// Class that counts for nothing.
    pub ignore_index: i64,
    /// Share of each target that is spread over all classes.
    pub label_smoothing: f64,
    /// `none`, `mean` or `sum`; the mean is weighted by the class weights.
    pub reduction: String,
}

/// `-log softmax(input)[target]`: input `[N, C, ...]` or `[C]`, target classes `[N, ...]` or probabilities like the input.
pub fn cross_entropy(input: &Edge, target: &Edge, options: &CrossEntropy) -> Result<Edge> {
    const OP: &str = "cross_entropy";
    let rank = input.shape().len();
    if rank == 0 || !input.dtype().is_float() {
        let got = format!("{} {}", input.dtype(), input.shape());
        return Err(Error::shape(OP, "floating input [N, C, ...] or [C]", got));
    }
    if !(0.0..=1.0).contains(&options.label_smoothing) {
        return Err(Error::value(OP, "label_smoothing in [0, 1]", options.label_smoothing.to_string()));
    }
    let axis = usize::from(rank > 1);
    let classes = input.shape()[axis];
    if let Some(weight) = &options.weight
        && *weight.shape() != [classes].into()
    {
        return Err(Error::shape(OP, format!("a weight of shape ({classes},)"), weight.shape().to_string()));
    }
    let log = log_softmax(input, axis)?;
    if target.dtype().is_float() {
        return probabilities(&log, target, axis, options);
    }
    let positions = input.shape().reduced(&[axis], false);
    if *target.shape() != positions {
        return Err(Error::shape(
            OP,
            format!("class indices of shape {positions}, or probabilities of shape {}", input.shape()),
            target.shape().to_string(),
        ));
    }
    class_indices(&log, target, axis, options)
}

/// Weight of each class, ready to multiply `log`.
fn class_weights(log: &Edge, axis: usize, weight: &Edge) -> Result<Edge> {
    let b = face();
    let column: Shape = (0..log.shape().len()).map(|a| if a == axis { weight.shape().numel() } else { 1 }).collect();
    b.expand(&b.reshape(&b.cast(weight, log.dtype())?, &column)?, log.shape())
}

fn probabilities(log: &Edge, target: &Edge, axis: usize, options: &CrossEntropy) -> Result<Edge> {
    const OP: &str = "cross_entropy";
    let b = face();
    let (log, mut target) = aligned(OP, log, target)?;
    let classes = log.shape()[axis] as f64;
    if options.label_smoothing > 0.0 {
        let kept = b.scale(&target, 1.0 - options.label_smoothing)?;
        target = b.shift(&kept, options.label_smoothing / classes)?;
    }
    let mut terms = b.mul(&target, &log)?;
    if let Some(weight) = &options.weight {
        terms = b.mul(&terms, &class_weights(&log, axis, weight)?)?;
    }
    let loss = b.neg(&b.reduce(ReduceOp::Sum, &terms, &[axis])?)?;
    reduce(OP, &loss, &options.reduction)
}

fn class_indices(log: &Edge, target: &Edge, axis: usize, options: &CrossEntropy) -> Result<Edge> {
    const OP: &str = "cross_entropy";
    let b = face();
    let target = b.cast(target, DType::I64)?;
    let ignored = b.compare(CompareOp::Equal, &target, &b.full_like(&target, options.ignore_index as f64)?)?;
    let safe = b.select(&ignored, &b.full_like(&target, 0.0)?, &target)?;
    // The pick below reads a flattened table, where an index outside its row would reach a neighbour.
    let check = Op::CheckIndex { name: OP.into(), size: log.shape()[axis] };
    let safe = b.one(check, &[safe])?;
    let zero = b.full_like(&pick(log, &safe, axis)?, 0.0)?;
    let weighted = match &options.weight {
        Some(weight) => b.mul(log, &class_weights(log, axis, weight)?)?,
        None => log.clone(),
    };
    let chosen = b.neg(&pick(&weighted, &safe, axis)?)?;
    let mut loss = chosen;
    if options.label_smoothing > 0.0 {
        let share = options.label_smoothing / log.shape()[axis] as f64;
        let all = b.neg(&b.reduce(ReduceOp::Sum, &weighted, &[axis])?)?;
        loss = b.add(&b.scale(&loss, 1.0 - options.label_smoothing)?, &b.scale(&all, share)?)?;
    }
    let loss = b.select(&ignored, &zero, &loss)?;
    if options.reduction != "mean" {
        return reduce(OP, &loss, &options.reduction);
    }
    let one = b.full_like(&zero, 1.0)?;
    let weight = match &options.weight {
        Some(weight) => b.one(Op::Gather { axis: 0 }, &[b.cast(weight, log.dtype())?, safe])?,
        None => one,
    };
    let counted = b.select(&ignored, &zero, &weight)?;
    b.div(&reduce(OP, &loss, "sum")?, &reduce(OP, &counted, "sum")?)
}

/// The element of class `index` at each position: a gather from the flattened tensor.
fn pick(x: &Edge, index: &Edge, axis: usize) -> Result<Edge> {
    let b = face();
    let classes = x.shape()[axis];
    let rank = x.shape().len();
    let mut perm: Vec<usize> = (0..rank).filter(|&a| a != axis).collect();
    perm.push(axis);
    let rows = index.shape().numel();
    let flat = b.reshape(&b.permute(x, &perm)?, &[rows * classes].into())?;
    let row = b.reshape(&b.source(Op::Iota { length: rows }, x.node.device)?, index.shape())?;
    let place = b.add(&b.scale(&row, classes as f64)?, index)?;
    b.one(Op::Gather { axis: 0 }, &[flat, place])
}
