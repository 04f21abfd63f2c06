//! Warm-up, a plateau, decay. Source: Hu et al. 2024, "MiniCPM", section 4, equation 1, with the decay to choose.

use super::{Anneal, Schedule, Warmup};

/// `warmup` steps up to `base`, `stable` steps at it, `decay` steps down to `base * lowest`, which then stays.
#[derive(Clone, Copy, Debug)]
pub struct WarmupStableDecay {
    /// Steps until the full rate.
    pub warmup: u64,
    /// Steps at the full rate.
    pub stable: u64,
    /// Steps down.
    pub decay: u64,
    /// Factor at the end.
    pub lowest: f64,
    /// Shape of the way down.
    pub anneal: Anneal,
}

impl Schedule for WarmupStableDecay {
    fn rate(&self, base: f64, step: u64) -> f64 {
        let begin = self.warmup + self.stable;
        if step < begin {
            return Warmup { steps: self.warmup }.rate(base, step);
        }
        let done = (step - begin).min(self.decay) as f64;
        let part = if self.decay == 0 { 1.0 } else { done / self.decay as f64 };
        self.anneal.between(base, base * self.lowest, part)
    }
}
