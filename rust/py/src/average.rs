//! Averages of parameters.

use crate::errors::OrRaise;
use crate::gate::gate;
use crate::optimizer::variable_of;
use crate::tensor::{PyBuffer, PyTensor, buffer_object};
use pyo3::prelude::*;
use std::sync::Arc;
use trainsmith_core::tensor::Tensor;
use trainsmith_core::train::average::{Average, Weighting};

/// Averages of parameters over steps: exponential with a decay, uniform without one.
#[pyclass(frozen, name = "Average", module = "trainsmith._core")]
pub(crate) struct PyAverage(Average);

#[pymethods]
impl PyAverage {
    #[new]
    fn new(py: Python<'_>, params: Vec<Bound<'_, PyTensor>>, decay: Option<f64>) -> PyResult<Self> {
        let params = params.iter().map(variable_of).collect::<PyResult<Vec<_>>>()?;
        let weighting = decay.map_or(Weighting::Uniform, |decay| Weighting::Exponential { decay });
        Ok(Self(Average::new(params, weighting).or_raise(py)?))
    }
    fn update(&self, py: Python<'_>) -> PyResult<()> {
        gate(py, "update", || self.0.update())
    }
    #[getter]
    fn get_count(&self) -> u64 {
        self.0.count()
    }
    #[setter]
    fn set_count(&self, count: u64) {
        self.0.set_count(count);
    }
    fn shadows<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyBuffer>>> {
        self.0.shadows().iter().map(|cell| buffer_object(py, Tensor::from_variable(Arc::clone(cell)))).collect()
    }
}
