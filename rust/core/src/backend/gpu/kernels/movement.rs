//! Ops that make elements from attributes or move them.

use super::elementwise;
use super::map::{copy, map};
use crate::backend::gpu::launch::{Launch, Slot, View};
use crate::backend::gpu::shader::{Expr, Kind, Shader};
use crate::dtype::Scalar;
use crate::error::Result;
use crate::ir::op::ViewOp;
use crate::ir::view::view_layout;
use crate::layout::{Layout, Strides};

/// One value everywhere.
pub(in crate::backend::gpu) fn fill(value: Scalar, out: &View) -> Result<Launch> {
    map(&[], (Slot::Output(0), out), |shader, _| Ok(shader.scalar(value, out.dtype)))
}

/// 0, 1, 2, ...
pub(in crate::backend::gpu) fn iota(out: &View) -> Result<Launch> {
    map(&[], (Slot::Output(0), out), |_, _| Ok(Expr::new(Kind::Signed, "vec2<u32>(i, 0u)")))
}

/// The elements of a view, row-major. Where strides cannot say the view, it is a reshape, which keeps the order.
pub(in crate::backend::gpu) fn view(op: &ViewOp, x: &View, out: &View) -> Result<Launch> {
    let seen = match view_layout(op, &x.layout) {
        Some(layout) => (x.with(layout), out.clone()),
        None => {
            (x.clone(), out.with(Layout::new(x.shape().clone(), x.shape().contiguous_strides(), out.layout.offset())))
        }
    };
    copy((Slot::Input(0), seen.0), (Slot::Output(0), &seen.1))
}

/// A border, and copies of it between neighbours.
pub(in crate::backend::gpu) fn pad(
    low: &[usize],
    interior: &[usize],
    value: Scalar,
    x: &View,
    out: &View,
) -> Result<Launch> {
    let mut shader = Shader::default();
    let from = shader.operand(Slot::Input(0), x);
    let to = shader.operand(Slot::Output(0), out);
    let count = out.shape().numel();
    let place = shader.each(count);
    let border = shader.scalar(value, out.dtype);
    let border = elementwise::narrow(&border, out.dtype);
    let coordinates = shader.coordinates(out.shape(), &place);
    let (mut inside, mut source) = (vec!["true".to_owned()], Vec::new());
    for (axis, coordinate) in coordinates.iter().enumerate() {
        let (before, size) = (shader.param(low[axis]), shader.param(x.shape()[axis]));
        // What lies before the axis wraps to a number beyond it.
        let distance = shader.index(&format!("{coordinate} - {before}"));
        if interior[axis] == 0 {
            inside.push(format!("{distance} < {size}"));
            source.push(distance);
        } else {
            let step = shader.param(interior[axis] + 1);
            let whole = shader.index(&format!("{distance} / {step}"));
            inside.push(format!("{coordinate} >= {before} && {distance} % {step} == 0u && {whole} < {size}"));
            source.push(whole);
        }
    }
    let inside = shader.index(&inside.join(" && "));
    let at = shader.position(x.layout.strides(), &source);
    let at = shader.index(&format!("select(0u, {at}, {inside})"));
    let element = shader.load(&from, &at);
    let value = elementwise::choose(&Expr::new(Kind::Truth, inside), &element, &border);
    let value = shader.keep(&value);
    let to_strides = out.layout.strides().to_vec();
    let target = shader.position(&to_strides, &coordinates);
    shader.store(&to, &target, &value);
    Ok(shader.finish_each(count))
}

/// Inputs one after the other along an axis, each copied to its part of the result.
pub(in crate::backend::gpu) fn concat(axis: usize, inputs: &[View], out: &View) -> Result<Vec<Launch>> {
    let strides = out.layout.strides();
    let mut offset = out.layout.offset();
    let mut launches = Vec::new();
    for (place, input) in inputs.iter().enumerate() {
        let part = Layout::new(input.shape().clone(), Strides::from_slice(strides), offset);
        if input.shape().numel() > 0 {
            launches.push(copy((Slot::Input(place), input.clone()), (Slot::Output(0), &out.with(part)))?);
        }
        offset = offset.wrapping_add_signed(input.shape()[axis] as isize * strides[axis]);
    }
    Ok(launches)
}
