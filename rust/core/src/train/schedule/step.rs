//! Decay by a factor every few steps.

use super::Schedule;

/// `base * gamma^floor(step / size)`.
#[derive(Clone, Copy, Debug)]
pub struct StepDecay {
    /// Steps between two decays, at least 1.
    pub size: u64,
    /// Factor of each decay.
    pub gamma: f64,
}

impl Schedule for StepDecay {
    fn rate(&self, base: f64, step: u64) -> f64 {
        base * self.gamma.powf((step / self.size.max(1)) as f64)
    }
}
