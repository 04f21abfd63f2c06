//! Scores to probabilities along an axis.

use crate::error::Result;
use crate::ir::node::Edge;
use crate::ir::op::{Composite, Op, UnaryOp};
use crate::tensor::face::face;

/// `x - log(sum(exp(x)))` along an axis.
pub fn log_softmax(x: &Edge, axis: usize) -> Result<Edge> {
    face().one(Op::Composite(Composite::LogSoftmax { axis }), std::slice::from_ref(x))
}

/// `exp(x) / sum(exp(x))` along an axis.
pub fn softmax(x: &Edge, axis: usize) -> Result<Edge> {
    face().unary(UnaryOp::Exp, &log_softmax(x, axis)?)
}

/// `softmax(-x)` along an axis.
pub fn softmin(x: &Edge, axis: usize) -> Result<Edge> {
    softmax(&face().neg(x)?, axis)
}
