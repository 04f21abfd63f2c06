//! Decay to 0 along a power of the steps left.

use super::Schedule;

/// `base * (1 - step / steps)^power`, 0 from `steps` on.
#[derive(Clone, Copy, Debug)]
pub struct Polynomial {
    /// Steps until 0.
    pub steps: u64,
    /// Exponent; 1 is a straight line.
    pub power: f64,
}

impl Schedule for Polynomial {
    fn rate(&self, base: f64, step: u64) -> f64 {
        let done = if self.steps == 0 { 1.0 } else { step.min(self.steps) as f64 / self.steps as f64 };
        base * (1.0 - done).powf(self.power)
    }
}
