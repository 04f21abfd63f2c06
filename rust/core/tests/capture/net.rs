//! Networks that can be trained twice over, once eagerly and once captured, and compared to the bit.

use std::sync::Arc;
use trainsmith_core::Result;
use trainsmith_core::device::Device;
use trainsmith_core::dtype::{DType, Scalar};
use trainsmith_core::ir::Variable;
use trainsmith_core::ir::node::{Edge, Handle};
use trainsmith_core::rng;
use trainsmith_core::tensor::args::{Arg, Attr};
use trainsmith_core::tensor::backward::backward;
use trainsmith_core::tensor::capture::Captured;
use trainsmith_core::tensor::recorder::{Origin, Recorder};
use trainsmith_core::tensor::{Tensor, functions, mode, upload};
use trainsmith_core::train::optim::{Group, Optimizer, kind};
use trainsmith_core::train::transform::Options;

/// Call a function by name.
pub(crate) fn call(name: &str, inputs: &[&Tensor], attrs: &[(&str, Attr)]) -> Result<Tensor> {
    let args = inputs.iter().map(|t| t.edge().map(Arg::Edge)).collect::<Result<Vec<_>>>()?;
    let attrs: Vec<(String, Attr)> = attrs.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
    Ok(Tensor::from_edge(functions::call(name, &args, &attrs)?.remove(0)))
}

/// A tensor and a Python number.
pub(crate) fn with(name: &str, x: &Tensor, number: f64) -> Result<Tensor> {
    let args = [Arg::Edge(x.edge()?), Arg::Scalar(Scalar::Float(number))];
    Ok(Tensor::from_edge(functions::call(name, &args, &[])?.remove(0)))
}

/// Numbers in [-1, 1).
pub(crate) fn random(seed: u64, shape: &[usize], dtype: DType) -> Tensor {
    let count = shape.iter().product();
    let numbers: Vec<f64> =
        (0..count).map(|i| 2.0 * rng::unit_f64(rng::word(seed, 0, i, 0), rng::word(seed, 0, i, 1)) - 1.0).collect();
    let wide = Tensor::from_f64(&numbers, shape).unwrap();
    call("astype", &[&wide], &[("dtype", Attr::DType(dtype))]).unwrap()
}

/// A cell that holds a copy of the tensor.
pub(crate) fn cell(name: &str, tensor: &Tensor, trainable: bool) -> Tensor {
    let (bytes, meta) = (tensor.to_host("test").unwrap(), tensor.meta());
    let value = upload(&bytes, &meta, Device::Cpu).unwrap();
    Tensor::from_variable(Variable::new(name, value, trainable))
}

pub(crate) fn scalar(tensor: &Tensor) -> f64 {
    tensor.to_f64().unwrap()[0]
}

pub(crate) fn handles(arguments: &[Tensor]) -> Vec<Arc<Handle>> {
    arguments.iter().map(|t| Arc::clone(t.handle().unwrap())).collect()
}

/// Record `f` as a step that takes these arguments.
pub(crate) fn record(arguments: &[Tensor], f: impl FnOnce() -> Result<Vec<Tensor>>) -> Result<Captured> {
    record_at(arguments, false, None, f)
}

/// As [`record`], with gradients kept, or with the user's lines.
pub(crate) fn record_at(
    arguments: &[Tensor],
    keep_grads: bool,
    origin: Option<Origin>,
    f: impl FnOnce() -> Result<Vec<Tensor>>,
) -> Result<Captured> {
    let mut recorder = Recorder::new(origin);
    for (place, handle) in handles(arguments).iter().enumerate() {
        recorder.argument(place, handle)?;
    }
    mode::start(recorder);
    let results = f().and_then(|results| results.iter().map(Tensor::edge).collect::<Result<Vec<Edge>>>());
    let recorder = mode::stop()?;
    Captured::new(recorder, &results?, keep_grads)
}

/// Run a captured step and take its results.
pub(crate) fn run(captured: &Captured, arguments: &[Tensor]) -> Result<Vec<Tensor>> {
    Ok(captured.run(&handles(arguments))?.into_iter().map(Tensor::from_edge).collect())
}

/// Parameters and their optimizer.
pub(crate) struct Net {
    pub(crate) params: Vec<Tensor>,
    pub(crate) optimizer: Optimizer,
}

impl Net {
    /// Equal words give equal networks, each with cells of its own.
    pub(crate) fn new(seed: u64, shapes: &[&[usize]], dtype: DType, optimizer: &str, numbers: &[(&str, f64)]) -> Self {
        let param =
            |(i, shape): (usize, &&[usize])| cell(&format!("p{i}"), &random(seed + i as u64, shape, dtype), true);
        let params: Vec<Tensor> = shapes.iter().enumerate().map(param).collect();
        let kind = kind(optimizer).unwrap();
        let given = Options::new(numbers, &[]);
        let mut options = (kind.defaults)();
        options.numbers.extend(given.numbers);
        let made = Optimizer::new(kind);
        let cells = params.iter().map(|p| Arc::clone(p.variable().unwrap())).collect();
        made.add_group(Group::new(kind, cells, options).unwrap()).unwrap();
        Self { params, optimizer: made }
    }

    /// Two layers with a tanh between them.
    pub(crate) fn mlp(seed: u64, dtype: DType, optimizer: &str) -> Self {
        Self::new(seed, &[&[5, 3], &[5], &[2, 5], &[2]], dtype, optimizer, &[("lr", 0.05)])
    }

    /// What the two layers give.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let hidden = call("tanh", &[&call("linear", &[x, &self.params[0], &self.params[1]], &[])?], &[])?;
        call("linear", &[&hidden, &self.params[2], &self.params[3]], &[])
    }

    pub(crate) fn zero_grad(&self) {
        self.params.iter().for_each(|p| p.set_grad(None).unwrap());
    }

    /// Zero the gradients, descend on the squared error of the two layers.
    pub(crate) fn train(&self, x: &Tensor, y: &Tensor) -> Result<Tensor> {
        self.zero_grad();
        let loss = call("mse_loss", &[&self.forward(x)?, y], &[])?;
        backward(&loss, None, false, false)?;
        self.optimizer.step()?;
        Ok(loss)
    }

    /// Zero the gradients, descend on the cross entropy of the two layers.
    pub(crate) fn classify(&self, x: &Tensor, labels: &Tensor) -> Result<Tensor> {
        self.zero_grad();
        let loss = call("cross_entropy", &[&self.forward(x)?, labels], &[])?;
        backward(&loss, None, false, false)?;
        self.optimizer.step()?;
        Ok(loss)
    }

    /// Every number that a step may change: parameters, optimizer state, step counts, gradients.
    pub(crate) fn state(&self) -> Vec<(String, Vec<f64>)> {
        let mut state = vec![];
        for param in &self.params {
            let variable = param.variable().unwrap();
            let held = self.optimizer.state(variable);
            let name = variable.name();
            state.push((format!("{name} steps"), vec![held.step() as f64]));
            for (piece, cell) in held.cells() {
                state.push((format!("{name} {piece}"), Tensor::from_variable(cell).to_f64().unwrap()));
            }
            if let Some(grad) = param.grad() {
                state.push((format!("{name} gradient"), grad.to_f64().unwrap()));
            }
            state.push((name.to_string(), param.to_f64().unwrap()));
        }
        state
    }

    /// The state without gradients.
    pub(crate) fn weights(&self) -> Vec<(String, Vec<f64>)> {
        self.state().into_iter().filter(|(name, _)| !name.ends_with("gradient")).collect()
    }
}

/// The first number of two states that is further apart than `tolerance`.
pub(crate) fn apart(got: &[(String, Vec<f64>)], want: &[(String, Vec<f64>)], tolerance: f64) -> Option<String> {
    let names = |state: &[(String, Vec<f64>)]| state.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    if names(got) != names(want) {
        return Some(format!("{:?} instead of {:?}", names(got), names(want)));
    }
    got.iter().zip(want).find_map(|((name, a), (_, b))| {
        let far = |(a, b): &(&f64, &f64)| (*a - *b).abs() > tolerance * (1.0 + b.abs()) || a.is_nan() != b.is_nan();
        let (a, b) = a.iter().zip(b).find(far)?;
        Some(format!("{name}: {a} instead of {b}"))
    })
}

/// A batch of inputs and targets.
pub(crate) fn batch(seed: u64, dtype: DType) -> [Tensor; 2] {
    [random(100 + seed, &[4, 3], dtype), random(200 + seed, &[4, 2], dtype)]
}
