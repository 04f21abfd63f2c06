//! Sums of products: matrix product and convolution.

use super::dense::{Dense, Num};
use super::elementwise::combine;
use crate::buffer::Meta;
use crate::error::Result;
use crate::ir::op::{BinaryOp, ConvOp};
use crate::shape::Shape;

pub(super) fn matmul(a: &Dense, b: &Dense, meta: &Meta) -> Result<Dense> {
    let last = meta.shape.len() - 1;
    Dense::build(meta, |index| {
        let (mut row, mut column) = (index.to_vec(), index.to_vec());
        let mut total = Num::zero(meta.dtype);
        for k in 0..a.meta.shape[last] {
            row[last] = k;
            column[last - 1] = k;
            total = add_product(total, a.at(&row), b.at(&column))?;
        }
        Ok(total)
    })
}

/// Each output sees the inputs under its window; what lies between dilated elements or outside is zero and adds nothing.
///
/// Channel o reads the input channels of its group, and the slice of the batch that belongs to its batch group.
pub(super) fn conv(op: &ConvOp, x: &Dense, kernel: &Dense, meta: &Meta) -> Result<Dense> {
    let window: Shape = kernel.meta.shape[1..].into();
    let (batch, channels) = (meta.shape[0], meta.shape[1]);
    Dense::build(meta, |index| {
        let (n, o) = (index[0], index[1]);
        let first_channel = o / (channels / op.groups) * window[0];
        let first_batch = o / (channels / op.batch_groups) * batch;
        let mut total = Num::zero(meta.dtype);
        for tap in window.indices() {
            let spatial: Option<Vec<usize>> = (0..tap.len() - 1)
                .map(|s| {
                    let steps = index[s + 2] * op.strides[s] + tap[s + 1] * op.kernel_dilation[s];
                    let dilated = usize::try_from(steps as isize - op.low[s]).ok()?;
                    let place = dilated / op.input_dilation[s];
                    (dilated % op.input_dilation[s] == 0 && place < x.meta.shape[s + 2]).then_some(place)
                })
                .collect();
            if let Some(spatial) = spatial {
                let source = [&[first_batch + n, first_channel + tap[0]], spatial.as_slice()].concat();
                let weight = [&[o], tap.as_slice()].concat();
                total = add_product(total, x.at(&source), kernel.at(&weight))?;
            }
        }
        Ok(total)
    })
}

fn add_product(total: Num, a: Num, b: Num) -> Result<Num> {
    combine(BinaryOp::Add, total, combine(BinaryOp::Mul, a, b)?)
}
