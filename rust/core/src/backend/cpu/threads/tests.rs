use super::*;
use std::sync::atomic::AtomicU32;

/// Counts the runs of each task, and checks that a stage begins after the one before.
struct Counting {
    stages: Vec<Vec<AtomicU32>>,
    done: AtomicUsize,
    before: Vec<usize>,
    wrong: AtomicBool,
}

impl Counting {
    fn new(tasks: &[usize]) -> Self {
        let stages = tasks.iter().map(|&n| (0..n).map(|_| AtomicU32::new(0)).collect()).collect();
        let before = tasks.iter().scan(0, |sum, n| Some(std::mem::replace(sum, *sum + n))).collect();
        Self { stages, done: AtomicUsize::new(0), before, wrong: AtomicBool::new(false) }
    }
}

impl Job for Counting {
    fn stages(&self) -> usize {
        self.stages.len()
    }
    fn tasks(&self, stage: usize) -> usize {
        self.stages[stage].len()
    }
    fn run(&self, stage: usize, task: usize) {
        if self.done.load(Ordering::SeqCst) < self.before[stage] {
            self.wrong.store(true, Ordering::SeqCst);
        }
        self.stages[stage][task].fetch_add(1, Ordering::SeqCst);
        self.done.fetch_add(1, Ordering::SeqCst);
    }
}

fn check(job: &Counting) {
    assert!(!job.wrong.load(Ordering::SeqCst), "a stage began too early");
    assert!(job.stages.iter().flatten().all(|runs| runs.load(Ordering::SeqCst) == 1));
}

fn busy(micros: u64) {
    let began = std::time::Instant::now();
    while began.elapsed().as_micros() < u128::from(micros) {
        std::hint::spin_loop();
    }
}

#[test]
fn every_task_runs_once_and_stages_in_order() {
    let pool = Pool::new(3);
    for round in 0..3000 {
        let job = Counting::new(&[1, MOST, 3, 1, 1, 7, 1 + round % MOST]);
        pool.run(&job).unwrap();
        check(&job);
        if round % 100 == 0 {
            busy(400);
        }
    }
    pool.stop();
}

#[test]
fn callers_at_once_all_finish() {
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let job = Counting::new(&[4, 1, 8]);
                    run(&job).unwrap();
                    check(&job);
                }
            });
        }
    });
}

struct Failing;

impl Job for Failing {
    fn stages(&self) -> usize {
        2
    }
    fn tasks(&self, _stage: usize) -> usize {
        4
    }
    fn run(&self, stage: usize, task: usize) {
        assert!((stage, task) != (0, 2), "task two");
    }
}

#[test]
fn a_panic_reaches_the_caller_as_an_error() {
    let pool = Pool::new(1);
    let error = pool.run(&Failing).unwrap_err();
    assert!(error.to_string().contains("task two"), "{error}");
    let job = Counting::new(&[2, 2]);
    pool.run(&job).unwrap();
    check(&job);
    pool.stop();
}

#[test]
fn shares_cover_all_tasks() {
    for (tasks, threads) in [(1, 2), (7, 2), (24, 5), (3, 8)] {
        let all: Vec<usize> =
            (0..threads).flat_map(|n| share(tasks, n, threads).0..share(tasks, n, threads).1).collect();
        assert_eq!(all, (0..tasks).collect::<Vec<_>>());
    }
    assert_eq!(share(1, 0, 2), (0, 1));
}

#[test]
fn impossible_numbers_of_threads_are_refused() {
    assert!(set_num_threads(0).is_err() && set_num_threads(5000).is_err());
}
