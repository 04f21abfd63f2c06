//! Elementwise kernels. The loops live here once; the files beside this one hold only the functions of one element.

mod binary;
mod cast;
mod compare;
pub(super) mod relation;
mod special;
mod unary;
mod vector;

pub(super) use binary::binary;
pub(super) use cast::{cast, scalar_bytes};
pub(super) use compare::{compare, select};
pub(super) use relation::Relation;
#[cfg(test)]
pub(super) use special::{erf, gelu, sigmoid};
pub(super) use unary::unary;

use super::kernel::{Dst, Src};
use super::rows::{Rows, along};
use crate::error::Result;
use bytemuck::Pod;

/// `out[i] = f(x[i])`.
fn map<S: Pod, D: Pod>(x: &Src<'_>, out: &mut Dst<'_>, f: impl Fn(S) -> D) -> Result<()> {
    let source = x.elements::<S>()?;
    let rows = Rows::new([x.layout]);
    let (len, [step]) = (rows.len(), rows.steps());
    for (row, [start]) in out.elements::<D>()?.chunks_exact_mut(len.max(1)).zip(rows.starts()) {
        match step {
            1 => row.iter_mut().zip(&source[start..start + len]).for_each(|(out, &x)| *out = f(x)),
            0 => row.fill(f(source[start])),
            _ => row.iter_mut().enumerate().for_each(|(i, out)| *out = f(source[along(start, step, i)])),
        }
    }
    Ok(())
}

/// `out[i] = f(a[i], b[i])`.
fn zip<S: Pod, D: Pod>(a: &Src<'_>, b: &Src<'_>, out: &mut Dst<'_>, f: impl Fn(S, S) -> D) -> Result<()> {
    let (left, right) = (a.elements::<S>()?, b.elements::<S>()?);
    let rows = Rows::new([a.layout, b.layout]);
    let len = rows.len();
    for (row, [i, j]) in out.elements::<D>()?.chunks_exact_mut(len.max(1)).zip(rows.starts()) {
        match rows.steps() {
            [1, 1] => row
                .iter_mut()
                .zip(left[i..i + len].iter().zip(&right[j..j + len]))
                .for_each(|(out, (&a, &b))| *out = f(a, b)),
            [1, 0] => row.iter_mut().zip(&left[i..i + len]).for_each(|(out, &a)| *out = f(a, right[j])),
            [0, 1] => row.iter_mut().zip(&right[j..j + len]).for_each(|(out, &b)| *out = f(left[i], b)),
            [s, t] => {
                for (k, out) in row.iter_mut().enumerate() {
                    *out = f(left[along(i, s, k)], right[along(j, t, k)]);
                }
            }
        }
    }
    Ok(())
}
