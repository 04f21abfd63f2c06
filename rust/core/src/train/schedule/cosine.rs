//! Cosine annealing. Source: Loshchilov and Hutter 2017, equation 5, without restarts.

use super::Schedule;

/// `min + (base - min) (1 + cos(pi step / period)) / 2`; after `period` the rate rises again.
#[derive(Clone, Copy, Debug)]
pub struct Cosine {
    /// Steps from the highest rate to the lowest.
    pub period: f64,
    /// Lowest rate.
    pub minimum: f64,
}

impl Schedule for Cosine {
    fn rate(&self, base: f64, step: u64) -> f64 {
        let phase = (std::f64::consts::PI * step as f64 / self.period).cos();
        self.minimum + (base - self.minimum) * (1.0 + phase) / 2.0
    }
}
