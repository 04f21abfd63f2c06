//! Derivatives of ops that move elements.

use super::{InputGrads, Site};
use crate::dtype::Scalar;
use crate::error::Result;
use crate::ir::op::{Op, ViewOp};
use smallvec::smallvec;

pub(super) fn view(view: &ViewOp, s: &Site<'_>) -> Result<InputGrads> {
    let (b, g, x) = (s.b, s.g()?, &s.inputs[0]);
    let grad = match view {
        ViewOp::Reshape(_) => b.reshape(g, x.shape())?,
        ViewOp::Permute(perm) => {
            let mut back = vec![0; perm.len()];
            for (to, &from) in perm.iter().enumerate() {
                back[from] = to;
            }
            b.permute(g, &back)?
        }
        ViewOp::Expand(_) => b.sum_to(g, x.shape())?,
        ViewOp::Slice { starts, sizes, steps } => unslice(s, starts, sizes, steps)?,
    };
    Ok(smallvec![Some(grad)])
}

/// Put the gradient of a slice back between zeros.
fn unslice(s: &Site<'_>, starts: &[usize], sizes: &[usize], steps: &[isize]) -> Result<crate::ir::node::Edge> {
    let (b, x) = (s.b, &s.inputs[0]);
    if sizes.contains(&0) {
        return b.full_like(x, 0.0);
    }
    let backwards: Vec<usize> = (0..steps.len()).filter(|&a| steps[a] < 0).collect();
    let g = if backwards.is_empty() { s.g()?.clone() } else { b.flip(s.g()?, &backwards)? };
    let (mut low, mut high, mut interior) = (vec![], vec![], vec![]);
    for axis in 0..sizes.len() {
        let step = steps[axis].unsigned_abs();
        let reach = (sizes[axis] - 1) * step;
        let first = if steps[axis] < 0 { starts[axis] - reach } else { starts[axis] };
        low.push(first);
        high.push(x.shape()[axis] - first - reach - 1);
        interior.push(step - 1);
    }
    b.one(Op::Pad { low, high, interior, value: Scalar::Float(0.0) }, &[g])
}

pub(super) fn pad(low: &[usize], interior: &[usize], s: &Site<'_>) -> Result<InputGrads> {
    let (b, x) = (s.b, &s.inputs[0]);
    if x.shape().numel() == 0 {
        return Ok(smallvec![Some(b.full_like(x, 0.0)?)]);
    }
    let steps = interior.iter().map(|&i| i as isize + 1).collect();
    Ok(smallvec![Some(b.slice(s.g()?, low.to_vec(), x.shape().to_vec(), steps)?)])
}

pub(super) fn concat(axis: usize, s: &Site<'_>) -> Result<InputGrads> {
    let mut start = 0;
    let mut grads = InputGrads::new();
    for (place, input) in s.inputs.iter().enumerate() {
        let size = input.shape()[axis];
        grads.push(s.wants(place).then(|| s.b.narrow(s.g()?, axis, start, size)).transpose()?);
        start += size;
    }
    Ok(grads)
}

pub(super) fn gather(axis: usize, s: &Site<'_>) -> Result<InputGrads> {
    let base = s.b.full_like(&s.inputs[0], 0.0)?;
    let grad = s.b.one(Op::ScatterAdd { axis }, &[base, s.inputs[1].clone(), s.g()?.clone()])?;
    Ok(smallvec![Some(grad), None])
}

pub(super) fn scatter_add(axis: usize, s: &Site<'_>) -> Result<InputGrads> {
    let g = s.g()?;
    let updates = s.wants(2).then(|| s.b.one(Op::Gather { axis }, &[g.clone(), s.inputs[1].clone()])).transpose()?;
    Ok(smallvec![Some(g.clone()), None, updates])
}
