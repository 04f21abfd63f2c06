//! What is the same at every call of a step is computed once, when the step is recorded.

use crate::backend::{self, locate};
use crate::buffer::Value;
use crate::device::Device;
use crate::error::Result;
use crate::ir::op::Op;
use crate::ir::program::{Instruction, Program, ValueId};
use std::collections::HashMap;

/// Bytes of a result that is kept from call to call at most.
const MOST: usize = 1 << 20;

/// An equal program whose constants stand for what only constants lead to.
pub(super) fn settle(program: &Program, device: Device) -> Result<Program> {
    let backend = backend::of(device);
    let places = program.inputs..program.first_result();
    let mut known: HashMap<ValueId, Value> = places.clone().zip(program.constants.iter().cloned()).collect();
    for instruction in program.instructions.iter().filter(|instruction| can_settle(program, instruction)) {
        let Some(inputs) = instruction.inputs.iter().map(|input| known.get(input).cloned()).collect::<Option<Vec<_>>>()
        else {
            continue;
        };
        let results =
            backend.run_op(&instruction.op, &inputs).map_err(|error| locate(error, instruction.origin.as_deref()))?;
        known.extend((instruction.first..).zip(results));
    }
    // Views stay views, of constants.
    let gone =
        |instruction: &Instruction| !matches!(instruction.op, Op::View(_)) && known.contains_key(&instruction.first);
    let (settled, rest): (Vec<&Instruction>, Vec<&Instruction>) =
        program.instructions.iter().partition(|instruction| gone(instruction));
    let mut out = Program { inputs: program.inputs, metas: program.metas[..places.end].to_vec(), ..Program::default() };
    out.constants.clone_from(&program.constants);
    let mut renamed: HashMap<ValueId, ValueId> = (0..places.end).map(|value| (value, value)).collect();
    for value in settled.iter().flat_map(|instruction| instruction.first..instruction.first + instruction.results) {
        if let Some(constant) = known.get(&value) {
            renamed.insert(value, out.metas.len());
            out.metas.push(program.metas[value].clone());
            out.constants.push(constant.clone());
        }
    }
    for instruction in rest {
        let inputs = instruction.inputs.iter().map(|input| renamed[input]).collect();
        let range = instruction.first..instruction.first + instruction.results;
        let first = out.push(instruction.op.clone(), inputs, &program.metas[range.clone()], instruction.origin.clone());
        renamed.extend(range.zip(first..));
    }
    out.outputs = program.outputs.iter().map(|output| renamed[output]).collect();
    Ok(out)
}

fn can_settle(program: &Program, instruction: &Instruction) -> bool {
    let range = instruction.first..instruction.first + instruction.results;
    let small = program.metas[range].iter().all(|meta| meta.bytes() <= MOST);
    small && !matches!(instruction.op, Op::Scan(_) | Op::Random { .. } | Op::CheckFinite { .. } | Op::CheckIndex { .. })
}
