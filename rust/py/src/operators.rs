//! The one entry to all functions, and Python's operators on it.

use crate::convert;
use crate::errors::OrRaise;
use crate::gate::{call, gate};
use crate::tensor::PyTensor;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use smallvec::SmallVec;
use trainsmith_core::ir::node::Edge;
use trainsmith_core::tensor::args::Arg;
use trainsmith_core::tensor::{Tensor, functions};

/// Names of all functions.
#[pyfunction]
pub(crate) fn function_names() -> Vec<&'static str> {
    functions::names()
}

/// Call a function by name.
#[pyfunction]
#[pyo3(signature = (name, args, attrs=None, /))]
pub(crate) fn apply<'py>(
    py: Python<'py>,
    name: &str,
    args: &Bound<'py, PyTuple>,
    attrs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let args: SmallVec<[Arg; 3]> = args.iter().map(|a| convert::arg(&a)).collect::<PyResult<_>>()?;
    let attrs = convert::attrs(attrs)?;
    let edges = call(py, name, &args, &attrs)?;
    wrap(py, edges)
}

fn wrap(py: Python<'_>, mut edges: Vec<Edge>) -> PyResult<Bound<'_, PyAny>> {
    let object = |edge| Ok(PyTensor::wrap(py, Tensor::from_edge(edge))?.into_any());
    if edges.len() == 1
        && let Some(edge) = edges.pop()
    {
        return object(edge);
    }
    Ok(PyTuple::new(py, edges.into_iter().map(object).collect::<PyResult<Vec<_>>>()?)?.into_any())
}

/// A function of two operands, one of which is a tensor; anything that is no operand gives `NotImplemented`.
pub(crate) fn binary<'py>(name: &str, a: &Bound<'py, PyAny>, b: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = a.py();
    let (Some(left), Some(right)) = (operand(a)?, operand(b)?) else {
        return Ok(py.NotImplemented().into_bound(py));
    };
    let edges = call(py, name, &[left, right], &[])?;
    wrap(py, edges)
}

fn operand(value: &Bound<'_, PyAny>) -> PyResult<Option<Arg>> {
    if let Ok(tensor) = value.cast_exact::<PyTensor>() {
        return tensor.get().0.edge().map(|edge| Some(Arg::Edge(edge))).or_raise(value.py());
    }
    let known = value.is_instance_of::<PyTensor>()
        || convert::scalar(value).is_some()
        || value.hasattr("__array__")?
        || value.is_instance_of::<pyo3::types::PyList>();
    if known && !value.is_none() { convert::arg(value).map(Some) } else { Ok(None) }
}

/// A function of one tensor.
pub(crate) fn unary<'py>(name: &str, a: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = a.py();
    let operand = convert::arg(a)?;
    let edges = call(py, name, &[operand], &[])?;
    wrap(py, edges)
}

/// `a = function(a, b)` in place.
pub(crate) fn in_place(name: &str, a: &Bound<'_, PyTensor>, b: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = a.py();
    let (left, right) = (convert::arg(a.as_any())?, convert::arg(b)?);
    let target = &a.get().0;
    gate(py, name, || {
        let mut edges = functions::call(name, &[left, right], &[])?;
        target.assign(name, edges.remove(0))
    })
}
