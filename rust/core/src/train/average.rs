//! Averages of parameters over steps: exponential (EMA) and uniform (SWA).

use crate::dtype::Scalar;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::Op;
use crate::ir::variable::Variable;
use crate::shape::Shape;
use crate::tensor::face::{face, leaf, value_of};
use crate::tensor::recorder::{HostEvent, happens};
use crate::tensor::{Tensor, mode};
use crate::train::transform::working;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How the values of steps are weighed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Weighting {
    /// `a = decay * a + (1 - decay) * p`; the first value counts whole.
    Exponential {
        /// Share of the average that stays, in [0, 1].
        decay: f64,
    },
    /// The mean of all values. Source: Izmailov et al. 2018, "Averaging weights leads to wider optima", algorithm 1.
    Uniform,
}

impl Weighting {
    /// Shares of the average so far and of the new value, after `count` values.
    fn shares(self, count: u64) -> [f64; 2] {
        match self {
            _ if count == 0 => [0.0, 1.0],
            Self::Exponential { decay } => [decay, 1.0 - decay],
            Self::Uniform => {
                let whole = count as f64 + 1.0;
                [count as f64 / whole, 1.0 / whole]
            }
        }
    }
}

/// Averages of parameters, in cells of their own; those of half-precision parameters are f32.
#[derive(Debug)]
pub struct Average {
    params: Vec<Arc<Variable>>,
    shadows: Vec<Arc<Variable>>,
    shared: Arc<Shared>,
}

/// The host's share of an update.
#[derive(Debug)]
struct Shared {
    weighting: Weighting,
    count: AtomicU64,
}

impl HostEvent for Shared {
    fn advance(&self) -> Result<Vec<f64>> {
        Ok(self.weighting.shares(self.count.fetch_add(1, Ordering::Relaxed)).to_vec())
    }
    fn rollback(&self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The shares of an event, once for each parameter.
struct ForEach(Arc<Shared>, usize);

impl HostEvent for ForEach {
    fn advance(&self) -> Result<Vec<f64>> {
        Ok(self.0.advance()?.repeat(self.1))
    }
    fn rollback(&self) {
        self.0.rollback();
    }
}

impl Average {
    /// Averages that start as copies of the parameters.
    pub fn new(params: Vec<Arc<Variable>>, weighting: Weighting) -> Result<Self> {
        if mode::recording() != 0 {
            let rule = "an average made outside compiled functions; only its update() goes inside";
            return Err(Error::graph("average", rule, "one made inside"));
        }
        let copy = |param: &Arc<Variable>| {
            let edge = leaf(param.get());
            let value = value_of("average", &face().cast(&edge, working(edge.dtype()))?)?;
            Ok(Variable::new(&format!("{}.average", param.name()), value, false))
        };
        let shadows = mode::with_grad(false, || params.iter().map(copy).collect::<Result<_>>())?;
        Ok(Self { params, shadows, shared: Arc::new(Shared { weighting, count: AtomicU64::new(0) }) })
    }

    /// The averages, in the order of the parameters.
    pub fn shadows(&self) -> &[Arc<Variable>] {
        &self.shadows
    }

    /// Updates so far.
    pub fn count(&self) -> u64 {
        self.shared.count.load(Ordering::Relaxed)
    }

    /// Continue from a number of updates.
    pub fn set_count(&self, count: u64) {
        self.shared.count.store(count, Ordering::Relaxed);
    }

    /// Take the parameters as they are into the averages. Inside a recording this happens at every call.
    pub fn update(&self) -> Result<()> {
        mode::with_grad(false, || {
            let event = ForEach(Arc::clone(&self.shared), self.params.len());
            let numbers = if mode::recording() == 0 {
                let shares = self.shared.advance()?;
                self.shadows
                    .iter()
                    .flat_map(|shadow| shares.iter().map(|&share| number(share, shadow)))
                    .collect::<Result<Vec<_>>>()?
            } else {
                let kind = |shadow: &Arc<Variable>| (shadow.meta().dtype, shadow.device());
                let wanted: Vec<_> = self.shadows.iter().flat_map(|shadow| [kind(shadow); 2]).collect();
                happens(Arc::new(event), &wanted)?
            };
            let b = face();
            for ((param, shadow), shares) in self.params.iter().zip(&self.shadows).zip(numbers.chunks(2)) {
                let average = Tensor::from_variable(Arc::clone(shadow));
                let held = average.edge()?;
                let value = b.cast(&Tensor::from_variable(Arc::clone(param)).edge()?, held.dtype())?;
                let kept = b.mul(&held, &b.expand(&shares[0], held.shape())?)?;
                let taken = b.mul(&value, &b.expand(&shares[1], held.shape())?)?;
                average.overwrite("update", b.add(&kept, &taken)?)?;
            }
            Ok(())
        })
    }
}

/// A number as a 0-d tensor beside a cell.
fn number(value: f64, beside: &Variable) -> Result<Edge> {
    let op = Op::Fill { value: Scalar::Float(value), shape: Shape::scalar(), dtype: beside.meta().dtype };
    face().source(op, beside.device())
}
