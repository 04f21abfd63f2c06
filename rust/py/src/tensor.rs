//! The tensor class, and its two kinds of cells.

use crate::convert;
use crate::dtype::PyDType;
use crate::errors::OrRaise;
use crate::gate::gate;
use crate::operators::{binary, in_place, unary};
use pyo3::IntoPyObjectExt;
use pyo3::basic::CompareOp;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::hash::{DefaultHasher, Hash, Hasher};
use trainsmith_core::Error;
use trainsmith_core::dtype::DType;
use trainsmith_core::ir::variable::Variable;
use trainsmith_core::tensor::face::face;
use trainsmith_core::tensor::{Tensor, compact, mode};

/// An n-dimensional array with gradients.
#[pyclass(frozen, subclass, weakref, name = "Tensor", module = "trainsmith._core")]
pub(crate) struct PyTensor(pub(crate) Tensor);

impl PyTensor {
    /// A Python object of a tensor; a cell comes back as what it is.
    pub(crate) fn wrap(py: Python<'_>, tensor: Tensor) -> PyResult<Bound<'_, PyTensor>> {
        Bound::new(py, Self(tensor))
    }

    /// The single element, as bytes of its dtype.
    fn element(&self, py: Python<'_>, op: &'static str) -> PyResult<(DType, Vec<u8>)> {
        let meta = self.0.meta();
        if meta.shape.numel() != 1 {
            let got = format!("shape {}", meta.shape);
            return Err(Error::shape(op, "a tensor with one element; reduce or index it first", got)).or_raise(py);
        }
        let bytes = self.0.to_host(op).or_raise(py)?;
        Ok((meta.dtype, bytes.to_vec()))
    }

    fn number<'py>(&self, py: Python<'py>, op: &'static str) -> PyResult<Bound<'py, PyAny>> {
        let (dtype, _) = self.element(py, op)?;
        let wide = if dtype.is_float() {
            DType::F64
        } else if dtype.is_unsigned() {
            DType::U64
        } else {
            DType::I64
        };
        let tensor = &self.0;
        let bytes = gate(py, op, || tensor.to_wide(op, wide))?;
        let mut word = [0u8; 8];
        word.copy_from_slice(&bytes);
        match (dtype, wide) {
            (DType::Bool, _) => (i64::from_ne_bytes(word) != 0).into_bound_py_any(py),
            (_, DType::F64) => f64::from_ne_bytes(word).into_bound_py_any(py),
            (_, DType::U64) => u64::from_ne_bytes(word).into_bound_py_any(py),
            _ => i64::from_ne_bytes(word).into_bound_py_any(py),
        }
    }
}

#[pymethods]
impl PyTensor {
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.meta().shape.iter())
    }
    #[getter]
    fn dtype(&self) -> PyDType {
        PyDType(self.0.meta().dtype)
    }
    #[getter]
    fn device(&self) -> String {
        self.0.device().to_string()
    }
    #[getter]
    fn ndim(&self) -> usize {
        self.0.meta().shape.len()
    }
    #[getter]
    fn size(&self) -> usize {
        self.0.meta().shape.numel()
    }
    #[getter]
    fn is_leaf(&self) -> bool {
        self.0.is_leaf()
    }
    #[getter]
    fn get_requires_grad(&self) -> bool {
        self.0.requires_grad()
    }
    #[setter]
    fn set_requires_grad(&self, py: Python<'_>, requires_grad: bool) -> PyResult<()> {
        self.0.set_requires_grad(requires_grad).or_raise(py)
    }
    #[getter]
    fn get_grad<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTensor>>> {
        self.0.grad().map(|grad| Self::wrap(py, grad)).transpose()
    }
    #[setter]
    fn set_grad(&self, py: Python<'_>, grad: Option<&Bound<'_, PyTensor>>) -> PyResult<()> {
        self.0.set_grad(grad.map(|g| &g.get().0)).or_raise(py)
    }

    /// Says whether gradients by this leaf shall be kept in `grad`; changes it and gives it back.
    ///
    /// Args:
    ///     requires_grad: True for a leaf to be trained; it must be floating.
    ///
    /// Returns:
    ///     The same object.
    ///
    /// Raises:
    ///     DTypeError: a tensor that is not floating.
    ///     GraphError: a result, which requires a gradient where its operands do.
    ///
    /// Example:
    ///     >>> import trainsmith as ts
    ///     >>> ts.zeros(2).requires_grad_().requires_grad
    ///     True
    #[pyo3(signature = (requires_grad=true))]
    fn requires_grad_(slf: Bound<'_, Self>, requires_grad: bool) -> PyResult<Bound<'_, Self>> {
        slf.get().0.set_requires_grad(requires_grad).or_raise(slf.py())?;
        Ok(slf)
    }

    /// Adds the gradients of this tensor by all leaves it was computed from to their `grad`.
    ///
    /// Args:
    ///     gradient: what each element counts, shape of this tensor; 1 by default, for a tensor of one element.
    ///     retain_graph: whether the tape stays, for another call.
    ///     create_graph: whether the gradients carry a tape, for derivatives of higher order.
    ///
    /// Raises:
    ///     GraphError: a tensor without a tape, or a tape that an earlier call has freed.
    ///     ShapeError: more than one element and no `gradient`, or one of another shape.
    ///
    /// Example:
    ///     >>> import trainsmith as ts
    ///     >>> x = ts.asarray([1.0, 2.0]).requires_grad_()
    ///     >>> ts.sum(x * x).backward()
    ///     >>> x.grad.tolist()
    ///     [2.0, 4.0]
    #[pyo3(signature = (gradient=None, *, retain_graph=false, create_graph=false))]
    fn backward(
        &self,
        py: Python<'_>,
        gradient: Option<&Bound<'_, PyAny>>,
        retain_graph: bool,
        create_graph: bool,
    ) -> PyResult<()> {
        let gradient = gradient.map(convert::tensor).transpose()?;
        gate(py, "backward", || {
            trainsmith_core::tensor::backward::backward(&self.0, gradient.as_ref(), retain_graph, create_graph)
        })
    }

    /// Gives the elements without a tape.
    ///
    /// Returns:
    ///     A tensor that requires no gradient; later changes of this one do not show in it.
    ///
    /// Example:
    ///     >>> import trainsmith as ts
    ///     >>> ts.zeros(2).requires_grad_().detach().requires_grad
    ///     False
    fn detach<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTensor>> {
        Self::wrap(py, self.0.detach().or_raise(py)?)
    }

    /// Lets this object stand for another value, as in-place operators do; a parameter refuses outside `no_grad()`.
    ///
    /// Args:
    ///     value: the new value, shape and dtype of this tensor.
    ///
    /// Returns:
    ///     The same object.
    ///
    /// Raises:
    ///     GraphError: a leaf that requires a gradient.
    ///
    /// Example:
    ///     >>> import trainsmith as ts
    ///     >>> ts.zeros(2).assign_(ts.ones(2)).tolist()
    ///     [1.0, 1.0]
    #[pyo3(signature = (value, /))]
    fn assign_<'py>(slf: Bound<'py, Self>, value: &Bound<'_, PyAny>) -> PyResult<Bound<'py, Self>> {
        let edge = convert::tensor(value)?.edge().or_raise(slf.py())?;
        slf.get().0.assign("assign_", edge).or_raise(slf.py())?;
        Ok(slf)
    }

    /// Takes over the elements of another tensor; no gradient flows.
    ///
    /// Args:
    ///     value: elements, converted to this dtype and repeated to this shape.
    ///
    /// Returns:
    ///     The same object.
    ///
    /// Raises:
    ///     ShapeError: a shape that does not broadcast to that of this tensor.
    ///
    /// Example:
    ///     >>> import trainsmith as ts
    ///     >>> ts.zeros(2).copy_(3).tolist()
    ///     [3.0, 3.0]
    #[pyo3(signature = (value, /))]
    fn copy_<'py>(slf: Bound<'py, Self>, value: &Bound<'_, PyAny>) -> PyResult<Bound<'py, Self>> {
        let py = slf.py();
        let (target, source) = (&slf.get().0, convert::tensor(value)?);
        gate(py, "copy_", || {
            mode::with_grad(false, || {
                let meta = target.meta();
                let edge = face().cast(&source.detach()?.edge()?, meta.dtype)?;
                let edge =
                    if edge.shape().len() > meta.shape.len() { edge } else { face().expand(&edge, &meta.shape)? };
                target.overwrite("copy_", edge)
            })
        })?;
        Ok(slf)
    }

    /// Gives the one element as a Python number.
    ///
    /// Returns:
    ///     A bool, an int or a float.
    ///
    /// Raises:
    ///     GraphError: inside a compiled function, where elements are not known yet.
    ///     ShapeError: another number of elements than one.
    ///
    /// Example:
    ///     >>> import trainsmith as ts
    ///     >>> ts.asarray([2.5]).item()
    ///     2.5
    fn item<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.number(py, "item")
    }
    fn __float__(&self, py: Python<'_>) -> PyResult<f64> {
        gate(py, "float", || self.0.number("float"))
    }
    fn __int__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let number = self.number(py, "int")?;
        py.import("builtins")?.getattr("int")?.call1((number,))
    }
    fn __bool__(&self, py: Python<'_>) -> PyResult<bool> {
        self.number(py, "bool")?.is_truthy()
    }
    fn __index__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let dtype = self.0.meta().dtype;
        if !dtype.is_integer() {
            let error = Error::dtype("index", "an integer tensor with one element", dtype.to_string());
            return Err(error).or_raise(py);
        }
        self.number(py, "index")
    }
    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        let size = self.0.meta().shape.first().copied();
        size.ok_or_else(|| Error::shape("len", "a tensor with at least one axis", "shape ()")).or_raise(py)
    }
    fn __hash__(slf: &Bound<'_, Self>) -> u64 {
        let mut hasher = DefaultHasher::new();
        (slf.as_ptr() as usize).hash(&mut hasher);
        hasher.finish()
    }

    fn __richcmp__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
        op: CompareOp,
    ) -> PyResult<Bound<'py, PyAny>> {
        let name = match op {
            CompareOp::Lt => "less",
            CompareOp::Le => "less_equal",
            CompareOp::Eq => "equal",
            CompareOp::Ne => "not_equal",
            CompareOp::Gt => "greater",
            CompareOp::Ge => "greater_equal",
        };
        binary(name, slf.as_any(), other)
    }

    fn __add__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("add", slf.as_any(), other)
    }
    fn __radd__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("add", other, slf.as_any())
    }
    fn __sub__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("subtract", slf.as_any(), other)
    }
    fn __rsub__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("subtract", other, slf.as_any())
    }
    fn __mul__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("multiply", slf.as_any(), other)
    }
    fn __rmul__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("multiply", other, slf.as_any())
    }
    fn __truediv__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("divide", slf.as_any(), other)
    }
    fn __rtruediv__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("divide", other, slf.as_any())
    }
    fn __floordiv__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("floor_divide", slf.as_any(), other)
    }
    fn __rfloordiv__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("floor_divide", other, slf.as_any())
    }
    fn __mod__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("remainder", slf.as_any(), other)
    }
    fn __rmod__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("remainder", other, slf.as_any())
    }
    fn __pow__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
        _modulo: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary("pow", slf.as_any(), other)
    }
    fn __rpow__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
        _modulo: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        binary("pow", other, slf.as_any())
    }
    fn __matmul__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("matmul", slf.as_any(), other)
    }
    fn __rmatmul__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("matmul", other, slf.as_any())
    }
    fn __and__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("bitwise_and", slf.as_any(), other)
    }
    fn __rand__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("bitwise_and", other, slf.as_any())
    }
    fn __or__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("bitwise_or", slf.as_any(), other)
    }
    fn __ror__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("bitwise_or", other, slf.as_any())
    }
    fn __xor__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("bitwise_xor", slf.as_any(), other)
    }
    fn __rxor__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("bitwise_xor", other, slf.as_any())
    }
    fn __lshift__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("bitwise_left_shift", slf.as_any(), other)
    }
    fn __rlshift__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("bitwise_left_shift", other, slf.as_any())
    }
    fn __rshift__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("bitwise_right_shift", slf.as_any(), other)
    }
    fn __rrshift__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary("bitwise_right_shift", other, slf.as_any())
    }
    fn __neg__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        unary("negative", slf.as_any())
    }
    fn __pos__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        unary("positive", slf.as_any())
    }
    fn __abs__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        unary("abs", slf.as_any())
    }
    fn __invert__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        unary("bitwise_invert", slf.as_any())
    }

    fn __iadd__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place("add", slf, other)
    }
    fn __isub__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place("subtract", slf, other)
    }
    fn __imul__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place("multiply", slf, other)
    }
    fn __itruediv__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place("divide", slf, other)
    }
    fn __ifloordiv__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place("floor_divide", slf, other)
    }
    fn __imod__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place("remainder", slf, other)
    }
    fn __ipow__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>, _modulo: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place("pow", slf, other)
    }
    fn __imatmul__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place("matmul", slf, other)
    }
    fn __iand__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place("bitwise_and", slf, other)
    }
    fn __ior__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place("bitwise_or", slf, other)
    }
    fn __ixor__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place("bitwise_xor", slf, other)
    }
    fn __ilshift__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place("bitwise_left_shift", slf, other)
    }
    fn __irshift__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place("bitwise_right_shift", slf, other)
    }
}

/// A cell with the value of a tensor.
fn cell(data: &Bound<'_, PyAny>, trainable: bool) -> PyResult<Tensor> {
    let py = data.py();
    let source = convert::tensor(data)?;
    let dtype = source.meta().dtype;
    if trainable && !dtype.is_float() {
        let error = Error::dtype("Parameter", "floating data, or requires_grad=False", dtype.to_string());
        return Err(error).or_raise(py);
    }
    let value = gate(py, "Parameter", || compact(&source.value("Parameter")?))?;
    Ok(Tensor::from_variable(Variable::new("parameter", value, trainable)))
}

/// A trained tensor: a cell whose value optimizers replace.
#[pyclass(frozen, subclass, extends = PyTensor, name = "Parameter", module = "trainsmith._core")]
pub(crate) struct PyParameter;

#[pymethods]
impl PyParameter {
    #[new]
    #[pyo3(signature = (data, requires_grad=true))]
    fn new(data: &Bound<'_, PyAny>, requires_grad: bool) -> PyResult<PyClassInitializer<Self>> {
        Ok(PyClassInitializer::from(PyTensor(cell(data, requires_grad)?)).add_subclass(Self))
    }
    #[getter]
    fn get_name_(slf: PyRef<'_, Self>) -> String {
        slf.as_super().0.variable().map(|v| v.name().to_string()).unwrap_or_default()
    }
    #[setter]
    fn set_name_(slf: PyRef<'_, Self>, name: &str) {
        if let Some(variable) = slf.as_super().0.variable() {
            variable.rename(name);
        }
    }
}

/// A tensor that belongs to a module's state and is not trained: a cell.
#[pyclass(frozen, subclass, extends = PyTensor, name = "Buffer", module = "trainsmith._core")]
pub(crate) struct PyBuffer;

#[pymethods]
impl PyBuffer {
    #[new]
    #[pyo3(signature = (data))]
    fn new(data: &Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Self>> {
        Ok(PyClassInitializer::from(PyTensor(cell(data, false)?)).add_subclass(Self))
    }
}

/// The Python object of a cell that is no parameter.
pub(crate) fn buffer_object(py: Python<'_>, tensor: Tensor) -> PyResult<Bound<'_, PyBuffer>> {
    Bound::new(py, PyClassInitializer::from(PyTensor(tensor)).add_subclass(PyBuffer))
}

/// What tensors of one element, and other numbers among them, hold: read in one call.
#[pyfunction]
#[pyo3(signature = (values, /))]
pub(crate) fn numbers(py: Python<'_>, values: Vec<Bound<'_, PyAny>>) -> PyResult<Vec<f64>> {
    let mut found = Vec::with_capacity(values.len());
    let mut waiting = Vec::new();
    for value in &values {
        if let Ok(tensor) = value.cast::<PyTensor>() {
            waiting.push((found.len(), &tensor.get().0));
            found.push(f64::NAN);
        } else {
            found.push(value.extract()?);
        }
    }
    gate(py, "float", || {
        let (places, tensors): (Vec<usize>, Vec<&Tensor>) = waiting.into_iter().unzip();
        for (place, number) in places.into_iter().zip(Tensor::numbers("float", &tensors)?) {
            found[place] = number;
        }
        Ok(found)
    })
}
