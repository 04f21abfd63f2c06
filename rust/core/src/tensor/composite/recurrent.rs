//! Recurrent layers: one `Scan` for each layer and direction; the product with the inputs is made for all steps at once.

use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::UnaryOp;
use crate::shape::Shape;
use crate::tensor::Tensor;
use crate::tensor::composite::activation::relu;
use crate::tensor::face::face;
use crate::tensor::functions::linear::linear;
use crate::tensor::mode;
use crate::tensor::recorder::Origin;
use crate::tensor::scan::{Loop, scan};

/// What is made of gates and state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cell {
    /// `h' = tanh(gates)`. Source: Elman 1990.
    Tanh,
    /// `h' = max(gates, 0)`.
    Relu,
    /// Source: Hochreiter and Schmidhuber 1997, with the forget gate of Gers, Schmidhuber and Cummins 2000.
    Lstm,
    /// Source: Cho et al. 2014, with the reset gate after the product, as in torch and cuDNN.
    Gru,
}

/// Parameters of one layer and direction; gates lie one after the other along the first axis.
#[derive(Clone, Debug)]
pub struct Weights {
    /// Product with the input, `[gates H, I]`.
    pub input: Edge,
    /// Product with the state, `[gates H, H]`; `[gates H, P]` with a projection.
    pub hidden: Edge,
    /// Summand beside the input's product, `[gates H]`.
    pub input_bias: Option<Edge>,
    /// Summand beside the state's product, `[gates H]`.
    pub hidden_bias: Option<Edge>,
    /// Makes the state of P numbers from the H of an LSTM, `[P, H]`.
    pub projection: Option<Edge>,
}

impl Cell {
    /// The cell of this name.
    pub fn parse(op: &str, name: &str) -> Result<Self> {
        match name {
            "tanh" => Ok(Self::Tanh),
            "relu" => Ok(Self::Relu),
            "lstm" => Ok(Self::Lstm),
            "gru" => Ok(Self::Gru),
            _ => Err(Error::value(op, "a cell among tanh, relu, lstm and gru", format!("{name:?}"))),
        }
    }

    fn gates(self) -> usize {
        match self {
            Self::Tanh | Self::Relu => 1,
            Self::Gru => 3,
            Self::Lstm => 4,
        }
    }

    /// How many tensors go from step to step.
    pub fn states(self) -> usize {
        if self == Self::Lstm { 2 } else { 1 }
    }
}

/// All steps of `x` `[T, N, I]` from `states` `[N, H]`; results are the outputs `[T, N, H]`, then the last states.
///
/// States stay as they are where `seen`, bool of `[T, N, 1]`, is false: such steps lie behind the end of a sequence.
pub fn layer(
    cell: Cell,
    x: &Edge,
    states: &[Edge],
    w: &Weights,
    seen: Option<&Edge>,
    reverse: bool,
) -> Result<Vec<Edge>> {
    check(cell, x, 3, states, w)?;
    let gates = Tensor::from_edge(from_input(cell, x, w)?);
    let hidden = Tensor::from_edge(face().transpose(&w.hidden)?);
    let projection = w.projection.as_ref().map(|p| face().transpose(p)).transpose()?.map(Tensor::from_edge);
    let bias = w.hidden_bias.clone().filter(|_| cell == Cell::Gru).map(Tensor::from_edge);
    let init: Vec<Tensor> = states.iter().cloned().map(Tensor::from_edge).collect();
    let origin = mode::with_recorder(|r| r.origin()).flatten();
    let origin: Origin = Box::new(move || origin.clone());
    let walk = Loop { length: x.shape()[0], reverse };
    let mut body = |carry: &[Tensor], slice: &[Tensor]| {
        let states = carry.iter().map(Tensor::edge).collect::<Result<Vec<_>>>()?;
        let bias = bias.as_ref().map(Tensor::edge).transpose()?;
        let matrices =
            Matrices { hidden: hidden.edge()?, bias, projection: projection.as_ref().map(Tensor::edge).transpose()? };
        let mut new = turn(cell, &slice[0].edge()?, &states, &matrices)?;
        if let Some(seen) = slice.get(1) {
            let seen = seen.edge()?;
            for (new, old) in new.iter_mut().zip(&states) {
                *new = face().select(&face().expand(&seen, new.shape())?, new, old)?;
            }
        }
        let new: Vec<Tensor> = new.into_iter().map(Tensor::from_edge).collect();
        let output = vec![new[0].clone()];
        Ok((new, output))
    };
    let xs: Vec<Tensor> = std::iter::once(gates).chain(seen.cloned().map(Tensor::from_edge)).collect();
    let (last, outputs) = scan(&mut body, &init, &xs, walk, Some(origin))?;
    outputs.iter().chain(&last).map(Tensor::edge).collect()
}

/// One step of `x` `[N, I]`; results are the new states.
pub fn step(cell: Cell, x: &Edge, states: &[Edge], w: &Weights) -> Result<Vec<Edge>> {
    check(cell, x, 2, states, w)?;
    let matrices = Matrices {
        hidden: face().transpose(&w.hidden)?,
        bias: w.hidden_bias.clone().filter(|_| cell == Cell::Gru),
        projection: w.projection.as_ref().map(|p| face().transpose(p)).transpose()?,
    };
    turn(cell, &from_input(cell, x, w)?, states, &matrices)
}

/// What every turn multiplies the state with.
struct Matrices {
    hidden: Edge,
    bias: Option<Edge>,
    projection: Option<Edge>,
}

/// The input's part of the gates. The state's bias is in it where the cell only adds the two parts.
fn from_input(cell: Cell, x: &Edge, w: &Weights) -> Result<Edge> {
    let bias = match (&w.input_bias, w.hidden_bias.as_ref().filter(|_| cell != Cell::Gru)) {
        (Some(one), Some(two)) => Some(face().add(one, two)?),
        (one, two) => one.as_ref().or(two).cloned(),
    };
    linear(x, &w.input, bias.as_ref())
}

fn turn(cell: Cell, gates: &Edge, states: &[Edge], w: &Matrices) -> Result<Vec<Edge>> {
    let b = face();
    let h = &states[0];
    let mut recurrent = b.matmul(h, &w.hidden)?;
    if let Some(bias) = &w.bias {
        recurrent = b.add(&recurrent, &b.expand(bias, recurrent.shape())?)?;
    }
    let width = gates.shape()[1] / cell.gates();
    let part = |x: &Edge, place: usize| b.narrow(x, 1, place * width, width);
    let sigmoid = |x: &Edge| b.unary(UnaryOp::Sigmoid, x);
    let tanh = |x: &Edge| b.unary(UnaryOp::Tanh, x);
    match cell {
        Cell::Tanh => Ok(vec![tanh(&b.add(gates, &recurrent)?)?]),
        Cell::Relu => Ok(vec![relu(&b.add(gates, &recurrent)?)?]),
        Cell::Lstm => {
            let all = b.add(gates, &recurrent)?;
            let (input, forget) = (sigmoid(&part(&all, 0)?)?, sigmoid(&part(&all, 1)?)?);
            let (candidate, output) = (tanh(&part(&all, 2)?)?, sigmoid(&part(&all, 3)?)?);
            let c = b.add(&b.mul(&forget, &states[1])?, &b.mul(&input, &candidate)?)?;
            let wide = b.mul(&output, &tanh(&c)?)?;
            let h = if let Some(projection) = &w.projection { b.matmul(&wide, projection)? } else { wide };
            Ok(vec![h, c])
        }
        Cell::Gru => {
            let reset = sigmoid(&b.add(&part(gates, 0)?, &part(&recurrent, 0)?)?)?;
            let update = sigmoid(&b.add(&part(gates, 1)?, &part(&recurrent, 1)?)?)?;
            let candidate = tanh(&b.add(&part(gates, 2)?, &b.mul(&reset, &part(&recurrent, 2)?)?)?)?;
            // (1 - z) n + z h
            Ok(vec![b.add(&candidate, &b.mul(&update, &b.sub(h, &candidate)?)?)?])
        }
    }
}

fn check(cell: Cell, x: &Edge, rank: usize, states: &[Edge], w: &Weights) -> Result<()> {
    let shape = x.shape();
    let narrow = w.hidden.shape().get(1).copied().unwrap_or(0);
    let width = w.projection.as_ref().map_or(narrow, |p| p.shape().get(1).copied().unwrap_or(0));
    let rows = cell.gates() * width;
    let inputs = shape.last().copied().unwrap_or(0);
    let count = shape.get(rank.saturating_sub(2)).copied().unwrap_or(0);
    let state = |place: usize| -> Shape { [count, if place == 0 { narrow } else { width }].into() };
    let biases = [&w.input_bias, &w.hidden_bias].into_iter().flatten();
    let fits = shape.len() == rank
        && *w.input.shape() == [rows, inputs].into()
        && *w.hidden.shape() == [rows, narrow].into()
        && w.projection.as_ref().is_none_or(|p| cell == Cell::Lstm && *p.shape() == [narrow, width].into())
        && biases.into_iter().all(|bias| *bias.shape() == [rows].into())
        && states.len() == cell.states()
        && states.iter().enumerate().all(|(place, s)| *s.shape() == state(place));
    if fits {
        return Ok(());
    }
    let gates = cell.gates();
    let rule =
        format!("input [..., N, I], states [N, H], weights [{gates} H, I] and [{gates} H, H], biases [{gates} H]");
    let states: Vec<String> = states.iter().map(|s| s.shape().to_string()).collect();
    let got = format!("{shape}, states {}, weights {} and {}", states.join(" and "), w.input.shape(), w.hidden.shape());
    Err(Error::shape("recurrent", rule, got))
}
