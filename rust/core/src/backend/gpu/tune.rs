//! Measures on one GPU what `choices.rs` chooses between, and leaves the table for later processes.

use super::choices::{Choices, Sizes, THREADS, Way};
use super::{Gpu, run};
use crate::backend::{Backend, profile, result_metas};
use crate::buffer::{Meta, Value};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::op::{Composite, Op, ReduceOp};
use std::path::PathBuf;
use std::time::Duration;

/// Rows, columns, inner elements and batch of the products that are measured, small ones first.
const PRODUCTS: [Sizes; 18] = [
    [64, 64, 64, 1],
    [128, 128, 128, 1],
    [16, 16, 16, 256],
    [64, 10, 784, 1],
    [784, 128, 64, 1],
    [1, 1024, 1024, 1],
    [16, 512, 512, 1],
    [256, 256, 256, 1],
    [64, 64, 64, 96],
    [1024, 16, 1024, 1],
    [1024, 1024, 16, 1],
    [64, 1024, 1024, 1],
    [512, 512, 512, 1],
    [256, 256, 64, 32],
    [256, 1024, 1024, 1],
    [1024, 1024, 1024, 1],
    [2048, 2048, 2048, 1],
    [4096, 4096, 4096, 1],
];
/// Rows and columns of what is folded and normalised.
const LINES: [[usize; 2]; 2] = [[64, 512], [512, 2048]];
/// Time for one candidate, after its first two runs.
const BUDGET: Duration = Duration::from_millis(40);
/// Runs of one candidate at most.
const RUNS: u32 = 100;
/// Seconds from which on a product is left out, by the pace of those before.
const TOO_LONG: f64 = 0.25;
/// A first run so many times as long as the best candidate's is not repeated.
const HOPELESS: f64 = 3.0;

/// What is measured at once.
#[derive(Clone, Copy, Debug)]
enum Case {
    Product(Sizes),
    Folds([usize; 2]),
    Rows([usize; 2]),
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What was measured.
    pub what: String,
    /// Each candidate with the seconds that it took. None at all: it would have taken too long.
    pub times: Vec<(String, f64)>,
    /// The fastest of them.
    pub best: Option<usize>,
}

/// A measurement of one GPU, case by case.
#[derive(Debug)]
pub struct Tuner {
    gpu: &'static Gpu,
    products: Vec<(Sizes, Way)>,
    /// Seconds of each number of threads over all folds, and over all rows.
    threads: [[f64; THREADS.len()]; 2],
    /// Operations a second of the fastest product so far.
    pace: f64,
}

impl Tuner {
    /// Begin with the GPU of this number.
    pub fn new(number: u8) -> Result<Self> {
        let gpu = super::gpu(number);
        gpu.context("tune")?;
        Ok(Self { gpu, products: Vec::new(), threads: Default::default(), pace: 0.0 })
    }

    fn cases() -> Vec<Case> {
        let folds = LINES.into_iter().map(Case::Folds);
        PRODUCTS.into_iter().map(Case::Product).chain(folds).chain(LINES.into_iter().map(Case::Rows)).collect()
    }

    /// Number of cases.
    pub fn count() -> usize {
        Self::cases().len()
    }

    /// Measure one case.
    pub fn measure(&mut self, number: usize) -> Result<Finding> {
        let case = Self::cases().get(number).copied();
        match case.ok_or_else(|| Error::value("tune", format!("a case below {}", Self::count()), number.to_string()))? {
            Case::Product(sizes) => self.product(sizes),
            Case::Folds(shape) => {
                let op = Op::Reduce { op: ReduceOp::Sum, axes: vec![1] };
                self.lines(0, "sum", &op, shape, |choices, threads| choices.fold_threads = threads)
            }
            Case::Rows(shape) => {
                let op = Op::Composite(Composite::LogSoftmax { axis: 1 });
                self.lines(1, "log_softmax", &op, shape, |choices, threads| choices.row_threads = threads)
            }
        }
    }

    fn product(&mut self, sizes: Sizes) -> Result<Finding> {
        let [rows, columns, deep, batch] = sizes;
        let flops = 2.0 * (rows * columns * deep * batch) as f64;
        let what = format!("product of {batch} x ({rows}, {deep}) x ({deep}, {columns})");
        if self.pace > 0.0 && flops / self.pace > TOO_LONG {
            return Ok(Finding { what, times: Vec::new(), best: None });
        }
        let inputs = [self.operand([batch, rows, deep])?, self.operand([batch, deep, columns])?];
        let candidates = Way::ALL.map(|way| (way.name().to_owned(), Choices::shipped(false).with(way)));
        let (times, best) = self.compare(&Op::MatMul, &inputs, &candidates)?;
        self.products.push((sizes, Way::ALL[best]));
        self.pace = self.pace.max(flops / times[best].1);
        Ok(Finding { what, times, best: Some(best) })
    }

    fn lines(
        &mut self,
        place: usize,
        name: &str,
        op: &Op,
        shape: [usize; 2],
        set: impl Fn(&mut Choices, u32),
    ) -> Result<Finding> {
        let what = format!("{name} of ({}, {})", shape[0], shape[1]);
        let inputs = [self.operand(shape)?];
        let candidates = THREADS.map(|threads| {
            let mut choices = Choices::shipped(false);
            set(&mut choices, threads);
            (format!("{threads} threads"), choices)
        });
        let (times, best) = self.compare(op, &inputs, &candidates)?;
        // Shapes weigh the same: each adds how far a number of threads lies behind the best.
        for (sum, (_, time)) in self.threads[place].iter_mut().zip(&times) {
            *sum += time / times[best].1;
        }
        Ok(Finding { what, times, best: Some(best) })
    }

    /// An operand on the GPU, of numbers in [-1, 1).
    fn operand<const RANK: usize>(&self, shape: [usize; RANK]) -> Result<Value> {
        let meta = Meta::new(shape, DType::F32);
        let count = meta.shape.numel();
        let numbers: Vec<f32> = (0..count).map(|i| (i.wrapping_mul(7919) % 2048) as f32 / 1024.0 - 1.0).collect();
        self.gpu.upload(bytemuck::cast_slice(&numbers), &meta)
    }

    /// The seconds of each candidate, and the fastest.
    fn compare(
        &self,
        op: &Op,
        inputs: &[Value],
        candidates: &[(String, Choices)],
    ) -> Result<(Vec<(String, f64)>, usize)> {
        let mut times: Vec<(String, f64)> = Vec::new();
        for (name, choices) in candidates {
            let record = times.iter().map(|(_, time)| *time).fold(f64::INFINITY, f64::min);
            times.push((name.clone(), self.time(op, inputs, choices, record)?));
        }
        let best = (0..times.len()).min_by(|&a, &b| times[a].1.total_cmp(&times[b].1));
        best.map(|best| (times, best)).ok_or_else(|| Error::bug("tune", "no candidate"))
    }

    /// Seconds of the fastest of several runs.
    fn time(&self, op: &Op, inputs: &[Value], choices: &Choices, record: f64) -> Result<f64> {
        // The first run compiles.
        self.seconds(op, inputs, choices, 1)?;
        let first = self.seconds(op, inputs, choices, 1)?;
        let runs = (BUDGET.as_secs_f64() / first.max(1e-9)).min(f64::from(RUNS)) as u32;
        if runs < 2 || first > HOPELESS * record {
            return Ok(first);
        }
        Ok(first.min(self.seconds(op, inputs, choices, runs)?))
    }

    fn seconds(&self, op: &Op, inputs: &[Value], choices: &Choices, runs: u32) -> Result<f64> {
        let metas = result_metas(op, inputs)?;
        let run = || run::run_by(self.gpu, op, inputs, &metas, choices).map(drop);
        let profile = profile::during(|| (0..runs).try_for_each(|_| run()))?;
        profile.least(runs as usize).ok_or_else(|| Error::bug("tune", "a run that was not timed"))
    }

    /// Write the table for later processes: where it lies, and its name.
    pub fn save(&self) -> Result<(PathBuf, String)> {
        if self.products.is_empty() {
            return Err(Error::value("tune", "a product that was measured before the table is saved", "none"));
        }
        let least = |sums: &[f64; THREADS.len()]| {
            let best = (0..THREADS.len()).min_by(|&a, &b| sums[a].total_cmp(&sums[b]));
            THREADS[best.unwrap_or(0)]
        };
        let choices = Choices::measured(self.products.clone(), least(&self.threads[0]), least(&self.threads[1]));
        let file = self.gpu.context("tune")?.tuning.as_ref().ok_or_else(|| {
            let rule = "a cache directory for the table; set HOME, or TRAINSMITH_CACHE_DIR to a directory";
            Error::Io { op: "tune".into(), expected: rule.into(), got: "none".into() }
        })?;
        let failed = |error: std::io::Error| Error::Io {
            op: "tune".into(),
            expected: "a cache directory that can be written; set TRAINSMITH_CACHE_DIR to another".into(),
            got: format!("{error} at {}", file.path().display()),
        };
        file.write(&choices.content()).map_err(failed)?;
        Ok((file.path().to_owned(), choices.name().to_owned()))
    }
}
