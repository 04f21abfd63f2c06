//! Adagrad. Source: Duchi, Hazan and Singer 2011, figure 1, the diagonal form; the decay of the rate is torch's.

use super::pieces::{AddDecay, ScaleByRate, gradient};
use super::{Kind, not_negative};
use crate::buffer::Meta;
use crate::error::Result;
use crate::ir::node::Edge;
use crate::ir::op::UnaryOp;
use crate::train::transform::{Chain, Moment, Options, Site, Slot, Transform};

pub(super) const KIND: Kind = Kind { name: "Adagrad", defaults, validate, chain };

fn defaults() -> Options {
    let numbers =
        [("lr", 1e-2), ("lr_decay", 0.0), ("weight_decay", 0.0), ("initial_accumulator_value", 0.0), ("eps", 1e-10)];
    Options::new(&numbers, &[("maximize", false)])
}

fn validate(options: &Options) -> Result<()> {
    not_negative("Adagrad", options, &["lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"])
}

fn chain(options: &Options) -> Chain {
    let mut chain = gradient(options);
    chain.push(Box::new(AddDecay));
    chain.push(Box::new(ScaleByAdagrad { initial: options.number("initial_accumulator_value") }));
    chain.push(Box::new(ScaleByRate));
    chain
}

/// `g / (1 + (t - 1) lr_decay) / (sqrt(s) + eps)`, s the sum of all squares.
#[derive(Debug)]
struct ScaleByAdagrad {
    initial: f64,
}

impl Transform for ScaleByAdagrad {
    fn state(&self, param: &Meta) -> Vec<Slot> {
        vec![Slot { initial: self.initial, ..Slot::like("sum", param) }]
    }
    fn numbers(&self, moment: &Moment<'_>) -> Vec<f64> {
        vec![1.0 / (1.0 + (moment.t as f64 - 1.0) * moment.number("lr_decay")), moment.number("eps")]
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        let b = site.b;
        let sum = b.add(&site.state[0], &b.mul(&update, &update)?)?;
        site.state[0] = sum.clone();
        let deviation = site.plus(1, &b.unary(UnaryOp::Sqrt, &sum)?)?;
        b.div(&site.times(0, &update)?, &deviation)
    }
}
