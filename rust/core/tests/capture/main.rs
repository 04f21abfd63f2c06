//! Captured steps: what a recording computes is what eager calls compute, and nothing outside changes but by its rules.

#![allow(clippy::unwrap_used, reason = "a test whose data cannot be made should fail on the spot")]

mod equal;
mod failure;
mod grads;
mod handles;
mod many;
mod net;
mod programs;
mod recording;
mod threads;
