//! From the core's errors to the package's exception classes.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};
use trainsmith_core::Error;

static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();

/// Name of the class in `trainsmith.errors`; a new variant does not compile until it has one.
fn class_name(error: &Error) -> &'static str {
    match error {
        Error::Shape { .. } => "ShapeError",
        Error::DType { .. } => "DTypeError",
        Error::Value { .. } => "ArgumentError",
        Error::Index { .. } => "IndexRangeError",
        Error::Device { .. } => "DeviceError",
        Error::Graph { .. } => "GraphError",
        Error::NonFinite { .. } => "NonFiniteError",
        Error::Io { .. } => "IoError",
        Error::Bug { .. } => "InternalError",
    }
}

/// The exception of an error.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    let build = || -> PyResult<PyErr> {
        let module = MODULE.get_or_try_init(py, || py.import("trainsmith.errors").map(Bound::unbind))?;
        let class = module.bind(py).getattr(class_name(error))?.cast_into::<PyType>()?;
        let (op, expected, got) = error.fields();
        let fields = PyDict::new(py);
        fields.set_item("op", op)?;
        fields.set_item("expected", expected)?;
        fields.set_item("got", got)?;
        Ok(PyErr::from_value(class.call((error.to_string(),), Some(&fields))?))
    };
    build().unwrap_or_else(|failure| failure)
}

/// Turn results of the core into results of Python.
pub(crate) trait OrRaise<T> {
    /// The value, or the exception of its class.
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for trainsmith_core::Result<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| raise(py, &error))
    }
}

/// Carry a Python exception through the core, which knows none.
pub(crate) fn from_python(op: &str, failure: &PyErr) -> Error {
    Error::graph(op, "a function that returns", failure.to_string())
}
