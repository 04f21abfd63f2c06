//! Sums of parts that zeros make as large as the whole: the parts side by side, and the same numbers.

#![allow(clippy::unwrap_used, reason = "a test whose data cannot be made should fail on the spot")]

mod common {
    pub(crate) mod values;
}

use common::values;
use smallvec::{SmallVec, smallvec};
use trainsmith_core::backend::{self, interpret};
use trainsmith_core::buffer::{Meta, Value};
use trainsmith_core::device::Device;
use trainsmith_core::dtype::{DType, Scalar};
use trainsmith_core::ir::infer::infer;
use trainsmith_core::ir::{BinaryOp, Op, Program, ValueId};
use trainsmith_core::layout::Layout;
use trainsmith_core::passes::join::join;

/// A sum, one after the other, of rows that zeros make a matrix of this height, each at its own place.
fn sum(places: &[usize], height: usize) -> Program {
    let mut program = Program::with_inputs(places.iter().map(|_| Meta::new([1, 2], DType::F32)));
    let mut push = |op: Op, inputs: SmallVec<[ValueId; 2]>| {
        let metas: Vec<Meta> = inputs.iter().map(|&i| program.metas[i].clone()).collect();
        let results = infer(&op, &metas).unwrap();
        program.push(op, inputs, &results, None)
    };
    let mut so_far = None;
    for (input, &place) in places.iter().enumerate() {
        let (low, high) = (vec![place, 0], vec![height - 1 - place, 0]);
        let padded = push(Op::Pad { low, high, interior: vec![0, 0], value: Scalar::Float(0.0) }, smallvec![input]);
        let op = Op::Binary(BinaryOp::Add);
        so_far = Some(so_far.map_or(padded, |so_far| push(op, smallvec![so_far, padded])));
    }
    program.outputs = so_far.into_iter().collect();
    program
}

fn run(program: &Program) -> Vec<Scalar> {
    let input = |i: usize| -> Value {
        let row = [Scalar::Float(i as f64 + 1.0), Scalar::Float(i as f64 - 0.5)];
        values::value(Device::Reference, &program.metas[i], Layout::contiguous([1, 2].into()), &row)
    };
    let inputs: Vec<Value> = (0..program.inputs).map(input).collect();
    values::numbers(&interpret(backend::of(Device::Reference), program, &inputs).unwrap()[0])
}

#[test]
fn parts_that_cover_the_whole_lie_side_by_side() {
    for (places, height, joined) in
        [(&[2, 1, 0][..], 3, true), (&[0, 2, 1], 3, true), (&[0, 1], 3, false), (&[0, 1, 1], 2, false)]
    {
        let program = sum(places, height);
        let got = join(&program).unwrap();
        let last = &got.instructions.last().unwrap().op;
        assert_eq!(matches!(last, Op::Concat { axis: 0 }), joined, "{places:?} of {height}");
        assert_eq!(run(&got), run(&program), "{places:?} of {height}");
    }
}
