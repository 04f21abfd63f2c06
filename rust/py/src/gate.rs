//! The one door to the core: nothing else releases the GIL or catches a panic.

use crate::errors::OrRaise;
use pyo3::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use trainsmith_core::ir::node::Edge;
use trainsmith_core::tensor::args::{Arg, Attr};
use trainsmith_core::tensor::{functions, mode};
use trainsmith_core::{Error, Result};

/// Run a call of the core: without the GIL where it may take long, with panics turned into `InternalError`.
///
/// While a function is recorded the GIL stays: nothing is computed, and every op asks for the user's line.
pub(crate) fn gate<T: Send>(py: Python<'_>, op: &str, call: impl FnOnce() -> Result<T> + Send) -> PyResult<T> {
    let guarded = || caught(op, call);
    let result = if mode::recording() == 0 { py.detach(guarded) } else { guarded() };
    result.or_raise(py)
}

/// Call a function of the core by name. A call that is surely short keeps the GIL: giving it up and back costs more.
pub(crate) fn call(py: Python<'_>, name: &str, args: &[Arg], attrs: &[(String, Attr)]) -> PyResult<Vec<Edge>> {
    let run = || functions::call(name, args, attrs);
    if functions::is_short(name, args) { attached(py, name, run) } else { gate(py, name, run) }
}

/// Run a call of the core that comes back to Python itself.
pub(crate) fn attached<T>(py: Python<'_>, op: &str, call: impl FnOnce() -> Result<T>) -> PyResult<T> {
    caught(op, call).or_raise(py)
}

fn caught<T>(op: &str, call: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
        Err(Error::bug(op, text))
    })
}
