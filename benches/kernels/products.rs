//! Matrix products on one thread, in GFLOP/s beside the machine's peak: shapes of training steps and squares, in all four
//! cases of transposes. What it proves: the share of the peak that a product reaches, which the first line of each group
//! measures by a loop of fused multiply-adds. Figures are those of the machine that runs it.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use trainsmith_core::backend::Backend;
use trainsmith_core::backend::cpu::CPU;
use trainsmith_core::buffer::{Meta, Value};
use trainsmith_core::dtype::DType;
use trainsmith_core::ir::Op;

/// Rows, depth and columns.
const SHAPES: [(usize, usize, usize); 10] = [
    (64, 64, 64),
    (128, 128, 128),
    (256, 256, 256),
    (512, 512, 512),
    (1024, 1024, 1024),
    (256, 32, 128),
    (256, 128, 10),
    (128, 784, 512),
    (1024, 128, 384),
    (1, 512, 512),
];

fn matrix(rows: usize, columns: usize, turned: bool) -> Value {
    let numbers: Vec<f32> = (0..rows * columns).map(|i| (i * 7 % 31) as f32 * 0.1 - 1.5).collect();
    let shape = if turned { [columns, rows] } else { [rows, columns] };
    let value = CPU.upload(bytemuck::cast_slice(&numbers), &Meta::new(shape, DType::F32)).expect("an upload");
    if turned { value.with_layout(value.layout.permute(&[1, 0])) } else { value }
}

/// Twelve independent chains of multiply-adds over eight lanes each, `turns` times.
#[allow(clippy::inline_always, reason = "it must end up where its instruction set is switched on")]
#[inline(always)]
fn chains(turns: usize) -> f32 {
    let mut sums = [[0f32; 8]; 12];
    for _ in 0..turns {
        for x in sums.as_flattened_mut() {
            *x = x.mul_add(0.999, 1e-3);
        }
    }
    sums.as_flattened().iter().sum()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn chains_avx2(turns: usize) -> f32 {
    chains(turns)
}

#[allow(unsafe_code, reason = "the peak is measured with the instructions that the kernels use")]
fn peak(turns: usize) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the machine has the instructions.
        return unsafe { chains_avx2(turns) };
    }
    chains(turns)
}

fn products(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("matmul f32, elements are floating-point operations");
    let turns = 10_000;
    group.throughput(Throughput::Elements(turns as u64 * 12 * 8 * 2));
    group.bench_function("peak of multiply-adds (AVX2)", |b| b.iter(|| peak(black_box(turns))));
    for (m, k, n) in SHAPES {
        group.throughput(Throughput::Elements(2 * (m * k * n) as u64));
        for (left, right) in [(false, false), (true, false), (false, true), (true, true)] {
            let inputs = [matrix(m, k, left), matrix(k, n, right)];
            let mark = |turned| if turned { "T" } else { "" };
            group.bench_function(format!("[{m},{k}]{} x [{k},{n}]{}", mark(left), mark(right)), |b| {
                b.iter(|| CPU.run_op(&Op::MatMul, &inputs).expect("a product"));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, products);
criterion_main!(benches);
