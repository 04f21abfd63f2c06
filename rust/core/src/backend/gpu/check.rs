//! Checks on data: kernels find the first element that breaks a rule; the error is the CPU's own.

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
const WORDS: usize = 4;

/// What one check answered.
pub(super) type Answer = [u32; WORDS];

/// Answers of checks, on the GPU until they are read.
pub(super) struct Verdicts {
    status: Value,
    count: usize,
}

impl Verdicts {
    /// Room for the answers of `count` checks.
    pub(super) fn new(gpu: &Gpu, count: usize) -> Result<Self> {
        let status = gpu.allocate("check", &Meta::new([count * WORDS], DType::U32))?;
        let verdicts = Self { status, count };
        verdicts.reset(gpu)?;
        Ok(verdicts)
    }

    /// Let every answer be that nothing is wrong.
    fn reset(&self, gpu: &Gpu) -> Result<()> {
        let context = gpu.context("check")?;
        let words = vec![guard::PASSED; self.count * WORDS];
        context.work().write(context, storage("check", &self.status)?.buffer(), 0, transfer::bytes_of(&words));
        Ok(())
    }

    /// Let check `number` look at a value.
    pub(super) fn ask(&self, gpu: &Gpu, number: usize, guard: &Guard, value: &Value) -> Result<()> {
        let place = Layout::new([WORDS].into(), smallvec![1], number * WORDS);
        let status = self.status.with_layout(place);
        let launch = guard::guard(&guard.rule, &run::view_of(value), &run::view_of(&status))?;
        run::record(gpu, "check", &Lowered::from(launch), std::slice::from_ref(value), std::slice::from_ref(&status))
    }

    /// All answers, once the GPU has come so far.
    pub(super) fn read(&self, gpu: &Gpu) -> Result<Vec<Answer>> {
        let buffer = storage("check", &self.status)?.buffer();
        let bytes = gpu.context("check")?.read("check", buffer, 0, 4 * WORDS * self.count)?;
        let answers: Vec<Answer> = bytes.chunks_exact(4 * WORDS).map(bytemuck::pod_read_unaligned).collect();
        if answers.iter().any(|answer| answer[0] != guard::PASSED) {
            // A later call must not see what this one found in a check that it does not reach.
            self.reset(gpu)?;
        }
        Ok(answers)
    }
}

/// Check the inputs of an op that is about to run, and wait for the answer.
pub(super) fn at_once(gpu: &Gpu, op: &Op, guards: &[Guard], inputs: &[Value]) -> Result<()> {
    if guards.is_empty() {
        return Ok(());
    }
    let verdicts = Verdicts::new(gpu, guards.len())?;
    let checked =
        |guard: &Guard| inputs.get(guard.input).ok_or_else(|| Error::bug(op.name(), "a check of a value it lacks"));
    for (number, guard) in guards.iter().enumerate() {
        verdicts.ask(gpu, number, guard, checked(guard)?)?;
    }
    for (guard, answer) in guards.iter().zip(verdicts.read(gpu)?) {
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
