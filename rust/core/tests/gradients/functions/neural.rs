//! Rows of the neural functions.

use super::Entry::{self, Call, Left};
use super::Given::{self, Floats, Ints, Nothing};
use trainsmith_core::tensor::args::Attr::{Bool, Float, Int, Ints as List, Str};

fn f(shape: &'static [usize]) -> Given {
    Floats(shape, -2.0, 2.0)
}

/// Variances, weights, probabilities.
fn positive(shape: &'static [usize]) -> Given {
    Floats(shape, 0.2, 0.9)
}

pub(super) fn entries() -> Vec<Entry> {
    let mut entries = vec![
        Left("a result of integers", &["one_hot"]),
        Call("gelu", vec![f(&[9])], vec![("approximate", Str("tanh".into()))]),
        Call("softmax", vec![f(&[3, 4])], vec![]),
        Call("softmax", vec![f(&[2, 3, 4])], vec![("axis", Int(1))]),
        Call("log_softmax", vec![f(&[3, 4])], vec![]),
        Call("log_softmax", vec![f(&[2, 3, 4])], vec![("axis", Int(0))]),
        Call("dropout", vec![f(&[3, 7])], vec![("training", Bool(false))]),
        Call("embedding", vec![Ints(&[2, 3], &[0, 4, 4, 1, 0, 4]), f(&[5, 3])], vec![]),
        Call("layer_norm", vec![f(&[3, 4]), f(&[4]), f(&[4])], vec![("normalized_shape", Int(4))]),
        Call("layer_norm", vec![f(&[2, 3, 4])], vec![("normalized_shape", List(vec![3, 4])), ("eps", Float(0.1))]),
    ];
    entries.extend(batch_norms());
    entries.extend(convolutions());
    entries
}

/// In training statistics come from the input, and the new running ones are results too.
fn batch_norms() -> Vec<Entry> {
    let (x, channels) = (|| f(&[4, 3, 2]), || f(&[3]));
    let affine = || vec![channels(), positive(&[3]), channels(), channels()];
    let training = || ("training", Bool(true));
    vec![
        Call("batch_norm", [vec![x()], affine()].concat(), vec![]),
        Call("batch_norm", [vec![x()], affine()].concat(), vec![training(), ("momentum", Float(0.3))]),
        Call("batch_norm", vec![f(&[5, 3])], vec![training()]),
        Call("batch_norm", vec![x(), Nothing, Nothing, channels(), channels()], vec![training()]),
    ]
}

fn convolutions() -> Vec<Entry> {
    let list = |key, sizes: &[i64]| (key, List(sizes.to_vec()));
    vec![
        Call("conv", vec![f(&[2, 3, 9]), f(&[4, 3, 3]), f(&[4])], vec![]),
        Call("conv", vec![f(&[3, 9]), f(&[4, 3, 3])], vec![("stride", Int(2)), ("padding", Int(1))]),
        Call(
            "conv",
            vec![f(&[2, 4, 7, 6]), f(&[6, 2, 3, 2]), f(&[6])],
            vec![list("stride", &[2, 1]), list("padding", &[0, 2]), list("dilation", &[1, 3]), ("groups", Int(2))],
        ),
        Call("conv", vec![f(&[1, 3, 5, 5]), f(&[3, 1, 2, 2])], vec![("groups", Int(3)), ("stride", Int(3))]),
        Call("conv", vec![f(&[1, 2, 3, 4, 3]), f(&[2, 2, 2, 2, 2])], vec![("padding", Int(1))]),
    ]
}
