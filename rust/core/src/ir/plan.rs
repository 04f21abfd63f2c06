//! A compiled program: steps, arena offsets, where each value lies. Data only; owns no tensors.

use crate::buffer::{Meta, Value};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::op::Op;
use crate::layout::Layout;
use smallvec::SmallVec;
use std::sync::Arc;

/// Where the bytes of a value are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In input `i` of the call.
    Input(usize),
    /// In constant `i` of the plan's program.
    Constant(usize),
    /// In the arena, from this byte.
    Arena(usize),
    /// In the buffer of output `i`, which the plan writes in place.
    Output(usize),
}

/// A value of a plan: bytes, layout and dtype.
#[derive(Clone, Debug)]
pub struct Located {
    /// Where the bytes are.
    pub place: Place,
    /// How the elements lie there.
    pub layout: Layout,
    /// Shape and dtype.
    pub meta: Meta,
}

/// One kernel run.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is computed.
    pub op: Op,
    /// The plan of the body that a loop runs at every turn.
    pub body: Option<Arc<Plan>>,
    /// Values it reads.
    pub inputs: SmallVec<[Located; 2]>,
    /// Row-major values it writes; a check may have none.
    pub outputs: SmallVec<[Located; 1]>,
    /// File and line of the user's call.
    pub origin: Option<Arc<str>>,
}

/// How an output leaves the plan.
#[derive(Clone, Debug)]
pub enum Exit {
    /// Written in place into a buffer of its own.
    Written(Meta),
    /// Written over an input where the caller holds the only handle on it, else into a buffer of its own.
    ///
    /// Only steps from `commit` on write it; none of them reads the input but the one that writes it, element by element.
    Replaced {
        /// The input, which has this shape and dtype.
        input: usize,
        /// Shape and dtype.
        meta: Meta,
    },
    /// A value that already has its own buffer: an input or a constant under some layout.
    Alias(Located),
    /// The buffer of an earlier output, under another layout.
    Shared {
        /// The earlier output.
        output: usize,
        /// Layout in its buffer.
        layout: Layout,
    },
}

/// A compiled program.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Kernels, in order.
    pub steps: Vec<Step>,
    /// Number of the first step of the last phase: it begins when all steps before are done, and nothing in it can fail.
    pub commit: usize,
    /// Bytes of working memory.
    pub arena: usize,
    /// Inputs of a call.
    pub inputs: Vec<Meta>,
    /// Constants, owned by the program.
    pub constants: Vec<Value>,
    /// Outputs of a call.
    pub exits: Vec<Exit>,
}

impl Plan {
    /// Element type of an output.
    pub fn exit_dtype(&self, exit: usize) -> Result<DType> {
        match self.exits.get(exit) {
            Some(Exit::Written(meta) | Exit::Replaced { meta, .. }) => Ok(meta.dtype),
            Some(Exit::Alias(located)) => Ok(located.meta.dtype),
            Some(Exit::Shared { output, .. }) if *output < exit => self.exit_dtype(*output),
            Some(Exit::Shared { .. }) | None => Err(Error::bug("plan", format!("output {exit} has no origin"))),
        }
    }
}
