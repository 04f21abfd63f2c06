//! Rows of what works on sequences: recurrent layers, attention, bags of embeddings; formulas live in `composite`.

use super::Row;
use crate::error::Result;
use crate::ir::node::Edge;
use crate::tensor::args::Call;
use crate::tensor::composite::attention::{Attention, attention};
use crate::tensor::composite::recurrent::{Cell, Weights, layer, step};
use crate::tensor::composite::{bag, position};

pub(super) const ROWS: &[Row] = &[
    ("scaled_dot_product_attention", |c| {
        let options = Attention {
            mask: c.maybe_edge(3)?,
            dropout: c.float("dropout_p", 0.0)?,
            causal: c.flag("is_causal", false)?,
            scale: c.maybe_float("scale")?,
            weights: c.flag("need_weights", false)?,
            grouped: c.flag("enable_gqa", false)?,
        };
        attention(&c.edge(0)?, &c.edge(1)?, &c.edge(2)?, &options)
    }),
    ("recurrent_layer", |c| {
        let (cell, states, weights) = recurrent(c)?;
        let seen = c.maybe_edge(6 + cell.states())?;
        layer(cell, &c.edge(0)?, &states, &weights, seen.as_ref(), c.flag("reverse", false)?)
    }),
    ("recurrent_cell", |c| {
        let (cell, states, weights) = recurrent(c)?;
        step(cell, &c.edge(0)?, &states, &weights)
    }),
    ("rotary", |c| Ok(vec![position::rotary(c)?])),
    ("sinusoidal_positions", |c| Ok(vec![position::sinusoids(c)?])),
    ("embedding_bag", |c| Ok(vec![bag::embedding_bag(c)?])),
];

/// Arguments: input, two weights, two biases, states, projection.
fn recurrent(c: &Call<'_>) -> Result<(Cell, Vec<Edge>, Weights)> {
    let cell = Cell::parse(c.name, &c.text("cell", "tanh")?)?;
    let states = (0..cell.states()).map(|i| c.edge(5 + i)).collect::<Result<Vec<_>>>()?;
    let weights = Weights {
        input: c.edge(1)?,
        hidden: c.edge(2)?,
        input_bias: c.maybe_edge(3)?,
        hidden_bias: c.maybe_edge(4)?,
        projection: c.maybe_edge(5 + cell.states())?,
    };
    Ok((cell, states, weights))
}
