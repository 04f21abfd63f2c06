//! Element types, their promotion, and untyped scalars.

use crate::error::{Error, Result};
use std::fmt;

/// Element type of a tensor.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum DType {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    BF16,
    F32,
    F64,
}

impl DType {
    /// Every dtype, in promotion order within each kind.
    pub const ALL: [Self; 13] = [
        Self::Bool,
        Self::I8,
        Self::I16,
        Self::I32,
        Self::I64,
        Self::U8,
        Self::U16,
        Self::U32,
        Self::U64,
        Self::F16,
        Self::BF16,
        Self::F32,
        Self::F64,
    ];

    /// The Array API name, such as `float32`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::I8 => "int8",
            Self::I16 => "int16",
            Self::I32 => "int32",
            Self::I64 => "int64",
            Self::U8 => "uint8",
            Self::U16 => "uint16",
            Self::U32 => "uint32",
            Self::U64 => "uint64",
            Self::F16 => "float16",
            Self::BF16 => "bfloat16",
            Self::F32 => "float32",
            Self::F64 => "float64",
        }
    }

    /// Find a dtype by its Array API name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dtype| dtype.name() == name)
    }

    /// Bytes per element.
    pub fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 | Self::F16 | Self::BF16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// Whether this is a floating-point dtype.
    pub fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::BF16 | Self::F32 | Self::F64)
    }

    /// Whether this is a signed integer dtype.
    pub fn is_signed(self) -> bool {
        matches!(self, Self::I8 | Self::I16 | Self::I32 | Self::I64)
    }

    /// Whether this is an unsigned integer dtype.
    pub fn is_unsigned(self) -> bool {
        matches!(self, Self::U8 | Self::U16 | Self::U32 | Self::U64)
    }

    /// Whether this is an integer dtype (bool is none).
    pub fn is_integer(self) -> bool {
        self.is_signed() || self.is_unsigned()
    }

    /// The dtype kernels compute in: narrow dtypes widen on load and round or wrap on store.
    pub fn compute(self) -> Self {
        match self {
            Self::Bool => Self::Bool,
            Self::I8 | Self::I16 | Self::I32 | Self::I64 => Self::I64,
            Self::U8 | Self::U16 | Self::U32 | Self::U64 => Self::U64,
            Self::F16 | Self::BF16 | Self::F32 => Self::F32,
            Self::F64 => Self::F64,
        }
    }

    /// The dtype that a binary operation of two tensors gives.
    ///
    /// Integer or bool with float gives the float's dtype, f16 with bf16 gives f32,
    /// uint64 with a signed integer is an error.
    pub fn promote(op: &str, a: Self, b: Self) -> Result<Self> {
        if a == b {
            return Ok(a);
        }
        let (low, high) = if a.rank() <= b.rank() { (a, b) } else { (b, a) };
        if low == Self::Bool || (!low.is_float() && high.is_float()) {
            return Ok(high);
        }
        if high.is_float() {
            return Ok(match (low, high) {
                (Self::F16, Self::BF16) => Self::F32,
                _ => high,
            });
        }
        if low.is_signed() == high.is_signed() {
            return Ok(if low.size() >= high.size() { low } else { high });
        }
        let (signed, unsigned) = if low.is_signed() { (low, high) } else { (high, low) };
        if signed.size() > unsigned.size() {
            return Ok(signed);
        }
        match unsigned {
            Self::U8 => Ok(Self::I16),
            Self::U16 => Ok(Self::I32),
            Self::U32 => Ok(Self::I64),
            _ => Err(Error::dtype(
                op,
                "dtypes with a common integer type; cast one operand with astype first",
                format!("{signed} and {unsigned}"),
            )),
        }
    }

    fn rank(self) -> u8 {
        match self {
            Self::Bool => 0,
            Self::I8 | Self::I16 | Self::I32 | Self::I64 => 1,
            Self::U8 | Self::U16 | Self::U32 | Self::U64 => 2,
            Self::F16 => 3,
            Self::BF16 => 4,
            Self::F32 => 5,
            Self::F64 => 6,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A number without a dtype of its own: a Python scalar, or an attribute of an op.
#[derive(Clone, Copy, Debug)]
pub enum Scalar {
    /// A truth value.
    Bool(bool),
    /// An integer; wide enough for every integer dtype.
    Int(i128),
    /// A real number.
    Float(f64),
}

impl Scalar {
    /// The value as a float.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Bool(b) => f64::from(u8::from(b)),
            Self::Int(i) => i as f64,
            Self::Float(x) => x,
        }
    }

    /// The value as an integer (floats truncate).
    pub fn as_i128(self) -> i128 {
        match self {
            Self::Bool(b) => i128::from(b),
            Self::Int(i) => i,
            Self::Float(x) => x as i128,
        }
    }

    /// Whether the value is not zero.
    pub fn as_bool(self) -> bool {
        match self {
            Self::Bool(b) => b,
            Self::Int(i) => i != 0,
            Self::Float(x) => x != 0.0,
        }
    }

    /// The dtype a scalar takes beside a tensor of dtype `other`: scalars are weak.
    pub fn weak_dtype(self, op: &str, other: DType) -> Result<DType> {
        match self {
            Self::Bool(_) => Ok(other),
            Self::Int(_) if other == DType::Bool => Ok(DType::I64),
            Self::Int(value) if !other.is_float() && !int_fits(value, other) => Err(Error::value(
                op,
                format!("a Python integer that fits {other}; cast the tensor first"),
                value.to_string(),
            )),
            Self::Int(_) => Ok(other),
            Self::Float(_) if other.is_float() => Ok(other),
            Self::Float(_) => Ok(DType::F32),
        }
    }

    /// A key for hashing and comparing by bits.
    pub fn bits(self) -> (u8, u128) {
        match self {
            Self::Bool(b) => (0, u128::from(b)),
            Self::Int(i) => (1, i as u128),
            Self::Float(x) => (2, u128::from(x.to_bits())),
        }
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.bits() == other.bits()
    }
}
impl Eq for Scalar {}
impl std::hash::Hash for Scalar {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.bits().hash(state);
    }
}

fn int_fits(value: i128, dtype: DType) -> bool {
    let bits = 8 * dtype.size() as u32;
    if dtype.is_signed() {
        value >= -(1i128 << (bits - 1)) && value < (1i128 << (bits - 1))
    } else {
        value >= 0 && value < (1i128 << bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promotion_follows_the_standard() {
        let p = |a, b| DType::promote("add", a, b).ok();
        assert_eq!(p(DType::I8, DType::U8), Some(DType::I16));
        assert_eq!(p(DType::I64, DType::U32), Some(DType::I64));
        assert_eq!(p(DType::I64, DType::U64), None);
        assert_eq!(p(DType::F16, DType::BF16), Some(DType::F32));
        assert_eq!(p(DType::I64, DType::F32), Some(DType::F32));
        assert_eq!(p(DType::Bool, DType::U8), Some(DType::U8));
    }

    #[test]
    fn promotion_is_symmetric() {
        for a in DType::ALL {
            for b in DType::ALL {
                assert_eq!(DType::promote("add", a, b).ok(), DType::promote("add", b, a).ok());
            }
        }
    }
}
