//! Measurements of a GPU, case by case.

use crate::gate::gate;
use pyo3::prelude::*;
use std::sync::{Mutex, PoisonError};
use trainsmith_core::backend::gpu::{Tuner, gpu};
use trainsmith_core::device::Device;
use trainsmith_core::{Error, Result};

/// A measurement of one GPU.
#[pyclass(frozen, name = "Tuner", module = "trainsmith._core")]
pub(crate) struct PyTuner(Mutex<Tuner>);

/// What was measured, each candidate with its seconds, number of the fastest.
type Finding = (String, Vec<(String, f64)>, Option<usize>);

#[pymethods]
impl PyTuner {
    #[new]
    #[pyo3(signature = (device, /))]
    fn new(py: Python<'_>, device: &str) -> PyResult<Self> {
        gate(py, "tune", || Tuner::new(number(device)?).map(|tuner| Self(Mutex::new(tuner))))
    }
    #[staticmethod]
    fn count() -> usize {
        Tuner::count()
    }
    #[pyo3(signature = (case, /))]
    fn measure(&self, py: Python<'_>, case: usize) -> PyResult<Finding> {
        let found = gate(py, "tune", || self.0.lock().unwrap_or_else(PoisonError::into_inner).measure(case))?;
        Ok((found.what, found.times, found.best))
    }
    fn save(&self, py: Python<'_>) -> PyResult<(String, String)> {
        let (path, name) = gate(py, "tune", || self.0.lock().unwrap_or_else(PoisonError::into_inner).save())?;
        Ok((path.display().to_string(), name))
    }
}

/// What chooses between kernels on a GPU: `shipped`, or the hash of a table that was measured.
#[pyfunction]
#[pyo3(signature = (device, /))]
pub(crate) fn gpu_table(py: Python<'_>, device: &str) -> PyResult<String> {
    gate(py, "tune", || gpu(number(device)?).table())
}

fn number(device: &str) -> Result<u8> {
    match Device::parse(device)? {
        Device::Gpu(number) => Ok(number),
        Device::Cpu | Device::Reference => Err(Error::device("tune", "a GPU, such as gpu or gpu:1", device)),
    }
}
