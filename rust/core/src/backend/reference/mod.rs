//! The slow, obvious backend: every op one element at a time, floats in f64, integers in i128, rounded at the end.
//!
//! It is what each op means. Every fast path is tested against it; nothing here is ever made faster. Values are decoded
//! into `Dense` numbers, a function per op family computes on those, and the result is encoded row-major.

mod control;
mod dense;
mod elementwise;
mod fold;
mod matrices;
mod movement;
mod order;
mod plan;
mod product;
mod source;
mod special;

use super::{Backend, Workspace};
use crate::buffer::{HostVec, Meta, Value, zeroed};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::ir::infer::infer;
use crate::ir::op::Op;
use crate::ir::plan::Plan;
use dense::Dense;
use smallvec::SmallVec;

/// The interpreter that defines what each op means.
#[derive(Debug)]
pub struct Reference;

/// The one instance.
pub static REFERENCE: Reference = Reference;

impl Backend for Reference {
    fn device(&self) -> Device {
        Device::Reference
    }

    fn upload(&self, bytes: &[u8], meta: &Meta) -> Result<Value> {
        if bytes.len() != meta.bytes() {
            let expected = format!("{} bytes for {} {}", meta.bytes(), meta.dtype, meta.shape);
            return Err(Error::value("upload", expected, bytes.len().to_string()));
        }
        let mut copy = zeroed(bytes.len());
        copy.copy_from_slice(bytes);
        Ok(Value::from_host(copy, meta, Device::Reference))
    }

    fn download(&self, value: &Value) -> Result<HostVec> {
        let (source, size) = (value.host("download")?, value.dtype.size());
        let mut bytes = zeroed(value.meta().bytes());
        for (place, index) in value.shape().indices().enumerate() {
            let at = value.layout.at(&index) * size;
            bytes[place * size..][..size].copy_from_slice(&source[at..at + size]);
        }
        Ok(bytes)
    }

    fn run_op(&self, op: &Op, inputs: &[Value]) -> Result<SmallVec<[Value; 1]>> {
        let dense = inputs.iter().map(|value| Dense::of(op.name(), value)).collect::<Result<Vec<_>>>()?;
        let results = evaluate(op, &dense.iter().collect::<Vec<_>>())?;
        Ok(results.iter().map(Dense::encode).collect())
    }

    fn run_plan(
        &self,
        plan: &Plan,
        _workspace: &mut Workspace,
        inputs: &mut [Value],
        outputs: &mut Vec<Value>,
    ) -> Result<()> {
        *outputs = plan::run(plan, inputs)?;
        Ok(())
    }

    fn synchronise(&self) -> Result<()> {
        Ok(())
    }
}

/// What an op gives for these inputs.
fn evaluate(op: &Op, inputs: &[&Dense]) -> Result<Vec<Dense>> {
    let metas: Vec<Meta> = inputs.iter().map(|x| x.meta.clone()).collect();
    let results = infer(op, &metas)?;
    let meta = &results[0];
    let result = match op {
        Op::Leaf => return Err(Error::bug("leaf", "a leaf is not run")),
        Op::Fill { value, .. } => source::fill(*value, meta),
        Op::Iota { .. } => source::iota(meta),
        Op::Random { kind, .. } => source::random(*kind, inputs[0], meta),
        Op::Unary(unary) => elementwise::unary(*unary, inputs[0], meta),
        Op::Binary(binary) => elementwise::binary(*binary, inputs[0], inputs[1], meta),
        Op::Compare(compare) => elementwise::compare(*compare, inputs[0], inputs[1], meta),
        Op::Select => elementwise::select(inputs[0], inputs[1], inputs[2], meta),
        Op::Cast(_) => elementwise::cast(inputs[0], meta),
        Op::Reduce { op, axes } => fold::reduce(*op, axes, inputs[0], meta),
        Op::ArgReduce { op, axis } => fold::arg_reduce(*op, *axis, inputs[0], meta),
        Op::Cumulate { op, axis, reverse } => fold::cumulate(*op, *axis, *reverse, inputs[0], meta),
        Op::View(view) => movement::view(view, inputs[0], meta),
        Op::Pad { low, interior, value, .. } => movement::pad(low, interior, *value, inputs[0], meta),
        Op::Concat { axis } => movement::concat(*axis, inputs, meta),
        Op::MatMul => product::matmul(inputs[0], inputs[1], meta),
        Op::Conv(attributes) => product::conv(attributes, inputs[0], inputs[1], meta),
        Op::Gather { axis } => movement::gather(*axis, inputs[0], inputs[1], meta),
        Op::ScatterAdd { axis } => movement::scatter_add(*axis, inputs[0], inputs[1], inputs[2], meta),
        Op::Sort { axis, descending } => return Ok(order::sort(*axis, *descending, inputs[0], &results)),
        Op::Linalg(op) => return matrices::linalg(*op, inputs, &results),
        Op::Fused(attributes) => return control::program(&attributes.body, inputs),
        Op::Scan(attributes) => return control::scan(attributes, inputs, &results),
        Op::Composite(composite) => return control::composite(composite, inputs),
        Op::CheckFinite { name } => source::check_finite(name, inputs[0]),
        Op::CheckIndex { name, size } => source::check_index(name, *size, inputs[0]),
    };
    Ok(vec![result?])
}
