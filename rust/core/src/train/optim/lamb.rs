//! Layer-wise adaptive rates for Adam. Source: You et al. 2020, algorithm 2, with the identity as phi.

use super::pieces::{AddDecay, ScaleByAdam, ScaleByRate, gradient};
use super::{Kind, fractions, not_negative};
use crate::error::Result;
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, CompareOp};
use crate::train::clip::global_norm;
use crate::train::transform::{Chain, Moment, Options, Site, Transform};

pub(super) const KIND: Kind = Kind { name: "LAMB", defaults, validate, chain };

fn defaults() -> Options {
    let numbers = [("lr", 1e-3), ("beta1", 0.9), ("beta2", 0.999), ("eps", 1e-6), ("weight_decay", 1e-2)];
    Options::new(&numbers, &[("maximize", false)])
}

fn validate(options: &Options) -> Result<()> {
    not_negative("LAMB", options, &["lr", "eps", "weight_decay"])?;
    fractions("LAMB", options, &["beta1", "beta2"])
}

fn chain(options: &Options) -> Chain {
    let mut chain = gradient(options);
    chain.push(Box::new(ScaleByAdam { amsgrad: false }));
    chain.push(Box::new(AddDecay));
    chain.push(Box::new(TrustRatio));
    chain.push(Box::new(ScaleByRate));
    chain
}

/// `u |p| / |u|`, or u where one of the norms is 0.
#[derive(Debug)]
struct TrustRatio;

impl Transform for TrustRatio {
    fn numbers(&self, _: &Moment<'_>) -> Vec<f64> {
        vec![]
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        let b = site.b;
        let size = global_norm(std::slice::from_ref(site.param))?;
        let moved = global_norm(std::slice::from_ref(&update))?;
        let (one, zero) = (b.full_like(&moved, 1.0)?, b.full_like(&moved, 0.0)?);
        let smaller = b.binary(BinaryOp::Minimum, &size, &moved)?;
        let trusted = b.compare(CompareOp::Greater, &smaller, &zero)?;
        let moved = b.select(&trusted, &moved, &one)?;
        let ratio = b.select(&trusted, &b.div(&size, &moved)?, &one)?;
        b.mul(&update, &b.expand(&ratio, update.shape())?)
    }
}
