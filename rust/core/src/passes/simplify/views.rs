//! Views of views as one, and views that change nothing as none.

use super::{Rewrite, Rewriter};
use crate::buffer::Meta;
use crate::ir::op::{Op, ViewOp};
use crate::ir::program::ValueId;
use smallvec::smallvec;

impl Rewriter<'_> {
    pub(super) fn view(&mut self, view: &ViewOp, x: ValueId, meta: &Meta) -> Option<Rewrite> {
        if self.keeps(view, x) {
            return Some(Rewrite::Value(x));
        }
        if let Some(number) = self.number(x) {
            let plain = matches!(view, ViewOp::Expand(_)) && self.meta(x).shape.is_empty();
            return if plain { None } else { Some(self.filled(number, meta)) };
        }
        let before = self.maker(x)?;
        let source = *before.inputs.first()?;
        let one = match (view, &before.op) {
            (ViewOp::Reshape(_), Op::View(ViewOp::Reshape(_))) | (ViewOp::Expand(_), Op::View(ViewOp::Expand(_))) => {
                view.clone()
            }
            (ViewOp::Permute(outer), Op::View(ViewOp::Permute(inner))) => {
                ViewOp::Permute(outer.iter().map(|&axis| inner[axis]).collect())
            }
            (ViewOp::Slice { starts, sizes, steps }, Op::View(ViewOp::Slice { starts: first, steps: strides, .. }))
                if meta.shape.numel() > 0 =>
            {
                let start =
                    |(axis, &start): (usize, &usize)| first[axis].wrapping_add_signed(start as isize * strides[axis]);
                ViewOp::Slice {
                    starts: starts.iter().enumerate().map(start).collect(),
                    sizes: sizes.clone(),
                    steps: steps.iter().zip(strides).map(|(a, b)| a * b).collect(),
                }
            }
            _ => return None,
        };
        Some(Rewrite::Op(Op::View(one), smallvec![source]))
    }

    /// Whether a view gives its input back.
    fn keeps(&self, view: &ViewOp, x: ValueId) -> bool {
        let shape = &self.meta(x).shape;
        match view {
            ViewOp::Reshape(to) | ViewOp::Expand(to) => to == shape,
            ViewOp::Permute(perm) => perm.iter().copied().eq(0..perm.len()),
            ViewOp::Slice { sizes, steps, .. } => sizes[..] == shape[..] && steps.iter().all(|&step| step == 1),
        }
    }
}
