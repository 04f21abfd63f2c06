//! One thread for each element of the result, from elements at the same place of each input.

use super::elementwise;
use crate::backend::gpu::launch::{Launch, Slot, View};
use crate::backend::gpu::shader::{Expr, Shader};
use crate::backend::gpu::space::Space;
use crate::error::Result;
use crate::ir::op::Op;

/// Elements of the result as a function of elements of inputs that have its shape.
pub(in crate::backend::gpu) fn map(
    inputs: &[(Slot, View)],
    out: (Slot, &View),
    function: impl FnOnce(&mut Shader, &[Expr]) -> Result<Expr>,
) -> Result<Launch> {
    let strides: Vec<&[isize]> =
        inputs.iter().map(|(_, view)| view.layout.strides()).chain([out.1.layout.strides()]).collect();
    let space = Space::new(out.1.shape(), &strides);
    let mut shader = Shader::default();
    let operands: Vec<_> = inputs.iter().map(|(slot, view)| shader.operand(*slot, view)).collect();
    let target = shader.operand(out.0, out.1);
    let count = space.numel();
    let place = shader.each(count);
    let positions = shader.positions(&space, &place);
    let elements: Vec<Expr> = operands.iter().zip(&positions).map(|(from, at)| shader.load(from, at)).collect();
    let value = function(&mut shader, &elements)?;
    let value = shader.keep(&value);
    shader.store(&target, &positions[inputs.len()], &value);
    Ok(shader.finish_each(count))
}

/// A copy into another layout.
pub(in crate::backend::gpu) fn copy(from: (Slot, View), to: (Slot, &View)) -> Result<Launch> {
    map(&[from], to, |_, x| Ok(x[0].clone()))
}

/// An elementwise op.
pub(in crate::backend::gpu) fn elementwise(op: &Op, inputs: &[View], out: &View) -> Result<Launch> {
    let bound: Vec<(Slot, View)> =
        inputs.iter().enumerate().map(|(place, view)| (Slot::Input(place), view.clone())).collect();
    map(&bound, (Slot::Output(0), out), |_, x| elementwise::pointwise(op, x))
}
