//! Reverse-mode differentiation: one rule per op, each of which builds ops.
//!
//! Run by an eager builder the rules compute, run by a recording one they are recorded, so a derivative is an ordinary
//! part of a program and has derivatives itself.

mod elementwise;
mod indexing;
mod linalg;
mod program;
mod reads;
mod reduction;
mod scan;
mod window;

pub use program::derivative;
pub use reads::{Reads, reads};
pub use window::swap_channels;

use crate::error::{Error, Result};
use crate::ir::build::Builder;
use crate::ir::node::{Edge, Node, Sink};
use crate::ir::op::{Composite, Op, PoolKind, ViewOp};
use smallvec::{SmallVec, smallvec};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Gradients of an op's inputs, where there are any.
pub(crate) type InputGrads = SmallVec<[Option<Edge>; 2]>;

/// What a rule sees: the op's inputs and outputs, and the gradient of each output that has one.
pub(crate) struct Site<'a> {
    /// Builds the derivative.
    pub(crate) b: &'a dyn Builder,
    /// Inputs of the op; values only where `reads` asks for them.
    pub(crate) inputs: &'a [Edge],
    /// Outputs of the op; values only where `reads` asks for them.
    pub(crate) outputs: &'a [Edge],
    /// Gradients of the outputs.
    pub(crate) grads: &'a [Option<Edge>],
}

impl Site<'_> {
    /// Gradient of the first output.
    pub(crate) fn g(&self) -> Result<&Edge> {
        self.grads[0].as_ref().ok_or_else(|| Error::bug("grad", "a rule ran without a gradient"))
    }

    /// Whether a gradient of input `i` is wanted.
    pub(crate) fn wants(&self, i: usize) -> bool {
        self.inputs[i].node.requires_grad && self.inputs[i].dtype().is_float()
    }
}

/// What a pullback found.
#[derive(Debug, Default)]
pub struct Pulled {
    /// Gradient of each target, in order; none where no path leads to it.
    pub targets: Vec<Option<Edge>>,
    /// Gradients that reached leaves, in the order of the leaves' ages.
    pub leaves: Vec<(Arc<Sink>, Edge)>,
    /// Nodes whose rules ran.
    pub visited: Vec<Arc<Node>>,
}

/// Pull gradients from `seeds` (edge, gradient) back to leaves and `targets`.
pub fn pull(b: &dyn Builder, seeds: &[(Edge, Edge)], targets: &[Edge]) -> Result<Pulled> {
    let mut pending: BTreeMap<u64, (Arc<Node>, InputGrads)> = BTreeMap::new();
    for (edge, grad) in seeds {
        add_to(b, &mut pending, edge, grad.clone())?;
    }
    let mut wanted: HashMap<u64, Vec<usize>> = HashMap::new();
    for (place, target) in targets.iter().enumerate() {
        wanted.entry(target.node.id).or_default().push(place);
    }
    let oldest_target = targets.iter().map(|t| t.node.id).min().unwrap_or(0);
    let mut pulled = Pulled { targets: vec![None; targets.len()], ..Pulled::default() };
    while let Some((id, (node, grads))) = pending.pop_last() {
        for &place in wanted.get(&id).into_iter().flatten() {
            pulled.targets[place].clone_from(&grads[targets[place].port]);
        }
        if let Some(sink) = &node.sink {
            if let Some(grad) = &grads[0] {
                pulled.leaves.push((Arc::clone(sink), grad.clone()));
            }
            continue;
        }
        if node.leaf.is_some() || (!targets.is_empty() && id <= oldest_target) {
            continue;
        }
        if !node.has_tape() {
            return Err(Error::graph(
                "backward",
                "a graph that has not been walked yet; pass retain_graph=True to the first backward",
                format!("a result of {} whose tape is freed", node.op.name()),
            ));
        }
        let (inputs, outputs) = (node.inputs(), node.outputs());
        let site = Site { b, inputs: &inputs, outputs: &outputs, grads: &grads };
        let input_grads = rule(&node.op, &site)?;
        for (input, grad) in inputs.iter().zip(input_grads) {
            if let Some(grad) = grad
                && input.node.requires_grad
            {
                add_to(b, &mut pending, input, grad)?;
            }
        }
        pulled.visited.push(node);
    }
    Ok(pulled)
}

fn add_to(
    b: &dyn Builder,
    pending: &mut BTreeMap<u64, (Arc<Node>, InputGrads)>,
    edge: &Edge,
    grad: Edge,
) -> Result<()> {
    let entry = pending.entry(edge.node.id);
    let (_, grads) = entry.or_insert_with(|| (Arc::clone(&edge.node), smallvec![None; edge.node.metas.len()]));
    let slot = &mut grads[edge.port];
    *slot = Some(match slot.take() {
        Some(so_far) => b.add(&so_far, &grad)?,
        None => grad,
    });
    Ok(())
}

/// Refuse an op whose result would silently stop gradients.
pub fn require_derivative(op: &Op) -> Result<()> {
    match reads(op) {
        Some(_) => Ok(()),
        None => Err(Error::graph(
            op.name(),
            "an op with a derivative; call it on x.detach() or under no_grad() if no gradient shall pass",
            format!("{}, which has none, on a tensor that requires one", op.name()),
        )),
    }
}

/// The derivative of each op, family by family.
fn rule(op: &Op, s: &Site<'_>) -> Result<InputGrads> {
    match op {
        Op::Leaf | Op::Fill { .. } | Op::Iota { .. } | Op::Random { .. } => Ok(smallvec![None; s.inputs.len()]),
        Op::Unary(unary) => elementwise::unary(*unary, s),
        Op::Binary(binary) => elementwise::binary(*binary, s),
        Op::Compare(_) | Op::ArgReduce { .. } => Ok(smallvec![None; s.inputs.len()]),
        Op::Select => elementwise::select(s),
        Op::Cast(_) => Ok(smallvec![Some(s.b.cast(s.g()?, s.inputs[0].dtype())?)]),
        Op::Reduce { op, axes } => reduction::reduce(*op, axes, s),
        Op::Cumulate { op, axis, reverse } => reduction::cumulate(*op, *axis, *reverse, s),
        Op::View(view) => indexing::view(view, s),
        Op::Pad { low, interior, .. } => indexing::pad(low, interior, s),
        Op::Concat { axis } => indexing::concat(*axis, s),
        Op::MatMul => window::matmul(s),
        Op::Conv(conv) => window::conv(conv, s),
        Op::Gather { axis } => indexing::gather(*axis, s),
        Op::ScatterAdd { axis } => indexing::scatter_add(*axis, s),
        Op::Sort { axis, .. } => linalg::sort(*axis, s),
        Op::Linalg(op) => linalg::linalg(*op, s),
        Op::Scan(scan) => scan::scan(scan, s),
        Op::Fused(_) => Err(Error::bug("grad", "captured programs are differentiated before they are fused")),
        Op::Composite(Composite::LogSoftmax { axis }) => {
            let twin = Op::Composite(Composite::LogSoftmaxGrad { axis: *axis });
            Ok(smallvec![Some(s.b.one(twin, &[s.outputs[0].clone(), s.g()?.clone()])?)])
        }
        Op::Composite(Composite::Attention { causal }) => window::attention(*causal, s),
        Op::Composite(Composite::Pool(pool)) => window::pool(pool, s),
        Op::Composite(Composite::PoolGrad { pool, .. }) if pool.kind == PoolKind::Sum => {
            Ok(smallvec![Some(s.b.one(Op::Composite(Composite::Pool(pool.clone())), &[s.g()?.clone()])?)])
        }
        Op::Composite(
            composite @ (Composite::LogSoftmaxGrad { .. }
            | Composite::PoolGrad { .. }
            | Composite::AttentionGrad { .. }),
        ) => program::through_decomposition(composite, s),
        Op::CheckFinite { .. } => Ok(smallvec![Some(s.g()?.clone())]),
        Op::CheckIndex { .. } => Ok(smallvec![None]),
    }
}

/// The identity as a node of its own: a place where gradients can be asked for.
pub fn identity(like: &Edge) -> Op {
    Op::View(ViewOp::Reshape(like.shape().clone()))
}
