//! Fused kernels: one op whose meaning is a small straight-line program.
//!
//! A body holds its values in one canonical form, so that every backend can read it as loops. All values have the rank of
//! the iteration space, and each axis is either whole or of size 1: over a space of rows and columns `[R, C]` a row value is
//! `[R, 1]`, a column value `[1, C]`, a number `[1, 1]`. Broadcasts are explicit (`Expand`), a fill has size 1 everywhere,
//! and a fold is followed at once by the reshape that puts its axes back. The last axis is the columns, all others are rows:
//! one axis where the inputs' layouts allow it, more where they do not. Transposes stay outside, in the inputs' layouts.

use crate::buffer::Meta;
use crate::error::{Error, Result};
use crate::ir::infer::mismatch;
use crate::ir::op::{Op, ViewOp};
use crate::ir::program::{Instruction, Program, ValueId};
use crate::shape::Shape;
use smallvec::SmallVec;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// One kernel: takes the body's inputs, gives the body's outputs.
///
/// The body has no constants, no loops, no checks and no random numbers, and each output is made by an instruction of it.
#[derive(Clone, Debug)]
pub struct FusedOp {
    /// What is computed.
    pub body: Arc<Program>,
}

/// The two forms of a fused kernel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FusedKind {
    /// Elementwise ops, broadcasts and folds over one iteration space.
    Group,
    /// A product or convolution, then elementwise ops over its result.
    Product,
}

impl FusedOp {
    /// A kernel over a body that keeps the rules.
    pub fn new(body: Program) -> Result<Self> {
        check(&body)?;
        Ok(Self { body: Arc::new(body) })
    }

    /// Which form the body has.
    pub fn kind(&self) -> FusedKind {
        kind(&self.body)
    }

    /// The iteration space: of a group the widest size of each axis, of a product the shape of its result.
    pub fn space(&self) -> Shape {
        space(&self.body)
    }
}

impl PartialEq for FusedOp {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.body, &other.body)
    }
}
impl Eq for FusedOp {}
impl Hash for FusedOp {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.body).hash(state);
    }
}

/// The metas of the outputs, or why the body or the inputs do not fit.
pub(super) fn fused(op: &FusedOp, inputs: &[Meta]) -> Result<SmallVec<[Meta; 1]>> {
    let body = &*op.body;
    check(body)?;
    if inputs != &body.metas[..body.inputs] {
        return Err(mismatch("fused", "values of the body's shapes and dtypes", inputs));
    }
    Ok(body.outputs.iter().map(|&output| body.metas[output].clone()).collect())
}

fn kind(body: &Program) -> FusedKind {
    match body.instructions.first() {
        Some(Instruction { op: Op::MatMul | Op::Conv(_), .. }) => FusedKind::Product,
        Some(_) | None => FusedKind::Group,
    }
}

fn space(body: &Program) -> Shape {
    match kind(body) {
        FusedKind::Product => body.metas[body.first_result()].shape.clone(),
        FusedKind::Group => {
            let rank = body.metas.first().map_or(0, |meta| meta.shape.len());
            // A fold has lost axes until the reshape after it.
            let shapes = || body.metas.iter().map(|meta| &meta.shape).filter(|shape| shape.len() == rank);
            let widest = |axis: usize| shapes().map(|shape| shape[axis]).max().unwrap_or(1);
            (0..rank).map(widest).collect()
        }
    }
}

/// Whether a body has the canonical form.
pub fn check(body: &Program) -> Result<()> {
    let refuse = |what: String| Err(Error::bug("fused", format!("{what} in\n{body}")));
    let (space, first) = (space(body), body.first_result());
    if !body.constants.is_empty() || body.instructions.is_empty() || body.outputs.is_empty() {
        return refuse("constants, or nothing to do,".into());
    }
    if let Some(output) = body.outputs.iter().find(|&&output| output < first) {
        return refuse(format!("output {output} is an input"));
    }
    let product = kind(body) == FusedKind::Product;
    let operands: &[ValueId] = if product { &body.instructions[0].inputs } else { &[] };
    if operands.iter().any(|&operand| operand >= body.inputs) {
        return refuse("a product of something computed".into());
    }
    let mut folded: SmallVec<[ValueId; 2]> = SmallVec::new();
    for (turn, instruction) in body.instructions.iter().enumerate() {
        let name = instruction.op.name();
        let closes_a_fold = turn > 0 && is_fold(&body.instructions[turn - 1]);
        if let Some(input) = instruction.inputs.iter().find(|&input| folded.contains(input) && !closes_a_fold) {
            return refuse(format!(
                "{name} reads {input}, which is a fold without its reshape, or known only after the last row"
            ));
        }
        match &instruction.op {
            Op::MatMul | Op::Conv(_) if product && turn == 0 => {}
            op if op.is_pointwise() => {}
            Op::Fill { .. } | Op::View(ViewOp::Expand(_)) => {}
            Op::Reduce { axes, .. } if !product => {
                let next = body.instructions.get(turn + 1);
                let kept = next.filter(|next| {
                    matches!(next.op, Op::View(ViewOp::Reshape(_))) && next.inputs[..] == [instruction.first]
                });
                let rank = space.len();
                let (rows, columns) = (axes.iter().copied().eq(0..rank - 1), axes[..] == [rank - 1]);
                folded.push(instruction.first);
                match kept {
                    Some(_) if columns => {}
                    Some(kept) if rows || axes.len() == rank => folded.push(kept.first),
                    Some(_) | None => return refuse(format!("a fold over {axes:?}")),
                }
                continue;
            }
            Op::View(ViewOp::Reshape(_)) if turn > 0 && is_fold(&body.instructions[turn - 1]) => {}
            _ => return refuse(name.into()),
        }
        if !lies_in(&body.metas[instruction.first].shape, &space) {
            return refuse(format!("the shape that {name} gives"));
        }
    }
    let stray = |&input: &ValueId| !operands.contains(&input) && !lies_in(&body.metas[input].shape, &space);
    match (0..body.inputs).find(stray) {
        Some(input) => refuse(format!("the shape of input {input}")),
        None => Ok(()),
    }
}

fn is_fold(instruction: &Instruction) -> bool {
    matches!(instruction.op, Op::Reduce { .. })
}

/// Whether each axis is whole or of size 1.
fn lies_in(shape: &Shape, space: &Shape) -> bool {
    shape.len() == space.len() && shape.iter().zip(space.iter()).all(|(&size, &whole)| size == whole || size == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtype::{DType, Scalar};
    use crate::ir::infer::infer;
    use crate::ir::op::{BinaryOp, ReduceOp};
    use smallvec::smallvec;

    fn f32(shape: &[usize]) -> Meta {
        Meta::new(shape, DType::F32)
    }

    fn push(body: &mut Program, op: Op, inputs: &[ValueId]) -> ValueId {
        let metas: Vec<Meta> = inputs.iter().map(|&input| body.metas[input].clone()).collect();
        let results = infer(&op, &metas).unwrap();
        body.push(op, inputs.into(), &results, None)
    }

    fn expand(body: &mut Program, value: ValueId, shape: &[usize]) -> ValueId {
        push(body, Op::View(ViewOp::Expand(shape.into())), &[value])
    }

    fn fold(body: &mut Program, value: ValueId, axes: &[usize], shape: &[usize]) -> ValueId {
        let fold = push(body, Op::Reduce { op: ReduceOp::Sum, axes: axes.into() }, &[value]);
        push(body, Op::View(ViewOp::Reshape(shape.into())), &[fold])
    }

    /// `x - sum(x) per row`, and its sums per column.
    fn rows() -> Program {
        let mut body = Program::with_inputs([f32(&[4, 3])]);
        let total = fold(&mut body, 0, &[1], &[4, 1]);
        let spread = expand(&mut body, total, &[4, 3]);
        let centred = push(&mut body, Op::Binary(BinaryOp::Sub), &[0, spread]);
        let columns = fold(&mut body, centred, &[0], &[1, 3]);
        body.outputs = vec![centred, columns];
        body
    }

    #[test]
    fn a_row_program_is_a_group() {
        let op = FusedOp::new(rows()).unwrap();
        assert_eq!((op.kind(), op.space()), (FusedKind::Group, [4, 3].into()));
        assert_eq!(fused(&op, &[f32(&[4, 3])]).unwrap()[..], [f32(&[4, 3]), f32(&[1, 3])]);
        assert!(fused(&op, &[f32(&[3, 4])]).is_err());
    }

    #[test]
    fn a_product_carries_an_epilogue() {
        let mut body = Program::with_inputs([f32(&[4, 5]), f32(&[5, 3]), f32(&[1, 3])]);
        let product = push(&mut body, Op::MatMul, &[0, 1]);
        let bias = expand(&mut body, 2, &[4, 3]);
        let sum = push(&mut body, Op::Binary(BinaryOp::Add), &[product, bias]);
        body.outputs = vec![sum];
        assert_eq!(FusedOp::new(body.clone()).unwrap().kind(), FusedKind::Product);
        body.outputs = vec![fold(&mut body, sum, &[1], &[4, 1])];
        assert!(FusedOp::new(body).is_err(), "a fold after a product");
    }

    #[test]
    fn bodies_out_of_form_are_refused() {
        let mut late = rows();
        let spread = expand(&mut late, 5, &[4, 3]);
        late.outputs = vec![spread];
        assert!(FusedOp::new(late).is_err(), "a value that needs all rows");
        let mut passing = rows();
        passing.outputs.push(0);
        assert!(FusedOp::new(passing).is_err(), "an input as output");
        let mut foreign = rows();
        let iota = push(&mut foreign, Op::Iota { length: 3 }, &[]);
        foreign.outputs.push(iota);
        assert!(FusedOp::new(foreign).is_err(), "an op without a loop form");
        let mut narrow = Program::with_inputs([f32(&[4, 3])]);
        let op = Op::Fill { value: Scalar::Float(1.0), shape: [3].into(), dtype: DType::F32 };
        narrow.outputs = vec![narrow.push(op, smallvec![], &[f32(&[3])], None)];
        assert!(FusedOp::new(narrow).is_err(), "a value of another rank");
    }
}
