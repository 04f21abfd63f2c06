//! Attention by blocks of queries: the scores of a block stay in cache, and are never in memory for all queries at once.
//!
//! `forward.rs` keeps of each query the logarithm of what its exponentials add up to, from which `backward.rs` makes the
//! weights anew; `rows.rs` is what happens to a row of scores between products. Source: Dao et al. 2022, with whole rows in
//! place of running maxima.

mod backward;
mod forward;
mod rows;

use super::arch::Vectored;
use super::element::Compute;
use super::kernel::{Dst, Src};
use super::matmul::{Matrix, Size};
use super::pointwise;
use super::rows::{Rows, along, split};
use crate::buffer::Meta;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::op::UnaryOp;
use crate::layout::Layout;

/// Scores of a block, where that is more queries than the fewest and less than the most of one.
const SCORES: usize = 1 << 16;
const FEWEST: usize = 64;
const MOST: usize = 256;
/// Blocks at least where queries see keys up to their own place, so that less is computed of what they do not see.
const STEPS: usize = 4;
/// Queries of such a block at least: four tiles of six.
const SHORT: usize = 24;

/// `softmax(q k^T) v`, and the logarithm of each query's sum.
pub(super) fn forward(causal: bool, inputs: &[Src<'_>; 3], outputs: &mut [Dst<'_>]) -> Result<()> {
    match Compute::of(inputs[0].dtype) {
        Compute::F32 => forward::forward::<f32>(causal, inputs, outputs),
        Compute::F64 => forward::forward::<f64>(causal, inputs, outputs),
        Compute::Bool | Compute::I64 | Compute::U64 => Err(wrong("floats")),
    }
}

/// Gradients of queries, keys and values.
pub(super) fn backward(causal: bool, inputs: &[Src<'_>; 6], outputs: &mut [Dst<'_>]) -> Result<()> {
    match Compute::of(inputs[0].dtype) {
        Compute::F32 => backward::backward::<f32>(causal, inputs, outputs),
        Compute::F64 => backward::backward::<f64>(causal, inputs, outputs),
        Compute::Bool | Compute::I64 | Compute::U64 => Err(wrong("floats")),
    }
}

fn wrong(wanted: &str) -> Error {
    Error::bug("attention", format!("no kernel for other than {wanted}"))
}

/// Sizes of one head, and how its queries are taken.
#[derive(Clone, Copy, Debug)]
struct Head {
    queries: usize,
    keys: usize,
    /// Numbers of a query or key, and of a value.
    width: usize,
    values: usize,
    causal: bool,
}

/// Queries that are worked on together, and the keys that one of them sees.
#[derive(Clone, Copy, Debug)]
struct Block {
    first: usize,
    queries: usize,
    keys: usize,
}

impl Head {
    fn new(causal: bool, [q, k, v]: [&Src<'_>; 3]) -> Self {
        let end = |x: &Src<'_>, back: usize| x.layout.shape()[x.layout.shape().len() - back];
        Self { queries: end(q, 2), keys: end(k, 2), width: end(q, 1), values: end(v, 1), causal }
    }

    /// Queries of a block at most.
    fn tall(self) -> usize {
        let most = if self.causal { self.queries.div_ceil(STEPS).max(SHORT) } else { self.queries };
        (SCORES / self.keys.max(1)).clamp(FEWEST, MOST).min(most).min(self.queries)
    }

    fn blocks(self) -> impl Iterator<Item = Block> {
        (0..self.queries).step_by(self.tall().max(1)).map(move |first| {
            let queries = self.tall().min(self.queries - first);
            Block { first, queries, keys: if self.causal { self.keys.min(first + queries) } else { self.keys } }
        })
    }
}

impl Block {
    /// The keys that one of its queries sees.
    fn seen(self, head: Head, query: usize) -> usize {
        if head.causal { self.keys.min(self.first + query + 1) } else { self.keys }
    }

    fn size(self, depth: usize) -> Size {
        Size { rows: self.queries, columns: self.keys, depth }
    }
}

/// The axes before the last `inner` of several operands, walked together: where each head begins.
fn heads<const N: usize>(inputs: [(&Src<'_>, usize); N]) -> Rows<N> {
    let outer = inputs.map(|(x, inner)| split(x.layout, |axis| axis + inner >= x.layout.shape().len()).0);
    Rows::new(outer.each_ref())
}

/// An operand that has a matrix for each head, or a number for each query of it.
#[derive(Clone, Copy, Debug)]
struct Operand<'a, T> {
    elements: &'a [T],
    row_step: isize,
    column_step: isize,
}

impl<'a, T: Vectored> Operand<'a, T> {
    fn matrices(x: &Src<'a>) -> Result<Self> {
        let [.., row_step, column_step] = *x.layout.strides() else { return Err(wrong("matrices")) };
        Ok(Self { elements: x.elements()?, row_step, column_step })
    }

    fn numbers(x: &Src<'a>) -> Result<Self> {
        let [.., row_step] = *x.layout.strides() else { return Err(wrong("a number for each query")) };
        Ok(Self { elements: x.elements()?, row_step, column_step: 0 })
    }

    /// The matrix of the head that begins here, from one of its rows on.
    fn at(self, head: usize, row: usize) -> Matrix<'a, T> {
        let Self { elements, row_step, column_step } = self;
        Matrix { elements, first: along(head, row_step, row), row_step, column_step }
    }

    /// The number of a query of the head that begins here.
    fn of(self, head: usize, query: usize) -> T {
        self.elements[along(head, self.row_step, query)]
    }
}

/// Weights or scores of a block, a row for each query.
fn by_keys<T>(elements: &[T], keys: usize) -> Matrix<'_, T> {
    Matrix { elements, first: 0, row_step: keys as isize, column_step: 1 }
}

/// Exponentials of all elements.
fn exp<T: Vectored>(x: &[T], out: &mut [T], dtype: DType) -> Result<()> {
    let (layout, meta) = (Layout::contiguous([x.len()].into()), Meta::new([x.len()], dtype));
    let from = Src { bytes: bytemuck::cast_slice(x), layout: &layout, dtype };
    pointwise::unary(UnaryOp::Exp, &from, &mut Dst { bytes: bytemuck::cast_slice_mut(out), meta: &meta })
}

#[cfg(test)]
mod tests {
    use super::super::CPU;
    use super::super::testing::tensor;
    use crate::backend::Backend;
    use crate::buffer::Value;
    use crate::dtype::DType;
    use crate::ir::op::{Composite, Op};

    /// The means, without the logarithms.
    fn attention<T: bytemuck::Pod>(causal: bool, operands: &[Value]) -> Vec<T> {
        let results = CPU.run_op(&Op::Composite(Composite::Attention { causal }), operands).unwrap();
        bytemuck::pod_collect_to_vec(&CPU.download(&results[0]).unwrap())
    }

    fn numbers(count: usize, seed: usize) -> Vec<f64> {
        (0..count).map(|i| ((i * 7 + seed * 13) % 29) as f64 * 0.05 - 0.7).collect()
    }

    /// Queries, keys and values of two heads.
    fn operands(queries: usize, keys: usize) -> [Value; 3] {
        let make = |rows: usize, columns: usize, seed| {
            tensor(&numbers(2 * rows * columns, seed), &[2, rows, columns], DType::F64)
        };
        [make(queries, 3, 1), make(keys, 3, 2), make(keys, 2, 3)]
    }

    /// One query after the other, by the formula.
    fn by_formula(causal: bool, (queries, keys): (usize, usize), [q, k, v]: [&[f64]; 3]) -> Vec<f64> {
        let row = |head: usize, i: usize| {
            let seen = if causal { keys.min(i + 1) } else { keys };
            let score = |j: usize| (0..3).map(|e| q[(head * queries + i) * 3 + e] * k[(head * keys + j) * 3 + e]).sum();
            let exps: Vec<f64> = (0..seen).map(|j| f64::exp(score(j))).collect();
            let total: f64 = exps.iter().sum();
            (0..2).map(move |f| exps.iter().enumerate().map(|(j, x)| x / total * v[(head * keys + j) * 2 + f]).sum())
        };
        (0..2).flat_map(|head| (0..queries).flat_map(move |i| row(head, i)).collect::<Vec<f64>>()).collect()
    }

    #[test]
    fn blocks_give_what_the_formula_gives() {
        // One block, several with a rest, more queries than keys and fewer.
        for (queries, keys) in [(1, 1), (5, 5), (150, 1200), (700, 300), (3, 9)] {
            let values = operands(queries, keys);
            let plain = [(queries, 3, 1), (keys, 3, 2), (keys, 2, 3)]
                .map(|(rows, columns, seed)| numbers(2 * rows * columns, seed));
            for causal in [false, true] {
                let got: Vec<f64> = attention(causal, &values);
                let wanted = by_formula(causal, (queries, keys), plain.each_ref().map(Vec::as_slice));
                let off = got.iter().zip(&wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(got.len() == wanted.len() && off < 1e-13, "{queries} {keys} {causal}: off by {off}");
            }
        }
    }

    #[test]
    fn no_queries_and_no_heads_give_nothing() {
        let empty = |shape: &[usize]| tensor::<f32>(&[], shape, DType::F32);
        let some = tensor(&[1f32; 6], &[3, 2], DType::F32);
        assert_eq!(attention::<f32>(true, &[empty(&[0, 2]), some.clone(), some]), [0f32; 0]);
        let none = || empty(&[0, 3, 2]);
        assert_eq!(attention::<f32>(true, &[none(), none(), none()]), [0f32; 0]);
    }
}
