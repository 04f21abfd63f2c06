//! Rows of the ops that make, move and check elements.

use super::common::close::Close;
use super::data::Data;
use super::rows::{FLOATS, Row, shapes, slot};
use trainsmith_core::dtype::{DType, Scalar};
use trainsmith_core::ir::{Op, RandomOp, ViewOp};
use trainsmith_core::shape::Shape;

const ANY: Data = Data::Wild(-9.0, 9.0);

pub(crate) fn fill() -> Vec<Row> {
    let mut rows = Vec::new();
    for dtype in DType::ALL {
        for value in [Scalar::Int(3), Scalar::Int(-3), Scalar::Float(2.5), Scalar::Float(f64::NAN), Scalar::Bool(true)]
        {
            for shape in shapes() {
                rows.push(Row::new(Op::Fill { value, shape, dtype }, vec![], Close::EXACT));
            }
        }
    }
    rows
}

pub(crate) fn iota() -> Vec<Row> {
    [0, 1, 5, 130].map(|length| Row::new(Op::Iota { length }, vec![], Close::EXACT)).to_vec()
}

pub(crate) fn random() -> Vec<Row> {
    let mut rows = Vec::new();
    for &kind in RandomOp::ALL {
        for dtype in DType::ALL {
            let state = vec![slot([2], DType::I64, Data::Range(0.0, 1e12))];
            let takes = match kind {
                RandomOp::Bits => dtype == DType::I64,
                RandomOp::Uniform | RandomOp::Normal => dtype.is_float(),
            };
            if !takes {
                rows.push(Row::refused(Op::Random { kind, shape: [3].into(), dtype }, state));
                continue;
            }
            let close = match kind {
                RandomOp::Bits | RandomOp::Uniform => Close::EXACT,
                RandomOp::Normal => Close { units: 1.0, scale: 1.0 },
            };
            for shape in shapes().into_iter().chain([[30_001].into()]) {
                rows.push(Row::new(Op::Random { kind, shape, dtype }, state.clone(), close));
            }
        }
    }
    rows
}

/// One view of one shape, in every dtype.
fn viewed(from: &[usize], view: &ViewOp) -> Vec<Row> {
    let row = |dtype| Row::new(Op::View(view.clone()), vec![slot(from, dtype, ANY)], Close::EXACT);
    DType::ALL.map(row).to_vec()
}

pub(crate) fn reshape() -> Vec<Row> {
    let cases: [(&[usize], &[usize]); 7] = [
        (&[2, 3, 4], &[6, 4]),
        (&[2, 3, 4], &[24]),
        (&[4, 6], &[2, 2, 3, 2]),
        (&[1], &[]),
        (&[], &[1, 1]),
        (&[3, 0, 2], &[0, 5]),
        (&[5, 17], &[17, 5]),
    ];
    let mut rows: Vec<Row> =
        cases.into_iter().flat_map(|(from, to)| viewed(from, &ViewOp::Reshape(to.into()))).collect();
    rows.push(Row::refused(Op::View(ViewOp::Reshape([5].into())), vec![slot([4], DType::F32, ANY)]));
    rows
}

pub(crate) fn permute() -> Vec<Row> {
    let cases: [(&[usize], &[usize]); 5] =
        [(&[2, 3, 4], &[2, 0, 1]), (&[5, 17], &[1, 0]), (&[], &[]), (&[3, 0, 2], &[1, 2, 0]), (&[1, 6], &[1, 0])];
    let mut rows: Vec<Row> =
        cases.into_iter().flat_map(|(from, perm)| viewed(from, &ViewOp::Permute(perm.to_vec()))).collect();
    rows.push(Row::refused(Op::View(ViewOp::Permute(vec![0, 0])), vec![slot([4, 4], DType::F32, ANY)]));
    rows
}

pub(crate) fn expand() -> Vec<Row> {
    let cases: [(&[usize], &[usize]); 5] =
        [(&[3, 1], &[3, 5]), (&[4], &[2, 3, 4]), (&[], &[6]), (&[1, 3], &[0, 3]), (&[1, 1], &[1, 1])];
    let mut rows: Vec<Row> =
        cases.into_iter().flat_map(|(from, to)| viewed(from, &ViewOp::Expand(to.into()))).collect();
    rows.push(Row::refused(Op::View(ViewOp::Expand([6].into())), vec![slot([3], DType::F32, ANY)]));
    rows
}

pub(crate) fn slice() -> Vec<Row> {
    let slice = |starts: &[usize], sizes: &[usize], steps: &[isize]| ViewOp::Slice {
        starts: starts.to_vec(),
        sizes: sizes.to_vec(),
        steps: steps.to_vec(),
    };
    let cases: [(&[usize], ViewOp); 5] = [
        (&[5, 17], slice(&[1, 2], &[3, 5], &[1, 3])),
        (&[5, 17], slice(&[4, 16], &[5, 9], &[-1, -2])),
        (&[7], slice(&[6], &[2], &[-3])),
        (&[7], slice(&[0], &[0], &[1])),
        (&[], slice(&[], &[], &[])),
    ];
    let mut rows: Vec<Row> = cases.into_iter().flat_map(|(from, view)| viewed(from, &view)).collect();
    rows.push(Row::refused(Op::View(slice(&[2], &[3], &[1])), vec![slot([4], DType::F32, ANY)]));
    rows
}

pub(crate) fn pad() -> Vec<Row> {
    // Shape, then elements before, after and between.
    let cases: [[&[usize]; 4]; 5] = [
        [&[3, 4], &[1, 0], &[2, 1], &[0, 2]],
        [&[5], &[0], &[0], &[3]],
        [&[], &[], &[], &[]],
        [&[0, 2], &[2, 1], &[1, 0], &[4, 1]],
        [&[33], &[4], &[5], &[0]],
    ];
    let mut rows = Vec::new();
    for dtype in DType::ALL {
        for value in [Scalar::Int(1), Scalar::Float(0.0), Scalar::Float(f64::NEG_INFINITY), Scalar::Bool(true)] {
            for [shape, low, high, interior] in cases {
                let [low, high, interior] = [low, high, interior].map(<[usize]>::to_vec);
                let op = Op::Pad { low, high, interior, value };
                rows.push(Row::new(op, vec![slot(shape, dtype, ANY)], Close::EXACT));
            }
        }
    }
    rows
}

pub(crate) fn concat() -> Vec<Row> {
    let cases: [(usize, &[&[usize]]); 4] = [
        (0, &[&[2, 3], &[1, 3], &[0, 3]]),
        (1, &[&[2, 3], &[2, 17]]),
        (0, &[&[5]]),
        (2, &[&[2, 3, 1], &[2, 3, 4], &[2, 3, 2]]),
    ];
    let mut rows = Vec::new();
    for dtype in DType::ALL {
        for (axis, shapes) in cases {
            let inputs = shapes.iter().map(|&shape| slot(shape, dtype, ANY)).collect();
            rows.push(Row::new(Op::Concat { axis }, inputs, Close::EXACT));
        }
    }
    let unequal = vec![slot([2, 3], DType::F32, ANY), slot([2, 4], DType::F32, ANY)];
    rows.push(Row::refused(Op::Concat { axis: 0 }, unequal));
    rows
}

/// Shape, axis and shape of the indices.
const INDEXED: [(&[usize], usize, &[usize]); 7] = [
    (&[5], 0, &[]),
    (&[5], 0, &[9]),
    (&[5, 17], 0, &[2, 3]),
    (&[3, 4, 2], 1, &[6]),
    (&[3, 4, 2], 2, &[1]),
    (&[5, 0, 2], 0, &[3]),
    (&[40, 30], 0, &[500]),
];

/// The shape with an axis replaced by the axes of the indices.
fn replaced(shape: &[usize], axis: usize, index: &[usize]) -> Shape {
    [&shape[..axis], index, &shape[axis + 1..]].concat().into()
}

pub(crate) fn gather() -> Vec<Row> {
    let mut rows = Vec::new();
    for (shape, axis, index) in INDEXED {
        let row = |dtype, data| (Op::Gather { axis }, vec![slot(shape, dtype, ANY), slot(index, DType::I64, data)]);
        let size = shape[axis] as f64;
        for dtype in DType::ALL {
            let (op, inputs) = row(dtype, Data::Range(0.0, size));
            rows.push(Row::new(op, inputs, Close::EXACT));
        }
        for wrong in [-1.0, size] {
            let (op, inputs) = row(DType::F32, Data::Range(wrong, wrong));
            rows.push(Row::fails(op, inputs));
        }
    }
    let inputs = vec![slot([5], DType::F32, ANY), slot([2], DType::I32, Data::Ties)];
    rows.push(Row::refused(Op::Gather { axis: 0 }, inputs));
    rows
}

pub(crate) fn scatter_add() -> Vec<Row> {
    let mut rows = Vec::new();
    for (shape, axis, index) in INDEXED {
        let inputs = |dtype, data| {
            let updates = replaced(shape, axis, index);
            vec![slot(shape, dtype, ANY), slot(index, DType::I64, data), slot(updates, dtype, ANY)]
        };
        let size = shape[axis] as f64;
        let op = Op::ScatterAdd { axis };
        for dtype in DType::ALL {
            let inputs = inputs(dtype, Data::Range(0.0, size));
            if dtype == DType::Bool {
                rows.push(Row::refused(op.clone(), inputs));
            } else {
                rows.push(Row::new(op.clone(), inputs, Close { units: 1.0, scale: 60.0 }));
            }
        }
        for wrong in [-1.0, size] {
            rows.push(Row::fails(op.clone(), inputs(DType::F32, Data::Range(wrong, wrong))));
        }
    }
    rows
}

pub(crate) fn check_finite() -> Vec<Row> {
    let op = Op::CheckFinite { name: "loss".into() };
    let mut rows = Vec::new();
    for dtype in DType::ALL {
        for shape in shapes() {
            rows.push(Row::new(op.clone(), vec![slot(shape, dtype, ANY)], Close::EXACT));
        }
    }
    let edges = Data::Edges { every: 1, upto: 1.0 };
    for dtype in FLOATS {
        rows.push(Row::fails(op.clone(), vec![slot([1, 67], dtype, edges)]));
    }
    rows
}

pub(crate) fn check_index() -> Vec<Row> {
    let op = Op::CheckIndex { name: "labels".into(), size: 4 };
    let mut rows = Vec::new();
    for shape in shapes() {
        rows.push(Row::new(op.clone(), vec![slot(shape, DType::I64, Data::Range(0.0, 4.0))], Close::EXACT));
    }
    for wrong in [-1.0, 4.0] {
        rows.push(Row::fails(op.clone(), vec![slot([3, 2], DType::I64, Data::Range(wrong, wrong))]));
    }
    rows.push(Row::refused(op, vec![slot([3], DType::F32, ANY)]));
    rows
}
