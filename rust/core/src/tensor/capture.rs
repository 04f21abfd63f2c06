//! A captured step: a plan, where its inputs come from, where its outputs go.

use crate::backend::{self, Need, Undo, Workspace};
use crate::buffer::{Meta, Value, zeroed};
use crate::device::Device;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::{Edge, Handle, Sink};
use crate::ir::plan::{Exit, Plan};
use crate::ir::program::Program;
use crate::ir::variable::Variable;
use crate::passes::fuse::{Caps, fuse};
use crate::passes::join::join;
use crate::passes::loops::loops;
use crate::passes::memory::{self, Cell};
use crate::passes::simplify::{prune, simplify};
use crate::shape::Shape;
use crate::tensor::face::{leaf, value_of};
use crate::tensor::gradients::Gradients;
use crate::tensor::object::{compact, holds, leaf_with_sink, moved};
use crate::tensor::recorder::{HostEvent, Recorder, Source};
use crate::tensor::stack::{Stack, row};
use crate::tensor::{Tensor, counters};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

mod constants;
mod trace;
use constants::settle;
pub use trace::NonFinite;

/// Where an output of the plan goes.
#[derive(Clone, Debug)]
enum Target {
    /// To the caller.
    Result,
    /// Into the object that was passed as argument i.
    Argument(usize),
    /// Into a tensor object outside.
    Handle(Arc<Handle>),
    /// Into cell i of those that the step touches.
    Cell(usize),
    /// Into a gradient.
    Sink(Arc<Sink>),
    /// Says whether host event i is undone after the step.
    Undo(usize),
}

/// What must still hold for the captured step to fit.
#[derive(Clone, Debug)]
struct Expected {
    source: Source,
    /// Place among the cells that the step touches, of a cell.
    cell: Option<usize>,
    meta: Meta,
    device: Device,
    trainable: bool,
}

impl Expected {
    /// In what a tensor that the function reaches differs.
    fn unlike(&self, edge: &Edge, trainable: bool) -> Option<String> {
        self.differs(edge.shape(), edge.dtype(), edge.node.device, trainable)
    }

    fn differs(&self, shape: &Shape, dtype: DType, device: Device, trainable: bool) -> Option<String> {
        let was = &self.meta;
        if *shape != was.shape || dtype != was.dtype || device != self.device {
            let before = format!("{} {}", was.dtype, was.shape);
            return Some(format!("a tensor that the function reaches was {before} and is {dtype} {shape}"));
        }
        (trainable != self.trainable).then(|| "requires_grad of a tensor that the function reaches changed".into())
    }
}

/// A step that was recorded once and runs again and again.
pub struct Captured {
    plan: Plan,
    /// What runs.
    program: Program,
    /// The same op by op, for findings that name an op.
    recorded: Program,
    device: Device,
    inputs: Vec<Expected>,
    targets: Vec<Target>,
    /// Inputs that the plan may write in place, each with the place of its cell among `variables`.
    lent: Vec<(usize, usize)>,
    gradients: Gradients,
    /// Cells that are read or written, in the order of their ids.
    variables: Vec<Arc<Variable>>,
    events: Vec<Arc<dyn HostEvent>>,
    desk: Mutex<Desk>,
    runs: AtomicU64,
    last_run: AtomicU64,
}

/// What a step uses while it runs, kept from call to call.
#[derive(Default)]
struct Desk {
    workspace: Workspace,
    inputs: Vec<Value>,
    outputs: Vec<Value>,
}

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Captured").field("program", &self.program).finish_non_exhaustive()
    }
}

/// Everything outside that a captured step may change.
#[derive(Clone, Debug)]
pub struct Snapshot {
    variables: Vec<Value>,
    handles: Vec<(Arc<Handle>, Edge)>,
    sinks: Vec<(Arc<Sink>, Option<Edge>)>,
}

impl Captured {
    /// Close a recording whose function gave `results`.
    pub fn new(recorder: Recorder, results: &[Edge], keep_grads: bool) -> Result<Self> {
        counters::add(&counters::RECORDINGS, 1);
        let recording = recorder.id();
        let mut outputs: Vec<Edge> = results.to_vec();
        let mut targets = vec![Target::Result; results.len()];
        for entry in recorder.handles.values().filter(|e| !e.current.same(&e.input)) {
            let argument = recorder.inputs.iter().find_map(|(source, edge)| match source {
                Source::Argument(place) if edge.same(&entry.input) => Some(*place),
                _ => None,
            });
            targets.push(argument.map_or_else(|| Target::Handle(Arc::clone(&entry.handle)), Target::Argument));
            outputs.push(entry.current.clone());
        }
        for (place, entry) in recorder.variables.values().enumerate().filter(|(_, e)| e.written) {
            targets.push(Target::Cell(place));
            outputs.push(entry.current.clone());
        }
        let (gradients, written) = Gradients::of(&recorder, keep_grads);
        for (sink, grad) in written {
            targets.push(Target::Sink(sink));
            outputs.push(grad);
        }
        for (event, flag) in &recorder.undone {
            targets.push(Target::Undo(*event));
            outputs.push(flag.clone());
        }
        if let Some(foreign) = outputs.iter().find(|e| e.node.recording != recording) {
            return Err(Error::graph(
                "compile",
                "results that were computed inside the function",
                format!("a result of {} from elsewhere", foreign.node.op.name()),
            ));
        }
        let inputs: Vec<Edge> = recorder.inputs.iter().map(|(_, edge)| edge.clone()).collect();
        let cells = cells(&recorder, &targets);
        let recorded = prune(&join(&simplify(&Program::from_graph(&inputs, &outputs)?))?);
        let device = inputs.iter().chain(&outputs).map(|e| e.node.device).next().unwrap_or_default();
        let fused = fuse(&loops(&recorded)?, &cells, &caps(device)?)?;
        let program = match device {
            // Each small op takes a dispatch.
            Device::Gpu(_) => settle(&fused, device)?,
            Device::Cpu | Device::Reference => fused,
        };
        let plan = memory::plan_on(device, &program, &cells);
        let variables: Vec<Arc<Variable>> = recorder.variables.into_values().map(|e| e.variable).collect();
        let expected = |(source, edge): (Source, Edge)| {
            let cell = match &source {
                Source::Variable(variable) => variables.binary_search_by_key(&variable.id(), |v| v.id()).ok(),
                Source::Argument(_) | Source::Handle(_) | Source::Sink(_) | Source::Numbers(_) => None,
            };
            let (meta, device, trainable) = (edge.meta().clone(), edge.node.device, edge.node.requires_grad);
            Expected { source, cell, meta, device, trainable }
        };
        let inputs: Vec<Expected> = recorder.inputs.into_iter().map(expected).collect();
        let lent = plan.exits.iter().filter_map(|exit| match exit {
            Exit::Replaced { input, .. } => inputs[*input].cell.map(|cell| (*input, cell)),
            Exit::Written(_) | Exit::Alias(_) | Exit::Shared { .. } => None,
        });
        let workspace = Workspace { undo: undo(&plan, &targets, &recorder.events), ..Workspace::default() };
        Ok(Self {
            lent: lent.collect(),
            plan,
            program,
            recorded,
            device,
            inputs,
            targets,
            gradients,
            variables,
            events: recorder.events,
            desk: Mutex::new(Desk { workspace, ..Desk::default() }),
            runs: AtomicU64::new(0),
            last_run: AtomicU64::new(counters::CAPTURED_STEPS.load(Ordering::Relaxed)),
        })
    }

    /// Memory that a call takes.
    pub fn need(&self) -> Result<Need> {
        backend::need(self.device, &self.plan)
    }

    /// The device that it runs on.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The program, for printing.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Kernels that a step runs.
    pub fn kernels(&self) -> usize {
        self.plan.steps.len()
    }

    /// Bytes of working memory.
    pub fn arena_bytes(&self) -> usize {
        self.plan.arena
    }

    /// Output buffers that had to be allocated because an earlier value is still in use.
    pub fn fresh_buffers(&self) -> u64 {
        self.lock_desk().workspace.fresh
    }

    /// Steps run so far.
    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    /// How many captured steps had been run in this process when this one, or its recording, was run last.
    pub fn last_run(&self) -> u64 {
        self.last_run.load(Ordering::Relaxed)
    }

    fn lock_desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the step does not fit the state outside any more, if so.
    ///
    /// Arguments are checked by the caller's signature, to which belongs whether they bring a gradient along.
    pub fn misfit(&self) -> Option<String> {
        let unlike = self.inputs.iter().find_map(|expected| match &expected.source {
            Source::Argument(_) | Source::Numbers(_) => None,
            Source::Sink(sink) if self.gradients.of_argument(sink) => None,
            Source::Handle(handle) => handle.with(|edge| expected.unlike(edge, edge.node.requires_grad)),
            Source::Variable(variable) => {
                let value = variable.lock();
                let device = if variable.roams() { expected.device } else { value.device() };
                expected.differs(value.shape(), value.dtype, device, variable.trainable())
            }
            Source::Sink(sink) => match self.gradients.now(sink, &[]).get() {
                Some(grad) => grad.with(|edge| expected.unlike(edge, false)),
                None => Some("a gradient that was there is gone".into()),
            },
        });
        unlike.or_else(|| self.gradients.changed().then(|| "a gradient came or went".into())).or_else(|| {
            (!self.events.iter().all(|e| e.fits())).then(|| "counts of an optimizer's steps changed".into())
        })
    }

    /// Run the step once; cells, objects and gradients change only if all of it succeeds.
    pub fn run(&self, arguments: &[Arc<Handle>]) -> Result<Vec<Edge>> {
        // A step and its events come in one order, whatever other steps on the same cells do meanwhile.
        let turns = if self.events.is_empty() { &[] } else { self.variables.as_slice() };
        let _turns: Vec<MutexGuard<'_, ()>> = turns.iter().map(|v| v.turn()).collect();
        let mut numbers = Vec::new();
        for (done, event) in self.events.iter().enumerate() {
            match event.advance() {
                Ok(more) => numbers.extend(more),
                Err(error) => {
                    self.rollback(done);
                    return Err(error);
                }
            }
        }
        let result = self.run_with(arguments, &numbers);
        if result.is_err() {
            self.rollback(self.events.len());
        }
        result
    }

    /// Run the step once for each of some positions on the arguments' leading axis, as long as it fits.
    ///
    /// Once `stop` is set, no further step begins after the first. Gives the number of steps and the results stacked.
    pub fn run_steps(
        &self,
        arguments: &[Tensor],
        positions: Range<usize>,
        stop: Option<&AtomicBool>,
    ) -> Result<(usize, Vec<Edge>)> {
        let values = arguments.iter().map(|a| value_of("run_steps", &a.edge()?)).collect::<Result<Vec<_>>>()?;
        let mut stacks: Vec<Stack> = vec![];
        let mut count = 0;
        let stopped = || stop.is_some_and(|flag| flag.load(Ordering::Acquire));
        for position in positions.clone() {
            if count > 0 && (stopped() || self.misfit().is_some()) {
                break;
            }
            let slice = |value| Ok(Handle::new(leaf(row(value, position)?)));
            let slices = values.iter().map(slice).collect::<Result<Vec<_>>>()?;
            for (place, result) in self.run(&slices)?.iter().enumerate() {
                let result = value_of("run_steps", result)?;
                if count == 0 {
                    stacks.push(Stack::new(&result, positions.len()));
                }
                stacks[place].push(&result)?;
            }
            count += 1;
        }
        let edges = stacks.into_iter().map(|stack| stack.close(count).map(leaf)).collect::<Result<_>>()?;
        Ok((count, edges))
    }

    /// Undo the first `count` host events of the last run.
    pub fn rollback(&self, count: usize) {
        for event in self.events[..count].iter().rev() {
            event.rollback();
        }
    }

    /// Number of host events.
    pub fn event_count(&self) -> usize {
        self.events.len()
    }

    fn run_with(&self, arguments: &[Arc<Handle>], numbers: &[f64]) -> Result<Vec<Edge>> {
        let mut desk = self.lock_desk();
        let Desk { workspace, inputs, outputs } = &mut *desk;
        self.gradients.check(arguments)?;
        let mut cells: Vec<MutexGuard<'_, Value>> = self.variables.iter().map(|v| v.lock()).collect();
        let fresh = workspace.fresh;
        let done = self.compute(arguments, numbers, &mut cells, workspace, inputs, outputs);
        counters::add(&counters::FRESH_BUFFERS, workspace.fresh - fresh);
        done?;
        counters::add(&counters::CAPTURED_STEPS, 1);
        let mut undone = vec![];
        for (target, value) in self.targets.iter().zip(outputs.iter()) {
            if let Target::Undo(event) = target
                && holds(value)?
            {
                undone.push(*event);
            }
        }
        let mut results = Vec::new();
        for (target, value) in self.targets.iter().zip(outputs.drain(..)) {
            match target {
                Target::Result => results.push(leaf(value)),
                Target::Argument(place) => rebind(&arguments[*place], value),
                Target::Handle(handle) => rebind(handle, value),
                Target::Cell(place) => *cells[*place] = value,
                Target::Undo(_) => {}
                Target::Sink(sink) => {
                    let sink = self.gradients.now(sink, arguments);
                    match sink.get() {
                        Some(grad) => grad.set(leaf(value)),
                        None => sink.set(Some(Handle::new(leaf(value)))),
                    }
                }
            }
        }
        for event in undone {
            self.events[event].rollback();
        }
        self.gradients.clear(arguments);
        self.runs.fetch_add(1, Ordering::Relaxed);
        self.last_run.store(counters::CAPTURED_STEPS.load(Ordering::Relaxed), Ordering::Relaxed);
        Ok(results)
    }

    /// Fill `outputs`, and let go of the inputs. A cell that the plan writes in place lends its value meanwhile, so that
    /// the plan holds the only handle; it gets it back unless the step succeeds, when its new value is the same memory.
    fn compute(
        &self,
        arguments: &[Arc<Handle>],
        numbers: &[f64],
        cells: &mut [MutexGuard<'_, Value>],
        workspace: &mut Workspace,
        inputs: &mut Vec<Value>,
        outputs: &mut Vec<Value>,
    ) -> Result<()> {
        inputs.clear();
        for expected in &self.inputs {
            inputs.push(self.fetch(expected, arguments, numbers, cells)?);
        }
        for &(_, cell) in &self.lent {
            *cells[cell] = nothing();
        }
        let done = backend::of(self.device).run_plan(&self.plan, workspace, inputs, outputs);
        for &(input, cell) in &self.lent {
            *cells[cell] = inputs[input].clone();
        }
        inputs.clear();
        done?;
        // Whatever may fail comes before the first write.
        outputs.iter_mut().try_for_each(|value| compact(value).map(|dense| *value = dense))
    }

    fn fetch(
        &self,
        expected: &Expected,
        arguments: &[Arc<Handle>],
        numbers: &[f64],
        cells: &[MutexGuard<'_, Value>],
    ) -> Result<Value> {
        match &expected.source {
            Source::Argument(place) => value_of("compile", &arguments[*place].get()),
            Source::Handle(handle) => value_of("compile", &handle.get()),
            Source::Variable(variable) => match expected.cell {
                Some(place) if variable.roams() => moved(&cells[place], expected.device),
                Some(place) => Ok(cells[place].clone()),
                None => Err(Error::bug("compile", "a cell that is read is not among those locked")),
            },
            Source::Sink(sink) => match self.gradients.now(sink, arguments).get() {
                Some(grad) => value_of("compile", &grad.get()),
                None => Err(Error::bug("compile", "a gradient vanished while the step started")),
            },
            Source::Numbers(places) => upload_numbers(&numbers[places.clone()], expected),
        }
    }

    /// Everything outside that the step may change, as it is now.
    pub fn snapshot(&self, arguments: &[Arc<Handle>]) -> Snapshot {
        let mut sinks: Vec<Arc<Sink>> = self.gradients.cleared(arguments).collect();
        let mut handles = vec![];
        for target in &self.targets {
            match target {
                Target::Result | Target::Cell(_) | Target::Undo(_) => {}
                Target::Argument(place) => handles.push(Arc::clone(&arguments[*place])),
                Target::Handle(handle) => handles.push(Arc::clone(handle)),
                Target::Sink(sink) => sinks.push(self.gradients.now(sink, arguments)),
            }
        }
        Snapshot {
            variables: self.variables.iter().map(|v| v.get()).collect(),
            handles: handles.into_iter().map(|h| (Arc::clone(&h), h.get())).collect(),
            sinks: sinks.into_iter().map(|s| (Arc::clone(&s), s.get().map(|h| h.get()))).collect(),
        }
    }

    /// Put everything back.
    pub fn restore(&self, snapshot: &Snapshot) {
        for (variable, value) in self.variables.iter().zip(&snapshot.variables) {
            variable.set(value.clone());
        }
        for (handle, edge) in &snapshot.handles {
            handle.set(edge.clone());
        }
        for (sink, edge) in &snapshot.sinks {
            sink.set(edge.clone().map(Handle::new));
        }
    }

    /// Cells and their values in a snapshot.
    pub fn cells<'a>(&'a self, snapshot: &'a Snapshot) -> impl Iterator<Item = (&'a Arc<Variable>, &'a Value)> {
        self.variables.iter().zip(&snapshot.variables)
    }
}

/// What kernels of a device can hold.
fn caps(device: Device) -> Result<Caps> {
    Ok(match device {
        Device::Cpu | Device::Reference => Caps::default(),
        // Outputs and what all kernels share are bound beside the inputs.
        Device::Gpu(number) => {
            let operands = backend::gpu::gpu(number).operands("compile")?;
            Caps { inputs: operands.saturating_sub(4).min(Caps::default().inputs), mixed: true, ..Caps::default() }
        }
    })
}

/// A value that holds the place of one that is lent out.
fn nothing() -> Value {
    static EMPTY: LazyLock<Value> = LazyLock::new(|| {
        let meta = Meta::new([0], DType::U8);
        Value::from_host(zeroed(0), &meta, Device::Cpu)
    });
    EMPTY.clone()
}

/// Lets the backend come back before a step is known to be good, where a step changes nothing but cells that are written
/// in place and counts that can be taken back.
fn undo(plan: &Plan, targets: &[Target], events: &[Arc<dyn HostEvent>]) -> Option<Undo> {
    let quiet = |(target, exit): (&Target, &Exit)| match target {
        Target::Result => true,
        Target::Cell(_) => matches!(exit, Exit::Replaced { .. }),
        Target::Argument(_) | Target::Handle(_) | Target::Sink(_) | Target::Undo(_) => false,
    };
    let can = targets.iter().zip(&plan.exits).all(quiet) && events.iter().all(|event| event.undoes_many());
    let events = events.to_vec();
    let undo = move |steps: usize| {
        for event in (0..steps).flat_map(|_| events.iter().rev()) {
            event.rollback();
        }
    };
    can.then(|| Undo(Arc::new(undo)))
}

/// The outputs that are new values of cells whose old ones are inputs.
fn cells(recorder: &Recorder, targets: &[Target]) -> Vec<Cell> {
    let reads = recorder.inputs.iter().enumerate().filter_map(|(input, (source, _))| match source {
        Source::Variable(variable) => Some((variable.id(), input)),
        Source::Argument(_) | Source::Handle(_) | Source::Sink(_) | Source::Numbers(_) => None,
    });
    let reads: HashMap<u64, usize> = reads.collect();
    let touched: Vec<u64> = recorder.variables.values().map(|entry| entry.variable.id()).collect();
    let cell = |(output, target): (usize, &Target)| match target {
        Target::Cell(place) => reads.get(&touched[*place]).map(|&input| Cell { output, input }),
        Target::Result | Target::Argument(_) | Target::Handle(_) | Target::Sink(_) | Target::Undo(_) => None,
    };
    targets.iter().enumerate().filter_map(cell).collect()
}

/// Give an object its new value; a leaf that collects gradients stays one.
fn rebind(handle: &Arc<Handle>, value: Value) {
    let sink = handle.get().node.sink.clone();
    handle.set(leaf_with_sink(value, sink));
}

fn upload_numbers(numbers: &[f64], expected: &Expected) -> Result<Value> {
    let mut bytes: SmallVec<[u8; 64]> = SmallVec::new();
    for &number in numbers {
        match expected.meta.dtype {
            DType::F32 => bytes.extend_from_slice(&(number as f32).to_ne_bytes()),
            DType::F64 => bytes.extend_from_slice(&number.to_ne_bytes()),
            DType::F16 => bytes.extend_from_slice(&half::f16::from_f64(number).to_ne_bytes()),
            DType::BF16 => bytes.extend_from_slice(&half::bf16::from_f64(number).to_ne_bytes()),
            other => return Err(Error::bug("compile", format!("a runtime number of dtype {other}"))),
        }
    }
    backend::of(expected.device).upload(&bytes, &expected.meta)
}
