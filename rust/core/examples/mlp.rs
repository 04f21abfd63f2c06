//! Train a small network without Python: `cargo run --release --example mlp -p trainsmith-core`.
//!
//! One step is recorded, then run as a plan: forward, backward and AdamW in one call.

use std::sync::Arc;
use trainsmith_core::Result;
use trainsmith_core::dtype::{DType, Scalar};
use trainsmith_core::ir::Variable;
use trainsmith_core::ir::node::Handle;
use trainsmith_core::tensor::args::{Arg, Attr};
use trainsmith_core::tensor::backward::backward;
use trainsmith_core::tensor::capture::Captured;
use trainsmith_core::tensor::recorder::Recorder;
use trainsmith_core::tensor::{Generator, Tensor, functions, mode};
use trainsmith_core::train::optim::{Group, Optimizer, kind};

/// Call a function of the library by name.
fn call(name: &str, inputs: &[&Tensor], attrs: &[(&str, Attr)]) -> Result<Tensor> {
    let args = inputs.iter().map(|t| t.edge().map(Arg::Edge)).collect::<Result<Vec<_>>>()?;
    let attrs: Vec<(String, Attr)> = attrs.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
    Ok(Tensor::from_edge(functions::call(name, &args, &attrs)?.remove(0)))
}

/// Normal noise times a factor.
fn noise(shape: [i64; 2], scale: f64) -> Result<Tensor> {
    let drawn = call("randn", &[], &[("shape", Attr::Ints(shape.to_vec())), ("dtype", Attr::DType(DType::F32))])?;
    let args = [Arg::Edge(drawn.edge()?), Arg::Scalar(Scalar::Float(scale))];
    Ok(Tensor::from_edge(functions::call("multiply", &args, &[])?.remove(0)))
}

fn parameter(name: &str, value: &Tensor) -> Result<Tensor> {
    Ok(Tensor::from_variable(Variable::new(name, value.value(name)?, true)))
}

fn main() -> Result<()> {
    Generator::global().reseed(0)?;
    let x = noise([256, 8], 1.0)?;
    let y = call("sin", &[&call("sum", &[&x], &[("axis", Attr::Int(1)), ("keepdims", Attr::Bool(true))])?], &[])?;
    let hidden =
        (parameter("hidden.weight", &noise([64, 8], 0.35)?)?, parameter("hidden.bias", &noise([1, 64], 0.1)?)?);
    let output = parameter("output.weight", &noise([1, 64], 0.12)?)?;
    let parameters = [&hidden.0, &hidden.1, &output];

    let adamw = kind("AdamW")?;
    let optimizer = Optimizer::new(adamw);
    let cells: Vec<Arc<Variable>> = parameters.iter().filter_map(|p| p.variable().cloned()).collect();
    let mut options = (adamw.defaults)();
    options.numbers.insert("lr".into(), 1e-2);
    optimizer.add_group(Group::new(adamw, cells, options)?)?;

    let step = |x: &Tensor, y: &Tensor| -> Result<Tensor> {
        for parameter in parameters {
            parameter.set_grad(None)?;
        }
        let inner = call("add", &[&call("linear", &[x, &hidden.0], &[])?, &hidden.1], &[])?;
        let guess = call("linear", &[&call("tanh", &[&inner], &[])?, &output], &[])?;
        let loss = call("mse_loss", &[&guess, y], &[])?;
        backward(&loss, None, false, false)?;
        optimizer.step()?;
        Ok(loss)
    };

    let eager = step(&x, &y)?.to_f64()?[0];
    let (xh, yh) = (Handle::new(x.edge()?), Handle::new(y.edge()?));
    let mut recorder = Recorder::new(None);
    recorder.argument(0, &xh)?;
    recorder.argument(1, &yh)?;
    mode::start(recorder);
    let loss = step(&Tensor::from_handle(Arc::clone(&xh)), &Tensor::from_handle(Arc::clone(&yh)));
    let recorder = mode::stop()?;
    let captured = Captured::new(recorder, &[loss?.edge()?], false)?;
    println!("first step, eager: loss {eager:.4}");
    println!(
        "captured: {} instructions, {} bytes of arena",
        captured.program().instructions.len(),
        captured.arena_bytes()
    );
    for turn in 1..=200 {
        let loss = captured.run(&[Arc::clone(&xh), Arc::clone(&yh)])?;
        if turn % 40 == 0 {
            println!("step {turn}: loss {:.4}", Tensor::from_edge(loss[0].clone()).to_f64()?[0]);
        }
    }
    Ok(())
}
