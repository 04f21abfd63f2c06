//! The short way of a call to its captured step: one comparison of the arguments with those of calls before.
//!
//! `_signature.Call` says the same in Python, slowly, and decides wherever nothing here fits.

use crate::arrays;
use crate::errors::OrRaise;
use crate::graph::{PyCaptured, handle};
use crate::tensor::PyTensor;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyList, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit};
use smallvec::SmallVec;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use trainsmith_core::ir::node::{Edge, Handle};
use trainsmith_core::tensor::outline::Outline;
use trainsmith_core::tensor::{Tensor, counters, mode};

/// Routes that are tried; a call that fits none of them is looked up in Python.
const MOST: usize = 8;

/// What an argument must be, container by container; what a result becomes.
enum Form {
    /// A tensor of this outline, the same object as tensor `usize` of the call. Results have no outline.
    Tensor(Option<(Outline, usize)>),
    /// An equal object of the same type.
    Fixed(Py<PyAny>),
    /// A tuple, list or named tuple of exactly this type.
    Sequence(Py<PyType>, Vec<Form>),
    /// A dict with these keys in this order.
    Dict(Vec<(Py<PyAny>, Form)>),
}

/// The tensors of a call, and who they are.
#[derive(Default)]
struct Found {
    handles: SmallVec<[Arc<Handle>; 4]>,
    identities: SmallVec<[usize; 4]>,
}

impl Found {
    /// Take a tensor in; gives the first place that the same object had.
    fn enter(&mut self, handle: Arc<Handle>, identity: usize) -> usize {
        let place = self.identities.iter().position(|&seen| seen == identity).unwrap_or(self.identities.len());
        self.identities.push(identity);
        self.handles.push(handle);
        place
    }
}

fn is_named_tuple(kind: &Bound<'_, PyType>) -> PyResult<bool> {
    Ok(kind.is_subclass_of::<PyTuple>()? && kind.hasattr("_fields")?)
}

impl Form {
    /// The form of an argument in which arrays have become tensors, or with a `hole` that of a result.
    fn of(value: &Bound<'_, PyAny>, found: &mut Found, hole: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        if let Ok(dict) = value.cast_exact::<PyDict>() {
            let item =
                |(key, item): (Bound<'_, PyAny>, Bound<'_, PyAny>)| Ok((key.unbind(), Self::of(&item, found, hole)?));
            return Ok(Self::Dict(dict.iter().map(item).collect::<PyResult<_>>()?));
        }
        let kind = value.get_type();
        let plain = value.is_exact_instance_of::<PyTuple>() || value.is_exact_instance_of::<PyList>();
        if plain || is_named_tuple(&kind)? {
            let parts = value.try_iter()?.map(|part| Self::of(&part?, found, hole)).collect::<PyResult<_>>()?;
            return Ok(Self::Sequence(kind.unbind(), parts));
        }
        if let Some(hole) = hole {
            return Ok(if value.is(hole) { Self::Tensor(None) } else { Self::Fixed(value.clone().unbind()) });
        }
        if let Ok(tensor) = value.cast::<PyTensor>() {
            let alias = found.enter(handle(tensor)?, tensor.as_ptr() as usize);
            return Ok(Self::Tensor(Some((Outline::of(&tensor.get().0), alias))));
        }
        Ok(Self::Fixed(value.clone().unbind()))
    }

    /// Whether an argument has this form; its tensors are taken in.
    fn takes(&self, value: &Bound<'_, PyAny>, found: &mut Found) -> PyResult<bool> {
        let py = value.py();
        match self {
            Self::Tensor(None) => Ok(false),
            Self::Tensor(Some((outline, alias))) => {
                if let Ok(tensor) = value.cast::<PyTensor>() {
                    return Ok(outline.fits(&tensor.get().0)
                        && found.enter(handle(tensor)?, tensor.as_ptr() as usize) == *alias);
                }
                let Some(meta) = outline.fresh() else { return Ok(false) };
                let Some(copy) = arrays::copied(value, meta)? else { return Ok(false) };
                let fresh = Handle::new(copy.edge().or_raise(py)?);
                let identity = Arc::as_ptr(&fresh) as usize;
                Ok(found.enter(fresh, identity) == *alias)
            }
            Self::Fixed(held) => {
                let held = held.bind(py);
                if value.is(held) {
                    return Ok(true);
                }
                if !value.get_type().is(held.get_type()) {
                    return Ok(false);
                }
                match (value.cast_exact::<PyFloat>(), held.cast_exact::<PyFloat>()) {
                    (Ok(a), Ok(b)) => Ok(a.value().to_bits() == b.value().to_bits()),
                    (_, _) => value.eq(held),
                }
            }
            Self::Sequence(kind, forms) => {
                if !value.get_type().is(kind.bind(py)) || value.len()? != forms.len() {
                    return Ok(false);
                }
                for (form, part) in forms.iter().zip(value.try_iter()?) {
                    if !form.takes(&part?, found)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Dict(items) => match value.cast_exact::<PyDict>() {
                Ok(dict) => takes_items(items, dict, found),
                Err(_) => Ok(false),
            },
        }
    }

    /// Put results into this form.
    fn filled<'py>(&self, py: Python<'py>, results: &mut impl Iterator<Item = Edge>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Tensor(_) => {
                let missing = || PyRuntimeError::new_err("a captured step gave too few results");
                let edge = results.next().ok_or_else(missing)?;
                Ok(PyTensor::wrap(py, Tensor::from_edge(edge))?.into_any())
            }
            Self::Fixed(held) => Ok(held.bind(py).clone()),
            Self::Sequence(kind, forms) => {
                let parts = forms.iter().map(|form| form.filled(py, results)).collect::<PyResult<Vec<_>>>()?;
                let (kind, parts) = (kind.bind(py), PyTuple::new(py, parts)?);
                if kind.is(parts.get_type()) {
                    Ok(parts.into_any())
                } else if is_named_tuple(kind)? {
                    kind.call1(parts)
                } else {
                    kind.call1((parts,))
                }
            }
            Self::Dict(items) => {
                let dict = PyDict::new(py);
                for (key, form) in items {
                    dict.set_item(key, form.filled(py, results)?)?;
                }
                Ok(dict.into_any())
            }
        }
    }

    fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Tensor(_) => Ok(()),
            Self::Fixed(held) => visit.call(held),
            Self::Sequence(kind, forms) => {
                visit.call(kind)?;
                forms.iter().try_for_each(|form| form.visit(visit))
            }
            Self::Dict(items) => items.iter().try_for_each(|(key, form)| {
                visit.call(key)?;
                form.visit(visit)
            }),
        }
    }
}

fn takes_items(items: &[(Py<PyAny>, Form)], dict: &Bound<'_, PyDict>, found: &mut Found) -> PyResult<bool> {
    if dict.len() != items.len() {
        return Ok(false);
    }
    for ((held, form), (key, value)) in items.iter().zip(dict.iter()) {
        let held = held.bind(dict.py());
        if !(key.is(held) || key.eq(held)?) || !form.takes(&value, found)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A captured step, and the calls that it fits.
struct Route {
    captured: Py<PyCaptured>,
    settings: mode::Settings,
    arguments: Form,
    keywords: Form,
    results: Form,
    /// Asks Python whether a module or optimizer that the step touched has changed.
    changed: Py<PyAny>,
    /// The count of changes when that was asked last.
    asked: AtomicU64,
}

impl Route {
    /// The tensors of a call that the step fits.
    fn fits(&self, args: &Bound<'_, PyTuple>, kwargs: &Bound<'_, PyDict>) -> PyResult<Option<Found>> {
        let (py, mut found) = (args.py(), Found::default());
        let takes = self.settings == mode::settings()
            && self.arguments.takes(args.as_any(), &mut found)?
            && self.keywords.takes(kwargs.as_any(), &mut found)?
            && self.captured.get().0.misfit().is_none();
        if !takes {
            return Ok(None);
        }
        let changes = counters::CHANGES.load(Ordering::Relaxed);
        if self.asked.load(Ordering::Relaxed) != changes {
            if !self.changed.call0(py)?.is_none(py) {
                return Ok(None);
            }
            self.asked.store(changes, Ordering::Relaxed);
        }
        Ok(Some(found))
    }
}

/// Captured steps of one compiled function, the last used first.
#[pyclass(frozen, name = "Routes", module = "trainsmith._core")]
pub(crate) struct PyRoutes {
    routes: RwLock<Vec<Arc<Route>>>,
    hits: AtomicU64,
}

impl PyRoutes {
    fn at(&self, place: usize) -> Option<Arc<Route>> {
        self.routes.read().unwrap_or_else(PoisonError::into_inner).get(place).cloned()
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Arc<Route>>)) {
        change(&mut self.routes.write().unwrap_or_else(PoisonError::into_inner));
    }
}

#[pymethods]
impl PyRoutes {
    #[new]
    fn new() -> Self {
        Self { routes: RwLock::default(), hits: AtomicU64::new(0) }
    }

    /// Lead calls like this one, in which arrays have become tensors, to a step; `results` has a `hole` for each tensor.
    #[pyo3(signature = (captured, args, kwargs, changed, results, hole, /))]
    fn add(
        &self,
        captured: Py<PyCaptured>,
        args: &Bound<'_, PyTuple>,
        kwargs: &Bound<'_, PyDict>,
        changed: Py<PyAny>,
        results: &Bound<'_, PyAny>,
        hole: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let mut found = Found::default();
        let route = Arc::new(Route {
            settings: mode::settings(),
            arguments: Form::of(args.as_any(), &mut found, None)?,
            keywords: Form::of(kwargs.as_any(), &mut found, None)?,
            results: Form::of(results, &mut found, Some(hole))?,
            changed,
            asked: AtomicU64::new(u64::MAX),
            captured,
        });
        self.change(|routes| {
            routes.retain(|other| !other.captured.is(&route.captured));
            routes.insert(0, route);
            routes.truncate(MOST);
        });
        Ok(())
    }

    /// Lead no more calls to a step.
    #[pyo3(signature = (captured, /))]
    fn remove(&self, captured: &Bound<'_, PyCaptured>) {
        self.change(|routes| routes.retain(|route| !route.captured.is(captured)));
    }

    /// Calls that found their step here since this was asked last.
    fn take_hits(&self) -> u64 {
        self.hits.swap(0, Ordering::Relaxed)
    }

    /// Run the step that fits, if one does; `NotImplemented` says that none does.
    #[pyo3(signature = (args, kwargs, /))]
    fn call<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if mode::recording() == 0 {
            // Comparing may run Python code, which may come back here: no lock is held meanwhile.
            for place in 0.. {
                let Some(route) = self.at(place) else { break };
                let Some(found) = route.fits(args, kwargs)? else { continue };
                if place > 0 {
                    self.change(|routes| routes.sort_by_key(|other| !Arc::ptr_eq(other, &route)));
                }
                self.hits.fetch_add(1, Ordering::Relaxed);
                counters::add(&counters::PLAN_HITS, 1);
                let results = route.captured.get().run_now(py, &found.handles)?;
                return route.results.filled(py, &mut results.into_iter());
            }
        }
        Ok(py.NotImplemented().into_bound(py))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Ok(routes) = self.routes.try_read() else { return Ok(()) };
        routes.iter().try_for_each(|route| {
            visit.call(&route.captured)?;
            visit.call(&route.changed)?;
            route.arguments.visit(&visit)?;
            route.keywords.visit(&visit)?;
            route.results.visit(&visit)
        })
    }

    fn __clear__(&self) {
        self.change(Vec::clear);
    }
}
