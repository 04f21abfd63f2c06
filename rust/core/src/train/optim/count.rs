//! The host's share of an optimizer's step: it counts steps, moves running numbers on, and gives the numbers of the pieces.

use super::{Group, ParamState, lock};
use crate::buffer::Meta;
use crate::device::Device;
use crate::dtype::DType;
use crate::error::Result;
use crate::tensor::recorder::HostEvent;
use crate::train::transform::{Chain, Moment, Transform, working};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// The host's share in the step of one parameter.
pub(super) struct Counter {
    pub(super) group: Arc<Group>,
    pub(super) chain: Arc<Chain>,
    pub(super) param: Meta,
    pub(super) device: Device,
    pub(super) state: Arc<ParamState>,
}

impl Counter {
    /// How many numbers each piece takes.
    pub(super) fn counts(&self) -> Vec<usize> {
        self.group.with_options(|options| {
            let count = |piece: &dyn Transform| {
                let running = vec![1.0; piece.running().len()];
                piece.numbers(&Moment { options, param: &self.param, t: 1, running: &running }).len()
            };
            self.chain.iter().map(|piece| count(piece.as_ref())).collect()
        })
    }

    /// Move the running numbers on, and give the numbers of all pieces for the step after those counted.
    fn numbers(&self, numbers: &mut Vec<f64>) {
        let t = self.state.step() + 1;
        self.group.with_options(|options| {
            for piece in self.chain.iter() {
                let before = self.state.running_of(piece.as_ref());
                let moment = Moment { options, param: &self.param, t, running: &before };
                let running = piece.advance(&moment);
                numbers.extend(piece.numbers(&Moment { running: &running, ..moment }));
                self.state.set_running_of(piece.as_ref(), &running);
            }
        });
    }

    /// Dtype and device of the numbers.
    pub(super) fn place(&self) -> (DType, Device) {
        (working(self.param.dtype), self.device)
    }

    fn keeps_running(&self) -> bool {
        self.chain.iter().any(|piece| !piece.running().is_empty())
    }

    /// Whether the numbers of two parameters are the same as long as their counts of steps are.
    fn shares_with(&self, other: &Self) -> bool {
        let own = self.keeps_running() || self.chain.iter().any(|piece| piece.per_parameter());
        !own && Arc::ptr_eq(&self.group, &other.group) && self.place() == other.place() && self.at() == other.at()
    }

    fn at(&self) -> u64 {
        self.state.step()
    }
}

/// The host's share of a step, and what the running numbers were before it.
pub(super) struct Count {
    counters: Vec<Arc<Counter>>,
    /// For each counter, which one's numbers it uses: the first of those that share.
    sources: Vec<usize>,
    before: Mutex<Vec<(usize, BTreeMap<String, f64>)>>,
}

impl Count {
    pub(super) fn new(counters: Vec<Arc<Counter>>) -> Self {
        let source = |(place, counter): (usize, &Arc<Counter>)| {
            counters[..place].iter().position(|earlier| counter.shares_with(earlier)).unwrap_or(place)
        };
        let sources = counters.iter().enumerate().map(source).collect();
        Self { counters, sources, before: Mutex::default() }
    }

    fn is_first(&self, place: usize) -> bool {
        self.sources[place] == place
    }

    /// Where the numbers of each counter stand in the table, given how many each takes.
    pub(super) fn places(&self, counts: &[usize]) -> Vec<Range<usize>> {
        let mut places: Vec<Range<usize>> = vec![];
        let mut end = 0;
        for (place, &count) in counts.iter().enumerate() {
            if self.is_first(place) {
                places.push(end..end + count);
                end += count;
            } else {
                places.push(places[self.sources[place]].clone());
            }
        }
        places
    }

    /// Counters whose numbers stand in the table.
    pub(super) fn firsts(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.counters.len()).filter(|&place| self.is_first(place))
    }
}

impl HostEvent for Count {
    fn advance(&self) -> Result<Vec<f64>> {
        let keeps = self.counters.iter().enumerate().filter(|(_, counter)| counter.keeps_running());
        *lock(&self.before) = keeps.map(|(place, counter)| (place, counter.state.running())).collect();
        let mut numbers = vec![];
        for place in self.firsts() {
            self.counters[place].numbers(&mut numbers);
        }
        for counter in &self.counters {
            counter.state.set_step(counter.at() + 1);
        }
        Ok(numbers)
    }

    fn rollback(&self) {
        for counter in &self.counters {
            counter.state.set_step(counter.at() - 1);
        }
        for (place, running) in lock(&self.before).drain(..) {
            self.counters[place].state.set_running(running);
        }
    }

    fn undoes_many(&self) -> bool {
        !self.counters.iter().any(|counter| counter.keeps_running())
    }

    fn fits(&self) -> bool {
        self.counters.iter().zip(&self.sources).all(|(counter, &source)| counter.at() == self.counters[source].at())
    }
}
