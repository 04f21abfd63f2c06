//! Many steps: stacked runs, buffers, random draws, long chains.

use super::net::{Net, apart, batch, call, cell, random, record, run, scalar, with};
use std::sync::{Mutex, PoisonError};
use trainsmith_core::device::Device;
use trainsmith_core::dtype::DType;
use trainsmith_core::ir::RandomOp;
use trainsmith_core::tensor::args::Attr;
use trainsmith_core::tensor::backward::backward;
use trainsmith_core::tensor::{Generator, Tensor, mode};

#[test]
fn stacked_steps_are_single_steps() {
    let (net, twin) = (Net::mlp(1, DType::F64, "AdamW"), Net::mlp(1, DType::F64, "AdamW"));
    let first = batch(1, DType::F64);
    let step =
        |net: &Net| record(&first, || Ok(vec![net.train(&first[0], &first[1])?, net.forward(&first[0])?])).unwrap();
    let (captured, single) = (step(&net), step(&twin));
    let data = [random(30, &[6, 4, 3], DType::F64), random(31, &[6, 4, 2], DType::F64)];
    let (count, stacked) = captured.run_steps(&data, 0..6, None).unwrap();
    assert_eq!(count, 6);
    let [losses, outputs] = [0, 1].map(|i: usize| Tensor::from_edge(stacked[i].clone()));
    let mut want = [vec![], vec![]];
    for turn in 0..6 {
        let slice = |t: &Tensor| {
            let index = Tensor::from_i64(&[turn], []).unwrap();
            call("take", &[t, &index], &[("axis", Attr::Int(0))]).unwrap()
        };
        let results = run(&single, &[slice(&data[0]), slice(&data[1])]).unwrap();
        want.iter_mut().zip(results).for_each(|(all, one)| all.extend(one.to_f64().unwrap()));
    }
    assert_eq!((losses.meta().shape.to_vec(), outputs.meta().shape.to_vec()), (vec![6], vec![6, 4, 2]));
    assert_eq!([losses.to_f64().unwrap(), outputs.to_f64().unwrap()], want);
    assert_eq!(apart(&net.state(), &twin.state(), 0.0), None);
    assert_eq!(captured.runs(), 6);
}

/// A stacked run that fails half way keeps the steps that went well, and those alone.
#[test]
fn a_stacked_run_stops_at_the_step_that_fails() {
    let (net, twin) = (Net::mlp(2, DType::F64, "AdamW"), Net::mlp(2, DType::F64, "AdamW"));
    let [x, _] = batch(2, DType::F64);
    let labels = Tensor::from_i64(&[0, 1, 1, 0], [4]).unwrap();
    let given = [x, labels];
    let captured = record(&given, || Ok(vec![net.classify(&given[0], &given[1])?])).unwrap();
    let many = random(40, &[3, 4, 3], DType::F64);
    let classes = Tensor::from_i64(&[0, 1, 0, 1, 1, 1, 0, 0, 0, 5, 0, 0], [3, 4]).unwrap();
    captured.run_steps(&[many.clone(), classes.clone()], 0..3, None).unwrap_err();
    for turn in 0..2 {
        let slice = |t: &Tensor| call("take", &[t, &Tensor::from_i64(&[turn], []).unwrap()], &[("axis", Attr::Int(0))]);
        twin.classify(&slice(&many).unwrap(), &slice(&classes).unwrap()).unwrap();
    }
    assert_eq!(apart(&net.weights(), &twin.weights(), 1e-12), None);
}

/// Once buffers have found their places, a step whose results are dropped allocates none.
#[test]
fn steady_steps_allocate_no_buffers() {
    for (optimizer, dtype) in [("AdamW", DType::F32), ("SGD", DType::F64)] {
        let net = Net::mlp(3, dtype, optimizer);
        let data = batch(3, dtype);
        let captured = record(&data, || Ok(vec![net.train(&data[0], &data[1])?])).unwrap();
        for _ in 0..3 {
            drop(captured.run(&super::net::handles(&data)).unwrap());
        }
        let warm = captured.fresh_buffers();
        for _ in 0..20 {
            drop(captured.run(&super::net::handles(&data)).unwrap());
        }
        assert_eq!(captured.fresh_buffers(), warm, "{optimizer}");
    }
}

/// What a result holds is not written over by later steps.
#[test]
fn results_outlive_later_steps() {
    let net = Net::mlp(4, DType::F64, "SGD");
    let data = batch(4, DType::F64);
    let captured = record(&data, || {
        let loss = net.train(&data[0], &data[1])?;
        Ok(vec![loss, net.params[0].clone(), net.params[3].detach()?])
    })
    .unwrap();
    let mut held: Vec<(Vec<Tensor>, Vec<Vec<f64>>)> = vec![];
    for _ in 0..5 {
        let results = run(&captured, &data).unwrap();
        let numbers = results.iter().map(|t| t.to_f64().unwrap()).collect();
        held.push((results, numbers));
    }
    for (results, numbers) in held {
        assert_eq!(results.iter().map(|t| t.to_f64().unwrap()).collect::<Vec<_>>(), numbers);
    }
}

/// Tests that draw from the stream everyone shares.
static SHARED: Mutex<()> = Mutex::new(());

#[test]
fn dropout_is_the_same_eager_and_captured() {
    let _alone = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let generator = Generator::global();
    let x = random(1, &[50, 7], DType::F64);
    let step = || {
        let y = call("dropout", &[&call("dropout", &[&x], &[])?], &[("p", Attr::Float(0.2))])?;
        Ok(vec![y, call("rand", &[], &[("shape", Attr::Int(5))])?])
    };
    generator.reseed(77).unwrap();
    let captured = record(std::slice::from_ref(&x), step).unwrap();
    assert_eq!(generator.state().unwrap(), [77, 0], "a recording draws nothing");
    let mut eager = vec![];
    for _ in 0..3 {
        let drawn: Vec<Vec<f64>> = step().unwrap().iter().map(|t| t.to_f64().unwrap()).collect();
        eager.push((drawn, generator.state().unwrap()));
    }
    generator.reseed(77).unwrap();
    for (drawn, state) in &eager {
        let got: Vec<Vec<f64>> =
            run(&captured, std::slice::from_ref(&x)).unwrap().iter().map(|t| t.to_f64().unwrap()).collect();
        assert_eq!((&got, generator.state().unwrap()), (drawn, *state));
    }
    assert_ne!(eager[0].0, eager[1].0, "no draw repeats");
    generator.set_state(eager[0].1).unwrap();
    let again: Vec<Vec<f64>> = step().unwrap().iter().map(|t| t.to_f64().unwrap()).collect();
    assert_eq!(again, eager[1].0, "a state is all that a draw depends on");
}

/// Equal draws are different draws: nothing merges them.
#[test]
fn draws_of_one_step_differ() {
    let generator = Generator::new(3);
    let draw = || {
        let shape = [9].into();
        let draw = || generator.draw(RandomOp::Uniform, &shape, DType::F64, Device::Cpu).map(Tensor::from_edge);
        Ok(vec![draw()?, draw()?])
    };
    let captured = record(&[], draw).unwrap();
    let got = run(&captured, &[]).unwrap();
    assert_ne!(got[0].to_f64().unwrap(), got[1].to_f64().unwrap());
    assert_eq!(generator.state().unwrap(), [3, 6]);
}

/// A million ops in a row are freed without a stack that deep, with and without values, walked or not.
#[test]
fn long_chains_are_freed() {
    let one = Tensor::from_f64(&[1.0], [1]).unwrap();
    one.set_requires_grad(true).unwrap();
    let chain = |length: usize| {
        let mut x = call("negative", &[&one], &[]).unwrap();
        for _ in 0..length {
            x = call("negative", &[&x], &[]).unwrap();
        }
        x
    };
    drop(chain(1_000_000));
    let x = chain(100_000);
    backward(&x, None, false, false).unwrap();
    assert_eq!(scalar(&one.grad().unwrap()), -1.0);
    let recorded = record(std::slice::from_ref(&one), || {
        let x = mode::with_grad(true, || chain(100_000));
        Ok(vec![with("add", &x, 0.0)?])
    })
    .unwrap();
    assert_eq!(scalar(&run(&recorded, std::slice::from_ref(&one)).unwrap()[0]), -1.0);
    drop(cell("last", &one, true));
}
