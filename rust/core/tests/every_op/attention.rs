//! Rows of attention and its twin.

use super::common::close::Close;
use super::data::Data;
use super::rows::{Row, Slot, slot};
use trainsmith_core::dtype::DType;
use trainsmith_core::ir::{Composite, Op};
use trainsmith_core::shape::Shape;

const ANY: Data = Data::Range(-2.0, 2.0);
/// Logarithms above most scores, as those of the forward op are.
const LOGS: Data = Data::Range(4.0, 8.0);

/// Leading axes, queries, keys, width, width of values: fewer keys than queries and more, one of each, no query, no head.
const CASES: [(&[usize], usize, usize, usize, usize); 8] = [
    (&[], 3, 5, 4, 2),
    (&[2, 3], 4, 4, 3, 3),
    (&[2], 6, 2, 1, 5),
    (&[1, 2], 1, 1, 2, 1),
    (&[2], 5, 4, 0, 3),
    (&[2], 3, 4, 2, 0),
    (&[2], 0, 3, 2, 2),
    (&[0, 2], 3, 3, 2, 2),
];
/// Several blocks of queries.
const LONG: (&[usize], usize, usize, usize, usize) = (&[], 66, 1030, 2, 1);

fn shape(lead: &[usize], rest: &[usize]) -> Shape {
    lead.iter().chain(rest).copied().collect()
}

fn operands((lead, queries, keys, width, values): (&[usize], usize, usize, usize, usize), dtype: DType) -> Vec<Slot> {
    let sizes = [[queries, width], [keys, width], [keys, values]];
    sizes.iter().map(|rest| slot(shape(lead, rest), dtype, ANY)).collect()
}

fn rows(
    op: fn(bool) -> Composite,
    inputs: impl Fn((&[usize], usize, usize, usize, usize), DType) -> Vec<Slot>,
) -> Vec<Row> {
    let mut rows = Vec::new();
    for causal in [false, true] {
        let op = || Op::Composite(op(causal));
        for dtype in DType::ALL {
            let wide = matches!(dtype, DType::F32 | DType::F64);
            for case in CASES {
                let row = if wide {
                    Row::new(op(), inputs(case, dtype), Close::chain(dtype, 12, 400.0))
                } else {
                    Row::refused(op(), inputs(case, dtype))
                };
                rows.push(row);
            }
            if wide {
                rows.push(Row::new(op(), inputs(LONG, dtype), Close::chain(dtype, 1200, 400.0)));
            }
        }
        // Widths that differ, no key, another number of heads, a missing axis.
        for shapes in [[[3, 2], [4, 3], [4, 2]], [[3, 2], [0, 2], [0, 2]], [[3, 2], [4, 2], [5, 2]]] {
            let mut wrong = inputs((&[], 3, 4, 2, 2), DType::F32);
            for (place, shape) in shapes.into_iter().enumerate() {
                wrong[place] = slot(shape, DType::F32, ANY);
            }
            rows.push(Row::refused(op(), wrong));
        }
        let mut wrong = inputs((&[2], 3, 4, 2, 2), DType::F32);
        wrong[1] = slot([3, 4, 2], DType::F32, ANY);
        rows.push(Row::refused(op(), wrong.clone()));
        wrong[0] = slot([2], DType::F32, ANY);
        rows.push(Row::refused(op(), wrong));
    }
    rows
}

pub(crate) fn attention() -> Vec<Row> {
    rows(|causal| Composite::Attention { causal }, operands)
}

pub(crate) fn attention_grad() -> Vec<Row> {
    rows(
        |causal| Composite::AttentionGrad { causal },
        |case, dtype| {
            let (lead, queries, _, _, values) = case;
            let mut inputs = operands(case, dtype);
            inputs.push(slot(shape(lead, &[queries]), dtype, LOGS));
            inputs.push(slot(shape(lead, &[queries, values]), dtype, ANY));
            inputs.push(slot(shape(lead, &[queries]), dtype, ANY));
            inputs
        },
    )
}
