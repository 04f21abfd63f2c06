//! Matrix products: tiles through workgroup memory, or a thread for each element where tiles would be mostly empty.

use super::elementwise;
use crate::backend::gpu::launch::{Launch, Slot, View};
use crate::backend::gpu::shader::{Expr, Kind, Shader};
use crate::backend::gpu::space::Space;
use crate::dtype::Scalar;
use crate::error::Result;
use crate::ir::op::BinaryOp;

/// Rows and columns of a tile.
const TILE: usize = 64;
/// Inner elements of a tile.
const DEEP: usize = 16;
/// Sides below which a tile is mostly empty.
const NARROW: usize = 24;
/// Products of a batch that one dispatch holds.
const MOST: usize = 65_535;

/// `[..., m, k] x [..., k, n]`.
pub(in crate::backend::gpu) fn matmul(a: &View, b: &View, out: &View) -> Result<Launch> {
    let last = out.shape().len() - 1;
    let (m, n, k) = (out.shape()[last - 1], out.shape()[last], a.shape()[last]);
    let batch: usize = out.shape()[..last - 1].iter().product();
    let tiled = Kind::of(out.dtype) == Kind::Float && m >= NARROW && n >= NARROW && k >= DEEP && batch <= MOST;
    if tiled { tiles(a, b, out) } else { elements(a, b, out) }
}

/// Leading axes of the three operands.
fn batches(a: &View, b: &View, out: &View) -> Space {
    let lead = out.shape().len() - 2;
    let strides = [a, b, out].map(|view| &view.layout.strides()[..lead]);
    Space::new(&out.shape()[..lead], &strides)
}

fn elements(a: &View, b: &View, out: &View) -> Result<Launch> {
    let last = out.shape().len() - 1;
    let batches = batches(a, b, out);
    let mut shader = Shader::default();
    let (left, right) = (shader.operand(Slot::Input(0), a), shader.operand(Slot::Input(1), b));
    let to = shader.operand(Slot::Output(0), out);
    let count = out.shape().numel();
    let place = shader.each(count);
    let (m, n, k) =
        (shader.param(out.shape()[last - 1]), shader.param(out.shape()[last]), shader.param(a.shape()[last]));
    let column = shader.index(&format!("{place} % {n}"));
    let rest = shader.index(&format!("{place} / {n}"));
    let row = shader.index(&format!("{rest} % {m}"));
    let batch = shader.index(&format!("{rest} / {m}"));
    let starts = shader.positions(&batches, &batch);
    let mut step = |view: &View, axis: usize| shader.word(view.layout.strides()[axis] as u32);
    let (a_row, a_step) = (step(a, last - 1), step(a, last));
    let (b_step, b_column) = (step(b, last - 1), step(b, last));
    let (out_row, out_column) = (step(out, last - 1), step(out, last));
    let from_a = shader.index(&format!("{} + {row} * {a_row}", starts[0]));
    let from_b = shader.index(&format!("{} + {column} * {b_column}", starts[1]));
    let zero = shader.scalar(Scalar::Int(0), out.dtype);
    shader.line(format!("var total = {};", zero.text));
    shader.line(format!("for (var k = 0u; k < {k}; k++) {{"));
    let x = shader.load(&left, &format!("{from_a} + k * {a_step}"));
    let y = shader.load(&right, &format!("{from_b} + k * {b_step}"));
    let total = Expr::new(zero.kind, "total");
    let product = elementwise::binary(BinaryOp::Mul, &x, &y)?;
    let sum = elementwise::binary(BinaryOp::Add, &total, &product)?;
    shader.line(format!("total = {};", sum.text));
    shader.line("}");
    shader.store(&to, &format!("{} + {row} * {out_row} + {column} * {out_column}", starts[2]), &total);
    Ok(shader.finish_each(count))
}

/// Each of 256 threads makes 4 x 4 elements of a tile, 16 apart.
fn tiles(a: &View, b: &View, out: &View) -> Result<Launch> {
    let last = out.shape().len() - 1;
    let (m, n, k) = (out.shape()[last - 1], out.shape()[last], a.shape()[last]);
    let batches = batches(a, b, out);
    let batch = batches.numel();
    let mut shader = Shader::default();
    let (left, right) = (shader.operand(Slot::Input(0), a), shader.operand(Slot::Input(1), b));
    let to = shader.operand(Slot::Output(0), out);
    shader.global(format!("var<workgroup> left_tile: array<f32, {}>;", DEEP * (TILE + 1)));
    shader.global(format!("var<workgroup> right_tile: array<f32, {}>;", DEEP * (TILE + 1)));
    let starts = shader.positions(&batches, "group.z");
    let (pm, pn, pk) = (shader.param(m), shader.param(n), shader.param(k));
    let mut step = |view: &View, axis: usize| shader.word(view.layout.strides()[axis] as u32);
    let (a_row, a_step) = (step(a, last - 1), step(a, last));
    let (b_step, b_column) = (step(b, last - 1), step(b, last));
    let (out_row, out_column) = (step(out, last - 1), step(out, last));
    shader.line(format!("let first_row = group.y * {TILE}u;"));
    shader.line(format!("let first_column = group.x * {TILE}u;"));
    shader.line("let tx = local % 16u;");
    shader.line("let ty = local / 16u;");
    for (r, c) in cells() {
        shader.line(format!("var t{r}{c} = 0.0;"));
    }
    shader.line(format!("for (var base = 0u; base < {pk}; base += {DEEP}u) {{"));
    // Neighbouring threads load neighbouring elements: along the axis whose elements lie closer.
    let runs_inner = |view: &View, inner: usize, outer: usize| {
        view.layout.strides()[inner].unsigned_abs() <= view.layout.strides()[outer].unsigned_abs()
    };
    shader.line("for (var turn = 0u; turn < 4u; turn++) {");
    shader.line("let slot = local + turn * 256u;");
    let split = |inner: bool| {
        if inner {
            (format!("slot % {DEEP}u"), format!("slot / {DEEP}u"))
        } else {
            (format!("slot / {TILE}u"), format!("slot % {TILE}u"))
        }
    };
    let (deep, side) = split(runs_inner(a, last, last - 1));
    let (deep, side) = (shader.index(&deep), shader.index(&side));
    shader.line(format!("var x = 0.0; if first_row + {side} < {pm} && base + {deep} < {pk} {{"));
    let x = shader.load(&left, &format!("{} + (first_row + {side}) * {a_row} + (base + {deep}) * {a_step}", starts[0]));
    shader.line(format!("x = {}; }}", x.text));
    shader.line(format!("left_tile[{deep} * {}u + {side}] = x;", TILE + 1));
    let (deep, side) = split(runs_inner(b, last - 1, last));
    let (deep, side) = (shader.index(&deep), shader.index(&side));
    shader.line(format!("var y = 0.0; if first_column + {side} < {pn} && base + {deep} < {pk} {{"));
    let y = shader
        .load(&right, &format!("{} + (base + {deep}) * {b_step} + (first_column + {side}) * {b_column}", starts[1]));
    shader.line(format!("y = {}; }}", y.text));
    shader.line(format!("right_tile[{deep} * {}u + {side}] = y;", TILE + 1));
    shader.line("}");
    shader.line("workgroupBarrier();");
    shader.line(format!("for (var k = 0u; k < {DEEP}u; k++) {{"));
    for r in 0..4 {
        shader.line(format!("let x{r} = left_tile[k * {}u + ty + {}u];", TILE + 1, 16 * r));
        shader.line(format!("let y{r} = right_tile[k * {}u + tx + {}u];", TILE + 1, 16 * r));
    }
    for (r, c) in cells() {
        shader.line(format!("t{r}{c} = fma(x{r}, y{c}, t{r}{c});"));
    }
    shader.line("}");
    shader.line("workgroupBarrier();");
    shader.line("}");
    for (r, c) in cells() {
        let row = shader.index(&format!("first_row + ty + {}u", 16 * r));
        let column = shader.index(&format!("first_column + tx + {}u", 16 * c));
        shader.line(format!("if {row} < {pm} && {column} < {pn} {{"));
        let total = Expr::new(Kind::Float, format!("t{r}{c}"));
        shader.store(&to, &format!("{} + {row} * {out_row} + {column} * {out_column}", starts[2]), &total);
        shader.line("}");
    }
    Ok(shader.finish(256, [n.div_ceil(TILE) as u32, m.div_ceil(TILE) as u32, batch as u32]))
}

fn cells() -> impl Iterator<Item = (usize, usize)> {
    (0..16).map(|cell| (cell / 4, cell % 4))
}
