//! How the elements of a tensor lie in a buffer: shape, strides, offset.

use crate::shape::Shape;
use smallvec::SmallVec;
use std::cmp::Ordering;

/// Strides in elements (never bytes); 0 repeats an element, negative walks backwards.
pub type Strides = SmallVec<[isize; 4]>;

/// Position of every element of a tensor in its buffer, in elements.
#[derive(PartialEq, Eq, Hash, Debug)]
pub struct Layout {
    shape: Shape,
    strides: Strides,
    offset: usize,
}

/// A copy of the strides in one piece; every op copies several.
impl Clone for Layout {
    fn clone(&self) -> Self {
        Self { shape: self.shape.clone(), strides: SmallVec::from_slice(&self.strides), offset: self.offset }
    }
}

impl Layout {
    /// Row-major layout from the start of the buffer.
    pub fn contiguous(shape: Shape) -> Self {
        let strides = shape.contiguous_strides();
        Self { shape, strides, offset: 0 }
    }

    /// A layout from its parts; every index must stay inside the buffer it is used with.
    pub fn new(shape: Shape, strides: Strides, offset: usize) -> Self {
        debug_assert_eq!(shape.len(), strides.len());
        Self { shape, strides, offset }
    }

    /// Sizes of the axes.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Strides in elements.
    pub fn strides(&self) -> &[isize] {
        &self.strides
    }

    /// Index of the first element.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Whether the elements lie row-major without gaps, wherever they start.
    pub fn is_contiguous(&self) -> bool {
        let mut expected = 1isize;
        for (&size, &stride) in self.shape.iter().zip(&self.strides).rev() {
            if size == 0 {
                return true;
            }
            if size != 1 && stride != expected {
                return false;
            }
            expected *= size as isize;
        }
        true
    }

    /// Buffer index of one multi-index.
    pub fn at(&self, index: &[usize]) -> usize {
        let delta: isize = index.iter().zip(&self.strides).map(|(&i, &s)| i as isize * s).sum();
        self.offset.wrapping_add_signed(delta)
    }

    /// Smallest and largest buffer index that is touched; `None` when empty.
    pub fn span(&self) -> Option<(usize, usize)> {
        if self.shape.numel() == 0 {
            return None;
        }
        let (mut low, mut high) = (self.offset as isize, self.offset as isize);
        for (&size, &stride) in self.shape.iter().zip(&self.strides) {
            let reach = (size as isize - 1) * stride;
            if reach < 0 { low += reach } else { high += reach }
        }
        Some((low as usize, high as usize))
    }

    /// The same elements under another shape, if strides can say so.
    pub fn reshape(&self, shape: &Shape) -> Option<Self> {
        if self.is_contiguous() {
            return Some(Self::new(shape.clone(), shape.contiguous_strides(), self.offset));
        }
        let kept: Vec<(usize, isize)> =
            self.shape.iter().copied().zip(self.strides.iter().copied()).filter(|&(n, _)| n != 1).collect();
        let mut strides: Strides = SmallVec::from_elem(0, shape.len());
        let (mut old, mut new) = (0, 0);
        while old < kept.len() {
            let start_new = new;
            let mut have = kept[old].0;
            old += 1;
            let mut want = 1;
            loop {
                match want.cmp(&have) {
                    Ordering::Equal => break,
                    Ordering::Less => {
                        want *= *shape.get(new)?;
                        new += 1;
                    }
                    Ordering::Greater => {
                        let (size, stride) = *kept.get(old)?;
                        if kept[old - 1].1 != size as isize * stride {
                            return None;
                        }
                        have *= size;
                        old += 1;
                    }
                }
            }
            let mut step = kept[old - 1].1;
            for axis in (start_new..new).rev() {
                strides[axis] = step;
                step *= shape[axis] as isize;
            }
        }
        Some(Self::new(shape.clone(), strides, self.offset))
    }

    /// Reorder axes: axis i of the result is axis `perm[i]` of this layout.
    pub fn permute(&self, perm: &[usize]) -> Self {
        Self::new(
            perm.iter().map(|&p| self.shape[p]).collect(),
            perm.iter().map(|&p| self.strides[p]).collect(),
            self.offset,
        )
    }

    /// Repeat size-1 axes (and new leading ones) to `shape`.
    pub fn expand(&self, shape: &Shape) -> Self {
        let lead = shape.len() - self.shape.len();
        let strides = (0..shape.len())
            .map(|axis| match axis.checked_sub(lead) {
                Some(i) if self.shape[i] == shape[axis] => self.strides[i],
                _ => 0,
            })
            .collect();
        Self::new(shape.clone(), strides, self.offset)
    }

    /// Take `sizes[i]` elements of each axis from `starts[i]`, `steps[i]` apart (negative steps walk backwards).
    pub fn slice(&self, starts: &[usize], sizes: &[usize], steps: &[isize]) -> Self {
        let empty = sizes.contains(&0);
        let mut offset = self.offset as isize;
        let mut strides = Strides::new();
        for axis in 0..sizes.len() {
            if !empty {
                offset += starts[axis] as isize * self.strides[axis];
            }
            strides.push(self.strides[axis] * steps[axis]);
        }
        Self::new(sizes.into(), strides, offset as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reshape_of_a_transpose_is_no_view() {
        let layout = Layout::contiguous([2, 3].into()).permute(&[1, 0]);
        assert!(layout.reshape(&[6].into()).is_none());
        assert!(layout.reshape(&[3, 1, 2].into()).is_some());
    }

    proptest! {
        #[test]
        fn a_reshaped_view_visits_the_same_elements(
            sizes in proptest::collection::vec(1usize..4, 1..4),
            swap in any::<bool>(),
            cut in any::<bool>(),
        ) {
            let mut layout = Layout::contiguous(sizes.clone().into());
            if swap {
                let perm: Vec<usize> = (0..sizes.len()).rev().collect();
                layout = layout.permute(&perm);
            }
            if cut && layout.shape()[0] > 1 {
                let mut taken = layout.shape().to_vec();
                let mut starts = vec![0; taken.len()];
                taken[0] -= 1;
                starts[0] = 1;
                layout = layout.slice(&starts, &taken, &vec![1; starts.len()]);
            }
            let flat: Shape = [layout.shape().numel()].into();
            if let Some(view) = layout.reshape(&flat) {
                let before: Vec<usize> = layout.shape().indices().map(|i| layout.at(&i)).collect();
                let after: Vec<usize> = flat.indices().map(|i| view.at(&i)).collect();
                prop_assert_eq!(before, after);
            }
        }
    }
}
