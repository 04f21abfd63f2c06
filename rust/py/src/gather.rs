//! Batches of rows for Python.

use crate::errors::{OrRaise, raise};
use crate::gate::{attached, gate};
use crate::tensor::PyTensor;
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::sync::{Mutex, PoisonError};
use trainsmith_core::Error;
use trainsmith_core::data::ahead::Ahead;
use trainsmith_core::data::order::{Order, Permutation};
use trainsmith_core::data::rows::Rows;
use trainsmith_core::device::Device;
use trainsmith_core::layout::{Layout, Strides};
use trainsmith_core::shape::Shape;
use trainsmith_core::tensor::face::leaf;
use trainsmith_core::tensor::{Tensor, compact};

/// An iterator over batches of tensors in host memory, gathered ahead by a thread.
#[pyclass(frozen, name = "Gather", module = "trainsmith._core")]
pub(crate) struct PyGather {
    ahead: Mutex<Ahead>,
    device: Device,
}

/// Rows in the memory of another array: their shape with their number, from one to the next, and the first's place, in
/// elements.
type View = (Vec<usize>, usize, usize);

fn rows_of((shape, step, offset): &View) -> Layout {
    let shape: Shape = shape.iter().copied().collect();
    let mut strides: Strides = Layout::contiguous(shape.clone()).strides().into();
    if let Some(first) = strides.first_mut() {
        *first = *step as isize;
    }
    Layout::new(shape, strides, *offset)
}

#[pymethods]
impl PyGather {
    /// Batches of the positions in `span`: from its start, before its end. `keys` shuffle; `listed` names the row at each position; with neither the rows come in order. Of `workers` threads, 0 leaves it to their order and size whether one gathers them.
    #[new]
    #[pyo3(signature = (sources, batch_size, span, device, /, *, keys=None, listed=None, workers=0))]
    #[expect(clippy::too_many_arguments, reason = "keywords in Python")]
    fn new(
        py: Python<'_>,
        sources: Vec<(Bound<'_, PyTensor>, Option<View>)>,
        batch_size: usize,
        span: (usize, usize),
        device: &str,
        keys: Option<[u64; 8]>,
        listed: Option<PyBuffer<i64>>,
        workers: usize,
    ) -> PyResult<Self> {
        let device = Device::parse(device).or_raise(py)?;
        let sources: Vec<(&Tensor, &Option<View>)> = sources.iter().map(|(base, view)| (&base.get().0, view)).collect();
        let count = sources.first().and_then(|(base, view)| match view {
            Some((shape, ..)) => shape.first().copied(),
            None => base.meta().shape.first().copied(),
        });
        let count = count.unwrap_or(0);
        let order = match (keys, listed) {
            (None, None) => Order::Sequence,
            (Some(keys), None) => Order::Permuted(Permutation::new(count as u64, keys)),
            (None, Some(listed)) => Order::listed(&listed.to_vec(py)?, count).or_raise(py)?,
            (Some(_), Some(_)) => return Err(raise(py, &Error::value("batches", "one order", "keys and a list"))),
        };
        let ahead = gate(py, "batches", || {
            let values = sources.iter().map(|(base, view)| {
                let value = compact(&base.value("batches")?)?;
                Ok::<_, Error>(view.as_ref().map_or_else(|| value.clone(), |view| value.with_layout(rows_of(view))))
            });
            Ahead::new(Rows::new(values.collect::<Result<_, _>>()?, order)?, batch_size, span.0, span.1, workers)
        })?;
        Ok(Self { ahead: Mutex::new(ahead), device })
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        // A lock that another thread holds may have to wait, so nobody waits for it with the GIL.
        let short = self.ahead.try_lock().ok().filter(|ahead| ahead.is_short());
        let values = match short {
            Some(mut ahead) => attached(py, "batches", || ahead.next_batch()),
            None => gate(py, "batches", || self.ahead.lock().unwrap_or_else(PoisonError::into_inner).next_batch()),
        }?;
        let Some(values) = values else { return Ok(None) };
        let tensors = values.into_iter().map(|value| {
            let tensor = if self.device == Device::Cpu {
                Tensor::from_edge(leaf(value))
            } else {
                let meta = value.meta();
                gate(py, "batches", || Tensor::from_bytes(value.host("batches")?, &meta, self.device))?
            };
            PyTensor::wrap(py, tensor)
        });
        PyTuple::new(py, tensors.collect::<PyResult<Vec<_>>>()?).map(Some)
    }
}
