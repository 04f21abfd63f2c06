//! Same inputs, same bits, run after run: programs and plans on every backend, from one thread and from several.

mod common {
    pub(crate) mod draw;
    pub(crate) mod lies;
    pub(crate) mod programs;
    pub(crate) mod steps;
    pub(crate) mod structures;
    pub(crate) mod values;
}

use common::draw::draw;
use common::programs::{build, inputs};
use common::values::{numbers, value};
use trainsmith_core::backend::{self, Workspace, interpret};
use trainsmith_core::buffer::{Meta, Value};
use trainsmith_core::device::Device;
use trainsmith_core::dtype::DType;
use trainsmith_core::ir::{CumulateOp, Op, RandomOp, ReduceOp};
use trainsmith_core::layout::Layout;
use trainsmith_core::passes::memory;
use trainsmith_core::rng;

const DEVICES: [Device; 2] = [Device::Cpu, Device::Reference];

/// The words of one random program.
fn words(seed: u64) -> Vec<u64> {
    (0..20).map(|i| u64::from(rng::word(seed, 0, i, 0)) << 32 | u64::from(rng::word(seed, 0, i, 1))).collect()
}

fn bits(values: &[Value]) -> Vec<u128> {
    values.iter().flat_map(numbers).map(|number| number.bits().1).collect()
}

fn program_bits(seed: u64, device: Device) -> Vec<u128> {
    let program = build(&words(seed), device).program;
    let values = interpret(backend::of(device), &program, &inputs(seed, device));
    bits(&values.unwrap_or_else(|error| panic!("{error}\n{program}")))
}

fn plan_bits(seed: u64, device: Device) -> Vec<u128> {
    let program = build(&words(seed), device).program;
    let plan = memory::plan(&program, &[]);
    let mut values = vec![];
    let done = backend::of(device).run_plan(&plan, &mut Workspace::default(), &mut inputs(seed, device), &mut values);
    done.unwrap_or_else(|error| panic!("{error}\n{program}"));
    bits(&values)
}

#[test]
fn programs_give_the_same_bits_twice() {
    for device in DEVICES {
        for seed in 0..100 {
            assert_eq!(program_bits(seed, device), program_bits(seed, device), "seed {seed} on {device}");
            assert_eq!(plan_bits(seed, device), plan_bits(seed, device), "plan of seed {seed} on {device}");
        }
    }
}

#[test]
fn threads_that_run_at_once_do_not_disturb_each_other() {
    let alone: Vec<Vec<u128>> = (0..20).map(|seed| plan_bits(seed, Device::Cpu)).collect();
    let run = || (0..20).map(|seed| plan_bits(seed, Device::Cpu)).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        for thread in threads {
            assert_eq!(thread.join().expect("a run without a panic"), alone);
        }
    });
}

/// Long enough that a backend splits the work; the order of the sum is a function of the shape alone.
#[test]
fn long_folds_give_the_same_bits_every_time() {
    let meta = Meta::new([300, 700], DType::F32);
    let numbers = draw(5, meta.dtype, -1.0, 1.0, 300 * 700);
    let plain = value(Device::Cpu, &meta, Layout::contiguous(meta.shape.clone()), &numbers);
    let run = |op: &Op| bits(&backend::of(Device::Cpu).run_op(op, std::slice::from_ref(&plain)).expect("a fold"));
    for axes in [vec![0], vec![1], vec![0, 1]] {
        let op = Op::Reduce { op: ReduceOp::Sum, axes };
        let first = run(&op);
        assert!((0..5).all(|_| run(&op) == first), "{op:?}");
    }
    let op = Op::Cumulate { op: CumulateOp::Sum, axis: 1, reverse: false };
    assert_eq!(run(&op), run(&op));
}

/// Philox words do not depend on the shape they fill, nor on the backend.
#[test]
fn draws_are_the_same_words_everywhere() {
    let state = Meta::new([2], DType::I64);
    let numbers = draw(3, state.dtype, 0.0, 1e15, 2);
    let draw = |device, shape: &[usize]| {
        let op = Op::Random { kind: RandomOp::Bits, shape: shape.into(), dtype: DType::I64 };
        let state = value(device, &state, Layout::contiguous([2].into()), &numbers);
        bits(&backend::of(device).run_op(&op, &[state]).expect("a draw"))
    };
    let flat = draw(Device::Reference, &[5000]);
    assert_eq!(draw(Device::Cpu, &[5000]), flat);
    assert_eq!(draw(Device::Cpu, &[50, 100]), flat);
    assert_eq!(draw(Device::Cpu, &[100]), flat[..100]);
}
