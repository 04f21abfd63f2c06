//! Optimizers by name, and what they share: groups, state, the two-phase step.
//!
//! Adding one: a file with its chain and defaults, a row in [`TABLE`], its Python class, its test row.

mod adamw;
mod pieces;
mod sgd;
mod step;

pub use step::{Group, Optimizer, ParamState, read_together};

use crate::error::{Error, Result};
use crate::train::transform::{Chain, Options};

/// A kind of optimizer.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Name of its Python class.
    pub name: &'static str,
    /// Options and their defaults.
    pub defaults: fn() -> Options,
    /// Refuse options outside their domain.
    pub validate: fn(&Options) -> Result<()>,
    /// The pieces for a group's flags.
    pub chain: fn(&Options) -> Chain,
}

/// Every optimizer.
pub const TABLE: &[Kind] = &[adamw::KIND, sgd::KIND];

/// Find an optimizer by name.
pub fn kind(name: &str) -> Result<Kind> {
    TABLE.iter().copied().find(|k| k.name == name).ok_or_else(|| {
        let known: Vec<_> = TABLE.iter().map(|k| k.name).collect();
        Error::value("optim", format!("one of {known:?}"), format!("{name:?}"))
    })
}

/// Refuse a number outside `[low, high)`.
fn within(op: &str, options: &Options, name: &str, low: f64, high: f64) -> Result<()> {
    let value = options.number(name);
    if value >= low && value < high {
        return Ok(());
    }
    let range =
        if high == f64::INFINITY { format!("{name} of at least {low}") } else { format!("{name} in [{low}, {high})") };
    Err(Error::value(op, range, value.to_string()))
}
