//! Folds of reshaped values as folds of the values.

use super::{Rewrite, Rewriter};
use crate::ir::op::{Op, ReduceOp, ViewOp};
use crate::ir::program::ValueId;
use smallvec::smallvec;

impl Rewriter<'_> {
    /// A fold over leading axes, under a reshape that cuts or joins only these, takes the same elements in the same order.
    pub(super) fn fold(&self, op: ReduceOp, axes: &[usize], x: ValueId) -> Option<Rewrite> {
        let maker = self.maker(x).filter(|maker| matches!(maker.op, Op::View(ViewOp::Reshape(_))))?;
        let source = maker.inputs[0];
        let (to, from) = (&self.meta(x).shape, &self.meta(source).shape);
        let left = to.len() - axes.len();
        let lead = from.len().checked_sub(left)?;
        let fits = axes.iter().copied().eq(0..axes.len()) && lead > 0 && from[lead..] == to[axes.len()..];
        let op = Op::Reduce { op, axes: (0..lead).collect() };
        (fits && to.numel() > 0).then(|| Rewrite::Op(op, smallvec![source]))
    }
}
