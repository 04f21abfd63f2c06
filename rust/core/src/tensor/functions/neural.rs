//! Rows of the neural functions; their formulas live in `composite`.

use super::Row;
use crate::tensor::composite::{convolution, lookup, normalisation};

pub(super) const ROWS: &[Row] = &[
    ("embedding", |c| Ok(vec![lookup::embedding(&c.edge(0)?, &c.edge(1)?, c.maybe_int("padding_idx")?)?])),
    ("one_hot", |c| Ok(vec![lookup::one_hot(&c.edge(0)?, c.int("num_classes", 0)?)?])),
    ("layer_norm", |c| {
        let x = c.edge(0)?;
        let shape = c.shape("normalized_shape")?;
        let (weight, bias) = (c.maybe_edge(1)?, c.maybe_edge(2)?);
        Ok(vec![normalisation::layer_norm(&x, &shape, weight.as_ref(), bias.as_ref(), c.float("eps", 1e-5)?)?])
    }),
    ("batch_norm", |c| {
        let given = normalisation::Statistics { mean: c.maybe_edge(1)?, variance: c.maybe_edge(2)? };
        let scale = normalisation::Affine { weight: c.maybe_edge(3)?, bias: c.maybe_edge(4)? };
        let (training, momentum) = (c.flag("training", false)?, c.float("momentum", 0.1)?);
        normalisation::batch_norm(&c.edge(0)?, &given, &scale, training, momentum, c.float("eps", 1e-5)?)
    }),
    ("rms_norm", |c| {
        let shape = c.shape("normalized_shape")?;
        Ok(vec![normalisation::rms_norm(&c.edge(0)?, &shape, c.maybe_edge(1)?.as_ref(), c.maybe_float("eps")?)?])
    }),
    ("group_norm", |c| {
        let affine = normalisation::Affine { weight: c.maybe_edge(1)?, bias: c.maybe_edge(2)? };
        let groups = usize::try_from(c.int("num_groups", 1)?).unwrap_or(0);
        Ok(vec![normalisation::group_norm(&c.edge(0)?, groups, &affine, c.float("eps", 1e-5)?)?])
    }),
    ("instance_norm", |c| {
        let given = normalisation::Statistics { mean: c.maybe_edge(1)?, variance: c.maybe_edge(2)? };
        let scale = normalisation::Affine { weight: c.maybe_edge(3)?, bias: c.maybe_edge(4)? };
        let (own, momentum) = (c.flag("use_input_stats", true)?, c.float("momentum", 0.1)?);
        normalisation::instance_norm(&c.edge(0)?, &given, &scale, own, momentum, c.float("eps", 1e-5)?)
    }),
    ("conv", |c| Ok(vec![convolution::conv(c)?])),
];
