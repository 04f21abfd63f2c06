//! One op at once: its result is allocated, its dispatches recorded.

use super::choices::Choices;
use super::launch::{Launch, Lowered, Slot, View};
use super::memory::GpuStorage;
use super::work::Region;
use super::{Gpu, check, kernels, lower, scan, storage};
use crate::backend::{Backend, cpu, interpret, profile};
use crate::buffer::{Meta, Value, element_size};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::ir::decompose::meaning;
use crate::ir::op::{Composite, Op};
use crate::ir::view::view_layout;
use crate::layout::{Layout, Strides};
use smallvec::{SmallVec, smallvec};

/// Run one op.
pub(super) fn run(gpu: &Gpu, op: &Op, inputs: &[Value], metas: &[Meta]) -> Result<SmallVec<[Value; 1]>> {
    run_by(gpu, op, inputs, metas, &gpu.context(op.name())?.choices)
}

/// Run one op by these choices.
pub(super) fn run_by(
    gpu: &Gpu,
    op: &Op,
    inputs: &[Value],
    metas: &[Meta],
    choices: &Choices,
) -> Result<SmallVec<[Value; 1]>> {
    if let (Op::View(view), [value]) = (op, inputs)
        && let Some(layout) = view_layout(view, &value.layout)
    {
        return Ok(smallvec![value.with_layout(layout)]);
    }
    match op {
        Op::Scan(attributes) => return scan::scan(gpu, attributes, inputs).map(SmallVec::from_vec),
        Op::Linalg(_) => return on_the_host(gpu, op, inputs),
        Op::Composite(composite @ (Composite::Attention { .. } | Composite::AttentionGrad { .. })) => {
            let operands: Vec<Meta> = inputs.iter().map(Value::meta).collect();
            return interpret(gpu, &meaning(composite, &operands)?, inputs).map(SmallVec::from_vec);
        }
        _ => {}
    }
    let views: SmallVec<[View; 4]> = inputs.iter().map(view_of).collect();
    let targets: SmallVec<[View; 1]> = metas.iter().map(|meta| View::whole(meta.shape.clone(), meta.dtype)).collect();
    let mut lowered = match (lower::lower(op, &views, &targets, choices)?, op) {
        (Some(lowered), _) if lowered.bindings() <= gpu.operands(op.name())? => lowered,
        (_, Op::Fused(attributes)) => return interpret(gpu, &attributes.body, inputs).map(SmallVec::from_vec),
        (Some(lowered), _) => lowered,
        (None, op) => return Err(Error::bug(op.name(), "no kernel")),
    };
    check::at_once(gpu, op, &lowered.guards, inputs)?;
    if matches!(op, Op::CheckFinite { .. } | Op::CheckIndex { .. }) {
        return Ok(inputs.into());
    }
    if profile::on() {
        lowered.name(op, &views, &targets);
    }
    let outputs = metas.iter().map(|meta| gpu.allocate(op.name(), meta)).collect::<Result<SmallVec<[Value; 1]>>>()?;
    record(gpu, op.name(), &lowered, inputs, &outputs)?;
    Ok(outputs)
}

/// A value as an operand of kernels that are bound to its [`region`].
pub(super) fn view_of(value: &Value) -> View {
    bound_view(&View::new(value.layout.clone(), value.dtype), value.device())
}

/// Boundary on which what is bound must start.
const ALIGN: usize = 256;

/// First element of what is bound for a layout.
fn base(layout: &Layout, size: usize) -> usize {
    let low = layout.span().map_or(0, |(low, _)| low);
    low * size / ALIGN * ALIGN / size
}

/// The layout of a view in what is bound for it: the part of a buffer that its elements lie in.
pub(super) fn bound_view(view: &View, device: Device) -> View {
    let layout = &view.layout;
    let offset = layout.offset() - base(layout, element_size(view.dtype, device)).min(layout.offset());
    view.with(Layout::new(layout.shape().clone(), Strides::from_slice(layout.strides()), offset))
}

/// The part of a value's buffer that its elements lie in.
fn region<'a>(op: &str, value: &'a Value) -> Result<Region<'a>> {
    let size = element_size(value.dtype, value.device());
    let buffer = storage(op, &value.buffer)?.buffer();
    let Some((_, high)) = value.layout.span() else { return Ok(Region::whole(buffer)) };
    let offset = base(&value.layout, size) * size;
    let bytes = ((high + 1) * size - offset).next_multiple_of(16) as u64;
    let offset = offset as u64;
    Ok(Region { buffer, offset, size: Some(bytes.min(buffer.size() - offset)) })
}

/// Record the dispatches of an op over these values.
pub(super) fn record(gpu: &Gpu, op: &str, lowered: &Lowered, inputs: &[Value], outputs: &[Value]) -> Result<()> {
    let context = gpu.context(op)?;
    let scratch =
        lowered.scratch.iter().map(|&bytes| context.memory.take(op, bytes, bytes)).collect::<Result<Vec<_>>>()?;
    record_with(gpu, op, &lowered.launches, &scratch, inputs, outputs)
}

/// Record dispatches over these values and this working memory.
pub(super) fn record_with(
    gpu: &Gpu,
    op: &str,
    launches: &[Launch],
    scratch: &[GpuStorage],
    inputs: &[Value],
    outputs: &[Value],
) -> Result<()> {
    let context = gpu.context(op)?;
    let missing = || Error::bug(op, "a kernel bound to a value that the op lacks");
    let mut work = context.work();
    for launch in launches {
        work.launch(context, op, launch, |slot| match slot {
            Slot::Input(place) => region(op, inputs.get(place).ok_or_else(missing)?),
            Slot::Output(place) => region(op, outputs.get(place).ok_or_else(missing)?),
            Slot::Scratch(place) => Ok(Region::whole(scratch.get(place).ok_or_else(missing)?.buffer())),
            Slot::Arena | Slot::Given(_) | Slot::Constant(_) | Slot::Exit(_) | Slot::Status => Err(missing()),
        })?;
    }
    drop(work);
    context.healthy(op)
}

/// Copy the elements of one value into another of the same shape.
pub(super) fn copy(gpu: &Gpu, op: &str, from: &Value, to: &Value) -> Result<()> {
    if from.shape().numel() == 0 {
        return Ok(());
    }
    let launch = kernels::map::copy((Slot::Input(0), view_of(from)), (Slot::Output(0), &view_of(to)))?;
    record(gpu, op, &launch.into(), std::slice::from_ref(from), std::slice::from_ref(to))
}

/// Decompositions of matrices are computed by the CPU on copies.
fn on_the_host(gpu: &Gpu, op: &Op, inputs: &[Value]) -> Result<SmallVec<[Value; 1]>> {
    let host = |value: &Value| Ok(Value::from_host(gpu.download(value)?, &value.meta(), Device::Cpu));
    let inputs = inputs.iter().map(host).collect::<Result<Vec<_>>>()?;
    let results = cpu::CPU.run_op(op, &inputs)?;
    results.iter().map(|value| gpu.upload(&cpu::CPU.download(value)?, &value.meta())).collect()
}

/// A part of a value: element `place` of its leading axis, without a copy.
pub(super) fn slice(value: &Value, place: usize) -> Value {
    let layout = &value.layout;
    let offset = layout.offset().wrapping_add_signed(place as isize * layout.strides()[0]);
    value.with_layout(Layout::new(layout.shape()[1..].into(), layout.strides()[1..].into(), offset))
}
