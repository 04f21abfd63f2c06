//! A call of a plan whose kernels are timed: the same tasks on the same threads, with a look at the clock around each part.

use super::super::threads::{self, Job};
use super::prepare::{Kernel, Ready};
use super::work::Work;
use crate::backend::profile::{self, Clock, Label, Run};
use crate::buffer::Meta;
use crate::device::Device;
use crate::error::Result;
use crate::ir::plan::{Located, Plan};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

struct Timed<'a> {
    work: &'a Work<'a>,
    labels: Vec<Arc<Label>>,
    runs: Mutex<Vec<Run>>,
}

/// Run a call, and note what its kernels took.
pub(super) fn run(plan: &Plan, work: &Work<'_>) -> Result<()> {
    let labels = work.prepared.steps.iter().map(|ready| Arc::new(label(plan, ready))).collect();
    let timed = Timed { work, labels, runs: Mutex::default() };
    if work.prepared.parallel {
        threads::run(&timed)?;
    } else {
        threads::inline(&timed);
    }
    profile::note(Clock::Host, timed.runs.into_inner().unwrap_or_else(PoisonError::into_inner));
    Ok(())
}

fn label(plan: &Plan, ready: &Ready) -> Label {
    let step = &plan.steps[ready.step];
    let metas = |side: &[Located]| -> Vec<Meta> { side.iter().map(|located| located.meta.clone()).collect() };
    let (inputs, outputs) = (metas(&step.inputs), metas(&step.outputs));
    let (inputs, outputs): (Vec<&Meta>, Vec<&Meta>) = (inputs.iter().collect(), outputs.iter().collect());
    let whole = Label::new(&step.op, &inputs, &outputs, ready.bytes());
    let beside = |what: &str| Label { name: format!("{what} {}", whole.name), flops: 0, bytes: whole.bytes };
    match ready.kernel {
        Kernel::Op(_) | Kernel::Check(_) | Kernel::Product | Kernel::Fused(..) | Kernel::Turns(_) => whole,
        Kernel::Copy => beside("copy for"),
        Kernel::Panels => beside("pack for"),
        Kernel::Total => beside("add up parts of"),
    }
}

impl Job for Timed<'_> {
    fn stages(&self) -> usize {
        self.work.stages()
    }

    fn tasks(&self, stage: usize) -> usize {
        self.work.tasks(stage)
    }

    fn run(&self, stage: usize, task: usize) {
        for &(at, part) in &self.work.prepared.stages[stage].tasks[task] {
            let start = Instant::now();
            let goes_on = self.work.part(at, part);
            let time = start.elapsed();
            let (label, lane) = (Arc::clone(&self.labels[at as usize]), profile::lane());
            let run = Run { label, device: Device::Cpu, lane, start, time, call: part == 0 };
            self.runs.lock().unwrap_or_else(PoisonError::into_inner).push(run);
            if !goes_on {
                return;
            }
        }
    }
}
