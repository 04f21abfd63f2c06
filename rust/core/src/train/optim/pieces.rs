//! The pieces that optimizers are chained from.

use crate::error::Result;
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, UnaryOp};
use crate::train::transform::{Options, Site, Transform};

/// Climb instead of descend.
pub(super) struct Negate;

impl Transform for Negate {
    fn numbers(&self, _: &Options, _: u64) -> Vec<f64> {
        vec![]
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        site.b.neg(&update)
    }
}

/// `u + weight_decay * p`: before the other pieces it is an L2 penalty, after them decoupled decay.
pub(super) struct AddDecay;

impl Transform for AddDecay {
    fn numbers(&self, options: &Options, _: u64) -> Vec<f64> {
        vec![options.number("weight_decay")]
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        site.b.add(&update, &site.times(0, site.param)?)
    }
}

/// `-lr * u`.
pub(super) struct ScaleByRate;

impl Transform for ScaleByRate {
    fn numbers(&self, options: &Options, _: u64) -> Vec<f64> {
        vec![-options.number("lr")]
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        site.times(0, &update)
    }
}

/// `b = momentum * b + (1 - dampening) * u`, where a parameter's first step is not dampened; Nesterov looks ahead.
pub(super) struct Momentum {
    pub(super) nesterov: bool,
}

impl Transform for Momentum {
    fn state(&self) -> &'static [&'static str] {
        &["momentum_buffer"]
    }
    fn numbers(&self, options: &Options, t: u64) -> Vec<f64> {
        let dampening = if t == 1 { 0.0 } else { options.number("dampening") };
        vec![options.number("momentum"), 1.0 - dampening]
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        let held = site.times(0, &site.state[0])?;
        let buffer = site.b.add(&held, &site.times(1, &update)?)?;
        site.state[0] = buffer.clone();
        if self.nesterov { site.b.add(&update, &site.times(0, &buffer)?) } else { Ok(buffer) }
    }
}

/// `m / bc1 / (sqrt(v / bc2) + eps)` with running means of the gradient and its square.
///
/// Source: Kingma and Ba 2015, algorithm 1; `amsgrad` keeps the largest v (Reddi, Kale and Kumar 2018, algorithm 2).
pub(super) struct ScaleByAdam {
    pub(super) amsgrad: bool,
}

impl Transform for ScaleByAdam {
    fn state(&self) -> &'static [&'static str] {
        if self.amsgrad { &["exp_avg", "exp_avg_sq", "max_exp_avg_sq"] } else { &["exp_avg", "exp_avg_sq"] }
    }
    fn numbers(&self, options: &Options, t: u64) -> Vec<f64> {
        let (b1, b2) = (options.number("beta1"), options.number("beta2"));
        let bias1 = 1.0 - b1.powf(t as f64);
        let bias2 = 1.0 - b2.powf(t as f64);
        vec![b1, 1.0 - b1, b2, 1.0 - b2, 1.0 / bias1, 1.0 / bias2.sqrt(), options.number("eps")]
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        let b = site.b;
        let m = b.add(&site.times(0, &site.state[0])?, &site.times(1, &update)?)?;
        let v = b.add(&site.times(2, &site.state[1])?, &site.times(3, &b.mul(&update, &update)?)?)?;
        site.state[0] = m.clone();
        site.state[1] = v.clone();
        let spread = if self.amsgrad {
            let largest = b.binary(BinaryOp::Maximum, &site.state[2], &v)?;
            site.state[2] = largest.clone();
            largest
        } else {
            v
        };
        let deviation = site.times(5, &b.unary(UnaryOp::Sqrt, &spread)?)?;
        b.div(&site.times(4, &m)?, &site.plus(6, &deviation)?)
    }
}
