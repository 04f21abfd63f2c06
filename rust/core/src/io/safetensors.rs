//! Tensors in safetensors files: written whole or not at all, read without executing anything.

use crate::buffer::{Meta, Value};
use crate::device::Device;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::tensor::{download, upload};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

fn failed(op: &str, path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::io(op, "a file that can be read and written", format!("{}: {error}", path.display()))
}

fn foreign(dtype: DType) -> Dtype {
    match dtype {
        DType::Bool => Dtype::BOOL,
        DType::I8 => Dtype::I8,
        DType::I16 => Dtype::I16,
        DType::I32 => Dtype::I32,
        DType::I64 => Dtype::I64,
        DType::U8 => Dtype::U8,
        DType::U16 => Dtype::U16,
        DType::U32 => Dtype::U32,
        DType::U64 => Dtype::U64,
        DType::F16 => Dtype::F16,
        DType::BF16 => Dtype::BF16,
        DType::F32 => Dtype::F32,
        DType::F64 => Dtype::F64,
    }
}

/// Write named values and text metadata to a file, which appears whole or not at all.
pub fn save(path: &Path, tensors: &[(String, Value)], metadata: &[(String, String)]) -> Result<()> {
    const OP: &str = "save_safetensors";
    let hosts =
        tensors.iter().map(|(name, value)| Ok((name, value.meta(), download(value)?))).collect::<Result<Vec<_>>>()?;
    let mut views = Vec::with_capacity(hosts.len());
    for (name, meta, bytes) in &hosts {
        let view = TensorView::new(foreign(meta.dtype), meta.shape.to_vec(), bytes);
        views.push((name.as_str(), view.map_err(|e| failed(OP, path, &e))?));
    }
    let metadata: HashMap<String, String> = metadata.iter().cloned().collect();
    let metadata = (!metadata.is_empty()).then_some(metadata);
    let bytes = safetensors::serialize(views, metadata).map_err(|e| failed(OP, path, &e))?;
    write_whole(OP, path, &bytes)
}

/// Write a file beside its place, then move it there.
pub fn write_whole(op: &str, path: &Path, bytes: &[u8]) -> Result<()> {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let written = File::create(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path));
    written.map_err(|e| {
        let _ = fs::remove_file(&beside);
        failed(op, path, &e)
    })
}

/// Read every tensor, in the order of names, and the metadata.
#[allow(clippy::type_complexity)]
pub fn load(path: &Path, device: Device) -> Result<(Vec<(String, Value)>, Vec<(String, String)>)> {
    const OP: &str = "load_safetensors";
    let bytes = fs::read(path).map_err(|e| failed(OP, path, &e))?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| failed(OP, path, &e))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| failed(OP, path, &e))?;
    let mut tensors = vec![];
    for (name, view) in file.tensors() {
        let dtype = DType::ALL
            .into_iter()
            .find(|&d| foreign(d) == view.dtype())
            .ok_or_else(|| Error::io(OP, "tensors of known dtypes", format!("{name} of dtype {:?}", view.dtype())))?;
        let meta = Meta::new(view.shape().to_vec(), dtype);
        tensors.push((name, upload(view.data(), &meta, device)?));
    }
    tensors.sort_by(|a, b| a.0.cmp(&b.0));
    let mut metadata: Vec<(String, String)> =
        header.metadata().iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
    metadata.sort();
    Ok((tensors, metadata))
}
