//! A loop of a plan as kernels: its body is laid into the memory of the plan, and each turn moves the places it works on.

use super::carry::{Home, Room, homes, run, slice};
use super::footprint::Footprint;
use super::kernels::map;
use super::launch::{Launch, Slot, View};
use super::lower;
use super::queue::{Queue, What};
use super::text::{Text, merged};
use super::turns::{Series, alike, at_turn};
use crate::buffer::{Meta, element_size};
use crate::device::Device;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::op::ScanOp;
use crate::ir::plan::{Exit, Located, Place, Plan, Step};
use crate::layout::{Layout, Strides};
use std::sync::Arc;

/// Turns whose kernels are made one by one; longer loops reckon the numbers of the others.
const FEW: usize = 8;

/// A loop as kernels.
pub(super) struct Unrolled {
    /// What runs before the first turn.
    pub(super) before: Vec<Launch>,
    /// All turns.
    pub(super) series: Series,
    /// What they touch.
    pub(super) footprint: Footprint,
    /// What runs after the last turn.
    pub(super) after: Vec<Launch>,
}

/// Where a plan's loops work.
pub(super) struct Site<'a> {
    /// The device.
    pub(super) device: Device,
    /// Memory behind the arena.
    pub(super) room: &'a mut Room,
    /// Number of the first constant of the body.
    pub(super) constants: usize,
    /// The queue of the plan.
    pub(super) queue: &'a mut Queue,
}

/// A loop and where everything of it lies.
struct Loop<'a> {
    device: Device,
    op: &'a ScanOp,
    body: &'a Plan,
    step: &'a Step,
    constants: usize,
    /// First byte of the body's arena.
    arena: usize,
    homes: Vec<Home>,
    /// Values that all turns see, carries before the first turn, scanned values.
    inputs: Vec<View>,
    outputs: Vec<View>,
    /// Two places for each carry.
    between: Vec<[View; 2]>,
}

/// The kernels of a loop; none where its body holds what is no sequence of kernels.
pub(super) fn unroll(
    site: Site<'_>,
    (op, body, step): (&ScanOp, &Plan, &Step),
    inputs: &[View],
    outputs: &[View],
) -> Result<Option<Unrolled>> {
    let Site { device, room, constants, queue } = site;
    let arena = room.take(body.arena);
    let between =
        body.inputs[op.consts..][..op.carries].iter().map(|meta| [room.value(meta, device), room.value(meta, device)]);
    let mut it = Loop {
        device,
        op,
        body,
        step,
        constants,
        arena,
        homes: homes(op, body),
        between: between.collect(),
        inputs: inputs.to_vec(),
        outputs: outputs.to_vec(),
    };
    let before = it.settle(room)?;
    let footprint = it.footprint(room.end());
    let known = queue.scratch.len();
    let Some(series) = it.series(queue)? else {
        queue.scratch.truncate(known);
        return Ok(None);
    };
    let after = it.leave()?;
    Ok(Some(Unrolled { before, series, footprint, after }))
}

impl Loop<'_> {
    /// Put what the turns cannot read where it lies into places of the room.
    fn settle(&mut self, room: &mut Room) -> Result<Vec<Launch>> {
        let mut launches = Vec::new();
        let (consts, carries) = (self.op.consts, self.op.carries);
        for input in 0..self.inputs.len() {
            let from = self.inputs[input].clone();
            let to = if let Some(carry) = input.checked_sub(consts).filter(|&carry| carry < carries) {
                match self.homes[carry] {
                    // The first turn finds it where later ones find theirs.
                    Home::Before(stack) if self.op.length > 0 => slice(self.op, &self.outputs[stack], 0),
                    _ if from.home == Some(Slot::Arena) && from.layout.is_contiguous() => continue,
                    _ => self.between[carry][1].clone(),
                }
            } else {
                let scanned = input >= consts + carries;
                let seen = if scanned && self.op.length > 0 { slice(self.op, &from, 0) } else { from.clone() };
                if self.reads(input).all(|located| compose(&seen, &located.layout).is_some()) {
                    continue;
                }
                room.value(&Meta::new(from.shape().clone(), from.dtype), self.device)
            };
            launches.extend(copy(&from, &to)?);
            self.inputs[input] = to;
        }
        Ok(launches)
    }

    /// How the body sees one of its inputs.
    fn reads(&self, input: usize) -> impl Iterator<Item = &Located> {
        let exits = self.body.exits.iter().filter_map(|exit| match exit {
            Exit::Alias(located) => Some(located),
            Exit::Written(_) | Exit::Replaced { .. } | Exit::Shared { .. } => None,
        });
        let all = self.body.steps.iter().flat_map(|step| &step.inputs).chain(exits);
        all.filter(move |located| located.place == Place::Input(input))
    }

    /// What all turns together touch.
    fn footprint(&self, end: usize) -> Footprint {
        let mut footprint = Footprint::of(&self.inputs, &self.outputs);
        let words = (end - self.arena) / 4;
        let room = Layout::new([words].into(), Strides::from_slice(&[1]), self.arena / 4);
        footprint.write(Footprint::stretch(Slot::Arena, &View::new(room, DType::F32)));
        footprint
    }

    /// The kernels of all turns.
    fn series(&self, queue: &mut Queue) -> Result<Option<Series>> {
        let mut series = Series::default();
        let length = self.op.length;
        let scratch = queue.scratch.clone();
        let mut turn = |turn: usize| -> Result<Option<Vec<Text>>> {
            let mut own = Queue::new(queue.operands, Arc::clone(&queue.choices), scratch.clone());
            let texts = self.turn(turn, &mut own)?;
            queue.scratch = own.scratch;
            Ok(texts)
        };
        let mut made = Vec::new();
        let firsts = if length <= FEW { 0..length } else { 0..5 };
        for number in firsts {
            let Some(texts) = turn(number)? else { return Ok(None) };
            made.push(texts);
        }
        if let [_, first, rest @ ..] = &made[..]
            && length > FEW
        {
            let (Some(near), Some(last)) = (turn(length - 2)?, turn(length - 1)?) else { return Ok(None) };
            let words = |kernel: usize, turn: usize| {
                let sample = |at: usize| made[at][kernel].params.as_slice();
                at_turn([sample(1), sample(2), sample(3), sample(4)], 1, turn)
            };
            let regular = rest.iter().chain([&near]).all(|texts| alike(first, texts))
                && near.iter().enumerate().all(|(kernel, text)| text.params == words(kernel, length - 2));
            if regular {
                series.extend(&made[0]);
                let kernels: Vec<usize> = first.iter().map(|text| series.kernel(text)).collect();
                for number in 1..length - 1 {
                    let now = kernels.iter().enumerate();
                    series.order.extend(now.map(|(kernel, &place)| (place, words(kernel, number))));
                }
                series.extend(&last);
                return Ok(Some(series));
            }
            for number in made.len()..length {
                let Some(texts) = turn(number)? else { return Ok(None) };
                made.push(texts);
            }
        }
        for texts in &made {
            series.extend(texts);
        }
        Ok(Some(series))
    }

    /// The dispatches of one turn.
    fn turn(&self, turn: usize, queue: &mut Queue) -> Result<Option<Vec<Text>>> {
        for step in &self.body.steps {
            let views =
                |side: &[Located]| side.iter().map(|located| self.at(located, turn)).collect::<Result<Vec<_>>>();
            let (inputs, outputs) = (views(&step.inputs)?, views(&step.outputs)?);
            // Checks are looked at by the plan, which does not know of turns.
            let checked = !lower::guards(&step.op, &inputs).is_empty();
            if checked || (!outputs.is_empty() && !queue.kernels(step, &inputs, &outputs)?) {
                return Ok(None);
            }
        }
        for exit in 0..self.body.exits.len() {
            if let Some(from) = self.handed_on(exit, turn)?
                && let Some(launch) = copy(&from, &self.target(exit, turn))?
            {
                queue.place(self.step, launch);
            }
        }
        let mut texts = Vec::new();
        for draft in &queue.drafts {
            let What::Kernels(kernels) = &draft.what else { return Ok(None) };
            let whole = merged(kernels);
            if whole.bindings.len() > queue.operands {
                return Ok(None);
            }
            texts.push(whole.text());
        }
        Ok(Some(texts))
    }

    /// A value that leaves a turn without being written by a kernel of the body, unless it already lies where it goes.
    fn handed_on(&self, exit: usize, turn: usize) -> Result<Option<View>> {
        match &self.body.exits[exit] {
            Exit::Written(_) => Ok(None),
            Exit::Replaced { .. } => Err(Error::bug("scan", "a body that replaces an input")),
            Exit::Alias(located) => {
                let kept = self.homes.contains(&Home::Before(exit));
                if kept || self.afterwards(exit).is_some() { Ok(None) } else { self.at(located, turn).map(Some) }
            }
            Exit::Shared { output, layout } => {
                let kept = self.homes.get(*output) == Some(&Home::After(exit));
                if kept { Ok(None) } else { composed(&self.target(*output, turn), layout).map(Some) }
            }
        }
    }

    /// The carry that an output stacks as each turn finds it, if another output has all values but the first.
    fn afterwards(&self, exit: usize) -> Option<(usize, usize)> {
        let Exit::Alias(Located { place: Place::Input(input), layout, meta }) = self.body.exits.get(exit)? else {
            return None;
        };
        let carry = input.checked_sub(self.op.consts).filter(|&carry| carry < self.op.carries)?;
        let Home::After(stack) = self.homes[carry] else { return None };
        (exit >= self.op.carries && *layout == Layout::contiguous(meta.shape.clone())).then_some((carry, stack))
    }

    /// What is left to do after the last turn.
    fn leave(&self) -> Result<Vec<Launch>> {
        let op = self.op;
        let mut launches = Vec::new();
        for (carry, to) in self.outputs[..op.carries].iter().enumerate() {
            let from = match op.length.checked_sub(1) {
                None => self.inputs[op.consts + carry].clone(),
                Some(last) => self.target(carry, last),
            };
            if (from.home, &from.layout) != (to.home, &to.layout) {
                launches.extend(copy(&from, to)?);
            }
        }
        for (exit, to) in self.outputs.iter().enumerate().filter(|_| op.length > 0) {
            if let Some((carry, stack)) = self.afterwards(exit) {
                launches.extend(copy(&self.inputs[op.consts + carry], &slice(op, to, 0))?);
                launches.extend(copy(&run(op, &self.outputs[stack], 0), &run(op, to, 1))?);
            }
        }
        Ok(launches)
    }

    /// Where an output of a turn goes.
    fn target(&self, exit: usize, turn: usize) -> View {
        let output = &self.outputs[exit];
        let last = turn + 1 == self.op.length;
        let straight = output.home == Some(Slot::Arena);
        match self.homes.get(exit) {
            None => slice(self.op, output, turn),
            Some(Home::After(stack)) => slice(self.op, &self.outputs[*stack], turn),
            Some(_) if last && straight => output.clone(),
            Some(Home::Before(stack)) if !last => slice(self.op, &self.outputs[*stack], turn + 1),
            Some(_) => self.between[exit][turn % 2].clone(),
        }
    }

    /// What a turn finds in an input of the body.
    fn input(&self, input: usize, turn: usize) -> View {
        let carry = input.checked_sub(self.op.consts);
        match carry.map(|carry| (carry, self.homes.get(carry))) {
            None => self.inputs[input].clone(),
            Some((_, None)) => slice(self.op, &self.inputs[input], turn),
            Some((_, Some(_))) if turn == 0 => self.inputs[input].clone(),
            Some((carry, Some(_))) => self.target(carry, turn - 1),
        }
    }

    /// Where a value of the body lies at a turn.
    fn at(&self, located: &Located, turn: usize) -> Result<View> {
        let (layout, dtype) = (&located.layout, located.meta.dtype);
        match located.place {
            Place::Arena(start) => {
                let start = (self.arena + start) / element_size(dtype, self.device);
                let whole = View { home: Some(Slot::Arena), ..View::new(layout.clone(), dtype) };
                Ok(moved(&whole, layout, start))
            }
            Place::Constant(place) => {
                let home = Some(Slot::Constant(self.constants + place));
                Ok(View { home, ..View::new(layout.clone(), dtype) })
            }
            Place::Input(input) => composed(&self.input(input, turn), layout),
            Place::Output(exit) => composed(&self.target(exit, turn), layout),
        }
    }
}

/// A layout that starts so many elements later.
fn moved(view: &View, layout: &Layout, by: usize) -> View {
    let strides = Strides::from_slice(layout.strides());
    view.with(Layout::new(layout.shape().clone(), strides, layout.offset() + by))
}

/// A layout of row-major elements, of elements that lie as a view says; none where strides cannot say so.
fn compose(base: &View, layout: &Layout) -> Option<View> {
    if base.layout.is_contiguous() {
        return Some(moved(base, layout, base.layout.offset()));
    }
    let whole = layout.is_contiguous() && layout.shape().numel() == base.shape().numel();
    Some(base.with(base.layout.reshape(layout.shape()).filter(|_| whole)?))
}

fn composed(base: &View, layout: &Layout) -> Result<View> {
    compose(base, layout).ok_or_else(|| Error::bug("scan", "a value that lies in no order"))
}

fn copy(from: &View, to: &View) -> Result<Option<Launch>> {
    if to.shape().numel() == 0 {
        return Ok(None);
    }
    map::copy((Slot::Input(0), from.clone()), (Slot::Output(0), to)).map(Some)
}
