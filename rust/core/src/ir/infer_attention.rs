//! Shape rules of attention and its twin.

use crate::buffer::Meta;
use crate::dtype::DType;
use crate::error::Result;
use crate::ir::infer::mismatch;
use crate::shape::Shape;
use smallvec::{SmallVec, smallvec};

/// The result, and one number for each query.
pub(super) fn attention(inputs: &[Meta]) -> Result<SmallVec<[Meta; 1]>> {
    let [q, k, v] = [&inputs[0], &inputs[1], &inputs[2]];
    let rank = q.shape.len();
    let fits = rank >= 2
        && [k, v].iter().all(|x| x.shape.len() == rank && x.dtype == q.dtype)
        && matches!(q.dtype, DType::F32 | DType::F64)
        && q.shape[..rank - 2] == k.shape[..rank - 2]
        && q.shape[..rank - 2] == v.shape[..rank - 2]
        && q.shape[rank - 1] == k.shape[rank - 1]
        && k.shape[rank - 2] == v.shape[rank - 2]
        && k.shape[rank - 2] > 0;
    if !fits {
        let rule = "query [..., L, E], key [..., S, E] and value [..., S, F], S at least 1, all float32 or all float64";
        return Err(mismatch("attention", rule, inputs));
    }
    let out = Meta::new(q.shape.with(rank - 1, v.shape[rank - 1]), q.dtype);
    Ok(smallvec![out, Meta::new(q.shape.reduced(&[rank - 1], false), q.dtype)])
}

/// What query, key and value are, from them, the logarithms, the gradient of the result and a number for each query.
pub(super) fn attention_grad(inputs: &[Meta]) -> Result<SmallVec<[Meta; 1]>> {
    let results = attention(&inputs[..3])?;
    let wanted: [&Shape; 3] = [&results[1].shape, &results[0].shape, &results[1].shape];
    let fits = inputs[3..].iter().zip(wanted).all(|(x, shape)| x.shape == *shape && x.dtype == inputs[0].dtype);
    if !fits {
        let rule = "the operands of attention, then [..., L], [..., L, F] and [..., L] of their dtype";
        return Err(mismatch("attention_grad", rule, inputs));
    }
    Ok(SmallVec::from(&inputs[..3]))
}
