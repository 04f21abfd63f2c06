//! Muon: momentum whose matrix is made nearly orthogonal.
//!
//! Source: Jordan et al. 2024, with torch's arithmetic: the iteration runs in bfloat16 with one rounding per line, whatever
//! the parameter's dtype. `adjust_lr_fn` 2 is equation 4 of Liu et al. 2025, "Muon is scalable for LLM training".

use super::pieces::{AddDecay, ScaleByRate, gradient};
use super::{Kind, not_negative, within};
use crate::buffer::Meta;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::build::Builder;
use crate::ir::node::Edge;
use crate::ir::op::{BinaryOp, ReduceOp, UnaryOp};
use crate::train::transform::{Chain, Moment, Options, Site, Slot, Transform};

pub(super) const KIND: Kind = Kind { name: "Muon", defaults, validate, chain };

fn defaults() -> Options {
    let numbers = [
        ("lr", 1e-3),
        ("weight_decay", 0.1),
        ("momentum", 0.95),
        ("ns_a", 3.4445),
        ("ns_b", -4.775),
        ("ns_c", 2.0315),
        ("eps", 1e-7),
        ("ns_steps", 5.0),
        ("adjust_lr_fn", 0.0),
    ];
    Options::new(&numbers, &[("nesterov", true), ("maximize", false)])
}

fn validate(options: &Options) -> Result<()> {
    not_negative("Muon", options, &["lr", "weight_decay", "momentum", "eps"])?;
    within("Muon", options, "ns_steps", 0.0, 100.0)
}

fn chain(options: &Options) -> Chain {
    let mut chain = gradient(options);
    chain.push(Box::new(Orthogonal { nesterov: options.flag("nesterov"), turns: options.number("ns_steps") as usize }));
    chain.push(Box::new(AddDecay));
    chain.push(Box::new(ScaleByRate));
    chain
}

/// `ratio * orthogonal(buffer)`, the buffer a running mean of the gradient.
#[derive(Debug)]
struct Orthogonal {
    nesterov: bool,
    turns: usize,
}

/// Rounded to bfloat16, in f32.
fn rounded(b: &dyn Builder, x: &Edge) -> Result<Edge> {
    b.cast(&b.cast(x, DType::BF16)?, DType::F32)
}

impl Orthogonal {
    /// `X <- a X + (b G + c G G) X`, `G = X X'`, from `X` of norm 1; the smaller side goes first.
    fn iterate(&self, site: &Site<'_>, update: &Edge) -> Result<Edge> {
        let b = site.b;
        let numbers: Vec<Edge> =
            site.numbers[2..6].iter().map(|number| b.cast(number, DType::F32)).collect::<Result<_>>()?;
        let times = |i: usize, x: &Edge| b.mul(x, &b.expand(&numbers[i], x.shape())?);
        let tall = update.shape()[0] > update.shape()[1];
        let mut x = rounded(b, update)?;
        if tall {
            x = b.transpose(&x)?;
        }
        let norm = b.unary(UnaryOp::Sqrt, &b.reduce(ReduceOp::Sum, &b.mul(&x, &x)?, &[0, 1])?)?;
        let norm = rounded(b, &b.binary(BinaryOp::Maximum, &rounded(b, &norm)?, &numbers[3])?)?;
        x = rounded(b, &b.div(&x, &b.expand(&norm, x.shape())?)?)?;
        for _ in 0..self.turns {
            let gram = rounded(b, &b.matmul(&x, &b.transpose(&x)?)?)?;
            let step = rounded(b, &b.add(&times(1, &gram)?, &times(2, &b.matmul(&gram, &gram)?)?)?)?;
            x = rounded(b, &b.add(&times(0, &x)?, &b.matmul(&step, &x)?)?)?;
        }
        if tall { b.transpose(&x) } else { Ok(x) }
    }
}

impl Transform for Orthogonal {
    fn accepts(&self, param: &Meta) -> Result<()> {
        if param.shape.len() == 2 {
            return Ok(());
        }
        let rule = "parameters of two axes; give the others to an optimizer such as AdamW";
        Err(Error::value("Muon", rule, format!("one of shape {}", param.shape)))
    }
    fn state(&self, param: &Meta) -> Vec<Slot> {
        vec![Slot::like("momentum_buffer", param)]
    }
    fn per_parameter(&self) -> bool {
        true
    }
    fn numbers(&self, moment: &Moment<'_>) -> Vec<f64> {
        let (rows, columns) = (moment.param.shape[0] as f64, moment.param.shape[1] as f64);
        let ratio = if moment.number("adjust_lr_fn") == 2.0 {
            0.2 * rows.max(columns).sqrt()
        } else {
            (rows / columns).max(1.0).sqrt()
        };
        let momentum = moment.number("momentum");
        let polynomial = ["ns_a", "ns_b", "ns_c", "eps"].map(|name| moment.number(name));
        [&[momentum, 1.0 - momentum], &polynomial[..], &[ratio]].concat()
    }
    fn update(&self, site: &mut Site<'_>, update: Edge) -> Result<Edge> {
        let b = site.b;
        let buffer = site.mix(0, 0, 1, &update)?;
        let ahead = if self.nesterov { b.add(&site.times(1, &update)?, &site.times(0, &buffer)?)? } else { buffer };
        let orthogonal = self.iterate(site, &ahead)?;
        site.times(6, &b.cast(&orthogonal, update.dtype())?)
    }
}
