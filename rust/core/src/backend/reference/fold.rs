//! Folds: whole axes into one element, the position of an extreme, running sums and products.

use super::dense::{Dense, Num};
use super::elementwise::combine;
use crate::buffer::Meta;
use crate::error::{Error, Result};
use crate::ir::op::{ArgOp, BinaryOp, CumulateOp, ReduceOp};

/// Fold in row-major order of the input; only the end result is rounded.
pub(super) fn reduce(op: ReduceOp, axes: &[usize], x: &Dense, meta: &Meta) -> Result<Dense> {
    let mut folded: Vec<Option<Num>> = vec![None; meta.shape.numel()];
    let result = Dense { meta: meta.clone(), data: Vec::new() };
    for (index, &element) in x.meta.shape.indices().zip(&x.data) {
        let kept: Vec<usize> = (0..index.len()).filter(|axis| !axes.contains(axis)).map(|axis| index[axis]).collect();
        let place = result.place(&kept);
        folded[place] = Some(match folded[place] {
            None => element,
            Some(so_far) => combine(step(op), so_far, element)?,
        });
    }
    Dense::build(meta, |index| {
        let empty = match op {
            ReduceOp::Sum | ReduceOp::Any => Some(Num::zero(meta.dtype)),
            ReduceOp::Prod | ReduceOp::All => Some(Num::I(1).cast(meta.dtype)),
            ReduceOp::Max | ReduceOp::Min => None,
        };
        folded[result.place(index)].or(empty).ok_or_else(|| Error::bug(op.name(), "nothing to choose from"))
    })
}

fn step(op: ReduceOp) -> BinaryOp {
    match op {
        ReduceOp::Sum => BinaryOp::Add,
        ReduceOp::Prod => BinaryOp::Mul,
        ReduceOp::Max => BinaryOp::Maximum,
        ReduceOp::Min => BinaryOp::Minimum,
        ReduceOp::Any => BinaryOp::Or,
        ReduceOp::All => BinaryOp::And,
    }
}

/// The first of equal extremes; a NaN is more extreme than any number.
pub(super) fn arg_reduce(op: ArgOp, axis: usize, x: &Dense, meta: &Meta) -> Result<Dense> {
    Dense::build(meta, |index| {
        let mut full = index.to_vec();
        full.insert(axis, 0);
        let mut best = 0;
        let mut record = x.at(&full);
        for i in 1..x.meta.shape[axis] {
            full[axis] = i;
            if beats(op, x.at(&full), record) {
                (best, record) = (i, x.at(&full));
            }
        }
        Ok(Num::I(best as i128))
    })
}

fn beats(op: ArgOp, candidate: Num, record: Num) -> bool {
    match (op, candidate, record) {
        (_, Num::F(c), Num::F(r)) if c.is_nan() || r.is_nan() => c.is_nan() && !r.is_nan(),
        (ArgOp::Max, Num::F(c), Num::F(r)) => c > r,
        (ArgOp::Min, Num::F(c), Num::F(r)) => c < r,
        (ArgOp::Max, c, r) => c.int() > r.int(),
        (ArgOp::Min, c, r) => c.int() < r.int(),
    }
}

/// Running fold; each element is the fold of everything up to it, rounded once.
pub(super) fn cumulate(op: CumulateOp, axis: usize, reverse: bool, x: &Dense, meta: &Meta) -> Result<Dense> {
    let step = match op {
        CumulateOp::Sum => BinaryOp::Add,
        CumulateOp::Prod => BinaryOp::Mul,
    };
    let length = x.meta.shape[axis];
    Dense::build(meta, |index| {
        let mut at = index.to_vec();
        let upto = index[axis];
        let mut order: Vec<usize> = if reverse { (upto..length).rev().collect() } else { (0..=upto).collect() };
        at[axis] = order.remove(0);
        let mut total = x.at(&at);
        for i in order {
            at[axis] = i;
            total = combine(step, total, x.at(&at))?;
        }
        Ok(total)
    })
}
