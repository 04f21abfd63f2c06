//! Kernels in an order in which they can run; those that do not touch each other's values share a dispatch.

use super::choices::Choices;
use super::footprint::Footprint;
use super::launch::{Launch, Slot, View};
use super::lower;
use super::text::{can_join, merged};
use super::turns::Series;
use super::verdicts::Verdicts;
use crate::error::Result;
use crate::ir::op::Op;
use crate::ir::plan::Step;
use std::sync::Arc;

/// What becomes one stage.
pub(super) struct Draft {
    pub(super) what: What,
    footprint: Footprint,
    pub(super) op: &'static str,
    pub(super) origin: Option<Arc<str>>,
}

/// What a stage is made of.
pub(super) enum What {
    /// Kernels of one dispatch; none where a check only keeps the order of what it looks at.
    Kernels(Vec<Launch>),
    /// All turns of a loop.
    Turns(Series),
    /// A step that runs as an op of its own.
    Whole(usize),
}

/// Stages in the making.
pub(super) struct Queue {
    pub(super) drafts: Vec<Draft>,
    /// First stage of the phase that is being made.
    phase: usize,
    /// Bytes of each piece of working memory.
    pub(super) scratch: Vec<usize>,
    /// Operands that one kernel can have.
    pub(super) operands: usize,
    /// Which of several kernels runs.
    pub(super) choices: Arc<Choices>,
    /// Checks whose failure lets what is placed from now on do nothing.
    pub(super) mask: Option<Arc<Verdicts>>,
    /// Whether all that was placed under a mask has it.
    pub(super) masked: bool,
}

impl Queue {
    /// Nothing yet, beside working memory that others have.
    pub(super) fn new(operands: usize, choices: Arc<Choices>, scratch: Vec<usize>) -> Self {
        Self { drafts: Vec::new(), phase: 0, scratch, operands, choices, mask: None, masked: true }
    }

    /// A stage of its own.
    pub(super) fn draft(&mut self, step: &Step, footprint: Footprint, what: What) {
        self.masked &= self.mask.is_none() || matches!(what, What::Kernels(_));
        self.drafts.push(Draft { what, footprint, op: step.op.name(), origin: step.origin.clone() });
    }

    /// Add the kernels of a step; false where it is no sequence of kernels.
    pub(super) fn kernels(&mut self, step: &Step, inputs: &[View], outputs: &[View]) -> Result<bool> {
        let Some(mut lowered) = lower::lower(&step.op, inputs, outputs, &self.choices)? else { return Ok(false) };
        if lowered.bindings() > self.operands && matches!(step.op, Op::Fused(_)) {
            return Ok(false);
        }
        lowered.name(&step.op, inputs, outputs);
        let first = self.scratch.len();
        self.scratch.extend(&lowered.scratch);
        let launches = if lowered.apart { self.joined(lowered.launches) } else { lowered.launches };
        for mut launch in launches {
            for (slot, _) in &mut launch.bindings {
                if let Slot::Scratch(place) = slot {
                    *place += first;
                }
            }
            launch.footprint.move_scratch(first);
            self.place(step, launch);
        }
        Ok(true)
    }

    /// Kernels that write elements of their own, as few: their parts of a result may lie between each other.
    fn joined(&self, launches: Vec<Launch>) -> Vec<Launch> {
        let mut groups: Vec<Vec<Launch>> = Vec::new();
        for launch in launches {
            match groups.last_mut() {
                Some(group) if can_join(group, &launch, self.operands) => group.push(launch),
                _ => groups.push(vec![launch]),
            }
        }
        groups.iter().map(|group| merged(group)).collect()
    }

    fn under_mask(&mut self, launch: Launch) -> Launch {
        let Some(verdicts) = &self.mask else { return launch };
        let masked = verdicts.mask(launch.clone());
        if masked.bindings.len() <= self.operands {
            return masked;
        }
        self.masked = false;
        launch
    }

    /// Let what is placed from now on run after all that was placed before.
    pub(super) fn begin_phase(&mut self) -> usize {
        self.phase = self.drafts.len();
        self.phase
    }

    /// Add kernels in order.
    pub(super) fn extend(&mut self, step: &Step, launches: Vec<Launch>) {
        for launch in launches {
            self.place(step, launch);
        }
    }

    /// Let a kernel run in the last dispatch that it can share, if nothing after that shows their order.
    pub(super) fn place(&mut self, step: &Step, launch: Launch) {
        let launch = self.under_mask(launch);
        for draft in self.drafts[self.phase..].iter_mut().rev() {
            if draft.footprint.meets(&launch.footprint) {
                break;
            }
            if let What::Kernels(kernels) = &mut draft.what
                && !kernels.is_empty()
                && can_join(kernels, &launch, self.operands)
            {
                draft.footprint.add(&launch.footprint);
                kernels.push(launch);
                return;
            }
        }
        self.draft(step, launch.footprint.clone(), What::Kernels(vec![launch]));
    }
}
