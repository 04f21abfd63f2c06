//! Convolution by direct loops, in the generality that both of its derivatives need.
//!
//! `out[n, o, p] = sum over c, k of x[b N + n, g C + c, q] kernel[o, c, k]` with `q dilation_x = p stride + k dilation_k - low`,
//! where o lies in group g of the channels and group b of the batch, and terms whose q is no element of x are 0.

use super::element::{Compute, Float};
use super::kernel::{Dst, Src};
use super::rows::along;
use crate::error::{Error, Result};
use crate::ir::op::ConvOp;
use crate::shape::Shape;

/// Convolution of `[N, C, spatial...]` with `[O, C / groups, spatial...]`.
pub(super) fn conv(op: &ConvOp, x: &Src<'_>, kernel: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    match Compute::of(x.dtype) {
        Compute::F32 => of::<f32>(op, x, kernel, out),
        Compute::F64 => of::<f64>(op, x, kernel, out),
        Compute::Bool | Compute::I64 | Compute::U64 => Err(Error::bug("conv", format!("no loop for {}", x.dtype))),
    }
}

fn of<T: Float>(op: &ConvOp, x: &Src<'_>, kernel: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
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
