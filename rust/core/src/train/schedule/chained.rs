//! Schedules on top of each other.

use super::Schedule;
use std::sync::Arc;

/// Each schedule starts from the rate that those before it give at the same step.
pub struct Chained {
    parts: Vec<Arc<dyn Schedule>>,
}

impl std::fmt::Debug for Chained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chained").field("parts", &self.parts.len()).finish()
    }
}

impl Chained {
    /// Schedules in order.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use trainsmith_core::train::schedule::{Chained, Exponential, Schedule, StepDecay};
    /// let both = Chained::new(vec![Arc::new(Exponential { gamma: 0.5 }), Arc::new(StepDecay { size: 2, gamma: 0.1 })]);
    /// assert_eq!(both.rate(8.0, 2), 8.0 * 0.25 * 0.1);
    /// ```
    pub fn new(parts: Vec<Arc<dyn Schedule>>) -> Self {
        Self { parts }
    }
}

impl Schedule for Chained {
    fn rate(&self, base: f64, step: u64) -> f64 {
        self.parts.iter().fold(base, |rate, part| part.rate(rate, step))
    }
}
