//! Instructions with the addresses of what they read and write, so that on a tile each costs one call.

#![allow(unsafe_code, reason = "an output may lie just over an input, which no two slices may")]

use super::compile::{Class, Code, Instruction, Source, Target};
use super::io::{Io, Real};
use super::joined::Joined;
use super::loops::{self, COPIES, Loop, OPERANDS, Run, resolve};
use super::tile::Tile;
use crate::backend::cpu::native::{self, Native};
use crate::error::{Error, Result};
use smallvec::SmallVec;
use std::ops::Range;
use std::slice;

/// Registers: memory of one tile each, `apart` elements from one another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Registers<T> {
    pub(super) first: *mut T,
    pub(super) apart: usize,
    pub(super) count: usize,
}

impl<T> Registers<T> {
    /// Address of one of them.
    fn at(self, register: usize) -> Result<*mut T> {
        if register < self.count { Ok(self.first.wrapping_add(register * self.apart)) } else { Err(outside()) }
    }

    /// The first elements of one.
    ///
    /// # Safety
    /// No other borrow of the register lasts.
    pub(super) unsafe fn borrow<'a>(self, register: usize, count: usize) -> Result<&'a mut [T]> {
        if count > self.apart {
            return Err(outside());
        }
        // SAFETY: a register holds `apart` elements, and the caller promises that nothing else borrows them.
        Ok(unsafe { slice::from_raw_parts_mut(self.at(register)?, count) })
    }
}

/// Where an operand lies; from tile to tile it moves on as a value of some class does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<T> {
    first: *mut T,
    moves: Class,
    /// It is copies of one number.
    copies: bool,
}

impl<T> Place<T> {
    fn at(&self, tile: &Tile) -> *mut T {
        self.first.wrapping_add(tile.start(self.moves))
    }
}

/// What computes an instruction.
#[derive(Debug)]
enum Work<'c, T> {
    Loop(Loop<T>),
    /// Code for a run of instructions that ends with this one, and which of the places its operands lie at.
    Native(&'c Native, Range<usize>),
    /// What there is no loop for.
    Other,
}

/// An instruction of known addresses.
#[derive(Debug)]
pub(super) struct Bound<'c, T> {
    pub(super) instruction: &'c Instruction,
    work: Work<'c, T>,
    /// Operands, where no machine code has its own.
    from: [Place<T>; OPERANDS],
    to: Place<T>,
}

impl<T: Real> Bound<'_, T> {
    /// Compute the elements under a tile with a loop or with machine code, whose operands lie at `places`; false where
    /// there is neither.
    #[inline]
    pub(super) fn each(&self, places: &[Place<T>], tile: &Tile) -> bool {
        let count = tile.count(self.instruction.class);
        match &self.work {
            Work::Loop(run) => {
                let from =
                    self.from.each_ref().map(|place| Run { first: place.at(tile).cast_const(), copies: place.copies });
                // SAFETY: binding has seen that operands and result hold what the tiles of the space reach, and registers
                // a tile. A result lies over an operand as a whole or not at all, which the compiler has seen to.
                unsafe { run(&from, self.to.at(tile), count) };
            }
            Work::Native(native, range) => {
                let mut operands = [std::ptr::null_mut(); native::OPERANDS];
                for (operand, place) in operands.iter_mut().zip(&places[range.clone()]) {
                    *operand = place.at(tile);
                }
                // SAFETY: as above.
                unsafe { native.run(&operands, count) };
            }
            Work::Other => return false,
        }
        true
    }

    /// Compute them with the kernel of the op.
    pub(super) fn alone(&self, tile: &Tile) -> Result<()> {
        let last = self.instruction.from.len().saturating_sub(1).min(1);
        let from =
            [&self.from[0], &self.from[last]].map(|place| Run { first: place.at(tile).cast_const(), copies: false });
        // SAFETY: as for `each`; only loops take copies of a number.
        unsafe { loops::alone(self.instruction.code, from, self.to.at(tile), tile.count(self.instruction.class)) }
    }

    /// Let the result be the first operand as it is, wherever the two lie.
    pub(super) fn same(&self, tile: &Tile) {
        // SAFETY: as for `each`.
        unsafe { std::ptr::copy(self.from[0].at(tile), self.to.at(tile), tile.count(self.instruction.class)) };
    }

    /// The elements of the first operand, which is no copies of a number.
    pub(super) fn read(&self, tile: &Tile) -> &[T] {
        // SAFETY: as for `each`; instructions whose operand is of another class do not write over it.
        unsafe { slice::from_raw_parts(self.from[0].at(tile), tile.count(self.instruction.reads())) }
    }

    /// The elements of the result.
    #[allow(clippy::mut_from_ref, reason = "the memory is the plan's, and one instruction at a time touches it")]
    pub(super) fn result(&self, tile: &Tile) -> &mut [T] {
        let whole = if self.instruction.code == Code::Copies { COPIES } else { tile.count(self.instruction.class) };
        // SAFETY: as for `each`.
        unsafe { slice::from_raw_parts_mut(self.to.at(tile), whole) }
    }
}

/// Instructions of a body, bound. They are large, so they are filled where they lie.
#[derive(Debug)]
pub(super) struct Bounds<'c, T> {
    pub(super) bounds: SmallVec<[Bound<'c, T>; 32]>,
    /// Where operands of machine code lie.
    pub(super) places: SmallVec<[Place<T>; 64]>,
}

impl<T> Bounds<'_, T> {
    pub(super) fn new() -> Self {
        Self { bounds: SmallVec::new(), places: SmallVec::new() }
    }
}

/// Find the addresses of instructions in an iteration space of so many rows and columns.
pub(super) fn bind<'c, T: Real>(
    instructions: &'c [Instruction],
    joined: &'c [Joined],
    io: &Io<'_, T>,
    registers: Registers<T>,
    space: &Tile,
    result: &mut Bounds<'c, T>,
) -> Result<()> {
    let still = |first: *mut T, copies: bool| Place { first, moves: Class::Number, copies };
    let source = |source: Source, class: Class| -> Result<Place<T>> {
        Ok(match source {
            Source::Register(i) => still(registers.at(i)?, false),
            Source::Copies(i) => still(registers.at(i)?, true),
            Source::Input(i) => Place { first: io.address(i, space.count(class))?, moves: class, copies: false },
            Source::Output(i) => Place { first: io.address_out(i, space.count(class))?, moves: class, copies: false },
        })
    };
    let mut joined = joined.iter().peekable();
    let mut at = 0;
    while let Some(mut instruction) = instructions.get(at) {
        let run = joined.next_if(|run| run.instructions.start == at);
        if let Some(run) = run {
            at = run.instructions.end - 1;
            instruction = &instructions[at];
        }
        at += 1;
        let work = match run {
            Some(run) => {
                let first = result.places.len();
                for &operand in &run.operands {
                    result.places.push(source(operand, instruction.class)?);
                }
                Work::Native(&run.native, first..result.places.len())
            }
            None => resolve(instruction.code).map_or(Work::Other, |way| Work::Loop(way.run)),
        };
        let mut from = [still(std::ptr::null_mut(), false); OPERANDS];
        if run.is_none() {
            for (from, &operand) in from.iter_mut().zip(&instruction.from) {
                *from = source(operand, instruction.reads())?;
            }
        }
        let to = match instruction.to {
            Target::Register(i) => still(registers.at(i)?, false),
            Target::Output(i) => source(Source::Output(i), instruction.class)?,
            Target::Fold(_) => still(std::ptr::null_mut(), false),
        };
        result.bounds.push(Bound { instruction, work, from, to });
    }
    Ok(())
}

fn outside() -> Error {
    Error::bug("fused", "an operand outside its memory")
}
