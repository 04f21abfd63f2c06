//! One row for each op and dtype: what goes in, and how close a backend must come.
//!
//! A new op does not compile until it has a [`Kind`] and rows; a new member of a family until it has a domain.

use super::common::close::Close;
use super::data::Data;
use super::{attention, elementwise, fused, matrices, moving, pools, shaped};
use trainsmith_core::buffer::Meta;
use trainsmith_core::dtype::DType;
use trainsmith_core::ir::{Composite, Op, ViewOp};
use trainsmith_core::shape::Shape;

/// What a row asks of a backend.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expect {
    /// The reference's elements.
    Agrees(Close),
    /// An error from the shape and dtype rule, and from the backend.
    Refused,
    /// An error that depends on the data.
    Fails,
}

/// One input.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) meta: Meta,
    pub(crate) data: Data,
}

/// One op on inputs of one shape and dtype.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) op: Op,
    pub(crate) inputs: Vec<Slot>,
    pub(crate) expect: Expect,
}

impl Row {
    pub(crate) fn new(op: Op, inputs: Vec<Slot>, close: Close) -> Self {
        Self { op, inputs, expect: Expect::Agrees(close) }
    }

    pub(crate) fn refused(op: Op, inputs: Vec<Slot>) -> Self {
        Self { op, inputs, expect: Expect::Refused }
    }

    pub(crate) fn fails(op: Op, inputs: Vec<Slot>) -> Self {
        Self { op, inputs, expect: Expect::Fails }
    }
}

pub(crate) fn slot(shape: impl Into<Shape>, dtype: DType, data: Data) -> Slot {
    Slot { meta: Meta::new(shape, dtype), data }
}

pub(crate) const FLOATS: [DType; 4] = [DType::F16, DType::BF16, DType::F32, DType::F64];

/// Dtypes that run at sizes where a backend splits the work.
pub(crate) const LARGE: [DType; 3] = [DType::F32, DType::F64, DType::I64];

/// Sizes that meet every branch of a loop: none, one, below and above a vector, and axes that can be turned.
pub(crate) fn shapes() -> Vec<Shape> {
    let shapes: [&[usize]; 8] = [&[], &[1], &[0], &[7], &[3, 0, 2], &[2, 3, 4], &[5, 17], &[67]];
    shapes.into_iter().map(Shape::from).collect()
}

macro_rules! kinds {
    ($($kind:ident => $rows:expr),+ $(,)?) => {
        /// What rows are counted by.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Kind { $($kind),+ }

        impl Kind {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$kind),+];

            pub(crate) fn rows(self) -> Vec<Row> {
                match self { $(Self::$kind => $rows),+ }
            }
        }
    };
}

kinds!(
    Leaf => vec![Row::refused(Op::Leaf, vec![])],
    Fill => moving::fill(),
    Iota => moving::iota(),
    Random => moving::random(),
    Unary => elementwise::unary(),
    Binary => elementwise::binary(),
    Compare => elementwise::compare(),
    Select => elementwise::select(),
    Cast => elementwise::cast(),
    Reduce => shaped::reduce(),
    ArgReduce => shaped::arg_reduce(),
    Cumulate => shaped::cumulate(),
    Reshape => moving::reshape(),
    Permute => moving::permute(),
    Expand => moving::expand(),
    Slice => moving::slice(),
    Pad => moving::pad(),
    Concat => moving::concat(),
    MatMul => shaped::matmul(),
    Conv => shaped::conv(),
    Gather => moving::gather(),
    ScatterAdd => moving::scatter_add(),
    Sort => matrices::sort(),
    Linalg => matrices::linalg(),
    Scan => shaped::scan(),
    Fused => fused::fused(),
    LogSoftmax => shaped::log_softmax(),
    LogSoftmaxGrad => shaped::log_softmax_grad(),
    Attention => attention::attention(),
    AttentionGrad => attention::attention_grad(),
    Pool => pools::pool(),
    PoolGrad => pools::pool_grad(),
    CheckFinite => moving::check_finite(),
    CheckIndex => moving::check_index(),
);

pub(crate) fn kind(op: &Op) -> Kind {
    match op {
        Op::Leaf => Kind::Leaf,
        Op::Fill { .. } => Kind::Fill,
        Op::Iota { .. } => Kind::Iota,
        Op::Random { .. } => Kind::Random,
        Op::Unary(_) => Kind::Unary,
        Op::Binary(_) => Kind::Binary,
        Op::Compare(_) => Kind::Compare,
        Op::Select => Kind::Select,
        Op::Cast(_) => Kind::Cast,
        Op::Reduce { .. } => Kind::Reduce,
        Op::ArgReduce { .. } => Kind::ArgReduce,
        Op::Cumulate { .. } => Kind::Cumulate,
        Op::View(ViewOp::Reshape(_)) => Kind::Reshape,
        Op::View(ViewOp::Permute(_)) => Kind::Permute,
        Op::View(ViewOp::Expand(_)) => Kind::Expand,
        Op::View(ViewOp::Slice { .. }) => Kind::Slice,
        Op::Pad { .. } => Kind::Pad,
        Op::Concat { .. } => Kind::Concat,
        Op::MatMul => Kind::MatMul,
        Op::Conv(_) => Kind::Conv,
        Op::Gather { .. } => Kind::Gather,
        Op::ScatterAdd { .. } => Kind::ScatterAdd,
        Op::Sort { .. } => Kind::Sort,
        Op::Linalg(_) => Kind::Linalg,
        Op::Scan(_) => Kind::Scan,
        Op::Fused(_) => Kind::Fused,
        Op::Composite(Composite::LogSoftmax { .. }) => Kind::LogSoftmax,
        Op::Composite(Composite::LogSoftmaxGrad { .. }) => Kind::LogSoftmaxGrad,
        Op::Composite(Composite::Attention { .. }) => Kind::Attention,
        Op::Composite(Composite::AttentionGrad { .. }) => Kind::AttentionGrad,
        Op::Composite(Composite::Pool(_)) => Kind::Pool,
        Op::Composite(Composite::PoolGrad { .. }) => Kind::PoolGrad,
        Op::CheckFinite { .. } => Kind::CheckFinite,
        Op::CheckIndex { .. } => Kind::CheckIndex,
    }
}
