//! Writing a program anew with some of its instructions replaced.

use crate::buffer::Meta;
use crate::error::{Error, Result};
use crate::ir::infer::infer;
use crate::ir::op::{Op, ScanOp};
use crate::ir::program::{Program, ValueId};
use crate::passes::simplify::prune;
use smallvec::SmallVec;
use std::sync::Arc;

/// The loop that an instruction is.
pub(in crate::passes) fn scan_at(program: &Program, at: usize) -> Option<&ScanOp> {
    match &program.instructions[at].op {
        Op::Scan(scan) => Some(scan),
        _ => None,
    }
}

/// For each value the instruction that makes it.
pub(in crate::passes) fn makers(program: &Program) -> Vec<Option<usize>> {
    let mut makers = vec![None; program.metas.len()];
    for (at, instruction) in program.instructions.iter().enumerate() {
        makers[instruction.first..instruction.first + instruction.results].fill(Some(at));
    }
    makers
}

/// How often each value is read, by instructions and as an output.
pub(in crate::passes) fn uses(program: &Program) -> Vec<usize> {
    let mut uses = vec![0; program.metas.len()];
    program.instructions.iter().flat_map(|i| &i.inputs).chain(&program.outputs).for_each(|&value| uses[value] += 1);
    uses
}

/// A program as it is copied, instruction by instruction.
pub(in crate::passes) struct Copy<'a> {
    pub(in crate::passes) program: &'a Program,
    out: Program,
    renamed: Vec<Option<ValueId>>,
}

/// What the results of an instruction become; nothing for those that nobody reads any more.
pub(in crate::passes) type Results = SmallVec<[Option<ValueId>; 4]>;

/// The program with each loop as `rewrite` writes it; where that gives nothing, the loop stays.
pub(in crate::passes) fn each<'a>(
    program: &'a Program,
    mut rewrite: impl FnMut(&mut Copy<'a>, usize, &'a ScanOp) -> Result<Option<Results>>,
) -> Result<Program> {
    let mut copy = Copy::new(program);
    for at in 0..program.instructions.len() {
        let results = match scan_at(program, at) {
            Some(scan) => rewrite(&mut copy, at, scan)?,
            None => None,
        };
        match results {
            Some(results) => copy.replace(at, &results),
            None => copy.keep(at)?,
        }
    }
    copy.finish()
}

impl<'a> Copy<'a> {
    /// Inputs and constants, and no instruction yet.
    pub(in crate::passes) fn new(program: &'a Program) -> Self {
        let first = program.first_result();
        let out = Program {
            metas: program.metas[..first].to_vec(),
            inputs: program.inputs,
            constants: program.constants.clone(),
            ..Program::default()
        };
        let renamed = (0..program.metas.len()).map(|value| (value < first).then_some(value)).collect();
        Self { program, out, renamed }
    }

    /// The number that a value of the program has in the copy.
    pub(in crate::passes) fn now(&self, value: ValueId) -> Result<ValueId> {
        self.renamed[value].ok_or_else(|| Error::bug("loops", format!("value {value} is gone")))
    }

    /// The numbers of an instruction's inputs.
    pub(in crate::passes) fn inputs(&self, at: usize) -> Result<SmallVec<[ValueId; 2]>> {
        self.program.instructions[at].inputs.iter().map(|&input| self.now(input)).collect()
    }

    /// Copy an instruction as it is.
    pub(in crate::passes) fn keep(&mut self, at: usize) -> Result<()> {
        let results = self.instead(at, self.program.instructions[at].op.clone())?.unwrap_or_default();
        self.replace(at, &results);
        Ok(())
    }

    /// Another op on the inputs of an instruction, in its place.
    pub(in crate::passes) fn instead(&mut self, at: usize, op: Op) -> Result<Option<Results>> {
        let inputs = self.inputs(at)?;
        let first = self.push(op, inputs, at)?;
        Ok(Some((first..first + self.program.instructions[at].results).map(Some).collect()))
    }

    /// Append an op that does work of the instruction `at`; gives the number of its first result.
    pub(in crate::passes) fn push(&mut self, op: Op, inputs: SmallVec<[ValueId; 2]>, at: usize) -> Result<ValueId> {
        let metas: SmallVec<[Meta; 4]> = inputs.iter().map(|&input| self.out.metas[input].clone()).collect();
        let results = infer(&op, &metas)?;
        Ok(self.out.push(op, inputs, &results, self.program.instructions[at].origin.clone()))
    }

    /// Shape and dtype of a value of the copy.
    pub(in crate::passes) fn meta(&self, value: ValueId) -> &Meta {
        &self.out.metas[value]
    }

    /// Say what the results of an instruction are now.
    pub(in crate::passes) fn replace(&mut self, at: usize, results: &[Option<ValueId>]) {
        let first = self.program.instructions[at].first;
        self.renamed[first..first + results.len()].copy_from_slice(results);
    }

    /// The copy, with the outputs of the program.
    pub(in crate::passes) fn finish(self) -> Result<Program> {
        let outputs = self.program.outputs.iter().map(|&output| self.now(output)).collect::<Result<_>>()?;
        Ok(Program { outputs, ..self.out })
    }
}

/// A body with other inputs and outputs: `known` numbers those of its values that are inputs now.
///
/// What an input that is gone was needed for is gone too.
pub(in crate::passes) fn remake(
    body: &Program,
    inputs: Vec<Meta>,
    mut known: Vec<Option<ValueId>>,
    outputs: &[ValueId],
) -> Result<Arc<Program>> {
    let mut out = Program::with_inputs(inputs);
    for (place, constant) in body.constants.iter().enumerate() {
        known[body.inputs + place] = Some(out.constant(constant.clone()));
    }
    for instruction in &body.instructions {
        let results = instruction.first..instruction.first + instruction.results;
        let operands: Option<SmallVec<[ValueId; 2]>> = instruction.inputs.iter().map(|&input| known[input]).collect();
        let Some(operands) = operands.filter(|_| known[results.clone()].contains(&None)) else { continue };
        let metas = &body.metas[results.clone()];
        let first = out.push(instruction.op.clone(), operands, metas, instruction.origin.clone());
        for (place, value) in results.enumerate() {
            known[value].get_or_insert(first + place);
        }
    }
    let output =
        |&value: &ValueId| known[value].ok_or_else(|| Error::bug("loops", "an output lost what it is made of"));
    out.outputs = outputs.iter().map(output).collect::<Result<_>>()?;
    Ok(Arc::new(prune(&out)))
}
