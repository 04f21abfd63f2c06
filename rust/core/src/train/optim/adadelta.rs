//! Adadelta. Source: Zeiler 2012, algorithm 1; the rate in front is torch's.

use super::pieces::{AddDecay, ScaleByRate, gradient};
use super::{Kind, not_negative, within};
use crate::buffer::Meta;
use crate::error::Result;
use crate::ir::node::Edge;
use crate::ir::op::UnaryOp;
use crate::train::transform::{Chain, Moment, Options, Site, Slot, Transform};

pub(super) const KIND: Kind = Kind { name: "Adadelta", defaults, validate, chain };

fn defaults() -> Options {
    let numbers = [("lr", 1.0), ("rho", 0.9), ("eps", 1e-6), ("weight_decay", 0.0)];
    Options::new(&numbers, &[("maximize", false)])
}

fn validate(options: &Options) -> Result<()> {
    not_negative("Adadelta", options, &["lr", "eps", "weight_decay"])?;
    within("Adadelta", options, "rho", 0.0, 1.0_f64.next_up())
}

fn chain(options: &Options) -> Chain {
    let mut chain = gradient(options);
    chain.push(Box::new(AddDecay));
    chain.push(Box::new(ScaleByAdadelta));
    chain.push(Box::new(ScaleByRate));
    chain
}

/// `d = sqrt(a + eps) / sqrt(v + eps) g` with running means v of the square of g and a of that of d.
#[derive(Debug)]
struct ScaleByAdadelta;

impl Transform for ScaleByAdadelta {
    fn state(&self, param: &Meta) -> Vec<Slot> {
        vec![Slot::like("square_avg", param), Slot::like("acc_delta", param)]
    }
    fn numbers(&self, moment: &Moment<'_>) -> Vec<f64> {
        let rho = moment.number("rho");
        vec![rho, 1.0 - rho, moment.number("eps")]
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        let b = site.b;
        let spread = site.mix(0, 0, 1, &b.mul(&update, &update)?)?;
        let deviation = b.unary(UnaryOp::Sqrt, &site.plus(2, &spread)?)?;
        let moved = b.unary(UnaryOp::Sqrt, &site.plus(2, &site.state[1])?)?;
        let delta = b.mul(&b.div(&moved, &deviation)?, &update)?;
        site.mix(1, 0, 1, &b.mul(&delta, &delta)?)?;
        Ok(delta)
    }
}
