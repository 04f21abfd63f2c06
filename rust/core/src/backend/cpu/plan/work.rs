//! The parts of a prepared plan as tasks for the pool.

use super::super::arena::Memories;
use super::super::kernel::{Dst, Src, run as run_kernel};
use super::super::matmul::{self, Last};
use super::super::threads::Job;
use super::super::{check, copy, fused, scratch};
use super::prepare::{Kernel, Prepared, Ready};
use super::shares::add_up;
use crate::backend::locate;
use crate::error::{Error, Result};
use crate::ir::op::Op;
use crate::layout::Layout;
use smallvec::SmallVec;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// One call of a prepared plan.
pub(super) struct Work<'a> {
    pub(super) prepared: &'a Prepared,
    memories: Memories<'a>,
    /// A part has failed: no other begins.
    failed: AtomicBool,
    /// The step and part that failed, and why; of several in one stage the first.
    failure: Mutex<Option<(u32, u32, Error)>>,
}

impl<'a> Work<'a> {
    pub(super) fn new(prepared: &'a Prepared, memories: Memories<'a>) -> Self {
        Self { prepared, memories, failed: AtomicBool::new(false), failure: Mutex::new(None) }
    }

    /// How the call went. A check that failed is made again over all parts, so that the message names the first element.
    pub(super) fn verdict(self) -> Result<()> {
        let Some((at, _, error)) = self.failure.into_inner().unwrap_or_else(PoisonError::into_inner) else {
            return Ok(());
        };
        let step = &self.prepared.steps[at as usize];
        let first = (0..step.parts).find_map(|part| run(step, part, self.memories).err());
        Err(locate(first.unwrap_or(error), step.origin.as_deref()))
    }

    /// Run one part unless one has failed; whether the task goes on.
    #[inline]
    pub(super) fn part(&self, at: u32, part: u32) -> bool {
        if self.failed.load(Ordering::Acquire) {
            return false;
        }
        match run(&self.prepared.steps[at as usize], part as usize, self.memories) {
            Ok(()) => true,
            Err(error) => {
                self.fail((at, part), error);
                false
            }
        }
    }

    fn fail(&self, (at, part): (u32, u32), error: Error) {
        self.failed.store(true, Ordering::Release);
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.as_ref().is_none_or(|known| (at, part) < (known.0, known.1)) {
            *failure = Some((at, part, error));
        }
    }
}

impl Job for Work<'_> {
    fn stages(&self) -> usize {
        self.prepared.stages.len()
    }

    fn tasks(&self, stage: usize) -> usize {
        self.prepared.stages[stage].tasks.len()
    }

    fn run(&self, stage: usize, task: usize) {
        for &(at, part) in &self.prepared.stages[stage].tasks[task] {
            if !self.part(at, part) {
                return;
            }
        }
    }
}

/// Run one part of a step.
pub(super) fn run(step: &Ready, part: usize, memories: Memories<'_>) -> Result<()> {
    if let Kernel::Fused(code, product) = &step.kernel {
        let sides = (&step.inputs[..], &step.outputs[..]);
        return fused::run(code, product.as_ref(), memories, sides, (part, step.parts));
    }
    if let Kernel::Turns(turns) = &step.kernel {
        return turns.run(step, part, memories);
    }
    let mut sources: SmallVec<[Src<'_>; 8]> = SmallVec::new();
    for operand in &step.inputs {
        let (extent, range) = operand.part(part, step.parts);
        let bytes = memories.reading(operand.slot, range)?;
        sources.push(Src { bytes, layout: &extent.layout, dtype: extent.meta.dtype });
    }
    if let (true, Kernel::Op(Op::Fused(op))) = (step.staged, &step.kernel) {
        let values = fused::values(op, &sources)?;
        drop(sources);
        return with_targets(step, part, memories, |targets| fused::store(&values, targets));
    }
    if let (true, Kernel::Op(op), [output]) = (step.staged, &step.kernel, &step.outputs[..]) {
        let (extent, range) = output.part(part, step.parts);
        return scratch::with::<u8, _>(range.len(), |bytes| {
            run_kernel(op, &sources, &mut [Dst { bytes, meta: &extent.meta }])?;
            drop(sources);
            memories.writing(output.slot, range)?.copy_from_slice(bytes);
            Ok(())
        });
    }
    with_targets(step, part, memories, |targets| dispatch(step, &sources, targets))
}

/// Lend the results of a part.
fn with_targets(
    step: &Ready,
    part: usize,
    memories: Memories<'_>,
    run: impl FnOnce(&mut [Dst<'_>]) -> Result<()>,
) -> Result<()> {
    let mut targets: SmallVec<[Dst<'_>; 4]> = SmallVec::new();
    for operand in &step.outputs {
        let (extent, range) = operand.part(part, step.parts);
        targets.push(Dst { bytes: memories.writing(operand.slot, range)?, meta: &extent.meta });
    }
    run(&mut targets)
}

fn dispatch(step: &Ready, sources: &[Src<'_>], targets: &mut [Dst<'_>]) -> Result<()> {
    match (&step.kernel, sources, targets) {
        (Kernel::Op(op), sources, targets) => run_kernel(op, sources, targets),
        (Kernel::Copy, [x], [out]) => {
            copy::strided(x, x.layout, out.bytes, &Layout::contiguous(out.meta.shape.clone()))
        }
        (Kernel::Panels, [b], [out]) => matmul::pack(b, out),
        (Kernel::Product, [a, panels], [out]) => matmul::by_panels(a, panels, out, &Last::default()),
        (Kernel::Check(Op::CheckFinite { name }), [x], _) => check::finite(name, x),
        (Kernel::Check(Op::CheckIndex { name, size }), [x], _) => check::within(name, *size, x),
        (Kernel::Total, [left], [out]) => add_up(left, out),
        (
            Kernel::Copy
            | Kernel::Panels
            | Kernel::Product
            | Kernel::Check(_)
            | Kernel::Fused(..)
            | Kernel::Total
            | Kernel::Turns(_),
            _,
            _,
        ) => Err(Error::bug("run_plan", "a step with other operands")),
    }
}
