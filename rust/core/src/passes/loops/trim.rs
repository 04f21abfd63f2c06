//! Loops without the inputs, carries and outputs that nothing needs, and without those they have twice.

use crate::error::Result;
use crate::ir::op::{Op, ScanOp};
use crate::ir::program::{Program, ValueId};
use crate::passes::rewrite::{Copy, Results, each, remake, uses};

/// Drop what is not needed.
pub(super) fn trim(program: &Program) -> Result<Program> {
    let uses = uses(program);
    each(program, |copy, at, scan| {
        let instruction = &program.instructions[at];
        let read: Vec<bool> = (0..instruction.results).map(|k| uses[instruction.first + k] > 0).collect();
        one(copy, at, scan, &read)
    })
}

fn one(copy: &mut Copy<'_>, at: usize, scan: &ScanOp, read: &[bool]) -> Result<Option<Results>> {
    let body = &*scan.body;
    let given = copy.inputs(at)?;
    let (needed, live) = needed(scan, read);
    let fixed = scan.consts + scan.carries;
    // Of equal outputs, and of equal inputs that are no carries, the first.
    let first_output = |o: usize| {
        let same = |&other: &usize| other == o || (live[other] && body.outputs[other] == body.outputs[o]);
        if o < scan.carries { o } else { (scan.carries..=o).find(same).unwrap_or(o) }
    };
    let first_input = |i: usize| {
        let from = if i < scan.consts { 0 } else { fixed };
        if (scan.consts..fixed).contains(&i) {
            i
        } else {
            (from..=i).find(|&j| needed[j] && given[j] == given[i]).unwrap_or(i)
        }
    };
    let outputs: Vec<usize> = (0..body.outputs.len()).filter(|&o| live[o] && first_output(o) == o).collect();
    let inputs: Vec<usize> = (0..body.inputs).filter(|&i| needed[i] && first_input(i) == i).collect();
    if outputs.is_empty() || (outputs.len() == body.outputs.len() && inputs.len() == body.inputs) {
        return Ok(None);
    }
    let mut known: Vec<Option<ValueId>> = vec![None; body.metas.len()];
    for input in (0..body.inputs).filter(|&i| needed[i]) {
        known[input] = inputs.iter().position(|&i| i == first_input(input));
    }
    let metas = inputs.iter().map(|&input| body.metas[input].clone()).collect();
    let results: Vec<ValueId> = outputs.iter().map(|&o| body.outputs[o]).collect();
    let op = ScanOp {
        body: remake(body, metas, known, &results)?,
        consts: inputs.iter().filter(|&&input| input < scan.consts).count(),
        carries: outputs.iter().filter(|&&output| output < scan.carries).count(),
        ..scan.clone()
    };
    let first = copy.push(Op::Scan(op), inputs.iter().map(|&input| given[input]).collect(), at)?;
    let place = |o: usize| outputs.iter().position(|&other| live[o] && other == first_output(o)).map(|p| first + p);
    Ok(Some((0..body.outputs.len()).map(place).collect()))
}

/// Which inputs and outputs are needed: outputs that are read, carries that those depend on, and what both are made of.
fn needed(scan: &ScanOp, read: &[bool]) -> (Vec<bool>, Vec<bool>) {
    let body: &Program = &scan.body;
    let mut live = read.to_vec();
    loop {
        let mut needed = vec![false; body.metas.len()];
        body.outputs.iter().zip(&live).filter(|(_, live)| **live).for_each(|(&output, _)| needed[output] = true);
        for instruction in body.instructions.iter().rev() {
            if needed[instruction.first..instruction.first + instruction.results].contains(&true) {
                instruction.inputs.iter().for_each(|&input| needed[input] = true);
            }
        }
        let grown = (0..scan.carries).filter(|&carry| needed[scan.consts + carry] && !live[carry]).collect::<Vec<_>>();
        if grown.is_empty() {
            // A carry that is only read behind the loop needs its start, for a loop of no turns.
            (0..scan.carries).filter(|&carry| live[carry]).for_each(|carry| needed[scan.consts + carry] = true);
            needed.truncate(body.inputs);
            return (needed, live);
        }
        for carry in grown {
            live[carry] = true;
        }
    }
}
