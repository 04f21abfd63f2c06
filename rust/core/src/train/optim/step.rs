//! The step of an optimizer: every update is computed before the first is written.

use super::count::{Count, Counter};
use super::replay::Replay;
use super::{Group, Kind, ParamState, lock};
use crate::buffer::Value;
use crate::device::Device;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::ir::node::{Edge, Sink};
use crate::ir::op::Op;
use crate::ir::variable::Variable;
use crate::shape::Shape;
use crate::tensor::face::{face, value_of};
use crate::tensor::recorder::{HostEvent, happens};
use crate::tensor::{Tensor, counters, holds, mode};
use crate::train::transform::{Options, Site, Slot, working};
use std::fmt;
use std::iter::repeat_n;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

/// An optimizer: groups, and the state of each parameter.
pub struct Optimizer {
    kind: Kind,
    groups: Mutex<Vec<Arc<Group>>>,
    states: Mutex<Vec<(u64, Arc<ParamState>)>>,
    pub(super) replay: Replay,
}

impl fmt::Debug for Optimizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Optimizer").field("kind", &self.kind.name).finish_non_exhaustive()
    }
}

/// Cells and their new values.
type Writes = Vec<(Arc<Variable>, Edge)>;

/// One parameter of a step that is being taken.
struct Part {
    counter: Arc<Counter>,
    counts: Vec<usize>,
    param: Arc<Variable>,
    sink: Arc<Sink>,
    grad: Edge,
}

impl Optimizer {
    /// An optimizer without groups.
    pub fn new(kind: Kind) -> Self {
        Self { kind, groups: Mutex::default(), states: Mutex::default(), replay: Replay::default() }
    }

    /// What kind of optimizer this is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Add a group; a parameter belongs to one group at most.
    pub fn add_group(&self, group: Arc<Group>) -> Result<()> {
        let mut groups = lock(&self.groups);
        let mut known: Vec<u64> = groups.iter().flat_map(|g| g.params().iter().map(|p| p.id())).collect();
        for param in group.params() {
            if known.contains(&param.id()) {
                let rule = "each parameter in one group, once";
                return Err(Error::value(self.kind.name, rule, format!("{} twice", param.name())));
            }
            known.push(param.id());
        }
        groups.push(group);
        counters::add(&counters::CHANGES, 1);
        Ok(())
    }

    /// The groups.
    pub fn groups(&self) -> Vec<Arc<Group>> {
        lock(&self.groups).clone()
    }

    /// State of a parameter, empty where it is new.
    pub fn state(&self, param: &Variable) -> Arc<ParamState> {
        let mut states = lock(&self.states);
        if let Some((_, state)) = states.iter().find(|(id, _)| *id == param.id()) {
            return Arc::clone(state);
        }
        let state = Arc::new(ParamState::default());
        states.push((param.id(), Arc::clone(&state)));
        state
    }

    /// State tensors and names of running numbers that a parameter has after a step under some options.
    pub fn wanted_state(&self, param: &Variable, options: &Options) -> (Vec<Slot>, Vec<&'static str>) {
        let (chain, meta) = ((self.kind.chain)(options), param.meta());
        let slots = chain.iter().flat_map(|piece| piece.state(&meta)).collect();
        (slots, chain.iter().flat_map(|piece| piece.running()).copied().collect())
    }

    /// Forget all state.
    pub fn clear_state(&self) {
        lock(&self.states).clear();
    }

    /// Take a step with the gradients as they are. Parameters without a gradient stay.
    ///
    /// A gradient that is not finite is an error, and then no parameter changes. Inside a recording the step is recorded.
    pub fn step(&self) -> Result<()> {
        self.step_unless(None)
    }

    /// Take a step, or none where `skip`, a bool of shape (), is true: then nothing changes, the count of steps included,
    /// and gradients may be anything.
    pub fn step_unless(&self, skip: Option<&Edge>) -> Result<()> {
        if let Some(flag) = skip.filter(|flag| flag.dtype() != DType::Bool || !flag.shape().is_empty()) {
            let got = format!("{} {}", flag.dtype(), flag.shape());
            return Err(Error::dtype("step", "skip: a bool tensor of shape ()", got));
        }
        mode::with_grad(false, || {
            if mode::recording() == 0
                && let Some(flag) = skip
                && holds(&value_of("step", flag)?)?
            {
                return Ok(());
            }
            if mode::recording() == 0
                && let Some(met) = self.met()
                && self.replay(&met, || self.take(None))?
            {
                return Ok(());
            }
            self.take(skip)
        })
    }

    /// Take a step as far as this thread's mode says: record it, or compute it op by op.
    fn take(&self, skip: Option<&Edge>) -> Result<()> {
        let parts = self.parts()?;
        let event = Count::new(parts.iter().map(|part| Arc::clone(&part.counter)).collect());
        let counts: Vec<usize> = parts.iter().map(|part| part.counts.iter().sum()).collect();
        let places = event.places(&counts);
        let kinds: Vec<(DType, Device)> =
            event.firsts().flat_map(|first| repeat_n(parts[first].counter.place(), counts[first])).collect();
        if mode::recording() != 0 {
            return self.record(&parts, &places, event, &kinds, skip);
        }
        let numbers = event.advance()?;
        let numbers = numbers.into_iter().zip(kinds).map(number).collect::<Result<Vec<_>>>();
        let update = |numbers: Vec<Edge>| self.all_updated(&parts, &places, &numbers, None);
        match numbers.and_then(update) {
            Ok(written) => write(written),
            Err(error) => {
                event.rollback();
                Err(error)
            }
        }
    }

    fn record(
        &self,
        parts: &[Part],
        places: &[Range<usize>],
        event: Count,
        kinds: &[(DType, Device)],
        skip: Option<&Edge>,
    ) -> Result<()> {
        mode::with_recorder(|r| parts.iter().for_each(|part| r.use_sink(&part.sink)));
        let inputs = happens(Arc::new(event), kinds)?;
        if let Some(flag) = skip {
            mode::with_recorder(|r| r.undo_if(flag));
        }
        write(self.all_updated(parts, places, &inputs, skip)?)
    }

    fn all_updated(
        &self,
        parts: &[Part],
        places: &[Range<usize>],
        numbers: &[Edge],
        skip: Option<&Edge>,
    ) -> Result<Vec<Writes>> {
        parts.iter().zip(places).map(|(part, place)| self.updated(part, &numbers[place.clone()], skip)).collect()
    }

    fn parts(&self) -> Result<Vec<Part>> {
        let mut parts = vec![];
        for group in self.groups() {
            let chain = Arc::new(group.chain());
            for param in group.params().iter().filter(|p| p.trainable()) {
                let tensor = Tensor::from_variable(Arc::clone(param));
                let Some(grad) = tensor.grad() else { continue };
                let (group, chain, state) = (Arc::clone(&group), Arc::clone(&chain), self.state(param));
                let counter = Arc::new(Counter { group, chain, param: param.meta(), device: param.device(), state });
                let (param, sink, counts) = (Arc::clone(param), Arc::clone(param.sink()), counter.counts());
                parts.push(Part { counter, counts, param, sink, grad: grad.edge()? });
            }
        }
        Ok(parts)
    }

    /// New values of the parameter and its state; the old ones where `skip` is true.
    fn updated(&self, part: &Part, numbers: &[Edge], skip: Option<&Edge>) -> Result<Writes> {
        let b = face();
        let unless = |old: &Edge, new: &Edge| match skip {
            Some(flag) => b.select(&b.expand(flag, new.shape())?, old, new),
            None => Ok(new.clone()),
        };
        let name = format!("{}.step", self.kind.name);
        let check = Op::CheckFinite { name: format!("{name}: gradient of {}", part.param.name()).into() };
        let grad = match skip {
            Some(_) => unless(&b.full_like(&part.grad, 0.0)?, &part.grad)?,
            None => part.grad.clone(),
        };
        let grad = b.one(check, &[grad])?;
        let held = Tensor::from_variable(Arc::clone(&part.param)).edge()?;
        let dtype = working(held.dtype());
        let (param, mut update) = (b.cast(&held, dtype)?, b.cast(&grad, dtype)?);
        let (mut written, mut rest) = (vec![], numbers);
        for (piece, &count) in part.counter.chain.iter().zip(&part.counts) {
            let slots = piece.state(&part.counter.param);
            let cells: Vec<Arc<Variable>> =
                slots.iter().map(|slot| part.counter.state.cell(slot, &part.param)).collect::<Result<_>>()?;
            let mut state: Vec<Edge> =
                cells.iter().map(|c| Tensor::from_variable(Arc::clone(c)).edge()).collect::<Result<_>>()?;
            let (numbers, later) = rest.split_at(count);
            rest = later;
            update = piece.update(&mut Site { b, param: &param, state: &mut state, numbers }, update)?;
            for (cell, new) in cells.into_iter().zip(state) {
                let old = Tensor::from_variable(Arc::clone(&cell)).edge()?;
                written.push((cell, unless(&old, &new)?));
            }
        }
        let new = b.cast(&b.add(&param, &update)?, held.dtype())?;
        written.push((Arc::clone(&part.param), unless(&held, &new)?));
        Ok(written)
    }
}

fn write(written: Vec<Writes>) -> Result<()> {
    for (variable, edge) in written.into_iter().flatten() {
        Tensor::from_variable(variable).overwrite("step", edge)?;
    }
    Ok(())
}

/// A number as a 0-d tensor.
fn number((value, (dtype, device)): (f64, (DType, Device))) -> Result<Edge> {
    face().source(Op::Fill { value: Scalar::Float(value), shape: Shape::scalar(), dtype }, device)
}

/// Values of cells, all taken between the same two steps.
pub fn read_together(variables: &[Arc<Variable>]) -> Vec<Value> {
    let mut order: Vec<usize> = (0..variables.len()).collect();
    order.sort_unstable_by_key(|&i| variables[i].id());
    order.dedup_by_key(|i| variables[*i].id());
    let guards: Vec<(u64, MutexGuard<'_, Value>)> =
        order.iter().map(|&i| (variables[i].id(), variables[i].lock())).collect();
    let find = |id| guards.binary_search_by_key(&id, |(id, _)| *id).ok().map(|at| guards[at].1.clone());
    variables.iter().filter_map(|v| find(v.id())).collect()
}
