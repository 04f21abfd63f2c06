//! Rows of pools and their twin.

use super::common::close::Close;
use super::data::Data;
use super::rows::{FLOATS, Row, slot};
use trainsmith_core::buffer::Meta;
use trainsmith_core::dtype::DType;
use trainsmith_core::ir::infer::infer;
use trainsmith_core::ir::{Composite, Op, PoolKind, PoolOp};

const ANY: Data = Data::Range(-9.0, 9.0);

fn plain(kind: PoolKind, window: &[usize]) -> PoolOp {
    let axes = window.len();
    PoolOp {
        kind,
        window: window.to_vec(),
        strides: window.to_vec(),
        low: vec![0; axes],
        high: vec![0; axes],
        dilation: vec![1; axes],
    }
}

/// Inputs and windows: edge to edge, overlapping, with gaps, with borders, dilated, over one to three axes.
fn cases(kind: PoolKind) -> Vec<(&'static [usize], PoolOp)> {
    let ones = |axes| vec![1; axes];
    vec![
        (&[2, 3, 8], plain(kind, &[2])),
        (&[9], PoolOp { strides: ones(1), low: ones(1), high: vec![2], ..plain(kind, &[3]) }),
        (&[2, 12], PoolOp { dilation: vec![3], strides: vec![2], low: vec![2], high: vec![4], ..plain(kind, &[3]) }),
        (&[3, 7], PoolOp { strides: vec![3], ..plain(kind, &[2]) }),
        (&[2, 2, 6, 5], plain(kind, &[2, 2])),
        (&[2, 6, 5], PoolOp { strides: vec![2, 1], low: ones(2), high: vec![1, 0], ..plain(kind, &[3, 2]) }),
        (&[1, 1, 5, 5], PoolOp { strides: ones(2), low: ones(2), high: ones(2), ..plain(kind, &[3, 3]) }),
        (&[2, 4, 5, 4], PoolOp { strides: vec![1, 2, 2], low: vec![0, 1, 1], ..plain(kind, &[2, 3, 2]) }),
        (&[0, 3, 4], plain(kind, &[2])),
    ]
}

pub(crate) fn pool() -> Vec<Row> {
    let mut rows = Vec::new();
    for &kind in PoolKind::ALL {
        let close = if kind == PoolKind::Max { Close::EXACT } else { Close { units: 1.0, scale: 40.0 } };
        for dtype in DType::ALL {
            for (shape, attributes) in cases(kind) {
                let op = Op::Composite(Composite::Pool(attributes));
                if FLOATS.contains(&dtype) {
                    rows.push(Row::new(op, vec![slot(shape, dtype, ANY)], close));
                } else {
                    rows.push(Row::refused(op, vec![slot(shape, dtype, ANY)]));
                }
            }
        }
        for (shape, window) in [(&[3][..], &[4][..]), (&[2, 0], &[1]), (&[4], &[2, 2]), (&[4], &[0])] {
            let op = Op::Composite(Composite::Pool(plain(kind, window)));
            rows.push(Row::refused(op, vec![slot(shape, DType::F32, ANY)]));
        }
    }
    for (shape, attributes) in cases(PoolKind::Max) {
        for data in [Data::Ties, Data::Edges { every: 1, upto: 10.0 }] {
            let op = Op::Composite(Composite::Pool(attributes.clone()));
            rows.push(Row::new(op, vec![slot(shape, DType::F32, data)], Close::EXACT));
        }
    }
    rows
}

pub(crate) fn pool_grad() -> Vec<Row> {
    let mut rows = Vec::new();
    for &kind in PoolKind::ALL {
        for dtype in FLOATS {
            for (shape, attributes) in cases(kind) {
                let data = [ANY, Data::Ties, Data::Edges { every: 1, upto: 10.0 }];
                for data in data.into_iter().take(if kind == PoolKind::Max { 3 } else { 1 }) {
                    rows.push(twin(shape, dtype, &attributes, data));
                }
            }
        }
        let pool = plain(kind, &[2]);
        let wrong = slot([3], DType::F32, ANY);
        let inputs = vec![wrong; if kind == PoolKind::Max { 2 } else { 1 }];
        rows.push(Row::refused(Op::Composite(Composite::PoolGrad { pool, sizes: vec![4] }), inputs));
    }
    rows
}

/// An element lies under at most 27 places of these windows.
fn twin(shape: &[usize], dtype: DType, pool: &PoolOp, data: Data) -> Row {
    let forward = Op::Composite(Composite::Pool(pool.clone()));
    let result = infer(&forward, &[Meta::new(shape, dtype)]).expect("a fitting window");
    let sizes = shape[shape.len() - pool.window.len()..].to_vec();
    let mut inputs = vec![slot(result[0].shape.clone(), dtype, ANY)];
    if pool.kind == PoolKind::Max {
        inputs.push(slot(shape, dtype, data));
    }
    let op = Op::Composite(Composite::PoolGrad { pool: pool.clone(), sizes });
    Row::new(op, inputs, Close { units: 1.0, scale: 100.0 })
}
