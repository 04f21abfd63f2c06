//! Adam with decoupled weight decay. Source: Loshchilov and Hutter 2019, algorithm 2.

use super::pieces::{AddDecay, ScaleByAdam, ScaleByRate, gradient};
use super::{Kind, fractions, not_negative};
use crate::error::Result;
use crate::train::transform::{Chain, Options};

pub(super) const KIND: Kind = Kind { name: "AdamW", defaults, validate, chain };

fn defaults() -> Options {
    let numbers =
        [("lr", 1e-3), ("beta1", 0.9), ("beta2", 0.999), ("eps", 1e-8), ("weight_decay", 1e-2), ("eps_mode", 0.0)];
    Options::new(&numbers, &[("amsgrad", false), ("maximize", false)])
}

fn validate(options: &Options) -> Result<()> {
    not_negative("AdamW", options, &["lr", "eps", "weight_decay"])?;
    fractions("AdamW", options, &["beta1", "beta2"])
}

fn chain(options: &Options) -> Chain {
    let mut chain = gradient(options);
    chain.push(Box::new(ScaleByAdam { amsgrad: options.flag("amsgrad") }));
    chain.push(Box::new(AddDecay));
    chain.push(Box::new(ScaleByRate));
    chain
}
