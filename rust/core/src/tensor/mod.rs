//! The eager face: handles of the user, what runs at a call, what is recorded, what runs again.
//!
//! Ops run at once; inside a recording the same calls draw nodes instead. Nothing here computes elements or rewrites
//! programs: backends and passes do. The optimizers, the files and the Python bindings call it.

pub mod args;
pub mod backward;
pub mod capture;
pub mod composite;
pub mod counters;
pub mod face;
pub mod functions;
pub mod generator;
mod gradients;
mod loops;
pub mod mode;
mod object;
pub mod outline;
pub mod recorder;
pub mod scan;
mod stack;

pub use face::Face;
pub use generator::Generator;
pub use object::{Tensor, compact, download, holds, leaf_with_sink, upload};
