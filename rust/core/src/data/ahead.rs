//! Batches gathered by a thread ahead of the one who asks.

use crate::buffer::Value;
use crate::data::rows::Rows;
use crate::error::{Error, Result};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

const MOST_BATCHES: usize = 8;
const MOST_BYTES: usize = 64 << 20;
/// Fewer bytes than this are gathered before a thread would have started.
const LEAST_BYTES: usize = 256 << 10;

/// The batches between two positions, the next few of them made before they are asked for.
///
/// The thread starts with the second batch; few bytes need none.
#[derive(Debug)]
pub struct Ahead {
    // Before the rows: it is dropped first, so the thread never holds the last handle on the arrays.
    worker: Option<Worker>,
    rows: Arc<Rows>,
    size: usize,
    next: usize,
    stop: usize,
}

#[derive(Debug)]
struct Worker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
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
    batches: VecDeque<Result<Vec<Value>>>,
    /// Nobody will ask any more.
    closed: bool,
    /// Nothing will be added any more.
    ended: bool,
}

impl Ahead {
    /// Batches of `size` rows at the positions `start` to `stop - 1`; the last may have fewer.
    pub fn new(rows: Rows, size: usize, start: usize, stop: usize) -> Result<Self> {
        if size == 0 || start > stop || stop > rows.len() {
            let expected = format!("batches of at least 1 row between 0 and {}", rows.len());
            return Err(Error::value("batches", expected, format!("{size} rows from {start} to {stop}")));
        }
        Ok(Self { worker: None, rows: Arc::new(rows), size, next: start, stop })
    }

    /// The next batch, one value per array; nothing at the end.
    pub fn next_batch(&mut self) -> Result<Option<Vec<Value>>> {
        if self.next == self.stop {
            return Ok(None);
        }
        let (start, end) = (self.next, self.stop.min(self.next + self.size));
        // A forked child has no threads but its own.
        if let Some(orphan) = self.worker.take_if(|worker| worker.process != std::process::id()) {
            std::mem::forget(orphan);
        }
        let batch = match &self.worker {
            Some(worker) => worker.shared.take(self.depth()),
            None => self.rows.batch(start, end),
        }?;
        self.next = end;
        if self.worker.is_none() && (self.stop - end) * self.rows.width() >= LEAST_BYTES {
            self.worker = Some(self.start());
        }
        Ok(Some(batch))
    }

    fn depth(&self) -> usize {
        (MOST_BYTES / (self.size * self.rows.width()).max(1)).clamp(1, MOST_BATCHES)
    }

    fn start(&self) -> Worker {
        let shared = Arc::new(Shared::default());
        let (rows, queue) = (Arc::clone(&self.rows), Arc::clone(&shared));
        let (size, next, stop, depth) = (self.size, self.next, self.stop, self.depth());
        let thread = std::thread::spawn(move || {
            // Ends the wait of the one who asks, also where a batch panics.
            let _ended = Ended(&queue);
            for start in (next..stop).step_by(size) {
                if !queue.add(rows.batch(start, stop.min(start + size)), depth) {
                    return;
                }
            }
        });
        Worker { shared, thread: Some(thread), process: std::process::id() }
    }
}

impl Drop for Worker {
    /// Waits for the thread to end.
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.drained.notify_all();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a batch; a full queue is first half emptied, so that a thread is seldom woken. False once nobody asks.
    fn add(&self, batch: Result<Vec<Value>>, depth: usize) -> bool {
        let mut queue = self.lock();
        if queue.batches.len() >= depth {
            let full = |queue: &mut Queue| queue.batches.len() > depth / 2 && !queue.closed;
            queue = self.drained.wait_while(queue, full).unwrap_or_else(PoisonError::into_inner);
        }
        queue.batches.push_back(batch);
        self.filled.notify_one();
        !queue.closed
    }

    fn take(&self, depth: usize) -> Result<Vec<Value>> {
        let empty = |queue: &mut Queue| queue.batches.is_empty() && !queue.ended;
        let mut queue = self.filled.wait_while(self.lock(), empty).unwrap_or_else(PoisonError::into_inner);
        let batch = queue.batches.pop_front();
        if queue.batches.len() <= depth / 2 {
            self.drained.notify_one();
        }
        batch.unwrap_or_else(|| Err(Error::bug("batches", "the thread that gathers ended early")))
    }
}

struct Ended<'a>(&'a Shared);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.filled.notify_all();
    }
}
