//! Elements in and out: bytes of NumPy arrays, and read-only views of ours.
#![allow(unsafe_code, reason = "array exchange: memory of a Python buffer is read in place")]

use crate::dtype::PyDType;
use crate::errors::{OrRaise, raise};
use crate::gate::gate;
use crate::tensor::PyTensor;
use pyo3::buffer::{Element, PyBuffer};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};
use std::any::Any;
use std::sync::Arc;
use trainsmith_core::Error;
use trainsmith_core::backend;
use trainsmith_core::buffer::{Meta, Storage, Value};
use trainsmith_core::device::Device;
use trainsmith_core::dtype::DType;
use trainsmith_core::layout::Layout;
use trainsmith_core::tensor::face::leaf;
use trainsmith_core::tensor::{Tensor, compact};

/// A tensor with a copy of the bytes.
#[pyfunction]
#[pyo3(signature = (data, shape, dtype, device, /))]
pub(crate) fn from_bytes<'py>(
    py: Python<'py>,
    data: PyBuffer<u8>,
    shape: Vec<usize>,
    dtype: &PyDType,
    device: &str,
) -> PyResult<Bound<'py, PyTensor>> {
    let device = Device::parse(device).or_raise(py)?;
    let bytes = data.to_vec(py)?;
    let tensor = gate(py, "asarray", || Tensor::from_bytes(&bytes, &Meta::new(shape, dtype.0), device))?;
    PyTensor::wrap(py, tensor)
}

static NDARRAY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// A tensor with a copy of a NumPy array, if that has this shape and dtype and lies in one piece.
pub(crate) fn copied(value: &Bound<'_, PyAny>, meta: &Meta) -> PyResult<Option<Tensor>> {
    let py = value.py();
    let ndarray = NDARRAY.get_or_try_init(py, || py.import("numpy")?.getattr("ndarray").map(Bound::unbind))?;
    if !value.get_type().is(ndarray.bind(py)) {
        return Ok(None);
    }
    match meta.dtype {
        DType::F32 => copied_as::<f32>(value, meta),
        DType::F64 => copied_as::<f64>(value, meta),
        DType::I32 => copied_as::<i32>(value, meta),
        DType::I64 => copied_as::<i64>(value, meta),
        DType::U8 => copied_as::<u8>(value, meta),
        _ => Ok(None),
    }
}

fn copied_as<T: Element>(value: &Bound<'_, PyAny>, meta: &Meta) -> PyResult<Option<Tensor>> {
    let Ok(buffer) = PyBuffer::<T>::get(value) else { return Ok(None) };
    // A format of one letter is one in native byte order.
    if buffer.shape() != &meta.shape[..] || !buffer.is_c_contiguous() || buffer.format().to_bytes().len() != 1 {
        return Ok(None);
    }
    if buffer.len_bytes() == 0 {
        return Tensor::from_bytes(&[], meta, Device::Cpu).map(Some).or_raise(value.py());
    }
    // SAFETY: the export is C-contiguous, as checked above, and pins the memory until `buffer` is released.
    let bytes = unsafe { std::slice::from_raw_parts(buffer.buf_ptr().cast::<u8>(), buffer.len_bytes()) };
    Tensor::from_bytes(bytes, meta, Device::Cpu).map(Some).or_raise(value.py())
}

/// Memory of a Python buffer, which the export keeps alive and in place.
struct Borrowed {
    buffer: PyBuffer<u8>,
    device: Device,
}

impl std::fmt::Debug for Borrowed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Borrowed").field("bytes", &self.buffer.len_bytes()).finish_non_exhaustive()
    }
}

impl Storage for Borrowed {
    fn device(&self) -> Device {
        self.device
    }
    fn len(&self) -> usize {
        self.buffer.len_bytes()
    }
    fn host(&self) -> Option<&[u8]> {
        if self.buffer.len_bytes() == 0 {
            return Some(&[]);
        }
        // SAFETY: `borrow` checked that the export is C-contiguous; it pins the memory until `self.buffer` is released.
        Some(unsafe { std::slice::from_raw_parts(self.buffer.buf_ptr().cast::<u8>(), self.buffer.len_bytes()) })
    }
    fn host_mut(&mut self) -> Option<&mut [u8]> {
        None
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A tensor over the memory of an array, without a copy; never written.
#[pyfunction]
#[pyo3(signature = (data, shape, dtype, device, /))]
pub(crate) fn borrow<'py>(
    py: Python<'py>,
    data: PyBuffer<u8>,
    shape: Vec<usize>,
    dtype: &PyDType,
    device: &str,
) -> PyResult<Bound<'py, PyTensor>> {
    let meta = Meta::new(shape, dtype.0);
    let aligned = (data.buf_ptr() as usize).is_multiple_of(dtype.0.size());
    if !data.is_c_contiguous() || data.len_bytes() != meta.bytes() || !aligned {
        let rule = "aligned C-contiguous memory; pass copy=None to copy";
        return Err(raise(py, &Error::value("asarray", rule, format!("{} bytes", data.len_bytes()))));
    }
    let device = Device::parse(device).or_raise(py)?;
    let buffer = Arc::new(Borrowed { buffer: data, device });
    let value = Value { buffer, layout: Layout::contiguous(meta.shape), dtype: meta.dtype };
    PyTensor::wrap(py, Tensor::from_edge(leaf(value)))
}

/// A read-only array of a tensor's elements, which keeps them alive.
#[pyclass(frozen, name = "HostView", module = "trainsmith._core")]
pub(crate) struct HostView(Value);

#[pymethods]
impl HostView {
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let value = &self.0;
        let size = value.dtype.size();
        let bytes = value.host("asarray").or_raise(py)?;
        let start = bytes.as_ptr() as usize + value.layout.offset() * size;
        let strides = value.layout.strides().iter().map(|&s| s * size as isize);
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("shape", PyTuple::new(py, value.shape().iter())?)?;
        interface.set_item("strides", PyTuple::new(py, strides.collect::<Vec<_>>())?)?;
        interface.set_item("typestr", typestr(value.dtype))?;
        interface.set_item("data", (start, true))?;
        Ok(interface)
    }
}

/// NumPy's code of a dtype; bfloat16 shows as 16-bit words.
fn typestr(dtype: DType) -> String {
    let kind = match dtype {
        DType::Bool => 'b',
        DType::BF16 => 'u',
        _ if dtype.is_float() => 'f',
        _ if dtype.is_unsigned() => 'u',
        _ => 'i',
    };
    let order = if dtype.size() == 1 {
        '|'
    } else if cfg!(target_endian = "little") {
        '<'
    } else {
        '>'
    };
    format!("{order}{kind}{}", dtype.size())
}

/// The elements of a tensor as a read-only array; only a tensor on another device is copied.
#[pyfunction]
#[pyo3(signature = (tensor, /))]
pub(crate) fn host_view(py: Python<'_>, tensor: &Bound<'_, PyTensor>) -> PyResult<HostView> {
    let tensor = &tensor.get().0;
    gate(py, "asarray", || {
        let value = tensor.value("asarray")?;
        if value.buffer.host().is_some() {
            return Ok(HostView(value));
        }
        let bytes = backend::of(value.device()).download(&value)?;
        Ok(HostView(Value::from_host(bytes, &value.meta(), Device::Cpu)))
    })
}

/// The tensor on another device.
#[pyfunction]
#[pyo3(signature = (tensor, device, /))]
pub(crate) fn to_device<'py>(
    py: Python<'py>,
    tensor: Bound<'py, PyTensor>,
    device: &str,
) -> PyResult<Bound<'py, PyTensor>> {
    let device = Device::parse(device).or_raise(py)?;
    let source = &tensor.get().0;
    if source.device() == device {
        return Ok(tensor);
    }
    let moved = gate(py, "to", || {
        let value = source.value("to")?;
        let bytes = backend::of(value.device()).download(&compact(&value)?)?;
        Tensor::from_bytes(&bytes, &value.meta(), device)
    })?;
    PyTensor::wrap(py, moved)
}
