//! The user's handle: a place that holds an edge, or a cell.

use crate::backend;
use crate::buffer::{HostVec, Meta, Value};
use crate::device::Device;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::{Edge, Handle, Leaf, Node, Sink};
use crate::ir::op::Op;
use crate::ir::variable::Variable;
use crate::layout::Layout;
use crate::shape::Shape;
use crate::tensor::face::{face, leaf, value_of};
use crate::tensor::mode;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A tensor: clones are the same object, an in-place change is seen by all of them.
#[derive(Clone, Debug)]
pub struct Tensor(Slot);

#[derive(Clone, Debug)]
enum Slot {
    Plain(Arc<Handle>),
    Cell(Arc<Variable>),
}

impl Tensor {
    /// A tensor object that holds a result.
    pub fn from_edge(edge: Edge) -> Self {
        Self(Slot::Plain(Handle::new(edge)))
    }

    /// The tensor object of an existing handle.
    pub fn from_handle(handle: Arc<Handle>) -> Self {
        Self(Slot::Plain(handle))
    }

    /// The tensor object of a cell.
    pub fn from_variable(variable: Arc<Variable>) -> Self {
        Self(Slot::Cell(variable))
    }

    /// A tensor object that holds data; inside a recording, a constant.
    pub fn from_value(value: Value) -> Self {
        Self::from_edge(leaf(value))
    }

    /// A tensor from row-major elements on the CPU.
    ///
    /// ```
    /// use trainsmith_core::tensor::Tensor;
    /// let x = Tensor::from_f32(&[1.0, 2.0], [2])?;
    /// assert_eq!(x.to_f64()?, [1.0, 2.0]);
    /// # Ok::<(), trainsmith_core::Error>(())
    /// ```
    pub fn from_f32(elements: &[f32], shape: impl Into<Shape>) -> Result<Self> {
        Self::from_bytes(bytemuck::cast_slice(elements), &Meta::new(shape, DType::F32), Device::Cpu)
    }

    /// A tensor from row-major elements on the CPU.
    pub fn from_f64(elements: &[f64], shape: impl Into<Shape>) -> Result<Self> {
        Self::from_bytes(bytemuck::cast_slice(elements), &Meta::new(shape, DType::F64), Device::Cpu)
    }

    /// A tensor from row-major elements on the CPU.
    pub fn from_i64(elements: &[i64], shape: impl Into<Shape>) -> Result<Self> {
        Self::from_bytes(bytemuck::cast_slice(elements), &Meta::new(shape, DType::I64), Device::Cpu)
    }

    /// A tensor from the row-major bytes of its elements.
    pub fn from_bytes(bytes: &[u8], meta: &Meta, device: Device) -> Result<Self> {
        if bytes.len() != meta.bytes() {
            return Err(Error::shape(
                "asarray",
                format!("{} bytes for {} {}", meta.bytes(), meta.dtype, meta.shape),
                format!("{} bytes", bytes.len()),
            ));
        }
        Ok(Self::from_value(backend::of(device).upload(bytes, meta)?))
    }

    /// The cell behind a parameter or buffer.
    pub fn variable(&self) -> Option<&Arc<Variable>> {
        match &self.0 {
            Slot::Plain(_) => None,
            Slot::Cell(variable) => Some(variable),
        }
    }

    /// The place that holds the edge, where the tensor is no cell.
    pub fn handle(&self) -> Option<&Arc<Handle>> {
        match &self.0 {
            Slot::Plain(handle) => Some(handle),
            Slot::Cell(_) => None,
        }
    }

    /// What the tensor stands for now, ready to be an input of an op.
    pub fn edge(&self) -> Result<Edge> {
        match &self.0 {
            Slot::Plain(handle) => match mode::with_recorder(|r| r.read_handle(handle)) {
                Some(edge) => edge,
                None => Ok(handle.get()),
            },
            Slot::Cell(variable) => match mode::with_recorder(|r| r.read_variable(variable)) {
                Some(edge) => Ok(edge),
                None => Ok(variable_edge(variable)),
            },
        }
    }

    /// What is known without running anything: shape, dtype, flags. Never registers an input.
    fn peek(&self) -> Edge {
        match &self.0 {
            Slot::Plain(handle) => {
                let key = Arc::as_ptr(handle) as usize;
                mode::with_recorder(|r| r.handles.get(&key).map(|e| e.current.clone()))
                    .flatten()
                    .unwrap_or_else(|| handle.get())
            }
            Slot::Cell(variable) => mode::with_recorder(|r| r.variables.get(&variable.id()).map(|e| e.current.clone()))
                .flatten()
                .unwrap_or_else(|| variable_edge(variable)),
        }
    }

    /// Shape and dtype.
    pub fn meta(&self) -> Meta {
        self.peek().meta().clone()
    }

    /// Device that holds the tensor.
    pub fn device(&self) -> Device {
        self.peek().node.device
    }

    /// Whether a gradient may be asked for.
    pub fn requires_grad(&self) -> bool {
        self.peek().node.requires_grad
    }

    /// Whether gradients end here: nothing that requires one was computed to make the tensor.
    pub fn is_leaf(&self) -> bool {
        let edge = self.peek();
        !edge.node.requires_grad || edge.node.sink.is_some()
    }

    /// Ask for gradients of a leaf, or no longer.
    pub fn set_requires_grad(&self, requires: bool) -> Result<()> {
        if requires && !self.meta().dtype.is_float() {
            let got = self.meta().dtype.to_string();
            return Err(Error::dtype("requires_grad_", "a floating tensor; only these have gradients", got));
        }
        match &self.0 {
            Slot::Cell(variable) => variable.set_trainable(requires),
            Slot::Plain(handle) => {
                let edge = self.edge()?;
                if edge.node.requires_grad == requires {
                    return Ok(());
                }
                if edge.node.requires_grad && edge.node.sink.is_none() {
                    return Err(Error::graph(
                        "requires_grad_",
                        "a leaf; use detach() for a result that carries a tape",
                        format!("a result of {}", edge.node.op.name()),
                    ));
                }
                if mode::recording() != 0 {
                    return Err(Error::graph(
                        "requires_grad_",
                        "a call outside compiled functions, before the tensor goes in",
                        "a call inside one",
                    ));
                }
                let value = value_of("requires_grad_", &edge)?;
                handle.set(leaf_with_sink(value, requires.then(Sink::new)));
            }
        }
        Ok(())
    }

    fn sink(&self) -> Option<Arc<Sink>> {
        match &self.0 {
            Slot::Cell(variable) => Some(Arc::clone(variable.sink())),
            Slot::Plain(_) => self.peek().node.sink.clone(),
        }
    }

    /// The gradient so far.
    pub fn grad(&self) -> Option<Self> {
        let sink = self.sink()?;
        let handle = mode::with_recorder(|r| r.read_sink(&sink)).unwrap_or_else(|| sink.get());
        handle.map(Self::from_handle)
    }

    /// Replace or clear the gradient.
    pub fn set_grad(&self, grad: Option<&Self>) -> Result<()> {
        let Some(sink) = self.sink() else {
            return match grad {
                None => Ok(()),
                Some(_) => Err(Error::graph("grad", "a leaf that requires a gradient", "a tensor that has none")),
            };
        };
        let handle = match grad {
            None => None,
            Some(grad) => {
                let (mine, theirs) = (self.meta(), grad.meta());
                if mine != theirs {
                    let name = |m: &Meta| format!("{} {}", m.dtype, m.shape);
                    return Err(Error::shape("grad", format!("a gradient of {}", name(&mine)), name(&theirs)));
                }
                Some(match grad.handle() {
                    Some(handle) if mode::recording() == 0 || handle.get().node.recording != 0 => Arc::clone(handle),
                    _ => Handle::new(grad.edge()?),
                })
            }
        };
        if mode::with_recorder(|r| r.write_sink(&sink, handle.clone())).is_none() {
            sink.set(handle);
        }
        Ok(())
    }

    /// The same elements without a tape.
    pub fn detach(&self) -> Result<Self> {
        let edge = self.edge()?;
        if mode::recording() != 0 {
            let op = crate::passes::grad::identity(&edge);
            return mode::with_grad(false, || face().one(op, &[edge])).map(Self::from_edge);
        }
        Ok(Self::from_value(value_of("detach", &edge)?))
    }

    /// The value, if this is not a tensor whose value exists only when a captured step runs.
    pub fn value(&self, op: &str) -> Result<Value> {
        if mode::recording() != 0 {
            let edge = self.peek();
            if edge.node.recording != mode::recording() {
                return Err(Error::graph(
                    op,
                    "no reading of tensors inside a compiled function; return the tensor and read it outside",
                    "a tensor from outside, whose value differs from call to call",
                ));
            }
            return value_of(op, &edge);
        }
        value_of(op, &self.edge()?)
    }

    /// Row-major bytes of the elements on the host.
    pub fn to_host(&self, op: &str) -> Result<HostVec> {
        let value = self.value(op)?;
        backend::of(value.device()).download(&value)
    }

    /// Row-major bytes of the elements, cast to another dtype, on the host.
    pub fn to_wide(&self, op: &str, dtype: DType) -> Result<HostVec> {
        let mut value = self.value(op)?;
        if value.buffer.host().is_none() {
            // Not every device has every dtype; the CPU has.
            value = Value::from_host(download(&value)?, &value.meta(), Device::Cpu);
        }
        let backend = backend::of(value.device());
        let cast = if value.dtype == dtype { value } else { backend.run_op(&Op::Cast(dtype), &[value])?.remove(0) };
        backend.download(&cast)
    }

    /// The only element, as f64.
    pub fn number(&self, op: &str) -> Result<f64> {
        let shape = self.meta().shape;
        if shape.numel() != 1 {
            let rule = "a tensor with one element; reduce or index it first";
            return Err(Error::shape(op, rule, format!("shape {shape}")));
        }
        let value = self.value(op)?;
        // A loss is read so: by far the most frequent of all readings.
        if let (DType::F32, Ok(bytes)) = (value.dtype, value.host(op)) {
            let from = value.layout.offset() * size_of::<f32>();
            return Ok(f64::from(bytemuck::pod_read_unaligned::<f32>(&bytes[from..from + size_of::<f32>()])));
        }
        let bytes = self.to_wide(op, DType::F64)?;
        Ok(bytemuck::pod_read_unaligned(&bytes))
    }

    /// The only elements of several tensors, as f64; a device is waited for once.
    pub fn numbers(op: &str, tensors: &[&Self]) -> Result<Vec<f64>> {
        let mut found = vec![f64::NAN; tensors.len()];
        let mut waiting: BTreeMap<Device, Vec<(usize, Value)>> = BTreeMap::new();
        for (place, tensor) in tensors.iter().enumerate() {
            let value = tensor.value(op)?;
            match value.device() {
                device @ Device::Gpu(_) if value.shape().numel() == 1 => {
                    waiting.entry(device).or_default().push((place, value));
                }
                Device::Cpu | Device::Gpu(_) | Device::Reference => found[place] = tensor.number(op)?,
            }
        }
        for (device, waiting) in waiting {
            let (places, values): (Vec<usize>, Vec<Value>) = waiting.into_iter().unzip();
            let read = backend::of(device).download_all(&values)?;
            for ((place, value), bytes) in places.iter().zip(&values).zip(read) {
                found[*place] = Self::from_value(Value::from_host(bytes, &value.meta(), Device::Cpu)).number(op)?;
            }
        }
        Ok(found)
    }

    /// All elements as f64, row-major.
    pub fn to_f64(&self) -> Result<Vec<f64>> {
        Ok(bytemuck::cast_slice(&self.to_wide("to_f64", DType::F64)?).to_vec())
    }

    /// Point the object at another result; a cell is written.
    ///
    /// Outside `no_grad`, a leaf that requires a gradient refuses.
    pub fn assign(&self, op: &str, edge: Edge) -> Result<()> {
        let now = self.peek();
        if mode::grad_enabled() && now.node.requires_grad && now.node.sink.is_some() {
            return Err(Error::graph(
                op,
                "no in-place change of a leaf that requires a gradient; wrap it in no_grad(), or use copy_",
                "such a leaf",
            ));
        }
        self.overwrite(op, edge)
    }

    /// Point the object at another result, whatever its gradient mode; a cell is written.
    pub fn overwrite(&self, op: &str, edge: Edge) -> Result<()> {
        let meta = self.meta();
        if *edge.shape() != meta.shape {
            return Err(Error::shape(op, format!("a value of shape {}", meta.shape), edge.shape().to_string()));
        }
        if edge.dtype() != meta.dtype {
            let rule = format!("a value of dtype {}, which the tensor keeps; cast with astype first", meta.dtype);
            return Err(Error::dtype(op, rule, edge.dtype().to_string()));
        }
        match &self.0 {
            Slot::Cell(variable) => {
                if mode::with_recorder(|r| r.write_variable(variable, &edge)).is_none() {
                    variable.set(compact(&value_of(op, &edge)?)?);
                }
            }
            Slot::Plain(handle) => {
                let sink = self.peek().node.sink.clone();
                match mode::with_recorder(|r| r.write_handle(handle, edge.clone())) {
                    Some(done) => done?,
                    None if sink.is_some() => handle.set(leaf_with_sink(value_of(op, &edge)?, sink)),
                    None => handle.set(edge),
                }
            }
        }
        Ok(())
    }
}

/// A value on a device from the row-major bytes of its elements.
pub fn upload(bytes: &[u8], meta: &Meta, device: Device) -> Result<Value> {
    backend::of(device).upload(bytes, meta)
}

/// Row-major bytes of a value's elements on the host.
pub fn download(value: &Value) -> Result<HostVec> {
    backend::of(value.device()).download(value)
}

/// The value on a device.
pub(super) fn moved(value: &Value, device: Device) -> Result<Value> {
    if value.device() == device { Ok(value.clone()) } else { upload(&download(value)?, &value.meta(), device) }
}

/// Whether a bool of shape () is true.
pub fn holds(flag: &Value) -> Result<bool> {
    Ok(download(flag)?.first().is_some_and(|&byte| byte != 0))
}

/// The value as a row-major value over a buffer of its own size.
pub fn compact(value: &Value) -> Result<Value> {
    let meta = value.meta();
    if value.layout == Layout::contiguous(meta.shape.clone()) && value.buffer.len() == meta.bytes() {
        return Ok(value.clone());
    }
    backend::of(value.device()).compact(value)
}

/// A leaf with a place for its gradient.
pub fn leaf_with_sink(value: Value, sink: Option<Arc<Sink>>) -> Edge {
    let (meta, device) = (value.meta(), value.device());
    let node = Node::leaf(Leaf::Value(value.clone()), meta, device, sink, 0);
    Edge { node, port: 0, value: Some(value) }
}

fn variable_edge(variable: &Arc<Variable>) -> Edge {
    let value = variable.get();
    let sink = variable.trainable().then(|| Arc::clone(variable.sink()));
    let node = Node::leaf(Leaf::Variable(Arc::clone(variable)), value.meta(), value.device(), sink, 0);
    Edge { node, port: 0, value: Some(value) }
}
