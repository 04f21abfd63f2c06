//! Program to program: what a loop need not do at every turn, and what two loops need not both do.
//!
//! The derivative of a loop is written to be plainly right: it runs the loop again, computes every turn's values once more
//! on the way back, and adds to the gradients of weights turn by turn. Here the loops become one, values that are dear to
//! compute are kept, and what is only added up is left to one product over all turns. Sums are added in another order than
//! turn by turn, so results agree within rounding, not to the bit. Captured programs alone come this way, after
//! differentiation.

mod hoist;
mod keep;
mod merge;
mod sums;
mod trim;

use crate::error::Result;
use crate::ir::op::{Op, ScanOp};
use crate::ir::program::Program;
use crate::passes::join::join;
use crate::passes::rewrite;
use crate::passes::simplify::simplify;
use std::sync::Arc;

/// An equal program whose loops do less.
pub fn loops(program: &Program) -> Result<Program> {
    if !program.instructions.iter().any(|instruction| matches!(instruction.op, Op::Scan(_))) {
        return Ok(program.clone());
    }
    let program = bodies(program)?;
    let program = merge::merge(&hoist::hoist(&program)?)?;
    let program = keep::keep(&program)?;
    let program = sums::sums(&program)?;
    Ok(simplify(&trim::trim(&simplify(&program))?))
}

/// The bodies of all loops, rewritten for themselves.
fn bodies(program: &Program) -> Result<Program> {
    rewrite::each(program, |copy, at, scan| {
        let body = simplify(&join(&loops(&simplify(&scan.body))?)?);
        copy.instead(at, Op::Scan(ScanOp { body: Arc::new(body), ..scan.clone() }))
    })
}
