//! Elementwise ops on one thread, in GB/s read and written beside a plain copy. What it proves: cheap ops run at the speed
//! of memory, and elementary functions at a few tenths of a nanosecond an element. Figures are those of the machine.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use trainsmith_core::backend::Backend;
use trainsmith_core::backend::cpu::CPU;
use trainsmith_core::buffer::{Meta, Value};
use trainsmith_core::dtype::DType;
use trainsmith_core::ir::{BinaryOp, CompareOp, Op, ReduceOp, UnaryOp};

/// Elements: in the second cache, and in memory.
const SIZES: [usize; 2] = [32 * 1024, 16 * 1024 * 1024];

fn vector(len: usize) -> Value {
    let numbers: Vec<f32> = (0..len).map(|i| (i % 1013) as f32 * 0.01 - 5.0).collect();
    CPU.upload(bytemuck::cast_slice(&numbers), &Meta::new([len], DType::F32)).expect("an upload")
}

fn elementwise(criterion: &mut Criterion) {
    for len in SIZES {
        let mut group = criterion.benchmark_group(format!("{len} f32"));
        let (x, y) = (vector(len), vector(len));
        let (from, mut to) = (vec![1f32; len], vec![0f32; len]);
        group.throughput(Throughput::Bytes(8 * len as u64));
        group.bench_function("copy", |b| b.iter(|| to.copy_from_slice(&from)));
        for op in [
            UnaryOp::Neg,
            UnaryOp::Sqrt,
            UnaryOp::Exp,
            UnaryOp::Log,
            UnaryOp::Tanh,
            UnaryOp::Sigmoid,
            UnaryOp::Erf,
            UnaryOp::Sin,
        ] {
            let op = Op::Unary(op);
            group
                .bench_function(op.name(), |b| b.iter(|| CPU.run_op(&op, std::slice::from_ref(&x)).expect("a result")));
        }
        let sum = Op::Reduce { op: ReduceOp::Sum, axes: vec![0] };
        group.throughput(Throughput::Bytes(4 * len as u64));
        group.bench_function("sum", |b| b.iter(|| CPU.run_op(&sum, std::slice::from_ref(&x)).expect("a result")));
        group.throughput(Throughput::Bytes(12 * len as u64));
        for op in [Op::Binary(BinaryOp::Add), Op::Binary(BinaryOp::Maximum), Op::Compare(CompareOp::Less)] {
            let inputs = [x.clone(), y.clone()];
            group.bench_function(op.name(), |b| b.iter(|| CPU.run_op(&op, &inputs).expect("a result")));
        }
        group.finish();
    }
}

criterion_group!(benches, elementwise);
criterion_main!(benches);
