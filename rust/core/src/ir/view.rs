//! Views without copies: how a view op changes a layout.

use crate::ir::op::ViewOp;
use crate::layout::Layout;

/// Layout of the view over the same buffer; `None` where strides cannot say it and a copy is needed.
pub fn view_layout(view: &ViewOp, layout: &Layout) -> Option<Layout> {
    match view {
        ViewOp::Reshape(shape) if shape.numel() == 0 => Some(Layout::contiguous(shape.clone())),
        ViewOp::Reshape(shape) => layout.reshape(shape),
        ViewOp::Permute(perm) => Some(layout.permute(perm)),
        ViewOp::Expand(shape) => Some(layout.expand(shape)),
        ViewOp::Slice { starts, sizes, steps } => Some(layout.slice(starts, sizes, steps)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_some_reshapes_need_a_copy() {
        let base = Layout::contiguous([2, 3].into());
        let turned = view_layout(&ViewOp::Permute(vec![1, 0]), &base).unwrap();
        assert_eq!(turned.strides(), [1, 3]);
        assert!(view_layout(&ViewOp::Reshape([6].into()), &turned).is_none());
        assert_eq!(view_layout(&ViewOp::Reshape([6].into()), &base), Some(Layout::contiguous([6].into())));
    }

    #[test]
    fn an_empty_reshape_is_a_view() {
        let empty = Layout::contiguous([2, 0, 3].into()).permute(&[2, 1, 0]);
        assert!(view_layout(&ViewOp::Reshape([0, 5].into()), &empty).is_some());
    }

    #[test]
    fn slices_and_repeats_keep_the_buffer() {
        let base = Layout::contiguous([4].into());
        let slice = ViewOp::Slice { starts: vec![3], sizes: vec![2], steps: vec![-2] };
        let back = view_layout(&slice, &base).unwrap();
        assert_eq!((back.offset(), back.strides()), (3, [-2].as_slice()));
        let rows = view_layout(&ViewOp::Expand([5, 2].into()), &back).unwrap();
        assert_eq!(rows.strides(), [0, -2]);
    }
}
