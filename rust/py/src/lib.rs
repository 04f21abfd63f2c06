//! `trainsmith._core`: the Python face of `trainsmith-core`.
//!
//! What lives here: parsing arguments, the gate that releases the GIL, errors, array exchange.
//! What never happens here: mathematics, or a branch on an op. The Python package is the only caller.

use pyo3::prelude::*;

#[pymodule]
mod _core {
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
