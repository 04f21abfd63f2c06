//! Losses of scores, or logarithms of probabilities, against classes.

use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{CompareOp, Op, ReduceOp};
use crate::shape::Shape;
use crate::tensor::composite::activation::log_softmax;
use crate::tensor::composite::loss::{aligned, reduce};
use crate::tensor::composite::piecewise::{replace, versus};
use crate::tensor::face::face;

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
    let axis = class_axis(OP, input, options.weight.as_ref())?;
    if !(0.0..=1.0).contains(&options.label_smoothing) {
        return Err(Error::value(OP, "label_smoothing in [0, 1]", options.label_smoothing.to_string()));
    }
    let log = log_softmax(input, axis)?;
    if target.dtype().is_float() {
        return probabilities(&log, target, axis, options);
    }
    let rule = format!("or probabilities of shape {}", input.shape());
    class_indices(OP, &log, &classes(OP, input, target, axis, &rule)?, axis, options)
}

/// `-input[target]`: log-probabilities `[N, C, ...]` or `[C]`, classes `[N, ...]`.
pub fn nll(input: &Edge, target: &Edge, options: &CrossEntropy) -> Result<Edge> {
    const OP: &str = "nll_loss";
    let axis = class_axis(OP, input, options.weight.as_ref())?;
    class_indices(OP, input, &classes(OP, input, target, axis, "one for each position")?, axis, options)
}

/// The axis of the classes, once input and weight fit.
fn class_axis(op: &str, input: &Edge, weight: Option<&Edge>) -> Result<usize> {
    let rank = input.shape().len();
    if rank == 0 || !input.dtype().is_float() {
        let got = format!("{} {}", input.dtype(), input.shape());
        return Err(Error::shape(op, "floating input [N, C, ...] or [C]", got));
    }
    let axis = usize::from(rank > 1);
    let classes = input.shape()[axis];
    match weight {
        Some(weight) if *weight.shape() != [classes].into() => {
            Err(Error::shape(op, format!("a weight of shape ({classes},)"), weight.shape().to_string()))
        }
        _ => Ok(axis),
    }
}

/// Integer classes with the shape of the input without its classes.
fn classes(op: &str, input: &Edge, target: &Edge, axis: usize, rule: &str) -> Result<Edge> {
    let positions = input.shape().reduced(&[axis], false);
    if *target.shape() != positions || !target.dtype().is_integer() {
        let got = format!("{} {}", target.dtype(), target.shape());
        return Err(Error::shape(op, format!("integer class indices of shape {positions}, {rule}"), got));
    }
    face().cast(target, DType::I64)
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

fn class_indices(op: &str, log: &Edge, target: &Edge, axis: usize, options: &CrossEntropy) -> Result<Edge> {
    let b = face();
    let ignored = versus(CompareOp::Equal, target, options.ignore_index as f64)?;
    let safe = checked(op, &replace(&ignored, 0.0, target)?, log.shape()[axis])?;
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
        return reduce(op, &loss, &options.reduction);
    }
    let one = b.full_like(&zero, 1.0)?;
    let weight = match &options.weight {
        Some(weight) => b.one(Op::Gather { axis: 0 }, &[b.cast(weight, log.dtype())?, safe])?,
        None => one,
    };
    let counted = b.select(&ignored, &zero, &weight)?;
    b.div(&reduce(op, &loss, "sum")?, &reduce(op, &counted, "sum")?)
}

/// Indices of `[0, size)`, or an error that names the loss.
pub(super) fn checked(op: &str, index: &Edge, size: usize) -> Result<Edge> {
    face().one(Op::CheckIndex { name: op.into(), size }, std::slice::from_ref(index))
}

/// The element of class `index` at each position: a gather from the flattened tensor.
///
/// An index outside its row would reach a neighbour, so indices are checked before.
pub(super) fn pick(x: &Edge, index: &Edge, axis: usize) -> Result<Edge> {
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
