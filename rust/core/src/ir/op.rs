//! The closed set of primitives: attributes only, inputs are held by nodes.
//!
//! Adding one: a variant here, then the compiler names the matches that miss it.

use crate::dtype::{DType, Scalar};
use crate::ir::fused::FusedOp;
use crate::ir::program::Program;
use crate::shape::Shape;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

macro_rules! family {
    ($(#[$doc:meta])* $name:ident { $($variant:ident => $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[allow(missing_docs)]
        pub enum $name { $($variant),+ }

        impl $name {
            /// Every member of the family.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The name shown in programs and errors.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

family!(
    /// One input, same shape and dtype.
    UnaryOp {
        Neg => "negative", Abs => "abs", Sign => "sign", Reciprocal => "reciprocal",
        Exp => "exp", Expm1 => "expm1", Log => "log", Log1p => "log1p", Sqrt => "sqrt",
        Sin => "sin", Cos => "cos", Tan => "tan", Asin => "asin", Acos => "acos", Atan => "atan",
        Sinh => "sinh", Cosh => "cosh", Tanh => "tanh", Asinh => "asinh", Acosh => "acosh", Atanh => "atanh",
        Sigmoid => "sigmoid", Erf => "erf", Gelu => "gelu",
        Floor => "floor", Ceil => "ceil", Round => "round", Trunc => "trunc", Not => "not",
    }
);

family!(
    /// Two inputs of one shape and dtype, which the result shares.
    BinaryOp {
        Add => "add", Sub => "subtract", Mul => "multiply", Div => "divide", Pow => "pow",
        Maximum => "maximum", Minimum => "minimum", Remainder => "remainder", FloorDivide => "floor_divide",
        Atan2 => "atan2", CopySign => "copysign", NextAfter => "nextafter",
        And => "and", Or => "or", Xor => "xor", ShiftLeft => "shift_left", ShiftRight => "shift_right",
    }
);

family!(
    /// Two inputs of one shape and dtype, a bool result.
    CompareOp {
        Equal => "equal", NotEqual => "not_equal", Less => "less", LessEqual => "less_equal",
        Greater => "greater", GreaterEqual => "greater_equal",
    }
);

family!(
    /// Fold axes away; the result keeps the input's dtype.
    ReduceOp { Sum => "sum", Prod => "prod", Max => "max", Min => "min", Any => "any", All => "all" }
);

family!(
    /// Position of the extreme along one axis; the first of equals; an i64 result.
    ArgOp { Max => "argmax", Min => "argmin" }
);

family!(
    /// Running fold along one axis, the element itself included.
    CumulateOp { Sum => "cumulative_sum", Prod => "cumulative_prod" }
);

family!(
    /// What a random draw holds: raw 32-bit words (as i64), floats in [0, 1), standard normal floats.
    RandomOp { Bits => "random_bits", Uniform => "random_uniform", Normal => "random_normal" }
);

/// The same elements under another shape; strides say it where they can.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ViewOp {
    /// Row-major order kept, other sizes.
    Reshape(Shape),
    /// Axis i of the result is axis `perm[i]` of the input.
    Permute(Vec<usize>),
    /// Size-1 axes, and new leading ones, repeated to this shape.
    Expand(Shape),
    /// Per axis: first element, number of elements, step between them (negative walks backwards).
    Slice {
        /// First element of each axis.
        starts: Vec<usize>,
        /// Elements taken of each axis.
        sizes: Vec<usize>,
        /// Step of each axis, never 0.
        steps: Vec<isize>,
    },
}

/// A convolution of `[N, C, spatial...]` with `[O, C / groups, spatial...]`, general enough that both derivatives are again one.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ConvOp {
    /// Step of the window, per spatial axis.
    pub strides: Vec<usize>,
    /// Zeros added before the (dilated) input; negative crops.
    pub low: Vec<isize>,
    /// Zeros added after the (dilated) input; negative crops.
    pub high: Vec<isize>,
    /// Distance between input elements.
    pub input_dilation: Vec<usize>,
    /// Distance between kernel elements.
    pub kernel_dilation: Vec<usize>,
    /// Independent groups of channels.
    pub groups: usize,
    /// Independent groups of the batch, whose outputs lie beside each other in the channels.
    pub batch_groups: usize,
}

family!(
    /// What a pool makes of the elements under its window; the border never counts.
    PoolKind { Max => "max_pool", Sum => "sum_pool" }
);

/// A window that moves over the last one to three axes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PoolOp {
    /// What is made of the elements under the window.
    pub kind: PoolKind,
    /// Elements of the window, per axis.
    pub window: Vec<usize>,
    /// Step of the window, per axis.
    pub strides: Vec<usize>,
    /// Border before each axis.
    pub low: Vec<usize>,
    /// Border after each axis.
    pub high: Vec<usize>,
    /// Distance between elements of the window, per axis.
    pub dilation: Vec<usize>,
}

/// A loop over the leading axis of its last inputs.
///
/// Inputs: `consts` values, then `carries` initial values, then scanned values with a leading axis of `length`.
/// The body takes consts, carries and one slice of each scanned value, and gives the new carries, then one slice of each output.
/// Results: the last carries, then the outputs stacked.
#[derive(Clone, Debug)]
pub struct ScanOp {
    /// One turn of the loop.
    pub body: Arc<Program>,
    /// How many inputs every turn sees unchanged.
    pub consts: usize,
    /// How many values go from turn to turn.
    pub carries: usize,
    /// Number of turns.
    pub length: usize,
    /// Walk from the last slice to the first; outputs keep the position of their slice.
    pub reverse: bool,
}

impl PartialEq for ScanOp {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.body, &other.body)
            && (self.consts, self.carries, self.length, self.reverse)
                == (other.consts, other.carries, other.length, other.reverse)
    }
}
impl Eq for ScanOp {}
impl Hash for ScanOp {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.body).hash(state);
        (self.consts, self.carries, self.length, self.reverse).hash(state);
    }
}

/// Ops whose meaning is a composition (`decompose.rs`), kept whole because backends have a better kernel.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Composite {
    /// `x - log(sum(exp(x)))` along one axis.
    LogSoftmax {
        /// Axis whose exponentials add up to one.
        axis: usize,
    },
    /// Backward twin: inputs are the forward result and its gradient.
    LogSoftmaxGrad {
        /// Axis of the forward op.
        axis: usize,
    },
    /// `softmax(q k^T) v` and, for each query, the logarithm of the sum of its exponentials; `[..., L, E]`, `[..., S, E]` and
    /// `[..., S, F]` give `[..., L, F]` and `[..., L]`.
    Attention {
        /// Whether a query sees no key after its own place.
        causal: bool,
    },
    /// Backward twin: inputs are those of the forward op, the logarithms, the gradient of the result, and for each query the
    /// number that its scores share: the product of gradient and result, less the gradient of the logarithm.
    AttentionGrad {
        /// As in the forward op.
        causal: bool,
    },
    /// Maxima or sums under a window; a window that lies in the border alone gives the fold of nothing.
    Pool(PoolOp),
    /// Backward twin: inputs are the gradient of the result and, for maxima, the forward input. The first of equal maxima
    /// takes the gradient.
    PoolGrad {
        /// The forward op.
        pool: PoolOp,
        /// Sizes of the forward input along the window's axes.
        sizes: Vec<usize>,
    },
}

/// Decompositions of the matrices in the last two axes, float32 or float64; leading axes are independent matrices.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LinalgOp {
    /// Lower `L` with `L L^T = A`; only the lower triangle of `A` is read.
    Cholesky,
    /// `X` with `A X = B`; inputs `A`, `B`.
    Solve,
    /// The determinant.
    Det,
    /// Sign of the determinant, and logarithm of its absolute value.
    Slogdet,
    /// `Q` with orthonormal columns and upper `R` with no negative diagonal, `Q R = A`.
    Qr {
        /// Whether `Q` is square; otherwise it has as many columns as the smaller side of `A`.
        full: bool,
    },
    /// `U`, falling singular values `s`, and `V^T` with `U diag(s) V^T = A`; the largest element of each column of `U` is positive.
    Svd,
    /// Rising eigenvalues `w`, and `V` with `V diag(w) V^T = A`; only the lower triangle of `A` is read. The largest element
    /// of each column of `V` is positive.
    Eigh,
}

impl LinalgOp {
    /// The name shown in programs and errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cholesky => "cholesky",
            Self::Solve => "solve",
            Self::Det => "det",
            Self::Slogdet => "slogdet",
            Self::Qr { .. } => "qr",
            Self::Svd => "svd",
            Self::Eigh => "eigh",
        }
    }
}

/// One primitive with its attributes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// A value from outside: user data, a variable, an input of a program.
    Leaf,
    /// One value everywhere.
    Fill {
        /// The value.
        value: Scalar,
        /// Sizes of the result.
        shape: Shape,
        /// Element type of the result.
        dtype: DType,
    },
    /// 0, 1, 2, ... as i64.
    Iota {
        /// Number of elements.
        length: usize,
    },
    /// Random words or floats; the input is a generator state, i64 `[key, offset]`.
    Random {
        /// Distribution.
        kind: RandomOp,
        /// Sizes of the result.
        shape: Shape,
        /// Element type of the result.
        dtype: DType,
    },
    /// Elementwise function of one input.
    Unary(UnaryOp),
    /// Elementwise function of two inputs.
    Binary(BinaryOp),
    /// Elementwise comparison.
    Compare(CompareOp),
    /// Elementwise `condition ? a : b`.
    Select,
    /// Another dtype.
    Cast(DType),
    /// Fold axes (sorted, distinct).
    Reduce {
        /// The fold.
        op: ReduceOp,
        /// Axes that disappear.
        axes: Vec<usize>,
    },
    /// Position of an extreme.
    ArgReduce {
        /// Which extreme.
        op: ArgOp,
        /// Axis that disappears.
        axis: usize,
    },
    /// Running fold.
    Cumulate {
        /// The fold.
        op: CumulateOp,
        /// Axis to run along.
        axis: usize,
        /// Run from the end to the start.
        reverse: bool,
    },
    /// The same elements under another shape.
    View(ViewOp),
    /// A border of `value`, and `interior` copies of it between neighbours.
    Pad {
        /// Elements before each axis.
        low: Vec<usize>,
        /// Elements after each axis.
        high: Vec<usize>,
        /// Elements between neighbours of each axis.
        interior: Vec<usize>,
        /// What they hold.
        value: Scalar,
    },
    /// Inputs one after the other along an axis.
    Concat {
        /// The axis.
        axis: usize,
    },
    /// `[..., m, k] x [..., k, n]` with equal leading axes.
    MatMul,
    /// Convolution.
    Conv(ConvOp),
    /// `x[..., index, ...]`: whole slices of `x` along an axis, at the places that an i64 tensor of any shape names.
    Gather {
        /// Axis that the indices replace.
        axis: usize,
    },
    /// `base` with slices added at the places that indices name: inputs base, index, updates.
    ScatterAdd {
        /// Axis that the indices replace in the updates.
        axis: usize,
    },
    /// Elements in order along an axis, and their i64 positions. Stable both ways; a NaN counts as larger than any number.
    Sort {
        /// Axis whose lines are sorted.
        axis: usize,
        /// From the largest to the smallest.
        descending: bool,
    },
    /// A decomposition of matrices.
    Linalg(LinalgOp),
    /// A loop that holds a program.
    Scan(ScanOp),
    /// One kernel that holds a straight-line program.
    Fused(FusedOp),
    /// A composition with kernels of its own.
    Composite(Composite),
    /// The input itself, or an error when an element is not finite.
    CheckFinite {
        /// What is checked, for the message.
        name: Arc<str>,
    },
    /// Indices themselves, or an error when one is outside `[0, size)`.
    CheckIndex {
        /// What is checked, for the message.
        name: Arc<str>,
        /// What they index.
        size: usize,
    },
}

impl Op {
    /// The name shown in programs and errors.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Leaf => "leaf",
            Self::Fill { .. } => "fill",
            Self::Iota { .. } => "iota",
            Self::Random { kind, .. } => kind.name(),
            Self::Unary(op) => op.name(),
            Self::Binary(op) => op.name(),
            Self::Compare(op) => op.name(),
            Self::Select => "where",
            Self::Cast(_) => "astype",
            Self::Reduce { op, .. } => op.name(),
            Self::ArgReduce { op, .. } => op.name(),
            Self::Cumulate { op, .. } => op.name(),
            Self::View(ViewOp::Reshape(_)) => "reshape",
            Self::View(ViewOp::Permute(_)) => "permute_dims",
            Self::View(ViewOp::Expand(_)) => "broadcast_to",
            Self::View(ViewOp::Slice { .. }) => "slice",
            Self::Pad { .. } => "pad",
            Self::Concat { .. } => "concat",
            Self::MatMul => "matmul",
            Self::Conv(_) => "conv",
            Self::Gather { .. } => "take",
            Self::ScatterAdd { .. } => "scatter_add",
            Self::Sort { .. } => "sort",
            Self::Linalg(op) => op.name(),
            Self::Scan(_) => "scan",
            Self::Fused(_) => "fused",
            Self::Composite(Composite::LogSoftmax { .. }) => "log_softmax",
            Self::Composite(Composite::LogSoftmaxGrad { .. }) => "log_softmax_grad",
            Self::Composite(Composite::Attention { .. }) => "attention",
            Self::Composite(Composite::AttentionGrad { .. }) => "attention_grad",
            Self::Composite(Composite::Pool(pool)) => pool.kind.name(),
            Self::Composite(Composite::PoolGrad { .. }) => "pool_grad",
            Self::CheckFinite { .. } => "check_finite",
            Self::CheckIndex { .. } => "check_index",
        }
    }

    /// Whether it computes each element from the elements at its place.
    pub fn is_pointwise(&self) -> bool {
        match self {
            Self::Unary(_) | Self::Binary(_) | Self::Compare(_) | Self::Select | Self::Cast(_) => true,
            Self::Leaf
            | Self::Fill { .. }
            | Self::Iota { .. }
            | Self::Random { .. }
            | Self::Reduce { .. }
            | Self::ArgReduce { .. }
            | Self::Cumulate { .. }
            | Self::View(_)
            | Self::Pad { .. }
            | Self::Concat { .. }
            | Self::MatMul
            | Self::Conv(_)
            | Self::Gather { .. }
            | Self::ScatterAdd { .. }
            | Self::Sort { .. }
            | Self::Linalg(_)
            | Self::Scan(_)
            | Self::Fused(_)
            | Self::Composite(_)
            | Self::CheckFinite { .. }
            | Self::CheckIndex { .. } => false,
        }
    }
}
