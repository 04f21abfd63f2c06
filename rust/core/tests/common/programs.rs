//! Random well-formed programs, each value with a bound on its size and on how far backends may be apart.
//!
//! A program is made from a list of words, so that a failing one shrinks: each word adds an op or a few that fit, or nothing.
//! Ops with jumps (comparison, floor, argmax, casts to integers) take only values that are the same on every backend;
//! so the bounds hold, and a difference above them is a wrong kernel, not bad luck.

use super::draw::draw;
use super::lies::Lie;
use super::steps;
use super::values::value;
use smallvec::SmallVec;
use trainsmith_core::buffer::{Meta, Value};
use trainsmith_core::device::Device;
use trainsmith_core::dtype::DType;
use trainsmith_core::ir::infer::infer;
use trainsmith_core::ir::{Op, Program, ValueId};

/// What is known of every element of a value before it is computed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// Largest absolute value.
    pub(crate) bound: f64,
    /// Largest distance between two backends.
    pub(crate) error: f64,
}

/// A program that grows.
#[derive(Debug)]
pub(crate) struct Maker {
    pub(crate) program: Program,
    pub(crate) known: Vec<Known>,
    /// Without float64, which GPUs lack.
    narrow: bool,
}

/// Shape, dtype and range of an input.
type Input = (&'static [usize], DType, (f64, f64));

/// The inputs of every program.
const INPUTS: [Input; 7] = [
    (&[3, 4], DType::F64, (-2.0, 2.0)),
    (&[3, 4], DType::F32, (-2.0, 2.0)),
    (&[4, 3], DType::F32, (-2.0, 2.0)),
    (&[2, 3, 4], DType::F32, (-2.0, 2.0)),
    (&[3, 4], DType::I64, (-2.0, 2.0)),
    (&[3, 4], DType::Bool, (0.0, 1.0)),
    (&[5], DType::I64, (0.0, 3.0)),
];

/// The input that holds indices below 3.
pub(crate) const INDEX: ValueId = 6;

/// Values above this are not worked on, so that nothing overflows.
const LARGEST: f64 = 1e6;

/// Programs stay small enough for the reference.
const MOST_ELEMENTS: usize = 500;

/// A program of at most one step a word, with a constant that is not row-major.
pub(crate) fn build(words: &[u64], device: Device) -> Maker {
    build_for(words, device, matches!(device, Device::Gpu(_)))
}

/// A program with its constant on a device, without float64 if asked.
pub(crate) fn build_for(words: &[u64], device: Device, narrow: bool) -> Maker {
    let mut program = Program::with_inputs(INPUTS.map(|(shape, dtype, _)| Meta::new(shape, cut(dtype, narrow))));
    let meta = Meta::new([3, 4], DType::F32);
    let numbers = draw(99, meta.dtype, -2.0, 2.0, 12);
    program.constant(value(device, &meta, Lie::Turned.layout(&meta.shape), &numbers));
    let known = vec![Known { bound: 2.0, error: 0.0 }; program.metas.len()];
    let mut maker = Maker { program, known, narrow };
    for &word in words {
        steps::add(&mut maker, word);
    }
    maker.choose_outputs(words.first().copied().unwrap_or(0));
    maker
}

/// A dtype, or its neighbour that GPUs have.
fn cut(dtype: DType, narrow: bool) -> DType {
    if narrow && dtype == DType::F64 { DType::F32 } else { dtype }
}

/// Inputs for any program, in layouts that the word picks.
pub(crate) fn inputs(word: u64, device: Device) -> Vec<Value> {
    inputs_for(word, device, matches!(device, Device::Gpu(_)))
}

/// Inputs for a program of `build_for`.
pub(crate) fn inputs_for(word: u64, device: Device, narrow: bool) -> Vec<Value> {
    let input = |(place, (shape, dtype, (low, high))): (usize, Input)| {
        let meta = Meta::new(shape, cut(dtype, narrow));
        let numbers = draw(word.wrapping_add(place as u64), meta.dtype, low, high, meta.shape.numel());
        let lie = Lie::ALL[(word as usize % 97 + place) % Lie::ALL.len()];
        value(device, &meta, lie.layout(&meta.shape), &numbers)
    };
    INPUTS.into_iter().enumerate().map(input).collect()
}

/// What one op loses, relative to the size of its terms.
pub(crate) fn unit(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => 1e-12,
        DType::F32 => 2e-6,
        _ => 0.0,
    }
}

impl Maker {
    pub(crate) fn meta(&self, value: ValueId) -> &Meta {
        &self.program.metas[value]
    }

    /// Append an op where its rule allows it, nothing gets too large, and no jump meets an inexact value.
    pub(crate) fn push(&mut self, op: Op, inputs: &[ValueId], known: &[Known]) -> Option<ValueId> {
        let metas: Vec<Meta> = inputs.iter().map(|&i| self.meta(i).clone()).collect();
        let op = match op {
            Op::Cast(dtype) => Op::Cast(cut(dtype, self.narrow)),
            op => op,
        };
        let results = infer(&op, &metas).ok()?;
        let fits = |(meta, known): (&Meta, &Known)| meta.shape.numel() <= MOST_ELEMENTS && known.bound <= LARGEST;
        if !results.iter().zip(known).all(fits) {
            return None;
        }
        self.known.extend_from_slice(known);
        let origin = Some(format!("step {}", self.program.instructions.len()).into());
        Some(self.program.push(op, SmallVec::from_slice(inputs), &results, origin))
    }

    /// The last value and some others: unused values stay in the program, some leave twice, some are inputs.
    fn choose_outputs(&mut self, word: u64) {
        let count = self.program.metas.len();
        let some = (0..4).map(|i| (word >> (8 * i)) as usize % count);
        self.program.outputs = some.take(word as usize % 5).chain([count - 1]).collect();
    }
}
