//! Dtypes as Python objects.

use crate::errors::OrRaise;
use pyo3::prelude::*;
use trainsmith_core::Error;
use trainsmith_core::dtype::DType;
use trainsmith_core::tensor::mode;

/// An element type.
#[pyclass(frozen, eq, hash, name = "DType", module = "trainsmith._core")]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PyDType(pub(crate) DType);

#[pymethods]
impl PyDType {
    #[getter]
    fn name(&self) -> &'static str {
        self.0.name()
    }
    #[getter]
    fn itemsize(&self) -> usize {
        self.0.size()
    }
    #[getter]
    fn is_floating(&self) -> bool {
        self.0.is_float()
    }
    #[getter]
    fn is_integer(&self) -> bool {
        self.0.is_integer()
    }
    #[getter]
    fn is_signed(&self) -> bool {
        self.0.is_signed()
    }
    fn __str__(&self) -> &'static str {
        self.0.name()
    }
    fn __repr__(&self) -> String {
        format!("trainsmith.{}", self.0.name())
    }
    fn __reduce__(&self, py: Python<'_>) -> PyResult<(Py<PyAny>, (&'static str,))> {
        let make = py.import("trainsmith._core")?.getattr("dtype")?.unbind();
        Ok((make, (self.0.name(),)))
    }
    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }
    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }
}

/// The dtype of a name.
#[pyfunction]
#[pyo3(signature = (name, /))]
pub(crate) fn dtype(py: Python<'_>, name: &str) -> PyResult<PyDType> {
    let found = DType::from_name(name).map(PyDType);
    found.ok_or_else(|| Error::dtype("dtype", "a dtype name such as \"float32\"", format!("{name:?}"))).or_raise(py)
}

/// Products compute in this dtype from here on, or again in that of their operands; gives the setting before.
#[pyfunction]
#[pyo3(signature = (dtype, /))]
pub(crate) fn set_autocast(dtype: Option<&Bound<'_, PyDType>>) -> Option<PyDType> {
    mode::set_autocast(dtype.map(|d| d.get().0)).map(PyDType)
}

/// The dtype in which products compute, if any.
#[pyfunction]
pub(crate) fn autocast_dtype() -> Option<PyDType> {
    mode::autocast().map(PyDType)
}
