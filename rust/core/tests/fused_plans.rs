//! Random fused bodies in a plan: what the compiled kernels give is what the reference gives, on any number of threads.

mod common {
    pub(crate) mod draw;
    pub(crate) mod values;
}

use common::draw::draw;
use common::values::{numbers, value};
use proptest::prelude::*;
use smallvec::SmallVec;
use trainsmith_core::backend::cpu::set_num_threads;
use trainsmith_core::backend::{self, Workspace, interpret};
use trainsmith_core::buffer::{Meta, Value};
use trainsmith_core::device::Device;
use trainsmith_core::dtype::{DType, Scalar};
use trainsmith_core::ir::fused::FusedOp;
use trainsmith_core::ir::infer::infer;
use trainsmith_core::ir::{BinaryOp, CompareOp, Op, Program, ReduceOp, UnaryOp, ValueId, ViewOp};
use trainsmith_core::layout::Layout;
use trainsmith_core::passes::memory;

/// Spaces of one tile, of many, with narrow and with wide rows.
const SPACES: [&[usize]; 5] = [&[5, 7], &[300, 40], &[3, 4, 33], &[16, 1300], &[3000]];

struct Maker {
    body: Program,
    space: Vec<usize>,
}

impl Maker {
    fn new(space: &[usize], dtype: DType) -> Self {
        let rank = space.len();
        let part = |rows: bool, columns: bool| {
            let axis =
                |(axis, &size)| if (axis + 1 == rank && columns) || (axis + 1 < rank && rows) { size } else { 1 };
            space.iter().enumerate().map(axis).collect::<Vec<usize>>()
        };
        let first: Vec<usize> = (0..rank).map(|axis| if axis == 0 { space[0] } else { 1 }).collect();
        let but_first: Vec<usize> = (0..rank).map(|axis| if axis == 0 { 1 } else { space[axis] }).collect();
        let shapes = [
            part(true, true),
            part(true, true),
            part(true, false),
            part(false, true),
            part(false, false),
            first,
            but_first.clone(),
        ];
        let metas = shapes.iter().map(|shape| Meta::new(&shape[..], dtype));
        let masks = [Meta::new(space, DType::Bool), Meta::new(&but_first[..], DType::Bool)];
        Self { body: Program::with_inputs(metas.chain(masks)), space: space.to_vec() }
    }

    fn push(&mut self, op: Op, inputs: &[ValueId]) -> Option<ValueId> {
        let metas: Vec<Meta> = inputs.iter().map(|&i| self.body.metas[i].clone()).collect();
        let results = infer(&op, &metas).ok()?;
        Some(self.body.push(op, SmallVec::from_slice(inputs), &results, None))
    }

    /// A value over the whole space.
    fn full(&mut self, value: ValueId) -> Option<ValueId> {
        if self.body.metas[value].shape[..] == self.space[..] {
            return Some(value);
        }
        self.push(Op::View(ViewOp::Expand(self.space.clone().into())), &[value])
    }

    fn fold(&mut self, op: ReduceOp, value: ValueId, axes: Vec<usize>) -> Option<ValueId> {
        let shape: Vec<usize> =
            (0..self.space.len()).map(|a| if axes.contains(&a) { 1 } else { self.space[a] }).collect();
        let fold = self.push(Op::Reduce { op, axes }, &[value])?;
        self.push(Op::View(ViewOp::Reshape(shape.into())), &[fold])
    }

    /// One more instruction, of those that keep every number between -4 and 4.
    fn grow(&mut self, word: u64, usable: &[ValueId]) -> Option<ValueId> {
        let pick = |at: u32| usable[(word >> at) as usize % usable.len()];
        let (a, b) = (self.full(pick(8))?, self.full(pick(24))?);
        let truth = |maker: &Self, id: ValueId| maker.body.metas[id].dtype == DType::Bool;
        if truth(self, a) || truth(self, b) {
            let (mask, x) = if truth(self, a) { (a, b) } else { (b, a) };
            if truth(self, x) {
                return self
                    .push(Op::Binary([BinaryOp::And, BinaryOp::Or, BinaryOp::Xor][word as usize % 3]), &[mask, x]);
            }
            let zero = Op::Fill { value: Scalar::Float(0.0), shape: self.ones(), dtype: self.body.metas[x].dtype };
            let zero = self.push(zero, &[])?;
            let zero = self.full(zero)?;
            return self.push(Op::Select, &[mask, x, zero]);
        }
        match word % 14 {
            0 => self.push(Op::Unary(UnaryOp::Tanh), &[a]),
            1 => self.push(Op::Unary(UnaryOp::Neg), &[a]),
            2 => {
                let sum = self.push(Op::Binary(BinaryOp::Add), &[a, b])?;
                self.push(Op::Unary(UnaryOp::Sigmoid), &[sum])
            }
            3 => {
                let product = self.push(Op::Binary(BinaryOp::Mul), &[a, b])?;
                self.push(Op::Unary(UnaryOp::Sin), &[product])
            }
            4 => self.push(Op::Binary(BinaryOp::Maximum), &[a, b]),
            5 => self.push(Op::Binary(BinaryOp::Minimum), &[a, b]),
            6 => self.push(Op::Unary(UnaryOp::Abs), &[a]),
            7 => self.push(Op::Compare(CompareOp::Less), &[a, b]),
            8 => self.fold(ReduceOp::Max, a, vec![self.space.len() - 1]),
            9 => {
                let sum = self.fold(ReduceOp::Sum, a, vec![self.space.len() - 1])?;
                self.push(Op::Unary(UnaryOp::Tanh), &[sum])
            }
            10 | 11 => {
                let c = self.full(pick(40))?;
                if truth(self, c) {
                    return self.push(Op::Binary(BinaryOp::Maximum), &[b, a]);
                }
                let binary = |op: u64| [BinaryOp::Mul, BinaryOp::Add, BinaryOp::Sub][op as usize % 3];
                let first = self.push(Op::Binary(binary(word >> 48)), &[a, b])?;
                let sides = if word % 14 == 10 { [first, c] } else { [c, first] };
                let second = self.push(Op::Binary(binary(word >> 52)), &sides)?;
                self.push(Op::Unary(UnaryOp::Sin), &[second])
            }
            12 => {
                let op = CompareOp::ALL[(word >> 40) as usize % CompareOp::ALL.len()];
                let mask = self.push(Op::Compare(op), &[a, b])?;
                self.push(Op::Select, &[mask, b, a])
            }
            _ => self.push(Op::Binary(BinaryOp::Maximum), &[b, a]),
        }
    }

    fn ones(&self) -> trainsmith_core::shape::Shape {
        vec![1; self.space.len()].into()
    }

    /// The body of these words: a few values leave, and maybe sums over the rows or over everything.
    fn build(mut self, words: &[u64]) -> Option<Program> {
        let mut usable: Vec<ValueId> = (0..self.body.inputs).collect();
        let mut made = vec![];
        for &word in words {
            let id = self.grow(word, &usable)?;
            usable.push(id);
            made.push(id);
        }
        let last = *made.last()?;
        let mut outputs = vec![last, made[words[0] as usize % made.len()]];
        outputs.dedup();
        if self.body.metas[last].dtype != DType::Bool && self.body.metas[last].shape[..] == self.space[..] {
            let rank = self.space.len();
            match words[0] % 3 {
                0 if rank > 1 => outputs.push(self.fold(ReduceOp::Sum, last, (0..rank - 1).collect())?),
                1 => outputs.push(self.fold(ReduceOp::Sum, last, (0..rank).collect())?),
                _ => {}
            }
        }
        self.body.outputs = outputs;
        Some(self.body)
    }
}

/// A program of one fused op.
fn program(body: Program) -> Option<Program> {
    let op = FusedOp::new(body).ok()?;
    let metas: Vec<Meta> = op.body.outputs.iter().map(|&o| op.body.metas[o].clone()).collect();
    let mut program = Program::with_inputs(op.body.metas[..op.body.inputs].iter().cloned());
    let inputs = (0..op.body.inputs).collect();
    let first = program.push(Op::Fused(op), inputs, &metas, None);
    program.outputs = (first..first + metas.len()).collect();
    Some(program)
}

fn inputs(program: &Program, device: Device) -> Vec<Value> {
    let input = |(place, meta): (usize, &Meta)| {
        let (low, high) = if meta.dtype == DType::Bool { (0.0, 1.0) } else { (-2.0, 2.0) };
        let numbers = draw(place as u64, meta.dtype, low, high, meta.shape.numel());
        value(device, meta, Layout::contiguous(meta.shape.clone()), &numbers)
    };
    program.metas[..program.inputs].iter().enumerate().map(input).collect()
}

fn run(program: &Program, device: Device) -> Vec<Value> {
    let mut outputs = vec![];
    let done = backend::of(device).run_plan(
        &memory::plan(program, &[]),
        &mut Workspace::default(),
        &mut inputs(program, device),
        &mut outputs,
    );
    done.unwrap_or_else(|error| panic!("{error}\n{program}"));
    outputs
}

fn bits(values: &[Value]) -> Vec<u128> {
    values.iter().flat_map(numbers).map(|number| number.bits().1).collect()
}

fn assert_near(got: &[Value], want: &[Value], error: f64, program: &Program) {
    for (got, want) in got.iter().zip(want) {
        let scale = (want.shape().numel().max(1) as f64).recip().max(1e-3) * 1e3;
        for (a, b) in numbers(got).into_iter().zip(numbers(want)) {
            let near = match (a, b) {
                (Scalar::Float(a), Scalar::Float(b)) => (a - b).abs() <= error * scale * (1.0 + b.abs()),
                (a, b) => a == b,
            };
            assert!(near, "{a:?} instead of {b:?}\n{program}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn compiled_bodies_mean_what_they_say(
        words in prop::collection::vec(any::<u64>(), 1..9),
        space in 0..SPACES.len(),
        wide in any::<bool>(),
    ) {
        let dtype = if wide { DType::F64 } else { DType::F32 };
        let Some(program) = Maker::new(SPACES[space], dtype).build(&words).and_then(program) else { return Ok(()) };
        set_num_threads(1).expect("one thread");
        let got = run(&program, Device::Cpu);
        let body = match &program.instructions[0].op {
            Op::Fused(op) => std::sync::Arc::clone(&op.body),
            other => panic!("{other:?}"),
        };
        let plain = interpret(backend::of(Device::Cpu), &body, &inputs(&program, Device::Cpu)).expect("an eager run");
        let error = if wide { 1e-12 } else { 2e-5 };
        assert_near(&got, &plain, error, &body);
        let folds = body.instructions.iter().any(|instruction| matches!(instruction.op, Op::Reduce { .. }));
        prop_assert!(folds || bits(&got) == bits(&plain), "other bits than one op at a time\n{body}");
        for threads in [2, 3] {
            set_num_threads(threads).expect("more threads");
            prop_assert!(bits(&run(&program, Device::Cpu)) == bits(&got), "{threads} threads\n{body}");
        }
    }
}

/// A body of one instruction chain over a space that no operand shows, from one number.
fn chain(ops: &[(Op, &[ValueId])], inputs: Vec<Meta>) -> Program {
    let mut body = Program::with_inputs(inputs);
    for (op, from) in ops {
        let metas: Vec<Meta> = from.iter().map(|&i| body.metas[i].clone()).collect();
        let results = infer(op, &metas).expect("a well-formed chain");
        body.push(op.clone(), SmallVec::from_slice(from), &results, None);
    }
    body.outputs = vec![body.metas.len() - 1];
    program(body).expect("a fused body")
}

fn assert_means_what_it_says(program: &Program) {
    let Op::Fused(op) = &program.instructions[0].op else { panic!("no fused op") };
    let plain = interpret(backend::of(Device::Cpu), &op.body, &inputs(program, Device::Cpu)).expect("an eager run");
    assert_eq!(bits(&run(program, Device::Cpu)), bits(&plain), "{}", op.body);
}

#[test]
fn a_fold_over_columns_that_no_operand_shows() {
    let ops = [
        (Op::View(ViewOp::Expand([2, 12].into())), &[0][..]),
        (Op::Reduce { op: ReduceOp::Sum, axes: vec![1] }, &[1]),
        (Op::View(ViewOp::Reshape([2, 1].into())), &[2]),
    ];
    assert_means_what_it_says(&chain(&ops, vec![Meta::new([1, 1], DType::F32)]));
}

#[test]
fn a_value_of_some_rows_that_becomes_one_of_each_row() {
    let ops = [
        (Op::View(ViewOp::Expand([2, 3, 1].into())), &[0][..]),
        (Op::Unary(UnaryOp::Neg), &[2]),
        (Op::View(ViewOp::Expand([2, 3, 3].into())), &[3]),
        (Op::Binary(BinaryOp::Add), &[4, 1]),
    ];
    assert_means_what_it_says(&chain(&ops, vec![Meta::new([2, 1, 1], DType::F32), Meta::new([2, 3, 3], DType::F32)]));
}

#[test]
fn a_truth_value_of_any_number_is_one() {
    let ops = [
        (Op::Fill { value: Scalar::Int(-1), shape: [1].into(), dtype: DType::Bool }, &[][..]),
        (Op::View(ViewOp::Expand([3000].into())), &[0]),
        (Op::Cast(DType::F64), &[1]),
    ];
    assert_means_what_it_says(&chain(&ops, vec![]));
}
