//! Every dtype to every other, byte by byte: the bytes may be unaligned, and this is where narrow dtypes round or wrap.

use crate::backend::cpu::copy;
use crate::backend::cpu::element::{Truth, to_odd};
use crate::backend::cpu::kernel::{Dst, Src};
use crate::backend::cpu::rows::{Rows, along};
use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::layout::Layout;
use bytemuck::Pod;
use half::{bf16, f16};
use smallvec::SmallVec;

/// An element that widens without loss to one of three types.
trait Load: Pod {
    type Wide: Copy;
    fn load(self) -> Self::Wide;
}

/// An element made from a wide one: floats round to even, integers wrap, floats to integers truncate and saturate.
trait Store<W>: Pod {
    fn store(wide: W) -> Self;
}

/// Stamp the conversions of number types.
///
/// `i8: i64` expands to `impl Load for i8` with `Wide = i64` and `impl Store<f64>`, `Store<i64>`, `Store<u64>`.
macro_rules! numbers {
    ($($type:ty: $wide:ty),+) => {$(
        impl Load for $type {
            type Wide = $wide;
            fn load(self) -> $wide {
                self as $wide
            }
        }
        numbers!(@store $type, f64, i64, u64);
    )+};
    (@store $type:ty, $($wide:ty),+) => {$(
        impl Store<$wide> for $type {
            fn store(wide: $wide) -> Self {
                wide as $type
            }
        }
    )+};
}

numbers!(i8: i64, i16: i64, i32: i64, i64: i64, u8: u64, u16: u64, u32: u64, u64: u64, f32: f64, f64: f64);

/// Stamp the conversions of types that `as` does not know.
///
/// `f16, f64: load, |x| store` expands to `impl Load for f16` and one `Store` for each wide type.
macro_rules! others {
    ($type:ty, $wide:ty: $load:expr, |$x:ident| $store:expr) => {
        impl Load for $type {
            type Wide = $wide;
            fn load(self) -> $wide {
                $load(self)
            }
        }
        others!(@store $type, |$x| $store, f64);
        others!(@store $type, |$x| $store, i64);
        others!(@store $type, |$x| $store, u64);
    };
    (@store $type:ty, |$x:ident| $store:expr, $wide:ty) => {
        impl Store<$wide> for $type {
            fn store($x: $wide) -> Self {
                $store
            }
        }
    };
}

others!(f16, f64: f16::to_f64, |x| f16::from_f32(to_odd(x as f64)));
others!(bf16, f64: bf16::to_f64, |x| bf16::from_f32(to_odd(x as f64)));
others!(Truth, u64: |x: Truth| u64::from(x.get()), |x| Truth::new(x as f64 != 0.0));

/// Run `$body` with `$T` bound to the element type of a dtype.
macro_rules! with_type {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            DType::Bool => {
                type $T = Truth;
                $body
            }
            DType::I8 => {
                type $T = i8;
                $body
            }
            DType::I16 => {
                type $T = i16;
                $body
            }
            DType::I32 => {
                type $T = i32;
                $body
            }
            DType::I64 => {
                type $T = i64;
                $body
            }
            DType::U8 => {
                type $T = u8;
                $body
            }
            DType::U16 => {
                type $T = u16;
                $body
            }
            DType::U32 => {
                type $T = u32;
                $body
            }
            DType::U64 => {
                type $T = u64;
                $body
            }
            DType::F16 => {
                type $T = f16;
                $body
            }
            DType::BF16 => {
                type $T = bf16;
                $body
            }
            DType::F32 => {
                type $T = f32;
                $body
            }
            DType::F64 => {
                type $T = f64;
                $body
            }
        }
    };
}

/// The same values in the dtype of `out`.
pub(in crate::backend::cpu) fn cast(x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let to = out.meta.dtype;
    if x.dtype == to {
        return copy::strided(x, x.layout, out.bytes, &Layout::contiguous(x.layout.shape().clone()));
    }
    with_type!(x.dtype, S => with_type!(to, D => convert::<S, D>(x, out)));
    Ok(())
}

fn convert<S: Load, D: Store<S::Wide>>(x: &Src<'_>, out: &mut Dst<'_>) {
    let rows = Rows::new([x.layout]);
    let (len, [step]) = (rows.len(), rows.steps());
    let size = size_of::<S>();
    for (row, [start]) in out.bytes.chunks_exact_mut((len * size_of::<D>()).max(1)).zip(rows.starts()) {
        for (i, slot) in row.chunks_exact_mut(size_of::<D>()).enumerate() {
            let at = along(start, step, i) * size;
            let value: S = bytemuck::pod_read_unaligned(&x.bytes[at..at + size]);
            slot.copy_from_slice(bytemuck::bytes_of(&D::store(value.load())));
        }
    }
}

/// The bytes of one element.
pub(in crate::backend::cpu) fn scalar_bytes(value: Scalar, dtype: DType) -> SmallVec<[u8; 8]> {
    with_type!(dtype, T => SmallVec::from_slice(bytemuck::bytes_of(&scalar::<T>(value))))
}

fn scalar<T: Store<f64> + Store<i64> + Store<u64>>(value: Scalar) -> T {
    match value {
        Scalar::Bool(truth) => T::store(u64::from(truth)),
        Scalar::Float(real) => T::store(real),
        Scalar::Int(integer) => match (i64::try_from(integer), u64::try_from(integer)) {
            (Ok(signed), _) => T::store(signed),
            (_, Ok(unsigned)) => T::store(unsigned),
            _ => T::store(integer as f64),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::testing::{run, tensor};
    use crate::ir::op::Op;

    fn from_f64<T: Pod>(x: &[f64], dtype: DType) -> Vec<T> {
        run(&Op::Cast(dtype), &[tensor(x, &[x.len()], DType::F64)])
    }

    #[test]
    fn floats_truncate_and_saturate_to_integers() {
        let x = [1.9, -1.9, 300.0, -300.0, f64::NAN, f64::INFINITY];
        assert_eq!(from_f64::<i8>(&x, DType::I8), [1, -1, 127, -128, 0, 127]);
        assert_eq!(from_f64::<u8>(&x, DType::U8), [1, 0, 255, 0, 0, 255]);
        assert_eq!(from_f64::<i64>(&x, DType::I64), [1, -1, 300, -300, 0, i64::MAX]);
        assert_eq!(from_f64::<u8>(&[0.0, -0.0, 0.1, f64::NAN], DType::Bool), [0, 0, 1, 1]);
    }

    #[test]
    fn integers_wrap_to_integers() {
        let x = tensor(&[300i64, -1, 128], &[3], DType::I64);
        assert_eq!(run::<u8>(&Op::Cast(DType::U8), std::slice::from_ref(&x)), [44, 255, 128]);
        assert_eq!(run::<i8>(&Op::Cast(DType::I8), std::slice::from_ref(&x)), [44, -1, -128]);
        assert_eq!(run::<u64>(&Op::Cast(DType::U64), &[x])[1], u64::MAX);
    }

    #[test]
    fn wide_to_half_rounds_once() {
        // Halfway between two halves but for a bit that f32 would drop.
        let x = 1.0 + 2f64.powi(-11) + 2f64.powi(-40);
        assert_eq!(from_f64::<f16>(&[x], DType::F16), [f16::from_bits(0x3C01)]);
        let x = 1.0 + 2f64.powi(-8) + 2f64.powi(-40);
        assert_eq!(from_f64::<bf16>(&[x], DType::BF16), [bf16::from_bits(0x3F81)]);
        assert_eq!(from_f64::<f16>(&[1e6, -1e6], DType::F16), [f16::INFINITY, f16::NEG_INFINITY]);
    }

    #[test]
    fn every_pair_keeps_zero_and_one() {
        for from in DType::ALL {
            for to in DType::ALL {
                let bytes = [scalar_bytes(Scalar::Int(0), from), scalar_bytes(Scalar::Int(1), from)].concat();
                let got: Vec<u8> = run(&Op::Cast(to), &[tensor(&bytes, &[2], from)]);
                let wanted = [scalar_bytes(Scalar::Float(0.0), to), scalar_bytes(Scalar::Bool(true), to)].concat();
                assert_eq!(got, wanted, "{from} to {to}");
            }
        }
    }
}
