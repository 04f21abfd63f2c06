//! Steps in several threads: each sees the network before or after another step, never between.

use super::net::{Net, apart, batch, handles, record};
use std::sync::atomic::{AtomicUsize, Ordering};
use trainsmith_core::dtype::DType;
use trainsmith_core::tensor::Tensor;
use trainsmith_core::tensor::capture::Captured;

const STEPS: usize = 200;

/// Run steps in two threads until each has had its share.
fn race(steps: [&Captured; 2], data: [&[Tensor]; 2]) {
    std::thread::scope(|scope| {
        for (captured, data) in steps.into_iter().zip(data) {
            scope.spawn(move || {
                for _ in 0..STEPS {
                    drop(captured.run(&handles(data)));
                }
            });
        }
    });
}

fn sequential(optimizer: &str, steps: usize) -> Net {
    let net = Net::mlp(1, DType::F64, optimizer);
    let data = batch(1, DType::F64);
    let captured = record(&data, || Ok(vec![net.train(&data[0], &data[1])?])).unwrap();
    for _ in 0..steps {
        captured.run(&handles(&data)).unwrap();
    }
    net
}

/// Adam's numbers depend on the count of steps, so counts and steps must come in one order.
#[test]
fn one_step_in_two_threads() {
    for optimizer in ["SGD", "AdamW"] {
        let net = Net::mlp(1, DType::F64, optimizer);
        let data = batch(1, DType::F64);
        let captured = record(&data, || Ok(vec![net.train(&data[0], &data[1])?])).unwrap();
        race([&captured, &captured], [&data, &data]);
        assert_eq!(apart(&net.state(), &sequential(optimizer, 2 * STEPS).state(), 0.0), None, "{optimizer}");
    }
}

/// As for two batch sizes: two recordings of one function on one network.
#[test]
fn two_steps_on_one_network() {
    let net = Net::mlp(1, DType::F64, "AdamW");
    let data = batch(1, DType::F64);
    let step = || record(&data, || Ok(vec![net.train(&data[0], &data[1])?])).unwrap();
    let (one, other) = (step(), step());
    race([&one, &other], [&data, &data]);
    assert_eq!(apart(&net.state(), &sequential("AdamW", 2 * STEPS).state(), 0.0), None);
}

/// Steps that fail in one thread take nothing from those that succeed in the other.
#[test]
fn failures_beside_steps() {
    let run = |threads: bool| {
        let net = Net::mlp(1, DType::F64, "AdamW");
        let [x, _] = batch(1, DType::F64);
        let good = [x.clone(), Tensor::from_i64(&[0, 1, 1, 0], [4]).unwrap()];
        let bad = [x, Tensor::from_i64(&[0, 1, 1, 7], [4]).unwrap()];
        let captured = record(&good, || Ok(vec![net.classify(&good[0], &good[1])?])).unwrap();
        if threads {
            race([&captured, &captured], [&good, &bad]);
        } else {
            (0..STEPS).for_each(|_| drop(captured.run(&handles(&good)).unwrap()));
        }
        net.state()
    };
    assert_eq!(apart(&run(true), &run(false), 0.0), None);
}

/// Two networks, each step reading one and writing the other: locks are taken in one order, so nobody waits for ever.
#[test]
fn steps_that_cross_do_not_lock_up() {
    let nets = [Net::mlp(1, DType::F64, "SGD"), Net::mlp(2, DType::F64, "SGD")];
    let data = batch(1, DType::F64);
    let step = |student: &Net, teacher: &Net| {
        record(&data, || Ok(vec![student.train(&data[0], &teacher.forward(&data[0])?.detach()?)?])).unwrap()
    };
    let (one, other) = (step(&nets[0], &nets[1]), step(&nets[1], &nets[0]));
    race([&one, &other], [&data, &data]);
    assert_eq!((one.runs(), other.runs()), (STEPS as u64, STEPS as u64));
}

/// A reader between steps never sees half of one: all parameters have the same number of steps behind them.
#[test]
fn readers_see_before_or_after() {
    use trainsmith_core::train::optim::read_together;
    let net = Net::new(1, &[&[3], &[3], &[3]], DType::F64, "SGD", &[("lr", 1.0)]);
    let step = record(&[], || {
        net.zero_grad();
        let mut loss = Tensor::from_f64(&[0.0], [])?;
        for param in &net.params {
            loss = super::net::call("add", &[&loss, &super::net::call("sum", &[param], &[])?], &[])?;
        }
        trainsmith_core::tensor::backward::backward(&loss, None, false, false)?;
        net.optimizer.step()?;
        Ok(vec![])
    })
    .unwrap();
    let start: Vec<f64> = net.params.iter().map(|p| p.to_f64().unwrap()[0]).collect();
    let cells: Vec<_> = net.params.iter().rev().map(|p| p.variable().unwrap().clone()).collect();
    let running = AtomicUsize::new(1);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            (0..STEPS).for_each(|_| drop(step.run(&[]).unwrap()));
            running.store(0, Ordering::Release);
        });
        while running.load(Ordering::Acquire) == 1 {
            let values = read_together(&cells).into_iter().map(|v| Tensor::from_value(v).to_f64().unwrap()[0]);
            let turns: Vec<f64> = values.zip(start.iter().rev()).map(|(now, start)| (start - now).round()).collect();
            assert!(turns.iter().all(|&t| t == turns[0]), "{turns:?}");
        }
    });
}
