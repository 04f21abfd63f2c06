//! Rows of the losses; their formulas live in `composite::loss`.

use super::Row;
use super::promote::floating;
use crate::error::Result;
use crate::ir::node::Edge;
use crate::tensor::args::Call;
use crate::tensor::composite::loss;

pub(super) const ROWS: &[Row] = &[
    ("mse_loss", |c| weighted(c, |x, y, w| loss::mse(x, y, w, &reduction(c)?))),
    ("l1_loss", |c| weighted(c, |x, y, w| loss::l1(x, y, w, &reduction(c)?))),
    ("huber_loss", |c| weighted(c, |x, y, w| loss::huber(x, y, c.float("delta", 1.0)?, w, &reduction(c)?))),
    ("smooth_l1_loss", |c| weighted(c, |x, y, w| loss::smooth_l1(x, y, c.float("beta", 1.0)?, w, &reduction(c)?))),
    ("quantile_loss", |c| {
        let (quantiles, weight) = (c.edge(2)?, c.maybe_edge(3)?);
        let (sorted, reduction) = (c.flag("non_crossing", false)?, reduction(c)?);
        two(c, |x, y| loss::quantile(x, y, &quantiles, weight.as_ref(), sorted, &reduction))
    }),
    ("cross_entropy", |c| two(c, |x, y| loss::cross_entropy(x, y, &classes(c)?))),
    ("nll_loss", |c| two(c, |x, y| loss::nll(x, y, &classes(c)?))),
    ("binary_cross_entropy", |c| weighted(c, |x, y, w| loss::bce(x, y, w, &reduction(c)?))),
    ("binary_cross_entropy_with_logits", |c| {
        let pos_weight = c.maybe_edge(3)?;
        weighted(c, |x, y, w| loss::bce_with_logits(x, y, w, pos_weight.as_ref(), &reduction(c)?))
    }),
    ("soft_margin_loss", |c| two(c, |x, y| loss::soft_margin(x, y, &reduction(c)?))),
    ("multilabel_soft_margin_loss", |c| weighted(c, |x, y, w| loss::multilabel_soft_margin(x, y, w, &reduction(c)?))),
    ("focal_loss", |c| {
        let (alpha, weight) = (c.maybe_edge(2)?, c.maybe_edge(3)?);
        let (gamma, reduction) = (c.float("gamma", 2.0)?, reduction(c)?);
        two(c, |x, y| loss::focal(x, y, gamma, alpha.as_ref(), weight.as_ref(), &reduction))
    }),
    ("kl_div", |c| two(c, |x, y| loss::kl_div(x, y, c.flag("log_target", false)?, &reduction(c)?))),
    ("poisson_nll_loss", |c| {
        let (log_input, full) = (c.flag("log_input", true)?, c.flag("full", false)?);
        let options = loss::Poisson { log_input, full, eps: c.float("eps", 1e-8)? };
        two(c, |x, y| loss::poisson_nll(x, y, options, &reduction(c)?))
    }),
    ("gaussian_nll_loss", |c| {
        let (var, full, eps) = (c.edge(2)?, c.flag("full", false)?, c.float("eps", 1e-6)?);
        two(c, |x, y| loss::gaussian_nll(x, y, &var, full, eps, &reduction(c)?))
    }),
    ("hinge_embedding_loss", |c| two(c, |x, y| loss::hinge_embedding(x, y, c.float("margin", 1.0)?, &reduction(c)?))),
    ("margin_ranking_loss", |c| {
        let target = c.edge(2)?;
        two(c, |x, y| loss::ranking(x, y, &target, c.float("margin", 0.0)?, &reduction(c)?))
    }),
    ("cosine_embedding_loss", |c| {
        let target = c.edge(2)?;
        two(c, |x, y| loss::cosine_embedding(x, y, &target, c.float("margin", 0.0)?, &reduction(c)?))
    }),
    ("triplet_margin_loss", |c| {
        let (margin, p, eps) = (c.float("margin", 1.0)?, c.float("p", 2.0)?, c.float("eps", 1e-6)?);
        let options = loss::Triplet { margin, p, eps, swap: c.flag("swap", false)? };
        let negative = floating(&c.edge(2)?)?;
        two(c, |x, y| loss::triplet(x, y, &negative, options, &reduction(c)?))
    }),
    ("triplet_margin_with_distance_loss", |c| {
        two(c, |x, y| loss::triplet_of_distances(c.name, x, y, c.float("margin", 1.0)?, &reduction(c)?))
    }),
    ("multi_margin_loss", |c| {
        weighted(c, |x, y, w| loss::multi_margin(x, y, c.int("p", 1)?, c.float("margin", 1.0)?, w, &reduction(c)?))
    }),
    ("multilabel_margin_loss", |c| two(c, |x, y| loss::multilabel_margin(x, y, &reduction(c)?))),
    ("correlation_loss", |c| weighted(c, loss::correlation)),
    ("spearman_loss", |c| two(c, |x, y| loss::spearman(x, y, c.float("temperature", 0.1)?))),
    ("sharpe_loss", |c| two(c, loss::sharpe)),
    ("routing_diversity_loss", |c| Ok(vec![loss::routing_diversity(&c.edge(0)?, c.float("scale", 1.0)?)?])),
    ("ctc_loss", |c| {
        let options = loss::Ctc {
            blank: c.int("blank", 0)?,
            zero_infinity: c.flag("zero_infinity", false)?,
            longest: c.maybe_int("longest")?.and_then(|n| usize::try_from(n).ok()),
            reduction: reduction(c)?,
        };
        Ok(vec![loss::ctc(&c.edge(0)?, &c.edge(1)?, &c.edge(2)?, &c.edge(3)?, &options)?])
    }),
];

fn two(c: &Call<'_>, loss: impl Fn(&Edge, &Edge) -> Result<Edge>) -> Result<Vec<Edge>> {
    Ok(vec![loss(&c.edge(0)?, &c.edge(1)?)?])
}

fn weighted(c: &Call<'_>, loss: impl Fn(&Edge, &Edge, Option<&Edge>) -> Result<Edge>) -> Result<Vec<Edge>> {
    Ok(vec![loss(&c.edge(0)?, &c.edge(1)?, c.maybe_edge(2)?.as_ref())?])
}

fn reduction(c: &Call<'_>) -> Result<String> {
    c.text("reduction", "mean")
}

fn classes(c: &Call<'_>) -> Result<loss::CrossEntropy> {
    Ok(loss::CrossEntropy {
        weight: c.maybe_edge(2)?,
        ignore_index: c.int("ignore_index", -100)?,
        label_smoothing: c.float("label_smoothing", 0.0)?,
        reduction: reduction(c)?,
    })
}
