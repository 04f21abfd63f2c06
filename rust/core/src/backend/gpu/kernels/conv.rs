//! Convolutions: products of kernels with the patches that they see, or a thread for each element where tiles would be
//! mostly empty.

use super::epilogue::Epilogue;
use super::tile::{self, Side, Sizes};
use crate::backend::gpu::choices::{Choices, Tile, Way};
use crate::backend::gpu::launch::{Launch, Lowered, Slot, View};
use crate::backend::gpu::shader::{Expr, Kind, Shader};
use crate::error::Result;
use crate::ir::op::ConvOp;

/// A convolution of `[N, C, spatial...]` with `[O, C / groups, spatial...]`.
pub(in crate::backend::gpu) fn conv(
    op: &ConvOp,
    x: &View,
    kernel: &View,
    epilogue: Epilogue<'_>,
    choices: &Choices,
) -> Result<Lowered> {
    let out = epilogue.shape();
    let columns = out.numel() / out[1].max(1);
    let deep: usize = kernel.shape()[1..].iter().product();
    let plain = op.groups == 1 && op.batch_groups == 1;
    match choices.product([out[1], columns, deep, 1]) {
        Way::Tiles(tile) if plain => patches(op, (x, kernel), epilogue, tile),
        Way::Tiles(_) | Way::Elements => elements(op, x, kernel, epilogue).map(Lowered::from),
    }
}

/// How a window moves along one spatial axis, in words that shaders read.
struct Axis {
    size: String,
    taps: String,
    stride: String,
    gap: String,
    low: String,
    dilation: Option<String>,
    x_step: String,
    w_step: String,
}

impl Axis {
    fn all(shader: &mut Shader, op: &ConvOp, x: &View, kernel: &View) -> Vec<Self> {
        let axis = |s: usize| Self {
            size: shader.param(x.shape()[s + 2]),
            taps: shader.param(kernel.shape()[s + 2]),
            stride: shader.param(op.strides[s]),
            gap: shader.param(op.kernel_dilation[s]),
            low: shader.word(op.low[s] as i32 as u32),
            dilation: (op.input_dilation[s] != 1).then(|| shader.param(op.input_dilation[s])),
            x_step: shader.word(x.layout.strides()[s + 2] as u32),
            w_step: shader.word(kernel.layout.strides()[s + 2] as u32),
        };
        (0..op.strides.len()).map(axis).collect()
    }

    /// Where the window at `at` sees the input through a tap, and whether it sees any.
    fn source(&self, shader: &mut Shader, at: &str, tap: &str) -> (String, String) {
        // What lies before the input wraps to a number beyond it.
        let seen = shader.index(&format!("{at} * {} + {tap} * {} - {}", self.stride, self.gap, self.low));
        let Some(dilation) = &self.dilation else { return (seen.clone(), format!("{seen} < {}", self.size)) };
        let source = shader.index(&format!("{seen} / {dilation}"));
        let inside = format!("(({seen} & 0x80000000u) == 0u && {seen} % {dilation} == 0u && {source} < {})", self.size);
        (source, inside)
    }
}

/// A thread for each element.
fn elements(op: &ConvOp, x: &View, kernel: &View, epilogue: Epilogue<'_>) -> Result<Launch> {
    let out = epilogue.shape();
    let mut shader = Shader::default();
    let (from, weights) = (shader.operand(Slot::Input(0), x), shader.operand(Slot::Input(1), kernel));
    let leaving = epilogue.bind(&mut shader);
    let count = out.numel();
    let place = shader.each(count);
    let at = shader.coordinates(out, &place);
    let (batch, channels) = (out[0], out[1]);
    let per_group = shader.param((channels / op.groups).max(1));
    let per_batch_group = shader.param((channels / op.batch_groups).max(1));
    let (batch, window) = (shader.param(batch), shader.param(kernel.shape()[1]));
    let first_channel = shader.index(&format!("{} / {per_group} * {window}", at[1]));
    let n = shader.index(&format!("{} / {per_batch_group} * {batch} + {}", at[1], at[0]));
    let mut step = |view: &View, axis: usize| shader.word(view.layout.strides()[axis] as u32);
    let (x_n, x_c, w_o, w_c) = (step(x, 0), step(x, 1), step(kernel, 0), step(kernel, 1));
    let x_start = shader.index(&format!("{n} * {x_n} + {first_channel} * {x_c}"));
    let w_start = shader.index(&format!("{} * {w_o}", at[1]));
    let axes = Axis::all(&mut shader, op, x, kernel);
    shader.line("var total = 0.0;");
    shader.line(format!("for (var c = 0u; c < {window}; c++) {{"));
    let (mut x_at, mut w_at) = (format!("{x_start} + c * {x_c}"), format!("{w_start} + c * {w_c}"));
    for (s, axis) in axes.iter().enumerate() {
        shader.line(format!("for (var k{s} = 0u; k{s} < {}; k{s}++) {{", axis.taps));
        let (source, inside) = axis.source(&mut shader, &at[s + 2], &format!("k{s}"));
        shader.line(format!("if !({inside}) {{ continue; }}"));
        x_at = shader.index(&format!("{x_at} + {source} * {}", axis.x_step));
        w_at = shader.index(&format!("{w_at} + k{s} * {}", axis.w_step));
    }
    let (a, b) = (shader.load(&from, &x_at), shader.load(&weights, &w_at));
    shader.line(format!("total = fma({}, {}, total);", a.text, b.text));
    shader.line("}".repeat(axes.len() + 1));
    leaving.store(&mut shader, &at, &Expr::new(Kind::Float, "total"))?;
    Ok(shader.finish_each(count))
}

/// Channels of the result are rows, its other axes columns, channels and taps of the kernel the inner axis.
fn patches(op: &ConvOp, (x, kernel): (&View, &View), epilogue: Epilogue<'_>, tile: Tile) -> Result<Lowered> {
    let out = epilogue.shape();
    let seen: Vec<usize> = std::iter::once(out[0]).chain(out[2..].iter().copied()).collect();
    let inner = &kernel.shape()[1..];
    let sizes = Sizes { rows: out[1], columns: seen.iter().product(), deep: inner.iter().product(), batch: 1 };
    let mut shader = Shader::default();
    let (from, weights) = (shader.operand(Slot::Input(0), x), shader.operand(Slot::Input(1), kernel));
    let leaving = (sizes.parts() == 1).then(|| epilogue.bind(&mut shader));
    let axes = Axis::all(&mut shader, op, x, kernel);
    let mut step = |view: &View, axis: usize| shader.word(view.layout.strides()[axis] as u32);
    let (x_n, x_c, w_o, w_c) = (step(x, 0), step(x, 1), step(kernel, 0), step(kernel, 1));
    let left = Side {
        runs_inner: true,
        enter: &mut |shader, row| vec![shader.index(&format!("{row} * {w_o}"))],
        load: &mut |shader, row, deep| {
            let at = shader.coordinates(inner, deep);
            let mut place = format!("{} + {} * {w_c}", row[0], at[0]);
            for (axis, tap) in axes.iter().zip(&at[1..]) {
                place = format!("{place} + {tap} * {}", axis.w_step);
            }
            shader.load(&weights, &place)
        },
    };
    let right = Side {
        runs_inner: false,
        enter: &mut |shader, column| shader.coordinates(&seen, column),
        load: &mut |shader, column, deep| {
            let at = shader.coordinates(inner, deep);
            let mut place = format!("{} * {x_n} + {} * {x_c}", column[0], at[0]);
            let mut inside = Vec::new();
            for (axis, (window, tap)) in axes.iter().zip(column[1..].iter().zip(&at[1..])) {
                let (source, there) = axis.source(shader, window, tap);
                place = format!("{place} + {source} * {}", axis.x_step);
                inside.push(there);
            }
            let inside = shader.index(&inside.join(" && "));
            let element = shader.load(&from, &format!("select(0u, {place}, {inside})"));
            Expr::new(Kind::Float, format!("select(0.0, {}, {inside})", element.text))
        },
    };
    tile::product(shader, tile, sizes, (left, right), (leaving, epilogue), &mut |shader, _, row, column| {
        let mut at = shader.coordinates(&seen, column);
        at.insert(1, row.to_owned());
        at
    })
}
