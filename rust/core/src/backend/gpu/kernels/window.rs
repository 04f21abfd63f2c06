//! Windows that move over spatial axes: convolutions and pools, a thread for each element of the result.
//!
//! Gradients of pools are gathered: an element looks up the windows that saw it, so that nothing is added by two threads.

use crate::backend::gpu::launch::{Launch, Slot, View};
use crate::backend::gpu::shader::{Expr, Kind, Operand, Shader};
use crate::error::Result;
use crate::ir::op::{ConvOp, PoolKind, PoolOp};

/// A convolution of `[N, C, spatial...]` with `[O, C / groups, spatial...]`.
pub(in crate::backend::gpu) fn conv(op: &ConvOp, x: &View, kernel: &View, out: &View) -> Result<Launch> {
    let mut shader = Shader::default();
    let (from, weights) = (shader.operand(Slot::Input(0), x), shader.operand(Slot::Input(1), kernel));
    let to = shader.operand(Slot::Output(0), out);
    let count = out.shape().numel();
    let place = shader.each(count);
    let at = shader.coordinates(out.shape(), &place);
    let (batch, channels) = (out.shape()[0], out.shape()[1]);
    let per_group = shader.param((channels / op.groups).max(1));
    let per_batch_group = shader.param((channels / op.batch_groups).max(1));
    let (batch, window) = (shader.param(batch), shader.param(kernel.shape()[1]));
    let first_channel = shader.index(&format!("{} / {per_group} * {window}", at[1]));
    let n = shader.index(&format!("{} / {per_batch_group} * {batch} + {}", at[1], at[0]));
    let mut step = |view: &View, axis: usize| shader.word(view.layout.strides()[axis] as u32);
    let (x_n, x_c, w_o, w_c) = (step(x, 0), step(x, 1), step(kernel, 0), step(kernel, 1));
    let x_start = shader.index(&format!("{n} * {x_n} + {first_channel} * {x_c}"));
    let w_start = shader.index(&format!("{} * {w_o}", at[1]));
    shader.line("var total = 0.0;");
    shader.line(format!("for (var c = 0u; c < {window}; c++) {{"));
    let (mut x_at, mut w_at) = (format!("{x_start} + c * {x_c}"), format!("{w_start} + c * {w_c}"));
    let spatial = op.strides.len();
    for s in 0..spatial {
        let (size, taps) = (shader.param(x.shape()[s + 2]), shader.param(kernel.shape()[s + 2]));
        let (stride, gap) = (shader.param(op.strides[s]), shader.param(op.kernel_dilation[s]));
        let low = shader.word(op.low[s] as i32 as u32);
        let dilation = shader.param(op.input_dilation[s]);
        shader.line(format!("for (var k{s} = 0u; k{s} < {taps}; k{s}++) {{"));
        // What lies before the input wraps to a number beyond it.
        let seen = shader.index(&format!("{} * {stride} + k{s} * {gap} - {low}", at[s + 2]));
        let source = if op.input_dilation[s] == 1 {
            shader.line(format!("if {seen} >= {size} {{ continue; }}"));
            seen
        } else {
            shader.line(format!("if ({seen} & 0x80000000u) != 0u || {seen} % {dilation} != 0u {{ continue; }}"));
            let source = shader.index(&format!("{seen} / {dilation}"));
            shader.line(format!("if {source} >= {size} {{ continue; }}"));
            source
        };
        let (x_s, w_s) =
            (shader.word(x.layout.strides()[s + 2] as u32), shader.word(kernel.layout.strides()[s + 2] as u32));
        x_at = shader.index(&format!("{x_at} + {source} * {x_s}"));
        w_at = shader.index(&format!("{w_at} + k{s} * {w_s}"));
    }
    let (a, b) = (shader.load(&from, &x_at), shader.load(&weights, &w_at));
    shader.line(format!("total = fma({}, {}, total);", a.text, b.text));
    shader.line("}".repeat(spatial + 1));
    let at = shader.position(out.layout.strides(), &at);
    shader.store(&to, &at, &Expr::new(Kind::Float, "total"));
    Ok(shader.finish_each(count))
}

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
