//! Loops outside of recordings on the CPU: each runs as a plan, which is kept for the next one like it.
//!
//! A loop's body is recorded at every call, so a loop is like another if its program says the same. Op by op, a turn of a
//! recurrent layer would be some thirty small ops.

use crate::backend::{self, Workspace};
use crate::buffer::{Meta, Value};
use crate::device::Device;
use crate::error::Result;
use crate::ir::infer::infer;
use crate::ir::op::{Op, ScanOp};
use crate::ir::plan::Plan;
use crate::ir::program::Program;
use crate::passes::fuse::{Caps, fuse};
use crate::passes::join::join;
use crate::passes::loops::loops;
use crate::passes::memory;
use crate::passes::simplify::{prune, simplify};
use smallvec::SmallVec;
use std::cell::RefCell;
use std::collections::VecDeque;

/// Loops that a thread keeps, and bytes of working memory that one of them may keep with it.
const KEPT: usize = 16;
const LARGE: usize = 4 << 20;

/// A loop, and its plan.
struct Known {
    op: ScanOp,
    inputs: Vec<Meta>,
    plan: Plan,
    workspace: Workspace,
}

thread_local! {
    static KNOWN: RefCell<VecDeque<Known>> = const { RefCell::new(VecDeque::new()) };
}

/// The results of a loop.
pub(super) fn run(op: &ScanOp, inputs: &[Value]) -> Result<SmallVec<[Value; 1]>> {
    let found = KNOWN.with_borrow_mut(|known| {
        let at = known.iter().position(|known| known.fits(op, inputs))?;
        known.remove(at)
    });
    let mut known = match found {
        Some(known) => known,
        None => Known::new(op, inputs)?,
    };
    let (mut values, mut outputs) = (inputs.to_vec(), vec![]);
    let done = backend::of(Device::Cpu).run_plan(&known.plan, &mut known.workspace, &mut values, &mut outputs);
    // The results are the caller's, whose handles are the only ones then.
    known.workspace.spares.fill(None);
    if known.plan.arena > LARGE {
        known.workspace = Workspace::default();
    }
    KNOWN.with_borrow_mut(|all| {
        all.truncate(KEPT - 1);
        all.push_front(known);
    });
    done.map(|()| outputs.into())
}

impl Known {
    fn new(op: &ScanOp, inputs: &[Value]) -> Result<Self> {
        let inputs: Vec<Meta> = inputs.iter().map(Value::meta).collect();
        let mut program = Program::with_inputs(inputs.iter().cloned());
        let scan = Op::Scan(op.clone());
        let results = infer(&scan, &inputs)?;
        let first = program.push(scan, (0..inputs.len()).collect(), &results, None);
        program.outputs = (first..first + results.len()).collect();
        let program = prune(&join(&simplify(&program))?);
        let program = fuse(&loops(&program)?, &[], &Caps::default())?;
        let plan = memory::plan_on(Device::Cpu, &program, &[]);
        Ok(Self { op: op.clone(), inputs, plan, workspace: Workspace::default() })
    }

    fn fits(&self, op: &ScanOp, inputs: &[Value]) -> bool {
        let kind = |op: &ScanOp| (op.consts, op.carries, op.length, op.reverse);
        let alike = |(meta, value): (&Meta, &Value)| meta.dtype == value.dtype && meta.shape == *value.shape();
        kind(&self.op) == kind(op)
            && self.inputs.len() == inputs.len()
            && self.inputs.iter().zip(inputs).all(alike)
            && same(&self.op.body, &op.body)
    }
}

/// Whether two programs compute the same with the same constants; what gradients pass through does not matter here.
fn same(a: &Program, b: &Program) -> bool {
    let constants = |(a, b): (&Value, &Value)| {
        std::sync::Arc::ptr_eq(&a.buffer, &b.buffer) && a.layout == b.layout && a.dtype == b.dtype
    };
    (&a.metas, a.inputs, &a.outputs) == (&b.metas, b.inputs, &b.outputs)
        && (a.constants.len(), a.instructions.len()) == (b.constants.len(), b.instructions.len())
        && a.constants.iter().zip(&b.constants).all(constants)
        && a.instructions
            .iter()
            .zip(&b.instructions)
            .all(|(a, b)| (&a.op, &a.inputs, a.first, a.results) == (&b.op, &b.inputs, b.first, b.results))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtype::DType;
    use crate::ir::op::BinaryOp;
    use std::sync::Arc;

    /// `carry = op(carry, x)`, stacked too, over four turns of rows of three.
    fn loop_of(op: BinaryOp, reverse: bool) -> ScanOp {
        let meta = Meta::new([3], DType::F32);
        let mut body = Program::with_inputs([meta.clone(), meta.clone()]);
        let next = body.push(Op::Binary(op), [0, 1].into_iter().collect(), &[meta], None);
        body.outputs = vec![next, next];
        ScanOp { body: Arc::new(body), consts: 0, carries: 1, length: 4, reverse }
    }

    fn inputs() -> [Value; 2] {
        let value = |shape: &[usize]| {
            let numbers: Vec<f32> = (1..=shape.iter().product::<usize>()).map(|i| i as f32).collect();
            let meta = Meta::new(shape, DType::F32);
            backend::of(Device::Cpu).upload(bytemuck::cast_slice(&numbers), &meta).unwrap()
        };
        [value(&[3]), value(&[4, 3])]
    }

    fn known() -> usize {
        KNOWN.with_borrow(VecDeque::len)
    }

    #[test]
    fn a_loop_is_planned_once_and_gives_what_its_ops_give() {
        let inputs = inputs();
        for (count, (op, reverse)) in
            [BinaryOp::Add, BinaryOp::Mul].into_iter().flat_map(|op| [(op, false), (op, true)]).enumerate()
        {
            for _ in 0..2 {
                // A body that says the same in other memory.
                let op = loop_of(op, reverse);
                let wanted = backend::of(Device::Cpu).run_op(&Op::Scan(op.clone()), &inputs).unwrap();
                let got = run(&op, &inputs).unwrap();
                let bytes = |value: &Value| backend::of(Device::Cpu).download(value).unwrap();
                assert!(got.iter().map(bytes).eq(wanted.iter().map(bytes)), "{op:?}");
                assert_eq!(known(), count + 1);
            }
        }
    }

    #[test]
    fn results_keep_their_memory_when_the_loop_runs_again() {
        let [start, rows] = inputs();
        let op = loop_of(BinaryOp::Add, false);
        let first = run(&op, &[start.clone(), rows.clone()]).unwrap();
        let before = backend::of(Device::Cpu).download(&first[1]).unwrap();
        run(&op, &[first[0].clone(), rows]).unwrap();
        assert_eq!(backend::of(Device::Cpu).download(&first[1]).unwrap()[..], before[..]);
    }
}
