//! Pieces of optimizers: from a gradient to an update, with state and numbers of their own.
//!
//! The idea of chaining gradient transformations is that of Optax.

use crate::buffer::Meta;
use crate::dtype::DType;
use crate::error::Result;
use crate::ir::build::Builder;
use crate::ir::node::Edge;
use std::collections::BTreeMap;
use std::fmt::Debug;

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

/// Dtype that updates are computed in: half precision has too few digits for running means.
pub fn working(dtype: DType) -> DType {
    if matches!(dtype, DType::F16 | DType::BF16) { DType::F32 } else { dtype }
}

/// A tensor that a piece keeps for a parameter from step to step.
#[derive(Clone, PartialEq, Debug)]
pub struct Slot {
    /// Name in state dictionaries.
    pub name: &'static str,
    /// Shape and dtype.
    pub meta: Meta,
    /// What all its elements are at first.
    pub initial: f64,
}

impl Slot {
    /// Zeros of the parameter's shape, in the working dtype.
    pub fn like(name: &'static str, param: &Meta) -> Self {
        Self { name, meta: Meta::new(param.shape.clone(), working(param.dtype)), initial: 0.0 }
    }
}

/// What the numbers of a step are computed from, on the host.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// Options of the group.
    pub options: &'a Options,
    /// Shape and dtype of the parameter.
    pub param: &'a Meta,
    /// Number of the step, 1 for a parameter's first.
    pub t: u64,
    /// Running numbers of the piece, this step included.
    pub running: &'a [f64],
}

impl Moment<'_> {
    /// A number of the options.
    pub fn number(&self, name: &str) -> f64 {
        self.options.number(name)
    }
}

/// What a piece sees of one parameter.
pub struct Site<'a> {
    /// Builds ops.
    pub b: &'a dyn Builder,
    /// Value of the parameter, in the working dtype.
    pub param: &'a Edge,
    /// State of the piece, replaced by what it shall be after the step.
    pub state: &'a mut [Edge],
    /// Numbers of the piece for this step, 0-d and of the working dtype.
    pub numbers: &'a [Edge],
}

impl Debug for Site<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").field("param", self.param).finish_non_exhaustive()
    }
}

impl Site<'_> {
    /// `number i` in the shape of a tensor.
    pub fn spread(&self, i: usize, like: &Edge) -> Result<Edge> {
        self.b.expand(&self.numbers[i], like.shape())
    }

    /// `number i` times a tensor.
    pub fn times(&self, i: usize, x: &Edge) -> Result<Edge> {
        self.b.mul(x, &self.spread(i, x)?)
    }

    /// A tensor plus `number i`.
    pub fn plus(&self, i: usize, x: &Edge) -> Result<Edge> {
        self.b.add(x, &self.spread(i, x)?)
    }

    /// State tensor `s` becomes `number i * state + number j * x`; gives its new value.
    pub fn mix(&mut self, s: usize, i: usize, j: usize, x: &Edge) -> Result<Edge> {
        let kept = self.times(i, &self.state[s])?;
        let mixed = self.b.add(&kept, &self.times(j, x)?)?;
        self.state[s] = mixed.clone();
        Ok(mixed)
    }
}

/// A piece of an optimizer. Its `Debug` text names whatever decides which ops it builds.
pub trait Transform: Send + Sync + Debug {
    /// Refuse a parameter that the piece cannot handle.
    fn accepts(&self, _param: &Meta) -> Result<()> {
        Ok(())
    }

    /// Its state tensors for a parameter.
    fn state(&self, _param: &Meta) -> Vec<Slot> {
        vec![]
    }

    /// Names of numbers that the host keeps for each parameter, 1 at first.
    fn running(&self) -> &'static [&'static str] {
        &[]
    }

    /// Running numbers for the step of `moment`, which holds those of the step before.
    fn advance(&self, moment: &Moment<'_>) -> Vec<f64> {
        moment.running.to_vec()
    }

    /// Whether its numbers depend on the parameter.
    fn per_parameter(&self) -> bool {
        false
    }

    /// Its numbers for a step, computed in f64 on the host before the step runs; always as many.
    fn numbers(&self, moment: &Moment<'_>) -> Vec<f64>;

    /// From the update so far (at first the gradient, in the working dtype) to the next.
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge>;
}

/// Pieces in order.
pub type Chain = Vec<Box<dyn Transform>>;
