//! What ops mean where definitions part: the reference backend against literals from NumPy, C and XLA.
//!
//! Everything else is tested against the reference, so the reference is tested against numbers written down.

mod common {
    pub(crate) mod values;
}

use common::values::{numbers, value};
use trainsmith_core::backend;
use trainsmith_core::buffer::{Meta, Value};
use trainsmith_core::device::Device;
use trainsmith_core::dtype::{DType, Scalar};
use trainsmith_core::error::Error;
use trainsmith_core::ir::{ArgOp, BinaryOp, ConvOp, Op, RandomOp, ReduceOp, UnaryOp};
use trainsmith_core::layout::Layout;
use trainsmith_core::rng;

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

fn tensor(shape: &[usize], dtype: DType, elements: &[f64]) -> Value {
    let elements: Vec<Scalar> =
        elements.iter().map(|&x| if dtype.is_float() { Scalar::Float(x) } else { Scalar::Int(x as i128) }).collect();
    value(Device::Reference, &Meta::new(shape, dtype), Layout::contiguous(shape.into()), &elements)
}

fn run(op: &Op, inputs: &[Value]) -> Vec<f64> {
    let results = backend::of(Device::Reference).run_op(op, inputs).expect("a fitting op");
    numbers(&results[0]).into_iter().map(Scalar::as_f64).collect()
}

fn unary(op: UnaryOp, dtype: DType, x: &[f64]) -> Vec<f64> {
    run(&Op::Unary(op), &[tensor(&[x.len()], dtype, x)])
}

fn binary(op: BinaryOp, dtype: DType, a: &[f64], b: &[f64]) -> Vec<f64> {
    run(&Op::Binary(op), &[tensor(&[a.len()], dtype, a), tensor(&[b.len()], dtype, b)])
}

/// Equal, with NaN equal to itself.
fn assert_same(got: &[f64], want: &[f64]) {
    let same = got.iter().zip(want).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()));
    assert!(same && got.len() == want.len(), "{got:?} instead of {want:?}");
}

#[test]
fn signs_and_ties() {
    assert_same(&unary(UnaryOp::Sign, DType::F32, &[0.0, -3.0, NAN, INF]), &[0.0, -1.0, NAN, 1.0]);
    assert_same(&unary(UnaryOp::Round, DType::F32, &[0.5, 1.5, 2.5, -2.5]), &[0.0, 2.0, 2.0, -2.0]);
    assert_same(&unary(UnaryOp::Not, DType::U8, &[0.0, 5.0]), &[255.0, 250.0]);
    assert_same(&unary(UnaryOp::Neg, DType::I8, &[-128.0, 3.0]), &[-128.0, -3.0]);
}

#[test]
fn extremes_propagate_nan() {
    assert_same(&binary(BinaryOp::Maximum, DType::F64, &[NAN, 1.0, 2.0], &[0.0, NAN, 3.0]), &[NAN, NAN, 3.0]);
    let x = tensor(&[2, 3], DType::F32, &[1.0, NAN, 3.0, 1.0, 5.0, 5.0]);
    assert_same(&run(&Op::Reduce { op: ReduceOp::Max, axes: vec![1] }, std::slice::from_ref(&x)), &[NAN, 5.0]);
    assert_same(&run(&Op::ArgReduce { op: ArgOp::Max, axis: 1 }, std::slice::from_ref(&x)), &[1.0, 1.0]);
    assert_same(&run(&Op::ArgReduce { op: ArgOp::Min, axis: 1 }, &[x]), &[1.0, 0.0]);
}

#[test]
fn integer_division_floors_and_survives_zero() {
    let (a, b) = ([7.0, -7.0, 7.0, -7.0, 3.0], [2.0, 2.0, -2.0, -2.0, 0.0]);
    assert_same(&binary(BinaryOp::FloorDivide, DType::I32, &a, &b), &[3.0, -4.0, -4.0, 3.0, 0.0]);
    assert_same(&binary(BinaryOp::Remainder, DType::I32, &a, &b), &[1.0, 1.0, -1.0, -1.0, 0.0]);
    assert_same(&binary(BinaryOp::FloorDivide, DType::I8, &[-128.0], &[-1.0]), &[-128.0]);
}

#[test]
fn integer_powers_and_shifts_wrap() {
    let (a, b) = ([2.0, -1.0, 1.0, 2.0, 3.0], [-1.0, -3.0, -5.0, 9.0, 5.0]);
    assert_same(&binary(BinaryOp::Pow, DType::I8, &a, &b), &[0.0, -1.0, 1.0, 0.0, -13.0]);
    assert_same(&binary(BinaryOp::ShiftLeft, DType::I8, &[1.0, 1.0, -1.0], &[7.0, 8.0, 70.0]), &[-128.0, 0.0, 0.0]);
    assert_same(
        &binary(BinaryOp::ShiftRight, DType::I8, &[-128.0, -1.0, 64.0], &[3.0, 70.0, 9.0]),
        &[-16.0, -1.0, 0.0],
    );
}

#[test]
fn casts_truncate_saturate_and_wrap() {
    let cast = |from, to, x: &[f64]| run(&Op::Cast(to), &[tensor(&[x.len()], from, x)]);
    assert_same(&cast(DType::F32, DType::I8, &[-1.9, 300.0, -300.0, NAN]), &[-1.0, 127.0, -128.0, 0.0]);
    assert_same(&cast(DType::F64, DType::U16, &[-1.0, 1e9, 7.7]), &[0.0, 65535.0, 7.0]);
    assert_same(&cast(DType::I32, DType::U8, &[-1.0, 257.0]), &[255.0, 1.0]);
    assert_same(&cast(DType::F32, DType::Bool, &[0.0, -0.0, NAN, 0.1]), &[0.0, 0.0, 1.0, 1.0]);
    // A hair above the tie between 1 and the next float16: cut through float32 it would look like the tie.
    let hair = 1.0 + 2f64.powi(-11) + 2f64.powi(-40);
    assert_same(&cast(DType::F64, DType::F16, &[hair]), &[1.0 + 2f64.powi(-10)]);
}

#[test]
fn indices_are_checked() {
    let (x, index) = (tensor(&[5], DType::F32, &[0.0; 5]), tensor(&[2], DType::I64, &[4.0, 7.0]));
    let error =
        backend::of(Device::Reference).run_op(&Op::Gather { axis: 0 }, &[x.clone(), index]).expect_err("beyond");
    assert_eq!(error.to_string(), "take: expected indices in [0, 5), got 7");
    let inputs = [x, tensor(&[2], DType::I64, &[1.0, 1.0]), tensor(&[2], DType::F32, &[2.0, 3.0])];
    assert_same(&run(&Op::ScatterAdd { axis: 0 }, &inputs), &[0.0, 5.0, 0.0, 0.0, 0.0]);
}

#[test]
fn a_value_that_is_not_finite_is_named() {
    let op = Op::CheckFinite { name: "loss".into() };
    let error = backend::of(Device::Reference).run_op(&op, &[tensor(&[2], DType::F32, &[1.0, INF])]).expect_err("inf");
    assert!(matches!(error, Error::NonFinite { .. }) && error.to_string().contains("loss"), "{error}");
}

#[test]
fn random_elements_are_words_of_their_counter() {
    let state = tensor(&[2], DType::I64, &[42.0, 7.0]);
    let draw = |kind, dtype| run(&Op::Random { kind, shape: [6].into(), dtype }, std::slice::from_ref(&state));
    let words: Vec<u32> = (0..6).map(|i| rng::word(42, 7, i, 0)).collect();
    assert_same(&draw(RandomOp::Bits, DType::I64), &words.iter().map(|&w| f64::from(w)).collect::<Vec<_>>());
    let units: Vec<f64> = words.iter().map(|&w| rng::unit_f32(w).into()).collect();
    assert_same(&draw(RandomOp::Uniform, DType::F32), &units);
    let op = Op::Random { kind: RandomOp::Uniform, shape: [30_000].into(), dtype: DType::F16 };
    assert!(run(&op, &[state]).iter().all(|&x| (0.0..1.0).contains(&x)), "1 is excluded in every dtype");
}

/// XLA's definition, worked by hand: input 1 2 3 dilated by 2 is 1 0 2 0 3, cropped by 1 on the left is 0 2 0 3.
#[test]
fn convolution_dilates_crops_and_groups() {
    let op = ConvOp {
        strides: vec![2],
        low: vec![-1],
        high: vec![1],
        input_dilation: vec![2],
        kernel_dilation: vec![1],
        groups: 1,
        batch_groups: 1,
    };
    let (x, kernel) = (tensor(&[1, 1, 3], DType::F32, &[1.0, 2.0, 3.0]), tensor(&[1, 1, 2], DType::F32, &[10.0, 1.0]));
    assert_same(&run(&Op::Conv(op.clone()), &[x, kernel]), &[2.0, 3.0]);

    let plain = ConvOp { strides: vec![1], low: vec![0], high: vec![0], input_dilation: vec![1], ..op };
    let x = tensor(&[2, 2, 1], DType::F32, &[1.0, 2.0, 3.0, 4.0]);
    let by_channel = ConvOp { groups: 2, ..plain.clone() };
    let kernel = tensor(&[2, 1, 1], DType::F32, &[10.0, 100.0]);
    assert_same(&run(&Op::Conv(by_channel), &[x.clone(), kernel]), &[10.0, 200.0, 30.0, 400.0]);
    let by_batch = ConvOp { batch_groups: 2, ..plain };
    let kernel = tensor(&[2, 2, 1], DType::F32, &[1.0, 1.0, 10.0, 10.0]);
    assert_same(&run(&Op::Conv(by_batch), &[x, kernel]), &[3.0, 70.0]);
}
