//! Cosine annealing that starts again. Source: Loshchilov and Hutter 2017, equation 5.

use super::Schedule;

/// Half a cosine from `base` to `minimum`, again and again, each `growth` times as long as the one before.
#[derive(Clone, Copy, Debug)]
pub struct WarmRestarts {
    /// Steps of the first period, at least 1.
    pub period: u64,
    /// Factor from one period's length to the next, at least 1.
    pub growth: u64,
    /// Lowest rate, never quite reached.
    pub minimum: f64,
}

impl Schedule for WarmRestarts {
    fn rate(&self, base: f64, step: u64) -> f64 {
        let (mut into, mut length) = (step, self.period.max(1));
        if self.growth <= 1 {
            into %= length;
        } else {
            while into >= length {
                into -= length;
                length = length.saturating_mul(self.growth);
            }
        }
        let phase = (std::f64::consts::PI * into as f64 / length as f64).cos();
        self.minimum + (base - self.minimum) * (1.0 + phase) / 2.0
    }
}
