use super::super::testing::{run, tensor};
use super::*;
use crate::dtype::DType;
use crate::ir::op::Op;

fn plain(spatial: usize) -> ConvOp {
    ConvOp {
        strides: vec![1; spatial],
        low: vec![0; spatial],
        high: vec![0; spatial],
        input_dilation: vec![1; spatial],
        kernel_dilation: vec![1; spatial],
        groups: 1,
        batch_groups: 1,
    }
}

fn line(op: ConvOp, x: &[f32], kernel: &[f32]) -> Vec<f32> {
    let x = tensor(x, &[1, 1, x.len()], DType::F32);
    run(&Op::Conv(op), &[x, tensor(kernel, &[1, 1, kernel.len()], DType::F32)])
}

#[test]
fn windows_move_pad_crop_and_dilate() {
    let (x, k) = ([1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 10.0, 100.0]);
    assert_eq!(line(plain(1), &x, &k), [321.0, 432.0, 543.0]);
    assert_eq!(line(ConvOp { strides: vec![2], ..plain(1) }, &x, &k), [321.0, 543.0]);
    assert_eq!(
        line(ConvOp { low: vec![2], high: vec![1], ..plain(1) }, &x, &k),
        [100.0, 210.0, 321.0, 432.0, 543.0, 54.0]
    );
    assert_eq!(line(ConvOp { low: vec![-1], high: vec![-1], ..plain(1) }, &x, &k), [432.0]);
    assert_eq!(line(ConvOp { kernel_dilation: vec![2], ..plain(1) }, &x, &k), [531.0]);
    let spread = ConvOp { input_dilation: vec![3], low: vec![1], strides: vec![2], ..plain(1) };
    // The input is 0 1 0 0 2 0 0 3 0 0 4 0 0 5.
    assert_eq!(line(spread, &x, &k), [10.0, 200.0, 2.0, 30.0, 400.0, 4.0]);
}

#[test]
fn planes_follow_strides_of_their_own() {
    let x: Vec<f64> = (0..12).map(f64::from).collect();
    let x = tensor(&x, &[1, 1, 4, 3], DType::F64);
    let turned = x.with_layout(x.layout.permute(&[0, 1, 3, 2]));
    let kernel = tensor(&[1.0, 0.0, 0.0, 1.0], &[1, 1, 2, 2], DType::F64);
    let op = Op::Conv(plain(2));
    assert_eq!(run::<f64>(&op, &[x, kernel.clone()]), [4.0, 6.0, 10.0, 12.0, 16.0, 18.0]);
    assert_eq!(run::<f64>(&op, &[turned, kernel]), [4.0, 10.0, 16.0, 6.0, 12.0, 18.0]);
}

#[test]
fn channels_add_up_within_their_group() {
    let x = tensor(&[1f32, 2.0, 3.0, 4.0], &[1, 4, 1], DType::F32);
    let kernel = tensor(&[1f32, 10.0, 1.0, 100.0], &[2, 2, 1], DType::F32);
    let op = Op::Conv(ConvOp { groups: 2, ..plain(1) });
    assert_eq!(run::<f32>(&op, &[x, kernel]), [21.0, 403.0]);
}

#[test]
fn batch_groups_lie_beside_each_other_in_the_channels() {
    // Four examples in two groups: outputs 0 and 1 see examples 0 and 1, outputs 2 and 3 see examples 2 and 3.
    let x = tensor(&[1f32, 2.0, 3.0, 4.0], &[4, 1, 1], DType::F32);
    let kernel = tensor(&[1f32, 10.0, 100.0, 1000.0], &[4, 1, 1], DType::F32);
    let op = Op::Conv(ConvOp { batch_groups: 2, ..plain(1) });
    assert_eq!(run::<f32>(&op, &[x, kernel]), [1.0, 10.0, 300.0, 3000.0, 2.0, 20.0, 400.0, 4000.0]);
}

#[test]
fn nothing_convolved_is_zero() {
    let x = tensor::<f32>(&[], &[1, 0, 3], DType::F32);
    let kernel = tensor::<f32>(&[], &[2, 0, 2], DType::F32);
    assert_eq!(run::<f32>(&Op::Conv(plain(1)), &[x, kernel]), [0.0; 4]);
}

/// One axis: places, stride, taps, dilations of both, cropping or border.
type Drawn = (usize, usize, usize, usize, usize, isize);

fn compare(axes: &[Drawn], batch: usize, channels: usize, outputs: usize, groups: (usize, usize), swapped: bool) {
    let (mut op, mut x, mut k) = (plain(axes.len()), vec![], vec![]);
    (op.groups, op.batch_groups) = groups;
    for (axis, &(places, stride, taps, gap, dilation, low)) in axes.iter().enumerate() {
        (op.strides[axis], op.input_dilation[axis], op.kernel_dilation[axis]) = (stride, gap, dilation);
        let reach = (places - 1) * stride + (taps - 1) * dilation + 1;
        let size = reach.div_ceil(gap).saturating_sub(low.unsigned_abs()).max(1);
        op.low[axis] = low;
        op.high[axis] = reach as isize - low - ((size - 1) * gap + 1) as isize;
        x.push(size);
        k.push(taps);
    }
    let x_shape = [vec![batch * groups.1, channels * groups.0], x].concat();
    let k_shape = [vec![outputs * groups.0 * groups.1, channels], k].concat();
    let values = |shape: &[usize], seed: usize| -> Vec<f64> {
        (0..shape.iter().product()).map(|i: usize| ((i * 7 + seed) % 31) as f64 - 15.0).collect()
    };
    let value = |shape: &[usize], seed: usize| {
        if !swapped {
            return tensor(&values(shape, seed), shape, DType::F64);
        }
        // The two leading axes lie the other way round in memory.
        let turned = [&[shape[1], shape[0]], &shape[2..]].concat();
        let value = tensor(&values(&turned, seed), &turned, DType::F64);
        let perm: Vec<usize> = [1, 0].into_iter().chain(2..shape.len()).collect();
        value.with_layout(value.layout.permute(&perm))
    };
    let (x, k) = (value(&x_shape, 3), value(&k_shape, 11));
    let metas = crate::backend::result_metas(&Op::Conv(op.clone()), &[x.clone(), k.clone()]).unwrap();
    let mut wanted = vec![f64::NAN; metas[0].shape.numel()];
    let mut to = Dst { bytes: bytemuck::cast_slice_mut(&mut wanted), meta: &metas[0] };
    direct::direct::<f64>(
        &op,
        &super::super::source("conv", &x).unwrap(),
        &super::super::source("conv", &k).unwrap(),
        &mut to,
    )
    .unwrap();
    assert_eq!(
        run::<f64>(&Op::Conv(op.clone()), &[x.clone(), k.clone()]),
        wanted,
        "{op:?} {x_shape:?} {k_shape:?} {swapped}"
    );
    let narrowed = |value: &crate::buffer::Value| run::<f32>(&Op::Cast(DType::F32), std::slice::from_ref(value));
    let [x_narrow, k_narrow] =
        [(&x, &x_shape), (&k, &k_shape)].map(|(v, shape)| tensor(&narrowed(v), shape, DType::F32));
    let wanted_narrow: Vec<f32> = wanted.iter().map(|&sum| sum as f32).collect();
    assert_eq!(
        run::<f32>(&Op::Conv(op.clone()), &[x_narrow, k_narrow]),
        wanted_narrow,
        "{op:?} {x_shape:?} {k_shape:?}"
    );
    let (plane, outputs) = (metas[0].shape[2..].iter().product::<usize>(), metas[0].shape[1]);
    let mut shape = vec![1; metas[0].shape.len()];
    shape[1] = outputs;
    let bias = tensor(&values(&shape, 5), &shape, DType::F64);
    for (with_bias, relu) in [(true, false), (false, true), (true, true)] {
        let added = |i: usize| if with_bias { values(&shape, 5)[i / plane % outputs] } else { 0.0 };
        let changed: Vec<f64> = wanted.iter().enumerate().map(|(i, sum)| sum + added(i)).collect();
        let changed: Vec<f64> = changed.into_iter().map(|x| if relu && x <= 0.0 { 0.0 } else { x }).collect();
        let source = |value| super::super::source("conv", value).unwrap();
        let last = Last { bias: with_bias.then(|| source(&bias)), relu };
        let mut found = vec![f64::NAN; wanted.len()];
        let mut to = Dst { bytes: bytemuck::cast_slice_mut(&mut found), meta: &metas[0] };
        conv(&op, &source(&x), &source(&k), &last, &mut to).unwrap();
        assert_eq!(found, changed, "{op:?} {x_shape:?} {k_shape:?} {swapped} {with_bias} {relu}");
    }
}

proptest::proptest! {
    /// Sums of small integers are exact, so the order of terms does not matter.
    #[test]
    fn every_window_is_that_of_the_direct_loops(
        axes in proptest::collection::vec((1usize..12, 1usize..4, 1usize..6, 1usize..4, 1usize..3, -1isize..4), 1..4),
        (batch, channels, outputs) in (1usize..20, 1usize..6, 1usize..40),
        groups in proptest::prop_oneof![proptest::prelude::Just((1, 1)), proptest::prelude::Just((3, 1)), proptest::prelude::Just((1, 2))],
        (swapped, exchanged) in proptest::prelude::any::<(bool, bool)>(),
    ) {
        // Exchanging places and taps makes a kernel wider than its result.
        let turn = |&(places, stride, taps, gap, dilation, low): &Drawn| {
            if exchanged { (taps, dilation, places, gap, stride, low) } else { (places, stride, taps, gap, dilation, low) }
        };
        let axes: Vec<Drawn> = axes.iter().map(turn).collect();
        compare(&axes, batch, channels, outputs, groups, swapped);
    }
}

#[test]
fn bands_and_blocks_of_large_planes_join() {
    let axes = [(40, 1, 3, 1, 1, 1), (230, 1, 3, 1, 1, 1)];
    compare(&axes, 2, 70, 3, (1, 1), false);
    compare(&[(14, 1, 3, 1, 1, 1); 2], 2, 60, 35, (1, 1), false);
    let turned = [(3, 1, 40, 1, 1, 1), (3, 1, 230, 1, 1, 1)];
    compare(&turned, 19, 2, 7, (1, 1), true);
    compare(&turned, 3, 2, 9, (1, 1), false);
    compare(&[(3, 1, 14, 1, 1, 1); 2], 70, 30, 20, (1, 1), true);
    compare(&[(5, 2, 28, 1, 1, 1); 2], 1, 40, 33, (1, 1), true);
    compare(&[(5000, 2, 7, 1, 1, 3)], 1, 2, 3, (1, 1), false);
    compare(&[(6, 1, 3, 1, 1, 1); 2], 1, 700, 400, (1, 1), false);
    compare(&[(3, 1, 6, 1, 1, 1); 2], 130, 1, 300, (1, 1), false);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

    /// Kernels of 3 x 3 and their gradients, by fewer products: small integers and their halves are exact there too.
    #[test]
    fn tiles_of_small_kernels_are_the_direct_loops(
        (down, across) in (6usize..20, 6usize..45),
        (above, left) in (-1isize..4, -1isize..4),
        (batch, channels, outputs) in (1usize..5, 16usize..30, 16usize..70),
        (swapped, exchanged) in proptest::prelude::any::<(bool, bool)>(),
    ) {
        if exchanged {
            compare(&[(3, 1, down, 1, 1, above), (3, 1, across, 1, 1, left)], channels, batch, outputs, (1, 1), swapped);
        } else {
            compare(&[(down, 1, 3, 1, 1, above), (across, 1, 3, 1, 1, left)], batch, channels, outputs, (1, 1), swapped);
        }
    }
}

/// The largest error of sums over small kernels, in parts of the sum of the sizes of their terms.
fn error(op: &ConvOp, x: &[usize], k: &[usize], turned: bool) -> f64 {
    let values = |shape: &[usize], seed: f64| -> Vec<f32> {
        (0..shape.iter().product()).map(|i: usize| (i as f64 * 0.713 + seed).sin() as f32).collect()
    };
    let (a, b) = (values(x, 0.1), values(k, 0.7));
    let value = |values: &[f64], shape: &[usize]| {
        let value = tensor(values, shape, DType::F64);
        if turned { value.with_layout(value.layout.permute(&[1, 0, 2, 3])) } else { value }
    };
    let sum = |f: fn(f64) -> f64| {
        let [a, b] = [&a, &b].map(|values| values.iter().map(|&x| f(f64::from(x))).collect::<Vec<f64>>());
        let (a, b) = (value(&a, x), value(&b, k));
        let metas = crate::backend::result_metas(&Op::Conv(op.clone()), &[a.clone(), b.clone()]).unwrap();
        let mut sums = vec![0.0; metas[0].shape.numel()];
        let mut to = Dst { bytes: bytemuck::cast_slice_mut(&mut sums), meta: &metas[0] };
        let source = |value| super::super::source("conv", value).unwrap();
        direct::direct::<f64>(op, &source(&a), &source(&b), &mut to).unwrap();
        sums
    };
    let value = |values: &[f32], shape: &[usize]| {
        let value = tensor(values, shape, DType::F32);
        if turned { value.with_layout(value.layout.permute(&[1, 0, 2, 3])) } else { value }
    };
    let got = run::<f32>(&Op::Conv(op.clone()), &[value(&a, x), value(&b, k)]);
    let (wanted, sizes) = (sum(|x| x), sum(f64::abs));
    got.iter()
        .zip(&wanted)
        .zip(&sizes)
        .map(|((&got, wanted), size)| (f64::from(got) - wanted).abs() / size)
        .fold(0.0, f64::max)
}

#[test]
fn fewer_products_lose_few_digits() {
    let op = ConvOp { low: vec![1, 1], high: vec![1, 1], ..plain(2) };
    let forward = error(&op, &[2, 64, 14, 14], &[32, 64, 3, 3], false);
    let gradient = error(&op, &[8, 32, 14, 14], &[8, 64, 14, 14], true);
    assert!(forward < 1e-6 && gradient < 1e-6, "{forward:e} {gradient:e}");
}
