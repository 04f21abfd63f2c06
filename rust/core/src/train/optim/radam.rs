//! Adam whose adaptive rate is rectified while few gradients were seen. Source: Liu et al. 2020, algorithm 2.

use super::pieces::decayed;
use super::{Kind, fractions, not_negative};
use crate::buffer::Meta;
use crate::error::Result;
use crate::ir::node::Edge;
use crate::ir::op::UnaryOp;
use crate::train::transform::{Chain, Moment, Options, Site, Slot, Transform};

pub(super) const KIND: Kind = Kind { name: "RAdam", defaults, validate, chain };

fn defaults() -> Options {
    let numbers = [("lr", 1e-3), ("beta1", 0.9), ("beta2", 0.999), ("eps", 1e-8), ("weight_decay", 0.0)];
    Options::new(&numbers, &[("decoupled_weight_decay", false), ("maximize", false)])
}

fn validate(options: &Options) -> Result<()> {
    not_negative("RAdam", options, &["lr", "eps", "weight_decay"])?;
    fractions("RAdam", options, &["beta1", "beta2"])
}

fn chain(options: &Options) -> Chain {
    decayed(options, ScaleByRectifiedAdam)
}

/// `c m / (w (sqrt(v) + eps) + 1 - w)`: w is 1 from the step on where the variance can be told, and 0 before.
#[derive(Debug)]
struct ScaleByRectifiedAdam;

impl Transform for ScaleByRectifiedAdam {
    fn state(&self, param: &Meta) -> Vec<Slot> {
        vec![Slot::like("exp_avg", param), Slot::like("exp_avg_sq", param)]
    }
    fn numbers(&self, moment: &Moment<'_>) -> Vec<f64> {
        let (b1, b2, t) = (moment.number("beta1"), moment.number("beta2"), moment.t as f64);
        let (bias1, bias2) = (1.0 - b1.powf(t), 1.0 - b2.powf(t));
        let longest = 2.0 / (1.0 - b2) - 1.0;
        let length = longest - 2.0 * t * b2.powf(t) / bias2;
        let (weight, factor) = if length > 5.0 {
            let seen = (length - 4.0) * (length - 2.0) * longest;
            let all = (longest - 4.0) * (longest - 2.0) * length;
            (1.0, (seen / all).sqrt() * bias2.sqrt() / bias1)
        } else {
            (0.0, 1.0 / bias1)
        };
        vec![b1, 1.0 - b1, b2, 1.0 - b2, moment.number("eps"), weight, 1.0 - weight, factor]
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        let b = site.b;
        let m = site.mix(0, 0, 1, &update)?;
        let v = site.mix(1, 2, 3, &b.mul(&update, &update)?)?;
        let deviation = site.plus(4, &b.unary(UnaryOp::Sqrt, &v)?)?;
        let deviation = site.plus(6, &site.times(5, &deviation)?)?;
        b.div(&site.times(7, &m)?, &deviation)
    }
}
