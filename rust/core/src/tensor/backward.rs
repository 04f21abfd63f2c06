//! `backward` and the functional gradient.

use crate::buffer::Meta;
use crate::error::{Error, Result};
use crate::ir::node::{Edge, Handle, Node, NodeParts, Sink, Tape};
use crate::passes::grad::{identity, pull};
use crate::tensor::face::face;
use crate::tensor::{Tensor, mode};
use smallvec::SmallVec;
use std::collections::HashSet;
use std::sync::Arc;

/// Add the gradients of `loss` to every leaf it was computed from.
///
/// `gradient` is the gradient of the loss itself, ones by default for a loss with one element. The tape is freed unless
/// `retain_graph`; with `create_graph` the gradients carry a tape themselves.
pub fn backward(loss: &Tensor, gradient: Option<&Tensor>, retain_graph: bool, create_graph: bool) -> Result<()> {
    let edge = loss.edge()?;
    if !edge.node.requires_grad {
        return Err(Error::graph(
            "backward",
            "a tensor computed from leaves with requires_grad, outside no_grad(); results of compiled functions carry no \
             tape, so call backward inside the function",
            "a tensor that requires no gradient",
        ));
    }
    let seed = match gradient {
        Some(gradient) => {
            let seed = gradient.edge()?;
            require_meta("backward", edge.meta(), seed.meta())?;
            seed
        }
        None if edge.shape().numel() == 1 => face().full_like(&edge, 1.0)?,
        None => {
            return Err(Error::shape(
                "backward",
                "a loss with one element, or an explicit gradient of the loss's shape",
                edge.shape().to_string(),
            ));
        }
    };
    let pulled = mode::with_grad(create_graph, || pull(face(), &[(edge, seed)], &[]))?;
    for (sink, grad) in &pulled.leaves {
        mode::with_grad(create_graph, || accumulate(sink, grad))?;
    }
    if !retain_graph && !create_graph && mode::recording() == 0 {
        pulled.visited.iter().for_each(|node| node.free_tape());
    }
    Ok(())
}

fn accumulate(sink: &Arc<Sink>, grad: &Edge) -> Result<()> {
    let held = mode::with_recorder(|r| r.read_sink(sink)).unwrap_or_else(|| sink.get());
    if let Some(handle) = held {
        let tensor = Tensor::from_handle(Arc::clone(&handle));
        let sum = face().add(&tensor.edge()?, grad)?;
        if let Some(done) = mode::with_recorder(|r| r.write_handle(&handle, sum.clone())) {
            return done;
        }
        handle.set(sum);
        return Ok(());
    }
    let handle = Some(Handle::new(grad.clone()));
    if mode::with_recorder(|r| r.write_sink(sink, handle.clone())).is_none() {
        sink.set(handle);
    }
    Ok(())
}

/// A copy of a tensor that gradients can be asked for, still connected to where it came from.
pub fn watch(tensor: &Tensor) -> Result<Tensor> {
    let edge = tensor.edge()?;
    if !edge.dtype().is_float() {
        return Err(Error::dtype("grad", "floating arguments to differentiate by", edge.dtype().to_string()));
    }
    let parts = NodeParts {
        op: identity(&edge),
        metas: SmallVec::from_iter([edge.meta().clone()]),
        device: edge.node.device,
        requires_grad: true,
        sink: None,
        leaf: None,
        recording: mode::recording(),
        origin: None,
    };
    let value = edge.value.clone();
    let tape = Tape { inputs: SmallVec::from_iter([edge]), outputs: SmallVec::new() };
    Ok(Tensor::from_edge(Edge { node: Node::new(parts, Some(tape)), port: 0, value }))
}

/// Gradients of `outputs`, weighted by `seeds` (ones where absent), by watched tensors; zeros where no path leads to one.
///
/// The gradients carry a tape of their own when gradients are enabled, so they can be differentiated again.
pub fn gradients(outputs: &[Tensor], seeds: Option<&[Tensor]>, targets: &[Tensor]) -> Result<Vec<Tensor>> {
    let b = face();
    let targets: Vec<Edge> = targets.iter().map(Tensor::edge).collect::<Result<_>>()?;
    let mut pairs = Vec::new();
    for (place, output) in outputs.iter().enumerate() {
        let edge = output.edge()?;
        let seed = match seeds {
            Some(seeds) => seeds[place].edge()?,
            None => b.full_like(&edge, 1.0)?,
        };
        require_meta("grad", edge.meta(), seed.meta())?;
        if edge.node.requires_grad {
            pairs.push((edge, seed));
        }
    }
    let pulled = pull(b, &pairs, &targets)?;
    pulled
        .targets
        .into_iter()
        .zip(&targets)
        .map(|(grad, target)| grad.map_or_else(|| b.full_like(target, 0.0), Ok).map(Tensor::from_edge))
        .collect()
}

/// Whether anything but these watched tensors may ask for gradients of `outputs`: a leaf, or a tensor watched elsewhere.
///
/// Where nothing may, gradients need no tape of their own.
pub fn connected(outputs: &[Tensor], watched: &[Tensor]) -> Result<bool> {
    let watched: HashSet<u64> = watched.iter().map(|t| Ok(t.edge()?.node.id)).collect::<Result<_>>()?;
    let mut pending: Vec<Edge> = outputs.iter().map(Tensor::edge).collect::<Result<_>>()?;
    let mut seen = HashSet::new();
    while let Some(Edge { node, .. }) = pending.pop() {
        if !node.requires_grad || !seen.insert(node.id) {
            continue;
        }
        let before = pending.len();
        pending.extend(node.inputs().into_iter().filter(|input| input.node.requires_grad));
        let source = pending.len() == before;
        if node.sink.is_some() || (source && !watched.contains(&node.id)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn require_meta(op: &str, wanted: &Meta, got: &Meta) -> Result<()> {
    if wanted == got {
        return Ok(());
    }
    let name = |m: &Meta| format!("{} {}", m.dtype, m.shape);
    Err(Error::shape(op, format!("a gradient of {}", name(wanted)), name(got)))
}
