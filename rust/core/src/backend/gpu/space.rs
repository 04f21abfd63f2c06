//! Iteration spaces: axes that lie alike in all operands become one, so that kernels see few.

/// Sizes of the axes, and each operand's strides along them.
#[derive(Clone, Debug)]
pub(super) struct Space {
    /// Sizes, the last axis running fastest.
    pub(super) sizes: Vec<usize>,
    /// Per operand, the stride of each axis in elements.
    pub(super) strides: Vec<Vec<isize>>,
}

impl Space {
    /// A space of these sizes with axes joined where that changes no operand's order.
    pub(super) fn new(sizes: &[usize], strides: &[&[isize]]) -> Self {
        let mut joined = Self { sizes: Vec::new(), strides: vec![Vec::new(); strides.len()] };
        for axis in (0..sizes.len()).rev().filter(|&axis| sizes[axis] != 1) {
            let inner = joined.sizes.last().copied();
            let joins = inner.is_some_and(|inner| {
                strides
                    .iter()
                    .zip(&joined.strides)
                    .all(|(own, to)| to.last().is_some_and(|&stride| own[axis] == stride * inner as isize))
            });
            if joins {
                if let Some(size) = joined.sizes.last_mut() {
                    *size *= sizes[axis];
                }
                continue;
            }
            joined.sizes.push(sizes[axis]);
            for (own, to) in strides.iter().zip(&mut joined.strides) {
                to.push(own[axis]);
            }
        }
        joined.sizes.reverse();
        joined.strides.iter_mut().for_each(|strides| strides.reverse());
        joined
    }

    /// Number of places.
    pub(super) fn numel(&self) -> usize {
        self.sizes.iter().product()
    }

    /// Whether an operand's elements lie one after the other in the order of the space.
    pub(super) fn is_dense(&self, operand: usize) -> bool {
        let mut expected = 1;
        self.sizes.iter().zip(&self.strides[operand]).rev().all(|(&size, &stride)| {
            let fits = stride == expected;
            expected *= size as isize;
            fits
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_join_where_all_operands_allow_it() {
        let space = Space::new(&[2, 3, 4], &[&[12, 4, 1], &[12, 4, 1]]);
        assert_eq!((space.sizes.as_slice(), space.is_dense(0)), ([24].as_slice(), true));
        let space = Space::new(&[2, 3, 4], &[&[12, 4, 1], &[0, 0, 1]]);
        assert_eq!((space.sizes.as_slice(), space.strides[1].as_slice()), ([6, 4].as_slice(), [0, 1].as_slice()));
        assert!(space.is_dense(0) && !space.is_dense(1));
        assert_eq!(Space::new(&[1, 1], &[&[5, 7]]).numel(), 1);
    }
}
