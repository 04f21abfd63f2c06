//! The checks of a plan: where their answers lie, and who reads them when.
//!
//! A plan whose last phase is masked need not wait for its checks: kernels that write cells do nothing once a check has
//! failed, and neither do later calls, until somebody reads from the GPU and gets the error.

use super::check::{Answer, WORDS, answers, answers_in, reset, status_bytes, verdict};
use super::context::Context;
use super::kernels::guard;
use super::kernels::guard::Marks;
use super::launch::{Guard, Launch, Slot, View};
use super::{Gpu, storage};
use crate::backend::profile::Label;
use crate::backend::{Undo, locate};
use crate::buffer::{Meta, Value};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::layout::Layout;
use smallvec::smallvec;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Checks of one dispatch.
const MOST: usize = 64;
/// Words behind the answers: whether a check has failed, whether that was in an earlier call, calls that passed.
pub(super) const BEHIND: usize = 4;
/// Calls that may be under way before somebody has to wait for their checks.
pub(super) const UNREAD: u64 = 64;

/// A check of a plan.
#[derive(Debug)]
pub(super) struct Check {
    /// The step that asks for it.
    pub(super) step: usize,
    /// What must hold.
    pub(super) guard: Guard,
    /// Where the value lies.
    pub(super) view: View,
    /// What the value is.
    pub(super) meta: Meta,
    /// The user's file and line.
    pub(super) origin: Option<Arc<str>>,
}

/// Calls whose checks nobody has read, since the words on the GPU were set to 0.
#[derive(Debug, Default)]
struct Tally {
    /// Calls before that.
    earlier: u64,
    /// Calls since then.
    called: u64,
    /// How many of these are known to have passed.
    passed: u64,
}

/// Answers of a plan's checks, on the GPU until they are read.
pub(super) struct Verdicts {
    status: Value,
    pub(super) checks: Vec<Check>,
    tally: Mutex<Tally>,
    /// Takes back what calls that changed nothing did on the host.
    undo: Mutex<Option<Undo>>,
}

impl std::fmt::Debug for Verdicts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verdicts").field("checks", &self.checks).finish_non_exhaustive()
    }
}

impl Verdicts {
    /// Room for the answers.
    pub(super) fn new(gpu: &Gpu, checks: Vec<Check>) -> Result<Self> {
        let status = answers(gpu, checks.len(), BEHIND)?;
        Ok(Self { status, checks, tally: Mutex::default(), undo: Mutex::default() })
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The buffer of the answers.
    pub(super) fn buffer(&self) -> Result<&wgpu::Buffer> {
        Ok(storage("check", &self.status.buffer)?.buffer())
    }

    /// Where the words behind the answers lie.
    fn marks(&self) -> Marks {
        let word = |at: usize| {
            let layout = Layout::new([1].into(), smallvec![1], WORDS * self.checks.len() + at);
            View { home: Some(Slot::Status), ..View::new(layout, DType::U32) }
        };
        Marks { failed: word(0), sealed: word(1), passed: word(2) }
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
            let checks: Vec<_> = now.iter().map(check).collect();
            let mut launch = guard::guards(&checks, &status, Some(&self.marks()))?;
            let (name, bytes) = (format!("check of {} values", now.len()), launch.footprint.bytes());
            launch.label = Some(Arc::new(Label { name, flops: 0, bytes }));
            launches.push(launch);
            rest = later;
        }
        Ok(launches)
    }

    /// Let a kernel do nothing once a check has failed.
    pub(super) fn mask(&self, launch: Launch) -> Launch {
        guard::mask(launch, &self.marks().failed)
    }

    /// The kernel that ends a call: it counts it, or lets later calls know that one has failed.
    pub(super) fn seal(&self) -> Launch {
        guard::seal(&self.marks())
    }

    /// Wait for the answers, and raise what the first failing check found.
    pub(super) fn judge(&self, context: &Context) -> Result<()> {
        let bytes = context.read("check", &[(self.buffer()?, 0, status_bytes(self.checks.len()))])?;
        match self.found(&answers_in(&bytes)) {
            None => Ok(()),
            Some((check, error)) => {
                // A later call must not see what this one found in a check that it does not reach.
                reset(context, &self.status, self.checks.len())?;
                *self.tally() = Tally::default();
                Err(locate(error, check.origin.as_deref()))
            }
        }
    }

    fn found(&self, answers: &[Answer]) -> Option<(&Check, Error)> {
        self.checks.iter().zip(answers).find_map(|(check, answer)| {
            let error = verdict(&check.guard, &check.meta, answer)?;
            Some((check, error))
        })
    }

    /// A call begins that nobody waits for: what it did on the host is taken back by `undo` if it fails.
    pub(super) fn defer(&self, undo: &Undo) {
        self.undo.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| undo.clone());
        self.tally().called += 1;
    }

    /// Calls whose checks nobody has read.
    pub(super) fn unread(&self) -> u64 {
        let tally = self.tally();
        tally.called - tally.passed
    }

    /// Where the words lie that a reader needs, and the number of calls that they will speak of.
    pub(super) fn header(&self) -> Result<(&wgpu::Buffer, u64, u64)> {
        Ok((self.buffer()?, status_bytes(self.checks.len()) as u64, self.tally().called))
    }

    /// Raise the error of the first call that failed, if these words, read after `called` calls, say that one has.
    pub(super) fn settle(&self, context: &Context, words: [u32; BEHIND], called: u64) -> Result<()> {
        let [_, sealed, passed, _] = words;
        if sealed == 0 {
            let mut tally = self.tally();
            tally.passed = tally.passed.max(called.min(tally.called));
            return Ok(());
        }
        let bytes = context.fetch("check", &[(self.buffer()?, 0, status_bytes(self.checks.len()))])?;
        reset(context, &self.status, self.checks.len())?;
        let mut tally = self.tally();
        let (first, undone) = (tally.earlier + u64::from(passed) + 1, tally.called.saturating_sub(u64::from(passed)));
        *tally = Tally { earlier: tally.earlier + tally.called, ..Tally::default() };
        drop(tally);
        if let Some(Undo(undo)) = &*self.undo.lock().unwrap_or_else(PoisonError::into_inner) {
            undo(undone as usize);
        }
        let found = self.found(&answers_in(&bytes));
        let (check, error) = found.ok_or_else(|| Error::bug("check", "a failed call without a cause"))?;
        let mut place = check.origin.as_deref().unwrap_or("an op without a line").to_owned();
        let _ = write!(place, ", in call {first} of the step");
        if undone > 1 {
            let _ = write!(place, "; it and the {} calls after it changed nothing", undone - 1);
        }
        Err(locate(error, Some(&place)))
    }
}
