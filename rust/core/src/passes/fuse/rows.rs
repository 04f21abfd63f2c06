//! Composites over rows as the primitives that they stand for: a row group computes them beside what it has around them.

use crate::dtype::DType;
use crate::error::Result;
use crate::ir::decompose::meaning;
use crate::ir::op::{Composite, Op};
use crate::ir::program::{Program, ValueId};

/// The same program, in which composites along the last axis are written out.
///
/// In 16 bits a composite rounds once where its primitives would round each: it stays whole.
pub(super) fn write_out(program: &Program) -> Result<Program> {
    let mut out = Program {
        metas: program.metas[..program.first_result()].to_vec(),
        inputs: program.inputs,
        constants: program.constants.clone(),
        ..Program::default()
    };
    let mut renamed: Vec<ValueId> = (0..program.first_result()).collect();
    for instruction in &program.instructions {
        let inputs: Vec<ValueId> = instruction.inputs.iter().map(|&input| renamed[input]).collect();
        let meta = &program.metas[instruction.first];
        let (shape, wide) = (&meta.shape, matches!(meta.dtype, DType::F32 | DType::F64));
        match &instruction.op {
            Op::Composite(composite @ (Composite::LogSoftmax { axis } | Composite::LogSoftmaxGrad { axis }))
                if wide && axis + 1 == shape.len() && shape.numel() > 0 =>
            {
                let metas: Vec<_> = inputs.iter().map(|&input| out.metas[input].clone()).collect();
                renamed.extend(inline(&mut out, &meaning(composite, &metas)?, &inputs));
            }
            op => {
                let metas = &program.metas[instruction.first..instruction.first + instruction.results];
                let first = out.push(op.clone(), inputs.into(), metas, instruction.origin.clone());
                renamed.extend(first..first + instruction.results);
            }
        }
    }
    out.outputs = program.outputs.iter().map(|&output| renamed[output]).collect();
    Ok(out)
}

/// Append the instructions of a program without constants, and give its outputs.
fn inline(out: &mut Program, program: &Program, inputs: &[ValueId]) -> Vec<ValueId> {
    let mut renamed = inputs.to_vec();
    for instruction in &program.instructions {
        let inputs = instruction.inputs.iter().map(|&input| renamed[input]).collect();
        let metas = &program.metas[instruction.first..instruction.first + instruction.results];
        let first = out.push(instruction.op.clone(), inputs, metas, None);
        renamed.extend(first..first + instruction.results);
    }
    program.outputs.iter().map(|&output| renamed[output]).collect()
}
