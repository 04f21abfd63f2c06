//! Ops that move elements: views, padding, concatenation, and access by index.

use super::dense::{Dense, Num};
use super::elementwise::combine;
use crate::buffer::Meta;
use crate::dtype::Scalar;
use crate::error::{Error, Result};
use crate::ir::op::{BinaryOp, ViewOp};

pub(super) fn view(op: &ViewOp, x: &Dense, meta: &Meta) -> Result<Dense> {
    if matches!(op, ViewOp::Reshape(_)) {
        return Ok(Dense { meta: meta.clone(), data: x.data.clone() });
    }
    let sizes = &x.meta.shape;
    Dense::build(meta, |index| {
        let source: Vec<usize> = match op {
            ViewOp::Reshape(_) => index.to_vec(),
            ViewOp::Permute(perm) => {
                let mut source = vec![0; index.len()];
                for (&from, &i) in perm.iter().zip(index) {
                    source[from] = i;
                }
                source
            }
            ViewOp::Expand(_) => {
                let own = &index[index.len() - sizes.len()..];
                own.iter().zip(sizes.iter()).map(|(&i, &size)| if size == 1 { 0 } else { i }).collect()
            }
            ViewOp::Slice { starts, steps, .. } => {
                (0..index.len()).map(|a| starts[a].wrapping_add_signed(index[a] as isize * steps[a])).collect()
            }
        };
        Ok(x.at(&source))
    })
}

pub(super) fn pad(low: &[usize], interior: &[usize], value: Scalar, x: &Dense, meta: &Meta) -> Result<Dense> {
    Dense::build(meta, |index| {
        let source: Option<Vec<usize>> = (0..index.len())
            .map(|axis| {
                let distance = index[axis].checked_sub(low[axis])?;
                let step = interior[axis] + 1;
                (distance % step == 0 && distance / step < x.meta.shape[axis]).then_some(distance / step)
            })
            .collect();
        Ok(source.map_or_else(|| Num::from(value).cast(meta.dtype), |source| x.at(&source)))
    })
}

pub(super) fn concat(axis: usize, inputs: &[&Dense], meta: &Meta) -> Result<Dense> {
    Dense::build(meta, |index| {
        let mut source = index.to_vec();
        for x in inputs {
            if source[axis] < x.meta.shape[axis] {
                return Ok(x.at(&source));
            }
            source[axis] -= x.meta.shape[axis];
        }
        Err(Error::bug("concat", "an element beyond every input"))
    })
}

pub(super) fn gather(axis: usize, x: &Dense, index: &Dense, meta: &Meta) -> Result<Dense> {
    let places = places("take", index, x.meta.shape[axis])?;
    let rank = index.meta.shape.len();
    Dense::build(meta, |at| {
        let mut source = at[..axis].to_vec();
        source.push(places[index.place(&at[axis..axis + rank])]);
        source.extend_from_slice(&at[axis + rank..]);
        Ok(x.at(&source))
    })
}

/// Updates are added in row-major order; only the end result is rounded.
pub(super) fn scatter_add(axis: usize, base: &Dense, index: &Dense, updates: &Dense, meta: &Meta) -> Result<Dense> {
    let places = places("scatter_add", index, base.meta.shape[axis])?;
    let rank = index.meta.shape.len();
    let mut sums = base.clone();
    for (at, &update) in updates.meta.shape.indices().zip(&updates.data) {
        let mut target = at[..axis].to_vec();
        target.push(places[index.place(&at[axis..axis + rank])]);
        target.extend_from_slice(&at[axis + rank..]);
        let place = base.place(&target);
        sums.data[place] = combine(BinaryOp::Add, sums.data[place], update)?;
    }
    Dense::build(meta, |at| Ok(sums.at(at)))
}

/// The indices, each checked against the axis it points into.
fn places(op: &str, index: &Dense, size: usize) -> Result<Vec<usize>> {
    let check = |n: &Num| {
        usize::try_from(n.int())
            .ok()
            .filter(|&i| i < size)
            .ok_or_else(|| Error::index(op, format!("indices in [0, {size})"), n.int().to_string()))
    };
    index.data.iter().map(check).collect()
}
