//! Rows of activations, distances and dropout. Ranges cross the corners; no number drawn lies on one.

use super::Entry::{self, Call};
use super::Given::{self, Floats};
use trainsmith_core::tensor::args::Attr::{self, Bool, Float, Int, Ints as List};

/// Functions of one tensor, with the bound of a range around 0 that holds all their pieces.
const SHAPES: [(&str, f64); 17] = [
    ("relu", 2.0),
    ("relu6", 8.0),
    ("hardtanh", 2.0),
    ("leaky_relu", 2.0),
    ("rrelu", 2.0),
    ("elu", 2.0),
    ("selu", 2.0),
    ("celu", 2.0),
    ("softplus", 4.0),
    ("logsigmoid", 4.0),
    ("gelu", 3.0),
    ("silu", 3.0),
    ("mish", 3.0),
    ("hardsigmoid", 5.0),
    ("hardswish", 5.0),
    ("softsign", 2.0),
    ("tanhshrink", 2.0),
];

fn f(shape: &'static [usize]) -> Given {
    Floats(shape, -2.0, 2.0)
}

fn number(key: &'static str, value: f64) -> (&'static str, Attr) {
    (key, Float(value))
}

pub(super) fn entries() -> Vec<Entry> {
    let plain = SHAPES.map(|(name, bound)| Call(name, vec![Floats(&[3, 5], -bound, bound)], vec![]));
    let axes = ["glu", "softmin"].map(|name| Call(name, vec![f(&[2, 4, 3])], vec![("axis", Int(1))]));
    [plain.into(), axes.into(), with_numbers(), distances(), dropouts()].concat()
}

fn with_numbers() -> Vec<Entry> {
    let training = || ("training", Bool(true));
    vec![
        Call("hardtanh", vec![f(&[9])], vec![number("min_val", -0.5), number("max_val", 1.5)]),
        Call("threshold", vec![f(&[9])], vec![number("threshold", 0.3), number("value", 7.0)]),
        Call("leaky_relu", vec![f(&[9])], vec![number("negative_slope", 0.3)]),
        Call("prelu", vec![f(&[2, 3, 2]), Floats(&[3], 0.1, 0.5)], vec![]),
        Call("prelu", vec![f(&[5]), Floats(&[1], 0.1, 0.5)], vec![]),
        Call("rrelu", vec![f(&[9])], vec![training()]),
        Call("elu", vec![f(&[9])], vec![number("alpha", 1.7)]),
        Call("celu", vec![f(&[9])], vec![number("alpha", 0.6)]),
        Call("softplus", vec![f(&[9])], vec![number("beta", 2.5), number("threshold", 3.0)]),
        Call("softshrink", vec![f(&[9])], vec![number("lambd", 0.8)]),
        Call("hardshrink", vec![f(&[9])], vec![number("lambd", 0.8)]),
    ]
}

fn distances() -> Vec<Entry> {
    let (x, y) = (|| f(&[3, 4]), || f(&[1, 4]));
    let mut entries = vec![
        Call("cosine_similarity", vec![x(), y()], vec![]),
        Call("cosine_similarity", vec![f(&[3, 4, 2]), f(&[3, 4, 2])], vec![("axis", Int(-1)), number("eps", 0.7)]),
        Call("normalize", vec![f(&[2, 3, 2])], vec![("axis", List(vec![0, 2]))]),
        // Shorter than eps, so that the divisor is a number.
        Call("normalize", vec![Floats(&[3, 4], -0.1, 0.1)], vec![number("eps", 2.0)]),
    ];
    for p in [0.0, 1.0, 1.5, 2.0, 3.0, f64::INFINITY] {
        entries.push(Call("normalize", vec![x()], vec![number("p", p)]));
        entries.push(Call("pairwise_distance", vec![x(), y()], vec![number("p", p), ("keepdims", Bool(true))]));
    }
    entries
}

fn dropouts() -> Vec<Entry> {
    let training = || ("training", Bool(true));
    let mut entries = vec![];
    for p in [0.4, 1.0] {
        entries.push(Call("dropout", vec![f(&[3, 7])], vec![number("p", p)]));
        entries.push(Call("channel_dropout", vec![f(&[2, 5, 3])], vec![number("p", p), training()]));
        entries.push(Call("alpha_dropout", vec![f(&[3, 7])], vec![number("p", p), training()]));
        let leading = ("leading", Int(2));
        entries.push(Call("alpha_dropout", vec![f(&[2, 5, 3])], vec![number("p", p), training(), leading]));
    }
    entries
}
