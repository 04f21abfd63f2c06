//! Adam with decoupled weight decay. Source: Loshchilov and Hutter 2019, algorithm 2.

use super::pieces::{AddDecay, Negate, ScaleByAdam, ScaleByRate};
use super::{Kind, within};
use crate::error::Result;
use crate::train::transform::{Chain, Options};

pub(super) const KIND: Kind = Kind { name: "AdamW", defaults, validate, chain };

fn defaults() -> Options {
    let numbers = [("lr", 1e-3), ("beta1", 0.9), ("beta2", 0.999), ("eps", 1e-8), ("weight_decay", 1e-2)];
    Options::new(&numbers, &[("amsgrad", false), ("maximize", false)])
}

fn validate(options: &Options) -> Result<()> {
    for name in ["lr", "eps", "weight_decay"] {
        within("AdamW", options, name, 0.0, f64::INFINITY)?;
    }
    within("AdamW", options, "beta1", 0.0, 1.0)?;
    within("AdamW", options, "beta2", 0.0, 1.0)
}

fn chain(options: &Options) -> Chain {
    let mut chain: Chain = vec![];
    if options.flag("maximize") {
        chain.push(Box::new(Negate));
    }
    chain.push(Box::new(ScaleByAdam { amsgrad: options.flag("amsgrad") }));
    chain.push(Box::new(AddDecay));
    chain.push(Box::new(ScaleByRate));
    chain
}
