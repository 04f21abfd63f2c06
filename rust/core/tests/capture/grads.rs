//! Where gradients are after a captured step: where the eager step would have left them, but for those that are spent.

use super::net::{Net, apart, batch, call, random, record, record_at, run};
use std::sync::Arc;
use trainsmith_core::Result;
use trainsmith_core::dtype::DType;
use trainsmith_core::error::Error;
use trainsmith_core::tensor::Tensor;
use trainsmith_core::tensor::backward::backward;

fn accumulate(net: &Net, x: &Tensor, y: &Tensor) -> Result<Tensor> {
    let loss = call("mse_loss", &[&net.forward(x)?, y], &[])?;
    backward(&loss, None, false, false)?;
    Ok(loss)
}

#[test]
fn gradients_add_up_over_calls() {
    let (net, twin) = (Net::mlp(1, DType::F64, "SGD"), Net::mlp(1, DType::F64, "SGD"));
    let first = batch(1, DType::F64);
    let step = |net: &Net| record(&first, || Ok(vec![accumulate(net, &first[0], &first[1])?])).unwrap();
    let (fresh, mut recordings) = (step(&net), 1);
    let mut captured = fresh;
    for turn in 0..5 {
        let data = batch(turn, DType::F64);
        if captured.misfit().is_some() {
            (captured, recordings) = (step(&net), recordings + 1);
        }
        run(&captured, &data).unwrap();
        accumulate(&twin, &data[0], &data[1]).unwrap();
        assert_eq!(apart(&net.state(), &twin.state(), 1e-12), None, "after {} calls", turn + 1);
    }
    assert_eq!(recordings, 2, "one without gradients at entry, one with");
    net.zero_grad();
    assert!(captured.misfit().is_some(), "gradients that were there are gone");
}

/// Whoever holds the gradient sees what is added to it, in eager and in captured calls.
#[test]
fn a_gradient_in_hand_grows() {
    let net = Net::mlp(2, DType::F64, "SGD");
    let data = batch(2, DType::F64);
    accumulate(&net, &data[0], &data[1]).unwrap();
    let held = net.params[0].grad().unwrap();
    let once = held.to_f64().unwrap();
    let captured = record(&data, || Ok(vec![accumulate(&net, &data[0], &data[1])?])).unwrap();
    run(&captured, &data).unwrap();
    for (twice, once) in held.to_f64().unwrap().iter().zip(once) {
        assert!((twice - 2.0 * once).abs() < 1e-12);
    }
    assert!(Arc::ptr_eq(held.handle().unwrap(), net.params[0].grad().unwrap().handle().unwrap()));
}

#[test]
fn spent_gradients_go_unless_kept() {
    for (keep, before) in [(false, false), (false, true), (true, false), (true, true)] {
        let (net, twin) = (Net::mlp(3, DType::F64, "AdamW"), Net::mlp(3, DType::F64, "AdamW"));
        let data = batch(3, DType::F64);
        if before {
            accumulate(&net, &data[0], &data[1]).unwrap();
        }
        let captured = record_at(&data, keep, None, || Ok(vec![net.train(&data[0], &data[1])?])).unwrap();
        for _ in 0..3 {
            assert_eq!(captured.misfit(), None, "a step that zeroes first does not ask for gradients");
            run(&captured, &data).unwrap();
            twin.train(&data[0], &data[1]).unwrap();
            assert_eq!(net.params.iter().filter(|p| p.grad().is_some()).count(), if keep { 4 } else { 0 });
            let same = if keep { apart(&net.state(), &twin.state(), 1e-12) } else { None };
            assert_eq!(same.or_else(|| apart(&net.weights(), &twin.weights(), 1e-12)), None);
        }
    }
}

/// Only what an optimizer has used is spent: zeroed gradients without one, or of parameters it does not have, stay.
#[test]
fn gradients_that_nobody_used_stay() {
    let net = Net::mlp(4, DType::F64, "SGD");
    let other = super::net::cell("other", &random(9, &[2], DType::F64), true);
    let data = batch(4, DType::F64);
    let captured = record(&data, || {
        net.zero_grad();
        other.set_grad(None)?;
        let output = call("multiply", &[&net.forward(&data[0])?, &other], &[])?;
        let loss = call("mse_loss", &[&output, &data[1]], &[])?;
        backward(&loss, None, false, false)?;
        net.optimizer.step()?;
        Ok(vec![loss])
    })
    .unwrap();
    for _ in 0..2 {
        run(&captured, &data).unwrap();
        assert!(net.params.iter().all(|p| p.grad().is_none()));
        assert_eq!(other.grad().unwrap().meta(), other.meta());
    }

    let alone = record(&data, || {
        net.zero_grad();
        Ok(vec![accumulate(&net, &data[0], &data[1])?])
    })
    .unwrap();
    run(&alone, &data).unwrap();
    assert!(net.params.iter().all(|p| p.grad().is_some()));
}

/// Zeroed at the end, as many loops do: gradients are None after every call, and none of an earlier call leaks in.
#[test]
fn gradients_zeroed_at_the_end_are_none() {
    let (net, twin) = (Net::mlp(5, DType::F64, "SGD"), Net::mlp(5, DType::F64, "SGD"));
    let data = batch(5, DType::F64);
    let step = |net: &Net| {
        let loss = accumulate(net, &data[0], &data[1])?;
        net.optimizer.step()?;
        net.zero_grad();
        Ok(vec![loss])
    };
    let captured = record(&data, || step(&net)).unwrap();
    for _ in 0..3 {
        assert_eq!(captured.misfit(), None);
        run(&captured, &data).unwrap();
        step(&twin).unwrap();
        assert_eq!(apart(&net.state(), &twin.state(), 1e-12), None);
    }
}

/// An argument that asks for a gradient gets that of its own call, and one that is another tensor each time too.
#[test]
fn gradients_of_an_argument_belong_to_that_argument() {
    let net = Net::mlp(6, DType::F64, "SGD");
    let leaf = |seed| {
        let [x, y] = batch(seed, DType::F64);
        x.set_requires_grad(true).unwrap();
        [x, y]
    };
    let first = leaf(6);
    let captured = record(&first, || {
        net.zero_grad();
        Ok(vec![accumulate(&net, &first[0], &first[1])?])
    })
    .unwrap();
    let mut earlier: Vec<([Tensor; 2], Vec<f64>)> = vec![];
    for seed in [6, 7, 8] {
        let data = if seed == 6 { first.clone() } else { leaf(seed) };
        let twin = leaf(seed);
        run(&captured, &data).unwrap();
        accumulate(&net, &twin[0], &twin[1]).unwrap();
        let (got, want) = (data[0].grad(), twin[0].grad().unwrap());
        let got = got.unwrap_or_else(|| panic!("argument {seed} has no gradient")).to_f64().unwrap();
        assert_eq!(got, want.to_f64().unwrap(), "argument {seed}");
        earlier.push((data, got));
    }
    for (data, grad) in earlier {
        assert_eq!(data[0].grad().unwrap().to_f64().unwrap(), grad, "a later call leaves it alone");
    }
}

/// A gradient that an argument brings along is added to, as in eager mode.
#[test]
fn an_argument_may_bring_a_gradient() {
    let net = Net::mlp(7, DType::F64, "SGD");
    let leaf = |seed| {
        let [x, y] = batch(seed, DType::F64);
        x.set_requires_grad(true).unwrap();
        accumulate(&net, &x, &y).unwrap();
        [x, y]
    };
    let first = leaf(7);
    let captured = record(&first, || {
        net.zero_grad();
        Ok(vec![accumulate(&net, &first[0], &first[1])?])
    })
    .unwrap();
    for seed in [7, 8] {
        let (data, twin) = (leaf(seed), leaf(seed));
        run(&captured, &data).unwrap();
        accumulate(&net, &twin[0], &twin[1]).unwrap();
        assert_eq!(data[0].grad().unwrap().to_f64().unwrap(), twin[0].grad().unwrap().to_f64().unwrap());
    }
}

/// A step that does not fit its gradients says so and loses none, also where nobody looked first.
#[test]
fn gradients_that_came_or_went_are_not_overwritten() {
    let net = Net::mlp(8, DType::F64, "SGD");
    let data = batch(8, DType::F64);
    let captured = record(&data, || Ok(vec![accumulate(&net, &data[0], &data[1])?])).unwrap();
    run(&captured, &data).unwrap();
    let before = net.state();
    assert!(matches!(run(&captured, &data).unwrap_err(), Error::Graph { .. }));
    assert_eq!(net.state(), before);
    net.zero_grad();
    run(&captured, &data).unwrap();
    assert_eq!(net.state(), before);
}

/// A leaf outside that was frozen and asked again collects in its new place.
#[test]
fn a_leaf_outside_may_change_its_place() {
    let (x, outside) = (random(1, &[3], DType::F64), random(2, &[3], DType::F64));
    outside.set_requires_grad(true).unwrap();
    let captured = record(std::slice::from_ref(&x), || {
        let loss = call("sum", &[&call("multiply", &[&x, &outside], &[])?], &[])?;
        backward(&loss, None, false, false)?;
        Ok(vec![loss])
    })
    .unwrap();
    outside.set_requires_grad(false).unwrap();
    assert!(captured.misfit().is_some());
    assert!(matches!(run(&captured, std::slice::from_ref(&x)).unwrap_err(), Error::Graph { .. }));
    outside.set_requires_grad(true).unwrap();
    assert_eq!(captured.misfit(), None);
    run(&captured, std::slice::from_ref(&x)).unwrap();
    assert_eq!(outside.grad().unwrap().to_f64().unwrap(), x.to_f64().unwrap());
}
