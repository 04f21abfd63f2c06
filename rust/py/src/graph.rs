//! Gradients, recordings, captured steps, loops.

use crate::errors::{OrRaise, from_python, raise};
use crate::gate::{attached, gate};
use crate::optimizer::variable_of;
use crate::stop::PyStopFlag;
use crate::tensor::PyTensor;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyList;
use std::cell::RefCell;
use std::sync::Arc;
use trainsmith_core::Error;
use trainsmith_core::backend::gpu::{GpuInfo, gpus};
use trainsmith_core::device::Device;
use trainsmith_core::ir::node::{Edge, Handle};
use trainsmith_core::tensor::capture::{Captured, Snapshot};
use trainsmith_core::tensor::recorder::{HostEvent, Origin, Recorder};
use trainsmith_core::tensor::scan::Loop;
use trainsmith_core::tensor::{Tensor, backward, counters as counts, mode};
use trainsmith_core::train::{clip, optim};

static USER_LINE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Asks Python for the first line outside the package.
fn origin() -> Origin {
    Box::new(|| {
        Python::attach(|py| {
            let find = || py.import("trainsmith._origin")?.getattr("user_line").map(Bound::unbind);
            let user_line = USER_LINE.get_or_try_init(py, find).ok()?;
            let line: Option<String> = user_line.bind(py).call0().ok()?.extract().ok()?;
            line.map(Arc::from)
        })
    })
}

fn tensors(objects: &[Bound<'_, PyTensor>]) -> Vec<Tensor> {
    objects.iter().map(|t| t.get().0.clone()).collect()
}

/// Tensor objects.
type Objects<'py> = Vec<Bound<'py, PyTensor>>;

fn wrapped(py: Python<'_>, tensors: Vec<Tensor>) -> PyResult<Vec<Bound<'_, PyTensor>>> {
    tensors.into_iter().map(|t| PyTensor::wrap(py, t)).collect()
}

fn wrapped_edges(py: Python<'_>, edges: Vec<Edge>) -> PyResult<Vec<Bound<'_, PyTensor>>> {
    wrapped(py, edges.into_iter().map(Tensor::from_edge).collect())
}

/// Whether ops leave a tape.
#[pyfunction]
pub(crate) fn grad_enabled() -> bool {
    mode::grad_enabled()
}

/// Switch the tape on or off.
#[pyfunction]
#[pyo3(signature = (enabled, /))]
pub(crate) fn set_grad_enabled(enabled: bool) -> bool {
    mode::set_grad_enabled(enabled)
}

/// Say that a module or optimizer has changed, so that captured steps ask whether they still fit.
#[pyfunction]
pub(crate) fn note_change() {
    counts::add(&counts::CHANGES, 1);
}

/// Count a call that found its captured step.
#[pyfunction]
pub(crate) fn count_hit() {
    counts::add(&counts::PLAN_HITS, 1);
}

/// Whether a function is being recorded in this thread.
#[pyfunction]
pub(crate) fn recording() -> bool {
    mode::recording() != 0
}

/// A copy that gradients can be asked for.
#[pyfunction]
#[pyo3(signature = (tensor, /))]
pub(crate) fn watch<'py>(py: Python<'py>, tensor: &Bound<'py, PyTensor>) -> PyResult<Bound<'py, PyTensor>> {
    PyTensor::wrap(py, backward::watch(&tensor.get().0).or_raise(py)?)
}

/// Gradients of outputs by watched tensors.
#[pyfunction]
#[pyo3(signature = (outputs, seeds, targets, /))]
pub(crate) fn gradients<'py>(
    py: Python<'py>,
    outputs: Vec<Bound<'py, PyTensor>>,
    seeds: Option<Vec<Bound<'py, PyTensor>>>,
    targets: Vec<Bound<'py, PyTensor>>,
) -> PyResult<Vec<Bound<'py, PyTensor>>> {
    let (outputs, targets) = (tensors(&outputs), tensors(&targets));
    let seeds = seeds.map(|s| tensors(&s));
    let grads = gate(py, "grad", || backward::gradients(&outputs, seeds.as_deref(), &targets))?;
    wrapped(py, grads)
}

/// Whether anything but watched tensors may ask for gradients of outputs.
#[pyfunction]
#[pyo3(signature = (outputs, watched, /))]
pub(crate) fn connected(
    py: Python<'_>,
    outputs: Vec<Bound<'_, PyTensor>>,
    watched: Vec<Bound<'_, PyTensor>>,
) -> PyResult<bool> {
    backward::connected(&tensors(&outputs), &tensors(&watched)).or_raise(py)
}

/// The place of an argument; a cell is read as the cell it is.
pub(crate) fn handle(argument: &Bound<'_, PyTensor>) -> PyResult<Arc<Handle>> {
    let tensor = &argument.get().0;
    match tensor.handle() {
        Some(handle) => Ok(Arc::clone(handle)),
        None => Ok(Handle::new(tensor.edge().or_raise(argument.py())?)),
    }
}

fn handles(arguments: &[Bound<'_, PyTensor>]) -> PyResult<Vec<Arc<Handle>>> {
    arguments.iter().map(handle).collect()
}

/// Run a Python function in recording mode and close what it did into a step.
#[pyfunction]
#[pyo3(signature = (function, arguments, keep_grads, /))]
pub(crate) fn record(
    py: Python<'_>,
    function: &Bound<'_, PyAny>,
    arguments: Vec<Bound<'_, PyTensor>>,
    keep_grads: bool,
) -> PyResult<PyCaptured> {
    let mut recorder = Recorder::new(Some(origin()));
    for (place, argument) in arguments.iter().enumerate() {
        if let Some(handle) = argument.get().0.handle() {
            recorder.argument(place, handle).or_raise(py)?;
        }
    }
    mode::start(recorder);
    let results = function.call0().and_then(|results| {
        let results: Vec<Bound<'_, PyTensor>> = results.extract()?;
        results.iter().map(|t| t.get().0.edge().or_raise(py)).collect::<PyResult<Vec<_>>>()
    });
    let recorder = mode::stop().or_raise(py)?;
    let captured =
        attached(py, "compile", || Captured::new(recorder, &results.as_ref().map_or(vec![], Clone::clone), keep_grads));
    results?;
    Ok(PyCaptured(captured?))
}

/// A step that was recorded.
#[pyclass(frozen, name = "Captured", module = "trainsmith._core")]
pub(crate) struct PyCaptured(pub(crate) Captured);

impl PyCaptured {
    /// Run the step once, without the GIL; Ctrl-C is heard after it.
    pub(crate) fn run_now(&self, py: Python<'_>, arguments: &[Arc<Handle>]) -> PyResult<Vec<Edge>> {
        let results = gate(py, "compile", || self.0.run(arguments))?;
        py.check_signals()?;
        Ok(results)
    }
}

/// What `first_non_finite` gives.
type Finding = (&'static str, String, bool, Vec<usize>, String, Option<String>);

/// Everything a step may change, as it was.
#[pyclass(frozen, name = "Snapshot", module = "trainsmith._core")]
pub(crate) struct PySnapshot(Snapshot);

#[pymethods]
impl PyCaptured {
    /// Why the step does not fit any more.
    fn misfit(&self) -> Option<String> {
        self.0.misfit()
    }
    /// Device, and bytes of what is given, of results, of values in between.
    fn memory(&self, py: Python<'_>) -> PyResult<(String, u64, u64, u64)> {
        let need = gate(py, "memory", || self.0.need())?;
        Ok((self.0.device().to_string(), need.given, need.results, need.working))
    }
    #[pyo3(signature = (arguments, /))]
    fn run<'py>(&self, py: Python<'py>, arguments: Vec<Bound<'py, PyTensor>>) -> PyResult<Vec<Bound<'py, PyTensor>>> {
        wrapped_edges(py, self.run_now(py, &handles(&arguments)?)?)
    }
    #[pyo3(signature = (arguments, start, end, stop=None, /))]
    fn run_steps<'py>(
        &self,
        py: Python<'py>,
        arguments: Vec<Bound<'py, PyTensor>>,
        start: usize,
        end: usize,
        stop: Option<&Bound<'py, PyStopFlag>>,
    ) -> PyResult<(usize, Vec<Bound<'py, PyTensor>>)> {
        let arguments = tensors(&arguments);
        let stop = stop.map(|flag| flag.get().shared());
        let (count, results) = gate(py, "run_steps", || self.0.run_steps(&arguments, start..end, stop.as_deref()))?;
        py.check_signals()?;
        Ok((count, wrapped_edges(py, results)?))
    }
    #[pyo3(signature = (arguments, /))]
    fn snapshot(&self, arguments: Vec<Bound<'_, PyTensor>>) -> PyResult<PySnapshot> {
        Ok(PySnapshot(self.0.snapshot(&handles(&arguments)?)))
    }
    #[pyo3(signature = (snapshot, /))]
    fn restore(&self, snapshot: &Bound<'_, PySnapshot>) {
        self.0.restore(&snapshot.get().0);
    }
    /// Names and values of the cells in a snapshot.
    #[pyo3(signature = (snapshot, /))]
    fn cells<'py>(
        &self,
        py: Python<'py>,
        snapshot: &Bound<'py, PySnapshot>,
    ) -> PyResult<Vec<(String, Bound<'py, PyTensor>)>> {
        let object = |value: &trainsmith_core::buffer::Value| PyTensor::wrap(py, Tensor::from_value(value.clone()));
        self.0.cells(&snapshot.get().0).map(|(v, value)| Ok((v.name().to_string(), object(value)?))).collect()
    }
    /// Where the first value that is not finite comes from: kind, source, whether that is an op, shape, dtype, line.
    #[pyo3(signature = (arguments, /))]
    fn first_non_finite(&self, py: Python<'_>, arguments: Vec<Bound<'_, PyTensor>>) -> PyResult<Option<Finding>> {
        let arguments = handles(&arguments)?;
        let found = gate(py, "compile", || self.0.first_non_finite(&arguments))?;
        Ok(found.map(|f| (f.kind, f.source, f.is_op, f.shape.to_vec(), f.dtype.to_string(), f.origin)))
    }
    /// Undo the host's share of the last run.
    fn rollback(&self) {
        self.0.rollback(self.0.event_count());
    }
    #[getter]
    fn program(&self) -> String {
        self.0.program().to_string()
    }
    #[getter]
    fn instructions(&self) -> usize {
        self.0.program().instructions.len()
    }
    /// Kernels that a step runs.
    #[getter]
    fn kernels(&self) -> usize {
        self.0.kernels()
    }
    #[getter]
    fn arena_bytes(&self) -> usize {
        self.0.arena_bytes()
    }
    #[getter]
    fn fresh_buffers(&self) -> u64 {
        self.0.fresh_buffers()
    }
    #[getter]
    fn runs(&self) -> u64 {
        self.0.runs()
    }
    /// How many captured steps had been run when this one was run last.
    #[getter]
    fn last_run(&self) -> u64 {
        self.0.last_run()
    }
}

/// Python callables as a host event.
struct PyEvent {
    advance: Py<PyAny>,
    rollback: Py<PyAny>,
}

impl HostEvent for PyEvent {
    fn advance(&self) -> trainsmith_core::Result<Vec<f64>> {
        Python::attach(|py| match self.advance.call0(py) {
            Ok(_) => Ok(vec![]),
            Err(failure) => Err(from_python("compile", &failure)),
        })
    }
    fn rollback(&self) {
        Python::attach(|py| {
            if let Err(failure) = self.rollback.call0(py) {
                failure.write_unraisable(py, None);
            }
        });
    }
}

/// Inside a recording: do this at every call of the captured step.
#[pyfunction]
#[pyo3(signature = (advance, rollback, /))]
pub(crate) fn record_event(py: Python<'_>, advance: Py<PyAny>, rollback: Py<PyAny>) -> PyResult<()> {
    let event = Arc::new(PyEvent { advance, rollback });
    let noted = mode::with_recorder(|r| r.event(event, &[]));
    noted.map(drop).ok_or_else(|| raise(py, &Error::graph("compile", "a recording in progress", "none")))
}

/// A loop whose body is recorded once.
#[pyfunction]
#[pyo3(signature = (body, init, xs, length, reverse, /))]
pub(crate) fn scan<'py>(
    py: Python<'py>,
    body: &Bound<'py, PyAny>,
    init: Vec<Bound<'py, PyTensor>>,
    xs: Vec<Bound<'py, PyTensor>>,
    length: usize,
    reverse: bool,
) -> PyResult<(Objects<'py>, Objects<'py>)> {
    let raised: RefCell<Option<PyErr>> = RefCell::new(None);
    let mut turn = |carries: &[Tensor], slices: &[Tensor]| {
        let call = || -> PyResult<(Vec<Tensor>, Vec<Tensor>)> {
            let lists =
                (PyList::new(py, wrapped(py, carries.to_vec())?)?, PyList::new(py, wrapped(py, slices.to_vec())?)?);
            let (new, out): (Vec<Bound<'_, PyTensor>>, Vec<Bound<'_, PyTensor>>) = body.call1(lists)?.extract()?;
            Ok((tensors(&new), tensors(&out)))
        };
        call().map_err(|failure| {
            let error = from_python("scan", &failure);
            *raised.borrow_mut() = Some(failure);
            error
        })
    };
    let (init, xs) = (tensors(&init), tensors(&xs));
    let walk = Loop { length, reverse };
    let result =
        attached(py, "scan", || trainsmith_core::tensor::scan::scan(&mut turn, &init, &xs, walk, Some(origin())));
    if let Some(failure) = raised.into_inner() {
        return Err(failure);
    }
    let (carries, stacked) = result?;
    Ok((wrapped(py, carries)?, wrapped(py, stacked)?))
}

/// Norm of all gradients together, and the gradients scaled down to at most `max_norm`.
#[pyfunction]
#[pyo3(signature = (grads, max_norm, order, /))]
pub(crate) fn clip_by_norm<'py>(
    py: Python<'py>,
    grads: Vec<Bound<'py, PyTensor>>,
    max_norm: f64,
    order: f64,
) -> PyResult<(Bound<'py, PyTensor>, Vec<Bound<'py, PyTensor>>)> {
    let grads = tensors(&grads);
    let (norm, scaled) = gate(py, "clip_grad_norm_", || {
        mode::with_grad(false, || {
            let edges = grads.iter().map(Tensor::edge).collect::<trainsmith_core::Result<Vec<_>>>()?;
            clip::clip_by_norm(&edges, max_norm, order)
        })
    })?;
    Ok((PyTensor::wrap(py, Tensor::from_edge(norm))?, wrapped_edges(py, scaled)?))
}

/// Snapshots of cells, all taken between the same two steps.
#[pyfunction]
#[pyo3(signature = (cells, /))]
pub(crate) fn read_together<'py>(
    py: Python<'py>,
    cells: Vec<Bound<'py, PyTensor>>,
) -> PyResult<Vec<Bound<'py, PyTensor>>> {
    let variables = cells.iter().map(variable_of).collect::<PyResult<Vec<_>>>()?;
    let values = gate(py, "state_dict", || Ok(optim::read_together(&variables)))?;
    wrapped(py, values.into_iter().map(Tensor::from_value).collect())
}

/// How often things happened in this process.
#[pyfunction]
pub(crate) fn counters() -> std::collections::BTreeMap<&'static str, u64> {
    counts::all().into_iter().collect()
}

/// Threads that run a step, the caller among them.
#[pyfunction]
pub(crate) fn num_threads() -> usize {
    trainsmith_core::backend::cpu::num_threads()
}

/// Let steps that begin from now on use this many threads.
#[pyfunction]
#[pyo3(signature = (count, /))]
pub(crate) fn set_num_threads(py: Python<'_>, count: usize) -> PyResult<()> {
    gate(py, "set_num_threads", || trainsmith_core::backend::cpu::set_num_threads(count))
}

/// Names of the devices that can be used.
#[pyfunction]
pub(crate) fn devices(py: Python<'_>) -> PyResult<Vec<String>> {
    gate(py, "devices", || {
        let gpus = (0..Device::GPUS).zip(gpus()).map(|(number, _)| Device::Gpu(number));
        let all = [Device::Cpu].into_iter().chain(gpus).chain([Device::Reference]);
        Ok(all.map(|device| device.to_string()).collect())
    })
}

/// Name, driver, interface, tier, whether it is software, bytes of the largest tensor.
type Facts = (String, String, String, String, bool, u64);

/// What is known of each GPU.
#[pyfunction]
pub(crate) fn gpu_info(py: Python<'_>) -> PyResult<Vec<Facts>> {
    gate(py, "devices", || {
        let row = |gpu: GpuInfo| (gpu.name, gpu.driver, gpu.backend, gpu.tier, gpu.software, gpu.largest);
        Ok(gpus().into_iter().map(row).collect())
    })
}

/// Write what GPUs have compiled for later processes.
#[pyfunction]
pub(crate) fn save_caches(py: Python<'_>) -> PyResult<()> {
    gate(py, "save_caches", || {
        trainsmith_core::backend::gpu::save_caches();
        Ok(())
    })
}
