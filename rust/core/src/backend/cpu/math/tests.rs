//! Every function against f64, densely, under every instruction set of the machine.

use super::*;
use crate::backend::cpu::arch::{Isa, Vectored};
use crate::backend::cpu::pointwise::{erf, gelu, sigmoid};

fn under<F: Function<f32>>(isa: Isa, x: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    f32::run(isa, Map::<F, f32>::new(x, &mut out));
    out
}

/// Numbers of every size and sign, NaN among them: every bit pattern in steps.
fn numbers() -> Vec<f32> {
    (0..u32::MAX).step_by(1009).map(f32::from_bits).collect()
}

/// Distance in units in the last place of the wanted result; subnormal results have the unit of the smallest normal one.
fn units(got: f32, wanted: f64) -> f64 {
    let rounded = wanted as f32;
    if got.is_nan() || rounded.is_nan() || !rounded.is_finite() || !got.is_finite() {
        let same = got.to_bits() == rounded.to_bits() || (got.is_nan() && rounded.is_nan());
        // An overflow may come one unit early or late.
        let near = got.abs() >= f32::MAX && rounded.abs() >= f32::MAX && got.signum() == rounded.signum();
        return if same {
            0.0
        } else if near {
            1.0
        } else {
            f64::INFINITY
        };
    }
    let size = rounded.abs().max(f32::MIN_POSITIVE);
    (f64::from(got) - wanted).abs() / f64::from(size.next_up() - size)
}

fn holds<F: Function<f32>>(name: &str, exact: fn(f64) -> f64, bound: f64) {
    let x = numbers();
    for isa in Isa::all() {
        let got = under::<F>(isa, &x);
        let errors = x.iter().zip(&got).map(|(&x, &got)| (units(got, exact(f64::from(x))), x, got));
        let (worst, at, got) = errors.fold((0.0, 0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a });
        assert!(
            worst <= bound,
            "{name} on {}: {worst} units at {at:e}, {got:e} for {:e}",
            isa.name(),
            exact(at.into())
        );
        println!("{name} on {}: {worst:.3} units at {at:e}", isa.name());
    }
}

#[test]
fn errors_stay_within_their_bounds() {
    holds::<Exp>("exp", f64::exp, 1.1);
    holds::<Expm1>("expm1", f64::exp_m1, 1.7);
    holds::<Log>("log", f64::ln, 0.8);
    holds::<Log1p>("log1p", f64::ln_1p, 1.5);
    holds::<Tanh>("tanh", f64::tanh, 1.3);
    holds::<Sigmoid>("sigmoid", sigmoid, 2.3);
    holds::<Erf>("erf", erf, 1.4);
    holds::<Sin>("sin", f64::sin, 1.9);
    holds::<Cos>("cos", f64::cos, 1.9);
}

/// Below zero `1 + erf(x)` loses its digits, so an error counts against 1 or the result.
#[test]
fn gelu_is_near() {
    let x = numbers();
    for isa in Isa::all() {
        for (&x, got) in x.iter().zip(under::<Gelu>(isa, &x)) {
            let wanted = gelu(f64::from(x));
            let unit = f64::from(f32::EPSILON) * wanted.abs().max(1.0);
            let near = (f64::from(got) - wanted).abs() <= 1.5 * unit || f64::from(got) == f64::from(wanted as f32);
            assert!(near || got.is_nan() && wanted.is_nan(), "gelu({x}) is {wanted}, got {got} with {}", isa.name());
        }
    }
}

/// A function under one instruction set.
type Mapped = fn(Isa, &[f32]) -> Vec<f32>;

#[test]
fn special_values_have_their_bits() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let table: [(Mapped, [(f32, f32); 5]); 9] = [
        (under::<Exp>, [(0.0, 1.0), (-0.0, 1.0), (inf, inf), (-inf, 0.0), (nan, nan)]),
        (under::<Expm1>, [(0.0, 0.0), (-0.0, -0.0), (inf, inf), (-inf, -1.0), (nan, nan)]),
        (under::<Log>, [(0.0, -inf), (-0.0, -inf), (inf, inf), (-inf, nan), (nan, nan)]),
        (under::<Log1p>, [(0.0, 0.0), (-0.0, -0.0), (inf, inf), (-1.0, -inf), (nan, nan)]),
        (under::<Tanh>, [(0.0, 0.0), (-0.0, -0.0), (inf, 1.0), (-inf, -1.0), (nan, nan)]),
        (under::<Sigmoid>, [(0.0, 0.5), (-0.0, 0.5), (inf, 1.0), (-inf, 0.0), (nan, nan)]),
        (under::<Erf>, [(0.0, 0.0), (-0.0, -0.0), (inf, 1.0), (-inf, -1.0), (nan, nan)]),
        (under::<Sin>, [(0.0, 0.0), (-0.0, -0.0), (inf, nan), (-inf, nan), (nan, nan)]),
        (under::<Cos>, [(0.0, 1.0), (-0.0, 1.0), (inf, nan), (-inf, nan), (nan, nan)]),
    ];
    for isa in Isa::all() {
        for (row, (function, pairs)) in table.iter().enumerate() {
            for (x, wanted) in pairs {
                let got = function(isa, &[*x])[0];
                let same = got.to_bits() == wanted.to_bits() || (got.is_nan() && wanted.is_nan());
                assert!(same, "function {row} of {x} on {}: {wanted}, got {got}", isa.name());
            }
        }
    }
}

#[test]
fn a_result_depends_on_the_element_alone() {
    let x: Vec<f32> = numbers().into_iter().step_by(991).collect();
    for isa in Isa::all() {
        for function in [under::<Exp>, under::<Log>, under::<Tanh>, under::<Erf>, under::<Sin>, under::<Sigmoid>] {
            let whole: Vec<u32> = function(isa, &x).iter().map(|y| y.to_bits()).collect();
            for start in 1..40 {
                let part: Vec<u32> =
                    function(isa, &x[start..x.len() - start / 2]).iter().map(|y| y.to_bits()).collect();
                assert_eq!(part, whole[start..x.len() - start / 2], "{}", isa.name());
            }
        }
    }
}
