//! Convolutions and pools on one thread, in GFLOP/s (elements are floating-point operations; of pools, elements): a layer
//! forward and both of its gradients, a layer of one channel, of one tap, of one channel a group, and of stride 2. What it
//! proves: the share of the peak of `products.rs` that a convolution reaches, copies of borders included.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use trainsmith_core::backend::Backend;
use trainsmith_core::backend::cpu::CPU;
use trainsmith_core::buffer::{Meta, Value};
use trainsmith_core::dtype::DType;
use trainsmith_core::ir::Op;
use trainsmith_core::ir::op::{Composite, ConvOp, PoolKind, PoolOp};

fn value(shape: [usize; 4]) -> Value {
    let numbers: Vec<f32> = (0..shape.iter().product()).map(|i: usize| (i * 7 % 31) as f32 * 0.1 - 1.5).collect();
    CPU.upload(bytemuck::cast_slice(&numbers), &Meta::new(shape, DType::F32)).expect("an upload")
}

fn swapped(value: &Value) -> Value {
    value.with_layout(value.layout.permute(&[1, 0, 2, 3]))
}

fn conv(stride: usize, border: isize, groups: usize) -> ConvOp {
    ConvOp {
        strides: vec![stride; 2],
        low: vec![border; 2],
        high: vec![border; 2],
        input_dilation: vec![1; 2],
        kernel_dilation: vec![1; 2],
        groups,
        batch_groups: 1,
    }
}

/// Batch, channels in and out, side, taps along a side, stride, groups.
const LAYERS: [(usize, usize, usize, usize, usize, usize, usize); 7] = [
    (16, 32, 64, 14, 3, 1, 1),
    (16, 1, 32, 28, 3, 1, 1),
    (8, 3, 64, 64, 7, 2, 1),
    (8, 128, 128, 28, 3, 1, 1),
    (8, 128, 256, 7, 3, 1, 1),
    (8, 64, 256, 14, 1, 1, 1),
    (8, 128, 128, 28, 3, 1, 128),
];

fn convolutions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("conv f32");
    for (n, c, o, side, k, stride, groups) in LAYERS {
        let op = conv(stride, (k / 2) as isize, groups);
        let (x, weights) = (value([n, c, side, side]), value([o, c / groups, k, k]));
        let out = (side - 1) / stride + 1;
        let g = value([n, o, out, out]);
        group.throughput(Throughput::Elements((2 * n * o * out * out * c / groups * k * k) as u64));
        let name = format!("[{n},{c},{side},{side}] to {o}, {k}x{k}, stride {stride}, groups {groups}");
        let forward = [x.clone(), weights];
        group.bench_function(format!("forward {name}"), |b| {
            b.iter(|| CPU.run_op(&Op::Conv(op.clone()), &forward).expect("a convolution"));
        });
        let flipped = value([c, o / groups, k, k]);
        let border = (k - 1 - k / 2) as isize;
        let mut back = ConvOp { input_dilation: vec![stride; 2], ..conv(1, border, groups) };
        back.high = vec![(side + k - 1) as isize - ((out - 1) * stride + 1) as isize - border; 2];
        let inputs = [g.clone(), flipped];
        group.bench_function(format!("input gradient {name}"), |b| {
            b.iter(|| CPU.run_op(&Op::Conv(back.clone()), &inputs).expect("a convolution"));
        });
        let border = (k / 2) as isize;
        let reach = (out - 1) * stride + k;
        let mut weight = ConvOp { kernel_dilation: vec![stride; 2], batch_groups: groups, ..conv(1, border, 1) };
        weight.high = vec![reach as isize - side as isize - border; 2];
        let inputs = [swapped(&x), swapped(&g)];
        group.bench_function(format!("kernel gradient {name}"), |b| {
            b.iter(|| CPU.run_op(&Op::Conv(weight.clone()), &inputs).expect("a convolution"));
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group("pool f32");
    for (window, stride) in [(2, 2), (3, 1)] {
        let low = (window - 1) / 2;
        for kind in [PoolKind::Max, PoolKind::Sum] {
            let pool = PoolOp {
                kind,
                window: vec![window; 2],
                strides: vec![stride; 2],
                low: vec![low; 2],
                high: vec![low; 2],
                dilation: vec![1; 2],
            };
            let x = value([16, 32, 28, 28]);
            group.throughput(Throughput::Elements(16 * 32 * 28 * 28));
            group.bench_function(format!("{kind:?} {window}x{window}, stride {stride}"), |b| {
                let op = Op::Composite(Composite::Pool(pool.clone()));
                b.iter(|| CPU.run_op(&op, std::slice::from_ref(&x)).expect("a pool"));
            });
            let out = (28 + 2 * low - window) / stride + 1;
            let g = value([16, 32, out, out]);
            group.bench_function(format!("gradient of {kind:?} {window}x{window}, stride {stride}"), |b| {
                let op = Op::Composite(Composite::PoolGrad { pool: pool.clone(), sizes: vec![28, 28] });
                let inputs = if kind == PoolKind::Max { vec![g.clone(), x.clone()] } else { vec![g.clone()] };
                b.iter(|| CPU.run_op(&op, &inputs).expect("a gradient"));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, convolutions);
criterion_main!(benches);
