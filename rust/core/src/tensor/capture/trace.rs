//! Finds the op that made the first value that is not finite, after a step has failed over it.

use super::Captured;
use crate::backend::{self, locate};
use crate::buffer::Value;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::Handle;
use crate::ir::op::Op;
use crate::shape::Shape;
use crate::tensor::recorder::Source;
use half::{bf16, f16};
use smallvec::SmallVec;
use std::sync::{Arc, MutexGuard};

/// Whether a tensor has elements that are not finite; the worse comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Finite,
    Infinite,
    Nan,
}

/// Where the first value that is not finite came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NonFinite {
    /// `nan` or `inf`.
    pub kind: &'static str,
    /// An op, or an argument or cell that came in so.
    pub source: String,
    /// Whether `source` is an op.
    pub is_op: bool,
    /// Of the tensor.
    pub shape: Shape,
    /// Of the tensor.
    pub dtype: DType,
    /// The user's file and line.
    pub origin: Option<String>,
}

impl Captured {
    /// Run the step op by op, change nothing, and go back from the first bad gradient or result to what made it so.
    ///
    /// Infinity that ends in finite values, such as a mask before a softmax, is no finding.
    pub fn first_non_finite(&self, arguments: &[Arc<Handle>]) -> Result<Option<NonFinite>> {
        let mut numbers = Vec::new();
        let mut done = 0;
        let inputs = self.events.iter().try_for_each(|event| {
            numbers.extend(event.advance()?);
            done += 1;
            Ok(())
        });
        let inputs = inputs.and_then(|()| {
            let cells: Vec<MutexGuard<'_, Value>> = self.variables.iter().map(|v| v.lock()).collect();
            self.inputs.iter().map(|expected| self.fetch(expected, arguments, &numbers, &cells)).collect()
        });
        self.rollback(done);
        self.trace(inputs?)
    }

    fn trace(&self, inputs: Vec<Value>) -> Result<Option<NonFinite>> {
        let (program, backend) = (&self.recorded, backend::of(self.device));
        let mut values: Vec<Value> = inputs.into_iter().chain(program.constants.iter().cloned()).collect();
        let mut states = values.iter().map(state).collect::<Result<Vec<_>>>()?;
        for instruction in &program.instructions {
            let bad = instruction.inputs.iter().find(|&&i| states[i] != State::Finite);
            if let (Op::CheckFinite { .. }, Some(&bad)) = (&instruction.op, bad) {
                return Ok(Some(self.blame(bad, &values, &states)));
            }
            let operands: SmallVec<[Value; 4]> = instruction.inputs.iter().map(|&i| values[i].clone()).collect();
            let results =
                backend.run_op(&instruction.op, &operands).map_err(|e| locate(e, instruction.origin.as_deref()))?;
            for result in results {
                states.push(state(&result)?);
                values.push(result);
            }
        }
        let bad = program.outputs.iter().find(|&&o| states[o] != State::Finite);
        Ok(bad.map(|&bad| self.blame(bad, &values, &states)))
    }

    /// Follow a bad value to the op that made it of good ones, or to the input that brought it.
    fn blame(&self, bad: usize, values: &[Value], states: &[State]) -> NonFinite {
        let mut place = bad;
        loop {
            let maker = self.recorded.instructions.iter().find(|i| (i.first..i.first + i.results).contains(&place));
            let inputs = maker.map(|i| i.inputs.as_slice()).unwrap_or_default();
            let worst = inputs.iter().copied().rev().max_by_key(|&input| states[input]);
            if let Some(worst) = worst.filter(|&input| states[input] != State::Finite) {
                place = worst;
                continue;
            }
            return NonFinite {
                kind: if states[place] == State::Nan { "nan" } else { "inf" },
                source: maker.map_or_else(|| self.input_name(place), |i| i.op.name().into()),
                is_op: maker.is_some(),
                shape: values[place].shape().clone(),
                dtype: values[place].meta().dtype,
                origin: maker.and_then(|i| i.origin.as_deref()).map(String::from),
            };
        }
    }

    fn input_name(&self, place: usize) -> String {
        match self.inputs.get(place).map(|expected| &expected.source) {
            Some(Source::Argument(number)) => format!("argument {}", number + 1),
            Some(Source::Variable(variable)) => variable.name().to_string(),
            Some(Source::Handle(_)) => "a tensor that the function reaches".into(),
            Some(Source::Sink(_)) => "a gradient from before".into(),
            Some(Source::Numbers(_)) => "a number of the optimizer".into(),
            None => "a constant".into(),
        }
    }
}

fn state(value: &Value) -> Result<State> {
    let meta = value.meta();
    let wide: fn(&[u8]) -> Option<f64> = match meta.dtype {
        DType::F16 => |b| Some(f16::from_ne_bytes(b.try_into().ok()?).to_f64()),
        DType::BF16 => |b| Some(bf16::from_ne_bytes(b.try_into().ok()?).to_f64()),
        DType::F32 => |b| Some(f64::from(f32::from_ne_bytes(b.try_into().ok()?))),
        DType::F64 => |b| Some(f64::from_ne_bytes(b.try_into().ok()?)),
        DType::Bool
        | DType::I8
        | DType::I16
        | DType::I32
        | DType::I64
        | DType::U8
        | DType::U16
        | DType::U32
        | DType::U64 => return Ok(State::Finite),
    };
    let bytes = backend::of(value.device()).download(value)?;
    let mut worst = State::Finite;
    for element in bytes.chunks_exact(meta.dtype.size()) {
        let number = wide(element).ok_or_else(|| Error::bug("trace", "an element of another size"))?;
        if number.is_nan() {
            return Ok(State::Nan);
        }
        if number.is_infinite() {
            worst = State::Infinite;
        }
    }
    Ok(worst)
}
