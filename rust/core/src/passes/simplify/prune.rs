//! Dead code.

use crate::ir::program::{Instruction, Program, ValueId};

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
