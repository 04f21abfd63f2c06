//! Stochastic gradient descent with momentum.

use super::pieces::{AddDecay, Momentum, ScaleByRate, gradient};
use super::{Kind, not_negative};
use crate::error::{Error, Result};
use crate::train::transform::{Chain, Options};

pub(super) const KIND: Kind = Kind { name: "SGD", defaults, validate, chain };

fn defaults() -> Options {
    let numbers = [("lr", 1e-3), ("momentum", 0.0), ("dampening", 0.0), ("weight_decay", 0.0)];
    Options::new(&numbers, &[("nesterov", false), ("maximize", false)])
}

fn validate(options: &Options) -> Result<()> {
    not_negative("SGD", options, &["lr", "momentum", "weight_decay"])?;
    if options.flag("nesterov") && (options.number("momentum") <= 0.0 || options.number("dampening") != 0.0) {
        let got = format!("momentum {}, dampening {}", options.number("momentum"), options.number("dampening"));
        return Err(Error::value("SGD", "with nesterov, a momentum above 0 and no dampening", got));
    }
    Ok(())
}

fn chain(options: &Options) -> Chain {
    let mut chain = gradient(options);
    chain.push(Box::new(AddDecay));
    if options.number("momentum") != 0.0 {
        chain.push(Box::new(Momentum { nesterov: options.flag("nesterov") }));
    }
    chain.push(Box::new(ScaleByRate));
    chain
}
