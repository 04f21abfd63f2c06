//! Checks on data: kernels find the first element that breaks a rule; the error is the CPU's own.

use super::context::Context;
use super::kernels::guard;
use super::launch::{Guard, Lowered, Rule};
use super::{Gpu, run, storage, transfer};
use crate::backend::{Backend, cpu};
use crate::buffer::{Meta, Value, element_size, zeroed};
use crate::device::Device;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::op::Op;
use crate::layout::Layout;
use smallvec::smallvec;

/// Words of one answer: the place of an element or `PASSED`, and the element's own words.
pub(super) const WORDS: usize = 4;

/// What one check answered.
pub(super) type Answer = [u32; WORDS];

/// Room for so many answers, which all say that nothing is wrong, and for words behind them, which are 0.
pub(super) fn answers(gpu: &Gpu, count: usize, behind: usize) -> Result<Value> {
    let status = gpu.allocate("check", &Meta::new([count * WORDS + behind], DType::U32))?;
    reset(gpu.context("check")?, &status, count)?;
    Ok(status)
}

/// Let all answers say that nothing is wrong.
pub(super) fn reset(context: &Context, status: &Value, count: usize) -> Result<()> {
    let mut words = vec![0; status.shape().numel()];
    words[..count * WORDS].fill(guard::PASSED);
    context.work().write(context, storage("check", &status.buffer)?.buffer(), 0, transfer::bytes_of(&words));
    Ok(())
}

/// Bytes of so many answers.
pub(super) fn status_bytes(count: usize) -> usize {
    4 * WORDS * count
}

/// Bytes of a status buffer as answers.
pub(super) fn answers_in(bytes: &[u8]) -> Vec<Answer> {
    bytes.chunks_exact(4 * WORDS).map(bytemuck::pod_read_unaligned).collect()
}

/// Check the inputs of an op that is about to run, and wait for the answer.
pub(super) fn at_once(gpu: &Gpu, op: &Op, guards: &[Guard], inputs: &[Value]) -> Result<()> {
    if guards.is_empty() {
        return Ok(());
    }
    let status = answers(gpu, guards.len(), 0)?;
    let checked =
        |guard: &Guard| inputs.get(guard.input).ok_or_else(|| Error::bug(op.name(), "a check of a value it lacks"));
    for (number, guard) in guards.iter().enumerate() {
        let value = checked(guard)?;
        let answer = status.with_layout(Layout::new([WORDS].into(), smallvec![1], number * WORDS));
        let launch = guard::guards(&[(&guard.rule, &run::view_of(value), 0)], &run::view_of(&answer), None)?;
        run::record(gpu, "check", &Lowered::from(launch), std::slice::from_ref(value), std::slice::from_ref(&answer))?;
    }
    let part = (storage("check", &status.buffer)?.buffer(), 0, status_bytes(guards.len()));
    let bytes = gpu.context("check")?.read("check", &[part])?;
    for (guard, answer) in guards.iter().zip(answers_in(&bytes)) {
        if let Some(error) = verdict(guard, &checked(guard)?.meta(), &answer) {
            return Err(error);
        }
    }
    Ok(())
}

/// What the CPU says of a value that has the element that a check found, and else zeros.
pub(super) fn verdict(guard: &Guard, meta: &Meta, answer: &Answer) -> Option<Error> {
    let place = answer[0] as usize;
    if answer[0] == guard::PASSED {
        return None;
    }
    let op = match guard.rule {
        Rule::Finite => Op::CheckFinite { name: guard.name.clone() },
        Rule::Below(size) => Op::CheckIndex { name: guard.name.clone(), size },
    };
    let words = element_size(meta.dtype, Device::Gpu(0)) / 4;
    let element = transfer::unpack(transfer::bytes_of(&answer[1..=words]), meta.dtype);
    let mut bytes = zeroed(meta.bytes());
    if let Some(out) = bytes.get_mut(place * element.len()..(place + 1) * element.len()) {
        out.copy_from_slice(&element);
    }
    let said = cpu::CPU.run_op(&op, &[Value::from_host(bytes, meta, Device::Cpu)]);
    Some(said.err().unwrap_or_else(|| Error::bug(op.name(), "the GPU found an element that the CPU accepts")))
}
