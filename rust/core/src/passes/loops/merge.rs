//! Loops over the same values with the same carries become one loop with the outputs of both.

use crate::error::Result;
use crate::ir::op::{Op, ScanOp};
use crate::ir::program::{Program, ValueId};
use crate::passes::rewrite::{each, scan_at};
use crate::passes::simplify::simplify;
use smallvec::SmallVec;
use std::sync::Arc;

/// Merge pair after pair.
pub(super) fn merge(program: &Program) -> Result<Program> {
    let mut program = program.clone();
    while let Some(pair) = find(&program) {
        program = apply(&program, &pair)?;
    }
    Ok(program)
}

/// Two loops, and the one that does the work of both.
struct Pair {
    first: usize,
    second: usize,
    both: ScanOp,
}

fn find(program: &Program) -> Option<Pair> {
    let loops: Vec<usize> = (0..program.instructions.len()).filter(|&at| scan_at(program, at).is_some()).collect();
    loops.iter().enumerate().find_map(|(place, &second)| {
        loops[..place].iter().find_map(|&first| {
            let both = together(program, first, second)?;
            Some(Pair { first, second, both })
        })
    })
}

fn together(program: &Program, first: usize, second: usize) -> Option<ScanOp> {
    let (one, two) = (scan_at(program, first)?, scan_at(program, second)?);
    let walk = |scan: &ScanOp| (scan.consts, scan.carries, scan.length, scan.reverse);
    if walk(one) != walk(two) || program.instructions[first].inputs != program.instructions[second].inputs {
        return None;
    }
    let body = simplify(&side_by_side(&one.body, &two.body));
    let (mine, others) = body.outputs.split_at(one.body.outputs.len());
    if mine[..one.carries] != others[..one.carries] {
        return None;
    }
    let outputs = mine.iter().chain(&others[one.carries..]).copied().collect();
    Some(ScanOp { body: Arc::new(Program { outputs, ..body }), ..one.clone() })
}

/// Both programs on the same inputs.
fn side_by_side(one: &Program, two: &Program) -> Program {
    let mut out = Program::with_inputs(one.metas[..one.inputs].iter().cloned());
    one.constants.iter().chain(&two.constants).for_each(|constant| {
        out.constant(constant.clone());
    });
    for (program, skipped) in [(one, 0), (two, one.constants.len())] {
        let mut renamed: Vec<ValueId> = (0..program.inputs).collect();
        renamed.extend((0..program.constants.len()).map(|place| program.inputs + skipped + place));
        for instruction in &program.instructions {
            let inputs = instruction.inputs.iter().map(|&input| renamed[input]).collect();
            let metas = &program.metas[instruction.first..instruction.first + instruction.results];
            let first = out.push(instruction.op.clone(), inputs, metas, instruction.origin.clone());
            renamed.extend(first..first + instruction.results);
        }
        out.outputs.extend(program.outputs.iter().map(|&output| renamed[output]));
    }
    out
}

fn apply(program: &Program, pair: &Pair) -> Result<Program> {
    let mut merged = 0;
    each(program, |copy, at, scan| {
        if at == pair.first {
            merged = copy.push(Op::Scan(pair.both.clone()), copy.inputs(at)?, at)?;
            return Ok(Some((merged..merged + scan.body.outputs.len()).map(Some).collect()));
        }
        if at != pair.second {
            return Ok(None);
        }
        // Behind the first loop's outputs come the second one's that are no carries.
        let skipped = program.instructions[pair.first].results - scan.carries;
        let result = |place: usize| Some(merged + if place < scan.carries { place } else { place + skipped });
        Ok(Some((0..scan.body.outputs.len()).map(result).collect::<SmallVec<_>>()))
    })
}
