//! Rows of the functions beside the neural ones.

use super::Entry::{self, Call, Left};
use super::Given::{Bools, Floats, Ints, Number};
use trainsmith_core::dtype::DType;
use trainsmith_core::tensor::args::Attr::{Bool, DType as Type, Float, Int, Ints as List, Str};

/// Functions of one tensor, with a range away from their kinks and poles.
const UNARY: [(&str, f64, f64); 34] = [
    ("negative", -2.0, 2.0),
    ("abs", 0.1, 2.0),
    ("abs", -2.0, -0.1),
    ("sign", 0.1, 2.0),
    ("floor", 1.1, 1.9),
    ("ceil", 1.1, 1.9),
    ("round", 0.6, 1.4),
    ("trunc", 1.1, 1.9),
    ("reciprocal", 0.3, 2.0),
    ("exp", -2.0, 2.0),
    ("expm1", -2.0, 2.0),
    ("log", 0.3, 2.0),
    ("log1p", -0.7, 2.0),
    ("log2", 0.3, 2.0),
    ("log10", 0.3, 2.0),
    ("sqrt", 0.3, 2.0),
    ("sin", -2.0, 2.0),
    ("cos", -2.0, 2.0),
    ("tan", -1.2, 1.2),
    ("asin", -0.9, 0.9),
    ("acos", -0.9, 0.9),
    ("atan", -2.0, 2.0),
    ("sinh", -2.0, 2.0),
    ("cosh", -2.0, 2.0),
    ("tanh", -2.0, 2.0),
    ("asinh", -2.0, 2.0),
    ("acosh", 1.2, 3.0),
    ("atanh", -0.8, 0.8),
    ("sigmoid", -3.0, 3.0),
    ("erf", -2.0, 2.0),
    ("square", -2.0, 2.0),
    ("positive", -2.0, 2.0),
    ("logsumexp", -2.0, 2.0),
    ("matrix_transpose", -2.0, 2.0),
];

/// Lower and upper bound.
type Range = (f64, f64);

/// Functions of two tensors, with the ranges of both.
const BINARY: [(&str, Range, Range); 11] = [
    ("add", (-2.0, 2.0), (-2.0, 2.0)),
    ("subtract", (-2.0, 2.0), (-2.0, 2.0)),
    ("multiply", (-2.0, 2.0), (-2.0, 2.0)),
    ("divide", (-2.0, 2.0), (0.5, 2.0)),
    ("pow", (0.3, 2.0), (-2.0, 2.0)),
    ("maximum", (-2.0, 2.0), (-2.0, 2.0)),
    ("minimum", (-2.0, 2.0), (-2.0, 2.0)),
    ("remainder", (0.1, 0.4), (0.5, 0.9)),
    ("remainder", (-0.4, -0.1), (0.5, 0.9)),
    ("atan2", (0.2, 2.0), (-2.0, 2.0)),
    ("copysign", (-2.0, -0.2), (0.2, 2.0)),
];

pub(super) fn entries() -> Vec<Entry> {
    let mut entries = left();
    for (name, low, high) in UNARY {
        entries.push(Call(name, vec![Floats(&[3, 4], low, high)], vec![]));
    }
    for (name, (a, b), (c, d)) in BINARY {
        entries.push(Call(name, vec![Floats(&[3, 4], a, b), Floats(&[3, 4], c, d)], vec![]));
        entries.push(Call(name, vec![Floats(&[3, 1], a, b), Floats(&[2, 1, 4], c, d)], vec![]));
        entries.push(Call(name, vec![Floats(&[5], a, b), Number(d)], vec![]));
        entries.push(Call(name, vec![Number(b), Floats(&[5], c, d)], vec![]));
    }
    entries.extend(powers_and_choices());
    entries.extend(folds());
    entries.extend(moves());
    entries.extend(products());
    entries.extend(matrices());
    entries
}

fn left() -> Vec<Entry> {
    vec![
        Left("made from numbers", &["full", "arange", "scalar"]),
        Left("random numbers", &["rand", "randn", "randint"]),
        Left("a result of integers", &["argmax", "argmin", "argsort", "searchsorted"]),
        Left("refused, as every_op's rows show", &["qr", "svd", "eigh"]),
        Left("a result of bools", &["isnan", "isinf", "isfinite", "any", "all"]),
        Left("a result of bools", &["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"]),
        Left("a result of bools", &["logical_not", "logical_and", "logical_or", "logical_xor"]),
        Left("bits of integers", &["bitwise_invert", "bitwise_and", "bitwise_or", "bitwise_xor"]),
        Left("bits of integers", &["bitwise_left_shift", "bitwise_right_shift"]),
        Left("refused, which has a test of its own", &["floor_divide", "nextafter"]),
    ]
}

/// Whole powers of negative numbers, choices, bounds.
fn powers_and_choices() -> Vec<Entry> {
    let x = Floats(&[5], -2.0, -0.3);
    let mut entries: Vec<Entry> =
        [-2.0, 0.0, 1.0, 2.0, 3.0].map(|power| Call("pow", vec![x.clone(), Number(power)], vec![])).into();
    let condition = Bools(&[3, 1], &[1, 0, 1]);
    let wide = Floats(&[3, 4], -2.0, 2.0);
    entries.extend([
        Call("where", vec![condition.clone(), wide.clone(), wide.clone()], vec![]),
        Call("where", vec![condition, Floats(&[4], -2.0, 2.0), Number(0.5)], vec![]),
        Call("clip", vec![wide.clone(), Number(-0.9), Number(1.1)], vec![]),
        Call("clip", vec![wide, Floats(&[4], -1.0, -0.5), Floats(&[3, 1], 0.5, 1.0)], vec![]),
    ]);
    entries
}

fn folds() -> Vec<Entry> {
    let x = Floats(&[2, 3, 4], -2.0, 2.0);
    let mut entries = vec![];
    for name in ["sum", "prod", "max", "min", "mean", "var", "std", "logsumexp"] {
        entries.push(Call(name, vec![x.clone()], vec![]));
        entries.push(Call(name, vec![x.clone()], vec![("axis", Int(-2)), ("keepdims", Bool(true))]));
        entries.push(Call(name, vec![x.clone()], vec![("axis", List(vec![0, 2]))]));
    }
    for name in ["var", "std"] {
        entries.push(Call(name, vec![x.clone()], vec![("axis", Int(2)), ("correction", Float(1.0))]));
    }
    for name in ["cumulative_sum", "cumulative_prod"] {
        entries.push(Call(name, vec![x.clone()], vec![("axis", Int(1))]));
        entries.push(Call(name, vec![x.clone()], vec![("axis", Int(-1)), ("include_initial", Bool(true))]));
    }
    entries
}

fn moves() -> Vec<Entry> {
    let x = || Floats(&[2, 3, 4], -2.0, 2.0);
    let index = || Ints(&[2, 3], &[0, -1, 2, 2, 0, 2]);
    vec![
        Call("reshape", vec![x()], vec![("shape", List(vec![4, -1]))]),
        Call("permute_dims", vec![x()], vec![("axes", List(vec![2, 0, 1]))]),
        Call("expand_dims", vec![x()], vec![("axis", Int(1))]),
        Call("squeeze", vec![Floats(&[3, 1], -2.0, 2.0)], vec![("axis", Int(1))]),
        Call("broadcast_to", vec![Floats(&[3, 1], -2.0, 2.0)], vec![("shape", List(vec![2, 3, 4]))]),
        Call("flip", vec![x()], vec![("axis", List(vec![0, 2]))]),
        Call("astype", vec![x()], vec![("dtype", Type(DType::F64))]),
        Call(
            "slice",
            vec![x()],
            vec![("starts", List(vec![0, 2, 3])), ("sizes", List(vec![2, 2, 2])), ("steps", List(vec![1, -2, -1]))],
        ),
        Call(
            "pad",
            vec![x()],
            vec![
                ("low", List(vec![1, 0, 2])),
                ("high", List(vec![0, 1, 0])),
                ("interior", List(vec![2, 0, 1])),
                ("value", Float(0.7)),
            ],
        ),
        Call("concat", vec![x(), Floats(&[2, 1, 4], -2.0, 2.0), x()], vec![("axis", Int(1))]),
        Call("concat", vec![x(), Floats(&[3], -2.0, 2.0)], vec![("flatten", Bool(true))]),
        Call("take", vec![x(), index()], vec![("axis", Int(1))]),
        Call("take_along_axis", vec![Floats(&[2, 3], -2.0, 2.0), index()], vec![("axis", Int(1))]),
        Call("take_along_axis", vec![x(), Ints(&[2, 1, 4], &[2, 0, 1, -1, 0, 0, 2, 1])], vec![("axis", Int(1))]),
        Call("put", vec![x(), Ints(&[4], &[5, 0, -1, 11]), Floats(&[4], -2.0, 2.0)], vec![]),
        Call("put", vec![x(), Ints(&[2, 2], &[5, 0, -1, 11]), Floats(&[2], -2.0, 2.0)], vec![]),
    ]
}

fn products() -> Vec<Entry> {
    let f = |shape| Floats(shape, -2.0, 2.0);
    vec![
        Call("matmul", vec![f(&[3, 4]), f(&[4, 2])], vec![]),
        Call("matmul", vec![f(&[4]), f(&[4])], vec![]),
        Call("matmul", vec![f(&[4]), f(&[2, 4, 3])], vec![]),
        Call("matmul", vec![f(&[2, 3, 4]), f(&[4])], vec![]),
        Call("matmul", vec![f(&[2, 3, 4]), f(&[4, 2])], vec![]),
        Call("matmul", vec![f(&[2, 1, 3, 4]), f(&[3, 4, 2])], vec![]),
        Call("linear", vec![f(&[5, 4]), f(&[3, 4]), f(&[3])], vec![]),
        Call("linear", vec![f(&[2, 2, 4]), f(&[3, 4])], vec![]),
    ]
}

/// Sums named by letters, orders, and functions of matrices.
fn matrices() -> Vec<Entry> {
    let f = |shape| Floats(shape, -2.0, 2.0);
    let named = |equation: &str| vec![("equation", Str(equation.to_owned()))];
    let mut entries = vec![
        Call("sort", vec![f(&[3, 5])], vec![("axis", Int(0))]),
        Call("sort", vec![f(&[3, 5])], vec![("descending", Bool(true))]),
        Call("topk", vec![f(&[3, 5])], vec![("k", Int(2)), ("axis", Int(1)), ("largest", Bool(false))]),
        Call("einsum", vec![f(&[2, 3, 4]), f(&[2, 4, 2])], named("bij,bjk->bik")),
        Call("einsum", vec![f(&[3, 3])], named("ii")),
        Call("einsum", vec![f(&[3, 3, 2])], named("iij->ji")),
        Call("einsum", vec![f(&[3]), f(&[4])], named("i,j->ji")),
        Call("einsum", vec![f(&[3]), f(&[3, 4]), f(&[4])], named("i, ij, j")),
        Call("einsum", vec![f(&[1, 2]), f(&[3, 2])], named("ab,ab->a")),
    ];
    for shape in [&[1, 1][..], &[3, 3], &[2, 3, 3]] {
        for name in ["inv", "det", "slogdet"] {
            entries.push(Call(name, vec![f(shape)], vec![]));
        }
    }
    entries.extend([
        Call("cholesky", vec![Floats(&[2, 1, 1], 0.5, 2.0)], vec![]),
        Call("solve", vec![f(&[3, 3]), f(&[3])], vec![]),
        Call("solve", vec![f(&[2, 3, 3]), f(&[3, 2])], vec![]),
        Call("solve", vec![f(&[3, 3]), f(&[2, 3, 1])], vec![]),
    ]);
    entries
}
