//! Loops: the body is recorded once and becomes the program of one `Scan`.

use crate::backend::locate;
use crate::buffer::Meta;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{Op, ScanOp};
use crate::ir::program::Program;
use crate::passes::grad::require_derivative;
use crate::passes::simplify::prune;
use crate::tensor::face::face;
use crate::tensor::recorder::{Origin, Recorder, Source};
use crate::tensor::{Tensor, mode};
use std::sync::Arc;

/// What one turn of a loop gives: the new carries, and one slice of each output.
pub type Turn = (Vec<Tensor>, Vec<Tensor>);

/// One turn of a loop, from carries and slices.
pub type Body<'a> = dyn FnMut(&[Tensor], &[Tensor]) -> Result<Turn> + 'a;

/// Direction and length of a loop.
#[derive(Clone, Copy, Debug)]
pub struct Loop {
    /// Number of turns.
    pub length: usize,
    /// From the last slice to the first.
    pub reverse: bool,
}

/// Run `body` over the leading axis of `xs`, handing `init` from turn to turn; gives the last carries and stacked outputs.
///
/// The body may use tensors from outside; it may not change them, nor draw random numbers.
pub fn scan(body: &mut Body<'_>, init: &[Tensor], xs: &[Tensor], walk: Loop, origin: Option<Origin>) -> Result<Turn> {
    let carries: Vec<Edge> = init.iter().map(Tensor::edge).collect::<Result<_>>()?;
    let scanned: Vec<Edge> = xs.iter().map(Tensor::edge).collect::<Result<_>>()?;
    if let Some(short) = scanned.iter().find(|e| e.shape().first() != Some(&walk.length)) {
        let rule = format!("scanned tensors with a leading axis of {}", walk.length);
        return Err(Error::shape("scan", rule, short.shape().to_string()));
    }
    let mut recorder = Recorder::body(origin);
    let mut slots = Vec::new();
    for (place, edge) in carries.iter().chain(&scanned).enumerate() {
        let meta =
            if place < carries.len() { edge.meta().clone() } else { Meta::new(&edge.shape()[1..], edge.dtype()) };
        // A carry may start without a gradient and pick one up on the way.
        let grad = meta.dtype.is_float() && mode::grad_enabled();
        slots.push(recorder.slot(place, meta, edge.node.device, grad));
    }
    let arguments: Vec<Tensor> = slots.iter().cloned().map(Tensor::from_edge).collect();
    mode::start(recorder);
    let turn = body(&arguments[..carries.len()], &arguments[carries.len()..]).and_then(|(new, out)| {
        let count = new.len();
        let edges: Vec<Edge> = new.iter().chain(&out).map(Tensor::edge).collect::<Result<_>>()?;
        Ok((count, edges))
    });
    let recorder = mode::stop()?;
    let (count, results) = turn?;
    if count != carries.len() {
        let rule = format!("a function that gives back {} carries", carries.len());
        return Err(Error::value("scan", rule, count.to_string()));
    }
    close(&recorder, &slots, &results, carries, scanned, walk)
}

fn close(
    recorder: &Recorder,
    slots: &[Edge],
    results: &[Edge],
    carries: Vec<Edge>,
    scanned: Vec<Edge>,
    walk: Loop,
) -> Result<Turn> {
    let changed = recorder.handles.values().any(|e| !e.current.same(&e.input))
        || recorder.variables.values().any(|e| e.written)
        || !recorder.sinks.is_empty()
        || !recorder.events.is_empty();
    if changed {
        return Err(Error::graph(
            "scan",
            "a function without side effects; draw random numbers before the loop and pass them as scanned values",
            "one that changes tensors outside, draws random numbers or steps an optimizer",
        ));
    }
    let (mut consts, mut inputs) = (vec![], vec![]);
    for (source, edge) in &recorder.inputs {
        match source {
            Source::Argument(_) | Source::Numbers(_) | Source::Sink(_) => continue,
            Source::Handle(handle) => consts.push(Tensor::from_handle(Arc::clone(handle)).edge()?),
            Source::Variable(variable) => consts.push(Tensor::from_variable(Arc::clone(variable)).edge()?),
        }
        inputs.push(edge.clone());
    }
    inputs.extend_from_slice(slots);
    let mut program = prune(&Program::from_graph(&inputs, results)?);
    let (fixed, held) = (consts.len(), carries.len());
    let operands: Vec<Edge> = consts.into_iter().chain(carries).chain(scanned).collect();
    freeze(&mut program, &operands, fixed, held)?;
    let op =
        ScanOp { body: Arc::new(program), consts: fixed, carries: held, length: walk.length, reverse: walk.reverse };
    let mut outputs: Vec<Tensor> = face().emit(Op::Scan(op), &operands)?.into_iter().map(Tensor::from_edge).collect();
    let stacked = outputs.split_off(held);
    Ok((outputs, stacked))
}

/// Freeze what no gradient reaches, and refuse an op without a derivative where one does.
///
/// A carry that starts without a gradient may pick one up in a turn, which later turns hand on.
fn freeze(body: &mut Program, operands: &[Edge], consts: usize, carries: usize) -> Result<()> {
    let mut reached: Vec<bool> = operands.iter().map(|e| e.node.requires_grad && e.dtype().is_float()).collect();
    reached.resize(body.metas.len(), false);
    loop {
        for instruction in &body.instructions {
            let on = !instruction.frozen && instruction.inputs.iter().any(|&i| reached[i]);
            let results = instruction.first..instruction.first + instruction.results;
            for (result, meta) in reached[results.clone()].iter_mut().zip(&body.metas[results]) {
                *result = on && meta.dtype.is_float();
            }
        }
        let grown: Vec<usize> =
            (0..carries).filter(|&c| reached[body.outputs[c]] && !reached[consts + c]).map(|c| consts + c).collect();
        if grown.is_empty() {
            break;
        }
        for carry in grown {
            reached[carry] = true;
        }
    }
    for instruction in &mut body.instructions {
        let results = instruction.first..instruction.first + instruction.results;
        instruction.frozen = !reached[results].contains(&true);
        if !instruction.frozen {
            require_derivative(&instruction.op).map_err(|e| locate(e, instruction.origin.as_deref()))?;
        }
    }
    Ok(())
}
