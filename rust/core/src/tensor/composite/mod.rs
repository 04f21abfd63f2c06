//! Functions made of ops: activations, norms, losses. One formula a function, its source beside it.

pub mod activation;
pub mod convolution;
pub mod distance;
pub mod dropout;
pub mod loss;
pub mod normalisation;
pub mod piecewise;
pub mod pool;
pub mod regularise;
mod table;
