//! Rows of the ops that fold, multiply, loop or are composed.

use super::common::close::Close;
use super::data::{Data, EDGES};
use super::rows::{FLOATS, LARGE, Row, slot};
use smallvec::smallvec;
use std::sync::Arc;
use trainsmith_core::buffer::Meta;
use trainsmith_core::dtype::DType;
use trainsmith_core::ir::infer::infer;
use trainsmith_core::ir::{ArgOp, BinaryOp, Composite, ConvOp, CumulateOp, Op, Program, ReduceOp, ScanOp, ValueId};

/// Terms whose product neither vanishes nor runs away.
const NEAR_ONE: Data = Data::Range(0.75, 1.3);
const ANY: Data = Data::Wild(-9.0, 9.0);

/// A shape and axes to fold.
const FOLDS: [(&[usize], &[usize]); 16] = [
    (&[4, 5, 6], &[]),
    (&[4, 5, 6], &[0]),
    (&[4, 5, 6], &[1]),
    (&[4, 5, 6], &[2]),
    (&[4, 5, 6], &[0, 2]),
    (&[4, 5, 6], &[0, 1, 2]),
    (&[300], &[0]),
    (&[70, 33], &[0]),
    (&[33, 70], &[1]),
    (&[], &[]),
    (&[1, 1], &[0]),
    (&[0, 3], &[1]),
    (&[0, 3], &[0]),
    (&[130, 300], &[0]),
    (&[130, 300], &[1]),
    (&[130, 300], &[0, 1]),
];

/// Large shapes run in few dtypes, since the reference is slow.
fn runs(shape: &[usize], dtype: DType) -> bool {
    shape.iter().product::<usize>() < 10_000 || LARGE.contains(&dtype)
}

/// Random rounding errors of `count` terms of this size grow with the root of their number.
fn sum_of(count: usize, size: f64) -> Close {
    Close { units: 1.0, scale: size * (count as f64).sqrt() }
}

fn product_of(count: usize) -> Close {
    Close { units: 1.0 + (count as f64).sqrt() / 5.0, scale: 0.0 }
}

pub(crate) fn reduce() -> Vec<Row> {
    let mut rows = Vec::new();
    for &op in ReduceOp::ALL {
        for dtype in DType::ALL {
            for (shape, axes) in FOLDS.into_iter().filter(|(shape, _)| runs(shape, dtype)) {
                let count: usize = axes.iter().map(|&axis| shape[axis]).product();
                let (data, close) = match op {
                    ReduceOp::Sum => (ANY, sum_of(count, 9.0)),
                    ReduceOp::Prod => (NEAR_ONE, product_of(count)),
                    ReduceOp::Max | ReduceOp::Min => (ANY, Close::EXACT),
                    ReduceOp::Any | ReduceOp::All => (Data::Ties, Close::EXACT),
                };
                let takes = match op {
                    ReduceOp::Sum | ReduceOp::Prod => dtype != DType::Bool,
                    ReduceOp::Max | ReduceOp::Min => axes.is_empty() || count > 0,
                    ReduceOp::Any | ReduceOp::All => dtype == DType::Bool,
                };
                let input = |data| vec![slot(shape, dtype, data)];
                let op = Op::Reduce { op, axes: axes.to_vec() };
                if takes {
                    rows.push(Row::new(op, input(data), close));
                } else {
                    rows.push(Row::refused(op, input(data)));
                }
            }
            if dtype.is_float() && !matches!(op, ReduceOp::Any | ReduceOp::All) {
                for axes in [vec![0], vec![1], vec![0, 1]] {
                    let edges = slot([EDGES, 3], dtype, Data::Edges { every: 1, upto: 10.0 });
                    rows.push(Row::new(Op::Reduce { op, axes }, vec![edges], sum_of(EDGES, 10.0)));
                }
            }
        }
    }
    rows
}

pub(crate) fn arg_reduce() -> Vec<Row> {
    let cases: [(&[usize], usize); 8] = [
        (&[4, 5, 6], 0),
        (&[4, 5, 6], 1),
        (&[4, 5, 6], 2),
        (&[300], 0),
        (&[70, 33], 0),
        (&[1, 1], 0),
        (&[0, 3], 1),
        (&[0, 3], 0),
    ];
    let mut rows = Vec::new();
    for &op in ArgOp::ALL {
        for dtype in DType::ALL {
            for (shape, axis) in cases {
                for data in [Data::Ties, ANY, Data::Edges { every: 7, upto: f64::INFINITY }] {
                    let (op, inputs) = (Op::ArgReduce { op, axis }, vec![slot(shape, dtype, data)]);
                    if shape[axis] == 0 {
                        rows.push(Row::refused(op, inputs));
                    } else {
                        rows.push(Row::new(op, inputs, Close::EXACT));
                    }
                }
            }
        }
    }
    rows
}

pub(crate) fn cumulate() -> Vec<Row> {
    let cases: [(&[usize], usize); 8] = [
        (&[4, 5, 6], 0),
        (&[4, 5, 6], 1),
        (&[4, 5, 6], 2),
        (&[130], 0),
        (&[1], 0),
        (&[3, 0], 1),
        (&[130, 90], 0),
        (&[130, 90], 1),
    ];
    let mut rows = Vec::new();
    for &op in CumulateOp::ALL {
        for dtype in DType::ALL {
            for (shape, axis) in cases.into_iter().filter(|(shape, _)| runs(shape, dtype)) {
                for reverse in [false, true] {
                    let (data, close) = match op {
                        CumulateOp::Sum => (ANY, sum_of(shape[axis], 9.0)),
                        CumulateOp::Prod => (NEAR_ONE, product_of(shape[axis])),
                    };
                    let (op, inputs) = (Op::Cumulate { op, axis, reverse }, vec![slot(shape, dtype, data)]);
                    if dtype == DType::Bool {
                        rows.push(Row::refused(op, inputs));
                    } else {
                        rows.push(Row::new(op, inputs, close));
                    }
                }
            }
        }
    }
    rows
}

pub(crate) fn matmul() -> Vec<Row> {
    let cases: [(&[usize], &[usize]); 11] = [
        (&[1, 1], &[1, 1]),
        (&[3, 4], &[4, 5]),
        (&[33, 40], &[40, 21]),
        (&[1, 70], &[70, 17]),
        (&[19, 70], &[70, 1]),
        (&[7, 1], &[1, 9]),
        (&[0, 3], &[3, 2]),
        (&[3, 0], &[0, 2]),
        (&[2, 3, 4, 5], &[2, 3, 5, 6]),
        (&[5, 2, 3], &[5, 3, 2]),
        (&[0, 2, 3], &[0, 3, 2]),
    ];
    let mut rows = Vec::new();
    for dtype in DType::ALL {
        for (a, b) in cases {
            let inputs = vec![slot(a, dtype, ANY), slot(b, dtype, ANY)];
            if dtype == DType::Bool {
                rows.push(Row::refused(Op::MatMul, inputs));
            } else {
                rows.push(Row::new(Op::MatMul, inputs, sum_of(a[a.len() - 1], 81.0)));
            }
        }
    }
    for dtype in LARGE {
        for (a, b) in [([130, 150], [150, 140]), ([8, 600], [600, 70])] {
            rows.push(Row::new(Op::MatMul, vec![slot(a, dtype, ANY), slot(b, dtype, ANY)], sum_of(a[1], 81.0)));
        }
    }
    rows.push(Row::refused(Op::MatMul, vec![slot([2, 3], DType::F32, ANY), slot([2, 3], DType::F32, ANY)]));
    rows
}

/// Input, kernel and attributes of a convolution.
type Window = (&'static [usize], &'static [usize], ConvOp);

fn windows() -> Vec<Window> {
    let plain = |spatial: usize| ConvOp {
        strides: vec![1; spatial],
        low: vec![0; spatial],
        high: vec![0; spatial],
        input_dilation: vec![1; spatial],
        kernel_dilation: vec![1; spatial],
        groups: 1,
        batch_groups: 1,
    };
    vec![
        (&[2, 3, 9], &[4, 3, 3], plain(1)),
        (&[2, 3, 9], &[4, 3, 3], ConvOp { strides: vec![2], low: vec![1], high: vec![2], ..plain(1) }),
        (&[1, 2, 9], &[3, 2, 3], ConvOp { low: vec![-2], high: vec![-1], ..plain(1) }),
        (&[1, 2, 5], &[3, 2, 3], ConvOp { input_dilation: vec![3], low: vec![2], high: vec![1], ..plain(1) }),
        (&[1, 2, 9], &[3, 2, 3], ConvOp { kernel_dilation: vec![3], strides: vec![2], ..plain(1) }),
        (&[2, 4, 6, 5], &[6, 2, 3, 2], ConvOp { groups: 2, low: vec![1, 0], high: vec![1, 1], ..plain(2) }),
        (&[2, 3, 6, 5], &[3, 1, 3, 3], ConvOp { groups: 3, strides: vec![2, 1], ..plain(2) }),
        (&[4, 3, 6, 5], &[6, 3, 3, 2], ConvOp { batch_groups: 2, ..plain(2) }),
        (&[2, 5, 17, 16], &[7, 5, 3, 3], ConvOp { low: vec![1, 1], high: vec![1, 1], ..plain(2) }),
        (&[2, 8, 4, 4], &[16, 8, 1, 1], plain(2)),
        (&[2, 8, 26, 26], &[16, 8, 3, 3], ConvOp { strides: vec![2, 1], ..plain(2) }),
        (&[1, 2, 4, 4, 3], &[2, 2, 2, 2, 2], ConvOp { strides: vec![1, 2, 1], ..plain(3) }),
        (&[0, 2, 5], &[3, 2, 3], plain(1)),
        (&[1, 0, 5], &[3, 0, 3], plain(1)),
        (&[1, 2, 0], &[3, 2, 3], plain(1)),
    ]
}

pub(crate) fn conv() -> Vec<Row> {
    let mut rows = Vec::new();
    for dtype in DType::ALL {
        for (x, kernel, attributes) in windows() {
            let inputs = vec![slot(x, dtype, ANY), slot(kernel, dtype, ANY)];
            let terms: usize = kernel[1..].iter().product();
            if dtype.is_float() {
                rows.push(Row::new(Op::Conv(attributes), inputs, sum_of(terms, 81.0)));
            } else {
                rows.push(Row::refused(Op::Conv(attributes), inputs));
            }
        }
    }
    rows
}

/// `carry = carry * decay + x; y = carry - x` with two scanned inputs of which one is unused in the carry.
fn turn(dtype: DType, shape: &[usize]) -> Program {
    let meta = Meta::new(shape, dtype);
    let mut body = Program::with_inputs(vec![meta; 4]);
    let mut apply = |op: BinaryOp, a: ValueId, b: ValueId| {
        let op = Op::Binary(op);
        let metas = infer(&op, &[body.metas[a].clone(), body.metas[b].clone()]).expect("a fitting body");
        body.push(op, smallvec![a, b], &metas, None)
    };
    let decayed = apply(BinaryOp::Mul, 1, 0);
    let carry = apply(BinaryOp::Add, decayed, 2);
    let output = apply(BinaryOp::Sub, carry, 3);
    body.outputs = vec![carry, output, 2];
    body
}

pub(crate) fn scan() -> Vec<Row> {
    let mut rows = Vec::new();
    for dtype in DType::ALL.into_iter().filter(|&dtype| dtype != DType::Bool) {
        for (length, shape) in [(5, vec![3, 2]), (1, vec![]), (0, vec![4]), (3, vec![0])] {
            for reverse in [false, true] {
                let body = Arc::new(turn(dtype, &shape));
                let op = Op::Scan(ScanOp { body, consts: 1, carries: 1, length, reverse });
                let stacked = [&[length], shape.as_slice()].concat();
                let once = slot(shape.clone(), dtype, Data::Range(-2.0, 2.0));
                let many = slot(stacked, dtype, Data::Range(-2.0, 2.0));
                let close = Close::chain(dtype, 3 * length, 30.0);
                rows.push(Row::new(op, vec![once.clone(), once, many.clone(), many], close));
            }
        }
    }
    let body = Arc::new(unfit());
    let op = Op::Scan(ScanOp { body, consts: 0, carries: 1, length: 2, reverse: false });
    rows.push(Row::refused(op, vec![slot([2], DType::F32, ANY)]));
    rows
}

/// A body that changes its carry's dtype, so that no turn can follow.
fn unfit() -> Program {
    let mut body = Program::with_inputs([Meta::new([2], DType::F32)]);
    let meta = Meta::new([2], DType::Bool);
    let changed = body.push(Op::Cast(DType::Bool), smallvec![0], &[meta], None);
    body.outputs = vec![changed];
    body
}

/// Rows of a composite with `inputs` inputs of one shape, and an axis.
fn along_axis(inputs: usize, op: impl Fn(usize) -> Composite, scale: f64) -> Vec<Row> {
    let cases: [(&[usize], usize); 9] = [
        (&[130, 100], 1),
        (&[4, 5, 6], 0),
        (&[4, 5, 6], 1),
        (&[4, 5, 6], 2),
        (&[3, 1], 1),
        (&[1], 0),
        (&[2, 130], 1),
        (&[3, 0], 1),
        (&[0, 3], 1),
    ];
    let mut rows = Vec::new();
    for dtype in DType::ALL {
        for (shape, axis) in cases {
            let inputs = vec![slot(shape, dtype, Data::Range(-8.0, 0.0)); inputs];
            let op = Op::Composite(op(axis));
            if FLOATS.contains(&dtype) {
                rows.push(Row::new(op, inputs, Close::chain(dtype, 2, scale)));
            } else {
                rows.push(Row::refused(op, inputs));
            }
        }
    }
    rows
}

pub(crate) fn log_softmax() -> Vec<Row> {
    along_axis(1, |axis| Composite::LogSoftmax { axis }, 8.0)
}

/// The gradients along the longest axis add up to some hundreds, which a softmax of at most 1 multiplies.
pub(crate) fn log_softmax_grad() -> Vec<Row> {
    along_axis(2, |axis| Composite::LogSoftmaxGrad { axis }, 500.0)
}
