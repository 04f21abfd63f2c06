//! Access by index: rows taken, and rows added where indices say, in a fixed order.

use super::elementwise;
use crate::backend::gpu::launch::{Launch, Slot, View};
use crate::backend::gpu::shader::{Kind, Shader};
use crate::backend::gpu::space::Space;
use crate::dtype::DType;
use crate::error::Result;
use crate::ir::op::BinaryOp;
use crate::layout::Strides;

/// Slices of the result that one thread fills at most, so that many can work.
const PARTS: usize = 64;

/// The strides of `x` or of the indices over the shape of what is taken: outer axes, those of the indices, inner axes.
fn spread(axis: usize, x: &[isize], at: &[isize]) -> (Strides, Strides) {
    let (outer, inner) = (&x[..axis], &x[axis + 1..]);
    let zeros = |count: usize| std::iter::repeat_n(0, count);
    let source = outer.iter().copied().chain(zeros(at.len())).chain(inner.iter().copied()).collect();
    let index = zeros(outer.len()).chain(at.iter().copied()).chain(zeros(inner.len())).collect();
    (source, index)
}

/// Whole slices of `x` along an axis, at the places that indices name.
pub(in crate::backend::gpu) fn gather(axis: usize, x: &View, at: &View, out: &View) -> Result<Launch> {
    let (source, index) = spread(axis, x.layout.strides(), at.layout.strides());
    let space = Space::new(out.shape(), &[&source, &index, out.layout.strides()]);
    let mut shader = Shader::default();
    let (from, places) = (shader.operand(Slot::Input(0), x), shader.operand(Slot::Input(1), at));
    let to = shader.operand(Slot::Output(0), out);
    let count = space.numel();
    let place = shader.each(count);
    let positions = shader.positions(&space, &place);
    let index = shader.load(&places, &positions[1]);
    let (last, stride) =
        (shader.param(x.shape()[axis].saturating_sub(1)), shader.word(x.layout.strides()[axis] as u32));
    let at = shader.index(&format!("{} + min({}.x, {last}) * {stride}", positions[0], index.text));
    let value = shader.load(&from, &at);
    shader.store(&to, &positions[2], &value);
    Ok(shader.finish_each(count))
}

/// `base` with slices added at the places that indices name.
///
/// Each thread owns some rows of one line of the result and walks all indices in order, so sums have one order.
pub(in crate::backend::gpu) fn scatter_add(
    axis: usize,
    base: &View,
    at: &View,
    updates: &View,
    out: &View,
) -> Result<Launch> {
    let rank = at.shape().len();
    let without = |strides: &[isize], from: usize, to: usize| [&strides[..from], &strides[to..]].concat();
    let lines: Vec<usize> = [&out.shape()[..axis], &out.shape()[axis + 1..]].concat();
    let space = Space::new(
        &lines,
        &[
            &without(base.layout.strides(), axis, axis + 1),
            &without(updates.layout.strides(), axis, axis + rank),
            &without(out.layout.strides(), axis, axis + 1),
        ],
    );
    let walk = Space::new(at.shape(), &[at.layout.strides(), &updates.layout.strides()[axis..axis + rank]]);
    let rows = out.shape()[axis];
    let parts = rows.clamp(1, PARTS);
    let chunk = rows.div_ceil(parts);
    let count = space.numel() * parts;
    let mut shader = Shader::default();
    let (from, places) = (shader.operand(Slot::Input(0), base), shader.operand(Slot::Input(1), at));
    let (added, to) = (shader.operand(Slot::Input(2), updates), shader.operand(Slot::Output(0), out));
    let place = shader.each(count);
    let lines = shader.param(space.numel());
    let part = shader.index(&format!("{place} / {lines}"));
    let line = shader.index(&format!("{place} % {lines}"));
    let positions = shader.positions(&space, &line);
    let (chunk, rows) = (shader.param(chunk), shader.param(rows));
    let low = shader.index(&format!("{part} * {chunk}"));
    let high = shader.index(&format!("min({low} + {chunk}, {rows})"));
    let base_step = shader.word(base.layout.strides()[axis] as u32);
    let step = shader.word(out.layout.strides()[axis] as u32);
    // Sums are kept unrounded in the result until they are whole.
    let raw = |operand: &str| format!("{} + row * {operand}", positions[2]);
    let target = raw(&step);
    shader.line(format!("for (var row = {low}; row < {high}; row++) {{"));
    let value = shader.load(&from, &format!("{} + row * {base_step}", positions[0]));
    shader.store(&to, &target, &value);
    shader.line("}");
    let steps = shader.param(walk.numel());
    shader.line(format!("for (var k = 0u; k < {steps}; k++) {{"));
    let walked = shader.positions(&walk, "k");
    let index = shader.load(&places, &walked[0]);
    shader.line(format!("let row = {}.x;", index.text));
    shader.line(format!("if row >= {low} && row < {high} {{"));
    let update = shader.load(&added, &format!("{} + {}", positions[1], walked[1]));
    let sum = shader.load(&to, &target);
    let total = elementwise::binary(BinaryOp::Add, &sum, &update)?;
    let total = shader.keep(&total);
    if Kind::of(out.dtype) == Kind::Float {
        let raw = shader.target(&to, &target);
        shader.line(format!("{raw} = {};", total.text));
    } else {
        shader.store(&to, &target, &total);
    }
    shader.line("} }");
    if matches!(out.dtype, DType::F16 | DType::BF16) {
        shader.line(format!("for (var row = {low}; row < {high}; row++) {{"));
        let value = shader.load(&to, &target);
        shader.store(&to, &target, &value);
        shader.line("}");
    }
    Ok(shader.finish_each(count))
}
