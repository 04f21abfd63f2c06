//! Mixed precision: which functions compute in the narrow dtype, and which never do.

use super::loss;
use crate::dtype::DType;
use crate::error::Result;
use crate::tensor::args::Arg;
use crate::tensor::face::face;

/// Products, convolutions, attention and loops made of products.
const NARROW: &[&str] = &[
    "conv",
    "conv_transpose",
    "einsum",
    "linear",
    "matmul",
    "recurrent_cell",
    "recurrent_layer",
    "scaled_dot_product_attention",
];

/// Reductions and norms; the losses have a table of their own.
const WIDE: &[&str] = &[
    "batch_norm",
    "cosine_similarity",
    "cumulative_prod",
    "cumulative_sum",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "log_softmax",
    "logsumexp",
    "mean",
    "normalize",
    "pairwise_distance",
    "prod",
    "rms_norm",
    "softmax",
    "softmin",
    "std",
    "sum",
    "var",
];

/// The arguments of a function under mixed precision; none where they stay as they are, as beside float64.
pub(super) fn cast(name: &str, args: &[Arg], narrow: DType) -> Result<Option<Vec<Arg>>> {
    let target = if NARROW.contains(&name) {
        narrow
    } else if WIDE.contains(&name) || loss::ROWS.iter().any(|(row, _)| *row == name) {
        DType::F32
    } else {
        return Ok(None);
    };
    if args.iter().any(|arg| matches!(arg, Arg::Edge(x) if x.dtype() == DType::F64)) {
        return Ok(None);
    }
    args.iter()
        .map(|arg| match arg {
            Arg::Edge(x) if x.dtype().is_float() => Ok(Arg::Edge(face().cast(x, target)?)),
            Arg::Edge(_) | Arg::Scalar(_) | Arg::None => Ok(arg.clone()),
        })
        .collect::<Result<_>>()
        .map(Some)
}
