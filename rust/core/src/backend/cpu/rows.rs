//! Walking strided elements: several layouts of one shape as rows with constant steps.
//!
//! Neighbouring axes merge where every layout allows it, so contiguous tensors are a single row.

use crate::layout::Layout;
use smallvec::SmallVec;

/// Layouts of one shape, cut into rows in row-major order.
#[derive(Debug)]
pub(super) struct Rows<const N: usize> {
    outer: SmallVec<[(usize, [isize; N]); 4]>,
    offsets: [isize; N],
    len: usize,
    steps: [isize; N],
}

impl<const N: usize> Rows<N> {
    /// Rows of layouts that share one shape.
    pub(super) fn new(layouts: [&Layout; N]) -> Self {
        let shape = layouts[0].shape();
        let mut axes: SmallVec<[(usize, [isize; N]); 4]> = SmallVec::new();
        for (axis, &size) in shape.iter().enumerate().filter(|&(_, &size)| size != 1) {
            let strides = layouts.map(|layout| layout.strides()[axis]);
            match axes.last_mut() {
                Some((length, steps)) if (0..N).all(|i| steps[i] == strides[i] * size as isize) => {
                    *length *= size;
                    *steps = strides;
                }
                _ => axes.push((size, strides)),
            }
        }
        let (mut len, steps) = axes.pop().unwrap_or((1, [1; N]));
        if shape.numel() == 0 {
            len = 0;
            axes.clear();
        }
        Self { outer: axes, offsets: layouts.map(|layout| layout.offset() as isize), len, steps }
    }

    /// Planes instead of rows: the size and steps of the axis above the rows, and the planes' first elements as rows of one.
    pub(super) fn planes(mut self) -> (usize, [isize; N], Self) {
        let (size, steps) = self.outer.pop().unwrap_or((1, [0; N]));
        self.len = self.len.min(1);
        (size, steps, self)
    }

    /// Elements of each row.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Distance between neighbours of a row, for each layout.
    pub(super) fn steps(&self) -> [isize; N] {
        self.steps
    }

    /// Buffer index of the first element of each row, for each layout.
    pub(super) fn starts(&self) -> Starts<'_, N> {
        Starts { rows: self, index: SmallVec::from_elem(0, self.outer.len()), at: self.offsets, done: self.len == 0 }
    }

    /// Buffer index of every element, for each layout.
    pub(super) fn positions(&self) -> impl Iterator<Item = [usize; N]> + '_ {
        let (len, steps) = (self.len, self.steps);
        self.starts()
            .flat_map(move |start| (0..len).map(move |i| std::array::from_fn(|n| along(start[n], steps[n], i))))
    }
}

/// Buffer index `i` steps after `start`.
pub(super) fn along(start: usize, step: isize, i: usize) -> usize {
    start.wrapping_add_signed(step * i as isize)
}

/// The axes for which `inner` is false, which keep the offset, and those for which it is true, counted from 0.
pub(super) fn split(layout: &Layout, inner: impl Fn(usize) -> bool) -> (Layout, Layout) {
    let part = |wanted: bool, offset: usize| {
        let axes = (0..layout.shape().len()).filter(|&axis| inner(axis) == wanted);
        let strides = axes.clone().map(|axis| layout.strides()[axis]).collect();
        Layout::new(axes.map(|axis| layout.shape()[axis]).collect(), strides, offset)
    };
    (part(false, layout.offset()), part(true, 0))
}

/// Iterator over the first elements of rows.
#[derive(Debug)]
pub(super) struct Starts<'a, const N: usize> {
    rows: &'a Rows<N>,
    index: SmallVec<[usize; 4]>,
    at: [isize; N],
    done: bool,
}

impl<const N: usize> Iterator for Starts<'_, N> {
    type Item = [usize; N];

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let current = self.at.map(|at| at as usize);
        self.done = true;
        for (place, (size, strides)) in self.index.iter_mut().zip(&self.rows.outer).rev() {
            *place += 1;
            for (at, stride) in self.at.iter_mut().zip(strides) {
                *at += stride;
            }
            if *place < *size {
                self.done = false;
                break;
            }
            for (at, stride) in self.at.iter_mut().zip(strides) {
                *at -= stride * *size as isize;
            }
            *place = 0;
        }
        Some(current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn contiguous_axes_merge_into_one_row() {
        let layout = Layout::contiguous([2, 3, 4].into());
        let rows = Rows::new([&layout]);
        assert_eq!((rows.len(), rows.steps(), rows.starts().count()), (24, [1], 1));
    }

    #[test]
    fn scalars_are_one_row_and_empty_shapes_none() {
        assert_eq!(Rows::new([&Layout::contiguous([].into())]).positions().collect::<Vec<_>>(), [[0]]);
        assert_eq!(Rows::new([&Layout::contiguous([3, 0, 2].into())]).positions().count(), 0);
        assert_eq!(Rows::new([&Layout::contiguous([0].into())]).starts().count(), 0);
    }

    proptest! {
        #[test]
        fn positions_are_those_of_the_layouts(
            sizes in proptest::collection::vec(0usize..4, 0..4),
            turn in any::<bool>(),
            back in any::<bool>(),
        ) {
            let rank = sizes.len();
            let mut a = Layout::contiguous(sizes.clone().into());
            if turn {
                a = a.permute(&(0..rank).rev().collect::<Vec<_>>());
            }
            let b = Layout::contiguous(a.shape().clone());
            if back && a.shape().numel() > 0 {
                let last: Vec<usize> = a.shape().iter().map(|n| n - 1).collect();
                let taken = a.shape().to_vec();
                a = a.slice(&last, &taken, &vec![-1; rank]);
            }
            let wanted: Vec<[usize; 2]> = b.shape().indices().map(|i| [a.at(&i), b.at(&i)]).collect();
            prop_assert_eq!(Rows::new([&a, &b]).positions().collect::<Vec<_>>(), wanted);
        }
    }
}
