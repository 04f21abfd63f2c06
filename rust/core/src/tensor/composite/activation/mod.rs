//! Activations: what stands between layers. All but the softmax family and gates work element by element.

mod exponential;
mod gate;
mod rectifier;
mod shrink;
mod softmax;

pub use exponential::{celu, elu, log_sigmoid, selu, softplus, softplus_unit};
pub use gate::{gelu, glu, hard_sigmoid, hard_swish, mish, silu};
pub use rectifier::{hardtanh, leaky_relu, prelu, relu, relu6, rrelu, threshold};
pub use shrink::{hard_shrink, soft_shrink, softsign, tanh_shrink};
pub use softmax::{log_softmax, softmax, softmin};
