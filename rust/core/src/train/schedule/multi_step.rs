//! Decay by a factor at given steps.

use super::Schedule;

/// `base * gamma^k`, k the number of milestones reached.
#[derive(Clone, Debug)]
pub struct MultiStep {
    /// Steps at which the rate decays; one that comes twice counts twice.
    pub milestones: Vec<u64>,
    /// Factor of each decay.
    pub gamma: f64,
}

impl Schedule for MultiStep {
    fn rate(&self, base: f64, step: u64) -> f64 {
        let reached = self.milestones.iter().filter(|&&milestone| milestone <= step).count();
        base * self.gamma.powf(reached as f64)
    }
}
