//! Which values each derivative reads; the tape drops the others.

use crate::ir::op::{BinaryOp, Composite, CumulateOp, LinalgOp, Op, PoolKind, ReduceOp, UnaryOp};

/// Values that an op's derivative reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reads {
    /// Bit i: input i.
    inputs: u32,
    /// The outputs.
    pub outputs: bool,
}

impl Reads {
    const NOTHING: Self = Self { inputs: 0, outputs: false };
    const INPUTS: Self = Self { inputs: u32::MAX, outputs: false };
    const OUTPUT: Self = Self { inputs: 0, outputs: true };
    const BOTH: Self = Self { inputs: u32::MAX, outputs: true };

    const fn input(i: u32) -> Self {
        Self { inputs: 1 << i, outputs: false }
    }

    /// Whether the value of input `i` is read.
    pub fn reads_input(self, i: usize) -> bool {
        self.inputs >> i.min(31) & 1 == 1
    }
}

/// What the derivative of `op` reads, or `None` where it has no derivative.
pub fn reads(op: &Op) -> Option<Reads> {
    Some(match op {
        Op::Leaf
        | Op::Fill { .. }
        | Op::Iota { .. }
        | Op::Random { .. }
        | Op::Compare(_)
        | Op::Cast(_)
        | Op::ArgReduce { .. }
        | Op::View(_)
        | Op::Pad { .. }
        | Op::Concat { .. }
        | Op::CheckFinite { .. }
        | Op::CheckIndex { .. }
        | Op::Reduce { op: ReduceOp::Sum | ReduceOp::Any | ReduceOp::All, .. }
        | Op::Cumulate { op: CumulateOp::Sum, .. } => Reads::NOTHING,
        Op::Unary(unary) => match unary {
            UnaryOp::Neg
            | UnaryOp::Sign
            | UnaryOp::Floor
            | UnaryOp::Ceil
            | UnaryOp::Round
            | UnaryOp::Trunc
            | UnaryOp::Not => Reads::NOTHING,
            UnaryOp::Exp
            | UnaryOp::Expm1
            | UnaryOp::Sqrt
            | UnaryOp::Tan
            | UnaryOp::Tanh
            | UnaryOp::Sigmoid
            | UnaryOp::Reciprocal => Reads::OUTPUT,
            UnaryOp::Abs
            | UnaryOp::Log
            | UnaryOp::Log1p
            | UnaryOp::Sin
            | UnaryOp::Cos
            | UnaryOp::Asin
            | UnaryOp::Acos
            | UnaryOp::Atan
            | UnaryOp::Sinh
            | UnaryOp::Cosh
            | UnaryOp::Asinh
            | UnaryOp::Acosh
            | UnaryOp::Atanh
            | UnaryOp::Erf
            | UnaryOp::Gelu => Reads::INPUTS,
        },
        Op::Binary(binary) => match binary {
            BinaryOp::Add | BinaryOp::Sub => Reads::NOTHING,
            BinaryOp::Mul | BinaryOp::Maximum | BinaryOp::Minimum | BinaryOp::Remainder | BinaryOp::Atan2 => {
                Reads::INPUTS
            }
            BinaryOp::Div | BinaryOp::Pow | BinaryOp::CopySign => Reads::BOTH,
            BinaryOp::FloorDivide
            | BinaryOp::NextAfter
            | BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::Xor
            | BinaryOp::ShiftLeft
            | BinaryOp::ShiftRight => return None,
        },
        Op::Select => Reads::input(0),
        Op::Reduce { op: ReduceOp::Prod, .. } | Op::Cumulate { op: CumulateOp::Prod, .. } => Reads::INPUTS,
        Op::Reduce { op: ReduceOp::Max | ReduceOp::Min, .. } => Reads::BOTH,
        Op::MatMul | Op::Conv(_) | Op::Scan(_) => Reads::INPUTS,
        Op::Gather { .. } | Op::ScatterAdd { .. } => Reads::input(1),
        Op::Sort { .. } | Op::Linalg(LinalgOp::Cholesky) => Reads::OUTPUT,
        Op::Linalg(LinalgOp::Slogdet) => Reads::INPUTS,
        Op::Linalg(LinalgOp::Solve | LinalgOp::Det) => Reads::BOTH,
        // Captured programs are differentiated before they are fused.
        Op::Fused(_) => return None,
        Op::Linalg(LinalgOp::Qr { .. } | LinalgOp::Svd | LinalgOp::Eigh) => return None,
        Op::Composite(Composite::LogSoftmax { .. }) => Reads::OUTPUT,
        Op::Composite(Composite::LogSoftmaxGrad { .. } | Composite::AttentionGrad { .. }) => Reads::INPUTS,
        Op::Composite(Composite::Attention { .. }) => Reads::BOTH,
        Op::Composite(Composite::Pool(pool) | Composite::PoolGrad { pool, .. }) => match pool.kind {
            PoolKind::Max => Reads::INPUTS,
            PoolKind::Sum => Reads::NOTHING,
        },
    })
}
