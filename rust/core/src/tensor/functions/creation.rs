//! Tensors from nothing.

use super::Row;
use crate::device::Device;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::Op;
use crate::shape::Shape;
use crate::tensor::args::{Arg, Call};
use crate::tensor::composite::table::numbers;
use crate::tensor::face::face;

pub(super) const ROWS: &[Row] = &[("full", full), ("arange", arange), ("scalar", |c| Ok(vec![c.edge(0)?]))];

/// A 0-d tensor of a number: float32, int64 or bool unless told otherwise.
pub fn scalar(_op: &str, value: Scalar, dtype: Option<DType>) -> Result<Edge> {
    let natural = match value {
        Scalar::Bool(_) => DType::Bool,
        Scalar::Int(_) => DType::I64,
        Scalar::Float(_) => DType::F32,
    };
    scalar_like(value, dtype.unwrap_or(natural), Device::Cpu)
}

/// A 0-d tensor of a number with a given dtype.
pub fn scalar_like(value: Scalar, dtype: DType, device: Device) -> Result<Edge> {
    face().source(Op::Fill { value, shape: Shape::scalar(), dtype }, device)
}

pub(super) fn device(c: &Call<'_>) -> Result<Device> {
    Device::parse(&c.text("device", "cpu")?)
}

/// The number of argument 0 everywhere; float32, int64 or bool as the number is, unless `dtype` says otherwise.
fn full(c: &Call<'_>) -> Result<Vec<Edge>> {
    let Some(Arg::Scalar(value)) = c.args.first() else {
        return Err(Error::value(c.name, "a Python number as fill value", "a tensor"));
    };
    let natural = match value {
        Scalar::Bool(_) => DType::Bool,
        Scalar::Int(_) => DType::I64,
        Scalar::Float(_) => DType::F32,
    };
    let dtype = c.maybe_dtype("dtype")?.unwrap_or(natural);
    Ok(vec![face().source(Op::Fill { value: *value, shape: c.shape("shape")?, dtype }, device(c)?)?])
}

/// `start + step * i` for all i below `ceil((stop - start) / step)`, computed in f64 where a number is broken.
fn arange(c: &Call<'_>) -> Result<Vec<Edge>> {
    let (start, stop, step) = (c.float("start", 0.0)?, c.float("stop", 0.0)?, c.float("step", 1.0)?);
    if step == 0.0 || !start.is_finite() || !stop.is_finite() {
        return Err(Error::value(c.name, "finite bounds and a step other than 0", format!("{start}, {stop}, {step}")));
    }
    let length = ((stop - start) / step).ceil().max(0.0) as usize;
    let dtype = c.maybe_dtype("dtype")?.unwrap_or(DType::I64);
    let device = device(c)?;
    if matches!(device, Device::Gpu(_)) && (dtype.is_float() || start.fract() != 0.0 || step.fract() != 0.0) {
        // A GPU has no f64.
        let values: Vec<f64> = (0..length).map(|i| start + step * i as f64).collect();
        return Ok(vec![numbers(&values, dtype, device)?]);
    }
    let index = face().source(Op::Iota { length }, device)?;
    if dtype.is_float() || start.fract() != 0.0 || step.fract() != 0.0 {
        let x = face().cast(&index, DType::F64)?;
        let x = face().shift(&face().scale(&x, step)?, start)?;
        return Ok(vec![face().cast(&x, dtype)?]);
    }
    let x = face().shift(&face().scale(&index, step)?, start)?;
    Ok(vec![face().cast(&x, dtype)?])
}
