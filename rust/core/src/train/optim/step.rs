//! Groups of parameters, their state, and the step: every update is computed before the first is written.

use crate::buffer::{Value, zeroed};
use crate::device::Device;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::{Edge, Sink};
use crate::ir::op::Op;
use crate::ir::variable::Variable;
use crate::shape::Shape;
use crate::tensor::face::face;
use crate::tensor::recorder::HostEvent;
use crate::tensor::{Tensor, mode, upload};
use crate::train::optim::Kind;
use crate::train::transform::{Chain, Options, Site};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Parameters that share options.
#[derive(Debug)]
pub struct Group {
    kind: Kind,
    params: Vec<Arc<Variable>>,
    options: Mutex<Options>,
    version: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Group {
    /// A group of parameters.
    pub fn new(kind: Kind, params: Vec<Arc<Variable>>, options: Options) -> Result<Arc<Self>> {
        (kind.validate)(&options)?;
        Ok(Arc::new(Self { kind, params, options: Mutex::new(options), version: AtomicU64::new(0) }))
    }

    /// The parameters.
    pub fn params(&self) -> &[Arc<Variable>] {
        &self.params
    }

    /// A copy of the options.
    pub fn options(&self) -> Options {
        lock(&self.options).clone()
    }

    /// Replace the options; what changes the chain of pieces changes the version too.
    pub fn set_options(&self, options: Options) -> Result<()> {
        (self.kind.validate)(&options)?;
        let mut held = lock(&self.options);
        let chained = |o: &Options| (self.kind.chain)(o).iter().map(|p| p.state().len()).collect::<Vec<_>>();
        if held.flags != options.flags || chained(&held) != chained(&options) {
            self.version.fetch_add(1, Ordering::Relaxed);
        }
        *held = options;
        Ok(())
    }

    /// Changes whenever a captured step would have to compute something else.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Relaxed)
    }
}

/// State of one parameter.
#[derive(Debug, Default)]
pub struct ParamState {
    step: AtomicU64,
    cells: Mutex<Vec<(String, Arc<Variable>)>>,
}

impl ParamState {
    /// Steps taken.
    pub fn step(&self) -> u64 {
        self.step.load(Ordering::Relaxed)
    }

    /// Continue from a number of steps.
    pub fn set_step(&self, step: u64) {
        self.step.store(step, Ordering::Relaxed);
    }

    /// State tensors by name.
    pub fn cells(&self) -> Vec<(String, Arc<Variable>)> {
        lock(&self.cells).clone()
    }

    /// The cell of a state tensor, zeros like the parameter where it is new.
    pub fn cell(&self, name: &str, param: &Variable) -> Result<Arc<Variable>> {
        let mut cells = lock(&self.cells);
        if let Some((_, cell)) = cells.iter().find(|(n, _)| n == name) {
            return Ok(Arc::clone(cell));
        }
        let (meta, device) = (param.meta(), param.device());
        let value = upload(&zeroed(meta.bytes()), &meta, device)?;
        let cell = Variable::new(&format!("{}.{name}", param.name()), value, false);
        cells.push((name.to_owned(), Arc::clone(&cell)));
        Ok(cell)
    }
}

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

/// One parameter of a step that is being taken.
struct Part {
    group: Arc<Group>,
    chain: Arc<Chain>,
    param: Arc<Variable>,
    state: Arc<ParamState>,
    sink: Arc<Sink>,
    grad: Edge,
}

impl Part {
    fn numbers(&self) -> Vec<f64> {
        let (options, t) = (self.group.options(), self.state.step());
        self.chain.iter().flat_map(|piece| piece.numbers(&options, t)).collect()
    }
}

/// The host's share of a step: count it, then compute the numbers.
struct Count(Vec<(Arc<Group>, Arc<Chain>, Arc<ParamState>)>);

impl HostEvent for Count {
    fn advance(&self) -> Result<Vec<f64>> {
        let mut numbers = vec![];
        for (group, chain, state) in &self.0 {
            let t = state.step.fetch_add(1, Ordering::Relaxed) + 1;
            let options = group.options();
            numbers.extend(chain.iter().flat_map(|piece| piece.numbers(&options, t)));
        }
        Ok(numbers)
    }
    fn rollback(&self) {
        for (_, _, state) in &self.0 {
            state.step.fetch_sub(1, Ordering::Relaxed);
        }
    }
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
        let mut known: Vec<u64> = groups.iter().flat_map(|g| g.params.iter().map(|p| p.id())).collect();
        for param in &group.params {
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

    /// Forget all state.
    pub fn clear_state(&self) {
        lock(&self.states).clear();
    }

    /// Take a step with the gradients as they are. Parameters without a gradient stay.
    ///
    /// A gradient that is not finite is an error, and then no parameter changes. Inside a recording the step is recorded.
    pub fn step(&self) -> Result<()> {
        mode::with_grad(false, || {
            let parts = self.parts()?;
            let event = Count(
                parts.iter().map(|p| (Arc::clone(&p.group), Arc::clone(&p.chain), Arc::clone(&p.state))).collect(),
            );
            if mode::recording() != 0 {
                return self.record(&parts, event);
            }
            event.advance()?;
            let written = parts
                .iter()
                .map(|part| {
                    let numbers =
                        part.numbers().into_iter().map(|n| number(n, &part.param)).collect::<Result<Vec<_>>>()?;
                    self.updated(part, &numbers)
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

    fn record(&self, parts: &[Part], event: Count) -> Result<()> {
        let mut wanted: Vec<(DType, Device)> = vec![];
        for part in parts {
            let count = part.chain.iter().map(|p| p.numbers(&part.group.options(), 1).len()).sum();
            wanted.extend(std::iter::repeat_n((part.param.meta().dtype, part.param.device()), count));
            mode::with_recorder(|r| r.use_sink(&part.sink));
        }
        let inputs = mode::with_recorder(|r| r.event(Arc::new(event), &wanted)).unwrap_or_default();
        let mut rest = inputs.as_slice();
        let mut written = vec![];
        for part in parts {
            let count = part.chain.iter().map(|p| p.numbers(&part.group.options(), 1).len()).sum();
            let (numbers, later) = rest.split_at(count);
            written.push(self.updated(part, numbers)?);
            rest = later;
        }
        write(written)
    }

    fn parts(&self) -> Result<Vec<Part>> {
        let mut parts = vec![];
        for group in self.groups() {
            let chain = Arc::new((self.kind.chain)(&group.options()));
            for param in group.params.iter().filter(|p| p.trainable()) {
                let tensor = Tensor::from_variable(Arc::clone(param));
                let Some(grad) = tensor.grad() else { continue };
                let (group, chain, param) = (Arc::clone(&group), Arc::clone(&chain), Arc::clone(param));
                let (state, sink) = (self.state(&param), Arc::clone(param.sink()));
                parts.push(Part { group, chain, state, sink, grad: grad.edge()?, param });
            }
        }
        Ok(parts)
    }

    /// New values of the parameter and its state.
    fn updated(&self, part: &Part, numbers: &[Edge]) -> Result<Vec<(Arc<Variable>, Edge)>> {
        let b = face();
        let name = format!("{}.step", self.kind.name);
        let check = Op::CheckFinite { name: format!("{name}: gradient of {}", part.param.name()).into() };
        let mut update = b.one(check, std::slice::from_ref(&part.grad))?;
        let param = Tensor::from_variable(Arc::clone(&part.param)).edge()?;
        let (mut written, mut used) = (vec![], 0);
        for piece in part.chain.iter() {
            let cells: Vec<Arc<Variable>> =
                piece.state().iter().map(|n| part.state.cell(n, &part.param)).collect::<Result<_>>()?;
            let mut state: Vec<Edge> =
                cells.iter().map(|c| Tensor::from_variable(Arc::clone(c)).edge()).collect::<Result<_>>()?;
            let count = piece.numbers(&part.group.options(), 1).len();
            let numbers = &numbers[used..used + count];
            used += count;
            update = piece.update(&mut Site { b, param: &param, state: &mut state, numbers }, update)?;
            written.extend(cells.into_iter().zip(state));
        }
        written.push((Arc::clone(&part.param), b.add(&param, &update)?));
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
    let op = Op::Fill { value: crate::dtype::Scalar::Float(value), shape: Shape::scalar(), dtype: param.meta().dtype };
    face().source(op, param.device())
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
