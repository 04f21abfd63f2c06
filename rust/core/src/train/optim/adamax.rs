//! Adam under the infinity norm. Source: Kingma and Ba 2015, algorithm 2; eps is added to the magnitudes, as in torch.

use super::pieces::decayed;
use super::{Kind, fractions, not_negative};
use crate::buffer::Meta;
use crate::error::Result;
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, UnaryOp};
use crate::train::transform::{Chain, Moment, Options, Site, Slot, Transform};

pub(super) const KIND: Kind = Kind { name: "Adamax", defaults, validate, chain };

fn defaults() -> Options {
    let numbers = [("lr", 2e-3), ("beta1", 0.9), ("beta2", 0.999), ("eps", 1e-8), ("weight_decay", 0.0)];
    Options::new(&numbers, &[("maximize", false)])
}

fn validate(options: &Options) -> Result<()> {
    not_negative("Adamax", options, &["lr", "eps", "weight_decay"])?;
    fractions("Adamax", options, &["beta1", "beta2"])
}

fn chain(options: &Options) -> Chain {
    decayed(options, ScaleByAdamax)
}

/// `m / bc1 / u`, `u = max(beta2 u, |g| + eps)`.
#[derive(Debug)]
struct ScaleByAdamax;

impl Transform for ScaleByAdamax {
    fn state(&self, param: &Meta) -> Vec<Slot> {
        vec![Slot::like("exp_avg", param), Slot::like("exp_inf", param)]
    }
    fn numbers(&self, moment: &Moment<'_>) -> Vec<f64> {
        let (b1, b2) = (moment.number("beta1"), moment.number("beta2"));
        vec![b1, 1.0 - b1, b2, moment.number("eps"), 1.0 / (1.0 - b1.powf(moment.t as f64))]
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        let b = site.b;
        let m = site.mix(0, 0, 1, &update)?;
        let magnitude = site.plus(3, &b.unary(UnaryOp::Abs, &update)?)?;
        let largest = b.binary(BinaryOp::Maximum, &site.times(2, &site.state[1])?, &magnitude)?;
        site.state[1] = largest.clone();
        b.div(&site.times(4, &m)?, &largest)
    }
}
