//! Adafactor: the second moment of a matrix as an outer product of two vectors.
//!
//! Source: Shazeer and Stern 2018, algorithms 4 and 5, with torch's use of the rate (largest relative step size, and
//! factor of the decay) and of its first eps (a floor for the variance estimate).

use super::pieces::{Negate, gradient};
use super::{Kind, not_negative, within};
use crate::buffer::Meta;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, ReduceOp, UnaryOp};
use crate::train::clip::global_norm;
use crate::train::transform::{Chain, Moment, Options, Site, Slot, Transform};

pub(super) const KIND: Kind = Kind { name: "Adafactor", defaults, validate, chain };

/// An `eps1` that is not a number stands for the distance from 1 to the next number of the parameter's dtype.
fn defaults() -> Options {
    let numbers =
        [("lr", 1e-2), ("beta2_decay", -0.8), ("eps1", f64::NAN), ("eps2", 1e-3), ("d", 1.0), ("weight_decay", 0.0)];
    Options::new(&numbers, &[("maximize", false)])
}

fn validate(options: &Options) -> Result<()> {
    not_negative("Adafactor", options, &["lr", "eps2", "weight_decay"])?;
    within("Adafactor", options, "d", 1.0, f64::INFINITY)?;
    if options.number("eps1") < 0.0 {
        return Err(Error::value("Adafactor", "eps[0] of at least 0, or None", options.number("eps1").to_string()));
    }
    let decay = options.number("beta2_decay");
    if decay <= 0.0 { Ok(()) } else { Err(Error::value("Adafactor", "beta2_decay of at most 0", decay.to_string())) }
}

fn chain(options: &Options) -> Chain {
    let mut chain = gradient(options);
    chain.push(Box::new(ScaleByFactors));
    chain.push(Box::new(Negate));
    chain
}

fn resolution(dtype: DType) -> f64 {
    match dtype {
        DType::F16 => 2.0_f64.powi(-10),
        DType::BF16 => 2.0_f64.powi(-7),
        DType::F32 => f64::from(f32::EPSILON),
        _ => f64::EPSILON,
    }
}

/// `alpha u / max(1, rms(u) / d) + lr weight_decay p`, `u = g / sqrt(v)`, `alpha = max(eps2, rms(p)) min(lr, 1 / sqrt(t))`.
#[derive(Debug)]
struct ScaleByFactors;

impl ScaleByFactors {
    /// The estimate of the second moment; from two axes on the product of row and column means over their total.
    fn variance(site: &mut Site<'_>, update: &Edge) -> Result<Edge> {
        let b = site.b;
        let square = b.mul(update, update)?;
        let rank = update.shape().len();
        if rank < 2 {
            return site.mix(0, 0, 1, &square);
        }
        let mean = |x: &Edge, axis: usize| {
            let sum = b.reduce_keep(ReduceOp::Sum, x, &[axis])?;
            b.scale(&sum, 1.0 / x.shape()[axis] as f64)
        };
        let (row, column) = (mean(&square, rank - 1)?, mean(&square, rank - 2)?);
        let (row, column) = (site.mix(0, 0, 1, &row)?, site.mix(1, 0, 1, &column)?);
        let total = mean(&row, rank - 2)?;
        let total = b.binary(BinaryOp::Maximum, &total, &site.spread(2, &total)?)?;
        let product = b.mul(&b.expand(&row, update.shape())?, &b.expand(&column, update.shape())?)?;
        b.div(&product, &b.expand(&total, update.shape())?)
    }
}

impl Transform for ScaleByFactors {
    fn state(&self, param: &Meta) -> Vec<Slot> {
        let rank = param.shape.len();
        if rank < 2 {
            return vec![Slot::like("variance", param)];
        }
        let folded = |axis| Meta::new(param.shape.with(axis, 1), param.dtype);
        vec![Slot::like("row_var", &folded(rank - 1)), Slot::like("col_var", &folded(rank - 2))]
    }
    fn per_parameter(&self) -> bool {
        true
    }
    fn numbers(&self, moment: &Moment<'_>) -> Vec<f64> {
        let given = moment.number("eps1");
        let eps = if given.is_nan() { resolution(moment.param.dtype) } else { given };
        let (lr, t) = (moment.number("lr"), moment.t as f64);
        let share = t.powf(moment.number("beta2_decay"));
        let size = (moment.param.shape.numel().max(1) as f64).sqrt();
        let step = lr.min(1.0 / t.sqrt());
        let decay = lr * moment.number("weight_decay");
        vec![
            1.0 - share,
            share,
            eps,
            eps * eps,
            moment.number("eps2"),
            1.0 / size,
            step,
            1.0 / (size * moment.number("d")),
            decay,
        ]
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        let b = site.b;
        let variance = Self::variance(site, &update)?;
        let variance = b.binary(BinaryOp::Maximum, &variance, &site.spread(3, &variance)?)?;
        let scaled = b.div(&update, &b.unary(UnaryOp::Sqrt, &variance)?)?;
        let size = site.times(5, &global_norm(std::slice::from_ref(site.param))?)?;
        let size = b.binary(BinaryOp::Maximum, &size, &site.numbers[4])?;
        let excess = site.times(7, &global_norm(std::slice::from_ref(&scaled))?)?;
        let excess = b.binary(BinaryOp::Maximum, &excess, &b.full_like(&excess, 1.0)?)?;
        let alpha = b.div(&site.times(6, &size)?, &excess)?;
        let moved = b.mul(&scaled, &b.expand(&alpha, scaled.shape())?)?;
        b.add(&moved, &site.times(8, site.param)?)
    }
}
