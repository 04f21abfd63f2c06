//! A straight way up to the group's own rate.

use super::Schedule;

/// `base * min((step + 1) / steps, 1)`.
#[derive(Clone, Copy, Debug)]
pub struct Warmup {
    /// Steps until the full rate; 0 starts with it.
    pub steps: u64,
}

impl Schedule for Warmup {
    fn rate(&self, base: f64, step: u64) -> f64 {
        if self.steps == 0 { base } else { base * ((step as f64 + 1.0) / self.steps as f64).min(1.0) }
    }
}
