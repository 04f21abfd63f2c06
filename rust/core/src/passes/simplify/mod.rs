//! Drop what no output needs, compute equal things once, leave out what changes nothing.
//!
//! Every rule is exact: for every input, signed zeros and NaN included, the rewritten program has the results of the first.

mod algebra;
mod folds;
mod products;
mod prune;
mod views;

pub use prune::prune;

use crate::buffer::Meta;
use crate::dtype::{DType, Scalar};
use crate::ir::op::{Op, ViewOp};
use crate::ir::program::{Instruction, Program, ValueId};
use crate::shape::Shape;
use smallvec::{SmallVec, smallvec};
use std::collections::HashMap;
use std::sync::Arc;

/// An equal program with fewer instructions. It is to run, not to be differentiated: where gradients stop is forgotten.
pub fn simplify(program: &Program) -> Program {
    let mut now = prune(&Rewriter::run(program));
    // What one round drops can be what kept another rule from use.
    for _ in 0..MOST_ROUNDS {
        let next = prune(&Rewriter::run(&now));
        let same = |(a, b): (&Instruction, &Instruction)| a.op == b.op && a.inputs == b.inputs;
        let settled = next.instructions.len() == now.instructions.len()
            && next.instructions.iter().zip(&now.instructions).all(same);
        now = next;
        if settled {
            break;
        }
    }
    now
}

/// Programs settle after one or two rounds.
const MOST_ROUNDS: usize = 8;

/// What an instruction becomes.
enum Rewrite {
    /// A value that is there already.
    Value(ValueId),
    /// Another op, on which the rules are tried again.
    Op(Op, SmallVec<[ValueId; 2]>),
}

/// Writes a program anew, one instruction after the other.
struct Rewriter<'a> {
    program: &'a Program,
    /// How many read each value of the program.
    uses: Vec<usize>,
    out: Program,
    makers: Vec<Option<usize>>,
    known: HashMap<(Op, SmallVec<[ValueId; 2]>), ValueId>,
    /// `where(x <= 0, 0, x)` of each `x` that has one.
    rectified: HashMap<ValueId, ValueId>,
}

impl<'a> Rewriter<'a> {
    fn run(program: &'a Program) -> Program {
        let mut uses = vec![0; program.metas.len()];
        for &value in program.instructions.iter().flat_map(|i| &i.inputs).chain(&program.outputs) {
            uses[value] += 1;
        }
        let first = program.first_result();
        let out = Program {
            metas: program.metas[..first].to_vec(),
            inputs: program.inputs,
            constants: program.constants.clone(),
            ..Program::default()
        };
        let (known, rectified) = (HashMap::new(), HashMap::new());
        let mut rewriter = Self { program, uses, out, makers: vec![None; first], known, rectified };
        let mut renamed: Vec<ValueId> = (0..first).collect();
        for instruction in &program.instructions {
            let inputs = instruction.inputs.iter().map(|&input| renamed[input]).collect();
            let now = rewriter.instruction(instruction, inputs);
            renamed.extend(now..now + instruction.results);
        }
        rewriter.out.outputs = program.outputs.iter().map(|&output| renamed[output]).collect();
        rewriter.out
    }

    fn instruction(&mut self, instruction: &Instruction, inputs: SmallVec<[ValueId; 2]>) -> ValueId {
        let alone = instruction.inputs.first().is_some_and(|&input| self.uses[input] == 1);
        if alone {
            let turned = self.turned_product(&instruction.op, &inputs);
            if let Some(value) = turned.or_else(|| self.turned_pad(&instruction.op, &inputs)) {
                return value;
            }
        }
        let metas = &self.program.metas[instruction.first..instruction.first + instruction.results];
        self.add(instruction.op.clone(), inputs, metas, instruction.origin.as_ref())
    }

    /// Append an op, or find what it comes to.
    fn add(
        &mut self,
        mut op: Op,
        mut inputs: SmallVec<[ValueId; 2]>,
        metas: &[Meta],
        origin: Option<&Arc<str>>,
    ) -> ValueId {
        loop {
            match self.rewrite(&op, &inputs, &metas[0]) {
                Some(Rewrite::Value(value)) => return value,
                Some(Rewrite::Op(other, operands)) => (op, inputs) = (other, operands),
                None => break,
            }
        }
        let key = (op, inputs);
        if let Some(&first) = self.known.get(&key) {
            return first;
        }
        let first = self.out.push(key.0.clone(), key.1.clone(), metas, origin.cloned());
        self.makers.resize(self.out.metas.len(), Some(self.out.instructions.len() - 1));
        self.note_rectified(&key.0, &key.1, first);
        self.known.insert(key, first);
        first
    }

    fn rewrite(&mut self, op: &Op, inputs: &[ValueId], meta: &Meta) -> Option<Rewrite> {
        match op {
            Op::View(view) => self.view(view, inputs[0], meta),
            Op::Unary(unary) => self.unary(*unary, inputs[0]),
            Op::Binary(binary) => self.binary(*binary, inputs[0], inputs[1]),
            Op::Select => self.select(inputs[0], inputs[1], inputs[2]),
            Op::Reduce { op, axes } => self.fold(*op, axes, inputs[0]),
            Op::Cast(dtype) => self.cast(*dtype, inputs[0], meta),
            Op::Leaf
            | Op::Fill { .. }
            | Op::Iota { .. }
            | Op::Random { .. }
            | Op::Compare(_)
            | Op::ArgReduce { .. }
            | Op::Cumulate { .. }
            | Op::Pad { .. }
            | Op::Concat { .. }
            | Op::MatMul
            | Op::Conv(_)
            | Op::Gather { .. }
            | Op::ScatterAdd { .. }
            | Op::Sort { .. }
            | Op::Linalg(_)
            | Op::Scan(_)
            | Op::Fused(_)
            | Op::Composite(_)
            | Op::CheckFinite { .. }
            | Op::CheckIndex { .. } => None,
        }
    }

    fn maker(&self, value: ValueId) -> Option<&Instruction> {
        self.makers[value].map(|at| &self.out.instructions[at])
    }

    fn meta(&self, value: ValueId) -> &Meta {
        &self.out.metas[value]
    }

    /// The number that a value has everywhere, if it is known.
    fn number(&self, mut value: ValueId) -> Option<Scalar> {
        loop {
            let maker = self.maker(value)?;
            match maker.op {
                Op::Fill { value, .. } => return Some(value),
                Op::View(_) => value = maker.inputs[0],
                _ => return None,
            }
        }
    }

    /// One number everywhere.
    fn filled(&mut self, value: Scalar, meta: &Meta) -> Rewrite {
        let (shape, dtype) = (Shape::scalar(), meta.dtype);
        let one = Meta::new(shape.clone(), dtype);
        let number = self.add(Op::Fill { value, shape, dtype }, smallvec![], &[one], None);
        if meta.shape.is_empty() {
            return Rewrite::Value(number);
        }
        Rewrite::Op(Op::View(ViewOp::Expand(meta.shape.clone())), smallvec![number])
    }

    fn dtype(&self, value: ValueId) -> DType {
        self.out.metas[value].dtype
    }
}
