//! A compiled body, run tile by tile: some rows at a time, or a run of elements where rows do not matter.

#![allow(unsafe_code, reason = "loops take the addresses of slices")]

use super::compile::{Class, Code, Compiled, Instruction, Load, REGISTERS, Source, TILE, Target};
use super::io::{Io, Real};
use super::lanes;
use super::loops::{self, COPIES, Run};
use crate::backend::cpu::fold::{Fold, Largest, Product, Smallest, Sum, add_rows};
use crate::backend::cpu::rows::along;
use crate::backend::cpu::scratch;
use crate::error::{Error, Result};
use crate::ir::op::ReduceOp;
use crate::layout::Layout;
use crate::shape::Shape;
use smallvec::SmallVec;

/// Registers, each of one tile.
type File<'a, T> = SmallVec<[&'a mut [T]; REGISTERS]>;

/// Elements between two registers beside their tiles, so that tiles whose size is a power of two do not crowd one another
/// out of the same few places of the first cache.
const GAP: usize = 16;

/// Elements of a block that a fold of a row takes at once, as a reduction that runs alone.
const BLOCK: usize = 256;

/// Rows and columns that are worked on.
#[derive(Clone, Copy, Debug)]
struct Tile {
    row: usize,
    rows: usize,
    column: usize,
    columns: usize,
}

impl Tile {
    fn count(self, class: Class) -> usize {
        match class {
            Class::Full => self.rows * self.columns,
            Class::Row => self.rows,
            Class::Column => self.columns,
            Class::Number => 1,
        }
    }

    /// Place of the tile's first element in a row-major value with so many columns.
    fn first(self, class: Class, columns: usize) -> usize {
        match class {
            Class::Full => self.row * columns + self.column,
            Class::Row => self.row,
            Class::Column | Class::Number => 0,
        }
    }
}

/// Run one part of a body, which has this iteration space.
pub(super) fn run<T: Real>(code: &Compiled, io: &Io<'_, T>, space: &Shape) -> Result<()> {
    let columns = space.last().copied().unwrap_or(1);
    let rows = space.numel().checked_div(columns).unwrap_or(0);
    let (rows, columns) = if code.flat { (1, rows * columns) } else { (rows, columns) };
    let wide = if code.flat { columns.min(TILE) } else { columns };
    let tall = (TILE / wide.max(1)).clamp(1, rows.max(1));
    let tile = (tall * wide).max(COPIES);
    let totals: usize = code.folds.iter().map(|fold| if fold.number { 1 } else { columns }).sum();
    scratch::with::<T, _>((tile + GAP) * code.registers, |memory| {
        scratch::with::<f64, _>(totals, |totals| {
            totals.fill(0.0);
            let mut file: File<'_, T> = memory.chunks_exact_mut(tile + GAP).collect();
            let mut machine = Machine { code, io, space, columns, totals };
            let mut at = Tile { row: 0, rows: tall.min(rows), column: 0, columns: wide };
            machine.all(&code.once.0, &code.once.1, at, &mut file)?;
            if code.lanes {
                drop(file);
                return lanes::run(code, io, columns, (memory.as_mut_ptr(), tile + GAP));
            }
            while at.row < rows && columns > 0 {
                at.rows = tall.min(rows - at.row);
                at.columns = wide.min(columns - at.column);
                machine.all(&code.each.0, &code.each.1, at, &mut file)?;
                at.column += at.columns;
                if at.column == columns {
                    (at.row, at.column) = (at.row + at.rows, 0);
                }
            }
            machine.finish()
        })
    })
}

struct Machine<'m, 'i, T: Real> {
    code: &'m Compiled,
    io: &'m Io<'i, T>,
    space: &'m Shape,
    /// Columns of the whole space.
    columns: usize,
    totals: &'m mut [f64],
}

impl<T: Real> Machine<'_, '_, T> {
    fn all(&mut self, loads: &[Load], instructions: &[Instruction], tile: Tile, file: &mut File<'_, T>) -> Result<()> {
        for load in loads {
            self.load(load, tile, file[load.register])?;
        }
        instructions.iter().try_for_each(|instruction| self.step(instruction, tile, file))
    }

    /// Bring the elements of a tile together.
    fn load(&self, load: &Load, tile: Tile, to: &mut [T]) -> Result<()> {
        let (layout, count) = (self.io.layout(load.input)?, tile.count(load.class));
        if self.code.inputs[load.input].truth {
            let source = self.io.truths(load.input)?;
            let [no, yes] = [0.0, 1.0].map(T::round_from);
            self.gather((layout, load.class), tile, source, to, |truth| if truth == 0 { no } else { yes });
            return Ok(());
        }
        let source = self.io.input(load.input)?;
        let first = tile.first(load.class, self.columns);
        match source.get(first..first + count) {
            Some(run) if layout.is_contiguous() && !load.mixed => to[..count].copy_from_slice(run),
            _ => self.gather((layout, load.class), tile, source, to, |x| x),
        }
        Ok(())
    }

    fn step(&mut self, instruction: &Instruction, tile: Tile, file: &mut File<'_, T>) -> Result<()> {
        let count = if instruction.code == Code::Copies { COPIES } else { tile.count(instruction.class) };
        match instruction.to {
            Target::Register(register) => {
                let to = std::mem::take(&mut file[register]);
                let done = self.compute(instruction, tile, file, &mut to[..count]);
                file[register] = to;
                done?;
                for &output in &instruction.outputs {
                    self.store(output, instruction.class, tile, &file[register][..count])?;
                }
                Ok(())
            }
            Target::Output(output) => {
                let first = tile.first(instruction.class, self.columns);
                let to = self.io.output(output)?.get_mut(first..first + count).ok_or_else(outside)?;
                self.compute(instruction, tile, file, to)
            }
            Target::Fold(fold) => {
                let start: usize =
                    self.code.folds[..fold].iter().map(|f| if f.number { 1 } else { self.columns }).sum();
                let totals = std::mem::take(&mut self.totals);
                let x = self.source(instruction.from[0], Class::Full, tile, file)?;
                if self.code.folds[fold].number {
                    let mut sum = Sum::default();
                    x.chunks(BLOCK).for_each(|block| sum.take(block));
                    totals[start] += Fold::<f64>::value(&sum);
                } else {
                    add_rows(x, &mut totals[start + tile.column..][..tile.columns]);
                }
                self.totals = totals;
                Ok(())
            }
        }
    }

    /// The elements of an operand under a tile.
    fn source<'f>(&'f self, from: Source, class: Class, tile: Tile, file: &'f File<'_, T>) -> Result<&'f [T]> {
        let count = tile.count(class);
        match from {
            Source::Register(register) => file[register].get(..count).ok_or_else(outside),
            Source::Copies(register) => file[register].get(..COPIES).ok_or_else(outside),
            Source::Output(_) => Err(Error::bug("fused", "an output that is read")),
            Source::Input(input) => {
                let first = tile.first(class, self.columns);
                self.io.input(input)?.get(first..first + count).ok_or_else(outside)
            }
        }
    }

    fn compute(&self, instruction: &Instruction, tile: Tile, file: &File<'_, T>, to: &mut [T]) -> Result<()> {
        let wide = instruction.wide;
        let of = |k: usize, class: Class| {
            let from = instruction.from.get(k).ok_or_else(outside)?;
            self.source(*from, class, tile, file)
        };
        match instruction.code {
            Code::Copies => to.fill(of(0, Class::Number)?[0]),
            Code::Spread => spread(of(0, wide)?, wide, instruction.class, tile.columns, to),
            Code::FoldColumns(op) => {
                let rows = of(0, Class::Full)?.chunks_exact(tile.columns.max(1));
                for (to, row) in to.iter_mut().zip(rows) {
                    *to = fold(op, row)?;
                }
            }
            code => {
                let mut from: SmallVec<[Run<T>; 4]> = SmallVec::new();
                for k in 0..instruction.from.len() {
                    from.push(Run::of(of(k, instruction.class)?, to.len()));
                }
                // SAFETY: `Run::of` has looked at the lengths, and no slice lies over the result's.
                unsafe { loops::lanewise(code, &from, to.as_mut_ptr(), to.len())? };
            }
        }
        Ok(())
    }

    /// Bring the elements of a tile together from wherever they lie.
    fn gather<S: Copy>(
        &self,
        (layout, class): (&Layout, Class),
        tile: Tile,
        source: &[S],
        to: &mut [T],
        number: impl Fn(S) -> T,
    ) {
        let (rows, columns) = match class {
            Class::Full => (tile.rows, tile.columns),
            Class::Row => (tile.rows, 1),
            Class::Column => (1, tile.columns),
            Class::Number => (1, 1),
        };
        let row = if matches!(class, Class::Full | Class::Row) { tile.row } else { 0 };
        let first = if class == Class::Full { tile.column } else { 0 };
        let step = |axis: usize| if layout.shape()[axis] == 1 { 0 } else { layout.strides()[axis] };
        let outer = if self.code.flat { 0 } else { self.space.len().saturating_sub(1) };
        let across = if self.code.flat { 1 } else { step(outer) };
        let start = |row: usize| {
            let (mut rest, mut start) = (row, layout.offset());
            for axis in (0..outer).rev() {
                let size = self.space[axis].max(1);
                start = along(start, step(axis), rest % size);
                rest /= size;
            }
            start
        };
        if class == Class::Full && across == 0 {
            // An element stands for all places of some last axes, as a bias of channels for a plane.
            let repeated = (0..=outer).rev().take_while(|&axis| step(axis) == 0);
            let run: usize = repeated.map(|axis| self.space[axis]).product();
            let (begin, end) = (row * columns, (row + rows) * columns);
            let mut at = begin;
            while at < end {
                let next = end.min((at / run + 1) * run);
                to[at - begin..next - begin].fill(number(source[start(at / columns)]));
                at = next;
            }
            return;
        }
        for (r, to) in to.chunks_exact_mut(columns.max(1)).take(rows).enumerate() {
            let start = along(start(row + r), across, first);
            match across {
                0 => to.fill(number(source[start])),
                1 => to.iter_mut().zip(&source[start..start + columns]).for_each(|(to, &x)| *to = number(x)),
                _ => to.iter_mut().enumerate().for_each(|(c, to)| *to = number(source[along(start, across, c)])),
            }
        }
    }

    fn store(&mut self, output: usize, class: Class, tile: Tile, from: &[T]) -> Result<()> {
        let first = tile.first(class, self.columns);
        let places = first..first + from.len();
        if self.code.outputs[output].truth {
            let to = self.io.truths_out(output)?.get_mut(places).ok_or_else(outside)?;
            to.iter_mut().zip(from).for_each(|(to, &x)| *to = u8::from(x.wide() != 0.0));
        } else {
            self.io.output(output)?.get_mut(places).ok_or_else(outside)?.copy_from_slice(from);
        }
        Ok(())
    }

    /// Let folds over the rows leave: rounded, or in f64 where other parts have more of them.
    fn finish(&mut self) -> Result<()> {
        let mut start = 0;
        for fold in &self.code.folds {
            let count = if fold.number { 1 } else { self.columns };
            self.io.fold(fold.output, &self.totals[start..start + count])?;
            start += count;
        }
        Ok(())
    }
}

fn outside() -> Error {
    Error::bug("fused", "an operand outside its memory")
}

/// One row folded as a reduction that runs alone folds it.
fn fold<T: Real>(op: ReduceOp, row: &[T]) -> Result<T> {
    fn take<T: Real, F: Fold<T>>(mut fold: F, row: &[T]) -> T {
        row.chunks(BLOCK).for_each(|block| fold.take(block));
        fold.value()
    }
    Ok(match op {
        ReduceOp::Sum => take(Sum::default(), row),
        ReduceOp::Prod => take(Product::default(), row),
        // The sign of a zero depends on the order of the elements: then they are taken as a fold that stands alone does.
        ReduceOp::Max | ReduceOp::Min => match loops::extreme(op, row).filter(|found| found.wide() != 0.0) {
            Some(found) => found,
            None if op == ReduceOp::Max => take(Largest(None), row),
            None => take(Smallest(None), row),
        },
        ReduceOp::Any | ReduceOp::All => return Err(Error::bug("fused", "a fold of truth values")),
    })
}

/// Repeat elements over the rows or columns that the result has and the operand has not.
fn spread<T: Copy>(from: &[T], wide: Class, class: Class, columns: usize, to: &mut [T]) {
    match (wide, class) {
        (Class::Number, _) => to.fill(from[0]),
        (Class::Row, Class::Full) => {
            to.chunks_exact_mut(columns.max(1)).zip(from).for_each(|(row, &x)| row.fill(x));
        }
        (Class::Column, Class::Full) => {
            to.chunks_exact_mut(columns.max(1)).for_each(|row| row.copy_from_slice(from));
        }
        _ => to.copy_from_slice(from),
    }
}
