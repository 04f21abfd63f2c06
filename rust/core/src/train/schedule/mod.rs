//! Learning-rate schedules: pure functions of the step.
//!
//! Adding one: a file with its struct, a re-export here, its Python class, its test row.

mod chained;
mod constant;
mod cosine;
mod cyclic;
mod exponential;
mod inverse_sqrt;
mod linear;
mod multi_step;
mod one_cycle;
mod polynomial;
mod sequential;
mod stable;
mod step;
mod warm_restarts;
mod warmup;

pub use chained::Chained;
pub use constant::Constant;
pub use cosine::Cosine;
pub use cyclic::{Cyclic, Envelope};
pub use exponential::Exponential;
pub use inverse_sqrt::InverseSqrt;
pub use linear::Linear;
pub use multi_step::MultiStep;
pub use one_cycle::OneCycle;
pub use polynomial::Polynomial;
pub use sequential::Sequential;
pub use stable::WarmupStableDecay;
pub use step::StepDecay;
pub use warm_restarts::WarmRestarts;
pub use warmup::Warmup;

/// A pure function from a step to a rate.
pub trait Schedule: Send + Sync {
    /// Rate at `step` (0 is the first) for a group whose own rate is `base`.
    fn rate(&self, base: f64, step: u64) -> f64;
}

/// Shape of the way between two rates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Anneal {
    /// Half a cosine.
    Cosine,
    /// A straight line.
    Linear,
}

impl Anneal {
    /// The value after a part of the way, 0 at its start and 1 at its end.
    pub fn between(self, start: f64, end: f64, part: f64) -> f64 {
        match self {
            Self::Cosine => end + (start - end) / 2.0 * ((std::f64::consts::PI * part).cos() + 1.0),
            Self::Linear => start + (end - start) * part,
        }
    }
}
