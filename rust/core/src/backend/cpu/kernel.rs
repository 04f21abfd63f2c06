//! One door to every kernel, for single ops and for the steps of a plan.
//!
//! A kernel reads strided bytes and writes row-major bytes. Dtypes without loops of their own are widened before and
//! narrowed after, here and nowhere else; kernels that only move elements take every dtype as it is.

use super::{check, composite, conv, copy, cumulate, index, matmul, pointwise, random, reduce, scan};
use crate::buffer::{HostVec, Meta, zeroed};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::op::{Composite, Op};
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
        | Op::CheckFinite { .. } => true,
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
        | Op::Composite(_) => false,
    }
}

fn dispatch(op: &Op, inputs: &[Src<'_>], outputs: &mut [Dst<'_>]) -> Result<()> {
    if let Op::Scan(attributes) = op {
        return scan::kernel(attributes, inputs, outputs);
    }
    let [out] = outputs else {
        return Err(Error::bug(op.name(), format!("one result, got {}", outputs.len())));
    };
    match (op, inputs) {
        (Op::Fill { value, .. }, []) => copy::fill(*value, out),
        (Op::Iota { .. }, []) => copy::iota(out),
        (Op::Random { kind, .. }, [state]) => random::random(*kind, state, out),
        (Op::Unary(unary), [x]) => pointwise::unary(*unary, x, out),
        (Op::Binary(binary), [a, b]) => pointwise::binary(*binary, a, b, out),
        (Op::Compare(compare), [a, b]) => pointwise::compare(*compare, a, b, out),
        (Op::Select, [condition, a, b]) => pointwise::select(condition, a, b, out),
        (Op::Cast(_), [x]) => pointwise::cast(x, out),
        (Op::Reduce { op, axes }, [x]) => reduce::reduce(*op, axes, x, out),
        (Op::ArgReduce { op, axis }, [x]) => reduce::arg_reduce(*op, *axis, x, out),
        (Op::Cumulate { op, axis, reverse }, [x]) => cumulate::cumulate(*op, *axis, *reverse, x, out),
        (Op::View(view), [x]) => copy::view(view, x, out),
        (Op::Pad { low, interior, value, .. }, [x]) => copy::pad(low, interior, *value, x, out),
        (Op::Concat { axis }, parts) => copy::concat(*axis, parts, out),
        (Op::MatMul, [a, b]) => matmul::matmul(a, b, out),
        (Op::Conv(attributes), [x, kernel]) => conv::conv(attributes, x, kernel, out),
        (Op::Gather { axis }, [x, at]) => index::gather(*axis, x, at, out),
        (Op::ScatterAdd { axis }, [base, at, updates]) => index::scatter_add(*axis, base, at, updates, out),
        (Op::Composite(Composite::LogSoftmax { axis }), [x]) => composite::log_softmax(*axis, x, out),
        (Op::Composite(Composite::LogSoftmaxGrad { axis }), [y, g]) => composite::log_softmax_grad(*axis, y, g, out),
        (Op::CheckFinite { name }, [x]) => check::check_finite(name, x, out),
        _ => Err(Error::bug(op.name(), format!("no kernel takes {} inputs", inputs.len()))),
    }
}
