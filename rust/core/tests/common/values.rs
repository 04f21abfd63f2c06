//! Host values for tests: numbers into any layout, numbers out.

use half::{bf16, f16};
use std::sync::Arc;
use trainsmith_core::backend;
use trainsmith_core::buffer::{HostStorage, Meta, Value, zeroed};
use trainsmith_core::device::Device;
use trainsmith_core::dtype::{DType, Scalar};
use trainsmith_core::layout::Layout;

/// A value with these elements in row-major order; where the layout repeats a slice, its last one stands for all.
pub(crate) fn value(device: Device, meta: &Meta, layout: Layout, numbers: &[Scalar]) -> Value {
    assert_eq!(numbers.len(), meta.shape.numel());
    let size = meta.dtype.size();
    let len = layout.span().map_or(0, |(_, high)| high + 1) * size;
    let mut bytes = zeroed(len);
    for (index, &number) in meta.shape.indices().zip(numbers) {
        bytes[layout.at(&index) * size..][..size].copy_from_slice(&bytes_of(number, meta.dtype));
    }
    if let Device::Gpu(_) = device {
        let flat = Meta::new([len / size], meta.dtype);
        return backend::of(device).upload(&bytes, &flat).expect("room on the GPU").with_layout(layout);
    }
    Value { buffer: Arc::new(HostStorage::new(bytes, device)), layout, dtype: meta.dtype }
}

/// The elements of a value in row-major order.
pub(crate) fn numbers(value: &Value) -> Vec<Scalar> {
    let bytes = backend::of(value.device()).download(value).expect("host memory");
    bytes.chunks_exact(value.dtype.size()).map(|element| number_of(element, value.dtype)).collect()
}

fn bytes_of(number: Scalar, dtype: DType) -> Vec<u8> {
    match dtype {
        DType::Bool => vec![u8::from(number.as_bool())],
        DType::I8 | DType::U8 => (number.as_i128() as u8).to_ne_bytes().to_vec(),
        DType::I16 | DType::U16 => (number.as_i128() as u16).to_ne_bytes().to_vec(),
        DType::I32 | DType::U32 => (number.as_i128() as u32).to_ne_bytes().to_vec(),
        DType::I64 | DType::U64 => (number.as_i128() as u64).to_ne_bytes().to_vec(),
        DType::F16 => f16::from_f64(number.as_f64()).to_ne_bytes().to_vec(),
        DType::BF16 => bf16::from_f64(number.as_f64()).to_ne_bytes().to_vec(),
        DType::F32 => (number.as_f64() as f32).to_ne_bytes().to_vec(),
        DType::F64 => number.as_f64().to_ne_bytes().to_vec(),
    }
}

fn number_of(bytes: &[u8], dtype: DType) -> Scalar {
    use bytemuck::pod_read_unaligned as read;
    match dtype {
        DType::Bool => Scalar::Bool(bytes[0] != 0),
        DType::I8 => Scalar::Int(read::<i8>(bytes).into()),
        DType::I16 => Scalar::Int(read::<i16>(bytes).into()),
        DType::I32 => Scalar::Int(read::<i32>(bytes).into()),
        DType::I64 => Scalar::Int(read::<i64>(bytes).into()),
        DType::U8 => Scalar::Int(read::<u8>(bytes).into()),
        DType::U16 => Scalar::Int(read::<u16>(bytes).into()),
        DType::U32 => Scalar::Int(read::<u32>(bytes).into()),
        DType::U64 => Scalar::Int(read::<u64>(bytes).into()),
        DType::F16 => Scalar::Float(read::<f16>(bytes).to_f64()),
        DType::BF16 => Scalar::Float(read::<bf16>(bytes).to_f64()),
        DType::F32 => Scalar::Float(read::<f32>(bytes).into()),
        DType::F64 => Scalar::Float(read::<f64>(bytes)),
    }
}
