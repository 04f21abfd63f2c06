//! Adam. Source: Kingma and Ba 2015, algorithm 1.

use super::pieces::{ScaleByAdam, decayed};
use super::{Kind, fractions, not_negative};
use crate::error::Result;
use crate::train::transform::{Chain, Options};

pub(super) const KIND: Kind = Kind { name: "Adam", defaults, validate, chain };

fn defaults() -> Options {
    let numbers = [("lr", 1e-3), ("beta1", 0.9), ("beta2", 0.999), ("eps", 1e-8), ("weight_decay", 0.0)];
    Options::new(&numbers, &[("amsgrad", false), ("maximize", false), ("decoupled_weight_decay", false)])
}

fn validate(options: &Options) -> Result<()> {
    not_negative("Adam", options, &["lr", "eps", "weight_decay"])?;
    fractions("Adam", options, &["beta1", "beta2"])
}

fn chain(options: &Options) -> Chain {
    decayed(options, ScaleByAdam { amsgrad: options.flag("amsgrad") })
}
