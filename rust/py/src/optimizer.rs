//! Optimizers, their groups and state.

use crate::dtype::PyDType;
use crate::errors::{OrRaise, raise};
use crate::gate::gate;
use crate::tensor::{PyBuffer, PyTensor, buffer_object};
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use trainsmith_core::Error;
use trainsmith_core::ir::variable::Variable;
use trainsmith_core::tensor::face::{face, value_of};
use trainsmith_core::tensor::{Tensor, compact};
use trainsmith_core::train::optim::{self, Group, Optimizer, ParamState};
use trainsmith_core::train::transform::{Options, Slot};

type Numbers = BTreeMap<String, f64>;
type Flags = BTreeMap<String, bool>;
type WantedTensor = (&'static str, Vec<usize>, PyDType);

/// The cell behind a parameter.
pub(crate) fn variable_of(tensor: &Bound<'_, PyTensor>) -> PyResult<Arc<Variable>> {
    let found = tensor.get().0.variable().cloned();
    let rule = "nn.Parameter or nn.Buffer objects";
    found.ok_or_else(|| raise(tensor.py(), &Error::value("optim", rule, "a plain tensor")))
}

/// An optimizer.
#[pyclass(frozen, name = "Optimizer", module = "trainsmith._core")]
pub(crate) struct PyOptimizer(Arc<Optimizer>);

#[pymethods]
impl PyOptimizer {
    #[new]
    fn new(py: Python<'_>, kind: &str) -> PyResult<Self> {
        Ok(Self(Arc::new(Optimizer::new(optim::kind(kind).or_raise(py)?))))
    }
    fn defaults(&self) -> (Numbers, Flags) {
        let options = (self.0.kind().defaults)();
        (options.numbers, options.flags)
    }
    fn add_group(
        &self,
        py: Python<'_>,
        params: Vec<Bound<'_, PyTensor>>,
        numbers: Numbers,
        flags: Flags,
    ) -> PyResult<PyGroup> {
        let params = params.iter().map(variable_of).collect::<PyResult<Vec<_>>>()?;
        let group = Group::new(self.0.kind(), params, Options { numbers, flags }).or_raise(py)?;
        self.0.add_group(Arc::clone(&group)).or_raise(py)?;
        Ok(PyGroup(group))
    }
    #[pyo3(signature = (skip = None))]
    fn step(&self, py: Python<'_>, skip: Option<&Bound<'_, PyTensor>>) -> PyResult<()> {
        let skip = skip.map(|flag| flag.get().0.edge()).transpose().or_raise(py)?;
        gate(py, "step", || self.0.step_unless(skip.as_ref()))
    }
    fn clear_state(&self) {
        self.0.clear_state();
    }
    /// Name, shape and dtype of each state tensor, and the names of running numbers, after a step under some options.
    fn wanted_state(
        &self,
        param: &Bound<'_, PyTensor>,
        numbers: Numbers,
        flags: Flags,
    ) -> PyResult<(Vec<WantedTensor>, Vec<&'static str>)> {
        let (slots, running) = self.0.wanted_state(&*variable_of(param)?, &Options { numbers, flags });
        let wanted = |slot: Slot| (slot.name, slot.meta.shape.to_vec(), PyDType(slot.meta.dtype));
        Ok((slots.into_iter().map(wanted).collect(), running))
    }
    fn param_state(&self, param: &Bound<'_, PyTensor>) -> PyResult<PyParamState> {
        Ok(PyParamState(self.0.state(&*variable_of(param)?)))
    }
}

/// Parameters that share options.
#[pyclass(frozen, name = "Group", module = "trainsmith._core")]
pub(crate) struct PyGroup(Arc<Group>);

#[pymethods]
impl PyGroup {
    fn numbers(&self) -> Numbers {
        self.0.options().numbers
    }
    fn flags(&self) -> Flags {
        self.0.options().flags
    }
    fn set_number(&self, py: Python<'_>, name: String, value: f64) -> PyResult<()> {
        let set = |options: &mut Options| {
            options.numbers.insert(name, value);
        };
        self.0.change(set).or_raise(py)
    }
    fn set_flag(&self, py: Python<'_>, name: String, value: bool) -> PyResult<()> {
        let set = |options: &mut Options| {
            options.flags.insert(name, value);
        };
        self.0.change(set).or_raise(py)
    }
    #[getter]
    fn version(&self) -> u64 {
        self.0.version()
    }
}

/// State of one parameter.
#[pyclass(frozen, name = "ParamState", module = "trainsmith._core")]
pub(crate) struct PyParamState(Arc<ParamState>);

#[pymethods]
impl PyParamState {
    #[getter]
    fn get_step(&self) -> u64 {
        self.0.step()
    }
    #[setter]
    fn set_step(&self, step: u64) {
        self.0.set_step(step);
    }
    fn cells<'py>(&self, py: Python<'py>) -> PyResult<BTreeMap<String, Bound<'py, PyBuffer>>> {
        let object = |cell| buffer_object(py, Tensor::from_variable(cell));
        self.0.cells().into_iter().map(|(name, cell)| Ok((name, object(cell)?))).collect()
    }
    /// Numbers that run along on the host.
    #[getter]
    fn get_running(&self) -> Numbers {
        self.0.running()
    }
    #[setter]
    fn set_running(&self, running: Numbers) {
        self.0.set_running(running);
    }
    /// Hold a value as a state tensor of a parameter.
    fn load(
        &self,
        name: &str,
        param: &Bound<'_, PyTensor>,
        value: &Bound<'_, PyTensor>,
        dtype: &Bound<'_, PyDType>,
    ) -> PyResult<()> {
        let py = param.py();
        let (param, value, dtype) = (variable_of(param)?, value.get().0.clone(), dtype.get().0);
        gate(py, "load_state_dict", || {
            let edge = face().cast(&value.detach()?.edge()?, dtype)?;
            self.0.put(name, &param, compact(&value_of("load_state_dict", &edge)?)?);
            Ok(())
        })
    }
}
