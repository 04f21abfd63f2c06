//! Convolution, in the generality that both of its derivatives need.
//!
//! `out[n, o, p] = sum over c, k of x[b N + n, g C + c, q] kernel[o, c, k]` with `q dilation_x = p stride + k dilation_k - low`,
//! where o lies in group g of the channels and group b of the batch, and terms whose q is no element of x are 0.
//!
//! The sum is symmetric in the places p and the taps k. Where the taps are fewer (`narrow.rs`), places run along the lanes and
//! a tap is a shift; else, as in the gradient of a kernel, taps are the terms and a place is a shift, and lanes go along planes
//! (`dots.rs`) or hold examples (`wide.rs`). `grid.rs` says where shifts and runs meet the input, `tile.rs` computes tiles in
//! registers. A kernel of one tap that moves nothing is a matrix product. `direct.rs` takes windows of more axes.

mod direct;
mod dots;
mod grid;
mod last;
mod line;
mod narrow;
mod tile;
mod wide;
mod winograd;

use super::arch::Vectored;
use super::element::Compute;
use super::kernel::{Dst, Src};
use super::matmul::{Matrix, Product, Size, Target};
use super::scratch;
use crate::error::{Error, Result};
use crate::ir::op::ConvOp;
use crate::shape::Shape;
use grid::{AXES, Numbers, common_divisor};
pub(super) use last::Last;

/// Rows of a part at least where a convolution is cut along the first axis of its result, for the gradient of a kernel, or the
/// second: fewer are computed in another way, and bits do not depend on cuts.
pub(super) const LEAST: [usize; 2] = [8, 16];

/// Convolution of `[N, C, spatial...]` with `[O, C / groups, spatial...]`, and what becomes of its result.
pub(super) fn conv(op: &ConvOp, x: &Src<'_>, kernel: &Src<'_>, last: &Last<'_>, out: &mut Dst<'_>) -> Result<()> {
    match Compute::of(x.dtype) {
        Compute::F32 => of::<f32>(op, x, kernel, last, out),
        Compute::F64 => of::<f64>(op, x, kernel, last, out),
        Compute::Bool | Compute::I64 | Compute::U64 => Err(Error::bug("conv", format!("no loop for {}", x.dtype))),
    }
}

fn of<T: Vectored>(op: &ConvOp, x: &Src<'_>, kernel: &Src<'_>, last: &Last<'_>, out: &mut Dst<'_>) -> Result<()> {
    if out.bytes.is_empty() {
        return Ok(());
    }
    let shape = &out.meta.shape;
    match Shapes::new(op, x, kernel, shape) {
        None => direct::direct::<T>(op, x, kernel, out)?,
        Some(s) if s.moves_nothing(op, x) => products::<T>(&s, x, kernel, out)?,
        Some(s) if winograd::fits(&s) => return winograd::forward::<T>(&s, x, kernel, last, out),
        Some(s) if winograd::fits_gradient(&s) => winograd::gradient::<T>(&s, x, kernel, out)?,
        Some(s) if s.taps() > s.places() && dots::fits(&s) => dots::dots::<T>(&s, x, kernel, out)?,
        Some(s) if s.taps() > s.places() => wide::wide::<T>(&s, x, kernel, out)?,
        Some(s) => return narrow::narrow::<T>(&s, x, kernel, last, out),
    }
    last.planes(shape, out.elements::<T>()?)
}

/// Sizes and distances of a convolution with at most three spatial axes.
#[derive(Debug)]
struct Shapes {
    /// Examples of the result, and its channels.
    batch: usize,
    outputs: usize,
    /// Outputs that see the same channels and examples.
    block: usize,
    /// Channels that an output sees.
    channels: usize,
    groups: usize,
    batch_groups: usize,
    /// Places of the result, taps of the kernel, along each axis, with their distances.
    places: [(usize, usize); AXES],
    taps: [(usize, usize); AXES],
    gaps: [usize; AXES],
    low: [isize; AXES],
    input: [(usize, isize); AXES],
}

impl Shapes {
    fn new(op: &ConvOp, x: &Src<'_>, kernel: &Src<'_>, shape: &Shape) -> Option<Self> {
        let missing = AXES.checked_sub(shape.len() - 2)?;
        let k_shape = kernel.layout.shape();
        let mut s = Self {
            batch: shape[0],
            outputs: shape[1],
            block: common_divisor(shape[1] / op.groups, shape[1] / op.batch_groups),
            channels: k_shape[1],
            groups: op.groups,
            batch_groups: op.batch_groups,
            places: [(1, 1); AXES],
            taps: [(1, 1); AXES],
            gaps: [1; AXES],
            low: [0; AXES],
            input: [(1, 0); AXES],
        };
        for axis in 0..op.strides.len() {
            s.places[missing + axis] = (shape[axis + 2], op.strides[axis]);
            s.taps[missing + axis] = (k_shape[axis + 2], op.kernel_dilation[axis]);
            s.gaps[missing + axis] = op.input_dilation[axis];
            s.low[missing + axis] = op.low[axis];
            s.input[missing + axis] = (x.layout.shape()[axis + 2], x.layout.strides()[axis + 2]);
        }
        Some(s)
    }

    fn taps(&self) -> usize {
        self.taps.iter().map(|&(count, _)| count).product()
    }

    fn places(&self) -> usize {
        self.places.iter().map(|&(count, _)| count).product()
    }

    fn numbers(&self, along: &[(usize, usize); AXES], shifts: &[(usize, usize); AXES]) -> [Numbers; AXES] {
        std::array::from_fn(|axis| Numbers {
            along: along[axis],
            shifts: shifts[axis],
            gap: self.gaps[axis],
            low: self.low[axis],
            input: self.input[axis],
        })
    }

    fn taps_as_shifts(&self) -> [Numbers; AXES] {
        self.numbers(&self.places, &self.taps)
    }

    fn taps_along(&self) -> [Numbers; AXES] {
        self.numbers(&self.taps, &self.places)
    }

    /// Distances of the result's places in memory.
    fn place_steps(&self) -> [isize; AXES] {
        let [_, (b, _), (c, _)] = self.places;
        [(b * c) as isize, c as isize, 1]
    }

    /// First example and channel that an output sees.
    fn sees(&self, output: usize) -> (usize, usize) {
        let example = output / (self.outputs / self.batch_groups) * self.batch;
        (example, output / (self.outputs / self.groups) * self.channels)
    }

    /// Whether every place has its own input under the one tap, and places lie in memory as in the result.
    fn moves_nothing(&self, op: &ConvOp, x: &Src<'_>) -> bool {
        let still = op.strides.iter().chain(&op.input_dilation).all(|&step| step == 1);
        let inner = self.places.iter().zip(&self.input).zip(self.place_steps());
        let dense =
            inner.into_iter().all(|((place, input), step)| place.0 == input.0 && (place.0 == 1 || input.1 == step));
        still && self.taps() == 1 && op.low.iter().all(|&low| low == 0) && dense && x.layout.shape().numel() > 0
    }
}

/// Distances of the spatial axes of a kernel.
fn spatial_steps(kernel: &Src<'_>) -> [isize; AXES] {
    let strides = &kernel.layout.strides()[2..];
    let mut steps = [0; AXES];
    steps[AXES - strides.len()..].copy_from_slice(strides);
    steps
}

/// Buffer index of the first element under the two leading indices.
fn at(x: &Src<'_>, index: [usize; 2]) -> usize {
    let strides = x.layout.strides();
    x.layout.offset().wrapping_add_signed(index[0] as isize * strides[0] + index[1] as isize * strides[1])
}

/// Distances of examples and channels.
fn steps(x: &Src<'_>) -> [isize; 2] {
    [x.layout.strides()[0], x.layout.strides()[1]]
}

/// One tap: products of the kernel with planes, where they lie.
fn products<T: Vectored>(s: &Shapes, x: &Src<'_>, kernel: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let (source, weights, results) = (x.elements::<T>()?, kernel.elements::<T>()?, out.elements::<T>()?);
    let size = Size { rows: s.block, columns: s.places(), depth: s.channels };
    for first in (0..s.outputs).step_by(s.block) {
        let (example, channel) = s.sees(first);
        let [row_step, column_step] = steps(kernel);
        let a = Matrix { elements: weights, first: at(kernel, [first, 0]), row_step, column_step };
        for n in 0..s.batch {
            let b = Matrix {
                elements: source,
                first: at(x, [example + n, channel]),
                row_step: x.layout.strides()[1],
                column_step: 1,
            };
            let product = Product::new(size, a, b)?;
            let to = &mut results[(n * s.outputs + first) * s.places()..];
            let target = Target::new(to, size.rows, size.columns, size.columns)?;
            scratch::with(product.scratch(), |memory| product.run((0, 0), target, memory))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
