//! `trainsmith._core`: the Python face of `trainsmith-core`.
//!
//! What lives here: parsing arguments, the gate that releases the GIL, errors, array exchange.
//! What never happens here: mathematics, or a branch on an op. The Python package is the only caller.

#![allow(
    clippy::needless_pass_by_value,
    clippy::trivially_copy_pass_by_ref,
    reason = "PyO3 hands arguments over by value and methods take &self"
)]

mod arrays;
mod average;
mod convert;
mod dtype;
mod errors;
mod files;
mod gate;
mod gather;
mod graph;
mod operators;
mod optimizer;
mod profile;
mod random;
mod routes;
mod schedule;
mod stop;
mod tensor;
mod tune;

use pyo3::prelude::*;

/// The extension module.
#[pymodule(gil_used = false)]
mod _core {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::arrays::{borrow, from_bytes, host_view, to_device};
    #[pymodule_export]
    use crate::average::PyAverage;
    #[pymodule_export]
    use crate::dtype::{PyDType, autocast_dtype, dtype, set_autocast};
    #[pymodule_export]
    use crate::files::{load_safetensors, save_safetensors};
    #[pymodule_export]
    use crate::gather::PyGather;
    #[pymodule_export]
    use crate::graph::{
        PyCaptured, PySnapshot, clip_by_norm, connected, count_hit, counters, devices, gpu_info, grad_enabled,
        gradients, note_change, num_threads, read_together, record, record_event, recording, save_caches, scan,
        set_grad_enabled, set_num_threads, watch,
    };
    #[pymodule_export]
    use crate::operators::{apply, function_names};
    #[pymodule_export]
    use crate::optimizer::{PyGroup, PyOptimizer, PyParamState};
    #[pymodule_export]
    use crate::profile::{PyProfile, start_profile, stop_profile};
    #[pymodule_export]
    use crate::random::{PyGenerator, default_generator};
    #[pymodule_export]
    use crate::routes::PyRoutes;
    #[pymodule_export]
    use crate::schedule::PySchedule;
    #[pymodule_export]
    use crate::stop::PyStopFlag;
    #[pymodule_export]
    use crate::tensor::{PyBuffer, PyParameter, PyTensor, numbers};
    #[pymodule_export]
    use crate::tune::{PyTuner, gpu_table};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.py().import("atexit")?.call_method1("register", (module.getattr("save_caches")?,))?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
