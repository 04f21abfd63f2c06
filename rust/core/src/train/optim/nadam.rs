//! Adam with Nesterov momentum. Source: Dozat 2016, algorithm 2, with the momentum schedule of its section 3.

use super::pieces::decayed;
use super::{Kind, fractions, not_negative};
use crate::buffer::Meta;
use crate::error::Result;
use crate::ir::node::Edge;
use crate::ir::op::UnaryOp;
use crate::train::transform::{Chain, Moment, Options, Site, Slot, Transform};

pub(super) const KIND: Kind = Kind { name: "NAdam", defaults, validate, chain };

fn defaults() -> Options {
    let numbers = [
        ("lr", 2e-3),
        ("beta1", 0.9),
        ("beta2", 0.999),
        ("eps", 1e-8),
        ("weight_decay", 0.0),
        ("momentum_decay", 4e-3),
    ];
    Options::new(&numbers, &[("decoupled_weight_decay", false), ("maximize", false)])
}

fn validate(options: &Options) -> Result<()> {
    not_negative("NAdam", options, &["lr", "eps", "weight_decay", "momentum_decay"])?;
    fractions("NAdam", options, &["beta1", "beta2"])
}

fn chain(options: &Options) -> Chain {
    decayed(options, ScaleByNadam)
}

/// `(a g + c m) / (sqrt(v / bc2) + eps)`, `a = (1 - mu_t) / (1 - prod mu)`, `c = mu_{t+1} / (1 - prod mu * mu_{t+1})`.
#[derive(Debug)]
struct ScaleByNadam;

/// Momentum of step `t`.
fn mu(moment: &Moment<'_>, t: u64) -> f64 {
    moment.number("beta1") * (1.0 - 0.5 * 0.96_f64.powf(t as f64 * moment.number("momentum_decay")))
}

impl Transform for ScaleByNadam {
    fn state(&self, param: &Meta) -> Vec<Slot> {
        vec![Slot::like("exp_avg", param), Slot::like("exp_avg_sq", param)]
    }
    fn running(&self) -> &'static [&'static str] {
        &["mu_product"]
    }
    fn advance(&self, moment: &Moment<'_>) -> Vec<f64> {
        vec![moment.running[0] * mu(moment, moment.t)]
    }
    fn numbers(&self, moment: &Moment<'_>) -> Vec<f64> {
        let (b1, b2) = (moment.number("beta1"), moment.number("beta2"));
        let (product, next) = (moment.running[0], mu(moment, moment.t + 1));
        let of_gradient = (1.0 - mu(moment, moment.t)) / (1.0 - product);
        let of_mean = next / (1.0 - product * next);
        let bias2 = 1.0 - b2.powf(moment.t as f64);
        vec![b1, 1.0 - b1, b2, 1.0 - b2, 1.0 / bias2.sqrt(), moment.number("eps"), of_gradient, of_mean]
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        let b = site.b;
        let m = site.mix(0, 0, 1, &update)?;
        let v = site.mix(1, 2, 3, &b.mul(&update, &update)?)?;
        let deviation = site.times(4, &b.unary(UnaryOp::Sqrt, &v)?)?;
        let ahead = b.add(&site.times(6, &update)?, &site.times(7, &m)?)?;
        b.div(&ahead, &site.plus(5, &deviation)?)
    }
}
