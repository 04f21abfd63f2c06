//! Drop what no output needs, compute equal things once, fold chains of views and casts that change nothing.

use crate::ir::op::{Op, ViewOp};
use crate::ir::program::{Instruction, Program, ValueId};
use smallvec::SmallVec;
use std::collections::HashMap;

/// An equal program with fewer instructions. It is to run, not to be differentiated: where gradients stop is forgotten.
pub fn simplify(program: &Program) -> Program {
    prune(&merge(program))
}

/// Merge equal instructions and fold views.
fn merge(program: &Program) -> Program {
    let mut out = Program {
        metas: program.metas[..program.first_result()].to_vec(),
        inputs: program.inputs,
        constants: program.constants.clone(),
        ..Program::default()
    };
    let mut renamed: Vec<ValueId> = (0..program.first_result()).collect();
    let mut known: HashMap<(Op, SmallVec<[ValueId; 2]>), ValueId> = HashMap::new();
    let mut maker: HashMap<ValueId, usize> = HashMap::new();
    for instruction in &program.instructions {
        let inputs: SmallVec<[ValueId; 2]> = instruction.inputs.iter().map(|&i| renamed[i]).collect();
        let (op, inputs) = fold(&out, &maker, instruction.op.clone(), inputs);
        if changes_nothing(&op, &out, &inputs) {
            renamed.push(inputs[0]);
            continue;
        }
        let key = (op, inputs);
        let first = if let Some(&first) = known.get(&key) {
            first
        } else {
            let metas = &program.metas[instruction.first..instruction.first + instruction.results];
            let first = out.push(key.0.clone(), key.1.clone(), metas, instruction.origin.clone());
            maker.insert(first, out.instructions.len() - 1);
            known.insert(key, first);
            first
        };
        renamed.extend(first..first + instruction.results);
    }
    out.outputs = program.outputs.iter().map(|&o| renamed[o]).collect();
    out
}

/// A view of a view of the same kind, or a repeated cast, as one.
fn fold(
    program: &Program,
    maker: &HashMap<ValueId, usize>,
    op: Op,
    inputs: SmallVec<[ValueId; 2]>,
) -> (Op, SmallVec<[ValueId; 2]>) {
    let Some(before) = inputs.first().and_then(|i| maker.get(i)).map(|&at| &program.instructions[at]) else {
        return (op, inputs);
    };
    match (&op, &before.op) {
        (Op::View(ViewOp::Reshape(_)), Op::View(ViewOp::Reshape(_)))
        | (Op::View(ViewOp::Expand(_)), Op::View(ViewOp::Expand(_))) => (op, before.inputs.clone()),
        (Op::View(ViewOp::Permute(outer)), Op::View(ViewOp::Permute(inner))) => {
            let perm = outer.iter().map(|&p| inner[p]).collect();
            (Op::View(ViewOp::Permute(perm)), before.inputs.clone())
        }
        _ => (op, inputs),
    }
}

fn changes_nothing(op: &Op, program: &Program, inputs: &[ValueId]) -> bool {
    match op {
        Op::View(ViewOp::Reshape(shape) | ViewOp::Expand(shape)) => *shape == program.metas[inputs[0]].shape,
        Op::View(ViewOp::Permute(perm)) => perm.iter().copied().eq(0..perm.len()),
        Op::View(ViewOp::Slice { sizes, steps, .. }) => {
            sizes[..] == program.metas[inputs[0]].shape[..] && steps.iter().all(|&s| s == 1)
        }
        Op::Cast(dtype) => *dtype == program.metas[inputs[0]].dtype,
        _ => false,
    }
}

/// Keep what outputs need, and where gradients stop.
pub fn prune(program: &Program) -> Program {
    let mut needed = vec![false; program.metas.len()];
    for &output in &program.outputs {
        needed[output] = true;
    }
    let mut kept: Vec<&Instruction> = Vec::new();
    for instruction in program.instructions.iter().rev() {
        if needed[instruction.first..instruction.first + instruction.results].iter().any(|&n| n) {
            for &input in &instruction.inputs {
                needed[input] = true;
            }
            kept.push(instruction);
        }
    }
    let mut renamed: Vec<ValueId> = vec![usize::MAX; program.metas.len()];
    let mut out = Program::with_inputs(program.metas[..program.inputs].iter().cloned());
    for (i, slot) in renamed.iter_mut().enumerate().take(program.inputs) {
        *slot = i;
    }
    for (place, constant) in program.constants.iter().enumerate() {
        if needed[program.inputs + place] {
            renamed[program.inputs + place] = out.constant(constant.clone());
        }
    }
    for instruction in kept.into_iter().rev() {
        let inputs = instruction.inputs.iter().map(|&i| renamed[i]).collect();
        let metas = &program.metas[instruction.first..instruction.first + instruction.results];
        let first = out.push(instruction.op.clone(), inputs, metas, instruction.origin.clone());
        if let Some(last) = out.instructions.last_mut() {
            last.frozen = instruction.frozen;
        }
        for k in 0..instruction.results {
            renamed[instruction.first + k] = first + k;
        }
    }
    out.outputs = program.outputs.iter().map(|&o| renamed[o]).collect();
    out
}
