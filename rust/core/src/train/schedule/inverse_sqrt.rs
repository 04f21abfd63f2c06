//! Decay with the square root of the step, after a warm-up. Source: Vaswani et al. 2017, equation 3, with `base` at the top.

use super::{Schedule, Warmup};

/// A warm-up of `steps` steps, then `base * sqrt(steps / (step + 1))`.
#[derive(Clone, Copy, Debug)]
pub struct InverseSqrt {
    /// Steps of the warm-up; 0 counts as 1 in the decay.
    pub steps: u64,
}

impl Schedule for InverseSqrt {
    fn rate(&self, base: f64, step: u64) -> f64 {
        if step < self.steps {
            return Warmup { steps: self.steps }.rate(base, step);
        }
        base * (self.steps.max(1) as f64 / (step as f64 + 1.0)).sqrt()
    }
}
