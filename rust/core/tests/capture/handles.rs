//! Tensors that a step reaches: read through their objects at each call, rebound where the step changes them.

use super::net::{Net, batch, call, cell, handles, random, record, run, scalar, with};
use trainsmith_core::dtype::DType;
use trainsmith_core::tensor::{Tensor, mode};

fn vector(numbers: &[f64]) -> Tensor {
    Tensor::from_f64(numbers, [numbers.len()]).unwrap()
}

fn change(x: &Tensor, factor: f64) {
    x.overwrite("test", with("multiply", x, factor).unwrap().edge().unwrap()).unwrap();
}

#[test]
fn an_argument_changed_in_place_is_rebound() {
    let x = vector(&[1.0, 2.0]);
    let captured = record(std::slice::from_ref(&x), || {
        let before = with("add", &x, 0.0)?;
        change(&x, 10.0);
        change(&x, 2.0);
        Ok(vec![before, x.clone()])
    })
    .unwrap();
    assert_eq!(x.to_f64().unwrap(), [1.0, 2.0], "a recording changes nothing");
    let (mine, alias) = (vector(&[3.0, 4.0]), vector(&[0.0, 0.0]));
    let held = Tensor::from_edge(mine.edge().unwrap());
    let results = run(&captured, std::slice::from_ref(&mine)).unwrap();
    assert_eq!(mine.to_f64().unwrap(), [60.0, 80.0]);
    assert_eq!(results[0].to_f64().unwrap(), [3.0, 4.0]);
    assert_eq!(results[1].to_f64().unwrap(), [60.0, 80.0]);
    assert_eq!(held.to_f64().unwrap(), [3.0, 4.0], "another object on the same value stays");
    assert_eq!((x.to_f64().unwrap(), alias.to_f64().unwrap()), (vec![1.0, 2.0], vec![0.0; 2]));
    run(&captured, std::slice::from_ref(&mine)).unwrap();
    assert_eq!(mine.to_f64().unwrap(), [1200.0, 1600.0]);
    assert_eq!(results[1].to_f64().unwrap(), [60.0, 80.0], "results of earlier calls stay");
}

/// A leaf that collects gradients is still one after the step has rebound it, with the place its gradient was in.
#[test]
fn a_rebound_leaf_stays_a_leaf() {
    let x = vector(&[1.0, 2.0]);
    x.set_requires_grad(true).unwrap();
    let captured = record(std::slice::from_ref(&x), || {
        mode::with_grad(false, || change(&x, 3.0));
        Ok(vec![])
    })
    .unwrap();
    run(&captured, std::slice::from_ref(&x)).unwrap();
    assert!(x.requires_grad() && x.is_leaf());
    let loss = call("sum", &[&call("square", &[&x], &[]).unwrap()], &[]).unwrap();
    trainsmith_core::tensor::backward::backward(&loss, None, false, false).unwrap();
    assert_eq!(x.grad().unwrap().to_f64().unwrap(), [6.0, 12.0]);
}

#[test]
fn tensors_outside_are_read_anew_and_written() {
    let (x, outside, counter) = (vector(&[1.0]), vector(&[10.0]), vector(&[0.0]));
    let constant = 5.0;
    let captured = record(std::slice::from_ref(&x), || {
        counter.overwrite("test", with("add", &counter, 1.0)?.edge()?)?;
        let held = Tensor::from_f64(&[constant], [1])?;
        let sum = call("add", &[&call("add", &[&x, &outside], &[])?, &held], &[])?;
        Ok(vec![call("add", &[&sum, &counter], &[])?])
    })
    .unwrap();
    let go = || scalar(&run(&captured, std::slice::from_ref(&x)).unwrap()[0]);
    assert_eq!((go(), scalar(&counter)), (17.0, 1.0));
    change(&outside, 2.0);
    assert_eq!((go(), scalar(&counter)), (28.0, 2.0));
    counter.overwrite("test", vector(&[-4.0]).edge().unwrap()).unwrap();
    assert_eq!((go(), scalar(&counter)), (23.0, -3.0));
}

/// One tensor passed twice is one tensor, whichever place the function reads it from.
#[test]
fn one_tensor_in_two_places() {
    let x = vector(&[1.0, 2.0]);
    let both = [x.clone(), x.clone()];
    let captured = record(&both, || {
        change(&both[0], 3.0);
        Ok(vec![call("add", &[&both[0], &both[1]], &[])?])
    })
    .unwrap();
    let got = run(&captured, &both).unwrap();
    assert_eq!((got[0].to_f64().unwrap(), x.to_f64().unwrap()), (vec![6.0, 12.0], vec![3.0, 6.0]));
}

#[test]
fn cells_are_read_anew_and_written_last() {
    let (x, total) = (vector(&[1.0, 2.0]), cell("total", &vector(&[0.0, 0.0]), false));
    let captured = record(std::slice::from_ref(&x), || {
        let old = with("multiply", &total, 1.0)?;
        total.overwrite("test", call("add", &[&total, &x], &[])?.edge()?)?;
        total.overwrite("test", call("add", &[&total, &x], &[])?.edge()?)?;
        Ok(vec![old, total.clone()])
    })
    .unwrap();
    let held = total.edge().unwrap();
    for turn in 0..3 {
        let got = run(&captured, std::slice::from_ref(&x)).unwrap();
        let times = f64::from(2 * turn);
        assert_eq!(got[0].to_f64().unwrap(), [times, 2.0 * times]);
        assert_eq!(got[1].to_f64().unwrap(), [times + 2.0, 2.0 * times + 4.0]);
        assert_eq!(total.to_f64().unwrap(), got[1].to_f64().unwrap());
    }
    assert_eq!(Tensor::from_edge(held).to_f64().unwrap(), [0.0; 2], "who read the cell before keeps what was read");
    total.overwrite("test", vector(&[100.0, 0.0]).edge().unwrap()).unwrap();
    assert_eq!(run(&captured, std::slice::from_ref(&x)).unwrap()[0].to_f64().unwrap(), [100.0, 0.0]);
}

/// Training and evaluation as two steps on one network: each sees what the other, or eager code, has done.
#[test]
fn two_steps_share_cells() {
    let net = Net::mlp(1, DType::F64, "AdamW");
    let data = batch(1, DType::F64);
    let train = record(&data, || Ok(vec![net.train(&data[0], &data[1])?])).unwrap();
    let loss = || mode::with_grad(false, || call("mse_loss", &[&net.forward(&data[0])?, &data[1]], &[]));
    let evaluate = record(&data, || Ok(vec![loss()?])).unwrap();
    for turn in 0..3 {
        let before = scalar(&run(&evaluate, &data).unwrap()[0]);
        assert_eq!(before, scalar(&loss().unwrap()));
        assert_eq!(scalar(&run(&train, &data).unwrap()[0]), before, "step {turn}");
        if turn == 1 {
            net.train(&data[0], &data[1]).unwrap();
            net.zero_grad();
        }
    }
    assert_eq!(net.optimizer.state(net.params[0].variable().unwrap()).step(), 4);
}

#[test]
fn a_step_says_why_it_does_not_fit() {
    let net = Net::mlp(2, DType::F64, "SGD");
    let data = batch(2, DType::F64);
    let mask = random(3, &[2], DType::F64);
    let captured = record(&data, || {
        let output = call("multiply", &[&net.forward(&data[0])?, &mask], &[])?;
        Ok(vec![call("mse_loss", &[&output, &data[1]], &[])?])
    })
    .unwrap();
    assert_eq!(captured.misfit(), None);
    net.params[1].set_requires_grad(false).unwrap();
    assert!(captured.misfit().unwrap().contains("requires_grad"));
    net.params[1].set_requires_grad(true).unwrap();
    assert_eq!(captured.misfit(), None);
    mask.handle().unwrap().set(random(3, &[1, 2], DType::F64).edge().unwrap());
    let why = captured.misfit().unwrap();
    assert!(why.contains("(2,)") && why.contains("(1, 2)"), "{why}");
    mask.handle().unwrap().set(random(3, &[2], DType::F32).edge().unwrap());
    assert!(captured.misfit().unwrap().contains("float32"));
    assert_eq!(handles(&data).len(), 2);
}
