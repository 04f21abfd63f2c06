//! AdamW whose running means are kept in eight bits. Source: Dettmers et al. 2022, "8-bit optimizers via block-wise quantization".

use super::code8bit::{Code, SIGNED, UNSIGNED};
use super::pieces::{AddDecay, ScaleByAdam, ScaleByRate, gradient};
use super::{Kind, fractions, not_negative};
use crate::buffer::Meta;
use crate::dtype::DType;
use crate::error::Result;
use crate::ir::node::Edge;
use crate::train::transform::{Chain, Moment, Options, Site, Slot, Transform};

pub(super) const KIND: Kind = Kind { name: "AdamW8bit", defaults, validate, chain };

fn defaults() -> Options {
    let numbers = [
        ("lr", 1e-3),
        ("beta1", 0.9),
        ("beta2", 0.999),
        ("eps", 1e-8),
        ("weight_decay", 1e-2),
        ("min_8bit_size", 4096.0),
    ];
    Options::new(&numbers, &[("maximize", false)])
}

fn validate(options: &Options) -> Result<()> {
    not_negative("AdamW8bit", options, &["lr", "eps", "weight_decay", "min_8bit_size"])?;
    fractions("AdamW8bit", options, &["beta1", "beta2"])
}

fn chain(options: &Options) -> Chain {
    let mut chain = gradient(options);
    chain.push(Box::new(ScaleByCodedAdam { smallest: options.number("min_8bit_size") as usize }));
    chain.push(Box::new(AddDecay));
    chain.push(Box::new(ScaleByRate));
    chain
}

/// What [`ScaleByAdam`] does, on f32 values of the codes; tensors of fewer elements than `smallest` are not coded.
#[derive(Debug)]
struct ScaleByCodedAdam {
    smallest: usize,
}

const INNER: ScaleByAdam = ScaleByAdam { amsgrad: false };

impl Transform for ScaleByCodedAdam {
    fn state(&self, param: &Meta) -> Vec<Slot> {
        let single = Meta::new(param.shape.clone(), DType::F32);
        if param.shape.numel() < self.smallest {
            return INNER.state(&single);
        }
        let slot = |name, meta| Slot { name, meta, initial: 0.0 };
        vec![
            slot("exp_avg", SIGNED.codes(param)),
            slot("exp_avg_sq", UNSIGNED.codes(param)),
            slot("exp_avg_absmax", Code::largest(param)),
            slot("exp_avg_sq_absmax", Code::largest(param)),
        ]
    }
    fn numbers(&self, moment: &Moment<'_>) -> Vec<f64> {
        INNER.numbers(moment)
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        let b = site.b;
        let coded = site.state.len() == 4;
        let mut means = if coded {
            vec![SIGNED.decode(b, &site.state[0], &site.state[2])?, UNSIGNED.decode(b, &site.state[1], &site.state[3])?]
        } else {
            site.state.to_vec()
        };
        let numbers: Vec<Edge> = site.numbers.iter().map(|n| b.cast(n, DType::F32)).collect::<Result<_>>()?;
        let mut inner = Site { b, param: site.param, state: &mut means, numbers: &numbers };
        let scaled = INNER.update(&mut inner, b.cast(&update, DType::F32)?)?;
        if coded {
            (site.state[0], site.state[2]) = SIGNED.encode(b, &means[0])?;
            (site.state[1], site.state[3]) = UNSIGNED.encode(b, &means[1])?;
        } else {
            site.state.clone_from_slice(&means);
        }
        b.cast(&scaled, update.dtype())
    }
}
