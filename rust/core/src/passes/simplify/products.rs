//! Transposes of products as products of transposes: the operands are read by their strides, the result is written as it is read.

use super::Rewriter;
use crate::buffer::Meta;
use crate::ir::op::{Op, ViewOp};
use crate::ir::program::ValueId;
use crate::shape::Shape;
use smallvec::smallvec;

impl Rewriter<'_> {
    /// `(a b)^T` as `b^T a^T`, where nothing else reads `a b`.
    pub(super) fn turned_product(&mut self, op: &Op, inputs: &[ValueId]) -> Option<ValueId> {
        let Op::View(ViewOp::Permute(perm)) = op else { return None };
        let rank = perm.len();
        let turn = turned(rank)?;
        let maker = self.maker(inputs[0]).filter(|maker| maker.op == Op::MatMul && *perm == turn)?;
        let (a, b, origin) = (maker.inputs[0], maker.inputs[1], maker.origin.clone());
        let (a, b) = (self.turn(a), self.turn(b));
        let shape = turn.iter().map(|&axis| self.meta(inputs[0]).shape[axis]).collect::<Shape>();
        let meta = Meta::new(shape, self.dtype(inputs[0]));
        Some(self.add(Op::MatMul, smallvec![b, a], &[meta], origin.as_ref()))
    }

    /// A permuted pad as the pad of what is permuted, where nothing else reads the pad: row-major zeros are made in one go.
    pub(super) fn turned_pad(&mut self, op: &Op, inputs: &[ValueId]) -> Option<ValueId> {
        let Op::View(ViewOp::Permute(perm)) = op else { return None };
        let maker = self.maker(inputs[0])?;
        let Op::Pad { low, high, interior, value } = maker.op.clone() else { return None };
        let (x, origin) = (maker.inputs[0], maker.origin.clone());
        let permuted = |sizes: &[usize]| -> Vec<usize> { perm.iter().map(|&axis| sizes[axis]).collect() };
        let meta = |shape: &[usize], dtype| Meta::new(permuted(shape), dtype);
        let (inner, outer) =
            (meta(&self.meta(x).shape, self.dtype(x)), meta(&self.meta(inputs[0]).shape, self.dtype(x)));
        let x = self.add(op.clone(), smallvec![x], &[inner], origin.as_ref());
        let pad = Op::Pad { low: permuted(&low), high: permuted(&high), interior: permuted(&interior), value };
        Some(self.add(pad, smallvec![x], &[outer], origin.as_ref()))
    }

    /// A value with its last two axes swapped.
    fn turn(&mut self, value: ValueId) -> ValueId {
        let shape = &self.meta(value).shape;
        let Some(perm) = turned(shape.len()) else { return value };
        let meta = Meta::new(perm.iter().map(|&axis| shape[axis]).collect::<Shape>(), self.dtype(value));
        self.add(Op::View(ViewOp::Permute(perm)), smallvec![value], &[meta], None)
    }
}

/// All axes, the last two swapped.
fn turned(rank: usize) -> Option<Vec<usize>> {
    let mut perm: Vec<usize> = (0..rank).collect();
    perm.swap(rank.checked_sub(2)?, rank - 1);
    Some(perm)
}
