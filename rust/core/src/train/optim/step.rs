//! The step of an optimizer: every update is computed before the first is written.

use super::{Group, Kind, ParamState, lock};
use crate::buffer::{Meta, Value};
use crate::device::Device;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::ir::node::{Edge, Sink};
use crate::ir::op::Op;
use crate::ir::variable::Variable;
use crate::shape::Shape;
use crate::tensor::face::{face, value_of};
use crate::tensor::recorder::HostEvent;
use crate::tensor::{Tensor, holds, mode};
use crate::train::transform::{Chain, Moment, Options, Site, Slot, Transform, working};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

/// An optimizer: groups, and the state of each parameter.
pub struct Optimizer {
    kind: Kind,
    groups: Mutex<Vec<Arc<Group>>>,
    states: Mutex<Vec<(u64, Arc<ParamState>)>>,
}

impl fmt::Debug for Optimizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Optimizer").field("kind", &self.kind.name).finish_non_exhaustive()
    }
}

/// The host's share in the step of one parameter.
struct Counter {
    group: Arc<Group>,
    chain: Arc<Chain>,
    param: Meta,
    state: Arc<ParamState>,
}

impl Counter {
    /// How many numbers each piece takes.
    fn counts(&self) -> Vec<usize> {
        let options = self.group.options();
        let count = |piece: &dyn Transform| {
            let running = vec![1.0; piece.running().len()];
            piece.numbers(&Moment { options: &options, param: &self.param, t: 1, running: &running }).len()
        };
        self.chain.iter().map(|piece| count(piece.as_ref())).collect()
    }

    /// Count the step, move the running numbers on, and give the numbers of all pieces.
    fn advance(&self) -> Vec<f64> {
        let options = self.group.options();
        let t = self.state.step() + 1;
        let mut kept = self.state.running();
        let mut numbers = vec![];
        for piece in self.chain.iter() {
            let before = self.state.running_of(piece.as_ref());
            let moment = Moment { options: &options, param: &self.param, t, running: &before };
            let running = piece.advance(&moment);
            numbers.extend(piece.numbers(&Moment { running: &running, ..moment }));
            kept.extend(piece.running().iter().map(|name| (*name).to_owned()).zip(running));
        }
        self.state.set_step(t);
        self.state.set_running(kept);
        numbers
    }
}

/// The host's share of a step, and what the running numbers were before it.
struct Count {
    counters: Vec<Arc<Counter>>,
    before: Mutex<Vec<BTreeMap<String, f64>>>,
}

impl HostEvent for Count {
    fn advance(&self) -> Result<Vec<f64>> {
        *lock(&self.before) = self.counters.iter().map(|c| c.state.running()).collect();
        Ok(self.counters.iter().flat_map(|counter| counter.advance()).collect())
    }
    fn rollback(&self) {
        for (counter, running) in self.counters.iter().zip(lock(&self.before).drain(..)) {
            counter.state.set_step(counter.state.step() - 1);
            counter.state.set_running(running);
        }
    }
}

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
        Self { kind, groups: Mutex::default(), states: Mutex::default() }
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
            let parts = self.parts()?;
            let counters = parts.iter().map(|part| Arc::clone(&part.counter)).collect();
            let event = Count { counters, before: Mutex::default() };
            if mode::recording() != 0 {
                return self.record(&parts, event, skip);
            }
            let numbers = event.advance()?;
            let mut rest = numbers.as_slice();
            let written = parts
                .iter()
                .map(|part| {
                    let (mine, later) = rest.split_at(part.counts.iter().sum());
                    rest = later;
                    let numbers = mine.iter().map(|&n| number(n, &part.param)).collect::<Result<Vec<_>>>()?;
                    self.updated(part, &numbers, None)
                })
                .collect::<Result<Vec<_>>>();
            match written {
                Ok(written) => write(written),
                Err(error) => {
                    event.rollback();
                    Err(error)
                }
            }
        })
    }

    fn record(&self, parts: &[Part], event: Count, skip: Option<&Edge>) -> Result<()> {
        let mut wanted: Vec<(DType, Device)> = vec![];
        for part in parts {
            let kind = (working(part.param.meta().dtype), part.param.device());
            wanted.extend(std::iter::repeat_n(kind, part.counts.iter().sum()));
            mode::with_recorder(|r| r.use_sink(&part.sink));
        }
        let inputs = mode::with_recorder(|r| {
            let inputs = r.event(Arc::new(event), &wanted);
            if let Some(flag) = skip {
                r.undo_if(flag);
            }
            inputs
        })
        .unwrap_or_default();
        let mut rest = inputs.as_slice();
        let mut written = vec![];
        for part in parts {
            let (numbers, later) = rest.split_at(part.counts.iter().sum());
            written.push(self.updated(part, numbers, skip)?);
            rest = later;
        }
        write(written)
    }

    fn parts(&self) -> Result<Vec<Part>> {
        let mut parts = vec![];
        for group in self.groups() {
            let chain = Arc::new(group.chain());
            for param in group.params().iter().filter(|p| p.trainable()) {
                let tensor = Tensor::from_variable(Arc::clone(param));
                let Some(grad) = tensor.grad() else { continue };
                let (group, chain, state) = (Arc::clone(&group), Arc::clone(&chain), self.state(param));
                let counter = Arc::new(Counter { group, chain, param: param.meta(), state });
                let (param, sink, counts) = (Arc::clone(param), Arc::clone(param.sink()), counter.counts());
                parts.push(Part { counter, counts, param, sink, grad: grad.edge()? });
            }
        }
        Ok(parts)
    }

    /// New values of the parameter and its state; the old ones where `skip` is true.
    fn updated(&self, part: &Part, numbers: &[Edge], skip: Option<&Edge>) -> Result<Vec<(Arc<Variable>, Edge)>> {
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

fn write(written: Vec<Vec<(Arc<Variable>, Edge)>>) -> Result<()> {
    for (variable, edge) in written.into_iter().flatten() {
        Tensor::from_variable(variable).overwrite("step", edge)?;
    }
    Ok(())
}

/// A number as a 0-d tensor beside the parameter.
fn number(value: f64, param: &Variable) -> Result<Edge> {
    let dtype = working(param.meta().dtype);
    face().source(Op::Fill { value: Scalar::Float(value), shape: Shape::scalar(), dtype }, param.device())
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
