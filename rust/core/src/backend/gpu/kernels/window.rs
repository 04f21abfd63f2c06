//! Windows that move over spatial axes: pools, a thread for each element of the result.
//!
//! Gradients of pools are gathered: an element looks up the windows that saw it, so that nothing is added by two threads.

use crate::backend::gpu::launch::{Launch, Slot, View};
use crate::backend::gpu::shader::{Expr, Kind, Operand, Shader};
use crate::error::Result;
use crate::ir::op::{PoolKind, PoolOp};

/// Maxima or sums under a window.
pub(in crate::backend::gpu) fn pool(op: &PoolOp, x: &View, out: &View) -> Result<Launch> {
    let mut shader = Shader::default();
    let (from, to) = (shader.operand(Slot::Input(0), x), shader.operand(Slot::Output(0), out));
    let count = out.shape().numel();
    let place = shader.each(count);
    let at = shader.coordinates(out.shape(), &place);
    let lead = at.len() - op.window.len();
    let start = shader.position(&x.layout.strides()[..lead], &at[..lead]);
    shader.line(match op.kind {
        PoolKind::Max => "var total = -inf();",
        PoolKind::Sum => "var total = 0.0;",
    });
    let window = Window::new(&mut shader, op, x, lead);
    let source = window.open(&mut shader, &start, &at[lead..], "k");
    let element = shader.load(&from, &source);
    shader.line(match op.kind {
        PoolKind::Max => format!("total = larger({}, total);", element.text),
        PoolKind::Sum => format!("total += {};", element.text),
    });
    shader.line("}".repeat(op.window.len()));
    let at = shader.position(out.layout.strides(), &at);
    shader.store(&to, &at, &Expr::new(Kind::Float, "total"));
    Ok(shader.finish_each(count))
}

/// Numbers of a window, as expressions.
struct Window {
    taps: Vec<String>,
    steps: Vec<String>,
    lows: Vec<String>,
    gaps: Vec<String>,
    sizes: Vec<String>,
    strides: Vec<String>,
}

impl Window {
    fn new(shader: &mut Shader, op: &PoolOp, x: &View, lead: usize) -> Self {
        let mut params = |numbers: &[usize]| numbers.iter().map(|&number| shader.param(number)).collect::<Vec<_>>();
        let (taps, steps, lows) = (params(&op.window), params(&op.strides), params(&op.low));
        let (gaps, sizes) = (params(&op.dilation), params(&x.shape()[lead..]));
        let strides = x.layout.strides()[lead..].iter().map(|&stride| shader.word(stride as u32)).collect();
        Self { taps, steps, lows, gaps, sizes, strides }
    }

    /// Loops over the elements under the window at `at`: gives the position of one.
    fn open(&self, shader: &mut Shader, start: &str, at: &[String], name: &str) -> String {
        let mut position = start.to_owned();
        for (s, at) in at.iter().enumerate() {
            shader.line(format!("for (var {name}{s} = 0u; {name}{s} < {}; {name}{s}++) {{", self.taps[s]));
            let seen =
                shader.index(&format!("{at} * {} + {name}{s} * {} - {}", self.steps[s], self.gaps[s], self.lows[s]));
            shader.line(format!("if {seen} >= {} {{ continue; }}", self.sizes[s]));
            position = shader.index(&format!("{position} + {seen} * {}", self.strides[s]));
        }
        position
    }

    /// Loops over the windows that see the element at `at`: gives their coordinates.
    fn seers(&self, shader: &mut Shader, at: &[String], places: &[usize]) -> Vec<String> {
        let mut windows = Vec::new();
        for (s, at) in at.iter().enumerate() {
            let count = shader.param(places[s]);
            shader.line(format!("for (var t{s} = 0u; t{s} < {}; t{s}++) {{", self.taps[s]));
            let reach = shader.index(&format!("{at} + {} - t{s} * {}", self.lows[s], self.gaps[s]));
            shader
                .line(format!("if ({reach} & 0x80000000u) != 0u || {reach} % {} != 0u {{ continue; }}", self.steps[s]));
            let window = shader.index(&format!("{reach} / {}", self.steps[s]));
            shader.line(format!("if {window} >= {count} {{ continue; }}"));
            windows.push(window);
        }
        windows
    }
}

/// The gradient of each sum at all elements under its window.
pub(in crate::backend::gpu) fn sum_grad(op: &PoolOp, g: &View, out: &View) -> Result<Launch> {
    grad(op, g, None, out)
}

/// The gradient of each maximum at the first element, or the first NaN, that has it.
pub(in crate::backend::gpu) fn max_grad(op: &PoolOp, g: &View, x: &View, out: &View) -> Result<Launch> {
    grad(op, g, Some(x), out)
}

fn grad(op: &PoolOp, g: &View, x: Option<&View>, out: &View) -> Result<Launch> {
    let mut shader = Shader::default();
    let from = shader.operand(Slot::Input(0), g);
    let source: Option<(Operand, &View)> = x.map(|x| (shader.operand(Slot::Input(1), x), x));
    let to = shader.operand(Slot::Output(0), out);
    let count = out.shape().numel();
    let place = shader.each(count);
    let at = shader.coordinates(out.shape(), &place);
    let lead = at.len() - op.window.len();
    let start = shader.position(&g.layout.strides()[..lead], &at[..lead]);
    let window = Window::new(&mut shader, op, x.unwrap_or(out), lead);
    let of_x = source.as_ref().map(|(operand, x)| {
        let lines = shader.position(&x.layout.strides()[..lead], &at[..lead]);
        let own = shader.position(x.layout.strides(), &at);
        (operand.clone(), lines, own)
    });
    shader.line("var total = 0.0;");
    let windows = window.seers(&mut shader, &at[lead..], &g.shape()[lead..]);
    if let Some((operand, lines, own)) = &of_x {
        // The first of the window's largest elements, in the order in which the window is walked.
        shader.line("var best = -inf(); var first = 0xffffffffu;");
        let seen = window.open(&mut shader, lines, &windows, "k");
        let element = shader.load(operand, &seen);
        shader.line(format!(
            "if first == 0xffffffffu || (!is_nan(best) && (is_nan({0}) || {0} > best)) {{ best = {0}; first = {seen}; }}",
            element.text
        ));
        shader.line("}".repeat(op.window.len()));
        shader.line(format!("if first != {own} {{ continue; }}"));
    }
    let strides: Vec<isize> = g.layout.strides()[lead..].to_vec();
    let offset = shader.position(&strides, &windows);
    let element = shader.load(&from, &format!("{start} + {offset}"));
    shader.line(format!("total += {};", element.text));
    shader.line("}".repeat(op.window.len()));
    let at = shader.position(out.layout.strides(), &at);
    shader.store(&to, &at, &Expr::new(Kind::Float, "total"));
    Ok(shader.finish_each(count))
}
