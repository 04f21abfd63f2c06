//! How long a thread waits, and how: spinning first, then letting others run, then asleep.

use std::thread;
use std::time::{Duration, Instant};

/// Sleep of a caller that waits for a task of another thread.
pub(super) const NAP: Duration = Duration::from_micros(50);

/// Pauses of one look; about a quarter of a microsecond where a pause takes 10 to 27 ns.
const PAUSES: usize = 8;

/// A bounded wait.
#[derive(Debug)]
pub(super) struct Patience {
    looks: usize,
    began: Option<Instant>,
    spin: Duration,
    whole: Duration,
}

impl Patience {
    /// Of a caller in the midst of a job: the task it waits for is short, unless its thread has lost its core.
    pub(super) fn inside() -> Self {
        Self { looks: 0, began: None, spin: Duration::from_micros(20), whole: Duration::from_micros(60) }
    }

    /// Of a helper between two tasks: the gaps between stages and between steps are short.
    pub(super) fn between() -> Self {
        Self { looks: 0, began: None, spin: Duration::from_micros(50), whole: Duration::from_micros(300) }
    }

    /// Wait a little; false when patience is at its end.
    pub(super) fn spin(&mut self) -> bool {
        self.looks += 1;
        if self.looks < 16 {
            std::hint::spin_loop();
            return true;
        }
        let waited = self.began.get_or_insert_with(Instant::now).elapsed();
        if waited < self.spin {
            (0..PAUSES).for_each(|_| std::hint::spin_loop());
        } else {
            thread::yield_now();
        }
        waited < self.whole
    }
}
