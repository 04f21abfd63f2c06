//! Lion: the sign of a momentum. Source: Chen et al. 2023, "Symbolic discovery of optimization algorithms", algorithm 2.

use super::pieces::{AddDecay, ScaleByRate, gradient};
use super::{Kind, fractions, not_negative};
use crate::buffer::Meta;
use crate::error::Result;
use crate::ir::node::Edge;
use crate::ir::op::UnaryOp;
use crate::train::transform::{Chain, Moment, Options, Site, Slot, Transform};

pub(super) const KIND: Kind = Kind { name: "Lion", defaults, validate, chain };

fn defaults() -> Options {
    let numbers = [("lr", 1e-4), ("beta1", 0.9), ("beta2", 0.99), ("weight_decay", 0.0)];
    Options::new(&numbers, &[("maximize", false)])
}

fn validate(options: &Options) -> Result<()> {
    not_negative("Lion", options, &["lr", "weight_decay"])?;
    fractions("Lion", options, &["beta1", "beta2"])
}

fn chain(options: &Options) -> Chain {
    let mut chain = gradient(options);
    chain.push(Box::new(SignOfMomentum));
    chain.push(Box::new(AddDecay));
    chain.push(Box::new(ScaleByRate));
    chain
}

/// `sign(beta1 m + (1 - beta1) g)`, then `m <- beta2 m + (1 - beta2) g`.
#[derive(Debug)]
struct SignOfMomentum;

impl Transform for SignOfMomentum {
    fn state(&self, param: &Meta) -> Vec<Slot> {
        vec![Slot::like("exp_avg", param)]
    }
    fn numbers(&self, moment: &Moment<'_>) -> Vec<f64> {
        let (b1, b2) = (moment.number("beta1"), moment.number("beta2"));
        vec![b1, 1.0 - b1, b2, 1.0 - b2]
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        let b = site.b;
        let ahead = b.add(&site.times(0, &site.state[0])?, &site.times(1, &update)?)?;
        site.mix(0, 2, 3, &update)?;
        b.unary(UnaryOp::Sign, &ahead)
    }
}
