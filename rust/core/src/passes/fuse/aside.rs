//! Checks stand beside the values that they pass on, so that they part no group.

use crate::ir::op::Op;
use crate::ir::program::{Program, ValueId};

/// The same program, in which whoever read a value behind a check that it is finite reads the value itself.
///
/// The checks stay: an instruction that nobody reads but that runs for the error it may give.
pub(super) fn aside(program: &Program) -> Program {
    let mut out = program.clone();
    let mut behind: Vec<ValueId> = (0..program.metas.len()).collect();
    for instruction in &mut out.instructions {
        for input in &mut instruction.inputs {
            *input = behind[*input];
        }
        if let Op::CheckFinite { .. } = instruction.op {
            behind[instruction.first] = instruction.inputs[0];
        }
    }
    for output in &mut out.outputs {
        *output = behind[*output];
    }
    out
}
