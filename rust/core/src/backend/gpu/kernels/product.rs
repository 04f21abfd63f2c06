//! Matrix products: tiles through workgroup memory, or a thread for each element where tiles would be mostly empty.

use super::elementwise;
use super::epilogue::Epilogue;
use super::tile::{self, Side, Sizes};
use crate::backend::gpu::launch::{Launch, Slot, View};
use crate::backend::gpu::shader::{Expr, Kind, Shader};
use crate::backend::gpu::space::Space;
use crate::dtype::Scalar;
use crate::error::Result;
use crate::ir::op::BinaryOp;

/// Sides below which a tile is mostly empty.
pub(super) const NARROW: usize = 24;
/// Products of a batch that one dispatch holds.
const MOST: usize = 65_535;

/// `[..., m, k] x [..., k, n]`.
pub(in crate::backend::gpu) fn matmul(a: &View, b: &View, epilogue: Epilogue<'_>) -> Result<Launch> {
    let out = epilogue.shape();
    let last = out.len() - 1;
    let (m, n, k) = (out[last - 1], out[last], a.shape()[last]);
    let batch: usize = out[..last - 1].iter().product();
    let tiled = Kind::of(a.dtype) == Kind::Float && m >= NARROW && n >= NARROW && k >= tile::DEEP && batch <= MOST;
    if tiled { tiles(a, b, epilogue) } else { elements(a, b, epilogue) }
}

/// Leading axes of the operands.
fn batches(a: &View, b: &View) -> Space {
    let lead = a.shape().len() - 2;
    let strides = [a, b].map(|view| &view.layout.strides()[..lead]);
    Space::new(&a.shape()[..lead], &strides)
}

/// A thread for each element.
fn elements(a: &View, b: &View, epilogue: Epilogue<'_>) -> Result<Launch> {
    let out = epilogue.shape();
    let last = out.len() - 1;
    let batches = batches(a, b);
    let mut shader = Shader::default();
    let (left, right) = (shader.operand(Slot::Input(0), a), shader.operand(Slot::Input(1), b));
    let leaving = epilogue.bind(&mut shader);
    let count = out.numel();
    let place = shader.each(count);
    let (m, n, k) = (shader.param(out[last - 1]), shader.param(out[last]), shader.param(a.shape()[last]));
    let column = shader.index(&format!("{place} % {n}"));
    let rest = shader.index(&format!("{place} / {n}"));
    let row = shader.index(&format!("{rest} % {m}"));
    let batch = shader.index(&format!("{rest} / {m}"));
    let lead = shader.coordinates(&out[..last - 1], &batch);
    let starts = shader.positions(&batches, &batch);
    let mut step = |view: &View, axis: usize| shader.word(view.layout.strides()[axis] as u32);
    let (a_row, a_step) = (step(a, last - 1), step(a, last));
    let (b_step, b_column) = (step(b, last - 1), step(b, last));
    let from_a = shader.index(&format!("{} + {row} * {a_row}", starts[0]));
    let from_b = shader.index(&format!("{} + {column} * {b_column}", starts[1]));
    let zero = shader.scalar(Scalar::Int(0), a.dtype);
    shader.line(format!("var total = {};", zero.text));
    shader.line(format!("for (var k = 0u; k < {k}; k++) {{"));
    let x = shader.load(&left, &format!("{from_a} + k * {a_step}"));
    let y = shader.load(&right, &format!("{from_b} + k * {b_step}"));
    let total = Expr::new(zero.kind, "total");
    let product = elementwise::binary(BinaryOp::Mul, &x, &y)?;
    let sum = elementwise::binary(BinaryOp::Add, &total, &product)?;
    shader.line(format!("total = {};", sum.text));
    shader.line("}");
    let at: Vec<String> = lead.into_iter().chain([row, column]).collect();
    leaving.store(&mut shader, &at, &total)?;
    Ok(shader.finish_each(count))
}

/// Through workgroup memory.
fn tiles(a: &View, b: &View, epilogue: Epilogue<'_>) -> Result<Launch> {
    let out = epilogue.shape();
    let last = out.len() - 1;
    let batches = batches(a, b);
    let mut shader = Shader::default();
    let (left, right) = (shader.operand(Slot::Input(0), a), shader.operand(Slot::Input(1), b));
    let leaving = epilogue.bind(&mut shader);
    let starts = shader.positions(&batches, "group.z");
    let lead = shader.coordinates(&out[..last - 1], "group.z");
    let mut step = |view: &View, axis: usize| shader.word(view.layout.strides()[axis] as u32);
    let (a_row, a_step) = (step(a, last - 1), step(a, last));
    let (b_step, b_column) = (step(b, last - 1), step(b, last));
    let runs_inner = |view: &View, inner: usize, outer: usize| {
        view.layout.strides()[inner].unsigned_abs() <= view.layout.strides()[outer].unsigned_abs()
    };
    let left = Side {
        runs_inner: runs_inner(a, last, last - 1),
        enter: &mut |shader, row| vec![shader.index(&format!("{} + {row} * {a_row}", starts[0]))],
        load: &mut |shader, row, deep| shader.load(&left, &format!("{} + {deep} * {a_step}", row[0])),
    };
    let right = Side {
        runs_inner: runs_inner(b, last - 1, last),
        enter: &mut |shader, column| vec![shader.index(&format!("{} + {column} * {b_column}", starts[1]))],
        load: &mut |shader, column, deep| shader.load(&right, &format!("{} + {deep} * {b_step}", column[0])),
    };
    let sizes = Sizes { rows: out[last - 1], columns: out[last], deep: a.shape()[last], batch: batches.numel() };
    tile::tiles(shader, sizes, (left, right), &leaving, &mut |_, _, row, column| {
        lead.iter().cloned().chain([row.to_owned(), column.to_owned()]).collect()
    })
}
