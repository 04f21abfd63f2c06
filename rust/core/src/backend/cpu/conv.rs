//! Convolution, in the generality that both of its derivatives need: matrix products with copies of the windows, or direct
//! loops where few outputs see a channel.
//!
//! `out[n, o, p] = sum over c, k of x[b N + n, g C + c, q] kernel[o, c, k]` with `q dilation_x = p stride + k dilation_k - low`,
//! where o lies in group g of the channels and group b of the batch, and terms whose q is no element of x are 0.

use super::arch::Vectored;
use super::element::{Compute, Float};
use super::kernel::{Dst, Src};
use super::matmul::{self, Matrix, Product, Size, Target};
use super::rows::{Rows, along, split};
use super::scratch;
use crate::error::{Error, Result};
use crate::ir::op::ConvOp;
use crate::layout::Layout;
use crate::shape::Shape;

/// Convolution of `[N, C, spatial...]` with `[O, C / groups, spatial...]`.
pub(super) fn conv(op: &ConvOp, x: &Src<'_>, kernel: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    match Compute::of(x.dtype) {
        Compute::F32 => of::<f32>(op, x, kernel, out),
        Compute::F64 => of::<f64>(op, x, kernel, out),
        Compute::Bool | Compute::I64 | Compute::U64 => Err(Error::bug("conv", format!("no loop for {}", x.dtype))),
    }
}

fn of<T: Vectored>(op: &ConvOp, x: &Src<'_>, kernel: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let blocks = Blocks::new(op, x, kernel, &out.meta.shape);
    if blocks.outputs < FEW || kernel.layout.shape().numel() == 0 || out.bytes.is_empty() {
        return direct::<T>(op, x, kernel, out);
    }
    if blocks.tap_step.is_none() {
        // Taps without a single distance are laid side by side first.
        let shape = kernel.layout.shape().clone();
        let source = kernel.elements::<T>()?;
        return scratch::with::<T, _>(shape.numel(), |dense| {
            for (slot, [at]) in dense.iter_mut().zip(Rows::new([kernel.layout]).positions()) {
                *slot = source[at];
            }
            let layout = Layout::contiguous(shape);
            let kernel = Src { bytes: bytemuck::cast_slice(dense), layout: &layout, dtype: kernel.dtype };
            products::<T>(op, x, &kernel, out)
        });
    }
    products::<T>(op, x, kernel, out)
}

/// Outputs of a block from which a matrix product is worth the copy of the windows.
const FEW: usize = 4;
/// Terms that are summed in one product, about.
const DEPTH: usize = 512;
/// Taps from which each channel is a product of its own, as in the gradient of a kernel.
const LONG: usize = 64;
/// Elements of windows that are copied at a time, about: they stay in the second cache.
const WINDOWS: usize = 64 * 1024;

/// How a convolution is cut into products: `[outputs, channels taps] x [channels taps, examples places]`.
#[derive(Clone, Copy, Debug)]
struct Blocks {
    /// Outputs that see the same channels and examples.
    outputs: usize,
    /// Channels of one product, a function of the kernel's shape alone, since it decides the order of sums.
    channels: usize,
    /// Examples of one product, which decide nothing.
    examples: usize,
    /// Elements of the kernel under one output and channel.
    taps: usize,
    /// Places of the window.
    places: usize,
    /// Distance between neighbouring taps, if it is one for all in a product.
    tap_step: Option<isize>,
}

impl Blocks {
    fn new(op: &ConvOp, x: &Src<'_>, kernel: &Src<'_>, shape: &Shape) -> Self {
        let k_shape = kernel.layout.shape();
        let (places, taps) = (shape[2..].iter().product::<usize>(), k_shape[2..].iter().product::<usize>());
        let outputs = common_divisor(shape[1] / op.groups, shape[1] / op.batch_groups);
        let (_, inner) = split(kernel.layout, |axis| axis >= 2);
        let lines = Rows::new([&inner]);
        let tap_step = (lines.len() == taps).then(|| lines.steps()[0]);
        let channels = if taps >= LONG { 1 } else { (DEPTH / taps.max(1)).clamp(1, k_shape[1].max(1)) };
        // Channels of one product continue the taps.
        let follows = tap_step.is_some_and(|step| kernel.layout.strides()[1] == step * taps as isize);
        let tap_step = tap_step.filter(|_| channels == 1 || follows);
        let examples =
            (WINDOWS / (channels * taps * places).max(1)).clamp(1, (x.layout.shape()[0] / op.batch_groups).max(1));
        Self { outputs, channels, examples, taps, places, tap_step }
    }
}

fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

/// Convolution by matrix products with copies of the windows.
fn products<T: Vectored>(op: &ConvOp, x: &Src<'_>, kernel: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let shape = out.meta.shape.clone();
    let (batch, outputs) = (shape[0], shape[1]);
    let blocks = Blocks::new(op, x, kernel, &shape);
    let window = Window::new(op, x, kernel, &shape);
    let spatial: Shape = kernel.layout.shape()[2..].into();
    let (source, results) = (x.elements::<T>()?, out.elements::<T>()?);
    let columns = blocks.examples * blocks.places;
    let depth = blocks.channels * blocks.taps;
    let needed = matmul::scratch::<T>(Size { rows: blocks.outputs, columns, depth }, (2, 2), (columns as isize, 1));
    let together = if blocks.examples > 1 { blocks.outputs * columns } else { 0 };
    scratch::with::<T, _>(depth * columns + together + needed, |memory| {
        let (windows, memory) = memory.split_at_mut(depth * columns);
        let (together, packed) = memory.split_at_mut(together);
        for first in (0..outputs).step_by(blocks.outputs) {
            let example = first / (outputs / op.batch_groups) * batch;
            let channel = first / (outputs / op.groups) * kernel.layout.shape()[1];
            for n in (0..batch).step_by(blocks.examples) {
                let examples = blocks.examples.min(batch - n);
                let place = (n * outputs + first) * blocks.places;
                let several = blocks.examples > 1;
                let to = if several { &mut *together } else { &mut results[place..] };
                let width = examples * blocks.places;
                for c in (0..kernel.layout.shape()[1]).step_by(blocks.channels) {
                    let channels = blocks.channels.min(kernel.layout.shape()[1] - c);
                    let lines = windows.chunks_exact_mut(width);
                    let names = (0..channels).flat_map(|c| spatial.indices().map(move |tap| (c, tap)));
                    for (line, (inner, tap)) in lines.zip(names) {
                        for (e, line) in line.chunks_exact_mut(blocks.places).enumerate() {
                            let from = at(x, &[example + n + e, channel + c + inner]);
                            window.copy(&tap, from, source, line);
                        }
                    }
                    let size = Size { rows: blocks.outputs, columns: width, depth: channels * blocks.taps };
                    let a = Matrix {
                        elements: kernel.elements::<T>()?,
                        first: at(kernel, &[first, c]),
                        row_step: kernel.layout.strides()[0],
                        column_step: blocks.tap_step.unwrap_or(1),
                    };
                    let b = Matrix { elements: windows, first: 0, row_step: width as isize, column_step: 1 };
                    let target = Target::new(to, size.rows, size.columns, width)?;
                    Product::new(size, a, b)?.run((0, 0), target, c > 0, packed, |_, _| ())?;
                }
                if several {
                    spread(together, results, place, examples, blocks, outputs);
                }
            }
        }
        Ok(())
    })
}

/// Copy `[outputs, examples, places]` to `[examples, all outputs, places]`, from index `first` on.
fn spread<T: Float>(from: &[T], to: &mut [T], first: usize, examples: usize, blocks: Blocks, outputs: usize) {
    for (line, from) in from.chunks_exact(blocks.places).take(blocks.outputs * examples).enumerate() {
        let (output, example) = (line / examples, line % examples);
        let at = first + (example * outputs + output) * blocks.places;
        to[at..at + blocks.places].copy_from_slice(from);
    }
}

/// Convolution by direct loops, for few outputs on each channel.
fn direct<T: Float>(op: &ConvOp, x: &Src<'_>, kernel: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let (source, weights) = (x.elements::<T>()?, kernel.elements::<T>()?);
    let (x_shape, k_shape, shape) = (x.layout.shape(), kernel.layout.shape(), &out.meta.shape);
    let (batch, outputs, channels) = (shape[0], shape[1], k_shape[1]);
    let window = Window::new(op, x, kernel, shape);
    let spatial: Shape = k_shape[2..].into();
    let places: Vec<_> = spatial.indices().map(|place| (window.weight(&place), place)).collect();
    let mut sums = vec![0.0; shape[2..].iter().product()];
    let mut rows = out.elements::<T>()?.chunks_exact_mut(sums.len().max(1));
    debug_assert_eq!(batch * op.batch_groups, x_shape[0]);
    for n in 0..batch {
        for (o, row) in (0..outputs).zip(&mut rows) {
            let example = o / (outputs / op.batch_groups) * batch + n;
            let first_channel = o / (outputs / op.groups) * channels;
            sums.fill(0.0);
            for c in 0..channels {
                let from = at(x, &[example, first_channel + c]);
                let weight = at(kernel, &[o, c]);
                for (delta, place) in &places {
                    let weight = weights[weight.wrapping_add_signed(*delta)].wide();
                    window.add(place, from, 0, weight, source, &mut sums);
                }
            }
            row.iter_mut().zip(&sums).for_each(|(result, &sum)| *result = T::round_from(sum));
        }
    }
    Ok(())
}

/// Buffer index of the first element under the two leading indices.
fn at(x: &Src<'_>, index: &[usize; 2]) -> usize {
    let strides = x.layout.strides();
    x.layout.offset().wrapping_add_signed(index[0] as isize * strides[0] + index[1] as isize * strides[1])
}

/// For each spatial axis, which outputs meet which inputs under each kernel element.
#[derive(Debug)]
struct Window {
    taps: Vec<Vec<Tap>>,
    sizes: Vec<usize>,
    x_strides: Vec<isize>,
    kernel_strides: Vec<isize>,
}

/// Outputs `out, out + out_step, ...` of one axis, and the inputs `x, x + x_step, ...` that they meet.
#[derive(Clone, Copy, Default, Debug)]
struct Tap {
    count: usize,
    out: usize,
    out_step: usize,
    x: usize,
    x_step: usize,
}

impl Window {
    fn new(op: &ConvOp, x: &Src<'_>, kernel: &Src<'_>, shape: &Shape) -> Self {
        let taps = (0..shape.len() - 2)
            .map(|axis| {
                let (size, outputs) = (x.layout.shape()[axis + 2], shape[axis + 2]);
                (0..kernel.layout.shape()[axis + 2]).map(|k| Tap::new(op, axis, k, size, outputs)).collect()
            })
            .collect();
        Self {
            taps,
            sizes: shape[2..].to_vec(),
            x_strides: x.layout.strides()[2..].to_vec(),
            kernel_strides: kernel.layout.strides()[2..].to_vec(),
        }
    }

    /// Distance of a kernel element from the first one.
    fn weight(&self, place: &[usize]) -> isize {
        place.iter().zip(&self.kernel_strides).map(|(&k, stride)| k as isize * stride).sum()
    }

    /// Add `weight * x` to every output that meets the kernel element `place`; `from` and `to` are of the outer axes.
    fn add<T: Float>(&self, place: &[usize], from: usize, to: usize, weight: f64, source: &[T], sums: &mut [f64]) {
        let axis = self.sizes.len() - place.len();
        let (tap, stride) = (&self.taps[axis][place[0]], self.x_strides[axis]);
        let (from, to) = (along(from, stride, tap.x), to * self.sizes[axis] + tap.out);
        let step = tap.x_step as isize * stride;
        if place.len() > 1 {
            for i in 0..tap.count {
                self.add(&place[1..], along(from, step, i), to + i * tap.out_step, weight, source, sums);
            }
        } else if (tap.out_step, step) == (1, 1) {
            let line = &source[from..from + tap.count];
            sums[to..to + tap.count].iter_mut().zip(line).for_each(|(sum, x)| *sum += weight * x.wide());
        } else {
            for i in 0..tap.count {
                sums[to + i * tap.out_step] += weight * source[along(from, step, i)].wide();
            }
        }
    }
}

impl Window {
    /// The input under one kernel element, for every output of a plane; 0 where there is none.
    fn copy<T: Float>(&self, place: &[usize], from: usize, source: &[T], to: &mut [T]) {
        let axis = self.sizes.len() - place.len();
        let (tap, stride) = (&self.taps[axis][place[0]], self.x_strides[axis]);
        let (from, step) = (along(from, stride, tap.x), tap.x_step as isize * stride);
        let inner = to.len() / self.sizes[axis].max(1);
        let (whole, zero) = (tap.count == self.sizes[axis] || tap.count == 0, T::round_from(0.0));
        if !whole || tap.count == 0 {
            to.fill(zero);
        }
        if place.len() > 1 {
            for i in 0..tap.count {
                let at = (tap.out + i * tap.out_step) * inner;
                self.copy(&place[1..], along(from, step, i), source, &mut to[at..at + inner]);
            }
        } else if (tap.out_step, step) == (1, 1) && tap.count > 0 {
            to[tap.out..tap.out + tap.count].copy_from_slice(&source[from..from + tap.count]);
        } else {
            for i in 0..tap.count {
                to[tap.out + i * tap.out_step] = source[along(from, step, i)];
            }
        }
    }
}

impl Tap {
    /// The outputs that a kernel element meets are evenly spaced, since they solve a linear congruence.
    fn new(op: &ConvOp, axis: usize, k: usize, size: usize, outputs: usize) -> Self {
        let shift = (k * op.kernel_dilation[axis]) as isize - op.low[axis];
        let gap = op.input_dilation[axis] as isize;
        let meets = |p: usize| {
            let place = (p * op.strides[axis]) as isize + shift;
            let inside = place >= 0 && place % gap == 0 && ((place / gap) as usize) < size;
            inside.then_some((p, (place / gap) as usize))
        };
        let mut pairs = (0..outputs).filter_map(meets);
        let Some((out, x)) = pairs.next() else { return Self::default() };
        let (next_out, next_x) = pairs.next().unwrap_or((out, x));
        let count = (0..outputs).filter_map(meets).count();
        Self { count, out, out_step: next_out - out, x, x_step: next_x - x }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{run, tensor};
    use super::*;
    use crate::dtype::DType;
    use crate::ir::op::Op;

    fn plain(spatial: usize) -> ConvOp {
        ConvOp {
            strides: vec![1; spatial],
            low: vec![0; spatial],
            high: vec![0; spatial],
            input_dilation: vec![1; spatial],
            kernel_dilation: vec![1; spatial],
            groups: 1,
            batch_groups: 1,
        }
    }

    fn line(op: ConvOp, x: &[f32], kernel: &[f32]) -> Vec<f32> {
        let x = tensor(x, &[1, 1, x.len()], DType::F32);
        run(&Op::Conv(op), &[x, tensor(kernel, &[1, 1, kernel.len()], DType::F32)])
    }

    #[test]
    fn windows_move_pad_crop_and_dilate() {
        let (x, k) = ([1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 10.0, 100.0]);
        assert_eq!(line(plain(1), &x, &k), [321.0, 432.0, 543.0]);
        assert_eq!(line(ConvOp { strides: vec![2], ..plain(1) }, &x, &k), [321.0, 543.0]);
        assert_eq!(
            line(ConvOp { low: vec![2], high: vec![1], ..plain(1) }, &x, &k),
            [100.0, 210.0, 321.0, 432.0, 543.0, 54.0]
        );
        assert_eq!(line(ConvOp { low: vec![-1], high: vec![-1], ..plain(1) }, &x, &k), [432.0]);
        assert_eq!(line(ConvOp { kernel_dilation: vec![2], ..plain(1) }, &x, &k), [531.0]);
        let spread = ConvOp { input_dilation: vec![3], low: vec![1], strides: vec![2], ..plain(1) };
        // The input is 0 1 0 0 2 0 0 3 0 0 4 0 0 5.
        assert_eq!(line(spread, &x, &k), [10.0, 200.0, 2.0, 30.0, 400.0, 4.0]);
    }

    #[test]
    fn planes_follow_strides_of_their_own() {
        let x: Vec<f64> = (0..12).map(f64::from).collect();
        let x = tensor(&x, &[1, 1, 4, 3], DType::F64);
        let turned = x.with_layout(x.layout.permute(&[0, 1, 3, 2]));
        let kernel = tensor(&[1.0, 0.0, 0.0, 1.0], &[1, 1, 2, 2], DType::F64);
        let op = Op::Conv(plain(2));
        assert_eq!(run::<f64>(&op, &[x, kernel.clone()]), [4.0, 6.0, 10.0, 12.0, 16.0, 18.0]);
        assert_eq!(run::<f64>(&op, &[turned, kernel]), [4.0, 10.0, 16.0, 6.0, 12.0, 18.0]);
    }

    #[test]
    fn channels_add_up_within_their_group() {
        let x = tensor(&[1f32, 2.0, 3.0, 4.0], &[1, 4, 1], DType::F32);
        let kernel = tensor(&[1f32, 10.0, 1.0, 100.0], &[2, 2, 1], DType::F32);
        let op = Op::Conv(ConvOp { groups: 2, ..plain(1) });
        assert_eq!(run::<f32>(&op, &[x, kernel]), [21.0, 403.0]);
    }

    #[test]
    fn batch_groups_lie_beside_each_other_in_the_channels() {
        // Four examples in two groups: outputs 0 and 1 see examples 0 and 1, outputs 2 and 3 see examples 2 and 3.
        let x = tensor(&[1f32, 2.0, 3.0, 4.0], &[4, 1, 1], DType::F32);
        let kernel = tensor(&[1f32, 10.0, 100.0, 1000.0], &[4, 1, 1], DType::F32);
        let op = Op::Conv(ConvOp { batch_groups: 2, ..plain(1) });
        assert_eq!(run::<f32>(&op, &[x, kernel]), [1.0, 10.0, 300.0, 3000.0, 2.0, 20.0, 400.0, 4000.0]);
    }

    #[test]
    fn nothing_convolved_is_zero() {
        let x = tensor::<f32>(&[], &[1, 0, 3], DType::F32);
        let kernel = tensor::<f32>(&[], &[2, 0, 2], DType::F32);
        assert_eq!(run::<f32>(&Op::Conv(plain(1)), &[x, kernel]), [0.0; 4]);
    }
}
