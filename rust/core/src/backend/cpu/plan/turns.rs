//! Loops inside a plan: the body is made ready once, and every turn runs it on slices, where they lie.

use super::super::arena::{Memories, Memory};
use super::super::kernel::{Dst, Src};
use super::super::{copy, scratch};
use super::prepare::{Prepared, Slots, prepare};
use super::work;
use crate::buffer::Meta;
use crate::error::{Error, Result};
use crate::ir::op::ScanOp;
use crate::ir::plan::{Exit, Located, Place, Plan};
use crate::layout::Layout;
use smallvec::SmallVec;
use std::sync::Arc;

/// A loop that is ready to run.
#[derive(Debug)]
pub(super) struct Turns {
    plan: Arc<Plan>,
    body: Prepared,
    consts: usize,
    carries: usize,
    length: usize,
    reverse: bool,
}

/// Where each slot of the body lies during a turn.
type Table = SmallVec<[Memory; 64]>;

/// Make a loop ready, if the constants of its body lie row-major.
pub(super) fn turns(op: &ScanOp, plan: &Arc<Plan>) -> Result<Option<Turns>> {
    if plan.constants.iter().any(|constant| !constant.layout.is_contiguous()) {
        return Ok(None);
    }
    let (consts, carries, length, reverse) = (op.consts, op.carries, op.length, op.reverse);
    let body = prepare(plan, false)?;
    Ok(Some(Turns { plan: Arc::clone(plan), body, consts, carries, length, reverse }))
}

/// Bytes of a value, in whole cache lines.
fn room(meta: &Meta) -> usize {
    meta.bytes().next_multiple_of(64)
}

/// Memory of which pieces are taken from the front.
struct Rest<'a>(&'a mut [u8]);

impl<'a> Rest<'a> {
    /// So many bytes, in whole cache lines.
    fn take(&mut self, bytes: usize) -> &'a mut [u8] {
        let (front, rest) = std::mem::take(&mut self.0).split_at_mut(bytes.next_multiple_of(64));
        self.0 = rest;
        &mut front[..bytes]
    }
}

impl Turns {
    /// Run all turns: the last carries, then the outputs stacked.
    pub(super) fn run(&self, sources: &[Src<'_>], targets: &mut [Dst<'_>]) -> Result<()> {
        let carried: usize = self.carried().map(room).sum();
        let copied: usize = sources.iter().filter(|source| !source.layout.is_contiguous()).map(bytes).sum();
        let whole = self.plan.arena.next_multiple_of(64) + self.body.aside.next_multiple_of(64) + 2 * carried + copied;
        scratch::with::<u8, _>(whole, |memory| self.turn_all(sources, targets, memory))
    }

    /// What goes from turn to turn.
    fn carried(&self) -> impl Iterator<Item = &Meta> {
        self.plan.inputs[self.consts..][..self.carries].iter()
    }

    fn turn_all<'a>(&self, sources: &[Src<'a>], targets: &mut [Dst<'_>], memory: &'a mut [u8]) -> Result<()> {
        let mut memory = Rest(memory);
        let mut table: Table = SmallVec::new();
        table.push(Memory::write(memory.take(self.plan.arena)));
        let aside = Memory::write(memory.take(self.body.aside));
        let mut dense: SmallVec<[&[u8]; 16]> = SmallVec::new();
        for source in sources {
            dense.push(elements(source, &mut memory)?);
        }
        let mut old: SmallVec<[&mut [u8]; 8]> = SmallVec::new();
        let mut new: SmallVec<[&mut [u8]; 8]> = SmallVec::new();
        for (meta, first) in self.carried().zip(&dense[self.consts..]) {
            let carry = memory.take(meta.bytes());
            carry.copy_from_slice(&first[..meta.bytes()]);
            old.push(carry);
            new.push(memory.take(meta.bytes()));
        }
        for turn in 0..self.length {
            let place = if self.reverse { self.length - 1 - turn } else { turn };
            table.truncate(1);
            table.extend(dense[..self.consts].iter().map(|bytes| Memory::read(bytes)));
            table.extend(old.iter().map(|carry| Memory::read(carry)));
            let scanned = self.plan.inputs.iter().zip(&dense).skip(self.consts + self.carries);
            table.extend(scanned.map(|(meta, bytes)| Memory::read(&bytes[place * meta.bytes()..][..meta.bytes()])));
            for constant in &self.plan.constants {
                let start = constant.layout.offset() * constant.dtype.size();
                table.push(Memory::read(&constant.host("scan")?[start..]));
            }
            for exit in 0..self.plan.exits.len() {
                table.push(Memory::write(self.exit(exit, place, &mut new, targets)));
            }
            table.push(aside);
            let memories = Memories::new(&table);
            self.body.steps.iter().try_for_each(|step| work::run(step, 0, memories))?;
            self.leave(memories)?;
            std::mem::swap(&mut old, &mut new);
        }
        targets.iter_mut().zip(&old).for_each(|(target, carry)| target.bytes.copy_from_slice(carry));
        Ok(())
    }

    /// Where an exit of the body lies: a carry of the next turn, or a slice of a stacked output.
    fn exit<'t>(
        &self,
        exit: usize,
        place: usize,
        new: &'t mut [&mut [u8]],
        targets: &'t mut [Dst<'_>],
    ) -> &'t mut [u8] {
        if exit < self.carries {
            return &mut *new[exit];
        }
        let bytes = targets[exit].bytes.len() / self.length;
        &mut targets[exit].bytes[place * bytes..][..bytes]
    }

    /// Copy to their places those exits that the body has not written there.
    fn leave(&self, memories: Memories<'_>) -> Result<()> {
        let slots = self.body.slots;
        for (number, exit) in self.plan.exits.iter().enumerate() {
            let (slot, layout, size) = match exit {
                Exit::Written(_) | Exit::Replaced { .. } => continue,
                Exit::Alias(located) => (self.slot(located)?, &located.layout, located.meta.dtype.size()),
                Exit::Shared { output, layout } => (slots.output(*output), layout, self.size_of(*output)?),
            };
            let end = layout.span().map_or(0, |(_, high)| (high + 1) * size);
            let dtype = self.plan.exit_dtype(number)?;
            let source = Src { bytes: memories.reading(slot, 0..end)?, layout, dtype };
            let to = Layout::contiguous(layout.shape().clone());
            let out = memories.writing(slots.output(number), 0..layout.shape().numel() * size)?;
            copy::strided(&source, layout, out, &to)?;
        }
        Ok(())
    }

    fn slot(&self, located: &Located) -> Result<usize> {
        match located.place {
            Place::Input(i) => Ok(Slots::input(i)),
            Place::Constant(i) => Ok(self.body.slots.constant(i)),
            Place::Arena(_) | Place::Output(_) => Err(Error::bug("scan", "an exit without a place")),
        }
    }

    fn size_of(&self, output: usize) -> Result<usize> {
        Ok(self.plan.exit_dtype(output)?.size())
    }
}

fn bytes(source: &Src<'_>) -> usize {
    (source.layout.shape().numel() * source.dtype.size()).next_multiple_of(64)
}

/// The elements of a source row-major: where they lie, or copied.
fn elements<'a>(source: &Src<'a>, memory: &mut Rest<'a>) -> Result<&'a [u8]> {
    let count = source.layout.shape().numel() * source.dtype.size();
    if source.layout.is_contiguous() {
        return Ok(&source.bytes[source.layout.offset() * source.dtype.size()..][..count]);
    }
    let to = memory.take(count);
    copy::strided(source, source.layout, to, &Layout::contiguous(source.layout.shape().clone()))?;
    Ok(to)
}
