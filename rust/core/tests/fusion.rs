//! What fuses: the shapes of programs that training steps are made of, and how many kernels are left of them.

mod common {
    pub(crate) mod values;
}

use common::values;
use std::time::Instant;
use trainsmith_core::backend::{self, interpret};
use trainsmith_core::buffer::Meta;
use trainsmith_core::device::Device;
use trainsmith_core::dtype::{DType, Scalar};
use trainsmith_core::ir::infer::infer;
use trainsmith_core::ir::op::{Composite, PoolKind, PoolOp};
use trainsmith_core::ir::plan::{Exit, Plan};
use trainsmith_core::ir::{BinaryOp, CompareOp, FusedKind, Op, Program, ReduceOp, UnaryOp, ValueId, ViewOp};
use trainsmith_core::layout::Layout;
use trainsmith_core::passes::fuse::{Caps, fuse};
use trainsmith_core::passes::memory::{self, Cell};
use trainsmith_core::passes::simplify::simplify;
use trainsmith_core::shape::Shape;

/// A program that grows by what the rules give.
struct Maker(Program);

impl Maker {
    fn new(inputs: &[&[usize]]) -> Self {
        Self(Program::with_inputs(inputs.iter().map(|&shape| Meta::new(shape, DType::F32))))
    }

    fn push(&mut self, op: Op, inputs: &[ValueId]) -> ValueId {
        let metas: Vec<Meta> = inputs.iter().map(|&input| self.0.metas[input].clone()).collect();
        let results = infer(&op, &metas).expect("a fitting program");
        self.0.push(op, inputs.into(), &results, None)
    }

    fn binary(&mut self, op: BinaryOp, a: ValueId, b: ValueId) -> ValueId {
        self.push(Op::Binary(op), &[a, b])
    }

    fn like(&mut self, value: ValueId, other: ValueId) -> ValueId {
        let shape = self.0.metas[other].shape.clone();
        self.push(Op::View(ViewOp::Expand(shape)), &[value])
    }

    fn number(&mut self, value: f64, other: ValueId) -> ValueId {
        let fill = Op::Fill { value: Scalar::Float(value), shape: Shape::scalar(), dtype: DType::F32 };
        let number = self.push(fill, &[]);
        self.like(number, other)
    }

    fn fold(&mut self, op: ReduceOp, value: ValueId, axis: usize) -> ValueId {
        let kept = self.0.metas[value].shape.reduced(&[axis], true);
        let fold = self.push(Op::Reduce { op, axes: vec![axis] }, &[value]);
        let kept = self.push(Op::View(ViewOp::Reshape(kept)), &[fold]);
        self.like(kept, value)
    }

    fn rectified(&mut self, x: ValueId) -> ValueId {
        let zero = self.number(0.0, x);
        let mask = self.push(Op::Compare(CompareOp::LessEqual), &[x, zero]);
        self.push(Op::Select, &[mask, zero, x])
    }

    fn check(&mut self, value: ValueId) -> ValueId {
        self.push(Op::CheckFinite { name: "gradient".into() }, &[value])
    }

    fn planned(mut self, outputs: &[ValueId], cells: &[Cell]) -> (Program, Plan) {
        self.0.outputs = outputs.into();
        let program = fuse(&simplify(&self.0), cells, &Caps::default()).expect("a program that fuses");
        let plan = memory::plan(&program, cells);
        (program, plan)
    }
}

fn kernels(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.op.name()).collect()
}

/// The kind, the number of outputs and the instructions of each fused kernel.
fn bodies(plan: &Plan) -> Vec<(FusedKind, usize, String)> {
    let body = |op: &Op| match op {
        Op::Fused(fused) => Some((fused.kind(), fused.body.outputs.len(), fused.body.to_string())),
        _ => None,
    };
    plan.steps.iter().filter_map(|step| body(&step.op)).collect()
}

#[test]
fn softmax_is_one_kernel() {
    let mut p = Maker::new(&[&[6, 5, 4]]);
    let max = p.fold(ReduceOp::Max, 0, 2);
    let centred = p.binary(BinaryOp::Sub, 0, max);
    let exp = p.push(Op::Unary(UnaryOp::Exp), &[centred]);
    let sum = p.fold(ReduceOp::Sum, exp, 2);
    let y = p.binary(BinaryOp::Div, exp, sum);
    let (program, plan) = p.planned(&[y], &[]);
    assert_eq!(kernels(&plan), ["fused"], "{program}");
    assert!(bodies(&plan)[0].2.contains("float32(30, 4)"), "leading axes are one loop\n{program}");
    assert!(matches!(plan.exits[0], Exit::Written(_)), "the result is written in place\n{program}");
}

/// `relu(x w + b)`: bias and rectifier run on the product's elements, through the reshape between them.
#[test]
fn a_layer_is_one_kernel() {
    let mut p = Maker::new(&[&[6, 4], &[4, 5], &[5]]);
    let product = p.push(Op::MatMul, &[0, 1]);
    let shaped = p.push(Op::View(ViewOp::Reshape([2, 3, 5].into())), &[product]);
    let bias = p.like(2, shaped);
    let sum = p.binary(BinaryOp::Add, shaped, bias);
    let y = p.rectified(sum);
    let (program, plan) = p.planned(&[y], &[]);
    let bodies = bodies(&plan);
    assert_eq!((kernels(&plan).as_slice(), bodies.len()), (["fused"].as_slice(), 1), "{program}");
    assert_eq!((bodies[0].0, bodies[0].1), (FusedKind::Product, 1), "{program}");
}

/// The derivative of the rectifier takes the sign from the stored output, so that no mask and no pre-activation is stored.
#[test]
fn a_rectifier_stores_its_output_alone() {
    let mut p = Maker::new(&[&[6, 4], &[4, 5], &[5, 3]]);
    let x = p.push(Op::MatMul, &[0, 1]);
    let zero = p.number(0.0, x);
    let mask = p.push(Op::Compare(CompareOp::LessEqual), &[x, zero]);
    let h = p.push(Op::Select, &[mask, zero, x]);
    let y = p.push(Op::MatMul, &[h, 2]);
    let turned = p.push(Op::View(ViewOp::Permute(vec![1, 0])), &[2]);
    let dh = p.push(Op::MatMul, &[y, turned]);
    let dx = p.push(Op::Select, &[mask, zero, dh]);
    let (program, plan) = p.planned(&[y, dx], &[]);
    assert_eq!(kernels(&plan), ["fused", "matmul", "fused"], "{program}");
    assert!(bodies(&plan).iter().all(|body| body.1 == 1), "{program}");
}

/// Where a rectifier comes before a maximum of windows, its derivative asks the maxima, which are fewer.
#[test]
fn a_rectifier_before_a_pool_asks_the_maxima() {
    let pool = PoolOp {
        kind: PoolKind::Max,
        window: vec![2, 2],
        strides: vec![2, 2],
        low: vec![0, 0],
        high: vec![0, 0],
        dilation: vec![1, 1],
    };
    let mut p = Maker::new(&[&[2, 3, 4, 6], &[2, 3, 2, 3]]);
    let zero = p.number(0.0, 0);
    let mask = p.push(Op::Compare(CompareOp::LessEqual), &[0, zero]);
    let h = p.push(Op::Select, &[mask, zero, 0]);
    let y = p.push(Op::Composite(Composite::Pool(pool.clone())), &[h]);
    let dh = p.push(Op::Composite(Composite::PoolGrad { pool, sizes: vec![4, 6] }), &[1, h]);
    let dx = p.push(Op::Select, &[mask, zero, dh]);
    p.0.outputs = vec![y, dx];
    let simple = simplify(&p.0);
    let last = simple.instructions.last().expect("an instruction");
    assert_eq!((last.op.name(), last.first), ("pool_grad", simple.outputs[1]), "{simple}");
    // Ties, zeros of both signs and NaN: the bits stay.
    let numbers = |count: usize, of: &[f32]| (0..count).map(|i| of[i * 7 % of.len()]).collect::<Vec<f32>>();
    let x = numbers(144, &[1.0, -2.0, 0.0, -0.0, 1.0, f32::NAN, -1.0, 3.0, -3.0, 0.5, -0.5]);
    let input = |i: usize, numbers: &[f32]| {
        let numbers: Vec<Scalar> = numbers.iter().map(|&x| Scalar::Float(x.into())).collect();
        values::value(Device::Cpu, &p.0.metas[i], Layout::contiguous(p.0.metas[i].shape.clone()), &numbers)
    };
    let inputs = [input(0, &x), input(1, &numbers(36, &[2.0, -0.0, 1.0, -1.0]))];
    let bits = |program: &Program| -> Vec<u64> {
        let results = interpret(backend::of(Device::Cpu), program, &inputs).expect("a program that runs");
        results.iter().flat_map(values::numbers).map(|number| number.as_f64().to_bits()).collect()
    };
    assert_eq!(bits(&simple), bits(&p.0));
}

/// A column sum ends the group that makes its operand; what reads the sum is another kernel.
#[test]
fn column_sums_end_their_group() {
    let mut p = Maker::new(&[&[6, 5], &[6, 5]]);
    let product = p.binary(BinaryOp::Mul, 0, 1);
    let sums = p.push(Op::Reduce { op: ReduceOp::Sum, axes: vec![0] }, &[product]);
    let spread = p.like(sums, product);
    let y = p.binary(BinaryOp::Sub, product, spread);
    let (program, plan) = p.planned(&[y], &[]);
    assert_eq!(kernels(&plan), ["fused", "fused"], "{program}");
}

/// `m' = m b + g; p' = p - m' r` for two parameters: each update is one kernel, after all checks, over the old values.
#[test]
fn updates_are_the_last_phase_and_in_place() {
    let mut p = Maker::new(&[&[4, 3], &[4, 3], &[4, 3], &[7], &[7], &[7], &[]]);
    let mut outputs = vec![];
    let mut cells = vec![];
    for (gradient, cell) in [(0, [1, 2]), (3, [4, 5])] {
        let g = p.check(gradient);
        let half = p.number(0.5, g);
        let rate = p.like(6, g);
        let scaled = p.binary(BinaryOp::Mul, cell[0], half);
        let m = p.binary(BinaryOp::Add, scaled, g);
        let step = p.binary(BinaryOp::Mul, m, rate);
        let w = p.binary(BinaryOp::Sub, cell[1], step);
        for (value, input) in [(m, cell[0]), (w, cell[1])] {
            cells.push(Cell { output: outputs.len(), input });
            outputs.push(value);
        }
    }
    let (program, plan) = p.planned(&outputs, &cells);
    assert_eq!(kernels(&plan), ["check_finite", "check_finite", "fused", "fused"], "{program}");
    assert_eq!(plan.commit, 2, "{program}");
    assert!(plan.exits.iter().all(|exit| matches!(exit, Exit::Replaced { .. })), "{:?}\n{program}", plan.exits);
    assert_eq!(plan.arena, 0, "a check stores nothing\n{program}");
}

/// A value whose old content is read after the new one is written keeps a buffer of its own.
#[test]
fn a_cell_that_is_still_read_is_not_overwritten() {
    let mut p = Maker::new(&[&[4], &[4]]);
    let a = p.binary(BinaryOp::Add, 0, 1);
    let checked = p.check(a);
    let sum = p.push(Op::Reduce { op: ReduceOp::Sum, axes: vec![0] }, &[checked]);
    let other = p.like(sum, 0);
    let b = p.binary(BinaryOp::Mul, 1, other);
    let cells = [Cell { output: 0, input: 0 }, Cell { output: 1, input: 1 }];
    let (program, plan) = p.planned(&[a, b], &cells);
    assert!(matches!(plan.exits[0], Exit::Written(_)), "a check reads the new value\n{program}");
    let mut p = Maker::new(&[&[4], &[4]]);
    let a = p.push(Op::Unary(UnaryOp::Exp), &[0]);
    let sum = p.push(Op::Reduce { op: ReduceOp::Sum, axes: vec![0] }, &[a]);
    let other = p.like(sum, 0);
    let late = p.binary(BinaryOp::Mul, 0, other);
    let (program, plan) = p.planned(&[a, late], &[Cell { output: 0, input: 0 }]);
    assert!(matches!(plan.exits[0], Exit::Written(_)), "the old value is read later\n{program}");
}

#[test]
fn a_turned_product_is_a_product_of_turned_operands() {
    let mut p = Maker::new(&[&[6, 4], &[6, 5]]);
    let turned = p.push(Op::View(ViewOp::Permute(vec![1, 0])), &[0]);
    let product = p.push(Op::MatMul, &[turned, 1]);
    let y = p.push(Op::View(ViewOp::Permute(vec![1, 0])), &[product]);
    let (program, plan) = p.planned(&[y], &[]);
    assert_eq!(kernels(&plan), ["matmul"], "no copy\n{program}");
}

/// Only rules that hold for every input: `0 + x` is no `x` where `x` is a negative zero.
#[test]
fn arithmetic_that_changes_nothing_goes() {
    let mut p = Maker::new(&[&[4]]);
    let (one, zero) = (p.number(1.0, 0), p.number(0.0, 0));
    let same = p.binary(BinaryOp::Mul, 0, one);
    let less = p.binary(BinaryOp::Sub, same, zero);
    let (program, plan) = p.planned(&[less], &[]);
    assert!(plan.steps.is_empty() && matches!(plan.exits[0], Exit::Alias(_)), "{program}");
    let mut p = Maker::new(&[&[4]]);
    let zero = p.number(0.0, 0);
    let sum = p.binary(BinaryOp::Add, 0, zero);
    let (program, plan) = p.planned(&[sum], &[]);
    assert_eq!(plan.steps.len(), 1, "{program}");
}

/// `x = tanh(x w) / 2 + x / 10`, where each layer reads the one before at two places of the program.
fn deep(layers: usize) -> Program {
    let mut maker = Maker::new(&[&[4, 4], &[4, 4]]);
    let mut x = 0;
    for _ in 0..layers {
        let product = maker.push(Op::MatMul, &[x, 1]);
        let bent = maker.push(Op::Unary(UnaryOp::Tanh), &[product]);
        let (half, tenth) = (maker.number(0.5, x), maker.number(0.1, x));
        let (new, old) = (maker.binary(BinaryOp::Mul, bent, half), maker.binary(BinaryOp::Mul, x, tenth));
        x = maker.binary(BinaryOp::Add, new, old);
    }
    maker.0.outputs = vec![x];
    simplify(&maker.0)
}

#[test]
fn a_deep_program_takes_as_long_as_its_parts() {
    let (short, long) = (deep(50), deep(400));
    let seconds = |program: &Program| {
        let start = Instant::now();
        let fused = fuse(program, &[], &Caps::default()).expect("a program that fuses");
        let taken = start.elapsed().as_secs_f64();
        let count =
            |program: &Program, kind: fn(&Op) -> bool| program.instructions.iter().filter(|i| kind(&i.op)).count();
        assert_eq!(count(&fused, |op| matches!(op, Op::Fused(_))), count(program, |op| *op == Op::MatMul));
        taken
    };
    let ratio = (0..5).map(|_| seconds(&long) / seconds(&short)).fold(f64::INFINITY, f64::min);
    // Eight times the layers; a search that walks back to the first one would take 64 times as long and more.
    assert!(ratio < 24.0, "{ratio}");
}
