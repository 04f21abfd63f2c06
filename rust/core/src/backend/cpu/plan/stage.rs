//! Parts of steps grouped into tasks, tasks into stages.
//!
//! Parts that depend on one another stay in one task, in order; a part that would tie two tasks together begins a new
//! stage, and so do parts that would leave most threads idle because one task holds what all of them need. So a thread
//! carries its rows through many steps, and threads wait for each other only where rows mix.

use super::super::threads::{self, MOST};
use super::prepare::Ready;
use smallvec::SmallVec;

/// Steps of a stage at most, so that planning stays linear.
const STEPS: usize = 64;

/// Nanoseconds that threads lose where one stage ends and another begins.
const BARRIER: f64 = 1500.0;

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

/// A step that is already in the stage.
struct Placed {
    whole: Accesses,
    parts: Vec<Accesses>,
    /// Task of each part.
    tasks: Vec<usize>,
}

/// A task that grows.
struct Draft {
    pieces: Vec<(u32, u32)>,
    cost: f64,
    /// Where its first part lies among the parts of its step, from 0 to 1.
    home: f64,
}

/// Group all parts; nothing from step `commit` on runs before everything else is done.
pub(super) fn stages(steps: &[Ready], commit: usize, aliases: &[usize]) -> Vec<Stage> {
    let mut stages = vec![];
    // A plan made for one thread may run on several later.
    let threads = threads::num_threads().max(2) as f64;
    let (mut placed, mut drafts): (Vec<Placed>, Vec<Draft>) = (vec![], vec![]);
    for (at, step) in steps.iter().enumerate() {
        if step.is_apart() && step.parts > 1 {
            close(&mut stages, &mut placed, &mut drafts);
            stages.push(Stage { tasks: (0..step.parts).map(|part| vec![(at as u32, part as u32)]).collect() });
            continue;
        }
        let parts: Vec<Accesses> = (0..step.parts).map(|part| step.accesses(part, aliases).collect()).collect();
        let whole = parts.iter().skip(1).fold(parts[0].clone(), |whole, part| {
            whole.into_iter().zip(part).map(|(whole, part)| whole.around(part)).collect()
        });
        let ties = ties(&placed, &whole, &parts);
        let apart = ties.as_ref().is_none_or(|ties| crowds(&drafts, ties, step, threads));
        if at == commit || placed.len() == STEPS || apart {
            close(&mut stages, &mut placed, &mut drafts);
        }
        let ties = ties.filter(|_| !placed.is_empty()).unwrap_or_else(|| vec![None; step.parts]);
        let tasks: Vec<usize> =
            ties.iter().enumerate().map(|(part, tie)| place(&mut drafts, *tie, (at, part), step)).collect();
        placed.push(Placed { whole, parts, tasks });
    }
    close(&mut stages, &mut placed, &mut drafts);
    stages
}

/// For each part the one task that must run before it, if any; nothing where a part depends on several.
fn ties(placed: &[Placed], whole: &Accesses, parts: &[Accesses]) -> Option<Vec<Option<usize>>> {
    let mut ties = vec![None; parts.len()];
    let near = placed.iter().filter(|other| meet(&other.whole, whole));
    for other in near {
        for (tie, part) in ties.iter_mut().zip(parts) {
            for (task, _) in other.tasks.iter().zip(&other.parts).filter(|(_, other)| meet(other, part)) {
                if tie.is_some_and(|known| known != *task) {
                    return None;
                }
                *tie = Some(*task);
            }
        }
    }
    Some(ties)
}

/// Whether a step is sooner done in a stage of its own than in the tasks that its parts are tied to.
fn crowds(drafts: &[Draft], ties: &[Option<usize>], step: &Ready, threads: f64) -> bool {
    let part = step.cost / step.parts as f64;
    let span = |longest: f64, all: f64| longest.max(all / threads);
    let (longest, all) =
        drafts.iter().fold((0f64, 0.0), |(longest, all), draft| (longest.max(draft.cost), all + draft.cost));
    let tied = |task: usize| drafts[task].cost + part * ties.iter().filter(|&&tie| tie == Some(task)).count() as f64;
    let joined = (0..drafts.len()).map(tied).fold(part, f64::max);
    span(longest, all) + BARRIER + span(part, step.cost) < span(joined, all + step.cost)
}

fn meet(a: &Accesses, b: &Accesses) -> bool {
    a.iter().any(|a| b.iter().any(|b| a.meets(b)))
}

/// Put a part into the task it is tied to, else into a new one, else into one that has little to do and lies near.
fn place(drafts: &mut Vec<Draft>, tie: Option<usize>, (at, part): (usize, usize), step: &Ready) -> usize {
    let home = part as f64 / step.parts as f64;
    let task = tie.unwrap_or_else(|| {
        if drafts.len() < MOST {
            drafts.push(Draft { pieces: vec![], cost: 0.0, home });
            return drafts.len() - 1;
        }
        let far = |draft: &Draft| draft.cost * (1.0 + (draft.home - home).abs());
        (0..drafts.len()).min_by(|&a, &b| far(&drafts[a]).total_cmp(&far(&drafts[b]))).unwrap_or(0)
    });
    drafts[task].pieces.push((at as u32, part as u32));
    drafts[task].cost += step.cost / step.parts as f64;
    task
}

fn close(stages: &mut Vec<Stage>, placed: &mut Vec<Placed>, drafts: &mut Vec<Draft>) {
    placed.clear();
    if drafts.is_empty() {
        return;
    }
    drafts.sort_by(|a, b| a.home.total_cmp(&b.home));
    stages.push(Stage { tasks: drafts.drain(..).map(|draft| draft.pieces).collect() });
}
