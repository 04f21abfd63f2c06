//! A factor for the first steps.

use super::Schedule;

/// `base * factor` before `steps`, then `base`.
#[derive(Clone, Copy, Debug)]
pub struct Constant {
    /// Factor of the first steps.
    pub factor: f64,
    /// How many they are.
    pub steps: u64,
}

impl Schedule for Constant {
    fn rate(&self, base: f64, step: u64) -> f64 {
        if step < self.steps { base * self.factor } else { base }
    }
}
