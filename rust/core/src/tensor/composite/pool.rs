//! Pooling over the last one to three axes.

use super::table::{along, pick, wide};
use crate::dtype::Scalar;
use crate::error::{Error, Result};
use crate::ir::decompose_pool::at_first_maxima;
use crate::ir::infer_window::dilated;
use crate::ir::node::Edge;
use crate::ir::op::{CompareOp, Composite, Op, PoolKind, PoolOp};
use crate::shape::Shape;
use crate::tensor::args::Call;
use crate::tensor::face::face;

/// Maxima under a window, and with `return_indices` the row-major positions of the first ones.
pub fn max_pool(c: &Call<'_>) -> Result<Vec<Edge>> {
    let x = c.edge(0)?;
    let op = window(c, PoolKind::Max, &x)?.0;
    let y = apply(&op, &x)?;
    if !c.flag("return_indices", false)? {
        return Ok(vec![y]);
    }
    let plane = positions(&x, op.window.len())?;
    Ok(vec![y, at_first_maxima(face(), &op, &x, &plane)?])
}

/// Means under a window. What counts is the window without what lies past the border, or also without the border.
pub fn avg_pool(c: &Call<'_>) -> Result<Edge> {
    let b = face();
    let given = c.edge(0)?;
    let (x, dtype) = (b.cast(&given, wide(given.dtype()))?, given.dtype());
    let (op, padding) = window(c, PoolKind::Sum, &x)?;
    let sum = apply(&op, &x)?;
    let all = op.window.iter().product::<usize>() as f64;
    let with_border = c.flag("count_include_pad", true)?;
    let overhang: Vec<usize> = op.high.iter().zip(&padding).map(|(high, pad)| high.saturating_sub(*pad)).collect();
    let even = overhang.iter().all(|&n| n == 0) && (with_border || padding.iter().all(|&p| p == 0));
    let count = match c.maybe_int("divisor_override")? {
        Some(0) => return Err(Error::value(c.name, "divisor_override other than 0", "0")),
        Some(divisor) => b.full_like(&sum, divisor as f64)?,
        None if even => b.full_like(&sum, all)?,
        None => b.expand(&counts(&op, &padding, &overhang, with_border, &x)?, sum.shape())?,
    };
    b.cast(&b.div(&sum, &count)?, dtype)
}

/// Maxima or means of `output_size` bins along each of the last axes; bin i covers `floor(i L / n)` to `ceil((i + 1) L / n)`.
///
/// Bins of one size are a pool. Others are made of one size by repeating their last element, which changes no maximum, nor
/// which one is the first, and counts for nothing in a mean.
pub fn adaptive_pool(c: &Call<'_>) -> Result<Vec<Edge>> {
    let b = face();
    let given = c.edge(0)?;
    let outputs = c.shape("output_size")?;
    let lead = given.shape().len().checked_sub(outputs.len()).filter(|_| !outputs.is_empty() && outputs.len() < 4);
    let fits = |lead: usize| !outputs.contains(&0) && !given.shape()[lead..].contains(&0);
    let Some(lead) = lead.filter(|&lead| fits(lead)) else {
        let got = format!("{outputs} for an input of shape {}", given.shape());
        return Err(Error::shape(c.name, "output sizes of at least 1 for the last one to three axes", got));
    };
    let kind = if c.text("kind", "avg")? == "max" { PoolKind::Max } else { PoolKind::Sum };
    let dtype = given.dtype();
    let mut x = if kind == PoolKind::Sum { b.cast(&given, wide(dtype))? } else { given };
    let mut plane = positions(&x, outputs.len())?;
    let mut bins = vec![];
    for (axis, &count) in outputs.iter().enumerate() {
        let bin = Bins::new(x.shape()[lead + axis], count);
        if !bin.even() {
            x = pick(&x, lead + axis, &bin.places())?;
            plane = pick(&plane, axis, &bin.places())?;
            if kind == PoolKind::Sum {
                let counted = along(&x, lead + axis, &bin.counted())?;
                let zero = b.full_like(&x, 0.0)?;
                x = b.select(&b.compare(CompareOp::NotEqual, &counted, &zero)?, &x, &zero)?;
            }
        }
        bins.push(bin);
    }
    let window: Vec<usize> = bins.iter().map(|bin| bin.largest).collect();
    let none = vec![0; window.len()];
    let dilation = vec![1; window.len()];
    let op = PoolOp { kind, strides: window.clone(), window, low: none.clone(), high: none, dilation };
    let mut y = apply(&op, &x)?;
    if kind == PoolKind::Max {
        let indices = c.flag("return_indices", false)?.then(|| at_first_maxima(b, &op, &x, &plane)).transpose()?;
        return Ok(std::iter::once(y).chain(indices).collect());
    }
    for (axis, bin) in bins.iter().enumerate() {
        y = b.div(&y, &along(&y, lead + axis, &bin.sizes())?)?;
    }
    Ok(vec![b.cast(&y, dtype)?])
}

fn apply(op: &PoolOp, x: &Edge) -> Result<Edge> {
    face().one(Op::Composite(Composite::Pool(op.clone())), std::slice::from_ref(x))
}

/// 0, 1, 2, ... in the shape of the last axes.
fn positions(x: &Edge, axes: usize) -> Result<Edge> {
    let plane: Shape = x.shape()[x.shape().len() - axes..].into();
    face().reshape(&face().source(Op::Iota { length: plane.numel() }, x.node.device)?, &plane)
}

/// The window that a call asks for, and its padding as given.
fn window(c: &Call<'_>, kind: PoolKind, x: &Edge) -> Result<(PoolOp, Vec<usize>)> {
    let window = c.shape("kernel_size")?.to_vec();
    let axes = window.len();
    let per_axis = |key: &str, default: &[usize]| -> Result<Vec<usize>> {
        let given = if c.maybe_ints(key)?.is_some() { c.shape(key)?.to_vec() } else { default.to_vec() };
        let rule = || format!("{key}: one size for each of the {axes} axes of kernel_size");
        if given.len() == axes { Ok(given) } else { Err(Error::value(c.name, rule(), format!("{given:?}"))) }
    };
    let (strides, padding) = (per_axis("stride", &window)?, per_axis("padding", &vec![0; axes])?);
    let dilation = per_axis("dilation", &vec![1; axes])?;
    let reach = |axis: usize| dilated(window[axis], dilation[axis]);
    let positive = window.iter().chain(&strides).chain(&dilation).all(|&n| n > 0);
    if !positive || (0..axes).any(|axis| 2 * padding[axis] > reach(axis)) {
        let rule = "sizes of at least 1 and padding of at most half the window";
        let got = format!("kernel_size {window:?}, stride {strides:?}, dilation {dilation:?}, padding {padding:?}");
        return Err(Error::value(c.name, rule, got));
    }
    let Some(lead) = x.shape().len().checked_sub(axes) else {
        return Err(Error::shape(c.name, format!("an input with at least {axes} axes"), x.shape().to_string()));
    };
    let mut high = padding.clone();
    if c.flag("ceil_mode", false)? {
        for (axis, high) in high.iter_mut().enumerate() {
            let (size, pad, stride) = (x.shape()[lead + axis], padding[axis], strides[axis]);
            // The last window may reach past the border, but starts inside the input or the border before it.
            let mut last = (size + 2 * pad).saturating_sub(reach(axis)).div_ceil(stride);
            if last * stride >= size + pad {
                last = last.saturating_sub(1);
            }
            *high = (last * stride + reach(axis)).saturating_sub(size + pad);
        }
    }
    Ok((PoolOp { kind, window, strides, low: padding.clone(), high, dilation }, padding))
}

/// Number of elements that each place of the window counts: a pool over ones.
fn counts(op: &PoolOp, padding: &[usize], overhang: &[usize], with_border: bool, x: &Edge) -> Result<Edge> {
    let axes = padding.len();
    let border = |axis: usize| if with_border { 2 * padding[axis] } else { 0 };
    let sizes = &x.shape()[x.shape().len() - axes..];
    let plane: Shape = (0..axes).map(|axis| sizes[axis] + border(axis)).collect();
    let ones = Op::Fill { value: Scalar::Float(1.0), shape: plane, dtype: x.dtype() };
    let ones = face().source(ones, x.node.device)?;
    let op =
        if with_border { PoolOp { low: vec![0; axes], high: overhang.to_vec(), ..op.clone() } } else { op.clone() };
    apply(&op, &ones)
}

/// Bins along one axis, by their bounds.
#[derive(Debug)]
struct Bins {
    bounds: Vec<(usize, usize)>,
    largest: usize,
}

impl Bins {
    fn new(size: usize, count: usize) -> Self {
        let bounds: Vec<_> = (0..count).map(|i| (i * size / count, ((i + 1) * size).div_ceil(count))).collect();
        let largest = bounds.iter().map(|(from, to)| to - from).max().unwrap_or(1);
        Self { bounds, largest }
    }

    /// Whether the bins lie edge to edge and have one size.
    fn even(&self) -> bool {
        self.bounds.iter().enumerate().all(|(i, &(from, to))| from == i * self.largest && to - from == self.largest)
    }

    /// Elements of all bins, each as long as the largest by repeating its last one.
    fn places(&self) -> Vec<i64> {
        let bin = |&(from, to): &(usize, usize)| (from..from + self.largest).map(move |i| i.min(to - 1) as i64);
        self.bounds.iter().flat_map(bin).collect()
    }

    /// 1 for elements, 0 for repeated ones.
    fn counted(&self) -> Vec<f64> {
        let bin =
            |&(from, to): &(usize, usize)| (from..from + self.largest).map(move |i| if i < to { 1.0 } else { 0.0 });
        self.bounds.iter().flat_map(bin).collect()
    }

    fn sizes(&self) -> Vec<f64> {
        self.bounds.iter().map(|(from, to)| (to - from) as f64).collect()
    }
}
