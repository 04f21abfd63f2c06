//! Tensors, gradients, plans and optimizers: the core of trainsmith, usable from Rust alone.
//!
//! Data flows one way: [`tensor`] builds nodes of [`ir`], [`passes`] turn programs into plans, a [`backend`] runs them,
//! [`train`] composes ops into optimizers and schedules, [`io`] reads and writes files,
//! [`data`] gathers batches.

pub mod backend;
pub mod buffer;
pub mod data;
pub mod device;
pub mod dtype;
pub mod error;
pub mod io;
pub mod ir;
pub mod layout;
pub mod passes;
pub mod rng;
pub mod shape;
pub mod tensor;
pub mod train;

pub use error::{Error, Result};
