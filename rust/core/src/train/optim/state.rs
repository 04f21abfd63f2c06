//! State of one parameter: the count of its steps, tensors in cells, numbers that run along on the host.

use super::lock;
use crate::buffer::{Value, zeroed};
use crate::dtype::DType;
use crate::error::Result;
use crate::ir::variable::Variable;
use crate::tensor::upload;
use crate::train::transform::{Slot, Transform};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// State of one parameter.
#[derive(Debug, Default)]
pub struct ParamState {
    step: AtomicU64,
    cells: Mutex<Vec<(String, Arc<Variable>)>>,
    running: Mutex<BTreeMap<String, f64>>,
}

impl ParamState {
    /// Steps taken.
    pub fn step(&self) -> u64 {
        self.step.load(Ordering::Relaxed)
    }

    /// Continue from a number of steps.
    pub fn set_step(&self, step: u64) {
        self.step.store(step, Ordering::Relaxed);
    }

    /// Numbers that run along on the host.
    pub fn running(&self) -> BTreeMap<String, f64> {
        lock(&self.running).clone()
    }

    /// Replace the numbers that run along.
    pub fn set_running(&self, running: BTreeMap<String, f64>) {
        *lock(&self.running) = running;
    }

    /// The running numbers of a piece.
    pub(super) fn running_of(&self, piece: &dyn Transform) -> Vec<f64> {
        let running = lock(&self.running);
        piece.running().iter().map(|name| running.get(*name).copied().unwrap_or(1.0)).collect()
    }

    /// Replace the running numbers of a piece.
    pub(super) fn set_running_of(&self, piece: &dyn Transform, numbers: &[f64]) {
        let names = piece.running().iter().map(|name| (*name).to_owned());
        lock(&self.running).extend(names.zip(numbers.iter().copied()));
    }

    /// State tensors by name.
    pub fn cells(&self) -> Vec<(String, Arc<Variable>)> {
        lock(&self.cells).clone()
    }

    /// Hold a value as a state tensor of the parameter.
    pub fn put(&self, name: &str, param: &Variable, value: Value) -> Arc<Variable> {
        let cell = Variable::new(&format!("{}.{name}", param.name()), value, false);
        let mut cells = lock(&self.cells);
        cells.retain(|(n, _)| n != name);
        cells.push((name.to_owned(), Arc::clone(&cell)));
        cell
    }

    /// The cell of a state tensor, made where it is new.
    pub(super) fn cell(&self, slot: &Slot, param: &Variable) -> Result<Arc<Variable>> {
        let found = lock(&self.cells).iter().find(|(name, _)| name == slot.name).map(|(_, cell)| Arc::clone(cell));
        match found {
            Some(cell) => Ok(cell),
            None => Ok(self.put(slot.name, param, initial(slot, param)?)),
        }
    }
}

/// The value of a state tensor before the first step. Uploaded, so that inside a recording it is no part of the program.
fn initial(slot: &Slot, param: &Variable) -> Result<Value> {
    let (device, meta) = (param.device(), &slot.meta);
    match meta.dtype {
        DType::F64 => upload(&slot.initial.to_ne_bytes().repeat(meta.shape.numel()), meta, device),
        DType::F32 => upload(&(slot.initial as f32).to_ne_bytes().repeat(meta.shape.numel()), meta, device),
        _ => upload(&zeroed(meta.bytes()), meta, device),
    }
}
