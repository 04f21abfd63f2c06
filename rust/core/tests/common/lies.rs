//! The ways in which views make the elements of a tensor lie.

use smallvec::SmallVec;
use trainsmith_core::layout::Layout;
use trainsmith_core::shape::Shape;

/// How the elements of a test value lie in its buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lie {
    /// Row-major from the start.
    Plain,
    /// Row-major, after a few elements that belong to nobody.
    Shifted,
    /// The first axis runs fastest.
    Turned,
    /// Every axis walks backwards.
    Backwards,
    /// A gap after each element.
    Gapped,
    /// The first axis repeats one slice.
    Repeated,
}

impl Lie {
    pub(crate) const ALL: [Self; 6] =
        [Self::Plain, Self::Shifted, Self::Turned, Self::Backwards, Self::Gapped, Self::Repeated];

    /// The layout of a tensor that lies so, from the start of a buffer of its own.
    pub(crate) fn layout(self, shape: &Shape) -> Layout {
        let plain: SmallVec<[isize; 4]> = shape.contiguous_strides();
        match self {
            Self::Plain => Layout::contiguous(shape.clone()),
            Self::Shifted => Layout::new(shape.clone(), plain, 3),
            Self::Turned => {
                let mut strides = SmallVec::from_elem(1, shape.len());
                for axis in 1..shape.len() {
                    strides[axis] = strides[axis - 1] * shape[axis - 1].max(1) as isize;
                }
                Layout::new(shape.clone(), strides, 0)
            }
            Self::Backwards => {
                let last = shape.numel().saturating_sub(1);
                Layout::new(shape.clone(), plain.iter().map(|s| -s).collect(), last)
            }
            Self::Gapped => Layout::new(shape.clone(), plain.iter().map(|s| 2 * s).collect(), 1),
            Self::Repeated => {
                let mut strides = plain;
                strides.iter_mut().take(1).for_each(|s| *s = 0);
                Layout::new(shape.clone(), strides, 0)
            }
        }
    }
}
