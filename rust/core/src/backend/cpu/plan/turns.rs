//! Loops inside a plan: the body is made ready once, and every turn runs it on slices, where they lie.
//!
//! Where the body keeps the rows of its values apart, as recurrent layers do with the sequences of a batch, the rows are
//! parted among tasks, each of which runs all turns for its own: threads meet once for a loop, not at every turn.

use super::super::arena::{Memories, Memory};
use super::super::copy;
use super::super::kernel::Src;
use super::cut::{Cutting, cost};
use super::panels::lifted;
use super::pieces::copy_of;
use super::prepare::{Kernel, Operand, Ready, Slots, aliases, alone, operand, ready};
use super::stage::{Stage, stages};
use super::work;
use crate::buffer::Meta;
use crate::dtype::DType;
use crate::error::Result;
use crate::ir::op::ScanOp;
use crate::ir::plan::{Exit, Located, Place, Plan, Step};
use crate::layout::Layout;
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

/// Rows of a task at least, unless that leaves one task: products of fewer rows are slow.
const ROWS: usize = 32;

/// Tasks at most.
const TASKS: usize = 16;

/// Rows that are worth two tasks, and the nanoseconds of a loop that are.
const FEW: usize = 8;
const LEAST: f64 = 100_000.0;

/// A loop that is ready to run.
#[derive(Debug)]
pub(super) struct Turns {
    plan: Arc<Plan>,
    steps: Vec<Ready>,
    /// Parts of steps that each task runs at every turn.
    tasks: Stage,
    /// Bytes for what the body's steps leave each other.
    aside: usize,
    consts: usize,
    carries: usize,
    /// Inputs behind all others: right factors in panels, which hold for all turns.
    panels: usize,
    length: usize,
    reverse: bool,
}

/// Where each slot of the body lies during a turn.
type Table = SmallVec<[Memory; 64]>;

/// Make a loop ready, if the constants of its body lie row-major: copies of what does not, then the turns.
pub(super) fn turns(
    op: &ScanOp,
    plan: &Arc<Plan>,
    step: &Step,
    slots: Slots,
    cutting: Cutting,
    aside: &mut usize,
) -> Result<Option<Vec<Ready>>> {
    if plan.constants.iter().any(|constant| !constant.layout.is_contiguous()) {
        return Ok(None);
    }
    let mut ready = vec![];
    let mut given: SmallVec<[Located; 8]> = SmallVec::new();
    for input in &step.inputs {
        if input.layout.is_contiguous() {
            given.push(input.clone());
            continue;
        }
        let dense = room(slots, &input.meta, aside);
        ready.push(alone(&copy_of(input, dense.clone()), false, slots, cutting));
        given.push(dense);
    }
    let lifted = lifted(plan, &given[..op.consts.min(given.len())], slots, aside);
    ready.extend(lifted.packs);
    let (plan, panels) = (lifted.plan, lifted.panels.len());
    given.extend(lifted.panels);
    let metas = |side: &[Located]| -> Vec<Meta> { side.iter().map(|located| located.meta.clone()).collect() };
    let (read, written) = (metas(&step.inputs), metas(&step.outputs));
    let cost = cost(&step.op, &read.iter().collect::<Vec<_>>(), &written.iter().collect::<Vec<_>>());
    let parted = match cutting {
        Cutting::Worth(_) if cost >= LEAST => parted(op, &plan, panels)?,
        _ => None,
    };
    let (steps, tasks, left) = if let Some(parted) = parted {
        parted
    } else {
        let (steps, left) = body(&plan, panels, Cutting::Never)?;
        let whole = Stage::whole(&steps);
        (steps, whole, left)
    };
    let (consts, carries, length, reverse) = (op.consts, op.carries, op.length, op.reverse);
    let turns = Turns { plan, steps, tasks, aside: left, consts, carries, panels, length, reverse };
    let room = room(slots, &Meta::new([turns.room()], DType::U8), aside);
    let inputs = given.iter().map(|input| operand(slots, input, None)).collect();
    let outputs = step.outputs.iter().chain([&room]).map(|output| operand(slots, output, None)).collect();
    let parts = turns.tasks.tasks.len();
    let (kernel, origin) = (Kernel::Turns(Box::new(turns)), step.origin.clone());
    ready.push(Ready { kernel, inputs, outputs, parts, staged: false, cost, origin, step: 0 });
    Ok(Some(ready))
}

/// A place beside the plan for a value.
fn room(slots: Slots, meta: &Meta, aside: &mut usize) -> Located {
    let start = *aside;
    *aside += meta.bytes().next_multiple_of(64);
    slots.aside(start, meta.clone())
}

/// The steps of a body, and bytes for what they leave each other. What leaves without being written is copied by a step, too.
fn body(plan: &Plan, panels: usize, cutting: Cutting) -> Result<(Vec<Ready>, usize)> {
    let (mut steps, _, aside) = ready(plan, panels, cutting)?;
    for (number, exit) in plan.exits.iter().enumerate() {
        let from = match exit {
            Exit::Written(_) | Exit::Replaced { .. } => continue,
            Exit::Alias(located) => located.clone(),
            Exit::Shared { output, layout } => {
                let meta = Meta::new(layout.shape().clone(), plan.exit_dtype(*output)?);
                Located { place: Place::Output(*output), layout: layout.clone(), meta }
            }
        };
        let layout = Layout::contiguous(from.meta.shape.clone());
        let to = Located { place: Place::Output(number), layout, meta: from.meta.clone() };
        steps.push(alone(&copy_of(&from, to), false, Slots::of(plan), cutting));
    }
    Ok((steps, aside))
}

/// The body cut at rows that never mix, with the tasks that this gives; nothing where rows do mix.
///
/// Tasks run all turns without waiting for each other. That is sound because no two of them touch the same bytes at any
/// turn, with a carry's old and new value counted as the same bytes: so `stages` has found, whatever their order.
fn parted(op: &ScanOp, plan: &Plan, panels: usize) -> Result<Option<(Vec<Ready>, Stage, usize)>> {
    let carried = plan.inputs.get(op.consts).filter(|_| op.carries > 0);
    let Some(&whole) = carried.and_then(|meta| meta.shape.iter().find(|&&size| size > 1)) else { return Ok(None) };
    let parts = (whole / ROWS).clamp(2, TASKS);
    if whole < FEW {
        return Ok(None);
    }
    let (steps, aside) = body(plan, panels, Cutting::Rows { whole, part: whole.div_ceil(parts) })?;
    let slots = Slots::of(plan);
    let mut aliases = aliases(plan, slots);
    for carry in 0..op.carries {
        aliases[slots.output(carry)] = Slots::input(op.consts + carry);
    }
    let mut stages = stages(&steps, usize::MAX, &aliases);
    let found = stages.pop().filter(|stage| stages.is_empty() && stage.tasks.len() > 1);
    Ok(found.map(|tasks| (steps, tasks, aside)))
}

/// Memory of which pieces are taken from the front.
struct Rest(Memory, usize);

impl Rest {
    /// So many bytes, in whole cache lines.
    fn take(&mut self, bytes: usize) -> Memory {
        let start = self.1;
        self.1 += bytes.next_multiple_of(64);
        self.0.part(start, bytes)
    }
}

impl Turns {
    /// What goes from turn to turn.
    fn carried(&self) -> impl Iterator<Item = &Meta> {
        self.plan.inputs[self.consts..][..self.carries].iter()
    }

    /// Bytes that the turns work in: the body's arena, what its steps leave each other, and two places for each carry.
    fn room(&self) -> usize {
        let lines = |bytes: usize| bytes.next_multiple_of(64);
        let carried: usize = self.carried().map(|meta| lines(meta.bytes())).sum();
        lines(self.plan.arena) + lines(self.aside) + 2 * carried
    }

    /// Run all turns of one task.
    pub(super) fn run(&self, step: &Ready, task: usize, memories: Memories<'_>) -> Result<()> {
        let lies = |operand: &Operand| memories.within(operand.slot, operand.part(0, 1).1);
        let given = step.inputs.iter().map(lies).collect::<Result<Table>>()?;
        let mut wanted = step.outputs.iter().map(lies).collect::<Result<Table>>()?;
        let mut room = Rest(wanted.pop().unwrap_or(Memory::EMPTY), 0);
        if self.length == 0 {
            return if task == 0 { self.hand_on(step, memories) } else { Ok(()) };
        }
        let (arena, aside) = (room.take(self.plan.arena), room.take(self.aside));
        let mut carry = || self.carried().map(|meta| room.take(meta.bytes())).collect::<SmallVec<[Memory; 8]>>();
        let between = [carry(), carry()];
        let mut table: Table = smallvec![arena];
        table.extend_from_slice(&given);
        for constant in &self.plan.constants {
            let start = constant.layout.offset() * constant.dtype.size();
            table.push(Memory::read(&constant.host("scan")?[start..]));
        }
        let exits = table.len();
        table.extend_from_slice(&wanted);
        table.push(aside);
        let scanned = self.consts + self.carries..self.plan.inputs.len() - self.panels;
        for turn in 0..self.length {
            let place = if self.reverse { self.length - 1 - turn } else { turn };
            for (k, (old, new)) in between[(turn + 1) % 2].iter().zip(&between[turn % 2]).enumerate() {
                table[1 + self.consts + k] = if turn == 0 { given[self.consts + k] } else { *old };
                table[exits + k] = if turn + 1 == self.length { wanted[k] } else { *new };
            }
            for i in scanned.clone() {
                let bytes = self.plan.inputs[i].bytes();
                table[Slots::input(i)] = given[i].part(place * bytes, bytes);
            }
            for (k, stack) in wanted.iter().enumerate().skip(self.carries) {
                let bytes = stack.len() / self.length;
                table[exits + k] = stack.part(place * bytes, bytes);
            }
            let memories = Memories::new(&table);
            for &(at, part) in &self.tasks.tasks[task] {
                work::run(&self.steps[at as usize], part as usize, memories)?;
            }
        }
        Ok(())
    }

    /// A loop of no turns gives its carries as they are.
    fn hand_on(&self, step: &Ready, memories: Memories<'_>) -> Result<()> {
        for (from, to) in step.inputs[self.consts..].iter().zip(&step.outputs).take(self.carries) {
            let ((read, bytes), (_, target)) = (from.part(0, 1), to.part(0, 1));
            let source =
                Src { bytes: memories.reading(from.slot, bytes)?, layout: &read.layout, dtype: read.meta.dtype };
            copy::strided(&source, &read.layout, memories.writing(to.slot, target)?, &read.layout)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::prepare::prepare;
    use super::*;
    use crate::ir::op::{BinaryOp, Op, UnaryOp};
    use crate::ir::program::Program;

    /// `h' = tanh(h w)`, or `h' = tanh(w h)`, in which rows mix.
    fn plan(rows: usize, mixed: bool) -> Plan {
        let meta = |shape: &[usize]| Meta::new(shape, DType::F32);
        let at = |place: Place, shape: &[usize]| Located {
            place,
            layout: Layout::contiguous(shape.into()),
            meta: meta(shape),
        };
        let step = |op: Op, inputs: &[&Located], output: &Located| Step {
            op,
            body: None,
            inputs: inputs.iter().map(|&input| input.clone()).collect(),
            outputs: smallvec![output.clone()],
            origin: None,
        };
        let state = [rows, 32];
        let weights = if mixed { [rows, rows] } else { [32, 32] };
        let [w, h] = [at(Place::Input(0), &weights), at(Place::Input(1), &state)];
        let [product, new] = [at(Place::Arena(0), &state), at(Place::Output(0), &state)];
        let factors = if mixed { [&w, &h] } else { [&h, &w] };
        let body = Plan {
            steps: vec![step(Op::MatMul, &factors, &product), step(Op::Unary(UnaryOp::Tanh), &[&product], &new)],
            arena: product.meta.bytes(),
            inputs: vec![w.meta.clone(), h.meta.clone()],
            exits: vec![Exit::Written(h.meta.clone())],
            ..Plan::default()
        };
        let mut program = Program::with_inputs(body.inputs.clone());
        let metas = std::slice::from_ref(&h.meta);
        let inputs = if mixed { smallvec![0, 1] } else { smallvec![1, 0] };
        let result = program.push(Op::MatMul, inputs, metas, None);
        program.outputs = vec![program.push(Op::Binary(BinaryOp::Add), smallvec![result, result], metas, None)];
        let op = ScanOp { body: Arc::new(program), consts: 1, carries: 1, length: 1000, reverse: false };
        let turns = Step { body: Some(Arc::new(body)), ..step(Op::Scan(op), &[&w, &h], &new) };
        Plan {
            steps: vec![turns],
            inputs: vec![w.meta, h.meta.clone()],
            exits: vec![Exit::Written(h.meta)],
            ..Plan::default()
        }
    }

    fn tasks(rows: usize, mixed: bool) -> usize {
        prepare(&plan(rows, mixed)).unwrap().steps.last().unwrap().parts
    }

    #[test]
    fn a_right_factor_that_holds_for_all_turns_is_packed_before_them() {
        let packs = |mixed: bool| {
            let steps = prepare(&plan(64, mixed)).unwrap().steps;
            steps.iter().filter(|step| matches!(step.kernel, Kernel::Panels)).count()
        };
        assert_eq!([packs(false), packs(true)], [1, 0]);
    }

    #[test]
    fn rows_that_never_mix_are_parted_among_tasks() {
        assert_eq!([8, 64, 71, 100, 10_000].map(|rows| tasks(rows, false)), [2, 2, 2, 3, 16]);
        assert_eq!([1, 7].map(|rows| tasks(rows, false)), [1, 1], "too few");
        assert_eq!([8, 64, 100].map(|rows| tasks(rows, true)), [1, 1, 1], "each row needs all others");
    }
}
