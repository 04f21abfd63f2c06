//! One door to every kernel, for single ops and for the steps of a plan.
//!
//! A kernel reads strided bytes and writes row-major bytes. Dtypes without loops of their own are widened before and
//! narrowed after, here and nowhere else; kernels that only move elements take every dtype as it is.

use super::{
    attention, check, composite, conv, copy, cumulate, fused, index, linalg, matmul, pointwise, pool, random, reduce,
    scan, sort,
};
use crate::buffer::{HostVec, Meta, zeroed};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::op::{Composite, Op, PoolKind};
use crate::layout::Layout;
use bytemuck::Pod;
use smallvec::SmallVec;

/// Elements to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Src<'a> {
    /// The bytes that the layout counts in.
    pub(super) bytes: &'a [u8],
    /// Where the elements lie.
    pub(super) layout: &'a Layout,
    /// Element type.
    pub(super) dtype: DType,
}

impl<'a> Src<'a> {
    /// The bytes as elements that the layout's indices point into.
    pub(super) fn elements<T: Pod>(&self) -> Result<&'a [T]> {
        // No bytes lie anywhere, aligned or not.
        if self.bytes.is_empty() {
            return Ok(&[]);
        }
        let whole = self.bytes.len() / size_of::<T>() * size_of::<T>();
        bytemuck::try_cast_slice(&self.bytes[..whole]).map_err(|_| misfit())
    }

    /// Whether loops over the compute dtype can read the bytes as they are.
    fn is_native(&self) -> bool {
        self.dtype.compute() == self.dtype && (self.bytes.as_ptr() as usize).is_multiple_of(self.dtype.size())
    }
}

/// Row-major elements to write.
#[derive(Debug)]
pub(super) struct Dst<'a> {
    /// Exactly the bytes of the value.
    pub(super) bytes: &'a mut [u8],
    /// Shape and dtype.
    pub(super) meta: &'a Meta,
}

impl Dst<'_> {
    /// The bytes as elements.
    pub(super) fn elements<T: Pod>(&mut self) -> Result<&mut [T]> {
        if self.bytes.is_empty() {
            return Ok(&mut []);
        }
        bytemuck::try_cast_slice_mut(self.bytes).map_err(|_| misfit())
    }
}

fn misfit() -> Error {
    Error::bug("kernel", "bytes that are no whole, aligned elements of the asked dtype")
}

/// Run one op.
pub(super) fn run(op: &Op, inputs: &[Src<'_>], outputs: &mut [Dst<'_>]) -> Result<()> {
    if moves_only(op) || (inputs.iter().all(Src::is_native) && outputs.iter().all(is_native)) {
        return dispatch(op, inputs, outputs);
    }
    let widened = inputs.iter().map(widen).collect::<Result<SmallVec<[_; 2]>>>()?;
    let sources: SmallVec<[Src<'_>; 2]> = inputs
        .iter()
        .zip(&widened)
        .map(|(input, wide)| match wide {
            Some((bytes, layout)) => Src { bytes, layout, dtype: input.dtype.compute() },
            None => *input,
        })
        .collect();
    let metas: SmallVec<[Meta; 1]> =
        outputs.iter().map(|out| Meta::new(out.meta.shape.clone(), out.meta.dtype.compute())).collect();
    let mut wide: SmallVec<[HostVec; 1]> = metas.iter().map(|meta| zeroed(meta.bytes())).collect();
    let mut targets: SmallVec<[Dst<'_>; 1]> =
        wide.iter_mut().zip(&metas).map(|(bytes, meta)| Dst { bytes, meta }).collect();
    dispatch(op, &sources, &mut targets)?;
    drop(targets);
    for ((bytes, meta), out) in wide.iter().zip(&metas).zip(outputs) {
        let layout = Layout::contiguous(meta.shape.clone());
        pointwise::cast(&Src { bytes, layout: &layout, dtype: meta.dtype }, out)?;
    }
    Ok(())
}

/// A row-major copy in the compute dtype, where the loops need one.
fn widen(input: &Src<'_>) -> Result<Option<(HostVec, Layout)>> {
    if input.is_native() {
        return Ok(None);
    }
    let meta = Meta::new(input.layout.shape().clone(), input.dtype.compute());
    let mut bytes = zeroed(meta.bytes());
    pointwise::cast(input, &mut Dst { bytes: &mut bytes, meta: &meta })?;
    Ok(Some((bytes, Layout::contiguous(meta.shape))))
}

fn is_native(out: &Dst<'_>) -> bool {
    out.meta.dtype.compute() == out.meta.dtype && (out.bytes.as_ptr() as usize).is_multiple_of(out.meta.dtype.size())
}

/// Whether the kernel takes every dtype, aligned or not, as it is.
fn moves_only(op: &Op) -> bool {
    match op {
        Op::Fill { .. }
        | Op::Random { .. }
        | Op::Cast(_)
        | Op::View(_)
        | Op::Pad { .. }
        | Op::Concat { .. }
        | Op::Select
        | Op::Gather { .. }
        | Op::Scan(_)
        | Op::Fused(_)
        | Op::CheckFinite { .. }
        | Op::CheckIndex { .. } => true,
        Op::Leaf
        | Op::Iota { .. }
        | Op::Unary(_)
        | Op::Binary(_)
        | Op::Compare(_)
        | Op::Reduce { .. }
        | Op::ArgReduce { .. }
        | Op::Cumulate { .. }
        | Op::MatMul
        | Op::Conv(_)
        | Op::ScatterAdd { .. }
        | Op::Sort { .. }
        | Op::Linalg(_)
        | Op::Composite(_) => false,
    }
}

fn dispatch(op: &Op, inputs: &[Src<'_>], outputs: &mut [Dst<'_>]) -> Result<()> {
    if let Op::Scan(attributes) = op {
        return scan::kernel(attributes, inputs, outputs);
    }
    if let Op::Fused(attributes) = op {
        return fused::kernel(attributes, inputs, outputs);
    }
    if let Op::Sort { axis, descending } = op {
        return exactly(op, inputs).and_then(|[x]| sort::sort(*axis, *descending, x, outputs));
    }
    if let Op::Composite(Composite::Attention { causal }) = op {
        return exactly(op, inputs).and_then(|operands| attention::forward(*causal, operands, outputs));
    }
    if let Op::Composite(Composite::AttentionGrad { causal }) = op {
        return exactly(op, inputs).and_then(|operands| attention::backward(*causal, operands, outputs));
    }
    if let Op::Linalg(decomposition) = op {
        return linalg::linalg(*decomposition, inputs, outputs);
    }
    let [out] = outputs else {
        return Err(Error::bug(op.name(), format!("one result, got {}", outputs.len())));
    };
    match op {
        Op::Leaf
        | Op::Sort { .. }
        | Op::Linalg(_)
        | Op::Scan(_)
        | Op::Fused(_)
        | Op::Composite(Composite::Attention { .. } | Composite::AttentionGrad { .. }) => {
            Err(Error::bug(op.name(), "no kernel"))
        }
        Op::Fill { value, .. } => copy::fill(*value, out),
        Op::Iota { .. } => copy::iota(out),
        Op::Random { kind, .. } => exactly(op, inputs).and_then(|[state]| random::random(*kind, state, out)),
        Op::Unary(unary) => exactly(op, inputs).and_then(|[x]| pointwise::unary(*unary, x, out)),
        Op::Binary(binary) => exactly(op, inputs).and_then(|[a, b]| pointwise::binary(*binary, a, b, out)),
        Op::Compare(compare) => exactly(op, inputs).and_then(|[a, b]| pointwise::compare(*compare, a, b, out)),
        Op::Select => exactly(op, inputs).and_then(|[condition, a, b]| pointwise::select(condition, a, b, out)),
        Op::Cast(_) => exactly(op, inputs).and_then(|[x]| pointwise::cast(x, out)),
        Op::Reduce { op: fold, axes } => exactly(op, inputs).and_then(|[x]| reduce::reduce(*fold, axes, x, out)),
        Op::ArgReduce { op: arg, axis } => exactly(op, inputs).and_then(|[x]| reduce::arg_reduce(*arg, *axis, x, out)),
        Op::Cumulate { op: fold, axis, reverse } => {
            exactly(op, inputs).and_then(|[x]| cumulate::cumulate(*fold, *axis, *reverse, x, out))
        }
        Op::View(view) => exactly(op, inputs).and_then(|[x]| copy::view(view, x, out)),
        Op::Pad { low, interior, value, .. } => {
            exactly(op, inputs).and_then(|[x]| copy::pad(low, interior, *value, x, out))
        }
        Op::Concat { axis } => copy::concat(*axis, inputs, out),
        Op::MatMul => exactly(op, inputs).and_then(|[a, b]| matmul::matmul(a, b, out)),
        Op::Conv(attributes) => {
            exactly(op, inputs).and_then(|[x, kernel]| conv::conv(attributes, x, kernel, &conv::Last::default(), out))
        }
        Op::Gather { axis } => exactly(op, inputs).and_then(|[x, at]| index::gather(*axis, x, at, out)),
        Op::ScatterAdd { axis } => {
            exactly(op, inputs).and_then(|[base, at, updates]| index::scatter_add(*axis, base, at, updates, out))
        }
        Op::Composite(Composite::LogSoftmax { axis }) => {
            exactly(op, inputs).and_then(|[x]| composite::log_softmax(*axis, x, out))
        }
        Op::Composite(Composite::LogSoftmaxGrad { axis }) => {
            exactly(op, inputs).and_then(|[y, g]| composite::log_softmax_grad(*axis, y, g, out))
        }
        Op::Composite(Composite::Pool(attributes)) => {
            exactly(op, inputs).and_then(|[x]| pool::pool(attributes, x, out))
        }
        Op::Composite(Composite::PoolGrad { pool, .. }) => match pool.kind {
            PoolKind::Max => exactly(op, inputs).and_then(|[g, x]| pool::max_grad(pool, g, x, out)),
            PoolKind::Sum => exactly(op, inputs).and_then(|[g]| pool::sum_grad(pool, g, out)),
        },
        Op::CheckFinite { name } => exactly(op, inputs).and_then(|[x]| check::check_finite(name, x, out)),
        Op::CheckIndex { name, size } => exactly(op, inputs).and_then(|[x]| check::check_index(name, *size, x, out)),
    }
}

/// The inputs of an op that takes `N`.
fn exactly<'s, 'a, const N: usize>(op: &Op, inputs: &'s [Src<'a>]) -> Result<&'s [Src<'a>; N]> {
    inputs.try_into().map_err(|_| Error::bug(op.name(), format!("{N} inputs, got {}", inputs.len())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtype::DType;
    use crate::ir::op::UnaryOp;

    #[test]
    fn bytes_of_any_alignment_are_read_and_written() {
        let meta = Meta::new([2], DType::F32);
        let layout = Layout::contiguous(meta.shape.clone());
        let (mut from, mut to) = (zeroed(12), zeroed(12));
        for start in [0, 1, 2, 3] {
            from[start..start + 8].copy_from_slice(bytemuck::cast_slice(&[1.5f32, -2.0]));
            let source = Src { bytes: &from[start..start + 8], layout: &layout, dtype: DType::F32 };
            let mut target = [Dst { bytes: &mut to[start..start + 8], meta: &meta }];
            run(&Op::Unary(UnaryOp::Neg), &[source], &mut target).unwrap();
            assert_eq!(to[start..start + 8], *bytemuck::cast_slice::<f32, u8>(&[-1.5, 2.0]));
        }
    }

    #[test]
    fn a_missing_input_or_result_is_no_panic() {
        let meta = Meta::new([0], DType::F32);
        let negate = Op::Unary(UnaryOp::Neg);
        assert!(run(&negate, &[], &mut [Dst { bytes: &mut [], meta: &meta }]).is_err());
        assert!(run(&Op::Leaf, &[], &mut [Dst { bytes: &mut [], meta: &meta }]).is_err());
        assert!(run(&negate, &[], &mut []).is_err());
    }
}
