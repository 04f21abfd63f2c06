//! Bodies that a product's own tiles can finish: a bias, a matrix that is added, rectified linear units and their gradient,
//! a matrix of factors; after a convolution a bias of channels and rectified linear units.

use super::compile::{Class, Code, Instruction, Load, Side, Source, Target};
use super::joined::{filled, made};
use crate::ir::op::{BinaryOp, CompareOp};

/// What becomes of a product's elements, in this order; operands are numbers of inputs.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Last {
    pub(super) bias: Option<usize>,
    pub(super) plus: Option<usize>,
    pub(super) relu: bool,
    pub(super) gate: Option<usize>,
    pub(super) times: Option<usize>,
}

/// What comes before a body.
#[derive(Clone, Copy, Debug)]
pub(super) enum After {
    Product,
    /// Input that is one number for each channel, if there is one.
    Convolution {
        channels: Option<usize>,
    },
}

/// The body after a product as something that tiles can do. The product is the last of the inputs.
pub(super) fn last(
    after: After,
    inputs: &[Side],
    once: &[Instruction],
    (loads, each): (&[Load], &[Instruction]),
    outputs: &[Side],
) -> Option<Last> {
    let product = Source::Input(inputs.len().checked_sub(1)?);
    let single = matches!(outputs, [Side { class: Class::Full, truth: false, mixed: false }]);
    let mut channels = match (after, loads) {
        (_, []) => None,
        (After::Convolution { channels: Some(input) }, [load]) if load.input == input => {
            Some((Source::Register(load.register), input))
        }
        _ => return None,
    };
    if !single {
        return None;
    }
    let mut last = Last::default();
    let mut value = product;
    for (i, instruction) in each.iter().enumerate() {
        let ends = i + 1 == each.len();
        if ends != (instruction.to == Target::Output(0)) || instruction.class != Class::Full {
            return None;
        }
        match (instruction.code, &instruction.from[..]) {
            (Code::Spread, &[from]) if channels.is_some_and(|(bias, _)| bias == from) => {
                let Target::Register(register) = instruction.to else { return None };
                channels = channels.map(|(_, input)| (Source::Register(register), input));
                continue;
            }
            (Code::Binary(BinaryOp::Add), &[a, b]) if matches!(after, After::Convolution { .. }) => {
                let (bias, input) = channels.take()?;
                if last != Last::default() || (a, b) != (value, bias) && (b, a) != (value, bias) {
                    return None;
                }
                last.bias = Some(input);
            }
            (Code::Binary(BinaryOp::Add), &[a, b]) if a == value => last.add(b, inputs, once)?,
            (Code::Binary(BinaryOp::Add), &[a, b]) if b == value => last.add(a, inputs, once)?,
            (Code::Pair { first: BinaryOp::Add, second: BinaryOp::Add, .. }, &[a, b, c])
                if matches!(after, After::Product) && (a == value || b == value) =>
            {
                last.add(if a == value { b } else { a }, inputs, once)?;
                last.add(c, inputs, once)?;
            }
            (Code::Choose(CompareOp::LessEqual), &[x, zero, other, y])
                if zero == other && y == value && !last.ends() && filled(zero, once) == Some(0.0) =>
            {
                match x {
                    _ if x == value && !last.relu => last.relu = true,
                    Source::Input(h) if x != value && is_whole(h, inputs) && matches!(after, After::Product) => {
                        last.gate = Some(h);
                    }
                    _ => return None,
                }
            }
            (Code::Binary(BinaryOp::Mul), &[a, b])
                if matches!(after, After::Product) && (a == value) != (b == value) && last.times.is_none() =>
            {
                let Source::Input(factor) = (if a == value { b } else { a }) else { return None };
                if !is_whole(factor, inputs) {
                    return None;
                }
                last.times = Some(factor);
            }
            _ => return None,
        }
        if let Target::Register(register) = instruction.to {
            value = Source::Register(register);
        }
    }
    (last != Last::default()).then_some(last)
}

impl Last {
    /// Whether nothing but a factor can follow.
    fn ends(&self) -> bool {
        self.gate.is_some() || self.times.is_some()
    }

    /// One more sum, if it comes before everything else.
    fn add(&mut self, what: Source, inputs: &[Side], once: &[Instruction]) -> Option<()> {
        if self.relu || self.ends() || self.plus.is_some() {
            return None;
        }
        match what {
            Source::Input(i) if is_whole(i, inputs) => self.plus = Some(i),
            Source::Register(register) if self.bias.is_none() => {
                let spread =
                    made(register, once).filter(|made| made.code == Code::Spread && made.wide == Class::Column)?;
                let Source::Input(i) = *spread.from.first()? else { return None };
                self.bias = Some(i);
            }
            _ => return None,
        }
        Some(())
    }
}

/// Whether an input has an element for each of the product, which comes after all inputs that lie in memory.
fn is_whole(input: usize, inputs: &[Side]) -> bool {
    let in_memory = inputs.split_last().map_or(&[][..], |(_, others)| others);
    in_memory.get(input).is_some_and(|side| side.class == Class::Full && !side.truth && !side.mixed)
}
