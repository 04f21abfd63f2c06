//! A compiled body, run tile by tile: some rows at a time, or a run of elements where rows do not matter.

#![allow(unsafe_code, reason = "registers are borrowed one by one")]

use super::bound::{Bound, Bounds, Registers, bind};
use super::compile::{Class, Code, Compiled, LONG, Load, TILE, Target};
use super::io::{Io, Real};
use super::loops::{self, COPIES};
use super::tile::Tile;
use crate::backend::cpu::fold::{BLOCK, Fold, Largest, Product, Smallest, Sum, add_rows, extreme, whole};
use crate::backend::cpu::rows::along;
use crate::backend::cpu::scratch;
use crate::error::{Error, Result};
use crate::ir::op::ReduceOp;
use crate::layout::Layout;
use crate::shape::Shape;

/// Elements between two registers beside their tiles, so that tiles whose size is a power of two do not crowd one another
/// out of the same few places of the first cache.
const GAP: usize = 16;

/// Run one part of a body, which has this iteration space.
pub(super) fn run<T: Real>(code: &Compiled, io: &Io<'_, T>, space: &Shape) -> Result<()> {
    let columns = space.last().copied().unwrap_or(1);
    let rows = space.numel().checked_div(columns).unwrap_or(0);
    let (rows, columns) = if code.flat { (1, rows * columns) } else { (rows, columns) };
    let most = if code.whole { LONG } else { TILE };
    let wide = if code.flat { columns.min(most) } else { columns };
    let tall = (most / wide.max(1)).clamp(1, rows.max(1));
    let apart = if code.whole { COPIES } else { (tall * wide).max(COPIES) } + GAP;
    let totals: usize = code.folds.iter().map(|fold| if fold.number { 1 } else { columns }).sum();
    scratch::with::<T, _>(apart * code.registers, |memory| {
        scratch::with::<f64, _>(totals, |totals| {
            totals.fill(0.0);
            let registers = Registers { first: memory.as_mut_ptr(), apart, count: code.registers };
            let mut machine = Machine { code, io, space, columns, registers, totals };
            let tile = |row: usize, column: usize| {
                Tile::new((row, tall.min(rows - row)), (column, wide.min(columns - column)), columns)
            };
            let whole = Tile::new((0, rows), (0, columns), columns);
            let (mut once, mut each) = (Bounds::new(), Bounds::new());
            bind(&code.once.1, &[], io, registers, &whole, &mut once)?;
            machine.all(&code.once.0, &once, &tile(0, 0))?;
            bind(&code.each.1, &code.joined, io, registers, &whole, &mut each)?;
            for row in (0..rows).step_by(tall) {
                for column in (0..columns).step_by(wide.max(1)) {
                    if column + wide < columns {
                        machine.fetch(&tile(row, column + wide))?;
                    }
                    machine.all(&code.each.0, &each, &tile(row, column))?;
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
    registers: Registers<T>,
    totals: &'m mut [f64],
}

impl<T: Real> Machine<'_, '_, T> {
    fn all(&mut self, loads: &[Load], bounds: &Bounds<'_, T>, tile: &Tile) -> Result<()> {
        for load in loads {
            // SAFETY: nothing else borrows a register now.
            let to = unsafe { self.registers.borrow(load.register, tile.count(load.class))? };
            self.load(load, tile, to)?;
        }
        for bound in &bounds.bounds {
            if !bound.each(&bounds.places, tile) {
                self.other(bound, tile)?;
            }
            for &output in &bound.instruction.outputs {
                self.store(output, bound.instruction.class, tile, bound.result(tile))?;
            }
        }
        Ok(())
    }

    /// Bring near what a later tile reads in place.
    fn fetch(&self, ahead: &Tile) -> Result<()> {
        let (start, count) = (ahead.start(Class::Full), ahead.count(Class::Full));
        for &input in &self.code.streams {
            loops::fetch(self.io.address(input, start + count)?.wrapping_add(start).cast_const(), count);
        }
        Ok(())
    }

    /// Bring the elements of a tile together.
    fn load(&self, load: &Load, tile: &Tile, to: &mut [T]) -> Result<()> {
        let (layout, count) = (self.io.layout(load.input)?, tile.count(load.class));
        if self.code.inputs[load.input].truth {
            let source = self.io.truths(load.input)?;
            let [no, yes] = [0.0, 1.0].map(T::round_from);
            self.gather((layout, load.class), tile, source, to, |truth| if truth == 0 { no } else { yes });
            return Ok(());
        }
        let source = self.io.input(load.input)?;
        let first = tile.start(load.class);
        match source.get(first..first + count) {
            Some(run) if layout.is_contiguous() && !load.mixed => to.copy_from_slice(run),
            _ => self.gather((layout, load.class), tile, source, to, |x| x),
        }
        Ok(())
    }

    /// Compute what has no loop over elements.
    fn other(&mut self, bound: &Bound<'_, T>, tile: &Tile) -> Result<()> {
        let instruction = bound.instruction;
        match (instruction.code, instruction.to) {
            (Code::Fill(value), _) => bound.result(tile).fill(T::round_from(value)),
            (Code::Copies, _) => bound.result(tile).fill(bound.read(tile)[0]),
            (Code::Spread, _) if instruction.wide == instruction.class => bound.same(tile),
            (Code::Spread, _) => {
                let (wide, class) = (instruction.wide, instruction.class);
                spread(bound.read(tile), wide, class, tile.columns, bound.result(tile));
            }
            (Code::FoldColumns(op), _) => {
                let rows = bound.read(tile).chunks_exact(tile.columns.max(1));
                for (to, row) in bound.result(tile).iter_mut().zip(rows) {
                    *to = fold(op, row)?;
                }
            }
            (Code::FoldRows(_), Target::Fold(fold)) => self.total(fold, bound.read(tile), tile),
            _ => bound.alone(tile)?,
        }
        Ok(())
    }

    /// Add a tile to a fold over the rows.
    fn total(&mut self, fold: usize, x: &[T], tile: &Tile) {
        let start: usize = self.code.folds[..fold].iter().map(|f| if f.number { 1 } else { self.columns }).sum();
        if self.code.folds[fold].number {
            let mut sum = Sum::default();
            x.chunks(BLOCK).for_each(|block| sum.take(block));
            self.totals[start] += Fold::<f64>::value(&sum);
        } else {
            add_rows(x, &mut self.totals[start + tile.column..][..tile.columns]);
        }
    }

    /// Bring the elements of a tile together from wherever they lie.
    fn gather<S: Copy>(
        &self,
        (layout, class): (&Layout, Class),
        tile: &Tile,
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

    fn store(&self, output: usize, class: Class, tile: &Tile, from: &[T]) -> Result<()> {
        let first = tile.start(class);
        let places = first..first + from.len();
        if self.code.outputs[output].truth {
            let to = self.io.truths_out(output)?.get_mut(places).ok_or_else(outside)?;
            loops::truths(from, to);
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
    Error::bug("fused", "an output outside its memory")
}

/// One row folded as a reduction that runs alone folds it.
fn fold<T: Real>(op: ReduceOp, row: &[T]) -> Result<T> {
    Ok(match op {
        ReduceOp::Sum => whole(Sum::default(), row),
        ReduceOp::Prod => whole(Product::default(), row),
        // The sign of a zero depends on the order of the elements: then they are taken as a fold that stands alone does.
        ReduceOp::Max | ReduceOp::Min => match extreme(op, row).filter(|found| found.wide() != 0.0) {
            Some(found) => found,
            None if op == ReduceOp::Max => whole(Largest(None), row),
            None => whole(Smallest(None), row),
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
