//! What an op costs and how a list of kernels calls it: operations on floats by a fixed rule, a name with shapes.

use crate::buffer::Meta;
use crate::ir::fused::FusedKind;
use crate::ir::op::{Composite, Op, ScanOp, ViewOp};
use crate::ir::program::{Instruction, Program};

/// Names of a fused kernel's ops that are shown before the rest is counted.
const SHOWN: usize = 6;

/// Arithmetic operations of an op. An elementwise op counts one for each element of its result, an elementary function
/// too; a fold one for each element that it takes, a product two for each term. What only moves elements counts none, and
/// neither do sorts and decompositions of matrices.
pub fn flops(op: &Op, inputs: &[&Meta], outputs: &[&Meta]) -> u64 {
    let size = |metas: &[&Meta], place: usize| metas.get(place).map_or(0, |meta| meta.shape.numel() as u64);
    let (taken, given) = (size(inputs, 0), size(outputs, 0));
    match op {
        Op::Unary(_) | Op::Binary(_) | Op::Compare(_) | Op::Select => given,
        Op::Reduce { .. } | Op::ArgReduce { .. } | Op::Cumulate { .. } => taken,
        Op::MatMul => 2 * given * inputs.first().and_then(|meta| meta.shape.last()).map_or(0, |&deep| deep as u64),
        Op::Conv(_) => 2 * given * inputs.get(1).map_or(0, |kernel| kernel.shape[1..].iter().product::<usize>() as u64),
        Op::ScatterAdd { .. } => size(inputs, 2),
        // A maximum, a difference, an exponential, a sum, a difference; an exponential, a sum, a product, a difference.
        Op::Composite(Composite::LogSoftmax { .. }) => 5 * taken,
        Op::Composite(Composite::LogSoftmaxGrad { .. }) => 4 * taken,
        // Two products and a softmax; five products, an exponential, a difference and a product.
        Op::Composite(Composite::Attention { .. }) => attended(inputs, 1, 1, 5),
        Op::Composite(Composite::AttentionGrad { .. }) => attended(inputs, 3, 2, 4),
        Op::Composite(Composite::Pool(pool)) => given * pool.window.iter().product::<usize>() as u64,
        Op::Composite(Composite::PoolGrad { pool, .. }) => taken * pool.window.iter().product::<usize>() as u64,
        Op::Fused(fused) => program(&fused.body),
        Op::Scan(ScanOp { body, length, .. }) => *length as u64 * program(body),
        Op::Leaf
        | Op::Fill { .. }
        | Op::Iota { .. }
        | Op::Random { .. }
        | Op::Cast(_)
        | Op::View(_)
        | Op::Pad { .. }
        | Op::Concat { .. }
        | Op::Gather { .. }
        | Op::Sort { .. }
        | Op::Linalg(_)
        | Op::CheckFinite { .. }
        | Op::CheckIndex { .. } => 0,
    }
}

/// Operations on the scores of queries and keys: so many products over the width of keys, of values, and others.
fn attended(inputs: &[&Meta], keys: usize, values: usize, others: usize) -> u64 {
    let [q, k, v, ..] = inputs else { return 0 };
    let rank = q.shape.len();
    let scores = q.shape[..rank - 1].iter().product::<usize>() * k.shape[rank - 2];
    (scores * (2 * keys * k.shape[rank - 1] + 2 * values * v.shape[rank - 1] + others)) as u64
}

fn program(program: &Program) -> u64 {
    let instructions = program.instructions.iter();
    instructions
        .map(|Instruction { op, inputs, first, results, .. }| {
            let inputs: Vec<&Meta> = inputs.iter().map(|&id| &program.metas[id]).collect();
            let outputs: Vec<&Meta> = program.metas[*first..first + results].iter().collect();
            flops(op, &inputs, &outputs)
        })
        .sum()
}

/// Name and shapes of a kernel: `matmul (8, 4) x (4, 2)`, `fused multiply+add (8, 4)`, `sum (8, 4) -> (8,)`.
pub fn title(op: &Op, inputs: &[&Meta], outputs: &[&Meta]) -> String {
    let shape = |metas: &[&Meta], place: usize| metas.get(place).map_or(String::new(), |meta| meta.shape.to_string());
    match op {
        Op::MatMul | Op::Conv(_) => format!("{} {} x {}", op.name(), shape(inputs, 0), shape(inputs, 1)),
        Op::Fused(fused) if fused.kind() == FusedKind::Product => {
            format!("{} {} x {}", parts(&fused.body), shape(inputs, 0), shape(inputs, 1))
        }
        Op::Fused(fused) => format!("{} {}", parts(&fused.body), fused.space()),
        Op::Scan(scan) => format!("scan of {} turns {}", scan.length, shape(outputs, 0)),
        Op::Reduce { .. } | Op::ArgReduce { .. } | Op::Composite(_) | Op::Gather { .. } | Op::ScatterAdd { .. } => {
            format!("{} {} -> {}", op.name(), shape(inputs, 0), shape(outputs, 0))
        }
        Op::CheckFinite { .. } | Op::CheckIndex { .. } => format!("{} {}", op.name(), shape(inputs, 0)),
        _ => format!("{} {}", op.name(), shape(outputs, 0)),
    }
}

/// The ops of a fused body that compute something.
fn parts(body: &Program) -> String {
    let moves = |op: &Op| matches!(op, Op::Fill { .. } | Op::View(ViewOp::Reshape(_) | ViewOp::Expand(_)));
    let names: Vec<&str> =
        body.instructions.iter().filter(|instruction| !moves(&instruction.op)).map(|i| i.op.name()).collect();
    let shown = names[..names.len().min(SHOWN)].join("+");
    let more = names.len().saturating_sub(SHOWN);
    if more == 0 { format!("fused {shown}") } else { format!("fused {shown}+{more} more") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtype::DType;
    use crate::ir::op::{BinaryOp, ReduceOp};
    use smallvec::smallvec;

    fn meta(shape: &[usize]) -> Meta {
        Meta::new(shape.to_vec(), DType::F32)
    }

    #[test]
    fn a_product_counts_two_for_each_term() {
        let (a, b, out) = (meta(&[3, 8, 5]), meta(&[3, 5, 2]), meta(&[3, 8, 2]));
        assert_eq!(flops(&Op::MatMul, &[&a, &b], &[&out]), 2 * 3 * 8 * 5 * 2);
        assert_eq!(title(&Op::MatMul, &[&a, &b], &[&out]), "matmul (3, 8, 5) x (3, 5, 2)");
    }

    #[test]
    fn a_body_counts_what_its_ops_count() {
        let mut body = Program::with_inputs([meta(&[4, 6]), meta(&[4, 6])]);
        let sum = body.push(Op::Binary(BinaryOp::Add), smallvec![0, 1], &[meta(&[4, 6])], None);
        let fold = Op::Reduce { op: ReduceOp::Sum, axes: vec![1] };
        body.push(fold, smallvec![sum], &[meta(&[4])], None);
        assert_eq!(program(&body), 24 + 24);
        assert_eq!(parts(&body), "fused add+sum");
    }
}
