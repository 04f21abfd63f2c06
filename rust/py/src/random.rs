//! Generators.

use crate::errors::OrRaise;
use pyo3::prelude::*;
use trainsmith_core::tensor::Generator;

/// A stream of random numbers: the same seed gives the same numbers, on every device.
///
/// Args:
///     seed: an integer in [0, 2^64).
///
/// Example:
///     >>> import trainsmith as ts
///     >>> ts.Generator(7).initial_seed()
///     7
#[pyclass(frozen, name = "Generator", module = "trainsmith._core")]
pub(crate) struct PyGenerator(Generator);

#[pymethods]
impl PyGenerator {
    #[new]
    #[pyo3(signature = (seed=0))]
    fn new(seed: u64) -> Self {
        Self(Generator::new(seed))
    }
    /// Starts the stream again.
    ///
    /// Args:
    ///     seed: an integer in [0, 2^64).
    ///
    /// Returns:
    ///     The same stream.
    fn manual_seed(slf: Bound<'_, Self>, seed: u64) -> PyResult<Bound<'_, Self>> {
        slf.get().0.reseed(seed).or_raise(slf.py())?;
        Ok(slf)
    }
    /// Gives seed and place of the stream.
    ///
    /// Returns:
    ///     Two integers, for `set_state`.
    ///
    /// Raises:
    ///     GraphError: inside a compiled function.
    fn get_state(&self, py: Python<'_>) -> PyResult<(u64, u64)> {
        let [seed, offset] = self.0.state().or_raise(py)?;
        Ok((seed as u64, offset as u64))
    }
    /// Goes to a place of a stream.
    ///
    /// Args:
    ///     state: what `get_state` gave.
    ///
    /// Raises:
    ///     GraphError: inside a compiled function.
    fn set_state(&self, py: Python<'_>, state: (u64, u64)) -> PyResult<()> {
        self.0.set_state([state.0 as i64, state.1 as i64]).or_raise(py)
    }
    /// Gives the seed.
    ///
    /// Returns:
    ///     An integer in [0, 2^64).
    fn initial_seed(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.get_state(py)?.0)
    }
    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<(Py<PyAny>, (), (u64, u64))> {
        Ok((slf.get_type().into_any().unbind(), (), slf.get().get_state(slf.py())?))
    }
    fn __setstate__(&self, py: Python<'_>, state: (u64, u64)) -> PyResult<()> {
        self.set_state(py, state)
    }
}

/// The stream that is used where none is named.
#[pyfunction]
pub(crate) fn default_generator() -> PyGenerator {
    PyGenerator(Generator::global().clone())
}
