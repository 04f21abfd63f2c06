//! Generators.

use crate::errors::OrRaise;
use pyo3::prelude::*;
use trainsmith_core::tensor::Generator;

/// A stream of random numbers.
#[pyclass(frozen, name = "Generator", module = "trainsmith._core")]
pub(crate) struct PyGenerator(Generator);

#[pymethods]
impl PyGenerator {
    #[new]
    #[pyo3(signature = (seed=0))]
    fn new(seed: u64) -> Self {
        Self(Generator::new(seed))
    }
    fn manual_seed(slf: Bound<'_, Self>, seed: u64) -> PyResult<Bound<'_, Self>> {
        slf.get().0.reseed(seed).or_raise(slf.py())?;
        Ok(slf)
    }
    fn get_state(&self, py: Python<'_>) -> PyResult<(u64, u64)> {
        let [seed, offset] = self.0.state().or_raise(py)?;
        Ok((seed as u64, offset as u64))
    }
    fn set_state(&self, py: Python<'_>, state: (u64, u64)) -> PyResult<()> {
        self.0.set_state([state.0 as i64, state.1 as i64]).or_raise(py)
    }
    fn initial_seed(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.get_state(py)?.0)
    }
}

/// The stream that is used where none is named.
#[pyfunction]
pub(crate) fn default_generator() -> PyGenerator {
    PyGenerator(Generator::global().clone())
}
