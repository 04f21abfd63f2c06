//! Several ops at once, as fusion meets them: values less their fold, products with an epilogue, numbers beside tensors.

use super::programs::{Known, Maker, unit};
use super::steps::{Choice, transposed};
use trainsmith_core::dtype::Scalar;
use trainsmith_core::ir::{BinaryOp, Op, ReduceOp, UnaryOp, ValueId, ViewOp};
use trainsmith_core::shape::Shape;

/// `x - fold(x)` over the last axes, or over the first.
pub(crate) fn centred(maker: &mut Maker, a: ValueId, choice: &mut Choice) -> Option<ValueId> {
    let (meta, x) = (maker.meta(a).clone(), maker.known[a]);
    let rank = meta.shape.len();
    let cut = choice.below(rank);
    let axes: Vec<usize> = if choice.below(3) == 0 { (0..=cut).collect() } else { (cut..rank).collect() };
    let terms: usize = axes.iter().map(|&axis| *meta.shape.get(axis).unwrap_or(&1)).product();
    let op = choice.of(&[ReduceOp::Sum, ReduceOp::Max, ReduceOp::Min]);
    let step = unit(meta.dtype);
    let count = if op == ReduceOp::Sum { terms.max(1) as f64 } else { 1.0 };
    let folded = Known { bound: count * x.bound, error: count * (x.error + step * x.bound) };
    let fold = maker.push(Op::Reduce { op, axes: axes.clone() }, &[a], &[folded])?;
    let kept = meta.shape.reduced(&axes, true);
    let kept = maker.push(Op::View(ViewOp::Reshape(kept)), &[fold], &[folded])?;
    let spread = maker.push(Op::View(ViewOp::Expand(meta.shape)), &[kept], &[folded])?;
    let error = x.error + folded.error + step * (x.bound + folded.bound);
    maker.push(Op::Binary(BinaryOp::Sub), &[a, spread], &[Known { bound: x.bound + folded.bound, error }])
}

/// `tanh(x y^T + max(y))`, the maxima as one number a column.
pub(crate) fn layer(maker: &mut Maker, a: ValueId, b: ValueId) -> Option<ValueId> {
    let (meta, x, y) = (maker.meta(a).clone(), maker.known[a], maker.known[b]);
    let (rank, step) = (meta.shape.len(), unit(meta.dtype));
    let turned = transposed(maker, b)?;
    let (inner, size) = (*meta.shape.last()? as f64, x.bound * y.bound);
    let error = inner * (x.error * y.bound + y.error * x.bound + step * size);
    let product = maker.push(Op::MatMul, &[a, turned], &[Known { bound: inner * size, error }])?;
    let bias = maker.push(Op::Reduce { op: ReduceOp::Max, axes: vec![rank - 1] }, &[b], &[y])?;
    let mut row: Shape = maker.meta(product).shape.clone();
    let all = row.clone();
    row = row.with(rank - 2, 1);
    let row = maker.push(Op::View(ViewOp::Reshape(row)), &[bias], &[y])?;
    let spread = maker.push(Op::View(ViewOp::Expand(all)), &[row], &[y])?;
    let sum = Known { bound: inner * size + y.bound, error: error + y.error + step * (inner * size + y.bound) };
    let sum_value = maker.push(Op::Binary(BinaryOp::Add), &[product, spread], &[sum])?;
    maker.push(Op::Unary(UnaryOp::Tanh), &[sum_value], &[Known { bound: 1.0, error: 1.2 * sum.error + step }])
}

/// `x` and one number: the same everywhere, or computed.
pub(crate) fn scaled(maker: &mut Maker, a: ValueId, choice: &mut Choice) -> Option<ValueId> {
    let (meta, x) = (maker.meta(a).clone(), maker.known[a]);
    let value = choice.of(&[0.0, 1.0, -1.0, 0.5, -0.0]);
    let value = if meta.dtype.is_float() { Scalar::Float(value) } else { Scalar::Int(value as i128) };
    let fill = Op::Fill { value, shape: Shape::scalar(), dtype: meta.dtype };
    let number = maker.push(fill, &[], &[Known { bound: 1.0, error: 0.0 }])?;
    let spread = Op::View(ViewOp::Expand(meta.shape));
    let spread = maker.push(spread, &[number], &[Known { bound: 1.0, error: 0.0 }])?;
    let op = choice.of(&[BinaryOp::Mul, BinaryOp::Add, BinaryOp::Sub, BinaryOp::Maximum]);
    let exact = x.error == 0.0 && value.as_f64().fract() == 0.0;
    let error = if exact { 0.0 } else { x.error + unit(meta.dtype) * (x.bound + 1.0) };
    let pair = if choice.below(2) == 0 { [a, spread] } else { [spread, a] };
    maker.push(Op::Binary(op), &pair, &[Known { bound: x.bound + 1.0, error }])
}

/// One number a row less the same numbers one a column.
pub(crate) fn outer(maker: &mut Maker, a: ValueId) -> Option<ValueId> {
    let (meta, x) = (maker.meta(a).clone(), maker.known[a]);
    let rank = meta.shape.len();
    let max = maker.push(Op::Reduce { op: ReduceOp::Max, axes: vec![rank.checked_sub(1)?] }, &[a], &[x])?;
    let (&size, lead) = maker.meta(max).shape.split_last()?;
    let square: Shape = [lead, &[size, size]].concat().into();
    let mut spread = |shape: Shape| {
        let view = maker.push(Op::View(ViewOp::Reshape(shape)), &[max], &[x])?;
        maker.push(Op::View(ViewOp::Expand(square.clone())), &[view], &[x])
    };
    let (rows, columns) = (spread(square.with(rank - 1, 1))?, spread(square.with(rank - 2, 1))?);
    let error = if x.error == 0.0 { 0.0 } else { 2.0 * x.error + 2.0 * unit(meta.dtype) * x.bound };
    maker.push(Op::Binary(BinaryOp::Sub), &[rows, columns], &[Known { bound: 2.0 * x.bound, error }])
}
