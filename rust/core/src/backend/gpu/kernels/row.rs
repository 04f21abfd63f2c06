//! Fused bodies with folds over the columns: a thread, or where rows are long a workgroup, for each row.
//!
//! What a row value needs is made before the loop over the columns that reads it. Values of single elements are made
//! again in each such loop: to compute them costs less than to keep them.

use super::body::Values;
use super::elementwise;
use super::fused::{Bound, Output};
use super::reduce::{LONG, MANY, neutral, step, tree};
use crate::backend::gpu::launch::Launch;
use crate::backend::gpu::shader::{Expr, Kind, Operand, Shader};
use crate::backend::gpu::space::Space;
use crate::error::Result;
use crate::ir::op::Op;
use crate::ir::program::ValueId;

/// The kernel of these outputs, all of a whole row or of one element a row; so many threads share a long row.
pub(super) fn rows(bound: Bound<'_>, outputs: &[Output<'_>], threads: u32) -> Result<Launch> {
    let rank = bound.space.len();
    let (lead, length) = (&bound.space[..rank - 1], bound.space[rank - 1]);
    let count: usize = lead.iter().product();
    let needed = bound.row_folds(outputs.iter().map(|(value, ..)| *value));
    let mut shader = Shader::default();
    let mut operands = bound.bind(&mut shader);
    let inputs = operands.len();
    for (_, slot, view) in outputs {
        operands.push((shader.operand(*slot, view), super::epilogue::along(view, rank)));
    }
    let strides: Vec<&[isize]> = operands.iter().map(|(_, strides)| &strides[..rank - 1]).collect();
    let space = Space::new(lead, &strides);
    let floats = needed.iter().all(|&fold| Kind::of(bound.body.metas[fold].dtype) == Kind::Float);
    let together = (length >= LONG && count < MANY && floats).then_some(threads);
    if let Some(threads) = together {
        shader.global(format!("var<workgroup> shared_values: array<f32, {threads}>;"));
    }
    let place = if together.is_some() { shader.each_group(count) } else { shader.each(count) };
    let starts = shader.positions(&space, &place);
    let places = operands
        .into_iter()
        .zip(starts)
        .map(|((operand, strides), start)| (operand, start, shader.word(strides[rank - 1] as u32)))
        .collect();
    let length = shader.param(length);
    let mut row = Row { bound, shader, operands: places, length, together, known: Values::new(bound.body) };
    for instruction in &bound.body.instructions {
        if let Op::Reduce { op, .. } = &instruction.op
            && needed.contains(&instruction.first)
        {
            row.fold(instruction.first, step(*op), instruction.inputs[0], |shader| {
                neutral(shader, *op, bound.body.metas[instruction.inputs[0]].dtype)
            })?;
        }
    }
    row.write(outputs, inputs)?;
    let shader = row.shader;
    Ok(match together {
        Some(threads) => shader.finish_each_group(threads, count),
        None => shader.finish_each(count),
    })
}

struct Row<'a> {
    bound: Bound<'a>,
    shader: Shader,
    /// Inputs, then outputs: where their rows start, and their steps along a row.
    operands: Vec<(Operand, String, String)>,
    length: String,
    /// Threads of the workgroup that shares a row, if one does.
    together: Option<u32>,
    /// Values of the row, made outside of loops.
    known: Values<'a>,
}

impl<'a> Row<'a> {
    fn is_of_row(&self, value: ValueId) -> bool {
        self.bound.body.metas[value].shape.last() == Some(&1)
    }

    /// Make what a loop reads of the row before it begins.
    fn prepare(&mut self, value: ValueId) -> Result<()> {
        if self.known.has(value) {
            return Ok(());
        }
        if self.is_of_row(value) {
            let operands = &self.operands;
            let mut load = |shader: &mut Shader, input: usize| {
                let (from, start, _) = operands.get(input)?;
                Some(shader.load(from, start))
            };
            return self.known.get(&mut self.shader, value, &mut load).map(drop);
        }
        let maker = self.known.maker(value);
        maker.into_iter().flat_map(|maker| &maker.inputs).try_for_each(|&input| self.prepare(input))
    }

    fn begin(&mut self) -> Values<'a> {
        let (first, pace) = self.together.map_or(("0u", 1), |threads| ("local", threads));
        self.shader.line(format!("for (var k = {first}; k < {}; k += {pace}u) {{", self.length));
        self.known.clone()
    }

    /// An element of the row, inside a loop.
    fn element(&mut self, values: &mut Values<'_>, value: ValueId) -> Result<Expr> {
        let operands = &self.operands;
        let mut load = |shader: &mut Shader, input: usize| {
            let (from, start, step) = operands.get(input)?;
            Some(shader.load(from, &format!("{start} + k * {step}")))
        };
        values.get(&mut self.shader, value, &mut load)
    }

    /// Fold the row of a value.
    fn fold(
        &mut self,
        fold: ValueId,
        step: crate::ir::op::BinaryOp,
        of: ValueId,
        neutral: impl Fn(&mut Shader) -> Expr,
    ) -> Result<()> {
        self.prepare(of)?;
        let start = neutral(&mut self.shader);
        let total = if self.together.is_some() { "total".to_owned() } else { self.shader.name() };
        if self.together.is_some() {
            self.shader.line("{");
        }
        self.shader.line(format!("var {total} = {};", start.text));
        let mut values = self.begin();
        let element = self.element(&mut values, of)?;
        let total = Expr::new(start.kind, total);
        let sum = elementwise::binary(step, &total, &element)?;
        self.shader.line(format!("{} = {};", total.text, sum.text));
        self.shader.line("}");
        let result = if let Some(threads) = self.together {
            tree(&mut self.shader, threads, step, Kind::Float)?;
            self.shader.line("}");
            let result = self.shader.keep(&Expr::new(Kind::Float, "shared_values[0]"));
            self.shader.line("workgroupBarrier();");
            result
        } else {
            total
        };
        self.known.set(&mut self.shader, fold, &result);
        Ok(())
    }

    fn write(&mut self, outputs: &[Output<'_>], first: usize) -> Result<()> {
        outputs.iter().try_for_each(|(value, ..)| self.prepare(*value))?;
        let (of_row, whole): (Vec<_>, Vec<_>) =
            outputs.iter().map(|(value, ..)| *value).enumerate().partition(|(_, value)| self.is_of_row(*value));
        if self.together.is_some() && !of_row.is_empty() {
            self.shader.line("if local == 0u {");
        }
        let mut values = self.known.clone();
        for (place, value) in &of_row {
            let result = self.element(&mut values, *value)?;
            let (to, start, _) = self.operands[first + place].clone();
            self.shader.store(&to, &start, &result);
        }
        if self.together.is_some() && !of_row.is_empty() {
            self.shader.line("}");
        }
        if whole.is_empty() {
            return Ok(());
        }
        let mut values = self.begin();
        // All is read before anything is written, which may lie over what is read.
        let results = whole.iter().map(|(_, value)| self.element(&mut values, *value)).collect::<Result<Vec<_>>>()?;
        for ((place, _), result) in whole.iter().zip(&results) {
            let (to, start, step) = self.operands[first + place].clone();
            self.shader.store(&to, &format!("{start} + k * {step}"), result);
        }
        self.shader.line("}");
        Ok(())
    }
}
