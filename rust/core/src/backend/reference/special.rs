//! Functions of numbers that the standard library lacks, each by its textbook formula.

use crate::dtype::DType;
use std::cmp::Ordering;
use std::f64::consts::PI;

/// `1 / (1 + exp(-x))`, written so that the exponential never overflows.
pub(super) fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

/// `log(x + sqrt(x^2 + 1))`, odd in x, through `log1p` so that small arguments keep their digits.
///
/// The square of a large argument would overflow; there the root is x itself.
pub(super) fn asinh(x: f64) -> f64 {
    let a = x.abs();
    let y = if a > 1e100 { a.ln() + 2f64.ln() } else { (a + a * a / (1.0 + (a * a + 1.0).sqrt())).ln_1p() };
    y.copysign(x)
}

/// `log(x + sqrt(x^2 - 1))`, through `log1p` of the distance from 1.
pub(super) fn acosh(x: f64) -> f64 {
    let t = x - 1.0;
    if x < 1.0 {
        return f64::NAN;
    }
    if x > 1e100 { x.ln() + 2f64.ln() } else { (t + (t * (t + 2.0)).sqrt()).ln_1p() }
}

/// `log((1 + x) / (1 - x)) / 2`.
pub(super) fn atanh(x: f64) -> f64 {
    0.5 * (2.0 * x / (1.0 - x)).ln_1p()
}

/// The error function.
///
/// Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.6 (a series of positive terms) near zero,
/// 7.1.14 (a continued fraction of the complement) beyond.
pub(super) fn erf(x: f64) -> f64 {
    let a = x.abs();
    if x.is_nan() {
        return x;
    }
    if a > 6.0 {
        return 1f64.copysign(x);
    }
    let y = if a < 1.5 {
        let mut term = a;
        let mut sum = a;
        for n in 1..100 {
            term *= 2.0 * a * a / f64::from(2 * n + 1);
            sum += term;
        }
        2.0 / PI.sqrt() * (-a * a).exp() * sum
    } else {
        let fraction = (1..=200).rev().fold(a, |rest, n| a + 0.5 * f64::from(n) / rest);
        1.0 - (-a * a).exp() / (PI.sqrt() * fraction)
    };
    y.copysign(x)
}

/// Quotient rounded down, and the remainder that goes with it.
///
/// The remainder has the sign of the divisor; a divisor of 0 gives `a / b` and NaN. With an infinity among them the quotient
/// is that of the array API standard, `floor(a / b)`; the remainder is Python's.
pub(super) fn floor_divide(a: f64, b: f64) -> (f64, f64) {
    let rest = a % b;
    if b == 0.0 {
        return (a / b, rest);
    }
    if a.is_infinite() || b.is_infinite() {
        let moved = rest != 0.0 && (b < 0.0) != (rest < 0.0);
        return (
            (a / b).floor(),
            if rest == 0.0 {
                0f64.copysign(b)
            } else if moved {
                rest + b
            } else {
                rest
            },
        );
    }
    let quotient = (a - rest) / b;
    if rest == 0.0 {
        return (if quotient == 0.0 { 0f64.copysign(a / b) } else { quotient.round() }, 0f64.copysign(b));
    }
    if (b < 0.0) == (rest < 0.0) {
        return (if quotient == 0.0 { 0f64.copysign(a / b) } else { quotient.round() }, rest);
    }
    ((quotient - 1.0).round(), rest + b)
}

/// The number of a dtype, f32 or f64, next to `a` on the way to `b`.
pub(super) fn next_after(a: f64, b: f64, dtype: DType) -> f64 {
    let narrow = dtype == DType::F32;
    let least = if narrow { f64::from(f32::from_bits(1)) } else { f64::from_bits(1) };
    match a.partial_cmp(&b) {
        None => f64::NAN,
        Some(Ordering::Equal) => b,
        Some(Ordering::Less | Ordering::Greater) if a == 0.0 => least.copysign(b),
        Some(Ordering::Less) if narrow => f64::from((a as f32).next_up()),
        Some(Ordering::Less) => a.next_up(),
        Some(Ordering::Greater) if narrow => f64::from((a as f32).next_down()),
        Some(Ordering::Greater) => a.next_down(),
    }
}

/// `base ^ exponent`, wrapping; below an exponent of 0 only 1 and -1 have an integer result, the others give 0.
pub(super) fn int_pow(base: i128, exponent: i128) -> i128 {
    if exponent < 0 {
        return match base {
            1 => 1,
            -1 => {
                if exponent % 2 == 0 {
                    1
                } else {
                    -1
                }
            }
            _ => 0,
        };
    }
    let (mut result, mut square, mut left) = (1i128, base, exponent);
    while left > 0 {
        if left % 2 == 1 {
            result = result.wrapping_mul(square);
        }
        square = square.wrapping_mul(square);
        left /= 2;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erf_has_the_tabulated_values_on_both_sides_of_the_seam() {
        let table = [
            (0.1, 0.112_462_916_018_284_9),
            (0.5, 0.520_499_877_813_046_5),
            (1.0, 0.842_700_792_949_714_9),
            (2.0, 0.995_322_265_018_952_7),
            (1.499, 0.965_986_037_651_856_6),
            (1.5, 0.966_105_146_475_310_8),
            (3.0, 0.999_977_909_503_001_4),
            (4.0, 0.999_999_984_582_742_1),
        ];
        for (x, y) in table {
            assert!((erf(x) - y).abs() < 5e-16 && (erf(-x) + y).abs() < 5e-16, "{x}: {}", erf(x));
        }
        assert!(erf(f64::NAN).is_nan());
        assert_eq!((erf(0.0), erf(f64::INFINITY), erf(-9.0)), (0.0, 1.0, -1.0));
    }

    #[test]
    fn floor_division_follows_the_standard_at_the_edges() {
        assert_eq!(floor_divide(7.0, -2.0), (-4.0, -1.0));
        assert_eq!(floor_divide(-7.0, 2.0), (-4.0, 1.0));
        assert_eq!(floor_divide(-5.0, f64::INFINITY), (-0.0, f64::INFINITY));
        assert_eq!(floor_divide(5.0, f64::INFINITY), (0.0, 5.0));
        assert_eq!(floor_divide(1.0, 0.0).0, f64::INFINITY);
        assert_eq!(floor_divide(f64::INFINITY, 2.0).0, f64::INFINITY);
        assert!(floor_divide(1.0, 0.0).1.is_nan());
    }

    #[test]
    fn integer_powers_wrap_and_vanish() {
        assert_eq!(int_pow(-3, 3), -27);
        assert_eq!(int_pow(3, 64) as u64, 3u64.wrapping_pow(64));
        assert_eq!((int_pow(2, -1), int_pow(-1, -3), int_pow(0, 0), int_pow(0, -1)), (0, -1, 1, 0));
    }
}
