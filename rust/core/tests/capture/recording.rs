//! What a recording refuses, and that it says where.

use super::net::{batch, call, cell, random, record, record_at, run, with};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use trainsmith_core::dtype::DType;
use trainsmith_core::error::Error;
use trainsmith_core::tensor::backward::backward;
use trainsmith_core::tensor::recorder::Origin;
use trainsmith_core::tensor::scan::{Loop, scan};
use trainsmith_core::tensor::{Tensor, mode};

fn graph_error(error: &Error) -> (&str, String) {
    match error {
        Error::Graph { op, .. } => (op, error.to_string()),
        other => panic!("{other:?}"),
    }
}

/// Lines 1, 2, 3, ... of a file of the user's.
fn lines() -> Origin {
    let line = AtomicUsize::new(0);
    Box::new(move || Some(format!("user.py:{}", line.fetch_add(1, Ordering::Relaxed) + 1).into()))
}

#[test]
fn values_cannot_be_read_while_recording() {
    let x = random(1, &[3], DType::F64);
    let outside = random(2, &[3], DType::F64);
    let cell = cell("weight", &random(3, &[3], DType::F64), true);
    record_at(std::slice::from_ref(&x), false, Some(lines()), || {
        let y = call("exp", &[&x], &[])?;
        let (op, text) = (y.to_f64().unwrap_err(), y.value("item").unwrap_err().to_string());
        assert_eq!(graph_error(&op).0, "to_f64");
        assert!(text.starts_with("item: ") && text.contains("exp recorded at user.py:1"), "{text}");
        for given in [&x, &outside, &cell] {
            graph_error(&given.value("item").unwrap_err());
        }
        let constant = Tensor::from_f64(&[2.0], [1])?;
        assert_eq!(constant.to_f64()?, [2.0], "a constant keeps its value");
        Ok(vec![y])
    })
    .unwrap();
}

#[test]
fn a_result_that_was_kept_has_no_value_later() {
    let x = random(1, &[3], DType::F64);
    let mut kept = None;
    let captured = record_at(std::slice::from_ref(&x), false, Some(lines()), || {
        let y = call("tanh", &[&x], &[])?;
        kept = Some(y.clone());
        Ok(vec![y])
    })
    .unwrap();
    let kept = kept.unwrap();
    let error = kept.to_f64().unwrap_err();
    let (_, text) = graph_error(&error);
    assert!(text.contains("return it") && text.contains("tanh recorded at user.py:1"), "{text}");
    graph_error(&call("exp", &[&kept], &[]).unwrap_err());
    run(&captured, std::slice::from_ref(&x)).unwrap();
    graph_error(&kept.to_f64().unwrap_err());
    let again = record(std::slice::from_ref(&x), || Ok(vec![call("add", &[&x, &kept], &[])?]));
    graph_error(&again.unwrap_err());
}

/// A tensor from outside that carries a tape would be cut from it silently.
#[test]
fn a_graph_from_outside_is_refused() {
    let x = random(1, &[3], DType::F64);
    x.set_requires_grad(true).unwrap();
    let y = call("exp", &[&x], &[]).unwrap();
    let error = record(std::slice::from_ref(&x), || Ok(vec![call("add", &[&x, &y], &[])?])).unwrap_err();
    assert!(graph_error(&error).1.contains("detach()"));
    let edge = y.edge().unwrap();
    let error =
        record(std::slice::from_ref(&x), || call("add", &[&x, &Tensor::from_edge(edge)], &[]).map(|sum| vec![sum]));
    graph_error(&error.unwrap_err());
}

#[test]
fn requires_grad_is_not_switched_inside() {
    let x = random(1, &[3], DType::F64);
    let error = record(std::slice::from_ref(&x), || x.set_requires_grad(true).map(|()| vec![])).unwrap_err();
    assert_eq!(graph_error(&error).0, "requires_grad_");
    assert!(!x.requires_grad());
}

/// Nothing freezes silently: an op without a derivative on a tensor that asks for one is an error when it is recorded.
#[test]
fn an_op_without_a_derivative_is_named() {
    let weight = cell("weight", &random(3, &[3], DType::F64), true);
    let error = record(&[], || Ok(vec![with("floor_divide", &weight, 2.0)?])).unwrap_err();
    assert_eq!(graph_error(&error).0, "floor_divide");
    record(&[], || Ok(vec![mode::with_grad(false, || with("floor_divide", &weight, 2.0))?])).unwrap();
}

/// In place on a leaf that asks for a gradient: refused as in eager mode.
#[test]
fn leaves_are_not_changed_under_a_tape() {
    let weight = cell("weight", &random(3, &[3], DType::F64), true);
    let error = record(&[], || {
        let doubled = with("multiply", &weight, 2.0)?.detach()?;
        weight.assign("add_", doubled.edge()?).map(|()| vec![])
    });
    assert_eq!(graph_error(&error.unwrap_err()).0, "add_");
}

/// An error of the data names the line that recorded the op.
#[test]
fn a_run_that_fails_names_the_line() {
    let given = [random(1, &[3], DType::F64), Tensor::from_i64(&[0, 2], [2]).unwrap()];
    let captured = record_at(&given, false, Some(Box::new(|| Some(Arc::from("user.py:7")))), || {
        Ok(vec![call("take", &given.each_ref().map(|t| t), &[])?])
    })
    .unwrap();
    let wrong = [given[0].clone(), Tensor::from_i64(&[0, 3], [2]).unwrap()];
    let error = run(&captured, &wrong).unwrap_err();
    assert!(matches!(error, Error::Index { .. }) && error.to_string().contains("user.py:7"), "{error}");
}

/// A loop in a step closes over arguments, tensors outside and cells; gradients reach all of them.
#[test]
fn a_loop_closes_over_tensors_and_cells() {
    let [x, _] = batch(1, DType::F64);
    let step = |weight: &Tensor, outside: &Tensor, x: &Tensor| {
        let mut body = |carries: &[Tensor], slices: &[Tensor]| {
            let inner = call("add", &[&call("matmul", &[&carries[0], weight], &[])?, &slices[0]], &[])?;
            let next = call("tanh", &[&call("multiply", &[&inner, outside], &[])?], &[])?;
            Ok((vec![next.clone()], vec![next]))
        };
        let start =
            with("multiply", &call("sum", &[x], &[("axis", trainsmith_core::tensor::args::Attr::Int(0))])?, 0.1)?;
        let walk = Loop { length: 4, reverse: false };
        let (last, all) = scan(&mut body, &[start], std::slice::from_ref(x), walk, None)?;
        let loss =
            call("add", &[&call("sum", &last.iter().collect::<Vec<_>>(), &[])?, &call("mean", &[&all[0]], &[])?], &[])?;
        backward(&loss, None, false, false)?;
        Ok(vec![loss])
    };
    let make = || {
        let outside = random(5, &[3], DType::F64);
        outside.set_requires_grad(true).unwrap();
        (cell("weight", &random(4, &[3, 3], DType::F64), true), outside)
    };
    let ((weight, outside), (twin, other)) = (make(), make());
    let captured = record(std::slice::from_ref(&x), || step(&weight, &outside, &x)).unwrap();
    let got = run(&captured, std::slice::from_ref(&x)).unwrap();
    let want = step(&twin, &other, &x).unwrap();
    assert_eq!(got[0].to_f64().unwrap(), want[0].to_f64().unwrap());
    // A captured gradient of what every turn reads is one product over all turns, so its last bits may differ.
    for (got, want) in [(&weight, &twin), (&outside, &other)] {
        let [got, want] = [got, want].map(|tensor| tensor.grad().unwrap().to_f64().unwrap());
        assert!(got.iter().zip(&want).all(|(a, b)| (a - b).abs() <= 1e-12), "{got:?} instead of {want:?}");
        assert_eq!(got.len(), want.len());
    }
}

#[test]
fn a_loop_has_no_side_effects() {
    let total = random(1, &[2], DType::F64);
    let xs = random(2, &[3, 2], DType::F64);
    let walk = Loop { length: 3, reverse: false };
    let mut body = |carries: &[Tensor], slices: &[Tensor]| {
        total.overwrite("test", call("add", &[&total, &slices[0]], &[])?.edge()?)?;
        Ok((carries.to_vec(), vec![]))
    };
    let before = total.to_f64().unwrap();
    let error = scan(&mut body, &[], std::slice::from_ref(&xs), walk, None).unwrap_err();
    assert!(graph_error(&error).1.contains("side effects"));
    assert_eq!((total.to_f64().unwrap(), mode::recording()), (before, 0));
}
