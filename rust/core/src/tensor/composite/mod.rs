//! Functions made of ops: activations, norms, losses. One formula a function, its source beside it.

pub mod activation;
pub mod attention;
pub mod bag;
pub mod convolution;
pub mod distance;
pub mod dropout;
pub mod einsum;
pub mod lookup;
pub mod loss;
pub mod normalisation;
pub mod piecewise;
pub mod pool;
pub mod position;
pub mod recurrent;
pub mod resize;
pub(super) mod table;
