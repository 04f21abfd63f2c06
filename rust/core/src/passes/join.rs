//! Sums of parts that zeros make as large as the whole, each at its own place: the parts side by side.
//!
//! This is how the gradient of a value comes back that was read part by part.

use super::rewrite::{Copy, makers};
use crate::error::Result;
use crate::ir::op::{BinaryOp, Op};
use crate::ir::program::{Program, ValueId};
use smallvec::SmallVec;

/// Turn sums of padded parts into concatenations. A negative zero stays one, which a sum with zero would not: that is why no rule
/// of `simplify` does this. Bodies of loops come this way for themselves.
pub fn join(program: &Program) -> Result<Program> {
    let finder = Finder { program, makers: makers(program) };
    let mut copy = Copy::new(program);
    for at in 0..program.instructions.len() {
        let Some((axis, parts)) = finder.side_by_side(at) else {
            copy.keep(at)?;
            continue;
        };
        let inputs = parts.iter().map(|&part| copy.now(part)).collect::<Result<_>>()?;
        let joined = copy.push(Op::Concat { axis }, inputs, at)?;
        copy.replace(at, &[Some(joined)]);
    }
    copy.finish()
}

/// Parts at most, which bounds the search where sums share their terms.
const MOST: usize = 64;

/// A part of a sum: where it begins along its axis, how long it is, and its elements.
struct Part {
    axis: usize,
    start: usize,
    size: usize,
    value: ValueId,
}

struct Finder<'a> {
    program: &'a Program,
    makers: Vec<Option<usize>>,
}

impl Finder<'_> {
    /// The axis and the values that an instruction puts side by side.
    fn side_by_side(&self, at: usize) -> Option<(usize, SmallVec<[ValueId; 4]>)> {
        let instruction = &self.program.instructions[at];
        let sum = Op::Binary(BinaryOp::Add);
        if instruction.op != sum || !self.program.metas[instruction.first].dtype.is_float() {
            return None;
        }
        let (mut parts, mut pending) = (Vec::new(), instruction.inputs.to_vec());
        while let Some(value) = pending.pop() {
            let maker = &self.program.instructions[self.makers[value]?];
            if maker.op == sum && parts.len() + pending.len() < MOST {
                pending.extend(&maker.inputs);
            } else {
                parts.push(self.part(&maker.op, maker.inputs.first().copied()?)?);
            }
        }
        parts.sort_by_key(|part| part.start);
        let axis = parts.first()?.axis;
        let mut end = 0;
        for part in &parts {
            if part.axis != axis || part.start != end {
                return None;
            }
            end += part.size;
        }
        let whole = self.program.metas[instruction.first].shape[axis];
        (end == whole).then(|| (axis, parts.iter().map(|part| part.value).collect()))
    }

    fn part(&self, op: &Op, value: ValueId) -> Option<Part> {
        let Op::Pad { low, high, interior, value: filled } = op else { return None };
        let shape = &self.program.metas[value].shape;
        let mut padded = (0..shape.len()).filter(|&axis| (low[axis], high[axis]) != (0, 0));
        let axis = padded.next()?;
        let zero = filled.as_f64() == 0.0 && interior.iter().all(|&gap| gap == 0);
        let one = padded.next().is_none() && shape[axis] > 0;
        (zero && one).then_some(Part { axis, start: low[axis], size: shape[axis], value })
    }
}
