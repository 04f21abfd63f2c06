//! Optimizers and schedules, composed from ops. Nothing here runs a kernel; the bindings and Rust programs call it.
//!
//! An optimizer is a chain of [`transform::Transform`]s; a schedule is a pure function of the step.

pub mod average;
pub mod clip;
pub mod optim;
pub mod schedule;
pub mod transform;
