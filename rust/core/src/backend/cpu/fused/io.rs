//! Where the operands of a compiled body lie while one part of it runs.

use crate::backend::cpu::arch::Vectored;
use crate::backend::cpu::arena::Memories;
use crate::backend::cpu::plan::Operand;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::layout::Layout;
use bytemuck::Pod;

/// A float that bodies are compiled for.
pub(super) trait Real: Vectored {
    /// Its dtype.
    const DTYPE: DType;
}

impl Real for f32 {
    const DTYPE: DType = DType::F32;
}

impl Real for f64 {
    const DTYPE: DType = DType::F64;
}

/// Operands of one part.
///
/// Memory is borrowed anew for each access: an input that an output lies over is read before its tile is written.
pub(super) struct Io<'a, T> {
    pub(super) memories: Memories<'a>,
    pub(super) inputs: &'a [Operand],
    pub(super) outputs: &'a [Operand],
    /// Result of the product that came first, in place of one more input.
    pub(super) product: Option<&'a [T]>,
    pub(super) part: usize,
    pub(super) parts: usize,
}

impl<'a, T: Real> Io<'a, T> {
    pub(super) fn layout(&self, input: usize) -> Result<&'a Layout> {
        let operand = self.inputs.get(input).ok_or_else(missing)?;
        Ok(&operand.part(self.part, self.parts).0.layout)
    }

    fn bytes(&self, input: usize) -> Result<&'a [u8]> {
        let operand = self.inputs.get(input).ok_or_else(missing)?;
        self.memories.reading(operand.slot, operand.part(self.part, self.parts).1)
    }

    /// Elements of an input, from the lowest one.
    pub(super) fn input(&self, input: usize) -> Result<&'a [T]> {
        match (self.inputs.get(input), self.product) {
            (None, Some(elements)) => Ok(elements),
            _ => cast(self.bytes(input)?),
        }
    }

    /// Bytes of an input of truth values.
    pub(super) fn truths(&self, input: usize) -> Result<&'a [u8]> {
        self.bytes(input)
    }

    /// Bytes of an output of truth values.
    pub(super) fn truths_out(&self, output: usize) -> Result<&'a mut [u8]> {
        let operand = self.outputs.get(output).ok_or_else(missing)?;
        self.memories.writing(operand.slot, operand.part(self.part, self.parts).1)
    }

    /// Elements of an output.
    pub(super) fn output(&self, output: usize) -> Result<&'a mut [T]> {
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
