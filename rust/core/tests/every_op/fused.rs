//! Rows of the op that holds a straight-line program: a group with folds both ways, a product with an epilogue.

use super::common::close::Close;
use super::data::Data;
use super::rows::{FLOATS, Row, Slot, slot};
use trainsmith_core::buffer::Meta;
use trainsmith_core::dtype::{DType, Scalar};
use trainsmith_core::ir::infer::infer;
use trainsmith_core::ir::{BinaryOp, FusedOp, Op, Program, ReduceOp, UnaryOp, ValueId, ViewOp};

/// Values that stay small through a fold and a product.
const SMALL: Data = Data::Range(-1.0, 1.0);

/// A body that grows by what the rules give.
struct Body(Program);

impl Body {
    fn of(inputs: &[Slot]) -> Self {
        Self(Program::with_inputs(inputs.iter().map(|slot| slot.meta.clone())))
    }

    fn push(&mut self, op: Op, inputs: &[ValueId]) -> ValueId {
        let metas: Vec<Meta> = inputs.iter().map(|&input| self.0.metas[input].clone()).collect();
        let results = infer(&op, &metas).expect("a fitting body");
        self.0.push(op, inputs.into(), &results, None)
    }

    fn expand(&mut self, value: ValueId, shape: &[usize]) -> ValueId {
        self.push(Op::View(ViewOp::Expand(shape.into())), &[value])
    }

    fn fold(&mut self, op: ReduceOp, value: ValueId, axes: &[usize], shape: &[usize]) -> ValueId {
        let fold = self.push(Op::Reduce { op, axes: axes.into() }, &[value]);
        self.push(Op::View(ViewOp::Reshape(shape.into())), &[fold])
    }

    fn half(&mut self, dtype: DType, shape: &[usize]) -> ValueId {
        let ones = vec![1; shape.len()];
        let value = Scalar::Float(0.5);
        let number = self.push(Op::Fill { value, shape: ones.as_slice().into(), dtype }, &[]);
        self.expand(number, shape)
    }

    fn finish(mut self, outputs: &[ValueId]) -> Op {
        self.0.outputs = outputs.into();
        Op::Fused(FusedOp::new(self.0).expect("a body in canonical form"))
    }
}

pub(crate) fn fused() -> Vec<Row> {
    let mut rows: Vec<Row> = FLOATS.into_iter().flat_map(|dtype| [group(dtype, 5, 17), group(dtype, 1, 3)]).collect();
    rows.extend(FLOATS.into_iter().flat_map(|dtype| [product(dtype, [7, 5, 3]), product(dtype, [20, 9, 33])]));
    let Op::Fused(op) = group(DType::F32, 2, 2).op else { return rows };
    rows.push(Row::refused(Op::Fused(op), vec![slot([2, 2], DType::F32, SMALL)]));
    rows
}

/// `y = (x - max(x) per row) * weight per column + 0.5`; out: y, the row maxima, the column sums of y.
fn group(dtype: DType, rows: usize, columns: usize) -> Row {
    let inputs = vec![slot([rows, columns], dtype, SMALL), slot([1, columns], dtype, SMALL)];
    let mut body = Body::of(&inputs);
    let all = [rows, columns];
    let max = body.fold(ReduceOp::Max, 0, &[1], &[rows, 1]);
    let spread = body.expand(max, &all);
    let centred = body.push(Op::Binary(BinaryOp::Sub), &[0, spread]);
    let weight = body.expand(1, &all);
    let scaled = body.push(Op::Binary(BinaryOp::Mul), &[centred, weight]);
    let half = body.half(dtype, &all);
    let y = body.push(Op::Binary(BinaryOp::Add), &[scaled, half]);
    let sums = body.fold(ReduceOp::Sum, y, &[0], &[1, columns]);
    Row::new(body.finish(&[y, max, sums]), inputs, Close::chain(dtype, 8, 3.0 * rows as f64))
}

/// `tanh(a b + bias)`, and the sum before it.
fn product(dtype: DType, [m, k, n]: [usize; 3]) -> Row {
    let inputs = vec![slot([m, k], dtype, SMALL), slot([k, n], dtype, SMALL), slot([1, n], dtype, SMALL)];
    let mut body = Body::of(&inputs);
    let product = body.push(Op::MatMul, &[0, 1]);
    let bias = body.expand(2, &[m, n]);
    let sum = body.push(Op::Binary(BinaryOp::Add), &[product, bias]);
    let result = body.push(Op::Unary(UnaryOp::Tanh), &[sum]);
    Row::new(body.finish(&[result, sum]), inputs, Close::chain(dtype, 6, k as f64))
}
