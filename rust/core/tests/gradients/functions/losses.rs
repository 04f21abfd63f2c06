//! Rows of the losses.

use super::Entry::{self, Call, Left};
use super::Given::{self, Floats, Ints, Nothing};
use super::text;
use trainsmith_core::tensor::args::Attr::{self, Bool, Float, Int};

fn f(shape: &'static [usize]) -> Given {
    Floats(shape, -2.0, 2.0)
}

/// Variances, weights, probabilities.
fn positive(shape: &'static [usize]) -> Given {
    Floats(shape, 0.2, 0.9)
}

fn classes() -> Given {
    Ints(&[4], &[2, 0, 2, 1])
}

fn signs() -> Given {
    Ints(&[4], &[1, -1, -1, 1])
}

pub(super) fn entries() -> Vec<Entry> {
    let walks = "its derivative is that of normalised log-probabilities, as in torch; tests/nn/test_ctc.py checks it";
    let mut entries = vec![Left(walks, &["ctc_loss"])];
    for name in ["none", "mean", "sum"] {
        let reduction = || ("reduction", text(name));
        entries.extend(numbers(&reduction));
        entries.extend(answers(&reduction));
        entries.extend(distances(&reduction));
    }
    entries.extend(options());
    entries.extend(batches());
    entries
}

type Pair = (&'static str, Attr);

fn numbers(reduction: &dyn Fn() -> Pair) -> Vec<Entry> {
    let (x, y) = (|| f(&[4, 3]), || f(&[4, 3]));
    let mut entries = vec![];
    for name in ["mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss"] {
        entries.push(Call(name, vec![x(), y()], vec![reduction()]));
        entries.push(Call(name, vec![x(), y(), positive(&[4, 1])], vec![reduction()]));
    }
    entries.push(Call("quantile_loss", vec![x(), y(), positive(&[]), positive(&[4, 1])], vec![reduction()]));
    entries.push(Call("quantile_loss", vec![x(), f(&[4]), positive(&[3]), positive(&[4])], vec![reduction()]));
    let sorted = ("non_crossing", Bool(true));
    entries.push(Call("quantile_loss", vec![x(), f(&[4]), positive(&[3])], vec![reduction(), sorted]));
    entries.push(Call("kl_div", vec![x(), positive(&[4, 3])], vec![reduction()]));
    entries.push(Call("kl_div", vec![x(), y()], vec![reduction(), ("log_target", Bool(true))]));
    entries.push(Call("poisson_nll_loss", vec![x(), Floats(&[4, 3], 0.5, 4.0)], vec![reduction()]));
    entries.push(Call("gaussian_nll_loss", vec![x(), y(), positive(&[4])], vec![reduction()]));
    entries
}

fn answers(reduction: &dyn Fn() -> Pair) -> Vec<Entry> {
    let (x, y) = (|| f(&[4, 3]), || positive(&[4, 3]));
    let weights = || vec![positive(&[4, 1]), Floats(&[3], 1.0, 3.0)];
    let logits = "binary_cross_entropy_with_logits";
    vec![
        Call("cross_entropy", vec![x(), classes(), positive(&[3])], vec![reduction()]),
        Call("cross_entropy", vec![x(), y()], vec![reduction()]),
        Call("nll_loss", vec![x(), classes(), positive(&[3])], vec![reduction()]),
        Call(logits, vec![x(), y()], vec![reduction()]),
        Call(logits, [vec![x(), y()], weights()].concat(), vec![reduction()]),
        Call("binary_cross_entropy", vec![positive(&[4, 3]), y(), positive(&[3])], vec![reduction()]),
        Call("soft_margin_loss", vec![x(), y()], vec![reduction()]),
        Call("multilabel_soft_margin_loss", vec![x(), y(), positive(&[3])], vec![reduction()]),
        Call("focal_loss", vec![x(), y(), positive(&[]), positive(&[3])], vec![reduction()]),
        Call("focal_loss", vec![x(), classes(), positive(&[3]), positive(&[4])], vec![reduction()]),
        Call("multi_margin_loss", vec![x(), classes(), positive(&[3])], vec![reduction()]),
        Call("multilabel_margin_loss", vec![f(&[2, 3]), Ints(&[2, 3], &[2, 0, -1, 1, -1, 0])], vec![reduction()]),
    ]
}

fn distances(reduction: &dyn Fn() -> Pair) -> Vec<Entry> {
    let (x, y, z) = (|| f(&[4, 3]), || f(&[4, 3]), || f(&[4, 3]));
    let swap = || ("swap", Bool(true));
    vec![
        Call("hinge_embedding_loss", vec![f(&[4]), signs()], vec![reduction()]),
        Call("margin_ranking_loss", vec![f(&[4]), f(&[4]), signs()], vec![reduction(), ("margin", Float(0.3))]),
        Call("cosine_embedding_loss", vec![x(), y(), signs()], vec![reduction(), ("margin", Float(-0.5))]),
        Call("triplet_margin_loss", vec![x(), y(), z()], vec![reduction()]),
        Call("triplet_margin_loss", vec![x(), y(), z()], vec![reduction(), swap(), ("p", Float(1.0))]),
        Call("triplet_margin_with_distance_loss", vec![f(&[4]), f(&[4])], vec![reduction()]),
    ]
}

fn options() -> Vec<Entry> {
    let smoothing = || ("label_smoothing", Float(0.2));
    let x = || f(&[4, 3]);
    vec![
        Call("cross_entropy", vec![f(&[3]), Ints(&[], &[1])], vec![]),
        Call("cross_entropy", vec![f(&[2, 3, 2]), Ints(&[2, 2], &[2, 0, 1, 1])], vec![]),
        Call("cross_entropy", vec![x(), classes()], vec![("ignore_index", Int(2))]),
        Call("cross_entropy", vec![x(), classes(), positive(&[3])], vec![("ignore_index", Int(0)), smoothing()]),
        Call("cross_entropy", vec![x(), positive(&[4, 3]), positive(&[3])], vec![smoothing()]),
        Call("nll_loss", vec![f(&[2, 3, 2]), Ints(&[2, 2], &[2, 0, 1, 1])], vec![("ignore_index", Int(0))]),
        Call("huber_loss", vec![x(), f(&[4, 3])], vec![("delta", Float(0.4))]),
        Call("smooth_l1_loss", vec![x(), f(&[4, 3])], vec![("beta", Float(0.0))]),
        Call("kl_div", vec![x(), positive(&[4, 3])], vec![("reduction", text("batchmean"))]),
        Call("poisson_nll_loss", vec![positive(&[5]), f(&[5])], vec![("log_input", Bool(false))]),
        Call("poisson_nll_loss", vec![f(&[5]), Floats(&[5], 0.2, 4.0)], vec![("full", Bool(true))]),
        Call("gaussian_nll_loss", vec![f(&[5]), f(&[5]), positive(&[])], vec![("full", Bool(true))]),
        Call("focal_loss", vec![x(), positive(&[4, 3])], vec![("gamma", Float(0.5))]),
        Call("focal_loss", vec![x(), positive(&[4, 3])], vec![("gamma", Float(0.0))]),
        Call("focal_loss", vec![f(&[3]), Ints(&[], &[1])], vec![("gamma", Float(3.0))]),
        Call("multi_margin_loss", vec![x(), classes()], vec![("p", Int(2)), ("margin", Float(0.5))]),
    ]
}

/// Losses of whole batches.
fn batches() -> Vec<Entry> {
    vec![
        Call("correlation_loss", vec![f(&[5]), f(&[5])], vec![]),
        Call("correlation_loss", vec![f(&[5, 2]), f(&[5, 2]), positive(&[5, 1])], vec![]),
        Call("spearman_loss", vec![f(&[5]), f(&[5])], vec![("temperature", Float(0.5))]),
        Call("spearman_loss", vec![f(&[5, 2]), f(&[5, 2])], vec![("temperature", Float(1.0))]),
        Call("sharpe_loss", vec![f(&[5, 3]), f(&[5, 3])], vec![]),
        Call("routing_diversity_loss", vec![f(&[2, 3, 4])], vec![("scale", Float(0.7))]),
        Call("routing_diversity_loss", vec![f(&[3, 4]), Nothing], vec![]),
    ]
}
