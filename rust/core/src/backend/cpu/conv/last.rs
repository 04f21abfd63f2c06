//! What becomes of a convolution's sums: a bias of each output, and rectified linear units.

use super::super::arch::{Kernel, Lanes, Vectored, dispatch};
use super::super::element::Float;
use super::super::kernel::Src;
use super::super::rows::along;
use crate::error::{Error, Result};

/// In this order; by default nothing.
#[derive(Debug, Default)]
pub(in crate::backend::cpu) struct Last<'a> {
    /// One number for each output is added; its layout is that of `[1, outputs, 1...]`.
    pub(in crate::backend::cpu) bias: Option<Src<'a>>,
    /// What is at most zero becomes zero.
    pub(in crate::backend::cpu) relu: bool,
}

impl Last<'_> {
    /// What becomes of the sums of one output.
    #[inline(always)]
    pub(super) fn of<T: Vectored>(&self, output: usize) -> Result<Change<T>> {
        let bias = match &self.bias {
            None => None,
            Some(bias) => {
                let place = along(bias.layout.offset(), bias.layout.strides()[1], output);
                let found = bias.elements::<T>()?.get(place).copied();
                Some(found.ok_or_else(|| Error::bug("conv", "a bias of fewer outputs"))?)
            }
        };
        Ok(Change { bias, relu: self.relu })
    }

    /// Change a whole result of this shape.
    pub(super) fn planes<T: Vectored>(&self, shape: &[usize], results: &mut [T]) -> Result<()> {
        if self.bias.is_none() && !self.relu {
            return Ok(());
        }
        let plane = shape[2..].iter().product::<usize>().max(1);
        for (number, plane) in results.chunks_exact_mut(plane).enumerate() {
            dispatch(Changed { change: self.of(number % shape[1])?, sums: plane });
        }
        Ok(())
    }
}

/// What becomes of the sums of one output.
#[derive(Clone, Copy)]
pub(super) struct Change<T> {
    bias: Option<T>,
    relu: bool,
}

impl<T: Float> Change<T> {
    /// Change sums where they lie.
    #[inline(always)]
    pub(super) fn apply<L: Lanes<Elem = T>>(self, l: L, sums: &mut [T]) {
        if self.bias.is_none() && !self.relu {
            return;
        }
        for sums in sums.chunks_mut(L::WIDTH) {
            let whole = sums.len() == L::WIDTH;
            let x = self.of(l, if whole { l.load(sums) } else { l.load_part(sums) });
            if whole { l.store(x, sums) } else { l.store_part(x, sums) }
        }
    }

    /// Changed sums.
    #[inline(always)]
    pub(super) fn of<L: Lanes<Elem = T>>(self, l: L, mut sums: L::V) -> L::V {
        if let Some(bias) = self.bias {
            sums = l.add(sums, l.splat(bias));
        }
        if self.relu {
            let zero = l.constant(0.0);
            sums = l.select(l.le(sums, zero), zero, sums);
        }
        sums
    }
}

struct Changed<'a, T> {
    change: Change<T>,
    sums: &'a mut [T],
}

impl<T: Vectored> Kernel<T> for Changed<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes<Elem = T>>(self, l: L) {
        self.change.apply(l, self.sums);
    }
}
