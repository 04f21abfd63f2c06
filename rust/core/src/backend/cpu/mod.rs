//! The CPU backend: kernels by family over strided elements, run one op at a time or as the steps of a plan.
//!
//! `kernel.rs` is the one door to the families; `plan.rs` calls it with regions of an arena, `Cpu::run_op` with whole
//! values. Nothing here knows gradients, passes or tensor handles. `native` writes machine code for what the loops of
//! `fused` compute too. `unsafe` lives in `arena.rs`, `arch`, `threads`, `matmul`, `conv`, `fused` and `native` alone.

#![allow(clippy::inline_always, reason = "code on vectors must end up where its instruction set is switched on")]

mod arch;
mod arena;
mod attention;
mod check;
mod composite;
mod conv;
mod copy;
mod cumulate;
mod element;
mod fold;
mod fused;
mod index;
mod kernel;
mod linalg;
mod math;
mod matmul;
mod native;
mod plan;
mod pointwise;
mod pool;
mod random;
mod reduce;
mod rows;
mod scan;
mod scratch;
mod sort;
#[cfg(test)]
mod testing;
mod threads;
mod turn;

use crate::backend::profile::{self, Label, touched};
use crate::backend::{Backend, Workspace, interpret, result_metas};
use crate::buffer::{HostStorage, HostVec, Meta, Value, unwritten};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::ir::op::Op;
use crate::ir::plan::Plan;
use crate::ir::view::view_layout;
use crate::layout::Layout;
use kernel::{Dst, Src};
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;
pub use threads::{num_threads, set_num_threads};

/// The CPU backend.
#[derive(Clone, Copy, Debug)]
pub struct Cpu;

/// The one CPU.
pub static CPU: Cpu = Cpu;

impl Cpu {
    /// Bytes that a plan works in.
    pub(super) fn working(plan: &Plan) -> Result<u64> {
        plan::working(plan)
    }
}

impl Backend for Cpu {
    fn device(&self) -> Device {
        Device::Cpu
    }

    fn upload(&self, bytes: &[u8], meta: &Meta) -> Result<Value> {
        if bytes.len() != meta.bytes() {
            return Err(Error::bug("upload", format!("{} bytes, got {}", meta.bytes(), bytes.len())));
        }
        Ok(Value {
            buffer: Arc::new(HostStorage::copied(bytes, Device::Cpu)),
            layout: Layout::contiguous(meta.shape.clone()),
            dtype: meta.dtype,
        })
    }

    fn download(&self, value: &Value) -> Result<HostVec> {
        copy::row_major(&source("download", value)?)
    }

    fn run_op(&self, op: &Op, inputs: &[Value]) -> Result<SmallVec<[Value; 1]>> {
        arch::check()?;
        let metas = result_metas(op, inputs)?;
        if let (Op::View(view), [value]) = (op, inputs)
            && let Some(layout) = view_layout(view, &value.layout)
        {
            return Ok(smallvec![value.with_layout(layout)]);
        }
        if let (Op::CheckFinite { name }, [value]) = (op, inputs) {
            check::finite(name, &source(name, value)?)?;
            return Ok(smallvec![value.clone()]);
        }
        if let (Op::CheckIndex { name, size }, [value]) = (op, inputs) {
            check::within(name, *size, &source(name, value)?)?;
            return Ok(smallvec![value.clone()]);
        }
        if let Op::Scan(attributes) = op {
            return scan::scan(attributes, inputs).map(SmallVec::from_vec);
        }
        if let Op::Fused(attributes) = op {
            return interpret(self, &attributes.body, inputs).map(SmallVec::from_vec);
        }
        let mut results: SmallVec<[HostVec; 1]> = metas.iter().map(|meta| unwritten(meta.bytes())).collect();
        if profile::on() {
            profile::timed(Device::Cpu, || label(op, inputs, &metas), || compute(op, inputs, &metas, &mut results))?;
        } else {
            compute(op, inputs, &metas, &mut results)?;
        }
        Ok(results.into_iter().zip(&metas).map(|(bytes, meta)| Value::from_host(bytes, meta, Device::Cpu)).collect())
    }

    fn run_plan(
        &self,
        plan: &Plan,
        workspace: &mut Workspace,
        inputs: &mut [Value],
        outputs: &mut Vec<Value>,
    ) -> Result<()> {
        arch::check()?;
        plan::run(plan, workspace, inputs, outputs)
    }

    fn synchronise(&self) -> Result<()> {
        Ok(())
    }
}

/// Write the results of an op, with all threads where it is much work.
fn compute(op: &Op, inputs: &[Value], metas: &[Meta], results: &mut [HostVec]) -> Result<()> {
    if plan::is_long(op, inputs, metas) {
        return plan::once(op, inputs, metas, results);
    }
    let sources = inputs.iter().map(|value| source(op.name(), value)).collect::<Result<SmallVec<[_; 4]>>>()?;
    let mut targets: SmallVec<[Dst<'_>; 1]> =
        results.iter_mut().zip(metas).map(|(bytes, meta)| Dst { bytes, meta }).collect();
    kernel::run(op, &sources, &mut targets)
}

/// What an eager op is called and costs.
fn label(op: &Op, inputs: &[Value], metas: &[Meta]) -> Label {
    let read: u64 = inputs.iter().map(|value| touched(&value.layout, value.dtype.size())).sum();
    let written: u64 = metas.iter().map(|meta| meta.bytes() as u64).sum();
    let taken: SmallVec<[Meta; 4]> = inputs.iter().map(Value::meta).collect();
    let (taken, given): (Vec<&Meta>, Vec<&Meta>) = (taken.iter().collect(), metas.iter().collect());
    Label::new(op, &taken, &given, read + written)
}

/// The elements of a value, where they lie.
fn source<'a>(op: &str, value: &'a Value) -> Result<Src<'a>> {
    Ok(Src { bytes: value.host(op)?, layout: &value.layout, dtype: value.dtype })
}

#[cfg(test)]
mod tests {
    use super::testing::{elements, tensor};
    use super::*;
    use crate::dtype::DType;
    use crate::ir::op::ViewOp;

    #[test]
    fn views_share_the_buffer_and_read_through_strides() {
        let x = tensor(&[1i32, 2, 3, 4, 5, 6], &[2, 3], DType::I32);
        let turned = &CPU.run_op(&Op::View(ViewOp::Permute(vec![1, 0])), std::slice::from_ref(&x)).unwrap()[0];
        assert!(Arc::ptr_eq(&turned.buffer, &x.buffer));
        assert_eq!(elements::<i32>(turned), [1, 4, 2, 5, 3, 6]);
        let flat = &CPU.run_op(&Op::View(ViewOp::Reshape([6].into())), std::slice::from_ref(turned)).unwrap()[0];
        assert!(!Arc::ptr_eq(&flat.buffer, &x.buffer));
        assert_eq!(elements::<i32>(flat), [1, 4, 2, 5, 3, 6]);
    }

    #[test]
    fn a_check_passes_its_input_on() {
        let x = tensor(&[1f32], &[], DType::F32);
        let passed = &CPU.run_op(&Op::CheckFinite { name: "loss".into() }, std::slice::from_ref(&x)).unwrap()[0];
        assert!(Arc::ptr_eq(&passed.buffer, &x.buffer));
    }

    #[test]
    fn uploads_have_the_bytes_of_their_shape() {
        assert!(CPU.upload(&[0; 3], &Meta::new([1], DType::F32)).is_err());
    }
}
