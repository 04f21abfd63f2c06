//! From Python arguments to the core's.

use crate::dtype::PyDType;
use crate::errors::{OrRaise, raise};
use crate::tensor::PyTensor;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString};
use trainsmith_core::Error;
use trainsmith_core::dtype::Scalar;
use trainsmith_core::tensor::Tensor;
use trainsmith_core::tensor::args::{Arg, Attr};

static ASARRAY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// A Python number.
pub(crate) fn scalar(value: &Bound<'_, PyAny>) -> Option<PyResult<Scalar>> {
    if value.is_instance_of::<PyBool>() {
        return Some(value.extract().map(Scalar::Bool));
    }
    if value.is_instance_of::<PyFloat>() {
        return Some(value.extract().map(Scalar::Float));
    }
    value.is_instance_of::<PyInt>().then(|| {
        value
            .extract::<i128>()
            .map(Scalar::Int)
            .map_err(|_| raise(value.py(), &Error::value("scalar", "an integer of at most 64 bits", value.to_string())))
    })
}

/// A tensor, or something that becomes one.
pub(crate) fn tensor(value: &Bound<'_, PyAny>) -> PyResult<Tensor> {
    if let Ok(tensor) = value.cast::<PyTensor>() {
        return Ok(tensor.get().0.clone());
    }
    let py = value.py();
    let asarray =
        ASARRAY.get_or_try_init(py, || py.import("trainsmith._arrays")?.getattr("asarray").map(Bound::unbind))?;
    let made = asarray.bind(py).call1((value,))?;
    Ok(made.cast::<PyTensor>()?.get().0.clone())
}

/// A positional argument.
pub(crate) fn arg(value: &Bound<'_, PyAny>) -> PyResult<Arg> {
    if let Ok(tensor) = value.cast_exact::<PyTensor>() {
        return Ok(Arg::Edge(tensor.get().0.edge().or_raise(value.py())?));
    }
    if value.is_none() {
        return Ok(Arg::None);
    }
    match scalar(value) {
        Some(number) => Ok(Arg::Scalar(number?)),
        None => Ok(Arg::Edge(tensor(value)?.edge().or_raise(value.py())?)),
    }
}

/// A keyword's value.
fn attr(value: &Bound<'_, PyAny>) -> PyResult<Attr> {
    if value.is_none() {
        return Ok(Attr::None);
    }
    if value.is_instance_of::<PyBool>() {
        return value.extract().map(Attr::Bool);
    }
    if value.is_instance_of::<PyFloat>() {
        return value.extract().map(Attr::Float);
    }
    if value.is_instance_of::<PyString>() {
        return value.extract().map(Attr::Str);
    }
    if let Ok(dtype) = value.cast::<PyDType>() {
        return Ok(Attr::DType(dtype.get().0));
    }
    if let Ok(number) = value.extract::<i64>() {
        return Ok(Attr::Int(number));
    }
    if let Ok(numbers) = value.extract::<Vec<i64>>() {
        return Ok(Attr::Ints(numbers));
    }
    if let Ok(number) = value.extract::<f64>() {
        return Ok(Attr::Float(number));
    }
    let rule = "a number, a string, a dtype or a tuple of integers as keyword";
    Err(raise(value.py(), &Error::value("call", rule, value.repr()?.to_string())))
}

/// All keywords.
pub(crate) fn attrs(values: Option<&Bound<'_, PyDict>>) -> PyResult<Vec<(String, Attr)>> {
    let Some(values) = values else { return Ok(vec![]) };
    values.iter().map(|(key, value)| Ok((key.extract()?, attr(&value)?))).collect()
}
