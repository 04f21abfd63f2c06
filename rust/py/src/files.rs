//! Safetensors files.

use crate::errors::OrRaise;
use crate::gate::gate;
use crate::tensor::PyTensor;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;
use trainsmith_core::device::Device;
use trainsmith_core::io::safetensors;
use trainsmith_core::tensor::Tensor;

/// Write named tensors.
#[pyfunction]
#[pyo3(signature = (path, tensors, metadata, /))]
pub(crate) fn save_safetensors(
    py: Python<'_>,
    path: PathBuf,
    tensors: Vec<(String, Bound<'_, PyTensor>)>,
    metadata: Vec<(String, String)>,
) -> PyResult<()> {
    let tensors: Vec<(String, Tensor)> = tensors.into_iter().map(|(name, t)| (name, t.get().0.clone())).collect();
    gate(py, "save_safetensors", || {
        let values = tensors
            .into_iter()
            .map(|(name, tensor)| Ok((name, tensor.value("save_safetensors")?)))
            .collect::<trainsmith_core::Result<Vec<_>>>()?;
        safetensors::save(&path, &values, &metadata)
    })
}

/// Read all tensors and the metadata.
#[pyfunction]
#[pyo3(signature = (path, device, /))]
pub(crate) fn load_safetensors<'py>(
    py: Python<'py>,
    path: PathBuf,
    device: &str,
) -> PyResult<(Bound<'py, PyDict>, Bound<'py, PyDict>)> {
    let device = Device::parse(device).or_raise(py)?;
    let (tensors, texts) = gate(py, "load_safetensors", || safetensors::load(&path, device))?;
    let (named, metadata) = (PyDict::new(py), PyDict::new(py));
    for (name, value) in tensors {
        named.set_item(name, PyTensor::wrap(py, Tensor::from_value(value))?)?;
    }
    for (key, text) in texts {
        metadata.set_item(key, text)?;
    }
    Ok((named, metadata))
}
