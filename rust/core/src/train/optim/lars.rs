//! Layer-wise adaptive rates for momentum. Source: You, Gitman and Ginsburg 2017, algorithm 1; the rate is outside the buffer.

use super::pieces::{Momentum, ScaleByRate, gradient};
use super::{Kind, not_negative};
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, CompareOp};
use crate::train::clip::global_norm;
use crate::train::transform::{Chain, Moment, Options, Site, Transform};

pub(super) const KIND: Kind = Kind { name: "LARS", defaults, validate, chain };

fn defaults() -> Options {
    let numbers = [
        ("lr", 1.0),
        ("momentum", 0.9),
        ("dampening", 0.0),
        ("weight_decay", 0.0),
        ("trust_coefficient", 1e-3),
        ("eps", 1e-8),
    ];
    Options::new(&numbers, &[("nesterov", false), ("maximize", false)])
}

fn validate(options: &Options) -> Result<()> {
    not_negative("LARS", options, &["lr", "momentum", "weight_decay", "trust_coefficient", "eps"])?;
    if options.flag("nesterov") && (options.number("momentum") <= 0.0 || options.number("dampening") != 0.0) {
        let got = format!("momentum {}, dampening {}", options.number("momentum"), options.number("dampening"));
        return Err(Error::value("LARS", "with nesterov, a momentum above 0 and no dampening", got));
    }
    Ok(())
}

fn chain(options: &Options) -> Chain {
    let mut chain = gradient(options);
    chain.push(Box::new(LayerwiseRate));
    if options.number("momentum") != 0.0 {
        chain.push(Box::new(Momentum { nesterov: options.flag("nesterov") }));
    }
    chain.push(Box::new(ScaleByRate));
    chain
}

/// `r (g + weight_decay p)`, `r = trust |p| / (|g| + weight_decay |p| + eps)`, or 1 where |p| or |g| is 0.
#[derive(Debug)]
struct LayerwiseRate;

impl Transform for LayerwiseRate {
    fn numbers(&self, moment: &Moment<'_>) -> Vec<f64> {
        ["weight_decay", "trust_coefficient", "eps"].map(|name| moment.number(name)).to_vec()
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        let b = site.b;
        let size = global_norm(std::slice::from_ref(site.param))?;
        let steepness = global_norm(std::slice::from_ref(&update))?;
        let below = site.plus(2, &b.add(&steepness, &site.times(0, &size)?)?)?;
        let (one, zero) = (b.full_like(&below, 1.0)?, b.full_like(&below, 0.0)?);
        let smaller = b.binary(BinaryOp::Minimum, &size, &steepness)?;
        let adapted = b.compare(CompareOp::Greater, &smaller, &zero)?;
        let below = b.select(&adapted, &below, &one)?;
        let rate = b.select(&adapted, &b.div(&site.times(1, &size)?, &below)?, &one)?;
        let penalised = b.add(&update, &site.times(0, site.param)?)?;
        b.mul(&penalised, &b.expand(&rate, update.shape())?)
    }
}
