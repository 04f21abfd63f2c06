//! Random training programs: each word adds an op on values of one shape, so that a failing program shrinks.

use super::net::{call, with};
use trainsmith_core::Result;
use trainsmith_core::dtype::DType;
use trainsmith_core::tensor::args::Attr;
use trainsmith_core::tensor::{Tensor, mode};

/// Shapes of the parameters that programs use: weights, a bias, a gate over the whole batch, a scale.
pub(crate) const SHAPES: [&[usize]; 5] = [&[3, 3], &[3, 3], &[3], &[4, 3], &[]];

/// A batch of activations.
pub(crate) const BATCH: [usize; 2] = [4, 3];

/// Random choices, cut from one word.
struct Choice(u64);

impl Choice {
    fn below(&mut self, n: usize) -> usize {
        let picked = self.0 % n as u64;
        self.0 = (self.0 / n as u64).rotate_left(17).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        picked as usize
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

const SMOOTH: [&str; 9] = ["tanh", "sigmoid", "sin", "cos", "erf", "gelu", "silu", "asinh", "atan"];
const CORNERED: [&str; 3] = ["relu", "abs", "negative"];
const PAIRS: [&str; 5] = ["add", "subtract", "maximum", "minimum", "atan2"];
const FOLDS: [&str; 5] = ["sum", "mean", "max", "min", "logsumexp"];

/// The loss of the program that the words describe. All values have the shape of the batch and stay of size one.
pub(crate) fn loss(words: &[u64], params: &[Tensor], x: &Tensor, y: &Tensor) -> Result<Tensor> {
    let mut values = vec![x.clone(), params[3].clone()];
    for &word in words {
        let made = step(&mut Choice(word), params, &values)?;
        values.push(made);
    }
    let (last, other) = (&values[values.len() - 1], &values[words.len() / 2]);
    let loss = call("mse_loss", &[last, y], &[])?;
    let product = call("multiply", &[other, &params[3]], &[])?;
    let penalty = call("mean", &[&call("square", &[&product], &[])?], &[])?;
    call("add", &[&loss, &with("multiply", &penalty, 0.1)?], &[])
}

fn step(choice: &mut Choice, params: &[Tensor], values: &[Tensor]) -> Result<Tensor> {
    let kind = choice.below(14);
    // Mostly the newest value, so that programs grow deep.
    let newest = &values[values.len() - 1];
    let (a, b) =
        if choice.below(3) > 0 { (newest.clone(), choice.of(values)) } else { (choice.of(values), newest.clone()) };
    let (a, b) = (&a, &b);
    let axis = ("axis", Attr::Int(choice.below(2) as i64));
    let weight = &params[choice.below(2)];
    let bounded = |x: &Tensor| call("tanh", &[x], &[]);
    match kind {
        0 => call(choice.of(&SMOOTH), &[a], &[]),
        1 => call(choice.of(&CORNERED), &[a], &[]),
        2 => bounded(&call(choice.of(&PAIRS), &[a, b], &[])?),
        3 => bounded(&call("linear", &[a, weight, &params[2]], &[])?),
        4 => call("add", &[&with("multiply", &call("matmul", &[a, weight], &[])?, 0.3)?, &params[2]], &[]),
        5 => call("multiply", &[a, &choice.of(&[b.clone(), params[3].clone(), params[4].clone()])], &[]),
        // Scaled, so that it is no second way to what a fold of kind 8 gives: those would tie but for rounding.
        6 => bounded(&with("multiply", &call(choice.of(&["softmax", "log_softmax"]), &[a], &[axis])?, 0.7)?),
        7 => {
            let normalised = ("normalized_shape", Attr::Int(3));
            bounded(&call("layer_norm", &[a, &params[2]], &[normalised, ("eps", Attr::Float(0.1))])?)
        }
        8 => {
            let folded = call(choice.of(&FOLDS), &[a], &[axis, ("keepdims", Attr::Bool(true))])?;
            bounded(&call("subtract", &[b, &folded], &[])?)
        }
        9 => bounded(&call(choice.of(&["cumulative_sum", "cumulative_prod"]), &[a], &[axis])?),
        10 => {
            let index = Tensor::from_i64(&[2, 0, 2], [3])?;
            let flipped = call("flip", &[a], &[axis])?;
            call("concat", &[&call("take", &[&flipped, &index], &[("axis", Attr::Int(0))])?, &last_row(b)?], &[])
        }
        11 => call("where", &[&call("less", &[a, b], &[])?, a, &params[3]], &[]),
        12 => {
            let narrow = |dtype| ("dtype", Attr::DType(dtype));
            let dtype = a.meta().dtype;
            let wide = if dtype == DType::F64 { DType::F64 } else { DType::F32 };
            call("astype", &[&call("astype", &[a], &[narrow(wide)])?], &[narrow(dtype)])
        }
        _ => {
            let still = mode::with_grad(false, || call("square", &[a], &[]))?;
            call("add", &[&with("multiply", &still.detach()?, 0.5)?, b], &[])
        }
    }
}

fn last_row(x: &Tensor) -> Result<Tensor> {
    let ints = |i: [i64; 2]| Attr::Ints(i.to_vec());
    call("slice", &[x], &[("starts", ints([3, 0])), ("sizes", ints([1, 3])), ("steps", ints([1, 1]))])
}
