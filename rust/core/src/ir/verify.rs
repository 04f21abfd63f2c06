//! Check that a program is well formed: every pass is followed by this in tests.

use crate::error::{Error, Result};
use crate::ir::infer::infer;
use crate::ir::program::Program;

/// Values are defined before use, numbered without gaps, and have the shapes their rules give.
pub fn verify(program: &Program) -> Result<()> {
    let mut defined = program.first_result();
    for (place, constant) in program.constants.iter().enumerate() {
        if constant.meta() != program.metas[program.inputs + place] {
            return Err(Error::bug("verify", format!("constant {place} does not fit its place")));
        }
    }
    for instruction in &program.instructions {
        if instruction.first != defined {
            return Err(Error::bug("verify", format!("value {} is out of order", instruction.first)));
        }
        if let Some(&early) = instruction.inputs.iter().find(|&&i| i >= defined) {
            return Err(Error::bug("verify", format!("{} reads value {early} too early", instruction.op.name())));
        }
        let inputs: Vec<_> = instruction.inputs.iter().map(|&i| program.metas[i].clone()).collect();
        let results = infer(&instruction.op, &inputs)?;
        defined += instruction.results;
        if results.as_slice() != &program.metas[instruction.first..defined] {
            return Err(Error::bug("verify", format!("{} does not give what is noted", instruction.op.name())));
        }
    }
    if defined != program.metas.len() || program.outputs.iter().any(|&o| o >= defined) {
        return Err(Error::bug("verify", "values without an instruction"));
    }
    Ok(())
}
