//! Up to a high rate and down to a very low one, once. Source: Smith and Topin 2019, "Super-convergence".

use super::{Anneal, Schedule};

/// From `base` to `highest`, back to `base` where there are three phases, and on to `lowest`.
#[derive(Clone, Copy, Debug)]
pub struct OneCycle {
    /// Rate at the top.
    pub highest: f64,
    /// Rate at the end.
    pub lowest: f64,
    /// Steps of the whole way; the last is number `steps - 1`.
    pub steps: u64,
    /// Part of the steps that lead to the top.
    pub rise: f64,
    /// Shape of each phase.
    pub anneal: Anneal,
    /// Whether the way down takes as long as the way up and a third phase follows.
    pub three_phase: bool,
}

impl Schedule for OneCycle {
    fn rate(&self, base: f64, step: u64) -> f64 {
        let steps = self.steps as f64;
        let (top, last, at) = (self.rise * steps - 1.0, steps - 1.0, step as f64);
        let foot = 2.0 * self.rise * steps - 2.0;
        let (begin, end, from, to) = if at <= top {
            (0.0, top, base, self.highest)
        } else if !self.three_phase {
            (top, last, self.highest, self.lowest)
        } else if at <= foot {
            (top, foot, self.highest, base)
        } else {
            (foot, last, base, self.lowest)
        };
        self.anneal.between(from, to, (at - begin) / (end - begin))
    }
}
