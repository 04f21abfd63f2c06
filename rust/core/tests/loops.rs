//! Loops and their derivatives, rewritten: the same numbers, from less work.

#![allow(clippy::unwrap_used, reason = "a test whose data cannot be made should fail on the spot")]

mod common {
    pub(crate) mod values;
}

use common::values;
use proptest::prelude::*;
use std::sync::Arc;
use trainsmith_core::backend::{self, interpret};
use trainsmith_core::buffer::{Meta, Value};
use trainsmith_core::device::Device;
use trainsmith_core::dtype::{DType, Scalar};
use trainsmith_core::ir::infer::infer;
use trainsmith_core::ir::op::ScanOp;
use trainsmith_core::ir::verify::verify;
use trainsmith_core::ir::{BinaryOp, Op, Program, ReduceOp, UnaryOp, ValueId, ViewOp};
use trainsmith_core::layout::Layout;
use trainsmith_core::passes::fuse::{Caps, fuse};
use trainsmith_core::passes::grad::derivative;
use trainsmith_core::passes::loops::loops;
use trainsmith_core::passes::simplify::simplify;
use trainsmith_core::rng;

struct Maker(Program);

impl Maker {
    fn new(shapes: &[&[usize]]) -> Self {
        Self(Program::with_inputs(shapes.iter().map(|&shape| Meta::new(shape, DType::F64))))
    }

    fn push(&mut self, op: Op, inputs: &[ValueId]) -> ValueId {
        let metas: Vec<Meta> = inputs.iter().map(|&i| self.0.metas[i].clone()).collect();
        let results = infer(&op, &metas).unwrap();
        self.0.push(op, inputs.into(), &results, None)
    }

    fn unary(&mut self, op: UnaryOp, x: ValueId) -> ValueId {
        self.push(Op::Unary(op), &[x])
    }

    fn binary(&mut self, op: BinaryOp, a: ValueId, b: ValueId) -> ValueId {
        self.push(Op::Binary(op), &[a, b])
    }

    /// Columns `[place width, (place + 1) width)`.
    fn columns(&mut self, x: ValueId, place: usize, width: usize) -> ValueId {
        let rows = self.0.metas[x].shape[0];
        let (starts, sizes) = (vec![0, place * width], vec![rows, width]);
        self.push(Op::View(ViewOp::Slice { starts, sizes, steps: vec![1, 1] }), &[x])
    }
}

/// What a turn makes of its gates.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Cell {
    Tanh,
    Relu,
    Gru,
    Lstm,
}

impl Cell {
    fn gates(self) -> usize {
        match self {
            Self::Tanh | Self::Relu => 1,
            Self::Gru => 3,
            Self::Lstm => 4,
        }
    }
}

/// One turn: consts `w` `[H, G H]` and `b` `[G H]`, carries `h` (and `c`) `[N, H]`, slice `[N, G H]`; output `h`.
fn turn(cell: Cell, n: usize, h: usize) -> Program {
    let wide = cell.gates() * h;
    let state: &[usize] = &[n, h];
    let mut shapes: Vec<&[usize]> = vec![];
    let (w, b, x) = ([h, wide], [wide], [n, wide]);
    shapes.extend([&w[..], &b[..], state]);
    if cell == Cell::Lstm {
        shapes.push(state);
    }
    shapes.push(&x);
    let mut m = Maker::new(&shapes);
    let slice = shapes.len() - 1;
    let product = m.push(Op::MatMul, &[2, 0]);
    let spread = m.push(Op::View(ViewOp::Expand([n, wide].into())), &[1]);
    let recurrent = m.binary(BinaryOp::Add, product, spread);
    let all = m.binary(BinaryOp::Add, slice, recurrent);
    let states = match cell {
        Cell::Tanh => vec![m.unary(UnaryOp::Tanh, all)],
        Cell::Relu => {
            let zero = Op::Fill { value: Scalar::Float(0.0), shape: [n, h].into(), dtype: DType::F64 };
            let zero = m.push(zero, &[]);
            vec![m.binary(BinaryOp::Maximum, all, zero)]
        }
        Cell::Gru => {
            let part = |m: &mut Maker, x, place| m.columns(x, place, h);
            let (gates, candidate) = (part(&mut m, all, 0), part(&mut m, recurrent, 2));
            let (reset, update) = (m.unary(UnaryOp::Sigmoid, gates), part(&mut m, all, 1));
            let update = m.unary(UnaryOp::Sigmoid, update);
            let (held, own) = (m.binary(BinaryOp::Mul, reset, candidate), part(&mut m, slice, 2));
            let sum = m.binary(BinaryOp::Add, own, held);
            let new = m.unary(UnaryOp::Tanh, sum);
            let difference = m.binary(BinaryOp::Sub, 2, new);
            let kept = m.binary(BinaryOp::Mul, update, difference);
            vec![m.binary(BinaryOp::Add, new, kept)]
        }
        Cell::Lstm => {
            let gates: Vec<ValueId> = (0..4).map(|place| m.columns(all, place, h)).collect();
            let [input, forget, output] = [0, 1, 3].map(|place| m.unary(UnaryOp::Sigmoid, gates[place]));
            let candidate = m.unary(UnaryOp::Tanh, gates[2]);
            let (held, new) = (m.binary(BinaryOp::Mul, forget, 3), m.binary(BinaryOp::Mul, input, candidate));
            let c = m.binary(BinaryOp::Add, held, new);
            let squashed = m.unary(UnaryOp::Tanh, c);
            vec![m.binary(BinaryOp::Mul, output, squashed), c]
        }
    };
    m.0.outputs.clone_from(&states);
    m.0.outputs.push(states[0]);
    m.0
}

/// The gradients of a loop's inputs, as differentiation writes them and simplified: what passes meet.
fn gradients(cell: Cell, [length, n, h]: [usize; 3], reverse: bool, from_weights: bool) -> Program {
    let body = turn(cell, n, h);
    let carries = body.outputs.len() - 1;
    let metas = body.metas[..body.inputs].iter().enumerate().map(|(place, meta)| {
        let mut shape = meta.shape.to_vec();
        if place + 1 == body.inputs {
            shape.insert(0, length);
        }
        if place == 0 && from_weights {
            shape.reverse();
        }
        Meta::new(shape, meta.dtype)
    });
    let mut m = Maker(Program::with_inputs(metas));
    let mut inputs: Vec<ValueId> = (0..body.inputs).collect();
    if from_weights {
        inputs[0] = m.push(Op::View(ViewOp::Permute(vec![1, 0])), &[0]);
    }
    let op = ScanOp { body: Arc::new(body), consts: 2, carries, length, reverse };
    let first = m.push(Op::Scan(op), &inputs);
    m.0.outputs = (first..m.0.metas.len()).collect();
    let back = derivative(&m.0, Device::Reference).unwrap();
    // As in a training step, the results leave too.
    let mut both = Program::with_inputs(back.metas[..back.inputs].iter().cloned());
    for program in [&m.0, &back] {
        let mut renamed: Vec<ValueId> = (0..program.inputs).collect();
        for instruction in &program.instructions {
            let operands = instruction.inputs.iter().map(|&input| renamed[input]).collect();
            let metas = &program.metas[instruction.first..instruction.first + instruction.results];
            let first = both.push(instruction.op.clone(), operands, metas, None);
            renamed.extend(first..first + instruction.results);
        }
        both.outputs.extend(program.outputs.iter().map(|&output| renamed[output]));
    }
    simplify(&both)
}

fn inputs(program: &Program, device: Device) -> Vec<Value> {
    let value = |(place, meta): (usize, &Meta)| {
        let word = |i: usize| rng::unit_f64(rng::word(3, place as u64, i, 0), rng::word(3, 0, i, 1));
        let numbers: Vec<Scalar> = (0..meta.shape.numel()).map(|i| Scalar::Float(word(i) - 0.5)).collect();
        values::value(device, meta, Layout::contiguous(meta.shape.clone()), &numbers)
    };
    program.metas[..program.inputs].iter().enumerate().map(value).collect()
}

fn run(program: &Program, device: Device) -> Vec<Vec<f64>> {
    let results = interpret(backend::of(device), program, &inputs(program, device)).unwrap();
    let number = |number: Scalar| number.as_f64();
    let numbers = |value: &Value| values::numbers(value).into_iter().map(number).collect();
    results.iter().map(numbers).collect()
}

fn scans(program: &Program) -> Vec<&ScanOp> {
    let mut found = vec![];
    for instruction in &program.instructions {
        if let Op::Scan(scan) = &instruction.op {
            found.push(scan);
        }
    }
    found
}

fn count(program: &Program, wanted: impl Fn(&Op) -> bool) -> usize {
    program.instructions.iter().filter(|instruction| wanted(&instruction.op)).count()
}

fn near(got: &[Vec<f64>], want: &[Vec<f64>], tolerance: f64) -> bool {
    let close = |(a, b): (&f64, &f64)| (a - b).abs() <= tolerance * (1.0 + b.abs());
    got.len() == want.len() && got.iter().zip(want).all(|(a, b)| a.len() == b.len() && a.iter().zip(b).all(close))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rewritten_loops_mean_the_same(
        cell in prop::sample::select(vec![Cell::Tanh, Cell::Relu, Cell::Gru, Cell::Lstm]),
        length in 0usize..5,
        n in 1usize..4,
        h in 1usize..4,
        reverse: bool,
        from_weights: bool,
    ) {
        let program = gradients(cell, [length, n, h], reverse, from_weights);
        let rewritten = loops(&program).unwrap();
        prop_assert!(verify(&rewritten).is_ok(), "{:?}\n{program}\n{rewritten}", verify(&rewritten));
        let want = run(&program, Device::Reference);
        prop_assert!(near(&run(&rewritten, Device::Reference), &want, 1e-13), "{program}\n{rewritten}");
        let fused = fuse(&rewritten, &[], &Caps::default()).unwrap();
        prop_assert!(near(&run(&fused, Device::Reference), &want, 1e-13), "{program}\n{fused}");
        prop_assert!(near(&run(&fused, Device::Cpu), &want, 1e-11), "{program}\n{fused}");
    }
}

#[test]
fn a_derivative_walks_once_forward_and_once_back() {
    for cell in [Cell::Tanh, Cell::Relu, Cell::Gru, Cell::Lstm] {
        let program = gradients(cell, [4, 3, 2], false, true);
        assert_eq!(scans(&program).len(), 3, "{program}");
        let rewritten = loops(&program).unwrap();
        let [forward, back] = scans(&rewritten)[..] else { panic!("{rewritten}") };
        let product = |op: &Op| *op == Op::MatMul;
        let dear = |op: &Op| matches!(op, Op::Unary(UnaryOp::Tanh | UnaryOp::Sigmoid));
        assert_eq!((count(&forward.body, product), count(&back.body, product)), (1, 1), "{rewritten}");
        assert_eq!(count(&back.body, dear), 0, "{rewritten}");
        assert_eq!(count(&back.body, |op| matches!(op, Op::Reduce { .. } | Op::Pad { .. })), 0, "{rewritten}");
        // Only the gradients of states go from turn to turn; those of the weights are one product and one sum.
        assert_eq!(back.carries, forward.carries, "{rewritten}");
        assert_eq!(count(&rewritten, product), 1, "{rewritten}");
    }
}

#[test]
fn loops_that_differ_stay_two() {
    let mut program = gradients(Cell::Tanh, [4, 3, 2], false, true);
    let at = program.instructions.iter().position(|i| matches!(i.op, Op::Scan(_))).unwrap();
    let Op::Scan(scan) = &program.instructions[at].op else { panic!("{program}") };
    program.instructions[at].op = Op::Scan(ScanOp { reverse: true, ..scan.clone() });
    let rewritten = loops(&program).unwrap();
    assert_eq!(scans(&rewritten).len(), 3, "{rewritten}");
    assert!(near(&run(&rewritten, Device::Reference), &run(&program, Device::Reference), 1e-13));
}

#[test]
fn what_is_the_same_at_every_turn_is_computed_once() {
    let mut m = Maker::new(&[&[2, 2], &[2, 2], &[2, 2]]);
    let squares = m.binary(BinaryOp::Mul, 0, 0);
    let folded = m.push(Op::Reduce { op: ReduceOp::Sum, axes: vec![0] }, &[squares]);
    let spread = m.push(Op::View(ViewOp::Expand([2, 2].into())), &[folded]);
    let sum = m.binary(BinaryOp::Add, 1, spread);
    let next = m.binary(BinaryOp::Mul, sum, 2);
    m.0.outputs = vec![next, sum];
    let mut outer = Maker::new(&[&[2, 2], &[2, 2], &[3, 2, 2]]);
    let op = ScanOp { body: Arc::new(m.0), consts: 1, carries: 1, length: 3, reverse: false };
    let first = outer.push(Op::Scan(op), &[0, 1, 2]);
    outer.0.outputs = vec![first, first + 1];
    let rewritten = loops(&outer.0).unwrap();
    let [scan] = scans(&rewritten)[..] else { panic!("{rewritten}") };
    assert_eq!(count(&scan.body, |op| matches!(op, Op::Reduce { .. })), 0, "{rewritten}");
    assert_eq!(scan.body.metas[0].shape.to_vec(), [2], "the numbers, not what repeats them\n{rewritten}");
    assert_eq!(run(&rewritten, Device::Reference), run(&outer.0, Device::Reference));
}
