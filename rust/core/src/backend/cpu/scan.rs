//! Loops that hold a program: the body runs turn by turn on slices of the scanned values.

use super::kernel::{Dst, Src};
use super::{CPU, copy};
use crate::backend::interpret;
use crate::buffer::{HostVec, Meta, Value, zeroed};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::ir::op::ScanOp;
use crate::layout::Layout;

/// Run a loop inside a plan: its values are copied in and out.
pub(super) fn kernel(op: &ScanOp, inputs: &[Src<'_>], outputs: &mut [Dst<'_>]) -> Result<()> {
    for (value, out) in scan(op, &owned(inputs)?)?.iter().zip(outputs) {
        write(value, out.bytes)?;
    }
    Ok(())
}

/// Copies of what a kernel reads, as values that ops can take.
pub(super) fn owned(inputs: &[Src<'_>]) -> Result<Vec<Value>> {
    let copied = |input: &Src<'_>| {
        let meta = Meta::new(input.layout.shape().clone(), input.dtype);
        Ok(Value::from_host(copy::row_major(input)?, &meta, Device::Cpu))
    };
    inputs.iter().map(copied).collect()
}

/// Run a loop: the last carries, then the outputs stacked.
pub(super) fn scan(op: &ScanOp, inputs: &[Value]) -> Result<Vec<Value>> {
    if inputs.len() != op.body.inputs || inputs.len() < op.consts + op.carries {
        return Err(Error::bug("scan", format!("{} inputs, got {}", op.body.inputs, inputs.len())));
    }
    let (consts, rest) = inputs.split_at(op.consts);
    let (first, scanned) = rest.split_at(op.carries);
    let mut carries = first.to_vec();
    let slices: Vec<Meta> = op.body.outputs[op.carries..].iter().map(|&id| op.body.metas[id].clone()).collect();
    let mut stacks: Vec<HostVec> = slices.iter().map(|meta| zeroed(op.length * meta.bytes())).collect();
    for turn in 0..op.length {
        let place = if op.reverse { op.length - 1 - turn } else { turn };
        let arguments: Vec<Value> =
            consts.iter().cloned().chain(carries).chain(scanned.iter().map(|value| slice(value, place))).collect();
        carries = interpret(&CPU, &op.body, &arguments)?;
        for ((value, stack), meta) in carries.drain(op.carries..).zip(&mut stacks).zip(&slices) {
            write(&value, &mut stack[place * meta.bytes()..][..meta.bytes()])?;
        }
    }
    let stacked = stacks.into_iter().zip(&slices).map(|(bytes, meta)| {
        let shape: Vec<usize> = std::iter::once(op.length).chain(meta.shape.iter().copied()).collect();
        Value::from_host(bytes, &Meta::new(shape, meta.dtype), Device::Cpu)
    });
    Ok(carries.into_iter().chain(stacked).collect())
}

/// Element `place` of the leading axis, without a copy.
fn slice(value: &Value, place: usize) -> Value {
    let layout = &value.layout;
    let offset = layout.offset().wrapping_add_signed(place as isize * layout.strides()[0]);
    value.with_layout(Layout::new(layout.shape()[1..].into(), layout.strides()[1..].into(), offset))
}

/// Write a value's elements row-major.
pub(super) fn write(value: &Value, out: &mut [u8]) -> Result<()> {
    let source = Src { bytes: value.host("scan")?, layout: &value.layout, dtype: value.dtype };
    copy::strided(&source, source.layout, out, &Layout::contiguous(value.shape().clone()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{elements, tensor};
    use crate::backend::Backend;
    use crate::backend::cpu::CPU;
    use crate::buffer::{Meta, Value};
    use crate::dtype::DType;
    use crate::ir::op::{BinaryOp, Op, ScanOp};
    use crate::ir::program::Program;
    use smallvec::smallvec;
    use std::sync::Arc;

    /// `carry = carry * constant + x`, and the old carry as output.
    fn horner(length: usize, reverse: bool) -> Op {
        let one = Meta::new([], DType::F64);
        let mut body = Program::with_inputs([one.clone(), one.clone(), one.clone()]);
        let product = body.push(Op::Binary(BinaryOp::Mul), smallvec![1, 0], std::slice::from_ref(&one), None);
        let sum = body.push(Op::Binary(BinaryOp::Add), smallvec![product, 2], &[one], None);
        body.outputs = vec![sum, 1];
        Op::Scan(ScanOp { body: Arc::new(body), consts: 1, carries: 1, length, reverse })
    }

    fn inputs(x: &[f64]) -> [Value; 3] {
        [tensor(&[10.0], &[], DType::F64), tensor(&[0.0], &[], DType::F64), tensor(x, &[x.len()], DType::F64)]
    }

    #[test]
    fn a_loop_walks_both_ways() {
        for (reverse, last, stacked) in [(false, 123.0, [0.0, 1.0, 12.0]), (true, 321.0, [32.0, 3.0, 0.0])] {
            let results = CPU.run_op(&horner(3, reverse), &inputs(&[1.0, 2.0, 3.0])).unwrap();
            assert_eq!(elements::<f64>(&results[0]), [last]);
            assert_eq!(elements::<f64>(&results[1]), stacked);
        }
    }

    #[test]
    fn no_turn_gives_the_first_carry() {
        let results = CPU.run_op(&horner(0, false), &inputs(&[])).unwrap();
        assert_eq!(elements::<f64>(&results[0]), [0.0]);
        assert_eq!(results[1].shape().to_vec(), [0]);
    }
}
