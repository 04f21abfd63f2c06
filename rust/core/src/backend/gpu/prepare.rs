//! What is made of a plan at its first call: dispatches in an order that merges those that do not touch each other.

use super::Gpu;
use super::check::{Check, Verdicts};
use super::context::Context;
use super::dispatch::{Dispatch, Numbers};
use super::footprint::Footprint;
use super::launch::{Launch, Lowered, Slot, View};
use super::lower;
use super::memory::GpuStorage;
use super::text::{Text, can_join, merged};
use crate::backend::{Backend, locate};
use crate::buffer::{Buffer, Value, element_size};
use crate::device::Device;
use crate::error::Result;
use crate::ir::op::Op;
use crate::ir::plan::{Exit, Located, Place, Plan, Step};
use crate::layout::{Layout, Strides};
use std::sync::Arc;

/// A plan, ready to be called.
pub(super) struct Prepared {
    pub(super) arena: Buffer,
    pub(super) constants: Vec<Value>,
    pub(super) scratch: Vec<GpuStorage>,
    pub(super) stages: Vec<Stage>,
    /// Number of the first stage of the last phase.
    pub(super) commit: usize,
    pub(super) verdicts: Option<Verdicts>,
    /// Looks at everything that is still there when the last phase begins.
    pub(super) late: Vec<Dispatch>,
    /// The numbers of all dispatches.
    pub(super) numbers: wgpu::Buffer,
}

/// What runs at once.
pub(super) enum Stage {
    /// A dispatch, of one kernel or several.
    Kernel { dispatch: Dispatch, origin: Option<Arc<str>> },
    /// A check that is done elsewhere.
    Nothing,
    /// A loop, a decomposition, or a fused body without a kernel: run as an op of its own and copied to its place.
    Whole(usize),
}

/// What becomes one stage.
struct Draft {
    what: What,
    footprint: Footprint,
    op: &'static str,
    origin: Option<Arc<str>>,
}

enum What {
    Kernels(Vec<Launch>),
    Whole(usize),
}

/// A step's values, where they are bound.
struct Bound {
    inputs: Vec<View>,
    outputs: Vec<View>,
    footprint: Footprint,
}

/// Make a plan ready.
pub(super) fn prepare(gpu: &Gpu, plan: &Plan) -> Result<Prepared> {
    let context = gpu.context("compile")?;
    let arena = context.memory.take("compile", plan.arena, plan.arena)?;
    let here = |value: &Value| {
        if value.device() == gpu.device() {
            return gpu.compacted("compile", value);
        }
        let host = crate::backend::of(value.device()).download(value)?;
        gpu.upload(&host, &value.meta())
    };
    let constants = plan.constants.iter().map(here).collect::<Result<_>>()?;
    let bounds: Vec<Bound> = plan.steps.iter().map(|step| bound(gpu.device(), plan, step)).collect();
    let (checks, late) = checks(plan, &bounds);
    let verdicts = if checks.is_empty() { None } else { Some(Verdicts::new(gpu, checks)?) };
    let mut maker = Maker { context, drafts: Vec::new(), phase: 0, scratch: Vec::new() };
    let mut commit = None;
    for (turn, (step, bound)) in plan.steps.iter().zip(&bounds).enumerate() {
        if turn == plan.commit {
            maker.phase = maker.drafts.len();
            commit = Some(maker.phase);
        }
        let due = |verdicts: &Verdicts| -> Vec<usize> {
            let due = |number: &usize| verdicts.checks[*number].step == turn && !late.contains(number);
            (0..verdicts.checks.len()).filter(due).collect()
        };
        if let Some(verdicts) = &verdicts {
            for look in verdicts.looks(&due(verdicts), context.operands)? {
                maker.place(step, look);
            }
        }
        maker.step(turn, step, bound).map_err(|error| locate(error, step.origin.as_deref()))?;
    }
    let mut numbers = Numbers::default();
    let commit = commit.unwrap_or(maker.drafts.len());
    let looks = verdicts.as_ref().map_or(Ok(Vec::new()), |verdicts| verdicts.looks(&late, context.operands))?;
    let looks: Vec<Text> = looks.iter().map(Launch::text).collect();
    let texts: Vec<Option<Text>> = maker.drafts.iter().map(Draft::text).collect();
    context.announce(texts.iter().flatten().chain(&looks));
    let drafts = maker.drafts.iter().zip(texts);
    let stages = drafts.map(|(draft, text)| draft.stage(context, text, &mut numbers)).collect::<Result<_>>()?;
    let late = looks.into_iter().map(|look| Dispatch::new(context, "check", look, &mut numbers));
    let late = late.collect::<Result<_>>()?;
    context.kept.save(false);
    let (scratch, numbers) = (maker.scratch, numbers.upload(context));
    Ok(Prepared { arena: Arc::new(arena), constants, scratch, stages, commit, verdicts, late, numbers })
}

/// All checks, and which of them can wait for the last phase since nothing before it writes what they look at.
fn checks(plan: &Plan, bounds: &[Bound]) -> (Vec<Check>, Vec<usize>) {
    let (mut checks, mut late) = (Vec::new(), Vec::new());
    for (turn, (step, bound)) in plan.steps.iter().zip(bounds).enumerate() {
        for guard in lower::guards(&step.op, &bound.inputs) {
            let view = bound.inputs[guard.input].clone();
            let writes = |later: &[Bound]| later.iter().any(|bound| bound.footprint.writes(&view));
            if bounds.get(turn..plan.commit).is_some_and(|later| !writes(later)) {
                late.push(checks.len());
            }
            checks.push(Check { step: turn, guard, view });
        }
    }
    (checks, late)
}

/// Makes the stages of a plan.
struct Maker<'a> {
    context: &'a Context,
    drafts: Vec<Draft>,
    /// First stage of the phase that is being made.
    phase: usize,
    scratch: Vec<GpuStorage>,
}

impl Maker<'_> {
    fn draft(&mut self, step: &Step, footprint: &Footprint, what: What) {
        let (footprint, op, origin) = (footprint.clone(), step.op.name(), step.origin.clone());
        self.drafts.push(Draft { what, footprint, op, origin });
    }

    fn step(&mut self, turn: usize, step: &Step, bound: &Bound) -> Result<()> {
        if bound.outputs.is_empty() {
            // A check, whose stage keeps the order of what it looks at.
            self.draft(step, &bound.footprint, What::Kernels(Vec::new()));
            return Ok(());
        }
        let lowered = lower::lower(&step.op, &bound.inputs, &bound.outputs)?;
        let holds = |lowered: &Lowered| lowered.bindings() <= self.context.operands || !matches!(step.op, Op::Fused(_));
        let Some(mut lowered) = lowered.filter(holds) else {
            self.draft(step, &bound.footprint, What::Whole(turn));
            return Ok(());
        };
        lowered.name(&step.op, &bound.inputs, &bound.outputs);
        let first = self.scratch.len();
        for &bytes in &lowered.scratch {
            self.scratch.push(self.context.memory.take(step.op.name(), bytes, bytes)?);
        }
        for mut launch in lowered.launches {
            for (slot, _) in &mut launch.bindings {
                if let Slot::Scratch(place) = slot {
                    *place += first;
                }
            }
            launch.footprint.move_scratch(first);
            self.place(step, launch);
        }
        Ok(())
    }

    /// Let a kernel run in the last dispatch that it can share, if nothing after that shows their order.
    fn place(&mut self, step: &Step, launch: Launch) {
        for draft in self.drafts[self.phase..].iter_mut().rev() {
            if draft.footprint.meets(&launch.footprint) {
                break;
            }
            if let What::Kernels(kernels) = &mut draft.what
                && !kernels.is_empty()
                && can_join(kernels, &launch, self.context.operands)
            {
                draft.footprint.add(&launch.footprint);
                kernels.push(launch);
                return;
            }
        }
        self.draft(step, &launch.footprint.clone(), What::Kernels(vec![launch]));
    }
}

impl Draft {
    /// What is compiled for it.
    fn text(&self) -> Option<Text> {
        match &self.what {
            What::Kernels(kernels) if !kernels.is_empty() => Some(merged(kernels).text()),
            What::Kernels(_) | What::Whole(_) => None,
        }
    }

    fn stage(&self, context: &Context, text: Option<Text>, numbers: &mut Numbers) -> Result<Stage> {
        Ok(match (&self.what, text) {
            (What::Whole(step), _) => Stage::Whole(*step),
            (What::Kernels(_), None) => Stage::Nothing,
            (What::Kernels(_), Some(text)) => {
                let dispatch = Dispatch::new(context, self.op, text, numbers);
                let located = |error| locate(error, self.origin.as_deref());
                Stage::Kernel { dispatch: dispatch.map_err(located)?, origin: self.origin.clone() }
            }
        })
    }
}

fn bound(device: Device, plan: &Plan, step: &Step) -> Bound {
    let views = |located: &[Located]| located.iter().map(|located| view(device, plan, located)).collect();
    let (inputs, outputs): (Vec<View>, Vec<View>) = (views(&step.inputs), views(&step.outputs));
    Bound { footprint: Footprint::of(&inputs, &outputs), inputs, outputs }
}

/// Where a value lies in what its place is bound to.
pub(super) fn view(device: Device, plan: &Plan, located: &Located) -> View {
    let (home, start) = match located.place {
        Place::Arena(start) => (Slot::Arena, start / element_size(located.meta.dtype, device)),
        Place::Input(place) => (Slot::Given(place), 0),
        Place::Constant(place) => (Slot::Constant(place), 0),
        Place::Output(place) => match &plan.exits[place] {
            // The input is made the sole holder of its memory before the plan begins.
            Exit::Replaced { input, .. } => (Slot::Given(*input), 0),
            Exit::Written(_) | Exit::Alias(_) | Exit::Shared { .. } => (Slot::Exit(place), 0),
        },
    };
    let layout = &located.layout;
    let layout = Layout::new(layout.shape().clone(), Strides::from_slice(layout.strides()), layout.offset() + start);
    View { home: Some(home), ..View::new(layout, located.meta.dtype) }
}
