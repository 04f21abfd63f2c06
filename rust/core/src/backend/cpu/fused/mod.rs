//! Fused kernels: a body compiled to a program over registers of one tile, or run op by op where it cannot be.

mod bound;
mod compile;
mod io;
mod joined;
mod last;
mod loops;
mod run;
mod tile;

pub(super) use compile::{Class, Compiled, Under, class, compile};

use super::CPU;
use super::arena::Memories;
use super::kernel::{Dst, Src, run as run_kernel};
use super::plan::Operand;
use super::scan::{owned, write};
use super::{conv, matmul, scratch};
use crate::backend::interpret;
use crate::buffer::{Meta, Value};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::fused::FusedOp;
use crate::ir::op::Op;
use crate::shape::Shape;
use io::{Io, Real};

/// Run a body op by op in temporaries: the obvious twin of one pass over the data.
pub(super) fn kernel(op: &FusedOp, inputs: &[Src<'_>], outputs: &mut [Dst<'_>]) -> Result<()> {
    store(&values(op, inputs)?, outputs)
}

/// What a body gives, in memory of its own.
pub(super) fn values(op: &FusedOp, inputs: &[Src<'_>]) -> Result<Vec<Value>> {
    interpret(&CPU, &op.body, &owned(inputs)?)
}

/// Write what a body has given.
pub(super) fn store(values: &[Value], outputs: &mut [Dst<'_>]) -> Result<()> {
    values.iter().zip(outputs).try_for_each(|(value, out)| write(value, out.bytes))
}

/// What comes before a compiled body: an op of two operands.
#[derive(Debug)]
pub(super) enum First {
    /// A product or a convolution.
    Op(Op),
    /// A product whose right factor lies in panels.
    Panels,
}

/// Run one part of a compiled body; a product comes first, into memory of this thread.
pub(super) fn run(
    code: &Compiled,
    product: Option<&First>,
    memories: Memories<'_>,
    (inputs, outputs): (&[Operand], &[Operand]),
    (part, parts): (usize, usize),
) -> Result<()> {
    match code.dtype {
        DType::F64 => typed::<f64>(code, product, memories, (inputs, outputs), (part, parts)),
        _ => typed::<f32>(code, product, memories, (inputs, outputs), (part, parts)),
    }
}

fn typed<T: Real>(
    code: &Compiled,
    product: Option<&First>,
    memories: Memories<'_>,
    (inputs, outputs): (&[Operand], &[Operand]),
    (part, parts): (usize, usize),
) -> Result<()> {
    let Some(first) = product else {
        let space = space(code, inputs, outputs, (part, parts));
        let io = Io::<T>::new(memories, (inputs, outputs), None, (part, parts))?;
        return run::run(code, &io, &space);
    };
    let [a, b] = [&inputs[0], &inputs[1]].map(|operand| operand.part(part, parts));
    let bytes = |slot: usize, range: &std::ops::Range<usize>| memories.reading(slot, range.clone());
    let sources = [
        Src { bytes: bytes(inputs[0].slot, &a.1)?, layout: &a.0.layout, dtype: a.0.meta.dtype },
        Src { bytes: bytes(inputs[1].slot, &b.1)?, layout: &b.0.layout, dtype: b.0.meta.dtype },
    ];
    let inputs = &inputs[2..];
    if let (First::Panels | First::Op(Op::Conv(_)), Some(last)) = (first, code.last) {
        let source = |input: Option<usize>| -> Result<Option<Src<'_>>> {
            let Some(operand) = input.map(|i| &inputs[i]) else { return Ok(None) };
            let (extent, range) = operand.part(part, parts);
            Ok(Some(Src { bytes: bytes(operand.slot, &range)?, layout: &extent.layout, dtype: extent.meta.dtype }))
        };
        let (bias, plus) = (source(last.bias)?, source(last.plus)?);
        let (gate, times) = (source(last.gate)?, source(last.times)?);
        let (extent, range) = outputs[0].part(part, parts);
        let mut target = Dst { bytes: memories.writing(outputs[0].slot, range)?, meta: &extent.meta };
        if let First::Op(Op::Conv(op)) = first {
            return conv::conv(op, &sources[0], &sources[1], &conv::Last { bias, relu: last.relu }, &mut target);
        }
        let last = matmul::Last { bias, plus, relu: last.relu, gate, times };
        return matmul::by_panels(&sources[0], &sources[1], &mut target, &last);
    }
    let full = outputs.iter().zip(&code.outputs).find(|(_, side)| side.class == Class::Full);
    let (output, _) = full.ok_or_else(|| Error::bug("fused", "a product that nothing keeps"))?;
    let shape = output.part(part, parts).0.layout.shape().clone();
    let meta = Meta::new(shape, code.dtype);
    scratch::with::<T, _>(meta.shape.numel(), |elements| {
        let mut target = Dst { bytes: bytemuck::cast_slice_mut(elements), meta: &meta };
        match first {
            First::Op(op) => run_kernel(op, &sources, &mut [target])?,
            First::Panels => {
                matmul::by_panels(&sources[0], &sources[1], &mut target, &matmul::Last::default())?;
            }
        }
        let io = Io::<T>::new(memories, (inputs, outputs), Some(elements), (part, parts))?;
        run::run(code, &io, &meta.shape)
    })
}

/// The iteration space of a part: that of a value that is whole, or of a value of each row and one of each column.
fn space(code: &Compiled, inputs: &[Operand], outputs: &[Operand], (part, parts): (usize, usize)) -> Shape {
    let mut space = (Shape::scalar(), 1);
    let sides = inputs.iter().zip(&code.inputs).chain(outputs.iter().zip(&code.outputs));
    for (operand, side) in sides {
        let shape = operand.part(part, parts).0.layout.shape();
        match side.class {
            Class::Full if !side.mixed => return shape.clone(),
            Class::Row => space.0 = shape.clone(),
            Class::Column => space.1 = space.1.max(shape.last().copied().unwrap_or(1)),
            Class::Full | Class::Number => {}
        }
    }
    match space.0.len().checked_sub(1) {
        Some(last) => space.0.with(last, space.1),
        None => [1, space.1].into(),
    }
}
