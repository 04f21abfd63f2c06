//! Folds: whole axes into one element, the position of an extreme, running sums and products.
//!
//! How a fold is split depends on shapes alone, so a result has the same bits every time.

use super::elementwise;
use crate::backend::gpu::launch::{Launch, Lowered, Slot, View};
use crate::backend::gpu::shader::{Expr, Kind, Shader};
use crate::backend::gpu::space::Space;
use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::ir::op::{ArgOp, BinaryOp, CumulateOp, ReduceOp};
use crate::shape::Shape;

/// Elements from which on a line is folded by a workgroup.
pub(super) const LONG: usize = 128;
/// Lines from which on there are enough of them to keep a thread for each.
pub(super) const MANY: usize = 8192;
/// Elements that one workgroup folds; longer lines are folded in parts first.
const PART: usize = 1 << 14;

/// Fold axes away; so many threads fold a long line together.
pub(in crate::backend::gpu) fn reduce(
    op: ReduceOp,
    axes: &[usize],
    x: &View,
    out: &View,
    threads: u32,
) -> Result<Lowered> {
    let folded: usize = axes.iter().map(|&axis| x.shape()[axis]).product();
    let lines = out.shape().numel();
    let parts = folded.div_ceil(PART);
    if parts < 2 || lines >= MANY {
        return fold(op, axes, x, (Slot::Input(0), 1), (Slot::Output(0), out), threads).map(Lowered::from);
    }
    // Partial folds keep the wide kind: only the end result is rounded.
    let wide = x.dtype.compute();
    let partial = View::whole([lines, parts], wide);
    let first = fold(op, axes, x, (Slot::Input(0), parts), (Slot::Scratch(0), &partial), threads)?;
    let shape: Shape = out.shape().iter().copied().chain([parts]).collect();
    let partial = View::whole(shape, wide);
    let last = fold(op, &[out.shape().len()], &partial, (Slot::Scratch(0), 1), (Slot::Output(0), out), threads)?;
    let bytes = lines * parts * wide.size().max(4);
    Ok(Lowered { launches: vec![first, last], scratch: vec![bytes], ..Lowered::default() })
}

/// How a fold takes one more element.
pub(super) fn step(op: ReduceOp) -> BinaryOp {
    match op {
        ReduceOp::Sum => BinaryOp::Add,
        ReduceOp::Prod => BinaryOp::Mul,
        ReduceOp::Max => BinaryOp::Maximum,
        ReduceOp::Min => BinaryOp::Minimum,
        ReduceOp::Any => BinaryOp::Or,
        ReduceOp::All => BinaryOp::And,
    }
}

/// What a fold of nothing gives: a value that changes no other.
pub(super) fn neutral(shader: &mut Shader, op: ReduceOp, dtype: DType) -> Expr {
    let bits = 8 * dtype.size() as u32;
    let lowest = if dtype.is_unsigned() { 0 } else { -(1i128 << (bits - 1)) };
    let highest = if dtype.is_unsigned() { (1i128 << bits) - 1 } else { (1i128 << (bits - 1)) - 1 };
    let value = match (op, Kind::of(dtype)) {
        (ReduceOp::Sum | ReduceOp::Any, _) | (ReduceOp::Max, Kind::Truth) => Scalar::Int(0),
        (ReduceOp::Prod | ReduceOp::All, _) | (ReduceOp::Min, Kind::Truth) => Scalar::Int(1),
        (ReduceOp::Max, Kind::Float) => Scalar::Float(f64::NEG_INFINITY),
        (ReduceOp::Min, Kind::Float) => Scalar::Float(f64::INFINITY),
        (ReduceOp::Max, Kind::Signed | Kind::Unsigned) => Scalar::Int(lowest),
        (ReduceOp::Min, Kind::Signed | Kind::Unsigned) => Scalar::Int(highest),
    };
    shader.scalar(value, dtype)
}

/// Fold lines, each in `parts` parts.
fn fold(
    op: ReduceOp,
    axes: &[usize],
    x: &View,
    (from, parts): (Slot, usize),
    (to, out): (Slot, &View),
    threads: u32,
) -> Result<Launch> {
    let rank = x.shape().len();
    let kept: Vec<usize> = (0..rank).filter(|axis| !axes.contains(axis)).collect();
    let pick = |axes: &[usize]| -> (Vec<usize>, Vec<isize>) {
        axes.iter().map(|&axis| (x.shape()[axis], x.layout.strides()[axis])).unzip()
    };
    let ((sizes, strides), (folded, walked)) = (pick(&kept), pick(axes));
    // Parts of a line are the last axis of the result, where there are several.
    let out_strides: Vec<isize> = if parts > 1 { sizes_strides(&sizes, parts) } else { out.layout.strides().to_vec() };
    let lines = Space::new(&sizes, &[&strides, &out_strides]);
    let line = Space::new(&folded, &[&walked]);
    let length = line.numel();
    let chunk = length.div_ceil(parts);
    let together = (chunk >= LONG && lines.numel() * parts < MANY).then_some(threads);
    let count = lines.numel() * parts;
    let mut shader = Shader::default();
    let (source, target) = (shader.operand(from, x), shader.operand(to, out));
    let kind = Kind::of(x.dtype);
    if let Some(threads) = together {
        shader.global(format!("var<workgroup> shared_values: array<{}, {threads}>;", shared(kind)));
    }
    let place = if together.is_some() { shader.each_group(count) } else { shader.each(count) };
    let (number, part) = if parts > 1 {
        let parts = shader.param(parts);
        (shader.index(&format!("{place} / {parts}")), shader.index(&format!("{place} % {parts}")))
    } else {
        (place, "0u".to_owned())
    };
    let positions = shader.positions(&lines, &number);
    let (chunk, length) = (shader.param(chunk), shader.param(length));
    let start = shader.index(&format!("{part} * {chunk}"));
    let end = shader.index(&format!("min({start} + {chunk}, {length})"));
    let neutral = neutral(&mut shader, op, x.dtype);
    shader.line(format!("var total = {};", neutral.text));
    let (first, pace) = match together {
        Some(threads) => (format!("{start} + local"), format!("{threads}u")),
        None => (start, "1u".to_owned()),
    };
    shader.line(format!("for (var k = {first}; k < {end}; k += {pace}) {{"));
    let at = shader.positions(&line, "k");
    let element = shader.load(&source, &format!("{} + {}", positions[0], at[0]));
    let total = Expr::new(kind, "total");
    let sum = elementwise::binary(step(op), &total, &element)?;
    shader.line(format!("total = {};", sum.text));
    shader.line("}");
    let store = |shader: &mut Shader, value: &Expr| {
        let at = if parts > 1 { format!("{} + {part}", positions[1]) } else { positions[1].clone() };
        shader.store(&target, &at, value);
    };
    let Some(threads) = together else {
        store(&mut shader, &total);
        return Ok(shader.finish_each(count));
    };
    tree(&mut shader, threads, step(op), kind)?;
    shader.line("if local == 0u {");
    let value = shader.keep(&Expr::new(kind, from_shared(kind, "0u")));
    store(&mut shader, &value);
    shader.line("}");
    Ok(shader.finish_each_group(threads, count))
}

/// Row-major strides of lines whose parts lie beside each other.
fn sizes_strides(sizes: &[usize], parts: usize) -> Vec<isize> {
    let shape: Shape = sizes.into();
    shape.contiguous_strides().iter().map(|stride| stride * parts as isize).collect()
}

/// Booleans are shared as words.
fn shared(kind: Kind) -> &'static str {
    if kind == Kind::Truth { "u32" } else { kind.wgsl() }
}

fn from_shared(kind: Kind, at: &str) -> String {
    if kind == Kind::Truth { format!("(shared_values[{at}] != 0u)") } else { format!("shared_values[{at}]") }
}

fn to_shared(kind: Kind, value: &str) -> String {
    if kind == Kind::Truth { format!("select(0u, 1u, {value})") } else { value.to_owned() }
}

/// Fold the `total` of every thread of a workgroup into `shared_values[0]`, pairwise.
pub(in crate::backend::gpu) fn tree(shader: &mut Shader, threads: u32, step: BinaryOp, kind: Kind) -> Result<()> {
    shader.line(format!("shared_values[local] = {};", to_shared(kind, "total")));
    shader.line(format!("for (var half = {}u; half > 0u; half = half >> 1u) {{", threads / 2));
    shader.line("workgroupBarrier();");
    shader.line("if local < half {");
    let mine = shader.keep(&Expr::new(kind, from_shared(kind, "local")));
    let other = shader.keep(&Expr::new(kind, from_shared(kind, "local + half")));
    let both = elementwise::binary(step, &mine, &other)?;
    shader.line(format!("shared_values[local] = {};", to_shared(kind, &both.text)));
    shader.line("} }");
    shader.line("workgroupBarrier();");
    Ok(())
}

/// Lines along one axis: strides of the other axes, of input and result.
pub(in crate::backend::gpu) fn lines(axis: usize, x: &View, others: &[&[isize]]) -> Space {
    let without = |strides: &[isize]| [&strides[..axis], &strides[axis + 1..]].concat();
    let sizes = [&x.shape()[..axis], &x.shape()[axis + 1..]].concat();
    let strides: Vec<Vec<isize>> =
        std::iter::once(without(x.layout.strides())).chain(others.iter().map(|strides| strides.to_vec())).collect();
    Space::new(&sizes, &strides.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// The first of equal extremes along an axis; a NaN is more extreme than any number.
pub(in crate::backend::gpu) fn arg_reduce(op: ArgOp, axis: usize, x: &View, out: &View) -> Result<Launch> {
    let lines = lines(axis, x, &[out.layout.strides()]);
    let count = lines.numel();
    let mut shader = Shader::default();
    let (source, target) = (shader.operand(Slot::Input(0), x), shader.operand(Slot::Output(0), out));
    let place = shader.each(count);
    let positions = shader.positions(&lines, &place);
    let (length, stride) = (shader.param(x.shape()[axis]), shader.word(x.layout.strides()[axis] as u32));
    let kind = Kind::of(x.dtype);
    let first = shader.load(&source, &positions[0]);
    shader.line(format!("var record = {};", first.text));
    shader.line("var best = 0u;");
    shader.line(format!("for (var k = 1u; k < {length}; k++) {{"));
    let element = shader.load(&source, &format!("{} + k * {stride}", positions[0]));
    let record = Expr::new(kind, "record");
    let more = match op {
        ArgOp::Max => elementwise::compare(crate::ir::op::CompareOp::Greater, &element, &record),
        ArgOp::Min => elementwise::compare(crate::ir::op::CompareOp::Less, &element, &record),
    };
    let beats = if kind == Kind::Float {
        format!("!is_nan(record) && (is_nan({}) || {})", element.text, more.text)
    } else {
        more.text
    };
    shader.line(format!("if {beats} {{ best = k; record = {}; }}", element.text));
    shader.line("}");
    shader.store(&target, &positions[1], &Expr::new(Kind::Signed, "vec2<u32>(best, 0u)"));
    Ok(shader.finish_each(count))
}

/// Running fold along an axis, one thread a line.
pub(in crate::backend::gpu) fn cumulate(
    op: CumulateOp,
    axis: usize,
    reverse: bool,
    x: &View,
    out: &View,
) -> Result<Launch> {
    let other = [&out.layout.strides()[..axis], &out.layout.strides()[axis + 1..]].concat();
    let lines = lines(axis, x, &[&other]);
    let count = lines.numel();
    let mut shader = Shader::default();
    let (source, target) = (shader.operand(Slot::Input(0), x), shader.operand(Slot::Output(0), out));
    let place = shader.each(count);
    let positions = shader.positions(&lines, &place);
    let length = shader.param(x.shape()[axis]);
    let (from, to) = (shader.word(x.layout.strides()[axis] as u32), shader.word(out.layout.strides()[axis] as u32));
    let step = match op {
        CumulateOp::Sum => BinaryOp::Add,
        CumulateOp::Prod => BinaryOp::Mul,
    };
    let start = shader.scalar(Scalar::Int(i128::from(op == CumulateOp::Prod)), x.dtype);
    shader.line(format!("var total = {};", start.text));
    shader.line(format!("for (var n = 0u; n < {length}; n++) {{"));
    shader.line(if reverse { format!("let k = {length} - 1u - n;") } else { "let k = n;".to_owned() });
    let element = shader.load(&source, &format!("{} + k * {from}", positions[0]));
    let total = Expr::new(Kind::of(x.dtype), "total");
    let sum = elementwise::binary(step, &total, &element)?;
    shader.line(format!("total = {};", sum.text));
    shader.store(&target, &format!("{} + k * {to}", positions[1]), &total);
    shader.line("}");
    Ok(shader.finish_each(count))
}
