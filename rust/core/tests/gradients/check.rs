//! The check itself: a gradient against central differences along a random direction, to second order, in f64.
//!
//! With weights `w` on the outputs, `f` gives the number `w . f(x)`. Its gradient by `x` is compared along a direction `u`.
//! For second order the number is `gradient(x, w) . v`, differentiated by `x` and by `w`, since the derivative of a
//! derivative sees both. What eager calls compute, a recording of the same calls must compute too.

use super::common::close::{Close, difference};
use super::common::draw::draw;
use super::common::values::numbers;
use std::sync::Arc;
use trainsmith_core::Result;
use trainsmith_core::dtype::{DType, Scalar};
use trainsmith_core::ir::node::{Edge, Handle};
use trainsmith_core::shape::Shape;
use trainsmith_core::tensor::backward::{gradients, watch};
use trainsmith_core::tensor::capture::Captured;
use trainsmith_core::tensor::recorder::Recorder;
use trainsmith_core::tensor::{Tensor, mode};

/// What is differentiated: all inputs in, all results out.
pub(crate) type Function<'a> = &'a dyn Fn(&[Tensor]) -> Result<Vec<Tensor>>;

/// Step of the differences; values and directions are of size one.
const STEP: f64 = 3e-6;
const FIRST: f64 = 1e-6;
const SECOND: f64 = 1e-5;

/// Numbers of size one, none of them special.
pub(crate) fn random(seed: u64, count: usize) -> Vec<f64> {
    let numbers = draw(seed, DType::F64, -1.5, 1.5, count);
    numbers.into_iter().map(Scalar::as_f64).map(|x| x + 0.25f64.copysign(x)).collect()
}

pub(crate) fn tensor(numbers: &[f64], shape: &Shape) -> Tensor {
    Tensor::from_f64(numbers, shape.clone()).unwrap()
}

/// A point in the space of all f64 inputs, cut into tensors.
struct Space(Vec<Shape>);

impl Space {
    fn of(tensors: &[Tensor]) -> Self {
        Self(tensors.iter().map(|t| t.meta().shape).collect())
    }

    fn size(&self) -> usize {
        self.0.iter().map(Shape::numel).sum()
    }

    fn cut(&self, numbers: &[f64]) -> Vec<Tensor> {
        let mut rest = numbers;
        let piece = |shape: &Shape| {
            let (head, tail) = rest.split_at(shape.numel());
            rest = tail;
            tensor(head, shape)
        };
        self.0.iter().map(piece).collect()
    }
}

fn join(tensors: &[Tensor]) -> Result<Vec<f64>> {
    let values = tensors.iter().map(|t| t.value("test")).collect::<Result<Vec<_>>>()?;
    Ok(values.iter().flat_map(numbers).map(Scalar::as_f64).collect())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn moved(x: &[f64], u: &[f64], step: f64) -> Vec<f64> {
    x.iter().zip(u).map(|(x, u)| x + step * u).collect()
}

/// A function, its inputs, and which of them are differentiated.
struct Site<'a> {
    f: Function<'a>,
    inputs: &'a [Tensor],
    active: Vec<usize>,
}

impl Site<'_> {
    /// All inputs, the active ones replaced.
    fn apply(&self, active: &[Tensor]) -> Result<Vec<Tensor>> {
        let mut inputs = self.inputs.to_vec();
        for (&place, tensor) in self.active.iter().zip(active) {
            inputs[place] = tensor.clone();
        }
        let results = (self.f)(&inputs)?;
        Ok(results.into_iter().filter(|t| t.meta().dtype == DType::F64).collect())
    }

    /// Gradients of the weighted outputs.
    fn first(&self, x: &[Tensor], w: &[Tensor]) -> Result<Vec<Tensor>> {
        let x: Vec<Tensor> = x.iter().map(watch).collect::<Result<_>>()?;
        gradients(&self.apply(&x)?, Some(w), &x)
    }

    /// Outputs, gradients, and the gradients by `x` and `w` of the gradients weighted by `v`.
    fn all(&self, x: &[Tensor], w: &[Tensor], v: &[Tensor]) -> Result<[Vec<Tensor>; 3]> {
        let x: Vec<Tensor> = x.iter().map(watch).collect::<Result<_>>()?;
        let w: Vec<Tensor> = w.iter().map(watch).collect::<Result<_>>()?;
        let outputs = self.apply(&x)?;
        let first = gradients(&outputs, Some(&w), &x)?;
        let second = gradients(&first, Some(v), &[x, w].concat())?;
        Ok([outputs, first, second])
    }
}

/// Whether a slope is what differences say; `terms` are the summands of the slope, `size` that of the numbers subtracted.
fn near(slope: f64, difference: f64, terms: f64, size: f64, tolerance: f64) -> bool {
    (slope - difference).abs() <= tolerance * (terms + slope.abs()) + 4e-15 * size / STEP + 1e-9 * tolerance
}

/// What is wrong with the gradients of `f` by its f64 inputs, if anything.
pub(crate) fn complaint(f: Function<'_>, inputs: &[Tensor]) -> Option<String> {
    examine(f, inputs).unwrap_or_else(|error| Some(error.to_string()))
}

fn examine(f: Function<'_>, inputs: &[Tensor]) -> Result<Option<String>> {
    let active: Vec<usize> = (0..inputs.len()).filter(|&i| inputs[i].meta().dtype == DType::F64).collect();
    let start: Vec<Tensor> = active.iter().map(|&i| inputs[i].clone()).collect();
    let site = Site { f, inputs, active };
    let (space, x) = (Space::of(&start), join(&start)?);
    let weights = Space::of(&site.apply(&start)?);
    let (w, u, v) = (random(1, weights.size()), random(2, space.size()), random(3, space.size()));
    let [w_cut, v_cut] = [weights.cut(&w), space.cut(&v)];
    let [outputs, first, second] = site.all(&start, &w_cut, &v_cut)?;
    let metas = |tensors: &[Tensor]| tensors.iter().map(Tensor::meta).collect::<Vec<_>>();
    if metas(&first) != metas(&start) || metas(&second) != metas(&[start, w_cut.clone()].concat()) {
        return Ok(Some(format!("gradients of {:?} and {:?}", metas(&first), metas(&second))));
    }

    let value = |x: &[f64]| -> Result<f64> { Ok(dot(&join(&site.apply(&space.cut(x))?)?, &w)) };
    let (slope, norm, size) = (join(&first)?, join(&outputs)?, inner_size);
    let difference = (value(&moved(&x, &u, STEP))? - value(&moved(&x, &u, -STEP))?) / (2.0 * STEP);
    let got = dot(&slope, &u);
    if !near(got, difference, size(&slope, &u), size(&norm, &w), FIRST) {
        return Ok(Some(format!("first order: {got} instead of {difference}")));
    }

    let slope_of =
        |x: &[f64], w: &[f64]| -> Result<f64> { Ok(dot(&join(&site.first(&space.cut(x), &weights.cut(w))?)?, &v)) };
    let (curve, t) = (join(&second)?, random(4, w.len()));
    let [ahead, behind] = [STEP, -STEP].map(|step| slope_of(&moved(&x, &u, step), &moved(&w, &t, step)));
    let difference = (ahead? - behind?) / (2.0 * STEP);
    let ut = [u, t].concat();
    let got = dot(&curve, &ut);
    if !near(got, difference, size(&curve, &ut), size(&slope, &v), SECOND) {
        return Ok(Some(format!("second order: {got} instead of {difference}")));
    }
    recorded(&site, &[outputs, first, second], &w_cut, &v_cut)
}

/// Root of the sum of squared summands: what rounding and curvature scale with, however the summands cancel.
fn inner_size(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a * b).powi(2)).sum::<f64>().sqrt()
}

/// The same calls recorded, planned and run give what eager calls gave.
fn recorded(site: &Site<'_>, eager: &[Vec<Tensor>; 3], w: &[Tensor], v: &[Tensor]) -> Result<Option<String>> {
    let arguments = [site.inputs, w, v].concat();
    let handles: Vec<Arc<Handle>> = arguments.iter().filter_map(|t| t.handle().cloned()).collect();
    let mut recorder = Recorder::new(None);
    for (place, handle) in handles.iter().enumerate() {
        recorder.argument(place, handle)?;
    }
    mode::start(recorder);
    let start: Vec<Tensor> = site.active.iter().map(|&i| site.inputs[i].clone()).collect();
    let results: Result<Vec<Edge>> =
        site.all(&start, w, v).and_then(|all| all.concat().iter().map(Tensor::edge).collect());
    let captured = Captured::new(mode::stop()?, &results?, false)?;
    let got = captured.run(&handles)?.into_iter().map(Tensor::from_edge);
    let close = Close { units: 1.0, scale: 1.0 };
    for (got, want) in got.zip(eager.iter().flatten()) {
        if let Some(difference) = difference(&got.value("test")?, &want.value("test")?, close) {
            return Ok(Some(format!("recorded: {difference}")));
        }
    }
    Ok(None)
}
