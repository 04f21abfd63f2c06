//! Elementwise comparison, and choice by a condition.

use super::relation::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
use super::vector::relate;
use super::zip;
use crate::backend::cpu::arch::Vectored;
use crate::backend::cpu::copy::by_size;
use crate::backend::cpu::element::{Compute, Truth};
use crate::backend::cpu::kernel::{Dst, Src};
use crate::backend::cpu::rows::{Rows, along};
use crate::error::Result;
use crate::ir::op::CompareOp;
use bytemuck::Pod;
use std::hint::select_unpredictable;

/// Elementwise comparison; every comparison with NaN but "not equal" is false.
pub(in crate::backend::cpu) fn compare(op: CompareOp, a: &Src<'_>, b: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    match Compute::of(a.dtype) {
        Compute::Bool => of::<Truth>(op, a, b, out),
        Compute::I64 => of::<i64>(op, a, b, out),
        Compute::U64 => of::<u64>(op, a, b, out),
        Compute::F32 => of_float::<f32>(op, a, b, out),
        Compute::F64 => of_float::<f64>(op, a, b, out),
    }
}

fn of_float<T: Vectored>(op: CompareOp, a: &Src<'_>, b: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let done = match op {
        CompareOp::Equal => relate::<Equal, T>(a, b, out),
        CompareOp::NotEqual => relate::<NotEqual, T>(a, b, out),
        CompareOp::Less => relate::<Less, T>(a, b, out),
        CompareOp::LessEqual => relate::<LessEqual, T>(a, b, out),
        CompareOp::Greater => relate::<Greater, T>(a, b, out),
        CompareOp::GreaterEqual => relate::<GreaterEqual, T>(a, b, out),
    };
    if done? { Ok(()) } else { of::<T>(op, a, b, out) }
}

fn of<T: Pod + PartialOrd>(op: CompareOp, a: &Src<'_>, b: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    match op {
        CompareOp::Equal => zip(a, b, out, |x: T, y: T| Truth::new(x == y)),
        CompareOp::NotEqual => zip(a, b, out, |x: T, y: T| Truth::new(x != y)),
        CompareOp::Less => zip(a, b, out, |x: T, y: T| Truth::new(x < y)),
        CompareOp::LessEqual => zip(a, b, out, |x: T, y: T| Truth::new(x <= y)),
        CompareOp::Greater => zip(a, b, out, |x: T, y: T| Truth::new(x > y)),
        CompareOp::GreaterEqual => zip(a, b, out, |x: T, y: T| Truth::new(x >= y)),
    }
}

/// `out[i] = condition[i] ? a[i] : b[i]`, whatever the elements mean.
pub(in crate::backend::cpu) fn select(condition: &Src<'_>, a: &Src<'_>, b: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    by_size!(out.meta.dtype.size(), W => choose::<W>(condition, a, b, out))
}

fn choose<W: Pod>(condition: &Src<'_>, a: &Src<'_>, b: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let (flags, left, right) = (condition.elements::<Truth>()?, a.elements::<W>()?, b.elements::<W>()?);
    let rows = Rows::new([condition.layout, a.layout, b.layout]);
    let (len, [r, s, t]) = (rows.len(), rows.steps());
    for (row, [k, i, j]) in out.elements::<W>()?.chunks_exact_mut(len.max(1)).zip(rows.starts()) {
        if r == 1 && [s, t].iter().all(|step| [0, 1].contains(step)) {
            let flags = &flags[k..k + len];
            match (s, t) {
                (1, 1) => flagged(row, flags, &left[i..i + len], &right[j..j + len]),
                (1, _) => flagged(row, flags, &left[i..i + len], &[right[j]]),
                (_, 1) => flagged(row, flags, &[left[i]], &right[j..j + len]),
                _ => flagged(row, flags, &[left[i]], &[right[j]]),
            }
            continue;
        }
        for (n, slot) in row.iter_mut().enumerate() {
            let (a, b) = (left[along(i, s, n)], right[along(j, t, n)]);
            *slot = select_unpredictable(flags[along(k, r, n)].get(), a, b);
        }
    }
    Ok(())
}

/// Rows side by side; a side may be one value for all of the row.
///
/// Both sides are read whatever the flag: a choice of values, not a branch that the processor has to guess.
#[inline(always)]
fn flagged<W: Pod>(row: &mut [W], flags: &[Truth], left: &[W], right: &[W]) {
    let choose = |(slot, flag, a, b): (&mut W, &Truth, W, W)| *slot = select_unpredictable(flag.get(), a, b);
    let slots = row.iter_mut().zip(flags);
    match (left, right) {
        (&[a], &[b]) => slots.for_each(|(slot, flag)| choose((slot, flag, a, b))),
        (&[a], right) => slots.zip(right).for_each(|((slot, flag), &b)| choose((slot, flag, a, b))),
        (left, &[b]) => slots.zip(left).for_each(|((slot, flag), &a)| choose((slot, flag, a, b))),
        (left, right) => {
            slots.zip(left.iter().zip(right)).for_each(|((slot, flag), (&a, &b))| choose((slot, flag, a, b)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::testing::{run, tensor};
    use crate::dtype::DType;
    use crate::ir::op::Op;

    #[test]
    fn nan_is_only_unequal() {
        let (x, y) = (tensor(&[f32::NAN, 1.0], &[2], DType::F32), tensor(&[f32::NAN, 2.0], &[2], DType::F32));
        for &op in CompareOp::ALL {
            let got: Vec<u8> = run(&Op::Compare(op), &[x.clone(), y.clone()]);
            let wanted = match op {
                CompareOp::Equal | CompareOp::Greater | CompareOp::GreaterEqual => [0, 0],
                CompareOp::NotEqual => [1, 1],
                CompareOp::Less | CompareOp::LessEqual => [0, 1],
            };
            assert_eq!(got, wanted, "{}", op.name());
        }
    }

    #[test]
    fn narrow_and_truth_values_compare() {
        let (x, y) = (tensor(&[-1i8, 3], &[2], DType::I8), tensor(&[1i8, 3], &[2], DType::I8));
        assert_eq!(run::<u8>(&Op::Compare(CompareOp::Less), &[x, y]), [1, 0]);
        let (x, y) = (tensor(&[0u8, 1], &[2], DType::Bool), tensor(&[1u8, 1], &[2], DType::Bool));
        assert_eq!(run::<u8>(&Op::Compare(CompareOp::Less), &[x, y]), [1, 0]);
    }

    #[test]
    fn select_reads_each_side_through_its_layout() {
        let condition = tensor(&[1u8, 0], &[2, 1], DType::Bool);
        let condition = condition.with_layout(condition.layout.expand(&[2, 2].into()));
        let a = tensor(&[1i16, 2, 3, 4], &[2, 2], DType::I16);
        let a = a.with_layout(a.layout.permute(&[1, 0]));
        let b = tensor(&[9i16], &[1, 1], DType::I16);
        let b = b.with_layout(b.layout.expand(&[2, 2].into()));
        assert_eq!(run::<i16>(&Op::Select, &[condition, a, b]), [1, 3, 9, 9]);
    }
}
