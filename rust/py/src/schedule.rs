//! Schedules.

use crate::errors::OrRaise;
use pyo3::prelude::*;
use std::sync::Arc;
use trainsmith_core::Error;
use trainsmith_core::train::schedule::{
    Anneal, Constant, Cosine, Cyclic, Envelope, Exponential, InverseSqrt, Linear, MultiStep, OneCycle, Polynomial,
    Schedule, StepDecay, WarmRestarts, Warmup, WarmupStableDecay,
};

/// A pure function from a step to a rate.
#[pyclass(frozen, name = "Schedule", module = "trainsmith._core")]
#[derive(Clone)]
pub(crate) struct PySchedule(Arc<dyn Schedule>);

impl PySchedule {
    fn new(schedule: impl Schedule + 'static) -> Self {
        Self(Arc::new(schedule))
    }
}

fn anneal(name: &str) -> trainsmith_core::Result<Anneal> {
    match name {
        "cos" => Ok(Anneal::Cosine),
        "linear" => Ok(Anneal::Linear),
        _ => Err(Error::value("lr_scheduler", "\"cos\" or \"linear\"", format!("{name:?}"))),
    }
}

#[pymethods]
impl PySchedule {
    #[staticmethod]
    fn constant(factor: f64, steps: u64) -> Self {
        Self::new(Constant { factor, steps })
    }
    #[staticmethod]
    fn cosine(period: f64, minimum: f64) -> Self {
        Self::new(Cosine { period, minimum })
    }
    /// Up and down; `gamma` decays the height, by step or, where it is None and `halved`, by half a cycle.
    #[staticmethod]
    fn cyclic(highest: f64, up: f64, down: f64, halved: bool, gamma: Option<f64>) -> Self {
        let envelope = match gamma {
            Some(gamma) => Envelope::Exponential(gamma),
            None if halved => Envelope::Halved,
            None => Envelope::Constant,
        };
        Self::new(Cyclic { highest, up, down, envelope })
    }
    #[staticmethod]
    fn exponential(gamma: f64) -> Self {
        Self::new(Exponential { gamma })
    }
    #[staticmethod]
    fn inverse_sqrt(steps: u64) -> Self {
        Self::new(InverseSqrt { steps })
    }
    #[staticmethod]
    fn linear(start: f64, end: f64, steps: u64) -> Self {
        Self::new(Linear { start, end, steps })
    }
    #[staticmethod]
    fn multi_step(milestones: Vec<u64>, gamma: f64) -> Self {
        Self::new(MultiStep { milestones, gamma })
    }
    #[staticmethod]
    fn one_cycle(
        py: Python<'_>,
        highest: f64,
        lowest: f64,
        steps: u64,
        rise: f64,
        shape: &str,
        three_phase: bool,
    ) -> PyResult<Self> {
        let anneal = anneal(shape).or_raise(py)?;
        Ok(Self::new(OneCycle { highest, lowest, steps, rise, anneal, three_phase }))
    }
    #[staticmethod]
    fn polynomial(steps: u64, power: f64) -> Self {
        Self::new(Polynomial { steps, power })
    }
    #[staticmethod]
    fn step_decay(size: u64, gamma: f64) -> Self {
        Self::new(StepDecay { size, gamma })
    }
    #[staticmethod]
    fn warm_restarts(period: u64, growth: u64, minimum: f64) -> Self {
        Self::new(WarmRestarts { period, growth, minimum })
    }
    #[staticmethod]
    fn warmup(steps: u64) -> Self {
        Self::new(Warmup { steps })
    }
    #[staticmethod]
    fn warmup_stable_decay(
        py: Python<'_>,
        warmup: u64,
        stable: u64,
        decay: u64,
        lowest: f64,
        shape: &str,
    ) -> PyResult<Self> {
        let anneal = anneal(shape).or_raise(py)?;
        Ok(Self::new(WarmupStableDecay { warmup, stable, decay, lowest, anneal }))
    }
    fn rate(&self, base: f64, step: u64) -> f64 {
        self.0.rate(base, step)
    }
}
