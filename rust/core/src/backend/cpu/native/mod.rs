//! Machine code for what is computed element by element: intermediate values stay in registers.
//!
//! A `Graph` says what becomes of the lanes of one register; `record` writes it down from the very functions that the
//! loops of `fused` are made of, so both round alike. `allocate` finds registers, `emit` and `encode` write the bytes.
//! Where no code can be made, the loops compute the same.

#![allow(unsafe_code, reason = "runs what it has written")]

mod allocate;
mod emit;
mod encode;
mod graph;
mod memory;
mod record;
#[cfg(test)]
mod tests;

pub(super) use graph::{Graph, Value};
pub(super) use record::{Recorder, record};

use super::arch::Isa;
use emit::Target;
use graph::Node;
use memory::Function;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, Weak};

/// Operands of a piece of code at most.
pub(super) const OPERANDS: usize = 32;

/// Code over the elements of its operands.
#[derive(Debug)]
pub(super) struct Native(Function);

/// Code by what it computes and for which registers.
type Known = HashMap<(Target, Vec<Node>), Weak<Native>>;

/// What there is, so that the same work in many layers is one piece of code.
static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);

impl Native {
    /// Code for a graph of f32 or f64, if this instruction set and the system allow it.
    pub(super) fn new(isa: Isa, double: bool, graph: &Graph) -> Option<Arc<Self>> {
        let target = Target { wide: wide(isa)?, double };
        if graph.failed {
            return None;
        }
        let mut known = KNOWN.lock().ok()?;
        let key = (target, graph.nodes.clone());
        if let Some(native) = known.get(&key).and_then(Weak::upgrade) {
            return Some(native);
        }
        let allocated = allocate::allocate(graph, target.supply())?;
        let native = Arc::new(Self(Function::new(&emit::function(target, &allocated))?));
        known.retain(|_, native| native.strong_count() > 0);
        known.insert(key, Arc::downgrade(&native));
        Some(native)
    }

    /// Compute so many elements of every operand.
    ///
    /// # Safety
    /// The operands of the graph lie at these addresses: `count` elements of each that is read or written element by
    /// element, a register full of the others. What is written lies over what is read one by one or not at all, and is
    /// not read after it.
    pub(super) unsafe fn run<T>(&self, operands: &[*mut T; OPERANDS], count: usize) {
        // SAFETY: the code was made by `new` for the instruction set of this machine, and the caller promises its operands.
        unsafe { self.0.call(operands.as_ptr().cast(), count) }
    }
}

/// Whether code can be made for an instruction set, and whether it is one of 512 bits.
fn wide(isa: Isa) -> Option<bool> {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2(_) => Some(false),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512(_) => Some(true),
        _ => None,
    }
}
