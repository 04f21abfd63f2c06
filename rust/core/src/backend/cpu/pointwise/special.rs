//! Functions of one float that the standard library lacks, or has with few digits near an edge.

/// `2 / sqrt(pi) * integral of exp(-t^2) from 0 to x`, to about one ulp.
///
/// Up to 1, the Maclaurin series (Abramowitz and Stegun 7.1.5) economised by interpolation of `erf(x) / x - 1` in `x^2` at
/// the Chebyshev nodes of [0, 1]. Beyond, `1 - exp(-x^2) R(x)` with table II of W. J. Cody, "Rational Chebyshev
/// approximations for the error function", Math. Comp. 23 (1969); from 6 on, erf rounds to 1.
pub(in crate::backend::cpu) fn erf(x: f64) -> f64 {
    let size = x.abs();
    if size <= 1.0 {
        return x + x * polynomial(x * x, &NEAR);
    }
    if size >= 6.0 {
        return 1f64.copysign(x);
    }
    let rest = (-size * size).exp() * polynomial(size, &TOP) / polynomial(size, &BOTTOM);
    (1.0 - rest).copysign(x)
}

/// Polynomial with the highest power first.
fn polynomial(x: f64, coefficients: &[f64]) -> f64 {
    coefficients.iter().fold(0.0, |sum, c| sum * x + c)
}

const NEAR: [f64; 13] = [
    5.957_176_147_748_911e-11,
    -1.137_284_885_679_167_4e-9,
    1.465_977_527_404_743_6e-8,
    -1.635_031_270_105_469_5e-7,
    1.646_100_048_412_136_8e-6,
    -1.492_559_526_683_118_2e-5,
    0.000_120_553_311_116_427_1,
    -0.000_854_832_698_083_379,
    0.005_223_977_624_818_014_5,
    -0.026_866_170_645_076_792,
    0.112_837_916_709_548_79,
    -0.376_126_389_031_837_5,
    0.128_379_167_095_512_6,
];
const TOP: [f64; 9] = [
    2.153_115_354_744_038_5e-8,
    0.564_188_496_988_670_1,
    8.883_149_794_388_377,
    66.119_190_637_141_63,
    298.635_138_197_400_1,
    881.952_221_241_769,
    1_712.047_612_634_070_7,
    2_051.078_377_826_071_6,
    1_230.339_354_797_997_2,
];
const BOTTOM: [f64; 9] = [
    1.0,
    15.744_926_110_709_835,
    117.693_950_891_312_5,
    537.181_101_862_009_9,
    1_621.389_574_566_690_3,
    3_290.799_235_733_459_7,
    4_362.619_090_143_247,
    3_439.367_674_143_721_6,
    1_230.339_354_803_749_5,
];

/// `1 / (1 + exp(-x))` without overflow: the exponent is never positive.
pub(in crate::backend::cpu) fn sigmoid(x: f64) -> f64 {
    let small = (-x.abs()).exp();
    if x < 0.0 { small / (1.0 + small) } else { 1.0 / (1.0 + small) }
}

/// `x Phi(x)`, with the distribution function of the normal distribution.
pub(in crate::backend::cpu) fn gelu(x: f64) -> f64 {
    x * 0.5 * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2))
}

/// Inverse of cosh: `log1p(t + sqrt(t (t + 2)))` with `t = x - 1`, which keeps the digits near 1.
pub(super) fn acosh(x: f64) -> f64 {
    if x < 1.0 {
        return f64::NAN;
    }
    if x > 1e8 {
        return x.ln() + std::f64::consts::LN_2;
    }
    let t = x - 1.0;
    (t + (t * (t + 2.0)).sqrt()).ln_1p()
}

/// Inverse of sinh: `log1p(s + s^2 / (1 + sqrt(1 + s^2)))` with `s = |x|`, odd.
pub(super) fn asinh(x: f64) -> f64 {
    let size = x.abs();
    if size > 1e8 {
        return (size.ln() + std::f64::consts::LN_2).copysign(x);
    }
    let square = size * size;
    (size + square / (1.0 + (1.0 + square).sqrt())).ln_1p().copysign(x)
}

/// Inverse of tanh: `log1p(2 s / (1 - s)) / 2` with `s = |x|`, odd.
pub(super) fn atanh(x: f64) -> f64 {
    let size = x.abs();
    (0.5 * (2.0 * size / (1.0 - size)).ln_1p()).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Abramowitz and Stegun, Handbook of Mathematical Functions, table 7.1, continued to 16 digits by its series 7.1.5.
    const ERF: [(f64, f64); 10] = [
        (1e-300, 1.128_379_167_095_512_6e-300),
        (1e-8, 1.128_379_167_095_512_6e-8),
        (0.1, 0.112_462_916_018_284_9),
        (0.25, 0.276_326_390_168_236_96),
        (0.5, 0.520_499_877_813_046_5),
        (1.0, 0.842_700_792_949_714_9),
        (1.5, 0.966_105_146_475_310_8),
        (2.0, 0.995_322_265_018_952_7),
        (4.0, 0.999_999_984_582_742_1),
        (5.9, 0.999_999_999_999_999_9),
    ];

    #[test]
    fn erf_agrees_with_published_values() {
        for (x, wanted) in ERF {
            assert!((erf(x) - wanted).abs() <= 2.3e-16 * wanted, "erf({x}) is {wanted}, got {}", erf(x));
            assert_eq!(erf(-x), -erf(x));
        }
        assert_eq!(erf(-0.0).to_bits(), (-0f64).to_bits());
        assert_eq!((erf(f64::INFINITY), erf(f64::NEG_INFINITY)), (1.0, -1.0));
        assert!(erf(f64::NAN).is_nan());
    }

    #[test]
    fn the_two_branches_of_erf_meet() {
        let (near, far) = (erf(1.0), erf(1.0 + f64::EPSILON));
        assert!(far >= near - 2.0 * f64::EPSILON && far - near < 4.0 * f64::EPSILON);
    }

    #[test]
    fn sigmoid_is_stable_at_both_ends() {
        assert_eq!((sigmoid(0.0), sigmoid(800.0), sigmoid(f64::INFINITY)), (0.5, 1.0, 1.0));
        assert_eq!((sigmoid(-800.0), sigmoid(f64::NEG_INFINITY)), (0.0, 0.0));
        assert!(sigmoid(-700.0) > 0.0 && sigmoid(f64::NAN).is_nan());
    }

    #[test]
    fn inverse_hyperbolics_at_their_edges() {
        assert_eq!((acosh(1.0), atanh(0.0), atanh(1.0)), (0.0, 0.0, f64::INFINITY));
        assert!(acosh(0.5).is_nan() && acosh(-1e300).is_nan() && acosh(f64::NAN).is_nan());
        assert!(atanh(2.0).is_nan() && asinh(f64::NAN).is_nan());
        assert_eq!((acosh(f64::INFINITY), atanh(-1.0)), (f64::INFINITY, f64::NEG_INFINITY));
        assert_eq!((asinh(f64::NEG_INFINITY), asinh(-0.0).to_bits()), (f64::NEG_INFINITY, (-0f64).to_bits()));
        for x in [1e-12, 0.3, 0.9] {
            assert!((acosh(1.0 + x).cosh() - 1.0 - x).abs() < 1e-15);
            assert!((asinh(x).sinh() - x).abs() < 2e-16 && (atanh(x).tanh() - x).abs() < 3e-16);
        }
    }
}
