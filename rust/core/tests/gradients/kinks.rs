//! Kinks, ties and zeros: what differences cannot decide is written down here.

use trainsmith_core::Result;
use trainsmith_core::dtype::Scalar;
use trainsmith_core::tensor::args::{Arg, Attr};
use trainsmith_core::tensor::backward::{gradients, watch};
use trainsmith_core::tensor::{Tensor, functions};

fn vector(numbers: &[f64]) -> Tensor {
    Tensor::from_f64(numbers, [numbers.len()]).unwrap()
}

fn call(name: &str, inputs: &[&Tensor], attrs: &[(&str, Attr)]) -> Tensor {
    let args: Vec<Arg> = inputs.iter().map(|t| Arg::Edge(t.edge().unwrap())).collect();
    let attrs: Vec<(String, Attr)> = attrs.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
    Tensor::from_edge(functions::call(name, &args, &attrs).unwrap().remove(0))
}

/// Gradients of the outputs weighted by `1, 10, 100, ...`, so that none can stand for another.
fn weighted(output: &Tensor, targets: &[Tensor]) -> Vec<Tensor> {
    let meta = output.meta();
    let weights: Vec<f64> = (0..meta.shape.numel()).map(|i| 10f64.powi(i as i32)).collect();
    let weights = Tensor::from_f64(&weights, meta.shape).unwrap();
    gradients(std::slice::from_ref(output), Some(&[weights]), targets).unwrap()
}

fn numbers(tensors: &[Tensor]) -> Vec<Vec<f64>> {
    tensors.iter().map(|t| t.to_f64().unwrap()).collect()
}

/// First gradient by each input, and second by each, of the first gradients' plain sum.
fn slopes(f: &dyn Fn(&[Tensor]) -> Tensor, inputs: &[&[f64]]) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let x: Vec<Tensor> = inputs.iter().map(|x| watch(&vector(x)).unwrap()).collect();
    let first = weighted(&f(&x), &x);
    let second = gradients(&first, None, &x).unwrap();
    (numbers(&first), numbers(&second))
}

fn of_one(name: &str, attrs: &[(&str, Attr)], x: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (mut first, mut second) = slopes(&|x| call(name, &[&x[0]], attrs), &[x]);
    (first.remove(0), second.remove(0))
}

fn of_two(name: &str, x: &[f64], y: &[f64]) -> Vec<Vec<f64>> {
    let (first, second) = slopes(&|x| call(name, &[&x[0], &x[1]], &[]), &[x, y]);
    assert!(second.iter().flatten().all(|&s| s == 0.0), "{name} is straight: {second:?}");
    first
}

#[test]
fn corners_are_flat() {
    for x in [0.0, -0.0] {
        assert_eq!(of_one("abs", &[], &[x, -2.0, 3.0]).0, [0.0, -10.0, 100.0]);
        assert_eq!(of_one("relu", &[], &[x, -2.0, 3.0]).0, [0.0, 0.0, 100.0]);
        assert_eq!(of_one("sign", &[], &[x, -2.0, 3.0]).0, [0.0; 3]);
    }
    for name in ["floor", "ceil", "round", "trunc"] {
        assert_eq!(of_one(name, &[], &[1.0, 0.5, -1.5]).0, [0.0; 3], "{name}");
    }
}

/// Activations in pieces: flat where a piece ends in a constant, one-sided where two slopes meet, smooth where formulas join.
#[test]
fn corners_of_activations() {
    assert_eq!(of_one("relu6", &[], &[0.0, 6.0, 3.0, -1.0, 7.0]).0, [0.0, 0.0, 100.0, 0.0, 0.0]);
    assert_eq!(of_one("hardtanh", &[], &[-1.0, 1.0, 0.5]).0, [0.0, 0.0, 100.0]);
    assert_eq!(of_one("leaky_relu", &[("negative_slope", Attr::Float(0.25))], &[0.0, 4.0, -4.0]).0, [0.25, 10.0, 25.0]);
    for (name, first, second) in [("softplus", 0.5, 0.25), ("logsigmoid", 0.5, -0.25), ("silu", 0.5, 0.5)] {
        assert_eq!(of_one(name, &[], &[0.0]), (vec![first], vec![second]), "{name}");
    }
    for name in ["elu", "celu"] {
        assert_eq!(of_one(name, &[], &[0.0, -0.0, 1.0]).0, [1.0, 10.0, 100.0], "{name}");
    }
}

/// No length has a direction to grow in where it is 0, and no NaN comes of it.
#[test]
fn lengths_of_nothing_are_flat() {
    for (name, attrs) in [("normalize", vec![("axis", Attr::Int(0))]), ("std", vec![])] {
        let (first, second) = of_one(name, &attrs, &[0.0; 3]);
        assert!(first.iter().chain(&second).all(|g| g.is_finite()), "{name}: {first:?}, {second:?}");
    }
}

#[test]
fn ties_of_two_are_shared_half_and_half() {
    let (x, y) = ([1.0, 2.0, 3.0, -0.0], [1.0, 3.0, 2.0, 0.0]);
    assert_eq!(of_two("maximum", &x, &y), [[0.5, 0.0, 100.0, 500.0], [0.5, 10.0, 0.0, 500.0]]);
    assert_eq!(of_two("minimum", &x, &y), [[0.5, 10.0, 0.0, 500.0], [0.5, 0.0, 100.0, 500.0]]);
    let same = slopes(&|x| call("maximum", &[&x[0], &x[0]], &[]), &[&[1.0, 2.0]]);
    assert_eq!(same.0, [[1.0, 10.0]]);
}

#[test]
fn ties_of_many_are_shared_evenly() {
    let x = [4.0, 1.0, 4.0, 4.0, 1.0, 2.0];
    assert_eq!(of_one("max", &[], &x).0, [1.0 / 3.0, 0.0, 1.0 / 3.0, 1.0 / 3.0, 0.0, 0.0]);
    assert_eq!(of_one("min", &[], &x).0, [0.0, 0.5, 0.0, 0.0, 0.5, 0.0]);
    let columns = |x: &[Tensor]| {
        let grid = call("reshape", &[&x[0]], &[("shape", Attr::Ints(vec![2, 3]))]);
        call("max", &[&grid], &[("axis", Attr::Int(0))])
    };
    let (first, second) = slopes(&columns, &[&[1.0, 5.0, 7.0, 1.0, 6.0, 2.0]]);
    assert_eq!(first, [[0.5, 0.0, 100.0, 0.5, 10.0, 0.0]]);
    assert_eq!(second, [[0.0; 6]]);
}

#[test]
fn bounds_belong_to_the_inside_of_clip() {
    let bounded = |x: &[Tensor]| {
        let args = [Arg::Edge(x[0].edge().unwrap()), Arg::Scalar(Scalar::Float(-1.0)), Arg::Scalar(Scalar::Float(2.0))];
        Tensor::from_edge(functions::call("clip", &args, &[]).unwrap().remove(0))
    };
    let (first, second) = slopes(&bounded, &[&[-1.0, 2.0, -1.5, 2.5, 0.0]]);
    assert_eq!((first, second), (vec![vec![1.0, 10.0, 0.0, 0.0, 10_000.0]], vec![vec![0.0; 5]]));
    let tensors = |x: &[Tensor]| call("clip", &[&x[0], &x[1], &x[2]], &[]);
    let (first, _) = slopes(&tensors, &[&[-1.0, 2.0, -1.5, 2.5], &[-1.0; 4], &[2.0; 4]]);
    assert_eq!(first, [[1.0, 10.0, 0.0, 0.0], [0.0, 0.0, 100.0, 0.0], [0.0, 0.0, 0.0, 1000.0]]);
}

/// The gradient of `f(x)` by `x` where `f` is a sum of products of elements, by the definition.
fn by_definition(x: &[f64], products: &[(f64, Vec<usize>)]) -> (Vec<f64>, Vec<f64>) {
    let without = |chosen: &[usize], left: &[usize]| -> f64 {
        chosen.iter().filter(|&i| !left.contains(i)).map(|&i| x[i]).product()
    };
    let (mut first, mut second) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    for (weight, chosen) in products {
        for &i in chosen {
            first[i] += weight * without(chosen, &[i]);
            second[i] += chosen.iter().filter(|&&j| j != i).map(|&j| weight * without(chosen, &[i, j])).sum::<f64>();
        }
    }
    (first, second)
}

#[test]
fn products_with_zeros() {
    for x in [[2.0, 3.0, 5.0, 7.0], [2.0, 0.0, 5.0, 7.0], [0.0, 3.0, 5.0, 0.0], [0.0, 0.0, 0.0, 7.0], [0.0; 4]] {
        let all = by_definition(&x, &[(1.0, vec![0, 1, 2, 3])]);
        assert_eq!(of_one("prod", &[], &x), all, "prod of {x:?}");
        let running: Vec<(f64, Vec<usize>)> = (0..4).map(|i| (10f64.powi(i), (0..=i as usize).collect())).collect();
        assert_eq!(of_one("cumulative_prod", &[], &x), by_definition(&x, &running), "cumulative_prod of {x:?}");
        let rows = |x: &[Tensor]| {
            let grid = call("reshape", &[&x[0]], &[("shape", Attr::Ints(vec![2, 2]))]);
            call("prod", &[&grid], &[("axis", Attr::Int(0))])
        };
        let (first, second) = slopes(&rows, &[&x]);
        let want = by_definition(&x, &[(1.0, vec![0, 2]), (10.0, vec![1, 3])]);
        assert_eq!((&first[0], &second[0]), (&want.0, &want.1), "prod of columns of {x:?}");
    }
}

/// A product goes on having derivatives: the third of `x y z` by x, y and z is 1, zeros or not.
#[test]
fn third_derivatives_of_products_with_zeros() {
    for (x, want) in [([2.0, 3.0, 5.0], 6.0), ([0.0, 3.0, 0.0], 6.0)] {
        for name in ["prod", "cumulative_prod"] {
            let x = watch(&vector(&x)).unwrap();
            let y = call(name, &[&x], &[]);
            let mut slope = if name == "prod" { y } else { call("sum", &[&last(&y)], &[]) };
            for _ in 0..3 {
                let grads = gradients(&[slope], None, std::slice::from_ref(&x)).unwrap();
                slope = call("sum", &[&grads[0]], &[]);
            }
            assert_eq!(slope.to_f64().unwrap(), [want], "{name}");
        }
    }
}

fn last(x: &Tensor) -> Tensor {
    let ints = |i| Attr::Ints(vec![i]);
    call("slice", &[x], &[("starts", ints(2)), ("sizes", ints(1)), ("steps", ints(1))])
}

fn power(x: &Tensor, exponent: f64) -> Result<Tensor> {
    let args = [Arg::Edge(x.edge()?), Arg::Scalar(Scalar::Float(exponent))];
    Ok(Tensor::from_edge(functions::call("pow", &args, &[])?.remove(0)))
}

/// Whole powers are polynomials, also at zero: no `0 * 0^-1` appears in any of their derivatives.
#[test]
fn whole_powers_at_zero() {
    let at = [0.0, -1.0, 2.0];
    let cases: [(f64, [f64; 3], [f64; 3]); 4] = [
        (0.0, [0.0; 3], [0.0; 3]),
        (1.0, [1.0, 10.0, 100.0], [0.0; 3]),
        (2.0, [0.0, -20.0, 400.0], [2.0, 20.0, 200.0]),
        (3.0, [0.0, 30.0, 1200.0], [0.0, -60.0, 1200.0]),
    ];
    for (exponent, first, second) in cases {
        let got = slopes(&|x| power(&x[0], exponent).unwrap(), &[&at]);
        assert_eq!(got, (vec![first.to_vec()], vec![second.to_vec()]), "x^{exponent}");
    }
    let x = watch(&vector(&at)).unwrap();
    let mut slope = power(&x, 2.0).unwrap();
    for _ in 0..4 {
        slope = gradients(&[slope], None, std::slice::from_ref(&x)).unwrap().remove(0);
    }
    assert_eq!(slope.to_f64().unwrap(), [0.0; 3], "the fourth derivative of x^2");
}

/// `0^y` is flat in y for y > 0, its limit.
#[test]
fn exponents_over_zero() {
    let (first, _) = slopes(&|x| call("pow", &[&x[0], &x[1]], &[]), &[&[0.0, 2.0], &[3.0, 0.0]]);
    assert_eq!(first, [[0.0, 0.0], [0.0, 10.0 * 2f64.ln()]]);
}

/// At the exponent 0 the slope along the base is 0, but it changes with the exponent, by `1 / x`.
#[test]
fn an_exponent_of_zero_is_not_frozen() {
    let (first, second) = slopes(&|x| call("pow", &[&x[0], &x[1]], &[]), &[&[2.0, 0.0, 1e-310], &[0.0; 3]]);
    assert_eq!(first[0], [0.0; 3]);
    assert_eq!((second[0][0], second[0][1]), (0.5, 0.0));
    assert!((second[1][0] - (0.5 + 2f64.ln().powi(2))).abs() < 1e-15, "{second:?}");
}

/// Positions that several updates share: each update gets the gradient of its place, each place the sum of its picks.
#[test]
fn repeated_indices_add_up() {
    let index = Tensor::from_i64(&[1, 1, 0, 1], [4]).unwrap();
    let (first, second) = slopes(&|x| call("take", &[&x[0], &index], &[]), &[&[3.0, 4.0, 5.0]]);
    assert_eq!((first, second), (vec![vec![100.0, 1011.0, 0.0]], vec![vec![0.0; 3]]));
}

/// Rows of the padding class get no gradient, in whatever way the class is counted.
#[test]
fn padding_of_an_embedding_is_frozen() {
    let index = Tensor::from_i64(&[0, 2, 2], [3]).unwrap();
    for padding in [2, -1] {
        let f = |x: &[Tensor]| {
            let table = call("reshape", &[&x[0]], &[("shape", Attr::Ints(vec![3, 1]))]);
            call("embedding", &[&index, &table], &[("padding_idx", Attr::Int(padding))])
        };
        assert_eq!(slopes(&f, &[&[5.0, 6.0, 7.0]]).0, [[1.0, 0.0, 0.0]]);
    }
}

/// The loss of a logit is smooth at zero, where its formula has two corners that cancel.
#[test]
fn the_logistic_loss_is_smooth_at_zero() {
    let targets = vector(&[0.0, 1.0, 0.25]);
    let f = |x: &[Tensor]| {
        let none = [("reduction", Attr::Str("none".into()))];
        call("binary_cross_entropy_with_logits", &[&x[0], &targets], &none)
    };
    let (first, second) = slopes(&f, &[&[0.0; 3]]);
    assert_eq!(first, [[0.5, -5.0, 25.0]]);
    assert_eq!(second, [[0.25, 2.5, 25.0]]);
}

/// Infinite weights on nothing: a masked score of minus infinity leaves softmax without a NaN in its gradient.
#[test]
fn masked_scores_have_gradients() {
    let x = [1.0, f64::NEG_INFINITY, 2.0];
    for name in ["softmax", "log_softmax", "logsumexp"] {
        let f = |x: &[Tensor]| match (call(name, &[&x[0]], &[]), name) {
            (y, "log_softmax") => call("take", &[&y, &Tensor::from_i64(&[0, 2], [2]).unwrap()], &[]),
            (y, _) => y,
        };
        for slopes in <[Vec<Vec<f64>>; 2]>::from(slopes(&f, &[&x])) {
            assert!(slopes[0].iter().all(|g| g.is_finite()), "{name}: {slopes:?}");
            assert_eq!(slopes[0][1], 0.0, "{name}");
        }
    }
}
