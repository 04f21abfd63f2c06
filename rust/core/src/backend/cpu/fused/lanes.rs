//! Bodies of whole arrays and numbers alone, none of them folded: every operand becomes an address that a tile moves on.
//!
//! So an instruction costs a call, and an output that lies over an input is written where that is read for the last time.

#![allow(unsafe_code, reason = "an output may lie just over an input, which no two slices may")]

use super::compile::{Code, Compiled, Source, TILE, Target};
use super::io::{Io, Real};
use super::loops::{self, COPIES, Run};
use crate::error::Result;
use smallvec::SmallVec;

/// Where an operand of a tile lies.
#[derive(Clone, Copy, Debug)]
struct Place<T> {
    first: *mut T,
    /// It moves on from tile to tile.
    moves: bool,
    /// It is copies of one number.
    copies: bool,
}

impl<T> Place<T> {
    fn at(self, start: usize) -> *mut T {
        self.first.wrapping_add(if self.moves { start } else { 0 })
    }
}

/// An instruction of known addresses.
#[derive(Debug)]
struct Bound<T> {
    code: Code,
    from: SmallVec<[Place<T>; 4]>,
    to: Place<T>,
    /// Outputs that take a copy of the result.
    copies: SmallVec<[Place<T>; 1]>,
}

/// Run the instructions of all tiles. `registers` are so many elements apart, from the first one on.
pub(super) fn run<T: Real>(
    code: &Compiled,
    io: &Io<'_, T>,
    count: usize,
    (registers, apart): (*mut T, usize),
) -> Result<()> {
    let register = |i: usize| registers.wrapping_add(i * apart);
    let output = |i: usize| -> Result<Place<T>> {
        let first = io.span(io.outputs_from() + i, count)?;
        Ok(Place { first, moves: true, copies: false })
    };
    let place = |source: Source| -> Result<Place<T>> {
        Ok(match source {
            Source::Register(i) => Place { first: register(i), moves: false, copies: false },
            Source::Copies(i) => Place { first: register(i), moves: false, copies: true },
            Source::Input(i) => Place { first: io.span(i, count)?, moves: true, copies: false },
            Source::Output(i) => output(i)?,
        })
    };
    let mut bound: SmallVec<[Bound<T>; 16]> = SmallVec::new();
    for load in &code.each.0 {
        let from = SmallVec::from_iter([place(Source::Input(load.input))?]);
        let to = place(Source::Register(load.register))?;
        bound.push(Bound { code: Code::Spread, from, to, copies: SmallVec::new() });
    }
    for instruction in &code.each.1 {
        let from = instruction.from.iter().map(|&source| place(source)).collect::<Result<_>>()?;
        let to = match instruction.to {
            Target::Register(i) => place(Source::Register(i))?,
            Target::Output(i) | Target::Fold(i) => output(i)?,
        };
        let copies = instruction.outputs.iter().map(|&i| output(i)).collect::<Result<_>>()?;
        bound.push(Bound { code: instruction.code, from, to, copies });
    }
    for start in (0..count).step_by(TILE) {
        let length = TILE.min(count - start);
        let ahead = start + length;
        for instruction in &bound {
            for from in instruction.from.iter().filter(|from| from.moves) {
                loops::fetch(from.at(ahead), TILE.min(count - ahead));
            }
            let from: SmallVec<[Run<T>; 4]> = instruction
                .from
                .iter()
                .map(|from| Run { first: from.at(start), copies: from.copies && length > COPIES })
                .collect();
            let to = instruction.to.at(start);
            // SAFETY: registers hold a tile, what moves `count` elements, copies `COPIES`. Results lie over an operand as a
            // whole or not at all, which the compiler has seen to.
            unsafe {
                loops::lanewise(instruction.code, &from, to, length)?;
                for copy in &instruction.copies {
                    std::ptr::copy_nonoverlapping(to, copy.at(start), length);
                }
            }
        }
    }
    Ok(())
}
