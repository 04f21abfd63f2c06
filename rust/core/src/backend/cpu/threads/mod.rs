//! The pool of threads that runs a plan: a job is a list of stages, a stage a few tasks that any thread may take.
//!
//! One atomic word says which stage runs and which of its tasks nobody has taken yet. A thread that takes a task holds the
//! stage open until it has finished it, and the thread that finishes the last one opens the next stage. So nobody waits
//! for a thread that the system has taken away, unless it was in the midst of a task, and a job needs no thread but the
//! caller's. Which thread runs a task never changes a result.

#![allow(unsafe_code, reason = "a job lives on its caller's stack while other threads work on it")]

mod wait;

use crate::error::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, Thread};
use wait::Patience;

/// Tasks of a stage at most: they are the low bits of the word.
pub(super) const MOST: usize = 24;

const TASKS: u64 = (1 << MOST) - 1;

/// Work in stages, each of which begins when the one before is finished.
pub(super) trait Job: Sync {
    /// Number of stages, at least one.
    fn stages(&self) -> usize;
    /// Number of tasks of a stage, at least one and at most [`MOST`].
    fn tasks(&self, stage: usize) -> usize;
    /// Do one task; those of one stage may run at the same time.
    fn run(&self, stage: usize, task: usize);
}

/// Do all stages of a job on this thread alone.
pub(super) fn inline(job: &dyn Job) {
    for stage in 0..job.stages() {
        (0..job.tasks(stage)).for_each(|task| job.run(stage, task));
    }
}

/// Do all stages of a job, with the help of the pool unless it works for another caller.
pub(super) fn run(job: &dyn Job) -> Result<()> {
    match current() {
        Some(pool) if !pool.busy.swap(true, Ordering::Acquire) => {
            let done = pool.run(job);
            pool.busy.store(false, Ordering::Release);
            done
        }
        Some(_) | None => {
            inline(job);
            Ok(())
        }
    }
}

/// Threads that work on one step, the caller among them.
pub fn num_threads() -> usize {
    current().map_or(1, |pool| pool.helpers + 1)
}

/// Let steps that begin from now on use `count` threads, the caller among them.
pub fn set_num_threads(count: usize) -> Result<()> {
    if count == 0 || count > 1024 {
        return Err(Error::value("set_num_threads", "a number of threads in [1, 1024]", count.to_string()));
    }
    WANTED.store(count, Ordering::Release);
    retire(POOL.swap(std::ptr::null_mut(), Ordering::AcqRel));
    Ok(())
}

/// Threads to use; 0 before anybody asked.
static WANTED: AtomicUsize = AtomicUsize::new(0);

/// The pool in use. Pools are never freed: a forked child finds the parent's, and another caller may still look at one.
static POOL: AtomicPtr<Pool> = AtomicPtr::new(std::ptr::null_mut());

/// One word on a cache line of its own, which the processor fetches in pairs.
#[repr(align(128))]
#[derive(Default)]
struct Line<T>(T);

/// A job, as a pointer that is followed only by threads that hold a task of it.
#[derive(Clone, Copy)]
struct JobPointer(*const (dyn Job + 'static));

struct Pool {
    process: u32,
    helpers: usize,
    busy: AtomicBool,
    shared: Arc<Shared>,
}

/// What callers and helpers share.
struct Shared {
    /// Count of stages so far, and one bit for each task of the current one that nobody has taken.
    word: Line<AtomicU64>,
    /// Tasks of the current stage that are finished.
    finished: Line<AtomicUsize>,
    /// Stage of the current job.
    stage: AtomicUsize,
    /// Number of tasks of that stage.
    tasks: AtomicUsize,
    /// The current job, none between jobs. Written only while no task can be taken.
    job: Line<std::cell::UnsafeCell<Option<JobPointer>>>,
    /// The job is finished.
    over: Line<AtomicBool>,
    /// Helpers that sleep.
    asleep: Line<AtomicUsize>,
    /// The caller, where it sleeps.
    caller: Mutex<Option<Thread>>,
    caller_sleeps: AtomicBool,
    stop: AtomicBool,
    failure: Mutex<Option<String>>,
    helpers: usize,
    /// The helpers, to wake them.
    threads: OnceLock<Vec<Thread>>,
}

// SAFETY: `job` is written by the one caller while the word shows no task, and read by threads that have taken a task,
// which the word's release and acquire order after the write; everything else is atomic or locked.
unsafe impl Sync for Shared {}
// SAFETY: the pointer in `job` leads to a `Sync` job that outlives the stages in which threads follow it.
unsafe impl Send for Shared {}

/// The pool of this process, made on first use; none where one thread is wanted.
fn current() -> Option<&'static Pool> {
    let found = POOL.load(Ordering::Acquire);
    // SAFETY: a pool that was once stored is never freed.
    if let Some(pool) = unsafe { found.as_ref() }
        && pool.process == std::process::id()
    {
        return Some(pool);
    }
    let helpers = wanted().min(MOST) - 1;
    if helpers == 0 {
        return None;
    }
    let made = Box::into_raw(Box::new(Pool::new(helpers)));
    if POOL.compare_exchange(found, made, Ordering::AcqRel, Ordering::Acquire).is_err() {
        retire(made);
        return current();
    }
    // SAFETY: a pool that was once stored is never freed.
    unsafe { made.as_ref() }
}

/// Tell the threads of a pool that is no longer in use to leave.
fn retire(pool: *mut Pool) {
    // SAFETY: the pointer is null or leads to a pool, and pools are never freed.
    if let Some(pool) = unsafe { pool.as_ref() }
        && pool.process == std::process::id()
    {
        pool.stop();
    }
}

fn wanted() -> usize {
    static DEFAULT: OnceLock<usize> = OnceLock::new();
    match WANTED.load(Ordering::Acquire) {
        0 => *DEFAULT.get_or_init(|| {
            let asked = std::env::var("TRAINSMITH_NUM_THREADS").ok().and_then(|text| text.trim().parse().ok());
            asked.filter(|count| (1..=1024).contains(count)).unwrap_or_else(cores)
        }),
        count => count,
    }
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

impl Pool {
    fn new(helpers: usize) -> Self {
        let shared = Arc::new(Shared::new(helpers));
        let threads: Vec<Thread> = (1..=helpers)
            .map_while(|number| {
                let shared = Arc::clone(&shared);
                let named = thread::Builder::new().name(format!("trainsmith-{number}"));
                named.spawn(move || shared.help(number)).ok().map(|handle| handle.thread().clone())
            })
            .collect();
        let helpers = threads.len();
        shared.threads.get_or_init(|| threads);
        Self { process: std::process::id(), helpers, busy: AtomicBool::new(false), shared }
    }

    fn stop(&self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.wake();
    }

    fn run(&self, job: &dyn Job) -> Result<()> {
        self.shared.open(job);
        self.shared.lead();
        let failure = self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        failure.map_or(Ok(()), |what| Err(Error::bug("threads", format!("a task panicked: {what}"))))
    }
}

impl Shared {
    fn new(helpers: usize) -> Self {
        Self {
            word: Line::default(),
            finished: Line::default(),
            stage: AtomicUsize::new(0),
            tasks: AtomicUsize::new(0),
            job: Line(std::cell::UnsafeCell::new(None)),
            over: Line::default(),
            asleep: Line::default(),
            caller: Mutex::new(None),
            caller_sleeps: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            failure: Mutex::new(None),
            helpers,
            threads: OnceLock::new(),
        }
    }

    /// Show a job to the helpers.
    fn open(&self, job: &dyn Job) {
        let erased = &raw const *job;
        #[expect(clippy::transmute_ptr_to_ptr, reason = "a cast cannot lengthen the lifetime of a trait object")]
        // SAFETY: only the lifetime is erased; `lead` returns after the last task, and no thread follows the pointer then.
        let erased = unsafe { std::mem::transmute::<*const (dyn Job + '_), *const (dyn Job + 'static)>(erased) };
        // SAFETY: the caller is the only one, and between jobs the word shows no task, so nobody reads the job.
        unsafe { *self.job.0.get() = Some(JobPointer(erased)) };
        self.over.0.store(false, Ordering::Relaxed);
        self.publish(0, job.tasks(0));
    }

    /// Open a stage: all its tasks can be taken from now on.
    fn publish(&self, stage: usize, tasks: usize) {
        self.stage.store(stage, Ordering::Relaxed);
        self.tasks.store(tasks, Ordering::Relaxed);
        self.finished.0.store(0, Ordering::Relaxed);
        let count = (self.word.0.load(Ordering::Relaxed) & !TASKS).wrapping_add(1 << MOST);
        self.word.0.store(count | ((1 << tasks) - 1), Ordering::SeqCst);
        if tasks > 1 && self.asleep.0.load(Ordering::SeqCst) > 0 {
            self.wake();
        }
    }

    fn wake(&self) {
        self.threads.get().into_iter().flatten().for_each(Thread::unpark);
    }

    /// Take one task of the current stage, if one is left: of the thread's own share first.
    fn take(&self, number: usize) -> Option<usize> {
        let mut word = self.word.0.load(Ordering::Acquire);
        loop {
            let free = word & TASKS;
            if free == 0 {
                return None;
            }
            let tasks = self.tasks.load(Ordering::Relaxed).clamp(1, MOST);
            let (first, end) = share(tasks, number, self.helpers + 1);
            let own = free & ((1 << end) - 1) & !((1 << first) - 1);
            let task = if own != 0 { own.trailing_zeros() } else { free.ilog2() };
            match self.word.0.compare_exchange_weak(word, word & !(1 << task), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(task as usize),
                Err(now) => word = now,
            }
        }
    }

    /// Do tasks while there are any; whether there was one.
    fn work(&self, number: usize) -> bool {
        let mut any = false;
        while let Some(task) = self.take(number) {
            any = true;
            // SAFETY: this thread holds a task, so the job was opened before and is not over.
            let Some(JobPointer(job)) = (unsafe { *self.job.0.get() }) else { return any };
            // SAFETY: as above; the job outlives its last task.
            let job = unsafe { &*job };
            let stage = self.stage.load(Ordering::Relaxed);
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| job.run(stage, task))) {
                self.fail(panic.as_ref());
            }
            let tasks = self.tasks.load(Ordering::Relaxed);
            if self.finished.0.fetch_add(1, Ordering::AcqRel) + 1 == tasks {
                if stage + 1 < job.stages() {
                    self.publish(stage + 1, job.tasks(stage + 1));
                    self.wake_caller();
                } else {
                    self.over.0.store(true, Ordering::SeqCst);
                    self.wake_caller();
                    return any;
                }
            }
        }
        any
    }

    /// The caller's part: work until the job is over.
    fn lead(&self) {
        let mut patience = Patience::inside();
        while !self.over.0.load(Ordering::Acquire) {
            if self.work(0) {
                patience = Patience::inside();
            } else if !patience.spin() {
                self.rest();
            }
        }
    }

    /// Sleep for a moment, so that the system moves a thread that waits for a core to this one.
    fn rest(&self) {
        *self.caller.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current());
        self.caller_sleeps.store(true, Ordering::SeqCst);
        if !self.over.0.load(Ordering::SeqCst) && self.word.0.load(Ordering::SeqCst) & TASKS == 0 {
            thread::park_timeout(wait::NAP);
        }
        self.caller_sleeps.store(false, Ordering::SeqCst);
    }

    fn wake_caller(&self) {
        if self.caller_sleeps.load(Ordering::SeqCst)
            && let Some(caller) = self.caller.lock().unwrap_or_else(PoisonError::into_inner).as_ref()
        {
            caller.unpark();
        }
    }

    /// A helper's life.
    fn help(&self, number: usize) {
        let mut patience = Patience::between();
        while !self.stop.load(Ordering::Relaxed) {
            if self.work(number) {
                patience = Patience::between();
            } else if !patience.spin() {
                self.asleep.0.fetch_add(1, Ordering::SeqCst);
                while !self.stop.load(Ordering::SeqCst) && self.word.0.load(Ordering::SeqCst) & TASKS == 0 {
                    thread::park();
                }
                self.asleep.0.fetch_sub(1, Ordering::SeqCst);
                patience = Patience::between();
            }
        }
    }

    fn fail(&self, panic: &(dyn std::any::Any + Send)) {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(text);
    }
}

/// The tasks, first to end, that a thread takes before it helps others: so the same thread meets the same rows again.
pub(super) fn share(tasks: usize, number: usize, threads: usize) -> (usize, usize) {
    ((number * tasks).div_ceil(threads), ((number + 1) * tasks).div_ceil(threads))
}

#[cfg(test)]
mod tests;
