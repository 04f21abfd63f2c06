//! Loops inside a plan: the kernels of every turn, compiled and bound once, each turn with numbers of its own.

use super::context::Context;
use super::dispatch::{Dispatch, Numbers};
use super::launch::Slot;
use super::text::Text;
use crate::error::Result;
use std::sync::Arc;

/// What a loop runs, in order: the number of a kernel, and the words of its binding 0.
#[derive(Debug, Default)]
pub(super) struct Series {
    /// Kernels that differ in more than their numbers.
    pub(super) kernels: Vec<Text>,
    /// What runs, turn by turn.
    pub(super) order: Vec<(usize, Vec<u32>)>,
}

impl Series {
    /// Add dispatches.
    pub(super) fn extend(&mut self, texts: &[Text]) {
        for text in texts {
            let kernel = self.kernel(text);
            self.order.push((kernel, text.params.clone()));
        }
    }

    /// The number of a kernel, which becomes known.
    pub(super) fn kernel(&mut self, text: &Text) -> usize {
        let known = self.kernels.iter().position(|known| known.differs_in_numbers(text));
        known.unwrap_or_else(|| {
            self.kernels.push(text.clone());
            self.kernels.len() - 1
        })
    }
}

/// A loop of a plan, ready to be recorded.
#[derive(Debug)]
pub(super) struct Turns {
    kernels: Vec<Dispatch>,
    /// The number of a kernel, and where its numbers start.
    order: Vec<(usize, usize)>,
}

impl Turns {
    /// Compile the kernels and add the numbers of all turns to those of the plan.
    pub(super) fn new(context: &Context, op: &str, series: &Series, numbers: &mut Numbers) -> Result<Self> {
        let kernel = |text: &Text| Dispatch::new(context, op, text.clone());
        let kernels = series.kernels.iter().map(kernel).collect::<Result<_>>()?;
        let order = series.order.iter().map(|(kernel, words)| (*kernel, numbers.push(words))).collect();
        Ok(Self { kernels, order })
    }

    /// Record all turns over the buffers of this call.
    pub(super) fn record<'b>(
        &mut self,
        context: &Context,
        numbers: &wgpu::Buffer,
        buffer: impl Fn(Slot) -> Result<&'b wgpu::Buffer>,
    ) -> Result<()> {
        let kernels = self.kernels.iter_mut();
        let bound = kernels.map(|kernel| kernel.bind(context, numbers, &buffer)).collect::<Result<Vec<_>>>()?;
        for &(kernel, start) in &self.order {
            self.kernels[kernel].replay(context, bound[kernel], start);
        }
        Ok(())
    }
}

/// A kernel's words at any turn, from those at four turns that follow one another.
///
/// Places move by the same step at every turn, or at every second one where values alternate between two places.
pub(super) fn at_turn(samples: [&[u32]; 4], first: usize, turn: usize) -> Vec<u32> {
    let (away, parity) = ((turn - first) / 2, (turn - first) % 2);
    let word = |(&from, &to): (&u32, &u32)| from.wrapping_add(to.wrapping_sub(from).wrapping_mul(away as u32));
    samples[parity].iter().zip(samples[parity + 2]).map(word).collect()
}

/// Whether the same kernels run at two turns.
pub(super) fn alike(some: &[Text], others: &[Text]) -> bool {
    some.len() == others.len() && some.iter().zip(others).all(|(one, other)| one.differs_in_numbers(other))
}

impl Text {
    /// Whether two dispatches are the same but for their numbers.
    fn differs_in_numbers(&self, other: &Self) -> bool {
        let same = Arc::ptr_eq(&self.shader, &other.shader) || self.shader == other.shader;
        same && self.slots == other.slots && self.groups == other.groups && self.params.len() == other.params.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_move_by_equal_steps_or_alternate() {
        let words = |turn: u32| vec![7, 10 + 3 * turn, 100u32.wrapping_sub(200 * turn), 50 + 9 * (turn % 2)];
        let samples: Vec<Vec<u32>> = (1..5).map(words).collect();
        let samples = [&samples[0][..], &samples[1][..], &samples[2][..], &samples[3][..]];
        for turn in 1..30 {
            assert_eq!(at_turn(samples, 1, turn as usize), words(turn), "{turn}");
        }
    }
}
