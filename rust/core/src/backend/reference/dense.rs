//! Tensors as lists of plain numbers: decoded from any layout, rounded or wrapped to a dtype, encoded row-major.

use crate::buffer::{Meta, Value, zeroed};
use crate::device::Device;
use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::layout::Layout;
use half::{bf16, f16};

/// One element. Its kind is that of its tensor's dtype.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Num {
    F(f64),
    I(i128),
    B(bool),
}

/// A tensor: its elements in row-major order, each one exactly representable in the dtype.
#[derive(Clone, Debug)]
pub(super) struct Dense {
    pub(super) meta: Meta,
    pub(super) data: Vec<Num>,
}

impl Dense {
    /// Compute each element from its multi-index, rounded or wrapped to the dtype.
    pub(super) fn build(meta: &Meta, mut element: impl FnMut(&[usize]) -> Result<Num>) -> Result<Self> {
        let data =
            meta.shape.indices().map(|index| Ok(element(&index)?.fit(meta.dtype))).collect::<Result<Vec<_>>>()?;
        Ok(Self { meta: meta.clone(), data })
    }

    /// The elements of a value.
    pub(super) fn of(op: &str, value: &Value) -> Result<Self> {
        Ok(Self::decode(value.host(op)?, &value.layout, value.dtype))
    }

    /// The elements that lie in `bytes` as a layout says.
    pub(super) fn decode(bytes: &[u8], layout: &Layout, dtype: DType) -> Self {
        let size = dtype.size();
        let data = layout.shape().indices().map(|index| load(&bytes[layout.at(&index) * size..][..size], dtype));
        Self { meta: Meta::new(layout.shape().clone(), dtype), data: data.collect() }
    }

    /// A row-major value of these elements.
    pub(super) fn encode(&self) -> Value {
        let mut bytes = zeroed(self.meta.bytes());
        self.store(&mut bytes, &Layout::contiguous(self.meta.shape.clone()));
        Value::from_host(bytes, &self.meta, Device::Reference)
    }

    /// Write the elements into `bytes` as a layout says.
    pub(super) fn store(&self, bytes: &mut [u8], layout: &Layout) {
        let size = self.meta.dtype.size();
        for (element, index) in self.data.iter().zip(layout.shape().indices()) {
            let at = layout.at(&index) * size;
            bytes[at..at + size].copy_from_slice(&element.bytes(self.meta.dtype)[..size]);
        }
    }

    /// The element at a multi-index.
    pub(super) fn at(&self, index: &[usize]) -> Num {
        self.data[self.place(index)]
    }

    /// Row-major position of a multi-index.
    pub(super) fn place(&self, index: &[usize]) -> usize {
        index.iter().zip(self.meta.shape.iter()).fold(0, |place, (&i, &size)| place * size + i)
    }
}

/// Read one element.
fn load(bytes: &[u8], dtype: DType) -> Num {
    use bytemuck::pod_read_unaligned as read;
    match dtype {
        DType::Bool => Num::B(bytes[0] != 0),
        DType::I8 => Num::I(read::<i8>(bytes).into()),
        DType::I16 => Num::I(read::<i16>(bytes).into()),
        DType::I32 => Num::I(read::<i32>(bytes).into()),
        DType::I64 => Num::I(read::<i64>(bytes).into()),
        DType::U8 => Num::I(read::<u8>(bytes).into()),
        DType::U16 => Num::I(read::<u16>(bytes).into()),
        DType::U32 => Num::I(read::<u32>(bytes).into()),
        DType::U64 => Num::I(read::<u64>(bytes).into()),
        DType::F16 => Num::F(read::<f16>(bytes).to_f64()),
        DType::BF16 => Num::F(read::<bf16>(bytes).to_f64()),
        DType::F32 => Num::F(read::<f32>(bytes).into()),
        DType::F64 => Num::F(read::<f64>(bytes)),
    }
}

impl From<Scalar> for Num {
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Bool(b) => Self::B(b),
            Scalar::Int(i) => Self::I(i),
            Scalar::Float(x) => Self::F(x),
        }
    }
}

impl Num {
    /// The value as a float.
    pub(super) fn float(self) -> f64 {
        match self {
            Self::F(x) => x,
            Self::I(i) => i as f64,
            Self::B(b) => f64::from(u8::from(b)),
        }
    }

    /// The value as an integer, truncated toward zero.
    pub(super) fn int(self) -> i128 {
        match self {
            Self::F(x) => x as i128,
            Self::I(i) => i,
            Self::B(b) => i128::from(b),
        }
    }

    /// Whether the value is not zero; a NaN is not.
    pub(super) fn truth(self) -> bool {
        match self {
            Self::F(x) => x != 0.0,
            Self::I(i) => i != 0,
            Self::B(b) => b,
        }
    }

    /// The zero of a dtype.
    pub(super) fn zero(dtype: DType) -> Self {
        Self::I(0).cast(dtype)
    }

    /// The nearest value of the same kind that `dtype` holds: floats round to nearest, integers wrap.
    pub(super) fn fit(self, dtype: DType) -> Self {
        match self {
            Self::F(x) => Self::F(round(x, dtype)),
            Self::I(i) => Self::I(wrap(i, dtype)),
            Self::B(b) => Self::B(b),
        }
    }

    /// The same number in another dtype: floats truncate into integers and saturate, a NaN gives 0, integers wrap.
    pub(super) fn cast(self, dtype: DType) -> Self {
        if dtype == DType::Bool {
            return Self::B(self.truth());
        }
        if !dtype.is_float() {
            return match self {
                Self::F(x) => {
                    let (low, high) = bounds(dtype);
                    Self::I((x as i128).clamp(low, high))
                }
                Self::I(_) | Self::B(_) => Self::I(wrap(self.int(), dtype)),
            };
        }
        match self {
            // Straight to f32: through f64 the value would be rounded twice.
            Self::I(i) if dtype == DType::F32 => Self::F(f64::from(i as f32)),
            Self::F(_) | Self::I(_) | Self::B(_) => Self::F(round(self.float(), dtype)),
        }
    }

    /// The bytes of the element, in the first `dtype.size()` places.
    fn bytes(self, dtype: DType) -> [u8; 8] {
        let mut bytes = [0; 8];
        let mut put = |source: &[u8]| bytes[..source.len()].copy_from_slice(source);
        match dtype {
            DType::Bool => put(&[u8::from(self.truth())]),
            DType::F16 => put(&f16::from_f32(to_odd(self.float())).to_ne_bytes()),
            DType::BF16 => put(&bf16::from_f32(to_odd(self.float())).to_ne_bytes()),
            DType::F32 => put(&(self.float() as f32).to_ne_bytes()),
            DType::F64 => put(&self.float().to_ne_bytes()),
            DType::I8 | DType::U8 => put(&(self.int() as u8).to_ne_bytes()),
            DType::I16 | DType::U16 => put(&(self.int() as u16).to_ne_bytes()),
            DType::I32 | DType::U32 => put(&(self.int() as u32).to_ne_bytes()),
            DType::I64 | DType::U64 => put(&(self.int() as u64).to_ne_bytes()),
        }
        bytes
    }
}

/// Round to nearest, ties to even; a dtype that is no float leaves the value.
fn round(x: f64, dtype: DType) -> f64 {
    match dtype {
        DType::F16 => f16::from_f32(to_odd(x)).to_f64(),
        DType::BF16 => bf16::from_f32(to_odd(x)).to_f64(),
        DType::F32 => f64::from(x as f32),
        DType::F64
        | DType::Bool
        | DType::I8
        | DType::I16
        | DType::I32
        | DType::I64
        | DType::U8
        | DType::U16
        | DType::U32
        | DType::U64 => x,
    }
}

/// Cut to f32, with the last bit set where something was cut off, so that the rounding that follows sees that it is no tie.
///
/// Source: Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd", 2008.
fn to_odd(x: f64) -> f32 {
    let near = x as f32;
    if f64::from(near) == x || !near.is_finite() {
        return near;
    }
    let cut = if f64::from(near).abs() > x.abs() { near.to_bits() - 1 } else { near.to_bits() };
    f32::from_bits(cut | 1)
}

/// Keep the low bits that an integer dtype has.
fn wrap(i: i128, dtype: DType) -> i128 {
    let spare = 128 - 8 * dtype.size() as u32;
    if dtype.is_signed() { (i << spare) >> spare } else { (((i as u128) << spare) >> spare) as i128 }
}

/// Smallest and largest value of an integer dtype.
fn bounds(dtype: DType) -> (i128, i128) {
    let bits = 8 * dtype.size() as u32;
    if dtype.is_signed() { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) }
}
