//! One random op, or a few that belong together, on a growing program: what fits is added, with bounds on its size and its error.

use super::programs::{INDEX, Known, Maker, unit};
use super::structures;
use smallvec::smallvec;
use std::sync::Arc;
use trainsmith_core::buffer::Meta;
use trainsmith_core::dtype::{DType, Scalar};
use trainsmith_core::ir::{
    ArgOp, BinaryOp, CompareOp, Composite, ConvOp, CumulateOp, Op, Program, ReduceOp, ScanOp, UnaryOp, ValueId, ViewOp,
};
use trainsmith_core::shape::Shape;

/// Functions whose slope is at most 1.2, with their largest value.
const SMOOTH: [(UnaryOp, f64); 6] = [
    (UnaryOp::Tanh, 1.0),
    (UnaryOp::Sin, 1.0),
    (UnaryOp::Cos, 1.0),
    (UnaryOp::Sigmoid, 1.0),
    (UnaryOp::Erf, 1.0),
    (UnaryOp::Atan, 1.6),
];
const JUMPS: [UnaryOp; 5] = [UnaryOp::Sign, UnaryOp::Floor, UnaryOp::Ceil, UnaryOp::Round, UnaryOp::Trunc];
const DTYPES: [DType; 4] = [DType::F32, DType::F64, DType::I64, DType::Bool];

/// Random choices, cut from one word.
pub(crate) struct Choice(u64);

impl Choice {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let n = n.max(1) as u64;
        let picked = self.0 % n;
        self.0 = (self.0 / n).rotate_left(17).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        picked as usize
    }

    pub(crate) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// Add the ops that the word describes, if it fits.
pub(crate) fn add(maker: &mut Maker, word: u64) -> Option<ValueId> {
    let mut choice = Choice(word);
    let kind = choice.below(22);
    let a = choice.below(maker.program.metas.len());
    let b = partner(maker, a, &mut choice);
    let (x, y) = (maker.known[a], maker.known[b]);
    let meta = maker.meta(a).clone();
    let (rank, step) = (meta.shape.len(), unit(meta.dtype));
    let exact = x.error == 0.0;
    let moved = Known { bound: x.bound.max(y.bound), error: x.error.max(y.error) };
    let summed = |terms: usize, size: f64, error: f64| Known {
        bound: terms as f64 * size,
        error: terms as f64 * (error + step * size),
    };
    match kind {
        0 => {
            let (op, bound) = choice.of(&SMOOTH);
            maker.push(Op::Unary(op), &[a], &[Known { bound, error: 1.2 * x.error + step }])
        }
        1 if exact => maker.push(Op::Unary(choice.of(&JUMPS)), &[a], &[Known { bound: x.bound + 1.0, error: 0.0 }]),
        1 => maker.push(Op::Unary(choice.of(&[UnaryOp::Neg, UnaryOp::Abs])), &[a], &[x]),
        2 => {
            let op = choice.of(&[BinaryOp::Add, BinaryOp::Sub]);
            let error = if exact && y.error == 0.0 { 0.0 } else { x.error + y.error + step * (x.bound + y.bound) };
            maker.push(Op::Binary(op), &[a, b], &[Known { bound: x.bound + y.bound, error }])
        }
        3 => {
            let error = x.error * y.bound + y.error * x.bound + step * x.bound * y.bound;
            let error = if exact && y.error == 0.0 { 0.0 } else { error };
            maker.push(Op::Binary(BinaryOp::Mul), &[a, b], &[Known { bound: x.bound * y.bound, error }])
        }
        4 => maker.push(Op::Binary(choice.of(&[BinaryOp::Maximum, BinaryOp::Minimum])), &[a, b], &[moved]),
        5 if exact && y.error == 0.0 => {
            maker.push(Op::Compare(choice.of(CompareOp::ALL)), &[a, b], &[Known { bound: 1.0, error: 0.0 }])
        }
        5 => None,
        6 => {
            let condition = (0..maker.program.metas.len())
                .rev()
                .find(|&i| *maker.meta(i) == Meta::new(meta.shape.clone(), DType::Bool))?;
            maker.push(Op::Select, &[condition, a, b], &[moved])
        }
        7 => {
            let dtype = choice.of(&DTYPES);
            let step = unit(dtype).max(step);
            let known = Known { bound: x.bound.max(1.0), error: x.error + step * x.bound * f64::from(!exact) };
            if !exact && !dtype.is_float() { None } else { maker.push(Op::Cast(dtype), &[a], &[known]) }
        }
        8 => {
            let axes: Vec<usize> = (0..rank).filter(|_| choice.below(2) == 1).collect();
            let terms: usize = axes.iter().map(|&axis| meta.shape[axis]).product();
            let op = choice.of(&[ReduceOp::Sum, ReduceOp::Max, ReduceOp::Min, ReduceOp::Any, ReduceOp::All]);
            let known = if op == ReduceOp::Sum { summed(terms.max(1), x.bound, x.error) } else { x };
            maker.push(Op::Reduce { op, axes }, &[a], &[known])
        }
        9 => {
            let view = any_view(&meta.shape, &mut choice);
            maker.push(Op::View(view), &[a], &[x])
        }
        10 => {
            let mut amounts = || (0..rank).map(|_| choice.below(3)).collect::<Vec<_>>();
            let (low, high, interior) = (amounts(), amounts(), amounts());
            maker.push(
                Op::Pad { low, high, interior, value: Scalar::Int(1) },
                &[a],
                &[Known { bound: x.bound.max(1.0), ..x }],
            )
        }
        11 => maker.push(Op::Concat { axis: choice.below(rank) }, &[a, b, a], &[moved]),
        12 => {
            let (b, inner) = (transposed(maker, b)?, *meta.shape.last()?);
            let error = x.error * y.bound + y.error * x.bound;
            maker.push(Op::MatMul, &[a, b], &[summed(inner, x.bound * y.bound, error)])
        }
        13 => {
            let axis = choice.below(rank);
            if *meta.shape.get(axis)? < 3 {
                return None;
            }
            let gathered = maker.push(Op::Gather { axis }, &[a, INDEX], &[x])?;
            let known = summed(6, x.bound, x.error);
            if choice.below(2) == 0 {
                Some(gathered)
            } else {
                maker.push(Op::ScatterAdd { axis }, &[a, INDEX, gathered], &[known])
            }
        }
        14 => {
            let axis = choice.below(rank);
            let (size, reverse) = (*meta.shape.get(axis)?, choice.below(2) == 1);
            maker.push(Op::Cumulate { op: CumulateOp::Sum, axis, reverse }, &[a], &[summed(size, x.bound, x.error)])
        }
        15 if exact && choice.below(2) == 0 => {
            let op = Op::ArgReduce { op: choice.of(ArgOp::ALL), axis: choice.below(rank) };
            maker.push(op, &[a], &[Known { bound: 500.0, error: 0.0 }])
        }
        15 => {
            let axis = choice.below(rank);
            let known = Known { bound: 2.0 * x.bound + 7.0, error: 2.0 * x.error + 8.0 * step * (x.bound + 7.0) };
            maker.push(Op::Composite(Composite::LogSoftmax { axis }), &[a], &[known])
        }
        16 => {
            let window: usize = meta.shape.get(1..)?.iter().product();
            let error = 2.0 * x.error * x.bound;
            maker.push(
                Op::Conv(plain_window(rank.checked_sub(2)?)),
                &[a, a],
                &[summed(window, x.bound * x.bound, error)],
            )
        }
        17 => structures::centred(maker, a, &mut choice),
        18 => structures::layer(maker, a, b),
        19 => structures::scaled(maker, a, &mut choice),
        20 => structures::outer(maker, a),
        _ => scan(maker, a, &mut choice),
    }
}

/// Another value of the same shape and dtype, or the same one.
fn partner(maker: &Maker, a: ValueId, choice: &mut Choice) -> ValueId {
    let alike: Vec<ValueId> = (0..maker.program.metas.len()).filter(|&i| maker.meta(i) == maker.meta(a)).collect();
    choice.of(&alike)
}

pub(crate) fn transposed(maker: &mut Maker, value: ValueId) -> Option<ValueId> {
    let rank = maker.meta(value).shape.len();
    let mut perm: Vec<usize> = (0..rank).collect();
    perm.swap(rank.checked_sub(2)?, rank - 1);
    let known = maker.known[value];
    maker.push(Op::View(ViewOp::Permute(perm)), &[value], &[known])
}

fn any_view(shape: &Shape, choice: &mut Choice) -> ViewOp {
    let rank = shape.len();
    match choice.below(6) {
        0 => ViewOp::Reshape([shape.numel()].into()),
        1 if shape.numel().is_multiple_of(2) => ViewOp::Reshape([2, shape.numel() / 2].into()),
        1 => ViewOp::Reshape([&[1], &shape[..]].concat().into()),
        2 => ViewOp::Permute((0..rank).rev().collect()),
        3 => ViewOp::Permute((0..rank).map(|axis| (axis + 1) % rank).collect()),
        4 => ViewOp::Expand([&[1 + choice.below(3)], &shape[..]].concat().into()),
        _ => {
            let mut view = (vec![], vec![], vec![]);
            for &size in shape.iter() {
                let start = choice.below(size);
                let (step, room) = choice.of(&[(1, size - start), (2, (size - start).div_ceil(2)), (-1, start + 1)]);
                let room = if size == 0 { 0 } else { room };
                view.0.push(start);
                view.1.push(room - choice.below(room));
                view.2.push(step);
            }
            ViewOp::Slice { starts: view.0, sizes: view.1, steps: view.2 }
        }
    }
}

fn plain_window(spatial: usize) -> ConvOp {
    ConvOp {
        strides: vec![1; spatial],
        low: vec![1; spatial],
        high: vec![1; spatial],
        input_dilation: vec![1; spatial],
        kernel_dilation: vec![1; spatial],
        groups: 1,
        batch_groups: 1,
    }
}

/// `c = tanh(c + x); y = c * x` over the leading axis of a value, starting from its first slice.
fn scan(maker: &mut Maker, a: ValueId, choice: &mut Choice) -> Option<ValueId> {
    let (meta, x) = (maker.meta(a).clone(), maker.known[a]);
    let (&length, rest) = meta.shape.split_first()?;
    if !meta.dtype.is_float() || length == 0 {
        return None;
    }
    let one = Meta::new(rest, meta.dtype);
    let mut body = Program::with_inputs(vec![one.clone(); 2]);
    let metas = std::slice::from_ref(&one);
    let sum = body.push(Op::Binary(BinaryOp::Add), smallvec![0, 1], metas, None);
    let carry = body.push(Op::Unary(UnaryOp::Tanh), smallvec![sum], metas, None);
    let output = body.push(Op::Binary(BinaryOp::Mul), smallvec![carry, 1], metas, None);
    body.outputs = vec![carry, output];

    let rank = meta.shape.len();
    let slice = ViewOp::Slice { starts: vec![0; rank], sizes: meta.shape.with(0, 1).to_vec(), steps: vec![1; rank] };
    let first = maker.push(Op::View(slice), &[a], &[x])?;
    let start = maker.push(Op::View(ViewOp::Reshape(rest.into())), &[first], &[x])?;
    let turns = length as f64 + 1.0;
    let carry = Known { bound: x.bound.max(1.0), error: turns * (x.error + unit(meta.dtype) * (2.0 * x.bound + 2.0)) };
    let error = carry.error * x.bound + x.error + unit(meta.dtype) * x.bound;
    let output = Known { bound: x.bound * x.bound.max(1.0), error };
    let op = ScanOp { body: Arc::new(body), consts: 0, carries: 1, length, reverse: choice.below(2) == 1 };
    maker.push(Op::Scan(op), &[start, a], &[carry, output])
}
