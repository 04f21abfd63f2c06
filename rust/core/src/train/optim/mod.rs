//! Optimizers by name, and what they share: groups, state, the two-phase step.
//!
//! Adding one: a file with its chain and defaults, a row in [`TABLE`], its Python class, its test row.

mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod adamw8bit;
mod code8bit;
mod count;
mod group;
mod lamb;
mod lars;
mod lion;
mod muon;
mod nadam;
mod pieces;
mod radam;
mod replay;
mod rmsprop;
mod sgd;
mod state;
mod step;

pub use group::Group;
pub use state::ParamState;
pub use step::{Optimizer, read_together};

use crate::error::{Error, Result};
use crate::train::transform::{Chain, Options};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A kind of optimizer.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Name of its Python class.
    pub name: &'static str,
    /// Options and their defaults.
    pub defaults: fn() -> Options,
    /// Refuse options outside their domain.
    pub validate: fn(&Options) -> Result<()>,
    /// The pieces for a group's options.
    pub chain: fn(&Options) -> Chain,
}

/// Every optimizer.
pub const TABLE: &[Kind] = &[
    adadelta::KIND,
    adafactor::KIND,
    adagrad::KIND,
    adam::KIND,
    adamax::KIND,
    adamw::KIND,
    adamw8bit::KIND,
    lamb::KIND,
    lars::KIND,
    lion::KIND,
    muon::KIND,
    nadam::KIND,
    radam::KIND,
    rmsprop::KIND,
    sgd::KIND,
];

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

/// Refuse numbers below 0 or not finite.
fn not_negative(op: &str, options: &Options, names: &[&str]) -> Result<()> {
    names.iter().try_for_each(|name| within(op, options, name, 0.0, f64::INFINITY))
}

/// Refuse numbers outside `[0, 1)`.
fn fractions(op: &str, options: &Options, names: &[&str]) -> Result<()> {
    names.iter().try_for_each(|name| within(op, options, name, 0.0, 1.0))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
