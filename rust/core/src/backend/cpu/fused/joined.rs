//! Runs of instructions that one piece of machine code computes, so that what they alone read stays in registers.

use super::compile::{Class, Code, Compiled, Instruction, Load, Source, Target};
use super::io::Real;
use super::loops::{OPERANDS, Way, resolve};
use crate::backend::cpu::arch::{Lanes, chosen};
use crate::backend::cpu::native::{self, Graph, Native, Value, record};
use crate::dtype::DType;
use std::ops::Range;
use std::sync::Arc;

/// A run of instructions as machine code.
#[derive(Clone, Debug)]
pub(super) struct Joined {
    pub(super) instructions: Range<usize>,
    pub(super) native: Arc<Native>,
    /// What the code reads and writes, in the order of its operands.
    pub(super) operands: Vec<Source>,
}

/// Find the runs among the instructions of each tile, after those that run once. Where no code can be made there are none.
pub(super) fn join(dtype: DType, once: &[Instruction], each: &[Instruction]) -> Vec<Joined> {
    match dtype {
        DType::F64 => typed::<f64>(once, each),
        _ => typed::<f32>(once, each),
    }
}

fn typed<T: Real>(once: &[Instruction], instructions: &[Instruction]) -> Vec<Joined> {
    let mut found = vec![];
    let mut start = 0;
    while start < instructions.len() {
        let end = end_of_run::<T>(instructions, start);
        // One instruction alone has its loop.
        if end > start + 1 {
            found.extend(Run { once, instructions, range: start..end, ..Run::default() }.joined::<T>());
        }
        start = end.max(start + 1);
    }
    found
}

/// Whether one piece of machine code does all the work of a tile, from what lies in memory to what lies in memory.
///
/// What holds for all tiles is single numbers then, as the short registers of such a body need.
pub(super) fn is_whole(joined: &[Joined], once: (&[Load], &[Instruction]), each: (&[Load], &[Instruction])) -> bool {
    let [joined] = joined else { return false };
    let mut classes = once.0.iter().map(|load| load.class).chain(once.1.iter().map(|made| made.class));
    let numbers = classes.all(|class| class == Class::Number);
    let memory = !joined.operands.iter().any(|operand| matches!(operand, Source::Register(_)));
    numbers && memory && each.0.is_empty() && joined.instructions == (0..each.1.len())
}

impl Compiled {
    /// Nanoseconds for an element that lies in a near cache, roughly, where one piece of machine code does all the work.
    pub(in crate::backend::cpu) fn per_element(&self) -> Option<f64> {
        let [joined] = &self.joined[..] else { return None };
        self.whole.then(|| 0.02 * joined.operands.len() as f64 + 0.01 * joined.instructions.len() as f64)
    }
}

/// The instruction that fills a register whose value holds for all tiles.
pub(super) fn made(register: usize, once: &[Instruction]) -> Option<&Instruction> {
    once.iter().find(|instruction| instruction.to == Target::Register(register))
}

/// The number whose copies an operand is, if the program says it.
pub(super) fn filled(source: Source, once: &[Instruction]) -> Option<f64> {
    let Source::Copies(copies) = source else { return None };
    let Source::Register(number) = *made(copies, once)?.from.first()? else { return None };
    match made(number, once)?.code {
        Code::Fill(number) => Some(number),
        _ => None,
    }
}

/// How an instruction takes part in a run.
enum Part<T> {
    Computed(Way<T>),
    /// It is its operand.
    Same,
}

fn part<T: Real>(instruction: &Instruction) -> Option<Part<T>> {
    match instruction.code {
        Code::Spread if instruction.wide == instruction.class => Some(Part::Same),
        code => resolve(code).map(Part::Computed),
    }
}

/// Where later instructions find a result, unless it is folded.
fn result(instruction: &Instruction) -> Option<Source> {
    match instruction.to {
        Target::Output(output) => Some(Source::Output(output)),
        Target::Register(register) => Some(Source::Register(register)),
        Target::Fold(_) => None,
    }
}

/// The run from an instruction on: those of one class that take each element by itself.
fn end_of_run<T: Real>(instructions: &[Instruction], start: usize) -> usize {
    let mut operands: Vec<Source> = vec![];
    for (at, instruction) in instructions.iter().enumerate().skip(start) {
        let Some(to) = result(instruction).filter(|_| part::<T>(instruction).is_some()) else { return at };
        for source in instruction.from.iter().copied().chain([to]) {
            if !operands.contains(&source) {
                operands.push(source);
            }
        }
        if instruction.class != instructions[start].class || operands.len() > native::OPERANDS {
            return at;
        }
        // What takes copies of a result does so after the run.
        if !instruction.outputs.is_empty() {
            return at + 1;
        }
    }
    instructions.len()
}

/// A run that becomes a graph.
#[derive(Default)]
struct Run<'a> {
    once: &'a [Instruction],
    instructions: &'a [Instruction],
    range: Range<usize>,
    graph: Graph,
    operands: Vec<Source>,
    /// Values of the graph by where a later instruction reads them.
    values: Vec<(Source, Value)>,
}

impl Run<'_> {
    fn joined<T: Real>(mut self) -> Option<Joined> {
        for at in self.range.clone() {
            let instruction = &self.instructions[at];
            let mut from = [0; OPERANDS];
            for (value, &source) in from.iter_mut().zip(&instruction.from) {
                *value = self.read::<T>(source);
            }
            let value = match part::<T>(instruction)? {
                Part::Same => from[0],
                Part::Computed(way) => record(&mut self.graph, |lanes| (way.record)(lanes, from)),
            };
            let to = result(instruction)?;
            self.values.retain(|&(source, _)| source != to);
            self.values.push((to, value));
            if self.leaves(at, to) {
                let operand = self.operand(to);
                self.graph.store(operand, value);
            }
        }
        let native = Native::new(chosen(), T::DTYPE == DType::F64, &self.graph)?;
        Some(Joined { instructions: self.range, native, operands: self.operands })
    }

    /// The value that an instruction finds somewhere.
    fn read<T: Real>(&mut self, source: Source) -> Value {
        if let Some(&(_, value)) = self.values.iter().find(|&&(known, _)| known == source) {
            return value;
        }
        if let Some(number) = filled(source, self.once) {
            return record::<T, _>(&mut self.graph, |lanes| lanes.constant(number));
        }
        let operand = self.operand(source);
        self.graph.operand(operand, matches!(source, Source::Copies(_)))
    }

    fn operand(&mut self, source: Source) -> u8 {
        let place = self.operands.iter().position(|&known| known == source).unwrap_or_else(|| {
            self.operands.push(source);
            self.operands.len() - 1
        });
        place as u8
    }

    /// Whether the result of an instruction is read outside the run.
    fn leaves(&self, at: usize, to: Source) -> bool {
        let register = matches!(to, Source::Register(_)) && self.instructions[at].outputs.is_empty();
        if !register {
            return true;
        }
        for (later, instruction) in self.instructions.iter().enumerate().skip(at + 1) {
            if instruction.from.contains(&to) && !self.range.contains(&later) {
                return true;
            }
            if result(instruction) == Some(to) {
                return false;
            }
        }
        false
    }
}
