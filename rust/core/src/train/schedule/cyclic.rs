//! A rate that goes up and down. Source: Smith 2017, "Cyclical learning rates for training neural networks", section 3.

use super::Schedule;

/// What becomes of the height from cycle to cycle.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Envelope {
    /// It stays.
    Constant,
    /// It halves with every cycle.
    Halved,
    /// It decays by a factor at every step.
    Exponential(f64),
}

/// `base + (highest - base) * height`, the height going from 0 to 1 in `up` steps and back in `down`.
#[derive(Clone, Copy, Debug)]
pub struct Cyclic {
    /// Rate at the top.
    pub highest: f64,
    /// Steps up, above 0.
    pub up: f64,
    /// Steps down, above 0.
    pub down: f64,
    /// What becomes of the height.
    pub envelope: Envelope,
}

impl Schedule for Cyclic {
    fn rate(&self, base: f64, step: u64) -> f64 {
        let total = self.up + self.down;
        let turns = step as f64 / total;
        let (cycle, part, ratio) = (turns.floor(), turns - turns.floor(), self.up / total);
        let height = if part <= ratio { part / ratio } else { (1.0 - part) / (1.0 - ratio) };
        let scale = match self.envelope {
            Envelope::Constant => 1.0,
            Envelope::Halved => 0.5_f64.powf(cycle),
            Envelope::Exponential(gamma) => gamma.powf(step as f64),
        };
        base + (self.highest - base) * height * scale
    }
}
