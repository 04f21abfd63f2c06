//! RMSprop. Source: Tieleman and Hinton 2012, lecture 6.5; `centered` is Graves 2013, equations 38 to 40.

use super::pieces::{AddDecay, Momentum, ScaleByRate, gradient};
use super::{Kind, not_negative};
use crate::buffer::Meta;
use crate::error::Result;
use crate::ir::node::Edge;
use crate::ir::op::UnaryOp;
use crate::train::transform::{Chain, Moment, Options, Site, Slot, Transform};

pub(super) const KIND: Kind = Kind { name: "RMSprop", defaults, validate, chain };

fn defaults() -> Options {
    let numbers = [("lr", 1e-2), ("alpha", 0.99), ("eps", 1e-8), ("weight_decay", 0.0), ("momentum", 0.0)];
    Options::new(&numbers, &[("centered", false), ("maximize", false)])
}

fn validate(options: &Options) -> Result<()> {
    not_negative("RMSprop", options, &["lr", "alpha", "eps", "weight_decay", "momentum"])
}

fn chain(options: &Options) -> Chain {
    let mut chain = gradient(options);
    chain.push(Box::new(AddDecay));
    chain.push(Box::new(ScaleByRms { centered: options.flag("centered") }));
    if options.number("momentum") != 0.0 {
        chain.push(Box::new(Momentum { nesterov: false }));
    }
    chain.push(Box::new(ScaleByRate));
    chain
}

/// `g / (sqrt(v) + eps)`, v a running mean of the square; centered, of the square less that of the running mean.
#[derive(Debug)]
struct ScaleByRms {
    centered: bool,
}

impl Transform for ScaleByRms {
    fn state(&self, param: &Meta) -> Vec<Slot> {
        let names: &[_] = if self.centered { &["square_avg", "grad_avg"] } else { &["square_avg"] };
        names.iter().map(|name| Slot::like(name, param)).collect()
    }
    fn numbers(&self, moment: &Moment<'_>) -> Vec<f64> {
        let alpha = moment.number("alpha");
        vec![alpha, 1.0 - alpha, moment.number("eps")]
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        let b = site.b;
        let mut spread = site.mix(0, 0, 1, &b.mul(&update, &update)?)?;
        if self.centered {
            let mean = site.mix(1, 0, 1, &update)?;
            spread = b.sub(&spread, &b.mul(&mean, &mean)?)?;
        }
        let deviation = b.unary(UnaryOp::Sqrt, &spread)?;
        b.div(&update, &site.plus(2, &deviation)?)
    }
}
