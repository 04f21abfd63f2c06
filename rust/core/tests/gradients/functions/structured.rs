//! Rows of the functions with a structure: windows, grids, sequences, attention.

use super::Entry::{self, Call, Left};
use super::Given::{self, Bools, Floats, Ints, Nothing};
use trainsmith_core::tensor::args::Attr::{self, Bool, Float, Int, Ints as List, Str};

fn f(shape: &'static [usize]) -> Given {
    Floats(shape, -2.0, 2.0)
}

fn list(key: &'static str, sizes: &[i64]) -> (&'static str, Attr) {
    (key, List(sizes.to_vec()))
}

pub(super) fn entries() -> Vec<Entry> {
    [pools(), grids(), norms(), bags(), recurrent(), attention()].concat()
}

fn pools() -> Vec<Entry> {
    let window = || vec![list("kernel_size", &[3, 2]), list("stride", &[2, 1]), list("padding", &[1, 0])];
    let with = |more: Vec<(&'static str, Attr)>| [window(), more].concat();
    vec![
        Call("max_pool", vec![f(&[2, 2, 8])], vec![list("kernel_size", &[2])]),
        Call("max_pool", vec![f(&[2, 5, 4])], with(vec![list("dilation", &[2, 1]), ("ceil_mode", Bool(true))])),
        Call("max_pool", vec![f(&[2, 5, 4])], with(vec![("return_indices", Bool(true))])),
        Call("avg_pool", vec![f(&[2, 5, 4])], window()),
        Call("avg_pool", vec![f(&[2, 5, 4])], with(vec![("count_include_pad", Bool(false))])),
        Call("avg_pool", vec![f(&[1, 3, 3, 4])], vec![list("kernel_size", &[2, 3, 1]), ("divisor_override", Int(5))]),
        Call("adaptive_pool", vec![f(&[2, 5, 4])], vec![list("output_size", &[3, 2])]),
        Call("adaptive_pool", vec![f(&[2, 5, 4])], vec![list("output_size", &[3, 2]), ("kind", Str("max".into()))]),
    ]
}

fn grids() -> Vec<Entry> {
    let sized = |mode: &str, more: Vec<(&'static str, Attr)>| {
        let given = vec![list("size", &[5, 2]), ("mode", Str(mode.into()))];
        Call("interpolate", vec![f(&[2, 1, 3, 4])], [given, more].concat())
    };
    vec![
        Call("conv_transpose", vec![f(&[2, 3, 4]), f(&[3, 2, 3]), f(&[2])], vec![]),
        Call(
            "conv_transpose",
            vec![f(&[1, 4, 3, 3]), f(&[4, 1, 3, 2]), f(&[2])],
            vec![
                list("stride", &[2, 3]),
                list("padding", &[1, 0]),
                list("output_padding", &[1, 0]),
                list("dilation", &[1, 2]),
                ("groups", Int(2)),
            ],
        ),
        sized("nearest", vec![]),
        sized("nearest-exact", vec![]),
        sized("linear", vec![]),
        sized("linear", vec![("align_corners", Bool(true))]),
        sized("cubic", vec![("scale0", Float(1.8))]),
    ]
}

fn norms() -> Vec<Entry> {
    let affine = || vec![f(&[4]), f(&[4])];
    let running = || vec![f(&[4]), Floats(&[4], 0.2, 0.9)];
    vec![
        Call("rms_norm", vec![f(&[3, 4]), f(&[4])], vec![("normalized_shape", Int(4))]),
        Call("rms_norm", vec![f(&[2, 3, 4])], vec![list("normalized_shape", &[3, 4]), ("eps", Float(0.1))]),
        Call("group_norm", [vec![f(&[2, 4, 3])], affine()].concat(), vec![("num_groups", Int(2))]),
        Call("instance_norm", [vec![f(&[2, 4, 3])], running(), affine()].concat(), vec![("momentum", Float(0.3))]),
        Call("instance_norm", vec![f(&[2, 4, 3])], vec![]),
        Call("instance_norm", [vec![f(&[2, 4, 3])], running()].concat(), vec![("use_input_stats", Bool(false))]),
    ]
}

fn bags() -> Vec<Entry> {
    let mode = |name: &str| ("mode", Str(name.into()));
    let flat = || Ints(&[5], &[0, 3, 3, 1, 0]);
    let offsets = || Ints(&[4], &[0, 2, 2, 4]);
    let mut entries = vec![Call(
        "embedding_bag",
        vec![flat(), f(&[4, 3]), offsets(), Floats(&[5], -1.0, 1.0)],
        vec![mode("sum"), ("padding_idx", Int(1))],
    )];
    for name in ["sum", "mean", "max"] {
        entries.push(Call("embedding_bag", vec![flat(), f(&[4, 3]), offsets()], vec![mode(name)]));
        let square = Ints(&[2, 3], &[0, 3, 3, 1, 0, 2]);
        entries.push(Call("embedding_bag", vec![square, f(&[4, 3])], vec![mode(name), ("padding_idx", Int(-1))]));
    }
    entries
}

fn recurrent() -> Vec<Entry> {
    let cells: [(&str, Vec<Given>); 4] = [
        ("tanh", vec![f(&[2, 3]), f(&[2, 2]), f(&[2]), f(&[2]), f(&[3, 2])]),
        ("relu", vec![f(&[2, 3]), f(&[2, 2]), Nothing, Nothing, f(&[3, 2])]),
        ("gru", vec![f(&[6, 3]), f(&[6, 2]), f(&[6]), f(&[6]), f(&[3, 2])]),
        ("lstm", vec![f(&[8, 3]), f(&[8, 2]), f(&[8]), f(&[8]), f(&[3, 2]), f(&[3, 2])]),
    ];
    let mut entries = vec![];
    for (cell, given) in cells {
        let cell = ("cell", Str(cell.into()));
        entries.push(Call("recurrent_cell", [vec![f(&[3, 3])], given.clone()].concat(), vec![cell.clone()]));
        for reverse in [false, true] {
            let attrs = vec![cell.clone(), ("reverse", Bool(reverse))];
            entries.push(Call("recurrent_layer", [vec![f(&[4, 3, 3])], given.clone()].concat(), attrs));
        }
    }
    entries
}

fn attention() -> Vec<Entry> {
    const NAME: &str = "scaled_dot_product_attention";
    let given = || vec![f(&[2, 3, 4]), f(&[2, 5, 4]), f(&[2, 5, 2])];
    let open = Bools(&[3, 5], &[1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
    vec![
        Call(NAME, given(), vec![("need_weights", Bool(true))]),
        Call(NAME, given(), vec![("is_causal", Bool(true)), ("scale", Float(0.3))]),
        Call(NAME, [given(), vec![open]].concat(), vec![]),
        Call(NAME, [given(), vec![f(&[2, 1, 5])]].concat(), vec![("dropout_p", Float(0.2))]),
        Call("rotary", vec![f(&[2, 3, 4])], vec![]),
        Call("rotary", vec![f(&[2, 3, 4]), Ints(&[3], &[5, 0, 2])], vec![("interleaved", Bool(true))]),
        Left("no input", &["sinusoidal_positions"]),
        Call(NAME, vec![f(&[4, 3, 2]), f(&[2, 5, 2]), f(&[2, 5, 3])], vec![("enable_gqa", Bool(true))]),
    ]
}
