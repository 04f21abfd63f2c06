//! Rows of sorting and of the decompositions of matrices.

use super::common::close::Close;
use super::data::{Data, EDGES};
use super::rows::{LARGE, Row, slot};
use trainsmith_core::dtype::DType;
use trainsmith_core::ir::{LinalgOp, Op};

const ANY: Data = Data::Wild(-9.0, 9.0);

pub(crate) fn sort() -> Vec<Row> {
    let cases: [(&[usize], usize); 9] = [
        (&[4, 5, 6], 0),
        (&[4, 5, 6], 1),
        (&[4, 5, 6], 2),
        (&[70], 0),
        (&[1, 1], 0),
        (&[0, 3], 1),
        (&[0, 3], 0),
        (&[150, 70], 0),
        (&[150, 70], 1),
    ];
    let mut rows = Vec::new();
    for dtype in DType::ALL {
        for (shape, axis) in cases {
            if shape.iter().product::<usize>() > 10_000 && !LARGE.contains(&dtype) {
                continue;
            }
            for descending in [false, true] {
                let op = Op::Sort { axis, descending };
                for data in [ANY, Data::Ties] {
                    rows.push(Row::new(op.clone(), vec![slot(shape, dtype, data)], Close::EXACT));
                }
            }
        }
        for descending in [false, true] {
            let edges = slot([3 * EDGES], dtype, Data::Edges { every: 1, upto: f64::INFINITY });
            rows.push(Row::new(Op::Sort { axis: 0, descending }, vec![edges], Close::EXACT));
        }
    }
    rows.push(Row::refused(Op::Sort { axis: 1, descending: false }, vec![slot([4], DType::F32, ANY)]));
    rows
}

/// Every decomposition, on matrices that have one.
pub(crate) fn linalg() -> Vec<Row> {
    let square: [&[usize]; 6] = [&[1, 1], &[3, 3], &[8, 8], &[2, 3, 4, 4], &[0, 0], &[0, 2, 2]];
    let mut rows = Vec::new();
    for dtype in DType::ALL {
        let takes = matches!(dtype, DType::F32 | DType::F64);
        let mut push = |op, inputs, scale| {
            let close = Close { units: 1.0, scale };
            let row = Row::new(Op::Linalg(op), inputs, close);
            rows.push(if takes { row } else { Row::refused(row.op, row.inputs) });
        };
        for shape in square {
            let size = shape[shape.len() - 1];
            let dominant = |shape| slot(shape, dtype, Data::Dominant(size));
            push(LinalgOp::Cholesky, vec![dominant(shape)], 1.0);
            let right = [&shape[..shape.len() - 1], &[3]].concat();
            push(LinalgOp::Solve, vec![dominant(shape), slot(right, dtype, ANY)], 9.0);
            push(LinalgOp::Det, vec![dominant(shape)], 0.0);
            push(LinalgOp::Slogdet, vec![dominant(shape)], 1.0);
            push(LinalgOp::Eigh, vec![slot(shape, dtype, Data::Range(-9.0, 9.0))], 100.0);
        }
        let sides: [&[usize]; 8] = [&[1, 1], &[4, 4], &[7, 3], &[3, 7], &[2, 3, 5, 2], &[4, 0], &[0, 4], &[0, 3, 2]];
        for shape in sides {
            let any = || vec![slot(shape, dtype, Data::Range(-9.0, 9.0))];
            push(LinalgOp::Qr { full: false }, any(), 100.0);
            push(LinalgOp::Qr { full: true }, any(), 100.0);
            push(LinalgOp::Svd, any(), 100.0);
        }
    }
    for op in [LinalgOp::Cholesky, LinalgOp::Solve, LinalgOp::Det, LinalgOp::Slogdet, LinalgOp::Eigh] {
        let inputs = if op == LinalgOp::Solve { 2 } else { 1 };
        rows.push(Row::refused(Op::Linalg(op), vec![slot([2, 3], DType::F32, ANY); inputs]));
    }
    rows.push(Row::refused(Op::Linalg(LinalgOp::Svd), vec![slot([3], DType::F32, ANY)]));
    let ones = || slot([2, 2], DType::F64, Data::Range(1.0, 1.0));
    rows.push(Row::fails(Op::Linalg(LinalgOp::Solve), vec![ones(), ones()]));
    rows.push(Row::fails(Op::Linalg(LinalgOp::Cholesky), vec![slot([2, 2], DType::F64, Data::Range(-9.0, -1.0))]));
    rows
}
