//! Named cells whose value steps replace: parameters, buffers, optimizer state, generators.

use crate::buffer::{Meta, Value};
use crate::device::Device;
use crate::ir::node::Sink;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A cell. Plans lock the cells they touch in the order of their ids.
#[derive(Debug)]
pub struct Variable {
    id: u64,
    name: Mutex<Arc<str>>,
    value: Mutex<Value>,
    turn: Mutex<()>,
    sink: Arc<Sink>,
    trainable: AtomicBool,
    roams: bool,
}

impl Variable {
    /// A cell that holds `value`; a trainable one collects gradients.
    pub fn new(name: &str, value: Value, trainable: bool) -> Arc<Self> {
        Self::make(name, value, trainable, false)
    }

    /// A cell whose value goes to the device that asks for it, such as the state of a generator.
    pub fn roaming(name: &str, value: Value) -> Arc<Self> {
        Self::make(name, value, false, true)
    }

    fn make(name: &str, value: Value, trainable: bool, roams: bool) -> Arc<Self> {
        Arc::new(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            name: Mutex::new(name.into()),
            value: Mutex::new(value),
            turn: Mutex::default(),
            sink: Sink::new(),
            trainable: AtomicBool::new(trainable),
            roams,
        })
    }

    /// Unique number, in order of creation.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Name for messages.
    pub fn name(&self) -> Arc<str> {
        Arc::clone(&self.name.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Give the cell a name for messages.
    pub fn rename(&self, name: &str) {
        *self.name.lock().unwrap_or_else(PoisonError::into_inner) = name.into();
    }

    /// Where gradients of the cell add up.
    pub fn sink(&self) -> &Arc<Sink> {
        &self.sink
    }

    /// Whether gradients are collected.
    pub fn trainable(&self) -> bool {
        self.trainable.load(Ordering::Relaxed)
    }

    /// Whether the value goes to the device that asks for it.
    pub fn roams(&self) -> bool {
        self.roams
    }

    /// Collect gradients from now on, or no longer.
    pub fn set_trainable(&self, trainable: bool) {
        self.trainable.store(trainable, Ordering::Relaxed);
    }

    /// The turn to step on the cell, from the host's share of the step to the last write; the value can be read meanwhile.
    ///
    /// Taken in the order of ids, before any value is locked.
    pub fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Exclusive access to the value.
    pub fn lock(&self) -> MutexGuard<'_, Value> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A snapshot of the value.
    pub fn get(&self) -> Value {
        self.lock().clone()
    }

    /// Replace the value.
    pub fn set(&self, value: Value) {
        *self.lock() = value;
    }

    /// Shape and dtype of the value.
    pub fn meta(&self) -> Meta {
        self.lock().meta()
    }

    /// Device of the value.
    pub fn device(&self) -> Device {
        self.lock().device()
    }
}
