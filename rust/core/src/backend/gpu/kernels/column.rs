//! Fused bodies that end with folds over the rows: a workgroup for each 16 columns, whose threads share the rows.
//!
//! What is folded is computed again from the inputs of the body and the folds over the columns, which are read back.

use super::body::Values;
use super::elementwise;
use super::epilogue::along;
use super::fused::{Bound, Output};
use super::reduce::{neutral, step};
use crate::backend::gpu::launch::Launch;
use crate::backend::gpu::shader::{Expr, Kind, Shader};
use crate::backend::gpu::space::Space;
use crate::error::{Error, Result};
use crate::ir::op::{Op, ReduceOp};
use crate::ir::program::ValueId;
use std::collections::HashMap;

/// Columns of a workgroup.
const WIDE: usize = 16;
/// Threads that share the rows of a column.
const LANES: usize = 16;

/// The kernel of these totals; `kept` are the folds over the columns that an earlier kernel has written.
pub(super) fn columns(bound: Bound<'_>, totals: &[Output<'_>], kept: &[Output<'_>]) -> Result<Launch> {
    let rank = bound.space.len();
    let (lead, width) = (&bound.space[..rank - 1], bound.space[rank - 1]);
    let mut shader = Shader::default();
    shader.global(format!("var<workgroup> shared_values: array<f32, {}>;", WIDE * LANES));
    let mut operands = bound.bind(&mut shader);
    let mut places: HashMap<ValueId, usize> = (0..operands.len()).map(|input| (input, input)).collect();
    for (value, slot, view) in kept {
        places.insert(*value, operands.len());
        operands.push((shader.operand(*slot, view), along(view, rank)));
    }
    let targets: Vec<_> = totals.iter().map(|(_, slot, view)| shader.operand(*slot, view)).collect();
    let strides: Vec<&[isize]> = operands.iter().map(|(_, strides)| &strides[..rank - 1]).collect();
    let space = Space::new(lead, &strides);
    let (rows, columns) = (shader.param(space.numel()), shader.param(width));
    let steps: Vec<String> = operands.iter().map(|(_, strides)| shader.word(strides[rank - 1] as u32)).collect();
    shader.line(format!("let c = group.x * {WIDE}u + local % {WIDE}u;"));
    shader.line(format!("let lane = local / {WIDE}u;"));
    let folds = totals.iter().map(|(value, ..)| fold(bound, *value)).collect::<Result<Vec<_>>>()?;
    let mut sums = Vec::new();
    for (op, of) in &folds {
        let start = neutral(&mut shader, *op, bound.body.metas[*of].dtype);
        let name = shader.name();
        shader.line(format!("var {name} = {};", start.text));
        sums.push(Expr::new(Kind::Float, name));
    }
    shader.line(format!("for (var r = lane; r < {rows} && c < {columns}; r += {LANES}u) {{"));
    let starts = shader.positions(&space, "r");
    let mut values = Values::new(bound.body);
    let mut element = |shader: &mut Shader, value: ValueId| {
        let &place = places.get(&value)?;
        Some(shader.load(&operands[place].0, &format!("{} + c * {}", starts[place], steps[place])))
    };
    for (value, ..) in kept {
        if let Some(known) = element(&mut shader, *value) {
            values.set(&mut shader, *value, &known);
        }
    }
    for ((op, of), sum) in folds.iter().zip(&sums) {
        let next = values.get(&mut shader, *of, &mut element)?;
        let next = elementwise::binary(step(*op), sum, &next)?;
        shader.line(format!("{} = {};", sum.text, next.text));
    }
    shader.line("}");
    for (((op, _), sum), (to, (.., view))) in folds.iter().zip(&sums).zip(targets.iter().zip(totals)) {
        shader.line(format!("shared_values[local] = {};", sum.text));
        shader.line(format!("for (var half = {}u; half > 0u; half = half >> 1u) {{", LANES / 2));
        shader.line("workgroupBarrier();");
        shader.line("if lane < half {");
        let mine = shader.keep(&Expr::new(Kind::Float, "shared_values[local]"));
        let other = shader.keep(&Expr::new(Kind::Float, format!("shared_values[local + half * {WIDE}u]")));
        let both = elementwise::binary(step(*op), &mine, &other)?;
        shader.line(format!("shared_values[local] = {};", both.text));
        shader.line("} }");
        shader.line(format!("if lane == 0u && c < {columns} {{"));
        let stride = shader.word(along(view, rank)[rank - 1] as u32);
        shader.store(to, &format!("c * {stride}"), &Expr::new(Kind::Float, "shared_values[local]"));
        shader.line("}");
        shader.line("workgroupBarrier();");
    }
    Ok(shader.finish((WIDE * LANES) as u32, [width.div_ceil(WIDE) as u32, 1, 1]))
}

/// The fold behind a total, and what it folds.
fn fold(bound: Bound<'_>, total: ValueId) -> Result<(ReduceOp, ValueId)> {
    let values = Values::new(bound.body);
    let mut value = total;
    while let Some(maker) = values.maker(value) {
        if let Op::Reduce { op, .. } = &maker.op {
            return Ok((*op, maker.inputs[0]));
        }
        value = maker.inputs[0];
    }
    Err(Error::bug("fused", "a total that is no fold"))
}
