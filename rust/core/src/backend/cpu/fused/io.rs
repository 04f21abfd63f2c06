//! Where the operands of a compiled body lie while one part of it runs.

use super::loops::{self, Way};
use crate::backend::cpu::arch::Vectored;
use crate::backend::cpu::arena::{Memories, Memory};
use crate::backend::cpu::plan::Operand;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::op::UnaryOp;
use crate::layout::Layout;
use bytemuck::Pod;
use smallvec::SmallVec;

/// A float that bodies are compiled for.
pub(super) trait Real: Vectored {
    /// Its dtype.
    const DTYPE: DType;

    /// An elementary function, if registers hold one.
    fn elementary(op: UnaryOp) -> Option<Way<Self>>;
}

impl Real for f32 {
    const DTYPE: DType = DType::F32;

    fn elementary(op: UnaryOp) -> Option<Way<Self>> {
        loops::elementary(op)
    }
}

impl Real for f64 {
    const DTYPE: DType = DType::F64;

    fn elementary(_: UnaryOp) -> Option<Way<Self>> {
        None
    }
}

/// Operands of one part.
///
/// Memory is borrowed anew for each access: an input that an output lies over is read before its tile is written.
pub(super) struct Io<'a, T> {
    inputs: &'a [Operand],
    /// Where the inputs of this part lie, then its outputs.
    found: SmallVec<[Memory; 24]>,
    /// Result of the product that came first, in place of one more input.
    product: Option<&'a [T]>,
    part: usize,
    parts: usize,
}

impl<'a, T: Real> Io<'a, T> {
    pub(super) fn new(
        memories: Memories<'a>,
        (inputs, outputs): (&'a [Operand], &'a [Operand]),
        product: Option<&'a [T]>,
        (part, parts): (usize, usize),
    ) -> Result<Self> {
        let mut found = SmallVec::new();
        for operand in inputs.iter().chain(outputs) {
            found.push(memories.within(operand.slot, operand.part(part, parts).1)?);
        }
        Ok(Self { inputs, found, product, part, parts })
    }

    pub(super) fn layout(&self, input: usize) -> Result<&'a Layout> {
        let operand = self.inputs.get(input).ok_or_else(missing)?;
        Ok(&operand.part(self.part, self.parts).0.layout)
    }

    /// Elements of an input, from the lowest one.
    pub(super) fn input(&self, input: usize) -> Result<&[T]> {
        match self.product {
            Some(elements) if input == self.inputs.len() => Ok(elements),
            _ => cast(self.truths(input)?),
        }
    }

    /// Bytes of an input of truth values.
    pub(super) fn truths(&self, input: usize) -> Result<&[u8]> {
        let whole = self.found[..self.inputs.len()].get(input).ok_or_else(missing)?.len();
        Memories::new(&self.found).reading(input, 0..whole)
    }

    /// Bytes of an output of truth values.
    #[allow(clippy::mut_from_ref, reason = "the part alone writes them, and reads what they lie over before")]
    pub(super) fn truths_out(&self, output: usize) -> Result<&mut [u8]> {
        let place = self.inputs.len() + output;
        let whole = self.found.get(place).ok_or_else(missing)?.len();
        Memories::new(&self.found).writing(place, 0..whole)
    }

    /// Address of so many elements of an input.
    pub(super) fn address(&self, input: usize, count: usize) -> Result<*mut T> {
        match self.product {
            Some(elements) if input == self.inputs.len() => {
                elements.get(..count).map(|elements| elements.as_ptr().cast_mut()).ok_or_else(missing)
            }
            _ => {
                self.found[..self.inputs.len()].get(input).and_then(|memory| memory.elements(count)).ok_or_else(missing)
            }
        }
    }

    /// Address of so many elements of an output.
    pub(super) fn address_out(&self, output: usize, count: usize) -> Result<*mut T> {
        self.found.get(self.inputs.len() + output).and_then(|memory| memory.elements(count)).ok_or_else(missing)
    }

    /// Elements of an output.
    #[allow(clippy::mut_from_ref, reason = "as above")]
    pub(super) fn output(&self, output: usize) -> Result<&mut [T]> {
        bytemuck::try_cast_slice_mut(self.truths_out(output)?).map_err(|_| missing())
    }

    /// Let a fold over the rows leave: rounded, or as it is for the parts to be added up later.
    pub(super) fn fold(&self, output: usize, totals: &[f64]) -> Result<()> {
        if self.parts == 1 {
            let to = self.output(output)?;
            to.iter_mut().zip(totals).for_each(|(to, &total)| *to = T::round_from(total));
        } else {
            let to: &mut [f64] = bytemuck::try_cast_slice_mut(self.truths_out(output)?).map_err(|_| missing())?;
            to.copy_from_slice(totals);
        }
        Ok(())
    }
}

fn cast<T: Pod>(bytes: &[u8]) -> Result<&[T]> {
    bytemuck::try_cast_slice(bytes).map_err(|_| missing())
}

fn missing() -> Error {
    Error::bug("fused", "an operand that is not there, or not of its dtype")
}
