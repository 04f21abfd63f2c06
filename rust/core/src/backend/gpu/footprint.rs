//! What steps of a plan touch in memory, and which of them may therefore change places.

use super::launch::{Slot, View};
use crate::buffer::element_size;
use crate::device::Device;

/// Bytes of one place, from the first to before the last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stretch {
    home: Slot,
    start: usize,
    end: usize,
}

/// What a kernel or a step reads and writes.
#[derive(Clone, Debug, Default)]
pub(super) struct Footprint {
    reads: Vec<Stretch>,
    writes: Vec<Stretch>,
}

impl Footprint {
    /// That of a step over values with a home.
    pub(super) fn of(inputs: &[View], outputs: &[View]) -> Self {
        let stretch = |view: &View| Self::stretch(view.home?, view);
        let stretches = |views: &[View]| views.iter().filter_map(stretch).collect();
        Self { reads: stretches(inputs), writes: stretches(outputs) }
    }

    /// What a value takes of a place.
    pub(super) fn stretch(home: Slot, view: &View) -> Option<Stretch> {
        let size = element_size(view.dtype, Device::Gpu(0));
        let (low, high) = view.layout.span()?;
        Some(Stretch { home, start: low * size, end: (high + 1) * size })
    }

    /// A value is read.
    pub(super) fn read(&mut self, home: Slot, view: &View) {
        self.reads.extend(Self::stretch(home, view));
    }

    /// A stretch is written.
    pub(super) fn write(&mut self, stretch: Option<Stretch>) {
        self.writes.extend(stretch.filter(|stretch| !self.writes.contains(stretch)));
    }

    /// Take in what another touches.
    pub(super) fn add(&mut self, other: &Self) {
        self.reads.extend(&other.reads);
        self.writes.extend(&other.writes);
    }

    /// Let working memory have other numbers: those of a step become those of its plan.
    pub(super) fn move_scratch(&mut self, by: usize) {
        for stretch in self.reads.iter_mut().chain(&mut self.writes) {
            if let Slot::Scratch(place) = &mut stretch.home {
                *place += by;
            }
        }
    }

    /// Bytes that are touched, each stretch once.
    pub(super) fn bytes(&self) -> u64 {
        let all: Vec<&Stretch> = self.reads.iter().chain(&self.writes).collect();
        let new = |at: usize| !all[..at].contains(&all[at]);
        (0..all.len()).filter(|&at| new(at)).map(|at| (all[at].end - all[at].start) as u64).sum()
    }

    /// Whether the order of two shows.
    pub(super) fn meets(&self, other: &Self) -> bool {
        meet(&self.writes, &other.reads) || meet(&self.reads, &other.writes) || meet(&self.writes, &other.writes)
    }

    /// Whether what a value lies in is written.
    pub(super) fn writes(&self, view: &View) -> bool {
        view.home.and_then(|home| Self::stretch(home, view)).is_some_and(|own| meet(&self.writes, &[own]))
    }
}

fn meet(some: &[Stretch], others: &[Stretch]) -> bool {
    some.iter().any(|a| others.iter().any(|b| a.home == b.home && a.start < b.end && b.start < a.end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtype::DType;
    use crate::layout::Layout;

    fn view(home: Slot, offset: usize) -> View {
        let layout = Layout::new([4].into(), [1isize].as_slice().into(), offset);
        View { home: Some(home), ..View::new(layout, DType::F32) }
    }

    #[test]
    fn steps_meet_where_one_writes_what_the_other_touches() {
        let step = |from, to| Footprint::of(&[view(Slot::Arena, from)], &[view(Slot::Arena, to)]);
        assert!(step(0, 4).meets(&step(4, 8)), "a read of what was written");
        assert!(step(4, 8).meets(&step(0, 7)), "a write of what was read");
        assert!(step(0, 8).meets(&step(4, 11)), "two writes");
        assert!(!step(0, 4).meets(&step(0, 8)), "two reads");
        let outside = Footprint::of(&[], &[view(Slot::Exit(0), 0)]);
        assert!(!step(0, 4).meets(&outside) && outside.writes(&view(Slot::Exit(0), 3)));
    }
}
