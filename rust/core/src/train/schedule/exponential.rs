//! Decay by a factor at every step.

use super::Schedule;

/// `base * gamma^step`.
#[derive(Clone, Copy, Debug)]
pub struct Exponential {
    /// Factor of each step.
    pub gamma: f64,
}

impl Schedule for Exponential {
    fn rate(&self, base: f64, step: u64) -> f64 {
        base * self.gamma.powf(step as f64)
    }
}
