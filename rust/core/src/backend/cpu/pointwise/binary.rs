//! Functions of two elements.

use super::{vector, zip};
use crate::backend::cpu::arch::Vectored;
use crate::backend::cpu::element::{Compute, Element, Truth};
use crate::backend::cpu::kernel::{Dst, Src};
use crate::backend::cpu::math::simple;
use crate::error::{Error, Result};
use crate::ir::op::BinaryOp;

/// Elementwise function of two inputs.
pub(in crate::backend::cpu) fn binary(op: BinaryOp, a: &Src<'_>, b: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    match Compute::of(a.dtype) {
        Compute::F32 => of_f32(op, a, b, out),
        Compute::F64 => of_f64(op, a, b, out),
        Compute::I64 => of_i64(op, a, b, out),
        Compute::U64 => of_u64(op, a, b, out),
        Compute::Bool => of_bool(op, a, b, out),
    }
}

fn unsupported(op: BinaryOp, a: &Src<'_>) -> Error {
    Error::bug(op.name(), format!("no loop for {}", a.dtype))
}

/// The functions that have vector loops; false where there is none, or a row lies otherwise.
fn registers<T: Vectored>(op: BinaryOp, a: &Src<'_>, b: &Src<'_>, out: &mut Dst<'_>) -> Result<bool> {
    match op {
        BinaryOp::Add => vector::zip::<simple::Add, T>(a, b, out),
        BinaryOp::Sub => vector::zip::<simple::Sub, T>(a, b, out),
        BinaryOp::Mul => vector::zip::<simple::Mul, T>(a, b, out),
        BinaryOp::Div => vector::zip::<simple::Div, T>(a, b, out),
        BinaryOp::Maximum => vector::zip::<simple::Maximum, T>(a, b, out),
        BinaryOp::Minimum => vector::zip::<simple::Minimum, T>(a, b, out),
        BinaryOp::CopySign => vector::zip::<simple::CopySign, T>(a, b, out),
        BinaryOp::Pow
        | BinaryOp::Remainder
        | BinaryOp::FloorDivide
        | BinaryOp::Atan2
        | BinaryOp::NextAfter
        | BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Xor
        | BinaryOp::ShiftLeft
        | BinaryOp::ShiftRight => Ok(false),
    }
}

/// Stamp the functions of one float type.
///
/// Expands to `fn of_f32(op: BinaryOp, a: &Src<'_>, b: &Src<'_>, out: &mut Dst<'_>) -> Result<()>` and three helpers.
macro_rules! floats {
    ($name:ident, $remainder:ident, $floor_divide:ident, $next_after:ident, $float:ty) => {
        fn $name(op: BinaryOp, a: &Src<'_>, b: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
            type T = $float;
            if registers::<T>(op, a, b, out)? {
                return Ok(());
            }
            match op {
                BinaryOp::Add => zip(a, b, out, |x: T, y: T| x + y),
                BinaryOp::Sub => zip(a, b, out, |x: T, y: T| x - y),
                BinaryOp::Mul => zip(a, b, out, |x: T, y: T| x * y),
                BinaryOp::Div => zip(a, b, out, |x: T, y: T| x / y),
                BinaryOp::Pow => zip(a, b, out, T::powf),
                BinaryOp::Maximum => zip(a, b, out, T::larger),
                BinaryOp::Minimum => zip(a, b, out, T::smaller),
                BinaryOp::Remainder => zip(a, b, out, $remainder),
                BinaryOp::FloorDivide => zip(a, b, out, $floor_divide),
                BinaryOp::Atan2 => zip(a, b, out, T::atan2),
                BinaryOp::CopySign => zip(a, b, out, T::copysign),
                BinaryOp::NextAfter => zip(a, b, out, $next_after),
                BinaryOp::And | BinaryOp::Or | BinaryOp::Xor | BinaryOp::ShiftLeft | BinaryOp::ShiftRight => {
                    Err(unsupported(op, a))
                }
            }
        }

        /// Remainder with the sign of the divisor, as Python's `%`.
        fn $remainder(x: $float, y: $float) -> $float {
            let rest = x % y;
            match rest {
                0.0 => rest.copysign(y),
                _ if (rest < 0.0) != (y < 0.0) => rest + y,
                _ => rest,
            }
        }

        /// The number next to `x` on the way to `y`; equal numbers give `y`, for the sign of a zero.
        fn $next_after(x: $float, y: $float) -> $float {
            if x < y {
                if x == 0.0 { <$float>::from_bits(1) } else { x.next_up() }
            } else if x > y {
                if x == 0.0 { -<$float>::from_bits(1) } else { x.next_down() }
            } else if x == y {
                y
            } else {
                <$float>::NAN
            }
        }

        /// Floor of the quotient, consistent with the remainder; with an infinity `floor(x / y)`, as the array API says.
        fn $floor_divide(x: $float, y: $float) -> $float {
            if y == 0.0 || x.is_infinite() || y.is_infinite() {
                return (x / y).floor();
            }
            let rest = x % y;
            let mut quotient = (x - rest) / y;
            if rest != 0.0 && (rest < 0.0) != (y < 0.0) {
                quotient -= 1.0;
            }
            let floor = quotient.floor();
            match quotient {
                0.0 => (0.0 as $float).copysign(x / y),
                _ if quotient - floor > 0.5 => floor + 1.0,
                _ => floor,
            }
        }
    };
}

floats!(of_f32, remainder_f32, floor_divide_f32, next_after_f32, f32);
floats!(of_f64, remainder_f64, floor_divide_f64, next_after_f64, f64);

/// Stamp the functions of one integer type; everything wraps, and division by zero gives 0.
///
/// Expands to `fn of_i64(op: BinaryOp, a: &Src<'_>, b: &Src<'_>, out: &mut Dst<'_>) -> Result<()>`.
macro_rules! integers {
    ($name:ident, $int:ty, $pow:ident, $remainder:ident, $floor_divide:ident, $shift_right:ident) => {
        fn $name(op: BinaryOp, a: &Src<'_>, b: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
            type T = $int;
            match op {
                BinaryOp::Add => zip(a, b, out, T::wrapping_add),
                BinaryOp::Sub => zip(a, b, out, T::wrapping_sub),
                BinaryOp::Mul => zip(a, b, out, T::wrapping_mul),
                BinaryOp::Pow => zip(a, b, out, $pow),
                BinaryOp::Maximum => zip(a, b, out, T::larger),
                BinaryOp::Minimum => zip(a, b, out, T::smaller),
                BinaryOp::Remainder => zip(a, b, out, $remainder),
                BinaryOp::FloorDivide => zip(a, b, out, $floor_divide),
                BinaryOp::And => zip(a, b, out, |x: T, y: T| x & y),
                BinaryOp::Or => zip(a, b, out, |x: T, y: T| x | y),
                BinaryOp::Xor => zip(a, b, out, |x: T, y: T| x ^ y),
                BinaryOp::ShiftLeft => {
                    zip(a, b, out, |x: T, y: T| u32::try_from(y).ok().and_then(|y| x.checked_shl(y)).unwrap_or(0))
                }
                BinaryOp::ShiftRight => zip(a, b, out, $shift_right),
                BinaryOp::Div | BinaryOp::Atan2 | BinaryOp::CopySign | BinaryOp::NextAfter => Err(unsupported(op, a)),
            }
        }
    };
}

integers!(of_i64, i64, pow_i64, remainder_i64, floor_divide_i64, shift_right_i64);
integers!(of_u64, u64, pow_u64, remainder_u64, floor_divide_u64, shift_right_u64);

/// Power by repeated squaring; the bits of the exponent from the lowest up.
fn pow_u64(base: u64, exponent: u64) -> u64 {
    let (mut result, mut square, mut rest) = (1u64, base, exponent);
    while rest > 0 {
        if rest & 1 == 1 {
            result = result.wrapping_mul(square);
        }
        square = square.wrapping_mul(square);
        rest >>= 1;
    }
    result
}

/// Power; a negative exponent leaves 0 of everything but 1 and -1.
fn pow_i64(base: i64, exponent: i64) -> i64 {
    match (base, exponent) {
        (_, 0..) | (1 | -1, _) => pow_u64(base as u64, exponent.unsigned_abs()) as i64,
        _ => 0,
    }
}

fn remainder_u64(x: u64, y: u64) -> u64 {
    x.checked_rem(y).unwrap_or(0)
}

fn floor_divide_u64(x: u64, y: u64) -> u64 {
    x.checked_div(y).unwrap_or(0)
}

fn remainder_i64(x: i64, y: i64) -> i64 {
    if y == 0 {
        return 0;
    }
    let rest = x.wrapping_rem(y);
    if rest != 0 && (rest < 0) != (y < 0) { rest + y } else { rest }
}

fn floor_divide_i64(x: i64, y: i64) -> i64 {
    if y == 0 {
        return 0;
    }
    let quotient = x.wrapping_div(y);
    if x.wrapping_rem(y) != 0 && (x < 0) != (y < 0) { quotient - 1 } else { quotient }
}

fn shift_right_u64(x: u64, y: u64) -> u64 {
    if y < 64 { x >> y } else { 0 }
}

/// Arithmetic shift; a distance outside 0..64 leaves only the sign.
fn shift_right_i64(x: i64, y: i64) -> i64 {
    if (0..64).contains(&y) { x >> y } else { x >> 63 }
}

fn of_bool(op: BinaryOp, a: &Src<'_>, b: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let by = |f: fn(bool, bool) -> bool| move |x: Truth, y: Truth| Truth::new(f(x.get(), y.get()));
    match op {
        BinaryOp::And | BinaryOp::Minimum => zip(a, b, out, by(|x, y| x & y)),
        BinaryOp::Or | BinaryOp::Maximum => zip(a, b, out, by(|x, y| x | y)),
        BinaryOp::Xor => zip(a, b, out, by(|x, y| x ^ y)),
        BinaryOp::Add
        | BinaryOp::Sub
        | BinaryOp::Mul
        | BinaryOp::Div
        | BinaryOp::Pow
        | BinaryOp::Remainder
        | BinaryOp::FloorDivide
        | BinaryOp::Atan2
        | BinaryOp::CopySign
        | BinaryOp::NextAfter
        | BinaryOp::ShiftLeft
        | BinaryOp::ShiftRight => Err(unsupported(op, a)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::testing::{run, tensor};
    use crate::dtype::DType;
    use crate::ir::op::Op;

    const INF: f64 = f64::INFINITY;

    fn i64s(op: BinaryOp, a: &[i64], b: &[i64]) -> Vec<i64> {
        let side = |x: &[i64]| tensor(x, &[x.len()], DType::I64);
        run(&Op::Binary(op), &[side(a), side(b)])
    }

    #[test]
    fn float_division_follows_python() {
        // Pairs of NumPy's floor_divide and remainder; where an infinity is divided by, the quotient is the standard's.
        let table = [
            (7.0, 3.0, 2.0, 1.0),
            (-7.0, 3.0, -3.0, 2.0),
            (7.0, -3.0, -3.0, -2.0),
            (-7.0, -3.0, 2.0, -1.0),
            (1.0, INF, 0.0, 1.0),
            (-1.0, INF, -0.0, INF),
            (1.0, -INF, -0.0, -INF),
            (1.0, 0.1, 9.0, 0.1 - 5.551_115_123_125_783e-17),
        ];
        for (x, y, quotient, rest) in table {
            assert_eq!(floor_divide_f64(x, y), quotient, "{x} // {y}");
            assert!((remainder_f64(x, y) - rest).abs() < 1e-15 || remainder_f64(x, y) == rest, "{x} % {y}");
        }
        assert_eq!((floor_divide_f64(INF, 1.0), floor_divide_f64(INF, -1.0)), (INF, -INF));
        assert!(floor_divide_f64(INF, INF).is_nan() && remainder_f64(INF, 1.0).is_nan());
        assert_eq!((floor_divide_f64(1.0, 0.0), floor_divide_f64(-1.0, 0.0)), (INF, -INF));
        assert!(floor_divide_f64(0.0, 0.0).is_nan() && remainder_f64(1.0, 0.0).is_nan());
        assert!(remainder_f64(6.0, -3.0).is_sign_negative() && remainder_f64(-6.0, 3.0).is_sign_positive());
        assert!(floor_divide_f64(-0.0, 3.0).is_sign_negative());
    }

    #[test]
    fn integer_division_floors_and_never_traps() {
        let (x, y) = ([7, -7, 7, -7, 5, i64::MIN], [3, 3, -3, -3, 0, -1]);
        assert_eq!(i64s(BinaryOp::FloorDivide, &x, &y), [2, -3, -3, 2, 0, i64::MIN]);
        assert_eq!(i64s(BinaryOp::Remainder, &x, &y), [1, 2, -2, -1, 0, 0]);
    }

    #[test]
    fn integer_powers_wrap() {
        let (x, y) = ([2, 2, -1, -1, 1, 0, 0, 3, 3], [10, -1, -3, -2, -5, -1, 0, 41, 40]);
        assert_eq!(i64s(BinaryOp::Pow, &x, &y)[..8], [1024, 0, -1, 1, 1, 0, 1, 3i64.wrapping_pow(41)]);
        let bytes = |x: &[i8]| tensor(x, &[x.len()], DType::I8);
        assert_eq!(run::<i8>(&Op::Binary(BinaryOp::Pow), &[bytes(&[2, 2]), bytes(&[7, 8])]), [-128, 0]);
    }

    #[test]
    fn wide_shifts_leave_the_sign() {
        let (x, y) = ([1, -8, -8, 8, -1, 1], [64, 1, 64, 70, -1, 3]);
        assert_eq!(i64s(BinaryOp::ShiftRight, &x, &y), [0, -4, -1, 0, -1, 0]);
        assert_eq!(i64s(BinaryOp::ShiftLeft, &x, &y), [0, -16, 0, 0, 0, 8]);
        let bytes = |x: &[u8]| tensor(x, &[x.len()], DType::U8);
        assert_eq!(run::<u8>(&Op::Binary(BinaryOp::ShiftLeft), &[bytes(&[3, 3]), bytes(&[7, 8])]), [128, 0]);
    }

    #[test]
    fn extremes_propagate_nan() {
        let (x, y) = ([1.0, f32::NAN, 3.0], [2.0, 0.0, f32::NAN]);
        let sides = [tensor(&x, &[3], DType::F32), tensor(&y, &[3], DType::F32)];
        for (op, first) in [(BinaryOp::Maximum, 2.0), (BinaryOp::Minimum, 1.0)] {
            let got: Vec<f32> = run(&Op::Binary(op), &sides);
            assert!(got[0] == first && got[1].is_nan() && got[2].is_nan());
        }
    }

    #[test]
    fn a_broadcast_side_reads_one_element() {
        let one = tensor(&[10f32], &[1], DType::F32);
        let spread = one.with_layout(one.layout.expand(&[2, 3].into()));
        let x = tensor(&[0f32, 1.0, 2.0, 3.0, 4.0, 5.0], &[3, 2], DType::F32);
        let turned = x.with_layout(x.layout.permute(&[1, 0]));
        let sub = Op::Binary(BinaryOp::Sub);
        assert_eq!(run::<f32>(&sub, &[spread.clone(), turned.clone()]), [10.0, 8.0, 6.0, 9.0, 7.0, 5.0]);
        assert_eq!(run::<f32>(&sub, &[turned, spread]), [-10.0, -8.0, -6.0, -9.0, -7.0, -5.0]);
    }

    #[test]
    fn bool_extremes_are_or_and_and() {
        let sides = [tensor(&[0u8, 0, 1, 1], &[4], DType::Bool), tensor(&[0u8, 1, 0, 1], &[4], DType::Bool)];
        assert_eq!(run::<u8>(&Op::Binary(BinaryOp::Maximum), &sides), [0, 1, 1, 1]);
        assert_eq!(run::<u8>(&Op::Binary(BinaryOp::Minimum), &sides), [0, 0, 0, 1]);
        assert_eq!(run::<u8>(&Op::Binary(BinaryOp::Xor), &sides), [0, 1, 1, 0]);
    }
}
