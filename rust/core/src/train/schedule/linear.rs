//! A factor that moves in a straight line.

use super::Schedule;

/// `base * factor`, the factor going from `start` to `end` within `steps`.
#[derive(Clone, Copy, Debug)]
pub struct Linear {
    /// First factor.
    pub start: f64,
    /// Factor from `steps` on.
    pub end: f64,
    /// Steps of the way.
    pub steps: u64,
}

impl Schedule for Linear {
    fn rate(&self, base: f64, step: u64) -> f64 {
        let done = if self.steps == 0 { 1.0 } else { step.min(self.steps) as f64 / self.steps as f64 };
        base * (self.start + (self.end - self.start) * done)
    }
}
