//! A loop is its turns written out: the same gradients to second order, also where the body cuts them off.

use super::check::{random, tensor};
use trainsmith_core::Result;
use trainsmith_core::dtype::Scalar;
use trainsmith_core::tensor::args::{Arg, Attr};
use trainsmith_core::tensor::backward::{gradients, watch};
use trainsmith_core::tensor::scan::{Loop, Turn, scan};
use trainsmith_core::tensor::{Tensor, functions, mode};

/// One turn on a carry, a slice and a tensor from outside.
type Body = fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor>;

fn call(name: &str, inputs: &[&Tensor], attrs: &[(&str, Attr)]) -> Result<Tensor> {
    let args = inputs.iter().map(|t| t.edge().map(Arg::Edge)).collect::<Result<Vec<_>>>()?;
    let attrs: Vec<(String, Attr)> = attrs.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
    Ok(Tensor::from_edge(functions::call(name, &args, &attrs)?.remove(0)))
}

const BODIES: [(&str, Body); 5] = [
    ("plain", |h, x, w| call("tanh", &[&call("add", &[&call("multiply", &[h, w], &[])?, x], &[])?], &[])),
    ("a detached carry", |h, x, w| {
        let still = call("multiply", &[&h.detach()?, w], &[])?;
        call("add", &[&call("sin", &[h], &[])?, &call("multiply", &[&still, x], &[])?], &[])
    }),
    ("a part without gradients", |h, x, w| {
        let gate = mode::with_grad(false, || call("sigmoid", &[&call("multiply", &[x, w], &[])?], &[]))?;
        call("add", &[&call("multiply", &[h, &gate], &[])?, &call("square", &[x], &[])?], &[])
    }),
    ("a detached tensor from outside", |h, x, w| {
        call("multiply", &[&call("add", &[h, &call("exp", &[x], &[])?], &[])?, &w.detach()?], &[])
    }),
    ("a padded row", |h, x, w| {
        let index = Tensor::from_i64(&[1, 0], [2])?;
        let table = call("reshape", &[&call("multiply", &[h, w], &[])?], &[("shape", Attr::Ints(vec![2, 1]))])?;
        let rows = call("embedding", &[&index, &table], &[("padding_idx", Attr::Int(0))])?;
        call("add", &[&call("reshape", &[&rows], &[("shape", Attr::Ints(vec![2]))])?, x], &[])
    }),
];

fn looped(body: Body, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
    let [start, xs, w] = inputs else { unreachable!() };
    let mut turn = |carries: &[Tensor], slices: &[Tensor]| -> Result<Turn> {
        let next = body(&carries[0], &slices[0], w)?;
        Ok((vec![next.clone()], vec![next]))
    };
    let (last, all) = scan(
        &mut turn,
        std::slice::from_ref(start),
        std::slice::from_ref(xs),
        Loop { length: 3, reverse: false },
        None,
    )?;
    Ok([last, all].concat())
}

fn written_out(body: Body, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
    let [start, xs, w] = inputs else { unreachable!() };
    let (mut carry, mut all) = (start.clone(), vec![]);
    for turn in 0..3 {
        let index = Tensor::from_i64(&[turn], [])?;
        carry = body(&carry, &call("take", &[xs, &index], &[("axis", Attr::Int(0))])?, w)?;
        all.push(call("expand_dims", &[&carry], &[("axis", Attr::Int(0))])?);
    }
    Ok(vec![carry, call("concat", &all.iter().collect::<Vec<_>>(), &[("axis", Attr::Int(0))])?])
}

/// First and second gradients, in one list of numbers.
fn slopes(f: &dyn Fn(&[Tensor]) -> Result<Vec<Tensor>>) -> Result<Vec<f64>> {
    let shapes: [&[usize]; 3] = [&[2], &[3, 2], &[2]];
    let some = |(seed, shape): (usize, &&[usize])| {
        watch(&tensor(&random(seed as u64, shape.iter().product()), &(*shape).into()))
    };
    let x = shapes.iter().enumerate().map(some).collect::<Result<Vec<_>>>()?;
    let weights = [tensor(&random(8, 2), &[2].into()), tensor(&random(9, 6), &[3, 2].into())];
    let first = gradients(&f(&x)?, Some(&weights), &x)?;
    let squares: Vec<Tensor> = first.iter().map(|g| call("square", &[g], &[])).collect::<Result<_>>()?;
    let second = gradients(&squares, None, &x)?;
    Ok([first, second].concat().iter().map(Tensor::to_f64).collect::<Result<Vec<_>>>()?.concat())
}

#[test]
fn loops_are_their_turns_written_out() {
    for (name, body) in BODIES {
        let got = slopes(&|x| looped(body, x)).unwrap();
        let want = slopes(&|x| written_out(body, x)).unwrap();
        let near = got.iter().zip(&want).all(|(a, b)| (a - b).abs() <= 1e-10 * (1.0 + b.abs()));
        assert!(near, "{name}: {got:?}\ninstead of {want:?}");
    }
}

/// A body may use what has no derivative, as long as no gradient would go through it.
#[test]
fn nothing_is_refused_where_nothing_is_lost() {
    let divide = |x: &Tensor| {
        let args = [Arg::Edge(x.edge()?), Arg::Scalar(Scalar::Float(2.0))];
        Ok(Tensor::from_edge(functions::call("floor_divide", &args, &[])?.remove(0)))
    };
    let xs = tensor(&[5.0, 7.0, 9.0], &[3].into());
    let walk = Loop { length: 3, reverse: false };
    let mut turn = |_: &[Tensor], slices: &[Tensor]| -> Result<Turn> { Ok((vec![], vec![divide(&slices[0])?])) };
    let (_, all) = scan(&mut turn, &[], std::slice::from_ref(&xs), walk, None).unwrap();
    assert_eq!(all[0].to_f64().unwrap(), [2.0, 3.0, 4.0]);
    let watched = watch(&xs).unwrap();
    assert!(scan(&mut turn, &[], std::slice::from_ref(&watched), walk, None).is_err());
    let weight = watch(&xs).unwrap();
    let mut mixed = |carries: &[Tensor], slices: &[Tensor]| -> Result<Turn> {
        let steps = divide(&slices[0].detach()?)?;
        Ok((vec![call("add", &[&carries[0], &call("multiply", &[&steps, &weight], &[])?], &[])?], vec![]))
    };
    let start = tensor(&[0.0; 3], &[3].into());
    let (last, _) = scan(&mut mixed, &[start], std::slice::from_ref(&xs), walk, None).unwrap();
    assert_eq!(gradients(&last, None, std::slice::from_ref(&weight)).unwrap()[0].to_f64().unwrap(), [9.0; 3]);
}
