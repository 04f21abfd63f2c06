//! The pieces that several optimizers are chained from.

use crate::buffer::Meta;
use crate::error::Result;
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, UnaryOp};
use crate::train::transform::{Chain, Moment, Options, Site, Slot, Transform};

/// Climb instead of descend.
#[derive(Debug)]
pub(super) struct Negate;

impl Transform for Negate {
    fn numbers(&self, _: &Moment<'_>) -> Vec<f64> {
        vec![]
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        site.b.neg(&update)
    }
}

/// The start of a chain: the gradient, negated to climb.
pub(super) fn gradient(options: &Options) -> Chain {
    if options.flag("maximize") { vec![Box::new(Negate)] } else { vec![] }
}

/// `u + weight_decay * p`: before the other pieces it is an L2 penalty, after them decoupled decay.
#[derive(Debug)]
pub(super) struct AddDecay;

impl Transform for AddDecay {
    fn numbers(&self, moment: &Moment<'_>) -> Vec<f64> {
        vec![moment.number("weight_decay")]
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        site.b.add(&update, &site.times(0, site.param)?)
    }
}

/// The given piece with weight decay on its proper side: after it where the group says `decoupled_weight_decay`.
pub(super) fn decayed(options: &Options, piece: impl Transform + 'static) -> Chain {
    let mut chain = gradient(options);
    if options.flag("decoupled_weight_decay") {
        chain.push(Box::new(piece));
        chain.push(Box::new(AddDecay));
    } else {
        chain.push(Box::new(AddDecay));
        chain.push(Box::new(piece));
    }
    chain.push(Box::new(ScaleByRate));
    chain
}

/// `-lr * u`.
#[derive(Debug)]
pub(super) struct ScaleByRate;

impl Transform for ScaleByRate {
    fn numbers(&self, moment: &Moment<'_>) -> Vec<f64> {
        vec![-moment.number("lr")]
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        site.times(0, &update)
    }
}

/// `b = momentum * b + (1 - dampening) * u`, where a parameter's first step is not dampened; Nesterov looks ahead.
#[derive(Debug)]
pub(super) struct Momentum {
    pub(super) nesterov: bool,
}

impl Transform for Momentum {
    fn state(&self, param: &Meta) -> Vec<Slot> {
        vec![Slot::like("momentum_buffer", param)]
    }
    fn numbers(&self, moment: &Moment<'_>) -> Vec<f64> {
        let dampening = if moment.t == 1 { 0.0 } else { moment.number("dampening") };
        vec![moment.number("momentum"), 1.0 - dampening]
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        let buffer = site.mix(0, 0, 1, &update)?;
        if self.nesterov { site.b.add(&update, &site.times(0, &buffer)?) } else { Ok(buffer) }
    }
}

/// `m / bc1 / (sqrt(v / bc2) + eps)` with running means of the gradient and its square.
///
/// Source: Kingma and Ba 2015, algorithm 1; `amsgrad` keeps the largest v (Reddi, Kale and Kumar 2018, algorithm 2).
/// `eps_mode` 1 adds eps before the correction of v, the efficient form of Kingma and Ba, end of section 2.
#[derive(Debug)]
pub(super) struct ScaleByAdam {
    pub(super) amsgrad: bool,
}

impl Transform for ScaleByAdam {
    fn state(&self, param: &Meta) -> Vec<Slot> {
        let names: &[_] =
            if self.amsgrad { &["exp_avg", "exp_avg_sq", "max_exp_avg_sq"] } else { &["exp_avg", "exp_avg_sq"] };
        names.iter().map(|name| Slot::like(name, param)).collect()
    }
    fn numbers(&self, moment: &Moment<'_>) -> Vec<f64> {
        let (b1, b2) = (moment.number("beta1"), moment.number("beta2"));
        let bias1 = 1.0 - b1.powf(moment.t as f64);
        let bias2 = (1.0 - b2.powf(moment.t as f64)).sqrt();
        let eps = moment.number("eps") / if moment.number("eps_mode") == 1.0 { bias2 } else { 1.0 };
        vec![b1, 1.0 - b1, b2, 1.0 - b2, 1.0 / bias1, 1.0 / bias2, eps]
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        let b = site.b;
        let m = site.mix(0, 0, 1, &update)?;
        let v = site.mix(1, 2, 3, &b.mul(&update, &update)?)?;
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
