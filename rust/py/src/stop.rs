//! The flag that asks running work to stop.

use pyo3::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that is set once and seen by every thread, of Python and of the core.
#[pyclass(frozen, name = "StopFlag", module = "trainsmith._core")]
pub(crate) struct PyStopFlag(Arc<AtomicBool>);

impl PyStopFlag {
    /// The flag itself, for work that runs without the GIL.
    pub(crate) fn shared(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

#[pymethods]
impl PyStopFlag {
    #[new]
    fn new() -> Self {
        Self(Arc::new(AtomicBool::new(false)))
    }
    fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
    fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
