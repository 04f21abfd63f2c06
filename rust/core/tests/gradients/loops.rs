//! Loops: what goes into a body, what comes out of it, and which of it is asked for.

use super::check::{complaint, random, tensor};
use trainsmith_core::Result;
use trainsmith_core::dtype::{DType, Scalar};
use trainsmith_core::ir::build::Builder;
use trainsmith_core::ir::node::Edge;
use trainsmith_core::tensor::args::{Arg, Attr};
use trainsmith_core::tensor::face::face;
use trainsmith_core::tensor::scan::{Loop, Turn, scan};
use trainsmith_core::tensor::{Tensor, functions};

/// A tensor of a shape with numbers of its own.
fn some(seed: u64, shape: &[usize]) -> Tensor {
    tensor(&random(seed, shape.iter().product()), &shape.into())
}

fn b() -> &'static dyn Builder {
    face()
}

fn call(name: &str, inputs: &[&Tensor]) -> Result<Tensor> {
    let args = inputs.iter().map(|t| t.edge().map(Arg::Edge)).collect::<Result<Vec<_>>>()?;
    Ok(Tensor::from_edge(functions::call(name, &args, &[])?.remove(0)))
}

fn walk(length: usize, reverse: bool) -> Loop {
    Loop { length, reverse }
}

/// Results of a loop in one list.
fn all((carries, stacked): Turn) -> Vec<Tensor> {
    [carries, stacked].concat()
}

fn assert_fits(f: &dyn Fn(&[Tensor]) -> Result<Vec<Tensor>>, inputs: &[Tensor]) {
    assert_eq!(complaint(f, inputs), None);
}

/// `h = tanh(W h + x)`, `c = c * h + d` with `W` and `d` from outside, both carries and `h` given back.
fn cell(reverse: bool, length: usize) -> impl Fn(&[Tensor]) -> Result<Vec<Tensor>> {
    move |inputs| {
        let [w, d, h, c, xs] = inputs else { unreachable!() };
        let mut body = |carries: &[Tensor], slices: &[Tensor]| {
            let inner = call("add", &[&call("matmul", &[w, &carries[0]])?, &slices[0]])?;
            let h = call("tanh", &[&inner])?;
            let c = call("add", &[&call("multiply", &[&carries[1], &h])?, d])?;
            Ok((vec![h.clone(), c.clone()], vec![call("sin", &[&c])?, h]))
        };
        Ok(all(scan(&mut body, &[h.clone(), c.clone()], std::slice::from_ref(xs), walk(length, reverse), None)?))
    }
}

#[test]
fn constants_carries_and_slices_of_a_loop() {
    for (reverse, length) in [(false, 4), (true, 4), (false, 1), (true, 1), (false, 0), (true, 0)] {
        let inputs = [some(1, &[3, 3]), some(2, &[3]), some(3, &[3]), some(4, &[3]), some(5, &[length, 3])];
        assert_fits(&cell(reverse, length), &inputs);
    }
}

/// Results that nothing is computed from bring no gradient, and leave the others right.
#[test]
fn some_results_of_a_loop_alone() {
    for kept in 0..4 {
        let only = |inputs: &[Tensor]| Ok(vec![cell(true, 3)(inputs)?.remove(kept)]);
        assert_fits(&only, &[some(1, &[3, 3]), some(2, &[3]), some(3, &[3]), some(4, &[3]), some(5, &[3, 3])]);
    }
}

/// A gradient may be asked of one input alone, where carries start without one and pick it up on the way.
#[test]
fn some_inputs_of_a_loop_alone() {
    let inputs = [some(1, &[3, 3]), some(2, &[3]), some(3, &[3]), some(4, &[3]), some(5, &[3, 3])];
    for active in 0..inputs.len() {
        let one = |chosen: &[Tensor]| {
            let mut inputs = inputs.clone();
            inputs[active] = chosen[0].clone();
            // Inside a recording the others are read as tensors from outside.
            cell(false, 3)(&inputs)
        };
        assert_fits(&one, &inputs[active..=active]);
    }
}

/// An integer carry counts the turns and picks the row that a turn uses; another integer runs along as scanned input.
#[test]
fn integer_carries_and_slices() {
    let f = |inputs: &[Tensor]| {
        let [table, x, shifts] = inputs else { unreachable!() };
        let mut body = |carries: &[Tensor], slices: &[Tensor]| {
            let (count, x) = (carries[0].edge()?, &carries[1]);
            let row = Tensor::from_edge(b().add(&count, &slices[0].edge()?)?);
            let row = call("take", &[table, &row])?;
            let x = call("multiply", &[x, &row])?;
            Ok((vec![Tensor::from_edge(b().shift(&count, 1.0)?), x.clone()], vec![carries[0].clone(), x]))
        };
        let start = Tensor::from_edge(b().cast(&b().full_like(&Edge::clone(&shifts.edge()?), 0.0)?, DType::I64)?);
        let start = Tensor::from_edge(b().slice(&start.edge()?, vec![0], vec![1], vec![1])?);
        let start = Tensor::from_edge(b().reshape(&start.edge()?, &[].into())?);
        Ok(all(scan(&mut body, &[start, x.clone()], std::slice::from_ref(shifts), walk(3, false), None)?))
    };
    assert_fits(&f, &[some(1, &[4, 2]), some(2, &[2]), Tensor::from_i64(&[0, 1, 1], [3]).unwrap()]);
}

/// Carries that stand still, trade places, start anew, or are never used; outputs and slices that nothing depends on.
#[test]
fn idle_values_of_a_loop() {
    let f = |inputs: &[Tensor]| {
        let [still, left, right, anew, unused, xs, ys] = inputs else { unreachable!() };
        let mut body = |carries: &[Tensor], slices: &[Tensor]| {
            let [still, left, right, _, unused] = carries else { unreachable!() };
            let anew = call("exp", &[&slices[0]])?;
            let constant = Tensor::from_edge(b().full_like(&anew.edge()?, 2.5)?);
            let right_next = call("multiply", &[left, still])?;
            let new = vec![still.clone(), right.clone(), right_next, anew.clone(), unused.clone()];
            Ok((new, vec![constant, call("multiply", &[&anew, left])?, slices[0].clone()]))
        };
        let init = [still, left, right, anew, unused].map(Tensor::clone);
        Ok(all(scan(&mut body, &init, &[xs.clone(), ys.clone()], walk(3, false), None)?))
    };
    let mut inputs: Vec<Tensor> = (1..6).map(|seed| some(seed, &[2])).collect();
    inputs.extend([some(6, &[3, 2]), some(7, &[3, 2])]);
    assert_fits(&f, &inputs);
}

/// A loop in a loop: each row is folded by an inner loop that uses the outer carry and a tensor from outside both.
#[test]
fn a_loop_in_a_loop() {
    let f = |inputs: &[Tensor]| {
        let [weight, start, rows] = inputs else { unreachable!() };
        let mut outer = |carries: &[Tensor], slices: &[Tensor]| {
            let mut inner = |held: &[Tensor], slices: &[Tensor]| {
                let product = call("multiply", &[&held[0], &call("add", &[&slices[0], weight])?])?;
                let next = call("sin", &[&call("add", &[&product, &carries[0]])?])?;
                Ok((vec![next], vec![]))
            };
            let (folded, _) =
                scan(&mut inner, &[carries[0].clone()], std::slice::from_ref(&slices[0]), walk(2, true), None)?;
            Ok((folded.clone(), folded))
        };
        Ok(all(scan(&mut outer, std::slice::from_ref(start), std::slice::from_ref(rows), walk(3, false), None)?))
    };
    assert_fits(&f, &[some(1, &[]), some(2, &[]), some(3, &[3, 2])]);
}

/// Bodies with what reads shapes: products of all, running products, softmax, convolution, a maximum.
#[test]
fn bodies_of_many_ops() {
    let f = |inputs: &[Tensor]| {
        let [kernel, start, xs] = inputs else { unreachable!() };
        let mut body = |carries: &[Tensor], slices: &[Tensor]| {
            let sharp = call("softmax", &[&carries[0]])?;
            let attrs = [("padding".to_owned(), Attr::Int(1))];
            let args = [Arg::Edge(slices[0].edge()?), Arg::Edge(kernel.edge()?)];
            let smooth = Tensor::from_edge(functions::call("conv", &args, &attrs)?.remove(0));
            let next = call("maximum", &[&call("add", &[&sharp, &smooth])?, &carries[0]])?;
            let axis = [("axis".to_owned(), Attr::Int(1))];
            let running = functions::call("cumulative_prod", &[Arg::Edge(next.edge()?)], &axis)?.remove(0);
            let half = functions::call("multiply", &[Arg::Edge(next.edge()?), Arg::Scalar(Scalar::Float(0.5))], &[])?;
            Ok((vec![Tensor::from_edge(half[0].clone())], vec![Tensor::from_edge(running), call("prod", &[&next])?]))
        };
        Ok(all(scan(&mut body, std::slice::from_ref(start), std::slice::from_ref(xs), walk(3, false), None)?))
    };
    assert_fits(&f, &[some(1, &[2, 2, 3]), some(2, &[2, 4]), some(3, &[3, 2, 4])]);
}
