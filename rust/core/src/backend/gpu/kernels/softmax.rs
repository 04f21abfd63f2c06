//! `log_softmax` and its gradient: a workgroup for each line.

use super::reduce::{lines, tree};
use crate::backend::gpu::launch::{Launch, Slot, View};
use crate::backend::gpu::shader::{Expr, Kind, Operand, Shader};
use crate::error::Result;
use crate::ir::op::BinaryOp;

/// `x - log(sum(exp(x)))` along an axis.
pub(in crate::backend::gpu) fn log_softmax(axis: usize, x: &View, out: &View, threads: u32) -> Result<Launch> {
    let mut line = Line::new(axis, &[x], out, threads);
    line.fold("-inf()", BinaryOp::Maximum, |line| line.load(0))?;
    let max = line.shader.index("shared_values[0]");
    line.shader.line("workgroupBarrier();");
    line.fold("0.0", BinaryOp::Add, |line| {
        let element = line.load(0);
        Expr::new(Kind::Float, format!("exponential({} - {max})", element.text))
    })?;
    let log = line.shader.index("logarithm(shared_values[0])");
    line.each(|line| {
        let element = line.load(0);
        Expr::new(Kind::Float, format!("({} - {max}) - {log}", element.text))
    });
    Ok(line.finish())
}

/// `g - exp(y) * sum(g)`.
pub(in crate::backend::gpu) fn log_softmax_grad(
    axis: usize,
    (y, g): (&View, &View),
    out: &View,
    threads: u32,
) -> Result<Launch> {
    let mut line = Line::new(axis, &[y, g], out, threads);
    line.fold("0.0", BinaryOp::Add, |line| line.load(1))?;
    let total = line.shader.index("shared_values[0]");
    line.each(|line| {
        let (y, g) = (line.load(0), line.load(1));
        Expr::new(Kind::Float, format!("{} - exponential({}) * {total}", g.text, y.text))
    });
    Ok(line.finish())
}

/// A workgroup that walks one line of each operand.
struct Line {
    shader: Shader,
    /// Operands, where their lines start, their steps; the result comes last.
    operands: Vec<(Operand, String, String)>,
    length: String,
    count: usize,
    threads: u32,
}

impl Line {
    fn new(axis: usize, inputs: &[&View], out: &View, threads: u32) -> Self {
        let mut shader = Shader::default();
        shader.global(format!("var<workgroup> shared_values: array<f32, {threads}>;"));
        let bound: Vec<(Operand, &View)> =
            inputs.iter().enumerate().map(|(place, view)| (shader.operand(Slot::Input(place), view), *view)).collect();
        let target = shader.operand(Slot::Output(0), out);
        let others: Vec<Vec<isize>> = inputs[1..]
            .iter()
            .copied()
            .chain([out])
            .map(|view| [&view.layout.strides()[..axis], &view.layout.strides()[axis + 1..]].concat())
            .collect();
        let space = lines(axis, inputs[0], &others.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let count = space.numel();
        let place = shader.each_group(count);
        let starts = shader.positions(&space, &place);
        let length = shader.param(out.shape()[axis]);
        let operands = bound
            .into_iter()
            .chain([(target, out)])
            .zip(starts)
            .map(|((operand, view), start)| (operand, start, shader.word(view.layout.strides()[axis] as u32)))
            .collect();
        Self { shader, operands, length, count, threads }
    }

    fn place(&self, operand: usize) -> String {
        let (_, start, step) = &self.operands[operand];
        format!("{start} + k * {step}")
    }

    /// Element k of an operand's line.
    fn load(&mut self, operand: usize) -> Expr {
        let (place, from) = (self.place(operand), self.operands[operand].0.clone());
        self.shader.load(&from, &place)
    }

    /// Fold a function of the elements into `shared_values[0]`.
    fn fold(&mut self, start: &str, step: BinaryOp, element: impl FnOnce(&mut Self) -> Expr) -> Result<()> {
        self.shader.line(format!("{{ var total = {start};"));
        self.shader.line(format!("for (var k = local; k < {}; k += {}u) {{", self.length, self.threads));
        let value = element(self);
        let total = Expr::new(Kind::Float, "total");
        let sum = super::elementwise::binary(step, &total, &value)?;
        self.shader.line(format!("total = {};", sum.text));
        self.shader.line("}");
        tree(&mut self.shader, self.threads, step, Kind::Float)?;
        self.shader.line("}");
        Ok(())
    }

    /// Write a function of the elements.
    fn each(&mut self, element: impl FnOnce(&mut Self) -> Expr) {
        self.shader.line(format!("for (var k = local; k < {}; k += {}u) {{", self.length, self.threads));
        let value = element(self);
        let value = self.shader.keep(&value);
        let out = self.operands.len() - 1;
        let (place, to) = (self.place(out), self.operands[out].0.clone());
        self.shader.store(&to, &place, &value);
        self.shader.line("}");
    }

    fn finish(self) -> Launch {
        self.shader.finish_each_group(self.threads, self.count)
    }
}
