//! Normalisation layers.

use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{ReduceOp, UnaryOp};
use crate::shape::Shape;
use crate::tensor::face::face;

/// Weight and bias after the normalisation.
#[derive(Clone, Debug, Default)]
pub struct Affine {
    /// Factor.
    pub weight: Option<Edge>,
    /// Summand.
    pub bias: Option<Edge>,
}

/// Mean and variance per channel.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// Mean.
    pub mean: Option<Edge>,
    /// Variance.
    pub variance: Option<Edge>,
}

/// `(x - mean) / sqrt(var + eps)` over the trailing axes. Source: Ba, Kiros and Hinton 2016, equation 4.
pub fn layer_norm(x: &Edge, shape: &Shape, weight: Option<&Edge>, bias: Option<&Edge>, eps: f64) -> Result<Edge> {
    let rank = x.shape().len();
    let fits = shape.len() <= rank && !shape.is_empty() && x.shape()[rank - shape.len()..] == shape[..];
    let affine_fits = weight.into_iter().chain(bias).all(|e| e.shape() == shape);
    if !fits || !affine_fits {
        return Err(Error::shape(
            "layer_norm",
            format!("an input whose last sizes are normalized_shape {shape}, weight and bias of that shape"),
            format!("input {}", x.shape()),
        ));
    }
    let axes: Vec<usize> = (rank - shape.len()..rank).collect();
    let (centred, variance) = moments(x, &axes)?;
    let b = face();
    let mut y = scaled(&centred, &variance, eps)?;
    if let Some(weight) = weight {
        y = b.mul(&y, &b.expand(weight, x.shape())?)?;
    }
    if let Some(bias) = bias {
        y = b.add(&y, &b.expand(bias, x.shape())?)?;
    }
    Ok(y)
}

/// Distances from the mean, and their mean square (axes kept).
fn moments(x: &Edge, axes: &[usize]) -> Result<(Edge, Edge)> {
    let b = face();
    let n: f64 = axes.iter().map(|&a| x.shape()[a] as f64).product();
    let sum = b.reduce_keep(ReduceOp::Sum, x, axes)?;
    let mean = b.expand(&b.div(&sum, &b.full_like(&sum, n)?)?, x.shape())?;
    let centred = b.sub(x, &mean)?;
    let squares = b.reduce_keep(ReduceOp::Sum, &b.mul(&centred, &centred)?, axes)?;
    let variance = b.div(&squares, &b.full_like(&squares, n)?)?;
    Ok((centred, variance))
}

fn scaled(centred: &Edge, variance: &Edge, eps: f64) -> Result<Edge> {
    let b = face();
    let deviation = b.unary(UnaryOp::Sqrt, &b.shift(variance, eps)?)?;
    b.div(centred, &b.expand(&deviation, centred.shape())?)
}

/// Normalise each channel (axis 1) over all other axes; results are the output, then in training the new running mean and
/// variance where old ones were given. Source: Ioffe and Szegedy 2015, algorithm 1; the running variance is unbiased.
pub fn batch_norm(
    x: &Edge,
    given: &Statistics,
    affine: &Affine,
    training: bool,
    momentum: f64,
    eps: f64,
) -> Result<Vec<Edge>> {
    let b = face();
    let rank = x.shape().len();
    if rank < 2 {
        return Err(Error::shape("batch_norm", "an input [N, C, ...]", x.shape().to_string()));
    }
    let channels: Shape = [x.shape()[1]].into();
    let per_channel = [&given.mean, &given.variance, &affine.weight, &affine.bias];
    if let Some(other) = per_channel.into_iter().flatten().find(|e| *e.shape() != channels) {
        let got = format!("{} for an input of shape {}", other.shape(), x.shape());
        return Err(Error::shape("batch_norm", format!("statistics, weight and bias of shape {channels}"), got));
    }
    let column: Shape = (0..rank).map(|a| if a == 1 { x.shape()[1] } else { 1 }).collect();
    let spread = |e: &Edge| b.expand(&b.reshape(e, &column)?, x.shape());
    let mut results = vec![];
    let mut y = if training {
        let axes: Vec<usize> = (0..rank).filter(|&a| a != 1).collect();
        let n: f64 = axes.iter().map(|&a| x.shape()[a] as f64).product();
        if n < 2.0 {
            return Err(Error::value(
                "batch_norm",
                "more than one value per channel in training; use a larger batch or eval()",
                format!("input {}", x.shape()),
            ));
        }
        let (centred, variance) = moments(x, &axes)?;
        if let (Some(old_mean), Some(old_variance)) = (&given.mean, &given.variance) {
            let sum = b.reduce(ReduceOp::Sum, x, &axes)?;
            let mean = b.scale(&sum, 1.0 / n)?;
            let unbiased = b.scale(&b.reshape(&variance, &channels)?, n / (n - 1.0))?;
            results.push(running(old_mean, &mean, momentum)?);
            results.push(running(old_variance, &unbiased, momentum)?);
        }
        scaled(&centred, &variance, eps)?
    } else {
        let (Some(mean), Some(variance)) = (&given.mean, &given.variance) else {
            return Err(Error::value("batch_norm", "running statistics outside training", "none"));
        };
        let centred = b.sub(x, &spread(mean)?)?;
        scaled(&centred, &b.reshape(variance, &column)?, eps)?
    };
    if let Some(weight) = &affine.weight {
        y = b.mul(&y, &spread(weight)?)?;
    }
    if let Some(bias) = &affine.bias {
        y = b.add(&y, &spread(bias)?)?;
    }
    results.insert(0, y);
    Ok(results)
}

/// `(1 - momentum) old + momentum new`.
fn running(old: &Edge, new: &Edge, momentum: f64) -> Result<Edge> {
    let b = face();
    b.add(&b.scale(old, 1.0 - momentum)?, &b.scale(&b.cast(new, old.dtype())?, momentum)?)
}

/// `x / sqrt(mean(x^2) + eps)` over the trailing axes; `eps` is the dtype's unit where none is given.
///
/// Source: Zhang and Sennrich 2019, equation 4.
pub fn rms_norm(x: &Edge, shape: &Shape, weight: Option<&Edge>, eps: Option<f64>) -> Result<Edge> {
    let b = face();
    let rank = x.shape().len();
    let fits = shape.len() <= rank && !shape.is_empty() && x.shape()[rank - shape.len()..] == shape[..];
    if !fits || weight.is_some_and(|w| w.shape() != shape) {
        let rule = format!("an input whose last sizes are normalized_shape {shape}, and a weight of that shape");
        return Err(Error::shape("rms_norm", rule, format!("input {}", x.shape())));
    }
    let axes: Vec<usize> = (rank - shape.len()..rank).collect();
    let squares = b.reduce_keep(ReduceOp::Sum, &b.mul(x, x)?, &axes)?;
    let mean = b.div(&squares, &b.full_like(&squares, shape.numel() as f64)?)?;
    let y = scaled(x, &mean, eps.unwrap_or_else(|| unit(x.dtype())))?;
    match weight {
        Some(weight) => b.mul(&y, &b.expand(weight, x.shape())?),
        None => Ok(y),
    }
}

/// The distance of 1 from the next number.
fn unit(dtype: DType) -> f64 {
    match dtype {
        DType::F16 => half::f16::EPSILON.to_f64(),
        DType::BF16 => half::bf16::EPSILON.to_f64(),
        DType::F64 => f64::EPSILON,
        _ => f64::from(f32::EPSILON),
    }
}

/// Normalise each example over each of `groups` groups of its channels (axis 1). Source: Wu and He 2018, equations 2 and 7.
pub fn group_norm(x: &Edge, groups: usize, affine: &Affine, eps: f64) -> Result<Edge> {
    let b = face();
    let channels = x.shape().get(1).copied().unwrap_or(0);
    if x.shape().len() < 2 || groups == 0 || !channels.is_multiple_of(groups) {
        let rule = format!("an input [N, C, ...] whose C is a multiple of num_groups {groups}");
        return Err(Error::shape("group_norm", rule, x.shape().to_string()));
    }
    let flat: Shape = [x.shape()[0], groups, x.shape()[1..].iter().product::<usize>() / groups].into();
    let (centred, variance) = moments(&b.reshape(x, &flat)?, &[2])?;
    let y = b.reshape(&scaled(&centred, &variance, eps)?, x.shape())?;
    per_channel("group_norm", &y, affine)
}

/// Normalise each channel of each example. Results are the output, and where there were running statistics new ones.
///
/// Without `use_input_stats` it is a batch norm by the running statistics. Source: Ulyanov, Vedaldi and Lempitsky 2016.
pub fn instance_norm(
    x: &Edge,
    given: &Statistics,
    affine: &Affine,
    use_input_stats: bool,
    momentum: f64,
    eps: f64,
) -> Result<Vec<Edge>> {
    let b = face();
    if !use_input_stats {
        return batch_norm(x, given, affine, false, momentum, eps);
    }
    let rank = x.shape().len();
    let axes: Vec<usize> = (2..rank).collect();
    let n: f64 = axes.iter().map(|&a| x.shape()[a] as f64).product();
    if rank < 3 || n < 2.0 {
        let rule = "an input [N, C, ...] with more than one value per channel and example";
        return Err(Error::value("instance_norm", rule, format!("input {}", x.shape())));
    }
    let (centred, variance) = moments(x, &axes)?;
    let mut results = vec![per_channel("instance_norm", &scaled(&centred, &variance, eps)?, affine)?];
    if let (Some(old_mean), Some(old_variance)) = (&given.mean, &given.variance) {
        let channels: Shape = [x.shape()[1]].into();
        if let Some(other) = [old_mean, old_variance].into_iter().find(|e| *e.shape() != channels) {
            let got = format!("{} for an input of shape {}", other.shape(), x.shape());
            return Err(Error::shape("instance_norm", format!("statistics of shape {channels}"), got));
        }
        let batch = x.shape()[0] as f64;
        let others: Vec<usize> = (0..rank).filter(|&a| a != 1).collect();
        let mean = b.scale(&b.reduce(ReduceOp::Sum, x, &others)?, 1.0 / (n * batch))?;
        let unbiased = b.reshape(&b.reduce(ReduceOp::Sum, &variance, &[0])?, &channels)?;
        results.push(running(old_mean, &mean, momentum)?);
        results.push(running(old_variance, &b.scale(&unbiased, n / (n - 1.0) / batch)?, momentum)?);
    }
    Ok(results)
}

/// Factor and summand of each channel (axis 1).
fn per_channel(op: &str, y: &Edge, affine: &Affine) -> Result<Edge> {
    let b = face();
    let channels: Shape = [y.shape()[1]].into();
    if let Some(other) = [&affine.weight, &affine.bias].into_iter().flatten().find(|e| *e.shape() != channels) {
        return Err(Error::shape(op, format!("weight and bias of shape {channels}"), other.shape().to_string()));
    }
    let column: Shape = (0..y.shape().len()).map(|a| if a == 1 { y.shape()[1] } else { 1 }).collect();
    let spread = |e: &Edge| b.expand(&b.reshape(e, &column)?, y.shape());
    let mut result = y.clone();
    if let Some(weight) = &affine.weight {
        result = b.mul(&result, &spread(weight)?)?;
    }
    if let Some(bias) = &affine.bias {
        result = b.add(&result, &spread(bias)?)?;
    }
    Ok(result)
}
