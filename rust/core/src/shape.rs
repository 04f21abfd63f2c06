//! Shapes, axes and broadcasting.

use crate::error::{Error, Result};
use smallvec::SmallVec;
use std::fmt;
use std::ops::Deref;

/// Sizes of a tensor's axes, outermost first.
#[derive(PartialEq, Eq, Hash, Default)]
pub struct Shape(SmallVec<[usize; 4]>);

/// A copy of the sizes in one piece; every op copies several.
impl Clone for Shape {
    fn clone(&self) -> Self {
        Self(SmallVec::from_slice(&self.0))
    }
}

impl Shape {
    /// The shape of a 0-d tensor.
    pub fn scalar() -> Self {
        Self::default()
    }

    /// Number of elements.
    pub fn numel(&self) -> usize {
        self.0.iter().product()
    }

    /// Strides, in elements, of the row-major layout of this shape.
    pub fn contiguous_strides(&self) -> SmallVec<[isize; 4]> {
        let mut strides: SmallVec<[isize; 4]> = SmallVec::from_elem(1, self.len());
        for axis in (0..self.len().saturating_sub(1)).rev() {
            strides[axis] = strides[axis + 1] * self.0[axis + 1].max(1) as isize;
        }
        strides
    }

    /// This shape with `axes` (normalised) removed, or kept as size 1.
    pub fn reduced(&self, axes: &[usize], keepdims: bool) -> Self {
        self.0
            .iter()
            .enumerate()
            .filter_map(|(axis, &size)| match (axes.contains(&axis), keepdims) {
                (false, _) => Some(size),
                (true, true) => Some(1),
                (true, false) => None,
            })
            .collect()
    }

    /// This shape with the size of one axis replaced.
    pub fn with(&self, axis: usize, size: usize) -> Self {
        let mut shape = self.clone();
        shape.0[axis] = size;
        shape
    }

    /// The shape that broadcasting gives, or an error that names both.
    pub fn broadcast(op: &str, a: &Self, b: &Self) -> Result<Self> {
        let rank = a.len().max(b.len());
        let size = |shape: &Self, axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |i| shape.0[i]);
        (0..rank)
            .map(|axis| match (size(a, axis), size(b, axis)) {
                (x, y) if x == y => Ok(x),
                (1, y) => Ok(y),
                (x, 1) => Ok(x),
                _ => Err(Error::shape(
                    op,
                    "shapes that broadcast: aligned from the right, sizes equal or 1",
                    format!("{a} and {b}"),
                )),
            })
            .collect()
    }

    /// Turn a possibly negative axis into an index below `rank`.
    pub fn axis(op: &str, axis: i64, rank: usize) -> Result<usize> {
        let wrapped = if axis < 0 { axis + rank as i64 } else { axis };
        usize::try_from(wrapped).ok().filter(|&a| a < rank).ok_or_else(|| {
            Error::index(op, format!("an axis in [-{rank}, {rank}) of a tensor with {rank} axes"), axis.to_string())
        })
    }

    /// Turn possibly negative axes into sorted indices without repetition.
    pub fn axes(op: &str, axes: &[i64], rank: usize) -> Result<Vec<usize>> {
        let mut out = axes.iter().map(|&a| Self::axis(op, a, rank)).collect::<Result<Vec<_>>>()?;
        out.sort_unstable();
        if out.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Error::value(op, "each axis at most once", format!("{axes:?}")));
        }
        Ok(out)
    }

    /// Walk all multi-indices of this shape in row-major order.
    pub fn indices(&self) -> Indices<'_> {
        Indices { shape: self, next: (self.numel() > 0).then(|| SmallVec::from_elem(0, self.len())) }
    }
}

impl Deref for Shape {
    type Target = [usize];
    fn deref(&self) -> &[usize] {
        &self.0
    }
}

impl FromIterator<usize> for Shape {
    fn from_iter<I: IntoIterator<Item = usize>>(sizes: I) -> Self {
        Self(sizes.into_iter().collect())
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(sizes: [usize; N]) -> Self {
        sizes.into_iter().collect()
    }
}

impl From<&[usize]> for Shape {
    fn from(sizes: &[usize]) -> Self {
        Self(SmallVec::from_slice(sizes))
    }
}

impl From<Vec<usize>> for Shape {
    fn from(sizes: Vec<usize>) -> Self {
        Self(SmallVec::from_vec(sizes))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [one] => write!(f, "({one},)"),
            sizes => {
                let text: Vec<String> = sizes.iter().map(usize::to_string).collect();
                write!(f, "({})", text.join(", "))
            }
        }
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Iterator over the multi-indices of a shape.
#[derive(Debug)]
pub struct Indices<'a> {
    shape: &'a Shape,
    next: Option<SmallVec<[usize; 4]>>,
}

impl Iterator for Indices<'_> {
    type Item = SmallVec<[usize; 4]>;

    fn next(&mut self) -> Option<Self::Item> {
        let current = self.next.take()?;
        let mut following = current.clone();
        for axis in (0..following.len()).rev() {
            following[axis] += 1;
            if following[axis] < self.shape[axis] {
                self.next = Some(following);
                break;
            }
            following[axis] = 0;
        }
        Some(current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasting_aligns_from_the_right() {
        let shape = Shape::broadcast("add", &[3, 1].into(), &[2, 1, 4].into());
        assert_eq!(shape.ok(), Some([2, 3, 4].into()));
        assert!(Shape::broadcast("add", &[3].into(), &[2].into()).is_err());
    }

    #[test]
    fn indices_cover_the_shape_once() {
        assert_eq!(Shape::from([2, 3]).indices().count(), 6);
        assert_eq!(Shape::scalar().indices().count(), 1);
        assert_eq!(Shape::from([2, 0]).indices().count(), 0);
    }
}
