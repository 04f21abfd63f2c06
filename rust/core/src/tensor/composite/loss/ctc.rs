//! Connectionist temporal classification. Source: Graves et al. 2006.
//!
//! The labels of an example, with a blank around each, are the places of a walk. Each turn of a loop holds, for every place,
//! the logarithm of the probability to stand there now: from the place itself, from the one before, and from the second
//! before where that is another label. Everything stays a logarithm, and an impossible place is -inf.

use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, CompareOp, CumulateOp, Op, ReduceOp, UnaryOp};
use crate::shape::Shape;
use crate::tensor::Tensor;
use crate::tensor::composite::loss::classes::checked;
use crate::tensor::composite::loss::reduce;
use crate::tensor::composite::piecewise::{at_least, detached, keep, replace, versus};
use crate::tensor::face::face;
use crate::tensor::scan::{Loop, scan};

const OP: &str = "ctc_loss";

/// Options of [`ctc`].
#[derive(Clone, Debug)]
pub struct Ctc {
    /// The class that stands for no label.
    pub blank: i64,
    /// Give 0 where no walk fits instead of infinity.
    pub zero_infinity: bool,
    /// The most labels of an example, where targets are concatenated and it is known.
    pub longest: Option<usize>,
    /// `none`, `sum`, or `mean`, which divides each loss by its number of labels first.
    pub reduction: String,
}

/// Minus the logarithm of the probability of the labels: log-probabilities `[T, N, C]` or `[T, C]`, targets `[N, S]` or
/// concatenated.
pub fn ctc(log: &Edge, targets: &Edge, input_lengths: &Edge, target_lengths: &Edge, options: &Ctc) -> Result<Edge> {
    let b = face();
    let (time, batch, classes) = match log.shape()[..] {
        [time, batch, classes] if log.dtype().is_float() => (time, batch, classes),
        [time, classes] if log.dtype().is_float() => (time, 1, classes),
        _ => {
            let rule = "floating log-probabilities (time, n, classes) or (time, classes)";
            return Err(Error::shape(OP, rule, format!("{} {}", log.dtype(), log.shape())));
        }
    };
    let blank = usize::try_from(options.blank).ok().filter(|&blank| blank < classes);
    let Some(blank) = blank else {
        return Err(Error::value(OP, format!("blank in [0, {classes})"), options.blank.to_string()));
    };
    let table = b.reshape(log, &[time, batch * classes].into())?;
    let steps = checked(OP, &lengths("input_lengths", input_lengths, batch)?, time + 1)?;
    let counts = lengths("target_lengths", target_lengths, batch)?;
    let labels = labels(targets, &counts, batch, options.longest)?;
    let counts = checked(OP, &counts, labels.shape()[1] + 1)?;
    let places = places(&labels, &counts, blank, classes)?;
    let width = places.shape()[1];

    let offset = b.scale(&iota(batch, log)?, classes as f64)?;
    let offset = b.expand(&b.reshape(&offset, &[batch, 1].into())?, places.shape())?;
    let seen = b.one(Op::Gather { axis: 1 }, &[table, b.add(&places, &offset)?])?;
    let running: Shape = [time, batch].into();
    let clock = b.expand(&b.reshape(&iota(time, log)?, &[time, 1].into())?, &running)?;
    let running = b.compare(CompareOp::Less, &clock, &b.expand(&steps, &running)?)?;

    let last = forward(&seen, &running, &skips(&places, blank)?)?;
    let end = b.expand(&b.reshape(&b.scale(&counts, 2.0)?, &[batch, 1].into())?, last.shape())?;
    let place = b.expand(&iota(width, log)?, last.shape())?;
    let ends = b.binary(
        BinaryOp::Or,
        &b.compare(CompareOp::Equal, &place, &end)?,
        &b.compare(CompareOp::Equal, &b.shift(&place, 1.0)?, &end)?,
    )?;
    let total = fold(&keep(&ends, &last, f64::NEG_INFINITY)?)?;
    let loss = b.add(&b.neg(&total)?, &normalisation(log, &running, classes)?)?;
    finish(&loss, &counts, log.shape().len() == 2, options)
}

fn iota(length: usize, like: &Edge) -> Result<Edge> {
    face().source(Op::Iota { length }, like.node.device)
}

fn lengths(name: &str, given: &Edge, batch: usize) -> Result<Edge> {
    if !given.dtype().is_integer() || given.shape().numel() != batch || given.shape().len() > 1 {
        let got = format!("{} {}", given.dtype(), given.shape());
        return Err(Error::shape(OP, format!("{name} of ({batch},) integers"), got));
    }
    face().reshape(&face().cast(given, DType::I64)?, &[batch].into())
}

/// Labels `[N, S]`; concatenated ones are gathered from where each example starts.
fn labels(targets: &Edge, counts: &Edge, batch: usize, longest: Option<usize>) -> Result<Edge> {
    let b = face();
    let total = targets.shape().numel();
    if !targets.dtype().is_integer() {
        return Err(Error::dtype(OP, "integer targets", targets.dtype().to_string()));
    }
    let targets = b.cast(targets, DType::I64)?;
    match targets.shape()[..] {
        [rows, _] if rows == batch => return Ok(targets),
        [size] if batch == 1 => return b.reshape(&targets, &[1, size].into()),
        [_] => {}
        _ => {
            let rule = format!("targets ({batch}, longest), or all labels one after another");
            return Err(Error::shape(OP, rule, targets.shape().to_string()));
        }
    }
    let size = longest.unwrap_or(total).min(total);
    let shape: Shape = [batch, size].into();
    if total == 0 {
        return b.reshape(&targets, &[batch, 0].into());
    }
    let ends = b.one(Op::Cumulate { op: CumulateOp::Sum, axis: 0, reverse: false }, std::slice::from_ref(counts))?;
    let column = |e: &Edge| b.expand(&b.reshape(e, &[batch, 1].into())?, &shape);
    let place = b.expand(&iota(size, &targets)?, &shape)?;
    let inside = b.compare(CompareOp::Less, &place, &column(counts)?)?;
    let from = b.add(&column(&b.sub(&ends, counts)?)?, &place)?;
    b.one(Op::Gather { axis: 0 }, &[targets, checked(OP, &keep(&inside, &from, 0.0)?, total)?])
}

/// Classes `[N, 2 S + 1]`: a blank before, between and after labels, and in place of what pads them.
fn places(labels: &Edge, counts: &Edge, blank: usize, classes: usize) -> Result<Edge> {
    let b = face();
    let (batch, size) = (labels.shape()[0], labels.shape()[1]);
    let count = b.expand(&b.reshape(counts, &[batch, 1].into())?, labels.shape())?;
    let inside = b.compare(CompareOp::Less, &b.expand(&iota(size, labels)?, labels.shape())?, &count)?;
    let labels = checked(OP, &keep(&inside, labels, blank as f64)?, classes)?;
    let column = b.reshape(&labels, &[batch, size, 1].into())?;
    let pairs = b.one(Op::Concat { axis: 2 }, &[b.full_like(&column, blank as f64)?, column])?;
    let pairs = b.reshape(&pairs, &[batch, 2 * size].into())?;
    let after = b.full_like(&b.reshape(counts, &[batch, 1].into())?, blank as f64)?;
    b.one(Op::Concat { axis: 1 }, &[pairs, after])
}

/// Along axis 1, `amount` places further, `fill` coming in.
fn moved(x: &Edge, amount: usize, fill: f64) -> Result<Edge> {
    let b = face();
    let width = x.shape()[1];
    let amount = amount.min(width);
    let border = b.full_like(&b.narrow(x, 1, 0, amount)?, fill)?;
    b.one(Op::Concat { axis: 1 }, &[border, b.narrow(x, 1, 0, width - amount)?])
}

/// Where a walk may come from two places before: at a label other than the one before.
fn skips(places: &Edge, blank: usize) -> Result<Edge> {
    let b = face();
    let other = b.compare(CompareOp::NotEqual, places, &moved(places, 2, blank as f64)?)?;
    b.binary(BinaryOp::And, &other, &versus(CompareOp::NotEqual, places, blank as f64)?)
}

/// The logarithm of the probability to stand at each place after the last turn of each example.
fn forward(seen: &Edge, running: &Edge, skips: &Edge) -> Result<Edge> {
    let b = face();
    let (time, batch, width) = (seen.shape()[0], seen.shape()[1], seen.shape()[2]);
    let shape: Shape = [batch, width].into();
    // Before the first turn the walk stands at the first blank, from where the first label is one step.
    let first = versus(CompareOp::Equal, &b.expand(&iota(width, seen)?, &shape)?, 0.0)?;
    let lowest = Op::Fill { value: Scalar::Float(f64::NEG_INFINITY), shape: shape.clone(), dtype: seen.dtype() };
    let start = replace(&first, 0.0, &b.source(lowest, seen.node.device)?)?;
    let skips = Tensor::from_edge(skips.clone());
    let mut turn = |carried: &[Tensor], slices: &[Tensor]| {
        let (stand, seen, running) = (carried[0].edge()?, slices[0].edge()?, slices[1].edge()?);
        let far = keep(&skips.edge()?, &moved(&stand, 2, f64::NEG_INFINITY)?, f64::NEG_INFINITY)?;
        let near = moved(&stand, 1, f64::NEG_INFINITY)?;
        let layer: Shape = [batch, 1, width].into();
        let ways: Vec<Edge> = [&stand, &near, &far].into_iter().map(|e| b.reshape(e, &layer)).collect::<Result<_>>()?;
        let arrived = b.add(&fold(&b.permute(&b.one(Op::Concat { axis: 1 }, &ways)?, &[0, 2, 1])?)?, &seen)?;
        let running = b.expand(&b.reshape(&running, &[batch, 1].into())?, &shape)?;
        Ok((vec![Tensor::from_edge(b.select(&running, &arrived, &stand)?)], vec![]))
    };
    let slices = [Tensor::from_edge(seen.clone()), Tensor::from_edge(running.clone())];
    let walk = Loop { length: time, reverse: false };
    scan(&mut turn, &[Tensor::from_edge(start)], &slices, walk, None)?.0[0].edge()
}

/// `log(sum(exp(x)))` along the last axis; of nothing but -inf it is -inf, without a derivative.
fn fold(x: &Edge) -> Result<Edge> {
    let b = face();
    let last = [x.shape().len() - 1];
    let top = b.reduce(ReduceOp::Max, x, &last)?;
    let top = replace(&versus(CompareOp::Equal, &top, f64::NEG_INFINITY)?, 0.0, &top)?;
    let spread = b.expand(&b.reshape(&top, &x.shape().reduced(&last, true))?, x.shape())?;
    let sum = b.reduce(ReduceOp::Sum, &b.unary(UnaryOp::Exp, &b.sub(x, &spread)?)?, &last)?;
    let never = versus(CompareOp::Equal, &sum, 0.0)?;
    let log = b.add(&b.unary(UnaryOp::Log, &replace(&never, 1.0, &sum)?)?, &top)?;
    replace(&never, f64::NEG_INFINITY, &log)
}

/// A zero whose derivative by a log-probability is the probability.
///
/// Probabilities of a turn add up to 1, so through `log_softmax` this changes nothing; it makes the gradient by the
/// log-probabilities themselves the one by the scores under them, probability minus share of the walks, as torch has it.
fn normalisation(log: &Edge, running: &Edge, classes: usize) -> Result<Edge> {
    let b = face();
    let (time, batch) = (running.shape()[0], running.shape()[1]);
    let shape: Shape = [time, batch, classes].into();
    let chosen = b.expand(&b.reshape(running, &[time, batch, 1].into())?, &shape)?;
    let probability = b.unary(UnaryOp::Exp, &b.reshape(log, &shape)?)?;
    let sum = b.reduce(ReduceOp::Sum, &keep(&chosen, &probability, 0.0)?, &[0, 2])?;
    b.sub(&sum, &detached(&sum)?)
}

fn finish(loss: &Edge, counts: &Edge, single: bool, options: &Ctc) -> Result<Edge> {
    let b = face();
    let mut loss = loss.clone();
    if options.zero_infinity {
        loss = replace(&versus(CompareOp::Equal, &loss, f64::INFINITY)?, 0.0, &loss)?;
    }
    if options.reduction == "mean" {
        loss = b.div(&loss, &b.cast(&at_least(counts, 1.0)?, loss.dtype())?)?;
    }
    let reduced = reduce(OP, &loss, &options.reduction)?;
    if single { b.reshape(&reduced, &Shape::scalar()) } else { Ok(reduced) }
}
