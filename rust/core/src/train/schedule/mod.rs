//! Learning-rate schedules: pure functions of the step.
//!
//! Adding one: a file with its struct, a re-export here, its Python class, its test row.

mod cosine;
mod linear;
mod sequential;
mod step;

pub use cosine::Cosine;
pub use linear::Linear;
pub use sequential::Sequential;
pub use step::StepDecay;

/// A pure function from a step to a rate.
pub trait Schedule: Send + Sync {
    /// Rate at `step` (0 is the first) for a group whose own rate is `base`.
    fn rate(&self, base: f64, step: u64) -> f64;
}
