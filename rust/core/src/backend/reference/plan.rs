//! Plans, run as they are written: bytes are read and written exactly where the plan places them.
//!
//! So a plan that lets two live values overlap, or reads a value before it is written, gives other numbers here too.

use super::dense::Dense;
use super::{REFERENCE, evaluate};
use crate::backend::{Backend, locate};
use crate::buffer::{HostVec, Value, zeroed};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::ir::plan::{Exit, Located, Place, Plan};

/// The bytes of every place of a plan.
struct Memory {
    inputs: Vec<HostVec>,
    constants: Vec<HostVec>,
    arena: HostVec,
    outputs: Vec<HostVec>,
    /// The input in whose bytes each output lies, if in one's.
    replaced: Vec<Option<usize>>,
}

pub(super) fn run(plan: &Plan, inputs: &[Value]) -> Result<Vec<Value>> {
    let whole = |values: &[Value]| values.iter().map(|value| REFERENCE.download(value)).collect::<Result<Vec<_>>>();
    let written = |exit: &Exit| match exit {
        Exit::Written(meta) => zeroed(meta.bytes()),
        Exit::Replaced { .. } | Exit::Alias(_) | Exit::Shared { .. } => zeroed(0),
    };
    let replaced = |exit: &Exit| match exit {
        Exit::Replaced { input, .. } => Some(*input),
        Exit::Written(_) | Exit::Alias(_) | Exit::Shared { .. } => None,
    };
    let mut memory = Memory {
        inputs: whole(inputs)?,
        constants: whole(&plan.constants)?,
        arena: zeroed(plan.arena),
        outputs: plan.exits.iter().map(written).collect(),
        replaced: plan.exits.iter().map(replaced).collect(),
    };
    for step in &plan.steps {
        let operands: Vec<Dense> = step.inputs.iter().map(|from| memory.load(from)).collect();
        let results =
            evaluate(&step.op, &operands.iter().collect::<Vec<_>>()).map_err(|e| locate(e, step.origin.as_deref()))?;
        for (result, to) in results.iter().zip(&step.outputs) {
            memory.store(result, to)?;
        }
    }
    let mut exits: Vec<Value> = Vec::new();
    for (place, exit) in plan.exits.iter().enumerate() {
        exits.push(match exit {
            Exit::Written(meta) => Value::from_host(memory.outputs[place].clone(), meta, Device::Reference),
            Exit::Replaced { input, meta } => Value::from_host(memory.inputs[*input].clone(), meta, Device::Reference),
            Exit::Alias(from) => memory.load(from).encode(),
            Exit::Shared { output, layout } => exits
                .get(*output)
                .ok_or_else(|| Error::bug("plan", "a share of a later output"))?
                .with_layout(layout.clone()),
        });
    }
    Ok(exits)
}

impl Memory {
    /// Where a place really is: an output that replaces an input lies there.
    fn home(&self, place: Place) -> Place {
        match place {
            Place::Output(i) => self.replaced[i].map_or(place, Place::Input),
            Place::Input(_) | Place::Constant(_) | Place::Arena(_) => place,
        }
    }

    fn load(&self, from: &Located) -> Dense {
        let bytes = match self.home(from.place) {
            Place::Input(i) => &self.inputs[i][..],
            Place::Constant(i) => &self.constants[i][..],
            Place::Arena(start) => &self.arena[start..],
            Place::Output(i) => &self.outputs[i][..],
        };
        Dense::decode(bytes, &from.layout, from.meta.dtype)
    }

    fn store(&mut self, result: &Dense, to: &Located) -> Result<()> {
        let replaced = matches!(to.place, Place::Output(i) if self.replaced[i].is_some());
        let bytes = match self.home(to.place) {
            Place::Arena(start) => &mut self.arena[start..],
            Place::Input(i) if replaced => &mut self.inputs[i][..],
            Place::Output(i) => &mut self.outputs[i][..],
            Place::Input(_) | Place::Constant(_) => {
                return Err(Error::bug("plan", "a step that writes what it was given"));
            }
        };
        result.store(bytes, &to.layout);
        Ok(())
    }
}
