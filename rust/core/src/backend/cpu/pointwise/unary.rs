//! Functions of one element.

use super::special::{acosh, asinh, atanh, erf, gelu, sigmoid};
use super::{map, vector};
use crate::backend::cpu::element::{Compute, Float, Truth};
use crate::backend::cpu::kernel::{Dst, Src};
use crate::backend::cpu::math::{Cos, Erf, Exp, Expm1, Gelu, Log, Log1p, Sigmoid, Sin, Tanh, simple};
use crate::error::{Error, Result};
use crate::ir::op::UnaryOp;

/// Elementwise function of one input.
pub(in crate::backend::cpu) fn unary(op: UnaryOp, x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    match Compute::of(x.dtype) {
        Compute::F32 => of_f32(op, x, out),
        Compute::F64 => of_f64(op, x, out),
        Compute::I64 => of_i64(op, x, out),
        Compute::U64 => of_u64(op, x, out),
        Compute::Bool if op == UnaryOp::Not => map(x, out, |v: Truth| Truth::new(!v.get())),
        Compute::Bool => Err(unsupported(op, x)),
    }
}

fn unsupported(op: UnaryOp, x: &Src<'_>) -> Error {
    Error::bug(op.name(), format!("no loop for {}", x.dtype))
}

/// Stamp the functions of one float type.
///
/// Expands to `fn of_f32(op: UnaryOp, x: &Src<'_>, out: &mut Dst<'_>) -> Result<()>`.
macro_rules! floats {
    ($name:ident, $float:ty, $elementary:ident) => {
        fn $name(op: UnaryOp, x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
            type T = $float;
            let wide = |f: fn(f64) -> f64| move |v: T| T::round_from(f(v.wide()));
            match op {
                UnaryOp::Neg => vector::map::<simple::Neg, T>(x, out),
                UnaryOp::Abs => vector::map::<simple::Abs, T>(x, out),
                UnaryOp::Sign => vector::map::<simple::Sign, T>(x, out),
                UnaryOp::Reciprocal => vector::map::<simple::Reciprocal, T>(x, out),
                UnaryOp::Exp => $elementary!(Exp, T::exp, x, out),
                UnaryOp::Expm1 => $elementary!(Expm1, T::exp_m1, x, out),
                UnaryOp::Log => $elementary!(Log, T::ln, x, out),
                UnaryOp::Log1p => $elementary!(Log1p, T::ln_1p, x, out),
                UnaryOp::Sqrt => vector::map::<simple::Sqrt, T>(x, out),
                UnaryOp::Sin => $elementary!(Sin, T::sin, x, out),
                UnaryOp::Cos => $elementary!(Cos, T::cos, x, out),
                UnaryOp::Tan => map(x, out, T::tan),
                UnaryOp::Asin => map(x, out, T::asin),
                UnaryOp::Acos => map(x, out, T::acos),
                UnaryOp::Atan => map(x, out, T::atan),
                UnaryOp::Sinh => map(x, out, T::sinh),
                UnaryOp::Cosh => map(x, out, T::cosh),
                UnaryOp::Tanh => $elementary!(Tanh, T::tanh, x, out),
                UnaryOp::Asinh => map(x, out, wide(asinh)),
                UnaryOp::Acosh => map(x, out, wide(acosh)),
                UnaryOp::Atanh => map(x, out, wide(atanh)),
                UnaryOp::Sigmoid => $elementary!(Sigmoid, wide(sigmoid), x, out),
                UnaryOp::Erf => $elementary!(Erf, wide(erf), x, out),
                UnaryOp::Gelu => $elementary!(Gelu, wide(gelu), x, out),
                UnaryOp::Floor => vector::map::<simple::Floor, T>(x, out),
                UnaryOp::Ceil => vector::map::<simple::Ceil, T>(x, out),
                UnaryOp::Round => vector::map::<simple::Round, T>(x, out),
                UnaryOp::Trunc => vector::map::<simple::Trunc, T>(x, out),
                UnaryOp::Not => Err(unsupported(op, x)),
            }
        }
    };
}

/// The vector function.
macro_rules! registers {
    ($vector:ident, $scalar:expr, $x:ident, $out:ident) => {
        vector::map::<$vector, f32>($x, $out)
    };
}

/// The function of one number.
macro_rules! one_by_one {
    ($vector:ident, $scalar:expr, $x:ident, $out:ident) => {
        map($x, $out, $scalar)
    };
}

floats!(of_f32, f32, registers);
floats!(of_f64, f64, one_by_one);

/// Stamp the functions of one integer type; everything wraps.
///
/// Expands to `fn of_i64(op: UnaryOp, x: &Src<'_>, out: &mut Dst<'_>) -> Result<()>`.
macro_rules! integers {
    ($name:ident, $int:ty, $abs:expr, $sign:expr) => {
        fn $name(op: UnaryOp, x: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
            type T = $int;
            match op {
                UnaryOp::Neg => map(x, out, T::wrapping_neg),
                UnaryOp::Abs => map(x, out, $abs),
                UnaryOp::Sign => map(x, out, $sign),
                UnaryOp::Not => map(x, out, |v: T| !v),
                UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Round | UnaryOp::Trunc => map(x, out, |v: T| v),
                UnaryOp::Reciprocal
                | UnaryOp::Exp
                | UnaryOp::Expm1
                | UnaryOp::Log
                | UnaryOp::Log1p
                | UnaryOp::Sqrt
                | UnaryOp::Sin
                | UnaryOp::Cos
                | UnaryOp::Tan
                | UnaryOp::Asin
                | UnaryOp::Acos
                | UnaryOp::Atan
                | UnaryOp::Sinh
                | UnaryOp::Cosh
                | UnaryOp::Tanh
                | UnaryOp::Asinh
                | UnaryOp::Acosh
                | UnaryOp::Atanh
                | UnaryOp::Sigmoid
                | UnaryOp::Erf
                | UnaryOp::Gelu => Err(unsupported(op, x)),
            }
        }
    };
}

integers!(of_i64, i64, T::wrapping_abs, T::signum);
integers!(of_u64, u64, |v: T| v, |v: T| v.min(1));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::testing::{run, tensor};
    use crate::dtype::DType;
    use crate::ir::op::Op;
    use half::f16;

    const INF: f32 = f32::INFINITY;

    fn f32s(op: UnaryOp, x: &[f32]) -> Vec<f32> {
        run(&Op::Unary(op), &[tensor(x, &[x.len()], DType::F32)])
    }

    #[test]
    fn sign_keeps_nan_and_gives_a_positive_zero() {
        let got = f32s(UnaryOp::Sign, &[-2.0, -0.0, 0.0, INF, f32::NAN]);
        assert_eq!(got[..4], [-1.0, 0.0, 0.0, 1.0]);
        assert!(got[1].is_sign_positive() && got[4].is_nan());
    }

    #[test]
    fn round_goes_to_even() {
        assert_eq!(f32s(UnaryOp::Round, &[0.5, 1.5, 2.5, -0.5, -1.5]), [0.0, 2.0, 2.0, -0.0, -2.0]);
    }

    #[test]
    fn small_arguments_keep_their_digits() {
        assert_eq!(f32s(UnaryOp::Expm1, &[1e-10, -INF]), [1e-10, -1.0]);
        assert_eq!(f32s(UnaryOp::Log1p, &[1e-10, -1.0]), [1e-10, -INF]);
        assert_eq!(f32s(UnaryOp::Sigmoid, &[-100.0, 100.0]), [3.8e-44, 1.0]);
    }

    #[test]
    fn integers_wrap() {
        let lowest = tensor(&[i64::MIN, -3, 0], &[3], DType::I64);
        assert_eq!(run::<i64>(&Op::Unary(UnaryOp::Abs), std::slice::from_ref(&lowest)), [i64::MIN, 3, 0]);
        assert_eq!(run::<i64>(&Op::Unary(UnaryOp::Sign), &[lowest]), [-1, -1, 0]);
        let bytes = tensor(&[-128i8, 5], &[2], DType::I8);
        assert_eq!(run::<i8>(&Op::Unary(UnaryOp::Neg), &[bytes]), [-128, -5]);
        let words = tensor(&[0u8, 5], &[2], DType::U8);
        assert_eq!(run::<u8>(&Op::Unary(UnaryOp::Not), std::slice::from_ref(&words)), [255, 250]);
        assert_eq!(run::<u8>(&Op::Unary(UnaryOp::Neg), &[words]), [0, 251]);
    }

    #[test]
    fn not_of_bool_is_logical() {
        assert_eq!(run::<u8>(&Op::Unary(UnaryOp::Not), &[tensor(&[0u8, 1], &[2], DType::Bool)]), [1, 0]);
    }

    #[test]
    fn half_floats_round_once_from_f32() {
        let x = tensor(&[f16::from_f32(1.0), f16::from_f32(-2.5)], &[2], DType::F16);
        let got: Vec<f16> = run(&Op::Unary(UnaryOp::Exp), &[x]);
        assert_eq!(got, [f16::from_f32(1f32.exp()), f16::from_f32((-2.5f32).exp())]);
    }
}
