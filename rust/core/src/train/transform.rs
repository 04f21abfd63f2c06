//! Pieces of optimizers: from a gradient to an update, with state and numbers of their own.
//!
//! The idea of chaining gradient transformations is that of Optax.

use crate::error::Result;
use crate::ir::build::Builder;
use crate::ir::node::Edge;
use std::collections::BTreeMap;

/// Options of a parameter group: numbers may change from step to step, flags change what is computed.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Options {
    /// Numbers by name, such as `lr`.
    pub numbers: BTreeMap<String, f64>,
    /// Flags by name, such as `nesterov`.
    pub flags: BTreeMap<String, bool>,
}

impl Options {
    /// Options from pairs.
    pub fn new(numbers: &[(&str, f64)], flags: &[(&str, bool)]) -> Self {
        Self {
            numbers: numbers.iter().map(|&(k, v)| (k.to_owned(), v)).collect(),
            flags: flags.iter().map(|&(k, v)| (k.to_owned(), v)).collect(),
        }
    }

    /// A number, 0 where it is not set.
    pub fn number(&self, name: &str) -> f64 {
        self.numbers.get(name).copied().unwrap_or(0.0)
    }

    /// A flag, false where it is not set.
    pub fn flag(&self, name: &str) -> bool {
        self.flags.get(name).copied().unwrap_or(false)
    }
}

/// What a piece sees of one parameter.
pub struct Site<'a> {
    /// Builds ops.
    pub b: &'a dyn Builder,
    /// Value of the parameter.
    pub param: &'a Edge,
    /// State of the piece, replaced by what it shall be after the step.
    pub state: &'a mut [Edge],
    /// Numbers of the piece for this step, 0-d and of the parameter's dtype.
    pub numbers: &'a [Edge],
}

impl std::fmt::Debug for Site<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").field("param", self.param).finish_non_exhaustive()
    }
}

impl Site<'_> {
    /// `number i` times a tensor.
    pub fn times(&self, i: usize, x: &Edge) -> Result<Edge> {
        self.b.mul(x, &self.b.expand(&self.numbers[i], x.shape())?)
    }

    /// A tensor plus `number i`.
    pub fn plus(&self, i: usize, x: &Edge) -> Result<Edge> {
        self.b.add(x, &self.b.expand(&self.numbers[i], x.shape())?)
    }
}

/// A piece of an optimizer.
pub trait Transform: Send + Sync {
    /// Names of its state tensors, each of the parameter's shape and dtype and 0 at first.
    fn state(&self) -> &'static [&'static str] {
        &[]
    }

    /// Its numbers for step `t` (1 for a parameter's first), computed in f64 on the host before the step runs.
    fn numbers(&self, options: &Options, t: u64) -> Vec<f64>;

    /// From the update so far (at first the gradient) to the next.
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge>;
}

/// Pieces in order.
pub type Chain = Vec<Box<dyn Transform>>;
