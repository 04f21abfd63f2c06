//! What is made of a plan at its first call: dispatches in an order that merges those that do not touch each other.

use super::Gpu;
use super::carry::Room;
use super::context::Context;
use super::dispatch::{Numbers, Once};
use super::footprint::Footprint;
use super::launch::{Launch, Slot, View};
use super::lower;
use super::memory::GpuStorage;
use super::queue::{Draft, Queue, What};
use super::text::{Text, merged};
use super::turns::{Series, Turns};
use super::unroll::{Site, Unrolled, unroll};
use super::verdicts::{Check, Verdicts};
use crate::backend::need::Need;
use crate::backend::{Backend, locate};
use crate::buffer::{Buffer, Value, element_size};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::ir::op::{Op, ScanOp};
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
    pub(super) verdicts: Option<Arc<Verdicts>>,
    /// Whether the last phase writes nothing once a check has failed, so that a call need not wait for its checks.
    pub(super) masked: bool,
    /// Looks at everything that is still there when the last phase begins.
    pub(super) late: Vec<Once>,
    /// The numbers of all dispatches.
    pub(super) numbers: wgpu::Buffer,
}

/// What runs at once.
pub(super) enum Stage {
    /// A dispatch, of one kernel or several.
    Kernel { dispatch: Once, origin: Option<Arc<str>> },
    /// All turns of a loop.
    Turns { turns: Turns, origin: Option<Arc<str>> },
    /// A check that is done elsewhere.
    Nothing,
    /// A decomposition, or a loop or fused body that is no sequence of kernels: run as an op of its own and copied to its place.
    Whole(usize),
}

/// A step's values, where they are bound.
struct Bound {
    inputs: Vec<View>,
    outputs: Vec<View>,
    footprint: Footprint,
}

/// A plan as kernels in order, before anything is compiled or allocated for them.
struct Drafted {
    queue: Queue,
    verdicts: Option<Arc<Verdicts>>,
    /// Checks that wait for the last phase.
    late: Vec<usize>,
    commit: usize,
    /// Bytes of the arena and of what loops work in behind it.
    arena: usize,
    constants: Vec<Value>,
}

impl Drafted {
    fn working(&self) -> u64 {
        (self.arena + self.queue.scratch.iter().sum::<usize>()) as u64
    }
}

/// Bytes that a plan works in.
pub(super) fn working(gpu: &Gpu, plan: &Plan) -> Result<u64> {
    Ok(draft(gpu, plan)?.working())
}

fn draft(gpu: &Gpu, plan: &Plan) -> Result<Drafted> {
    let context = gpu.context("compile")?;
    let bounds: Vec<Bound> = plan.steps.iter().map(|step| bound(gpu.device(), plan, step)).collect();
    let (checks, late) = checks(plan, &bounds);
    let verdicts = if checks.is_empty() { None } else { Some(Arc::new(Verdicts::new(gpu, checks)?)) };
    let queue = Queue::new(context.operands, Arc::clone(&context.choices), Vec::new());
    let mut maker = Maker { device: gpu.device(), plan, queue, arena: plan.arena, constants: plan.constants.clone() };
    let mut commit = None;
    for (turn, (step, bound)) in plan.steps.iter().zip(&bounds).enumerate() {
        if turn == plan.commit {
            commit = Some(maker.queue.begin_phase());
            maker.queue.mask.clone_from(&verdicts);
        }
        let due = |verdicts: &Verdicts| -> Vec<usize> {
            let due = |number: &usize| verdicts.checks[*number].step == turn && !late.contains(number);
            (0..verdicts.checks.len()).filter(due).collect()
        };
        if let Some(verdicts) = &verdicts {
            for look in verdicts.looks(&due(verdicts), context.operands)? {
                maker.queue.place(step, look);
            }
        }
        maker.step(turn, step, bound).map_err(|error| locate(error, step.origin.as_deref()))?;
    }
    let commit = commit.unwrap_or_else(|| maker.queue.begin_phase());
    maker.queue.mask = None;
    if let (Some(verdicts), Some(step)) = (&verdicts, plan.steps.last()) {
        maker.queue.place(step, verdicts.seal());
    }
    let Maker { queue, arena, constants, .. } = maker;
    Ok(Drafted { queue, verdicts, late, commit, arena, constants })
}

/// Make a plan ready.
pub(super) fn prepare(gpu: &Gpu, plan: &Plan) -> Result<Prepared> {
    let context = gpu.context("compile")?;
    let drafted = draft(gpu, plan)?;
    let need = Need::of(gpu.device(), plan, drafted.working());
    let Drafted { queue, verdicts, late, commit, arena, constants } = drafted;
    let mut numbers = Numbers::default();
    let looks = verdicts.as_ref().map_or(Ok(Vec::new()), |verdicts| verdicts.looks(&late, context.operands))?;
    let looks: Vec<Text> = looks.iter().map(Launch::text).collect();
    let texts: Vec<Option<Text>> = queue.drafts.iter().map(Draft::text).collect();
    let turns = queue.drafts.iter().flat_map(|draft| draft.series().map_or(&[][..], |series| &series.kernels));
    context.announce(texts.iter().flatten().chain(turns).chain(&looks), need);
    // Memory first: a step without room is not compiled.
    if arena as u64 > context.memory.largest {
        let rule = format!(
            "a step whose working memory has at most {} bytes on this GPU; use a smaller batch or model, or the CPU",
            context.memory.largest
        );
        return Err(need.explain(Error::device("compile", rule, format!("{arena} bytes"))));
    }
    let take = |&bytes: &usize| context.memory.take("compile", bytes, bytes).map_err(|error| need.explain(error));
    let (arena, scratch) = (take(&arena)?, queue.scratch.iter().map(take).collect::<Result<_>>()?);
    let drafts = queue.drafts.iter().zip(texts);
    let stages = drafts.map(|(draft, text)| draft.stage(context, text, &mut numbers)).collect::<Result<_>>()?;
    let late = looks.into_iter().map(|look| Once::new(context, "check", look, &mut numbers));
    let late = late.collect::<Result<_>>()?;
    context.kept.save(false);
    let here = |value: &Value| {
        if value.device() == gpu.device() {
            return gpu.compacted("compile", value);
        }
        let host = crate::backend::of(value.device()).download(value)?;
        gpu.upload(&host, &value.meta())
    };
    let constants = constants.iter().map(here).collect::<Result<_>>()?;
    let numbers = numbers.upload(context)?;
    let (arena, masked) = (Arc::new(arena), queue.masked);
    Ok(Prepared { arena, constants, scratch, stages, commit, verdicts, masked, late, numbers })
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
            let (meta, origin) = (step.inputs[guard.input].meta.clone(), step.origin.clone());
            checks.push(Check { step: turn, guard, view, meta, origin });
        }
    }
    (checks, late)
}

/// Makes the stages of a plan.
struct Maker<'a> {
    device: Device,
    plan: &'a Plan,
    queue: Queue,
    /// Bytes of the arena and of what loops work in behind it.
    arena: usize,
    /// Constants of the plan and of the bodies of its loops.
    constants: Vec<Value>,
}

impl Maker<'_> {
    fn step(&mut self, turn: usize, step: &Step, bound: &Bound) -> Result<()> {
        if bound.outputs.is_empty() {
            // A check, whose stage keeps the order of what it looks at.
            self.queue.draft(step, bound.footprint.clone(), What::Kernels(Vec::new()));
            return Ok(());
        }
        let done = match (&step.op, &step.body) {
            (Op::Scan(op), Some(body)) => self.turns(op, body, step, bound)?,
            _ => self.queue.kernels(step, &bound.inputs, &bound.outputs)?,
        };
        if !done {
            self.queue.draft(step, bound.footprint.clone(), What::Whole(turn));
        }
        Ok(())
    }

    /// Add the kernels of a loop; false where its body holds what is no sequence of kernels.
    fn turns(&mut self, op: &ScanOp, body: &Plan, step: &Step, bound: &Bound) -> Result<bool> {
        let mut room = Room::new(self.plan.arena);
        let site =
            Site { device: self.device, room: &mut room, constants: self.constants.len(), queue: &mut self.queue };
        let Some(unrolled) = unroll(site, (op, body, step), &bound.inputs, &bound.outputs)? else { return Ok(false) };
        let Unrolled { before, series, footprint, after } = unrolled;
        self.arena = self.arena.max(room.end());
        self.constants.extend(body.constants.iter().cloned());
        self.queue.extend(step, before);
        self.queue.draft(step, footprint, What::Turns(series));
        self.queue.extend(step, after);
        Ok(true)
    }
}

impl Draft {
    /// What is compiled for kernels of one dispatch.
    fn text(&self) -> Option<Text> {
        match &self.what {
            What::Kernels(kernels) if !kernels.is_empty() => Some(merged(kernels).text()),
            What::Kernels(_) | What::Turns(_) | What::Whole(_) => None,
        }
    }

    /// What a loop runs.
    fn series(&self) -> Option<&Series> {
        match &self.what {
            What::Turns(series) => Some(series),
            What::Kernels(_) | What::Whole(_) => None,
        }
    }

    fn stage(&self, context: &Context, text: Option<Text>, numbers: &mut Numbers) -> Result<Stage> {
        let origin = self.origin.clone();
        let made = match (&self.what, text) {
            (What::Whole(step), _) => Ok(Stage::Whole(*step)),
            (What::Kernels(_), None) => Ok(Stage::Nothing),
            (What::Kernels(_), Some(text)) => {
                Once::new(context, self.op, text, numbers).map(|dispatch| Stage::Kernel { dispatch, origin })
            }
            (What::Turns(series), _) => {
                Turns::new(context, self.op, series, numbers).map(|turns| Stage::Turns { turns, origin })
            }
        };
        made.map_err(|error| locate(error, self.origin.as_deref()))
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
