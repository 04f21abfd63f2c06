//! Rows of the functions with a structure: windows, grids, sequences, attention.

use super::Entry::{self, Call};
use super::Given::{self, Floats};
use trainsmith_core::tensor::args::Attr::{self, Bool, Int, Ints as List, Str};

fn f(shape: &'static [usize]) -> Given {
    Floats(shape, -2.0, 2.0)
}

fn list(key: &'static str, sizes: &[i64]) -> (&'static str, Attr) {
    (key, List(sizes.to_vec()))
}

pub(super) fn entries() -> Vec<Entry> {
    pools()
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
