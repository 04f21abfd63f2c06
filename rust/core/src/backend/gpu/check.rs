//! Checks on data: kernels find the first element that breaks a rule; the error is the CPU's own.

use super::kernels::guard;
use super::launch::{Guard, Launch, Lowered, Rule, Slot, View};
use super::{Gpu, run, storage, transfer};
use crate::backend::profile::Label;
use crate::backend::{Backend, cpu, locate};
use crate::buffer::{Meta, Value, element_size, zeroed};
use crate::device::Device;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::op::Op;
use crate::ir::plan::Plan;
use crate::layout::Layout;
use smallvec::smallvec;
use std::sync::Arc;

/// Words of one answer: the place of an element or `PASSED`, and the element's own words.
const WORDS: usize = 4;
/// Checks of one dispatch.
const MOST: usize = 64;

/// What one check answered.
type Answer = [u32; WORDS];

/// A check of a plan.
pub(super) struct Check {
    /// The step that asks for it.
    pub(super) step: usize,
    /// What must hold.
    pub(super) guard: Guard,
    /// Where the value lies.
    pub(super) view: View,
}

/// Answers of a plan's checks, on the GPU until they are read.
pub(super) struct Verdicts {
    status: Value,
    pub(super) checks: Vec<Check>,
}

impl Verdicts {
    /// Room for the answers.
    pub(super) fn new(gpu: &Gpu, checks: Vec<Check>) -> Result<Self> {
        let verdicts = Self { status: answers(gpu, checks.len())?, checks };
        Ok(verdicts)
    }

    /// The buffer of the answers.
    pub(super) fn buffer(&self) -> Result<&wgpu::Buffer> {
        Ok(storage("check", &self.status.buffer)?.buffer())
    }

    /// The dispatches that look at these checks' values.
    pub(super) fn looks(&self, numbers: &[usize], operands: usize) -> Result<Vec<Launch>> {
        let status = View { home: Some(Slot::Status), ..View::whole([WORDS * self.checks.len()], DType::U32) };
        let mut launches = Vec::new();
        let mut rest = numbers;
        while !rest.is_empty() {
            // As many as can be bound together.
            let mut homes = vec![(status.home, status.dtype)];
            let fits = |number: &&usize| {
                let view = &self.checks[**number].view;
                if !homes.contains(&(view.home, view.dtype)) {
                    homes.push((view.home, view.dtype));
                }
                homes.len() <= operands
            };
            let count = rest.iter().take(MOST).take_while(fits).count();
            let (now, later) = rest.split_at(count.max(1));
            let check = |&number: &usize| {
                let Check { guard, view, .. } = &self.checks[number];
                (&guard.rule, view, number * WORDS)
            };
            let mut launch = guard::guards(&now.iter().map(check).collect::<Vec<_>>(), &status)?;
            let (name, bytes) = (format!("check of {} values", now.len()), launch.footprint.bytes());
            launch.label = Some(Arc::new(Label { name, flops: 0, bytes }));
            launches.push(launch);
            rest = later;
        }
        Ok(launches)
    }

    /// Wait for the answers, and raise what the first failing check found.
    pub(super) fn judge(&self, gpu: &Gpu, plan: &Plan) -> Result<()> {
        let answers = read(gpu, &self.status)?;
        for (check, answer) in self.checks.iter().zip(&answers) {
            let step = &plan.steps[check.step];
            if let Some(error) = verdict(&check.guard, &step.inputs[check.guard.input].meta, answer) {
                return Err(locate(error, step.origin.as_deref()));
            }
        }
        Ok(())
    }
}

/// Room for so many answers, which all say that nothing is wrong.
fn answers(gpu: &Gpu, count: usize) -> Result<Value> {
    let status = gpu.allocate("check", &Meta::new([count * WORDS], DType::U32))?;
    reset(gpu, &status)?;
    Ok(status)
}

fn reset(gpu: &Gpu, status: &Value) -> Result<()> {
    let context = gpu.context("check")?;
    let words = vec![guard::PASSED; status.shape().numel()];
    context.work().write(context, storage("check", &status.buffer)?.buffer(), 0, transfer::bytes_of(&words));
    Ok(())
}

/// All answers, once the GPU has come so far.
fn read(gpu: &Gpu, status: &Value) -> Result<Vec<Answer>> {
    let buffer = storage("check", &status.buffer)?.buffer();
    let bytes = gpu.context("check")?.read("check", buffer, 0, 4 * status.shape().numel())?;
    let answers: Vec<Answer> = bytes.chunks_exact(4 * WORDS).map(bytemuck::pod_read_unaligned).collect();
    if answers.iter().any(|answer| answer[0] != guard::PASSED) {
        // A later call must not see what this one found in a check that it does not reach.
        reset(gpu, status)?;
    }
    Ok(answers)
}

/// Check the inputs of an op that is about to run, and wait for the answer.
pub(super) fn at_once(gpu: &Gpu, op: &Op, guards: &[Guard], inputs: &[Value]) -> Result<()> {
    if guards.is_empty() {
        return Ok(());
    }
    let status = answers(gpu, guards.len())?;
    let checked =
        |guard: &Guard| inputs.get(guard.input).ok_or_else(|| Error::bug(op.name(), "a check of a value it lacks"));
    for (number, guard) in guards.iter().enumerate() {
        let value = checked(guard)?;
        let answer = status.with_layout(Layout::new([WORDS].into(), smallvec![1], number * WORDS));
        let launch = guard::guards(&[(&guard.rule, &run::view_of(value), 0)], &run::view_of(&answer))?;
        run::record(gpu, "check", &Lowered::from(launch), std::slice::from_ref(value), std::slice::from_ref(&answer))?;
    }
    for (guard, answer) in guards.iter().zip(read(gpu, &status)?) {
        if let Some(error) = verdict(guard, &checked(guard)?.meta(), &answer) {
            return Err(error);
        }
    }
    Ok(())
}

/// What the CPU says of a value that has the element that a check found, and else zeros.
fn verdict(guard: &Guard, meta: &Meta, answer: &Answer) -> Option<Error> {
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
