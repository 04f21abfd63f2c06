//! Parts of steps grouped into tasks, tasks into stages.
//!
//! Parts that depend on one another stay in one task, in order; tasks that one part needs become one where that costs less
//! than waiting. Every other part goes into the earliest stage that it can: the one behind the last that holds something it
//! depends on. So a thread carries its rows through many steps, and threads wait for each other only where rows mix.

use super::super::threads::{self, MOST};
use super::prepare::{Kernel, Ready};
use crate::ir::op::Op;
use smallvec::{SmallVec, smallvec};
use std::collections::VecDeque;

/// Steps of a stage at most, so that planning stays linear.
const STEPS: usize = 64;

/// Stages that steps can still join, for the same reason.
const OPEN: usize = 4;

/// Steps that a step's parts are compared with, to run beside what reads the same.
const NEIGHBOURS: usize = 8;

/// Nanoseconds that threads lose where one stage ends and another begins.
const BARRIER: f64 = 1500.0;

/// How much longer a part takes where its rows come from other threads.
const AFAR: f64 = 2.0;

/// Bytes that a part of a step touches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    pub(super) slot: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) write: bool,
}

impl Access {
    /// Whether the order of the two matters.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.slot == other.slot && (self.write || other.write) && self.start.max(other.start) < self.end.min(other.end)
    }

    fn around(self, other: &Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end), ..self }
    }
}

/// Tasks that may run at the same time.
#[derive(Debug)]
pub(super) struct Stage {
    /// For each task the parts it runs, in order: step and part.
    pub(super) tasks: Vec<Vec<(u32, u32)>>,
}

impl Stage {
    /// Everything as one task.
    pub(super) fn whole(steps: &[Ready]) -> Self {
        let parts = |(at, step): (usize, &Ready)| (0..step.parts).map(move |part| (at as u32, part as u32));
        Self { tasks: vec![steps.iter().enumerate().flat_map(parts).collect()] }
    }
}

type Accesses = SmallVec<[Access; 4]>;

/// For each part of a step the tasks that must run before it.
type Ties = Vec<SmallVec<[usize; 2]>>;

/// A step that is already in a stage.
struct Placed {
    whole: Accesses,
    parts: Vec<Accesses>,
    /// Task of each part.
    tasks: Vec<usize>,
}

/// A task that grows; one without pieces has become one with another.
#[derive(Default)]
struct Draft {
    pieces: Vec<(u32, u32)>,
    cost: f64,
    /// Where its first part lies among the parts of its step, from 0 to 1.
    home: f64,
}

/// A stage that steps can still join.
#[derive(Default)]
struct Open {
    placed: Vec<Placed>,
    drafts: Vec<Draft>,
}

/// The stages as they come about.
#[derive(Default)]
struct Grouping {
    closed: Vec<Stage>,
    open: VecDeque<Open>,
    /// Number of the stage before which no step may run any more, or no check: those of indices are made before the indices
    /// are used, and of several checks that fail the first is reported.
    floor: usize,
    checked: usize,
}

/// Group all parts; nothing from step `commit` on runs before everything else is done.
pub(super) fn stages(steps: &[Ready], commit: usize, aliases: &[usize]) -> Vec<Stage> {
    let mut grouping = Grouping::default();
    for (at, step) in steps.iter().enumerate() {
        if at == commit {
            grouping.close();
        }
        if step.is_apart() && step.parts > 1 {
            grouping.close();
            let tasks = (0..step.parts).map(|part| vec![(at as u32, part as u32)]).collect();
            grouping.closed.push(Stage { tasks });
        } else {
            grouping.add(at, step, aliases);
        }
    }
    grouping.close();
    grouping.closed
}

impl Grouping {
    fn add(&mut self, at: usize, step: &Ready, aliases: &[usize]) {
        let parts: Vec<Accesses> = (0..step.parts).map(|part| step.accesses(part, aliases).collect()).collect();
        let whole = parts.iter().skip(1).fold(parts[0].clone(), |whole, part| {
            whole.into_iter().zip(part).map(|(whole, part)| whole.around(part)).collect()
        });
        let floor = self.floor(step);
        let found = (floor..self.open.len()).rev().find_map(|place| {
            let ties = self.open[place].ties(&whole, &parts);
            ties.iter().any(|ties| !ties.is_empty()).then_some((place, ties))
        });
        let free = vec![SmallVec::new(); step.parts];
        let (mut place, mut ties) = found.unwrap_or((floor, free.clone()));
        let behind = place + 1 < self.open.len();
        let open = self.open.get(place).filter(|open| open.placed.len() < STEPS);
        if ties != free && open.is_none_or(|open| open.crowds(&ties, step, behind)) {
            (place, ties) = (place + 1, free);
        }
        while self.open.get(place).is_some_and(|open| open.placed.len() >= STEPS) {
            place += 1;
        }
        if place == self.open.len() {
            self.open.push_back(Open::default());
        }
        self.open[place].put((at, step), &ties, whole, parts);
        self.note(step, place);
        if self.open.len() > OPEN {
            self.close_first();
        }
    }

    /// The first open stage that a step may join.
    fn floor(&self, step: &Ready) -> usize {
        let checks =
            matches!(step.kernel, Kernel::Check(_) | Kernel::Op(Op::CheckFinite { .. } | Op::CheckIndex { .. }));
        let floor = if checks { self.floor.max(self.checked) } else { self.floor };
        floor.saturating_sub(self.closed.len())
    }

    fn note(&mut self, step: &Ready, place: usize) {
        let stage = self.closed.len() + place;
        match step.kernel {
            Kernel::Check(Op::CheckIndex { .. }) | Kernel::Op(Op::CheckIndex { .. }) => {
                (self.floor, self.checked) = (stage, stage);
            }
            Kernel::Check(_) | Kernel::Op(Op::CheckFinite { .. }) => self.checked = stage,
            _ => {}
        }
    }

    fn close_first(&mut self) {
        if let Some(Open { mut drafts, .. }) = self.open.pop_front() {
            drafts.retain(|draft| !draft.pieces.is_empty());
            drafts.sort_by(|a, b| a.home.total_cmp(&b.home));
            // Of the tasks that a thread takes one after the other, the longest come first: the last ones can be taken by others.
            let (count, threads) = (drafts.len(), threads::num_threads());
            for number in 0..threads {
                let (first, end) = threads::share(count, number, threads);
                drafts[first..end].sort_by(|a, b| b.cost.total_cmp(&a.cost));
            }
            self.closed.push(Stage { tasks: drafts.into_iter().map(|draft| draft.pieces).collect() });
        }
    }

    fn close(&mut self) {
        while !self.open.is_empty() {
            self.close_first();
        }
    }
}

impl Open {
    /// For each part the tasks that must run before it.
    fn ties(&self, whole: &Accesses, parts: &[Accesses]) -> Ties {
        let mut ties: Ties = vec![SmallVec::new(); parts.len()];
        for other in self.placed.iter().filter(|other| meet(&other.whole, whole)) {
            for (ties, part) in ties.iter_mut().zip(parts) {
                for (&task, _) in other.tasks.iter().zip(&other.parts).filter(|(_, other)| meet(other, part)) {
                    if !ties.contains(&task) {
                        ties.push(task);
                    }
                }
            }
        }
        ties
    }

    /// Whether a step is sooner done in the next stage than in the tasks that its parts are tied to, which become one where a
    /// part needs several; `behind` says that there is a next stage already.
    fn crowds(&self, ties: &Ties, step: &Ready, behind: bool) -> bool {
        // A plan made for one thread may run on several later.
        let threads = threads::num_threads().max(2) as f64;
        let part = step.cost / step.parts as f64;
        let span = |longest: f64, all: f64| longest.max(all / threads);
        let (longest, all) =
            self.drafts.iter().fold((0f64, 0.0), |(longest, all), draft| (longest.max(draft.cost), all + draft.cost));
        let one = united(self.drafts.len(), ties);
        let mut costs = vec![0.0; self.drafts.len()];
        self.drafts.iter().zip(&one).for_each(|(draft, &into)| costs[into] += draft.cost);
        // A task that takes all rows reads most of them from where other threads left them.
        let first = ties[0].first().map(|&task| one[task]);
        let alone = ties.len() > 1 && ties.iter().all(|ties| ties.first().map(|&task| one[task]) == first);
        let part = if alone { AFAR * part } else { part };
        ties.iter().filter_map(|ties| ties.first()).for_each(|&task| costs[one[task]] += part);
        let joined = costs.into_iter().fold(part, f64::max);
        let next = span(step.cost / step.parts as f64, step.cost);
        let apart = span(longest, all) + if behind { 0.0 } else { BARRIER } + next;
        apart < span(joined, all + step.cost)
    }

    /// Put a step into the tasks that its parts are tied to.
    fn put(&mut self, (at, step): (usize, &Ready), ties: &Ties, whole: Accesses, parts: Vec<Accesses>) {
        let one = united(self.drafts.len(), ties);
        for (task, &into) in one.iter().enumerate().filter(|&(task, &into)| task != into) {
            let Draft { pieces, cost, .. } = std::mem::take(&mut self.drafts[task]);
            self.drafts[into].pieces.extend(pieces);
            self.drafts[into].cost += cost;
        }
        self.placed.iter_mut().flat_map(|placed| &mut placed.tasks).for_each(|task| *task = one[*task]);
        // Parts that are tied to nothing go where others read the same, which is near then, if that leaves a task for each thread.
        let many = step.parts >= threads::num_threads().max(2);
        let alike = self.placed.iter().rev().take(NEIGHBOURS).find(|other| many && reads_alike(other, &parts));
        let alike: SmallVec<[usize; 16]> = alike.map_or(smallvec![], |other| other.tasks.as_slice().into());
        let tie = |part: usize| ties[part].first().map(|&task| one[task]).or_else(|| alike.get(part).copied());
        let tasks = (0..step.parts).map(|part| self.task(tie(part), (at, part), step));
        let tasks = tasks.collect();
        self.placed.push(Placed { whole, parts, tasks });
    }

    /// Put a part into the task it is tied to, else into a new one, else into one that has little to do and lies near.
    fn task(&mut self, tie: Option<usize>, (at, part): (usize, usize), step: &Ready) -> usize {
        let home = part as f64 / step.parts as f64;
        let task = tie.unwrap_or_else(|| {
            if let Some(empty) = self.drafts.iter().position(|draft| draft.pieces.is_empty()) {
                return empty;
            }
            if self.drafts.len() < MOST {
                self.drafts.push(Draft::default());
                return self.drafts.len() - 1;
            }
            let far = |draft: &Draft| draft.cost * (1.0 + (draft.home - home).abs());
            (0..self.drafts.len()).min_by(|&a, &b| far(&self.drafts[a]).total_cmp(&far(&self.drafts[b]))).unwrap_or(0)
        });
        if self.drafts[task].pieces.is_empty() {
            self.drafts[task].home = home;
        }
        self.drafts[task].pieces.push((at as u32, part as u32));
        self.drafts[task].cost += step.cost / step.parts as f64;
        task
    }
}

/// For each of so many tasks the first one that it becomes one with, where a part needs several.
fn united(tasks: usize, ties: &Ties) -> Vec<usize> {
    let mut one: Vec<usize> = (0..tasks).collect();
    for ties in ties.iter().filter(|ties| ties.len() > 1) {
        let into = ties.iter().map(|&task| one[task]).min().unwrap_or(0);
        let gone: SmallVec<[usize; 8]> = ties.iter().map(|&task| one[task]).collect();
        one.iter_mut().filter(|task| gone.contains(task)).for_each(|task| *task = into);
    }
    one
}

/// Whether each part reads something that the same part of another step reads as well, in a task of its own, and no other part.
fn reads_alike(other: &Placed, parts: &[Accesses]) -> bool {
    let same = |a: &Access, b: &Access| (a.slot, a.start, a.end) == (b.slot, b.start, b.end) && !a.write && !b.write;
    let shared = |a: &Accesses, b: &Accesses| a.iter().any(|a| b.iter().any(|b| same(a, b)));
    let pairs = || other.parts.iter().zip(parts);
    let apart = (1..other.tasks.len()).all(|part| !other.tasks[..part].contains(&other.tasks[part]));
    other.parts.len() == parts.len()
        && apart
        && pairs().all(|(a, b)| shared(a, b))
        && parts.iter().skip(1).all(|part| !shared(&other.parts[0], part))
}

fn meet(a: &Accesses, b: &Accesses) -> bool {
    a.iter().any(|a| b.iter().any(|b| a.meets(b)))
}
