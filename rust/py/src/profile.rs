//! What kernels take.

use crate::gate::gate;
use pyo3::prelude::*;
use trainsmith_core::backend::profile::{self, Clock, Profile};

/// What a profile has seen.
#[pyclass(frozen, name = "Profile", module = "trainsmith._core")]
pub(crate) struct PyProfile(Profile);

/// Device, name, calls, seconds, bytes, operations.
type Row = (String, String, u64, f64, u64, u64);

#[pymethods]
impl PyProfile {
    #[getter]
    fn get_seconds(&self) -> f64 {
        self.0.time().as_secs_f64()
    }
    fn rows(&self) -> Vec<Row> {
        let rows = self.0.rows().into_iter();
        rows.map(|row| (row.device.to_string(), row.name, row.calls, row.time.as_secs_f64(), row.bytes, row.flops))
            .collect()
    }
    fn clocks(&self) -> Vec<(String, &'static str)> {
        let said = |clock: Clock| match clock {
            Clock::Host => "host",
            Clock::Gpu => "gpu",
            Clock::Waiting => "waiting",
        };
        self.0.clocks().map(|(device, clock)| (device.to_string(), said(clock))).collect()
    }
    fn trace(&self, py: Python<'_>) -> PyResult<String> {
        gate(py, "export_trace", || Ok(self.0.trace()))
    }
}

/// Begin to note what runs.
#[pyfunction]
pub(crate) fn start_profile(py: Python<'_>) -> PyResult<()> {
    gate(py, "profile", profile::start)
}

/// End the profile that runs.
#[pyfunction]
pub(crate) fn stop_profile(py: Python<'_>) -> PyResult<PyProfile> {
    gate(py, "profile", profile::stop).map(PyProfile)
}
