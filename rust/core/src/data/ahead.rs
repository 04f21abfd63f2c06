//! Batches gathered by threads ahead of the one who asks.

use crate::buffer::Value;
use crate::data::rows::Rows;
use crate::error::{Error, Result};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Waiting to be handed over; as many again may be handed over and not yet asked for.
const MOST_BATCHES: usize = 8;
const MOST_BYTES: usize = 32 << 20;
/// Fewer bytes than this are gathered before a thread would have started.
const LEAST_BYTES: usize = 256 << 10;
/// A batch of at most this many bytes that lies in one piece is copied in less time than a thread takes to hand it over.
const SMALL_BATCH: usize = 64 << 10;

/// The batches between two positions, the next few of them made before they are asked for.
///
/// Threads start with the second batch; few bytes need none.
#[derive(Debug)]
pub struct Ahead {
    // Before the rows: it is dropped first, so no thread ever holds the last handle on the arrays.
    crew: Option<Crew>,
    rows: Arc<Rows>,
    size: usize,
    next: usize,
    stop: usize,
    workers: usize,
    /// Handed over already.
    ready: VecDeque<Batch>,
}

type Batch = Result<Vec<Value>>;

#[derive(Debug)]
struct Crew {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    process: u32,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    filled: Condvar,
    drained: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    /// In their order; none where a thread is still at it.
    batches: VecDeque<Option<Batch>>,
    /// Batches that were handed over before the first of these.
    given: usize,
    /// Threads that may still add something.
    working: usize,
    /// Nobody will ask any more.
    closed: bool,
}

impl Ahead {
    /// Batches of `size` rows at the positions `start` to `stop - 1`; the last may have fewer.
    ///
    /// Of `workers` threads, 0 leaves it to the order and the size of the batches whether one gathers them.
    pub fn new(rows: Rows, size: usize, start: usize, stop: usize, workers: usize) -> Result<Self> {
        if size == 0 || start > stop || stop > rows.len() {
            let expected = format!("batches of at least 1 row between 0 and {}", rows.len());
            return Err(Error::value("batches", expected, format!("{size} rows from {start} to {stop}")));
        }
        let copied = rows.in_order() && size * rows.width() <= SMALL_BATCH;
        let workers = if workers == 0 { usize::from(!copied) } else { workers };
        Ok(Self { crew: None, rows: Arc::new(rows), size, next: start, stop, workers, ready: VecDeque::new() })
    }

    /// Whether the next batch is there, or made in a moment, so that asking waits for nobody.
    pub fn is_short(&self) -> bool {
        !self.ready.is_empty() || self.next == self.stop || (self.workers == 0 && self.crew.is_none())
    }

    /// The next batch, one value per array; nothing at the end.
    pub fn next_batch(&mut self) -> Result<Option<Vec<Value>>> {
        if self.next == self.stop {
            return Ok(None);
        }
        let (start, end) = (self.next, self.stop.min(self.next + self.size));
        // A forked child has no threads but its own.
        if let Some(orphan) = self.crew.take_if(|crew| crew.process != std::process::id()) {
            std::mem::forget(orphan);
        }
        if let (true, Some(crew)) = (self.ready.is_empty(), &self.crew) {
            crew.shared.take(&mut self.ready);
        }
        let batch = self.ready.pop_front().unwrap_or_else(|| self.rows.batch(start, end))?;
        self.next = end;
        let left = (self.stop - end) * self.rows.width();
        if self.workers > 0 && self.crew.is_none() && self.ready.is_empty() && left >= LEAST_BYTES {
            self.crew = Some(self.start());
        }
        Ok(Some(batch))
    }

    fn depth(&self) -> usize {
        let most = MOST_BATCHES.max(2 * self.workers);
        (MOST_BYTES / (self.size * self.rows.width()).max(1)).clamp(self.workers.max(1), most)
    }

    fn start(&self) -> Crew {
        let shared = Arc::new(Shared::default());
        shared.lock().working = self.workers;
        let (size, next, stop, depth) = (self.size, self.next, self.stop, self.depth());
        let work = || {
            let (rows, shared) = (Arc::clone(&self.rows), Arc::clone(&shared));
            std::thread::spawn(move || {
                // Ends the wait of the one who asks, also where a batch panics.
                let _leaving = Leaving(&shared);
                while let Some(number) = shared.claim((stop - next).div_ceil(size), depth) {
                    let start = next + number * size;
                    shared.fill(number, rows.batch(start, stop.min(start + size)));
                }
            })
        };
        let threads = (0..self.workers).map(|_| work()).collect();
        Crew { shared, threads, process: std::process::id() }
    }
}

impl Drop for Crew {
    /// Waits for the threads to end.
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.drained.notify_all();
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a thread the number of the batch to make; nothing once all of `count` are made, or nobody asks.
    ///
    /// At a full queue it waits until everything was handed over, so that a thread is seldom woken.
    fn claim(&self, count: usize, depth: usize) -> Option<usize> {
        let mut queue = self.lock();
        let all = queue.given + queue.batches.len() >= count;
        if queue.batches.len() >= depth && !all {
            let full = |queue: &mut Queue| queue.batches.len() >= depth && !queue.closed;
            queue = self.drained.wait_while(queue, full).unwrap_or_else(PoisonError::into_inner);
        }
        let number = queue.given + queue.batches.len();
        if queue.closed || number >= count {
            return None;
        }
        queue.batches.push_back(None);
        Some(number)
    }

    fn fill(&self, number: usize, batch: Batch) {
        let mut queue = self.lock();
        let place = number - queue.given;
        if let Some(slot) = queue.batches.get_mut(place) {
            *slot = Some(batch);
        }
        if place == 0 {
            self.filled.notify_one();
        }
    }

    /// Hands over what is ready, in order; waits for the first.
    fn take(&self, ready: &mut VecDeque<Batch>) {
        let empty = |queue: &mut Queue| !matches!(queue.batches.front(), Some(Some(_))) && queue.working > 0;
        let mut queue = self.filled.wait_while(self.lock(), empty).unwrap_or_else(PoisonError::into_inner);
        while let Some(batch) = queue.batches.front_mut().and_then(Option::take) {
            queue.batches.pop_front();
            queue.given += 1;
            ready.push_back(batch);
        }
        if ready.is_empty() {
            ready.push_back(Err(Error::bug("batches", "a thread that gathers ended early")));
        }
        drop(queue);
        self.drained.notify_all();
    }
}

struct Leaving<'a>(&'a Shared);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.lock().working -= 1;
        self.0.filled.notify_all();
    }
}
