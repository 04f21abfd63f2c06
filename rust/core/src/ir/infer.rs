//! Shape and dtype rules: what an op gives, or why it cannot.

use crate::buffer::Meta;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::fused::fused;
use crate::ir::infer_attention::{attention, attention_grad};
use crate::ir::infer_linalg::{linalg, linalg_arity, sort};
use crate::ir::infer_window::{conv, gather, integer_index, pad, pool, pool_grad, scan, scatter_add};
use crate::ir::op::{BinaryOp, Composite, Op, PoolKind, RandomOp, ReduceOp, UnaryOp, ViewOp};
use crate::shape::Shape;
use smallvec::{SmallVec, smallvec};

/// Shape and dtype of each result of `op`.
pub fn infer(op: &Op, inputs: &[Meta]) -> Result<SmallVec<[Meta; 1]>> {
    if let Some(wanted) = arity(op)
        && wanted != inputs.len()
    {
        return Err(Error::bug(op.name(), format!("takes {wanted} inputs, got {}", inputs.len())));
    }
    let one = match op {
        Op::Leaf => return Err(Error::bug("leaf", "a leaf has no rule")),
        Op::Fill { shape, dtype, .. } => Meta::new(shape.clone(), *dtype),
        Op::Iota { length } => Meta::new([*length], DType::I64),
        Op::Random { kind, shape, dtype } => random(*kind, shape, *dtype, &inputs[0])?,
        Op::Unary(unary) => unary_rule(*unary, &inputs[0])?,
        Op::Binary(binary) => binary_rule(*binary, inputs)?,
        Op::Compare(compare) => {
            same(compare.name(), &inputs[0], &inputs[1])?;
            Meta::new(inputs[0].shape.clone(), DType::Bool)
        }
        Op::Select => {
            if inputs[0].dtype != DType::Bool || inputs[0].shape != inputs[1].shape {
                return Err(mismatch("where", "a bool condition of the branches' shape", inputs));
            }
            same("where", &inputs[1], &inputs[2])?;
            inputs[1].clone()
        }
        Op::Cast(dtype) => Meta::new(inputs[0].shape.clone(), *dtype),
        Op::Reduce { op, axes } => reduce(*op, axes, &inputs[0])?,
        Op::ArgReduce { op, axis } => {
            in_rank(op.name(), *axis, &inputs[0])?;
            if inputs[0].shape[*axis] == 0 {
                return Err(Error::value(op.name(), "an axis with at least one element", inputs[0].shape.to_string()));
            }
            Meta::new(inputs[0].shape.reduced(&[*axis], false), DType::I64)
        }
        Op::Cumulate { op, axis, .. } => {
            in_rank(op.name(), *axis, &inputs[0])?;
            not_bool(op.name(), &inputs[0])?;
            inputs[0].clone()
        }
        Op::View(view) => Meta::new(view_rule(view, &inputs[0])?, inputs[0].dtype),
        Op::Pad { low, high, interior, .. } => pad(low, high, interior, &inputs[0])?,
        Op::Concat { axis } => concat(*axis, inputs)?,
        Op::MatMul => matmul(&inputs[0], &inputs[1])?,
        Op::Conv(attributes) => conv(attributes, &inputs[0], &inputs[1])?,
        Op::Gather { axis } => gather(*axis, &inputs[0], &inputs[1])?,
        Op::ScatterAdd { axis } => scatter_add(*axis, inputs)?,
        Op::Sort { axis, .. } => return sort(*axis, &inputs[0]),
        Op::Linalg(op) => return linalg(*op, inputs),
        Op::Scan(attributes) => return scan(attributes, inputs),
        Op::Fused(attributes) => return fused(attributes, inputs),
        Op::Composite(Composite::LogSoftmax { axis }) => {
            in_rank("log_softmax", *axis, &inputs[0])?;
            float("log_softmax", &inputs[0])?;
            inputs[0].clone()
        }
        Op::Composite(Composite::LogSoftmaxGrad { axis }) => {
            in_rank("log_softmax_grad", *axis, &inputs[0])?;
            float("log_softmax_grad", &inputs[0])?;
            same("log_softmax_grad", &inputs[0], &inputs[1])?;
            inputs[0].clone()
        }
        Op::Composite(Composite::Attention { .. }) => return attention(inputs),
        Op::Composite(Composite::AttentionGrad { .. }) => return attention_grad(inputs),
        Op::Composite(Composite::Pool(attributes)) => pool(attributes, &inputs[0])?,
        Op::Composite(Composite::PoolGrad { pool, sizes }) => pool_grad(pool, sizes, inputs)?,
        Op::CheckFinite { .. } => inputs[0].clone(),
        Op::CheckIndex { name, .. } => {
            integer_index(name, &inputs[0])?;
            inputs[0].clone()
        }
    };
    Ok(smallvec![one])
}

/// Number of inputs, where it is fixed.
pub fn arity(op: &Op) -> Option<usize> {
    match op {
        Op::Leaf | Op::Fill { .. } | Op::Iota { .. } => Some(0),
        Op::Random { .. }
        | Op::Unary(_)
        | Op::Cast(_)
        | Op::Reduce { .. }
        | Op::ArgReduce { .. }
        | Op::Cumulate { .. }
        | Op::View(_)
        | Op::Pad { .. }
        | Op::Sort { .. }
        | Op::Composite(Composite::LogSoftmax { .. } | Composite::Pool(_))
        | Op::CheckFinite { .. }
        | Op::CheckIndex { .. } => Some(1),
        Op::Binary(_)
        | Op::Compare(_)
        | Op::MatMul
        | Op::Conv(_)
        | Op::Gather { .. }
        | Op::Composite(Composite::LogSoftmaxGrad { .. }) => Some(2),
        Op::Linalg(op) => Some(linalg_arity(*op)),
        Op::Composite(Composite::PoolGrad { pool, .. }) => Some(if pool.kind == PoolKind::Max { 2 } else { 1 }),
        Op::Select | Op::ScatterAdd { .. } | Op::Composite(Composite::Attention { .. }) => Some(3),
        Op::Composite(Composite::AttentionGrad { .. }) => Some(6),
        Op::Concat { .. } | Op::Scan(_) | Op::Fused(_) => None,
    }
}

/// Shape that a view gives.
pub fn view_rule(view: &ViewOp, input: &Meta) -> Result<Shape> {
    let shape = &input.shape;
    match view {
        ViewOp::Reshape(to) if to.numel() == shape.numel() => Ok(to.clone()),
        ViewOp::Reshape(to) => Err(Error::shape(
            "reshape",
            format!("a shape with {} elements", shape.numel()),
            format!("{to} for a tensor of shape {shape}"),
        )),
        ViewOp::Permute(perm) => {
            let mut sorted = perm.clone();
            sorted.sort_unstable();
            if sorted.iter().copied().eq(0..shape.len()) {
                Ok(perm.iter().map(|&p| shape[p]).collect())
            } else {
                Err(Error::value("permute_dims", format!("each of the {} axes once", shape.len()), format!("{perm:?}")))
            }
        }
        ViewOp::Expand(to) => match Shape::broadcast("broadcast_to", shape, to) {
            Ok(result) if result == *to => Ok(result),
            _ => Err(Error::shape(
                "broadcast_to",
                "a target that repeats axes of size 1 or adds leading axes",
                format!("{shape} to {to}"),
            )),
        },
        ViewOp::Slice { starts, sizes, steps } => {
            let ok = starts.len() == shape.len()
                && sizes.len() == shape.len()
                && steps.len() == shape.len()
                && (0..shape.len()).all(|axis| {
                    let last = starts[axis] as isize + (sizes[axis] as isize - 1) * steps[axis];
                    sizes[axis] == 0
                        || (steps[axis] != 0
                            && starts[axis] < shape[axis]
                            && last >= 0
                            && (last as usize) < shape[axis])
                });
            if ok {
                Ok(sizes.as_slice().into())
            } else {
                Err(Error::index(
                    "slice",
                    format!("positions inside {shape}"),
                    format!("starts {starts:?}, sizes {sizes:?}, steps {steps:?}"),
                ))
            }
        }
    }
}

fn unary_rule(op: UnaryOp, input: &Meta) -> Result<Meta> {
    match op {
        UnaryOp::Not if input.dtype.is_float() => {
            Err(Error::dtype("not", "a bool or integer tensor", input.dtype.to_string()))
        }
        UnaryOp::Not => Ok(input.clone()),
        UnaryOp::Neg
        | UnaryOp::Abs
        | UnaryOp::Sign
        | UnaryOp::Floor
        | UnaryOp::Ceil
        | UnaryOp::Round
        | UnaryOp::Trunc => {
            not_bool(op.name(), input)?;
            Ok(input.clone())
        }
        UnaryOp::Reciprocal
        | UnaryOp::Exp
        | UnaryOp::Expm1
        | UnaryOp::Log
        | UnaryOp::Log1p
        | UnaryOp::Sqrt
        | UnaryOp::Sin
        | UnaryOp::Cos
        | UnaryOp::Tan
        | UnaryOp::Asin
        | UnaryOp::Acos
        | UnaryOp::Atan
        | UnaryOp::Sinh
        | UnaryOp::Cosh
        | UnaryOp::Tanh
        | UnaryOp::Asinh
        | UnaryOp::Acosh
        | UnaryOp::Atanh
        | UnaryOp::Sigmoid
        | UnaryOp::Erf
        | UnaryOp::Gelu => {
            float(op.name(), input)?;
            Ok(input.clone())
        }
    }
}

fn binary_rule(op: BinaryOp, inputs: &[Meta]) -> Result<Meta> {
    same(op.name(), &inputs[0], &inputs[1])?;
    let dtype = inputs[0].dtype;
    let ok = match op {
        BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Pow | BinaryOp::Remainder | BinaryOp::FloorDivide => {
            dtype != DType::Bool
        }
        BinaryOp::Div | BinaryOp::Atan2 | BinaryOp::CopySign => dtype.is_float(),
        BinaryOp::NextAfter => matches!(dtype, DType::F32 | DType::F64),
        BinaryOp::Maximum | BinaryOp::Minimum => true,
        BinaryOp::And | BinaryOp::Or | BinaryOp::Xor => !dtype.is_float(),
        BinaryOp::ShiftLeft | BinaryOp::ShiftRight => dtype.is_integer(),
    };
    if ok {
        Ok(inputs[0].clone())
    } else {
        Err(Error::dtype(op.name(), "a dtype for which it is defined; cast with astype first", dtype.to_string()))
    }
}

fn random(kind: RandomOp, shape: &Shape, dtype: DType, state: &Meta) -> Result<Meta> {
    if *state != Meta::new([2], DType::I64) {
        return Err(Error::bug(kind.name(), "a generator state is int64 of shape (2,)"));
    }
    let ok = match kind {
        RandomOp::Bits => dtype == DType::I64,
        RandomOp::Uniform | RandomOp::Normal => dtype.is_float(),
    };
    if ok {
        Ok(Meta::new(shape.clone(), dtype))
    } else {
        Err(Error::dtype(kind.name(), "a floating dtype", dtype.to_string()))
    }
}

fn reduce(op: ReduceOp, axes: &[usize], input: &Meta) -> Result<Meta> {
    for &axis in axes {
        in_rank(op.name(), axis, input)?;
    }
    match op {
        ReduceOp::Any | ReduceOp::All if input.dtype != DType::Bool => {
            return Err(Error::bug(op.name(), format!("takes bool, got {}", input.dtype)));
        }
        ReduceOp::Max | ReduceOp::Min if axes.iter().any(|&a| input.shape[a] == 0) => {
            return Err(Error::value(
                op.name(),
                "at least one element to choose from",
                format!("shape {} over axes {axes:?}", input.shape),
            ));
        }
        ReduceOp::Sum | ReduceOp::Prod => not_bool(op.name(), input)?,
        ReduceOp::Max | ReduceOp::Min | ReduceOp::Any | ReduceOp::All => {}
    }
    Ok(Meta::new(input.shape.reduced(axes, false), input.dtype))
}

fn concat(axis: usize, inputs: &[Meta]) -> Result<Meta> {
    let Some(first) = inputs.first() else {
        return Err(Error::value("concat", "at least one tensor", "none"));
    };
    in_rank("concat", axis, first)?;
    let mut total = 0;
    for input in inputs {
        let fits = input.shape.len() == first.shape.len()
            && input.dtype == first.dtype
            && input.shape.with(axis, 0) == first.shape.with(axis, 0);
        if !fits {
            return Err(mismatch("concat", &format!("equal dtypes, and equal sizes outside axis {axis}"), inputs));
        }
        total += input.shape[axis];
    }
    Ok(Meta::new(first.shape.with(axis, total), first.dtype))
}

fn matmul(a: &Meta, b: &Meta) -> Result<Meta> {
    not_bool("matmul", a)?;
    let rank = a.shape.len();
    let fits = rank >= 2
        && b.shape.len() == rank
        && a.dtype == b.dtype
        && a.shape[..rank - 2] == b.shape[..rank - 2]
        && a.shape[rank - 1] == b.shape[rank - 2];
    if !fits {
        return Err(mismatch(
            "matmul",
            "equal dtypes and leading axes, and inner sizes lhs[-1] == rhs[-2]",
            &[a.clone(), b.clone()],
        ));
    }
    Ok(Meta::new(a.shape.with(rank - 1, b.shape[rank - 1]), a.dtype))
}

pub(super) fn same(op: &str, a: &Meta, b: &Meta) -> Result<()> {
    if a == b {
        return Ok(());
    }
    Err(mismatch(op, "two tensors of one shape and dtype", &[a.clone(), b.clone()]))
}

pub(super) fn mismatch(op: &str, rule: &str, inputs: &[Meta]) -> Error {
    let text: Vec<String> = inputs.iter().map(|m| format!("{} {}", m.dtype, m.shape)).collect();
    Error::shape(op, rule, text.join(", "))
}

pub(super) fn in_rank(op: &str, axis: usize, input: &Meta) -> Result<()> {
    if axis < input.shape.len() {
        return Ok(());
    }
    Err(Error::index(op, format!("an axis of a tensor with {} axes", input.shape.len()), axis.to_string()))
}

pub(super) fn not_bool(op: &str, input: &Meta) -> Result<()> {
    if input.dtype != DType::Bool {
        return Ok(());
    }
    Err(Error::dtype(op, "a numeric tensor; cast with astype first", "bool"))
}

pub(super) fn float(op: &str, input: &Meta) -> Result<()> {
    if input.dtype.is_float() {
        return Ok(());
    }
    Err(Error::dtype(op, "a floating tensor; cast with astype first", input.dtype.to_string()))
}
