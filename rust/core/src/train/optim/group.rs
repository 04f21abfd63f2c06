//! Parameters that share options.

use super::{Kind, lock};
use crate::error::Result;
use crate::ir::variable::Variable;
use crate::train::transform::{Chain, Options};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Parameters that share options.
#[derive(Debug)]
pub struct Group {
    kind: Kind,
    params: Vec<Arc<Variable>>,
    options: Mutex<Options>,
    version: AtomicU64,
}

impl Group {
    /// A group of parameters.
    pub fn new(kind: Kind, params: Vec<Arc<Variable>>, options: Options) -> Result<Arc<Self>> {
        (kind.validate)(&options)?;
        for piece in (kind.chain)(&options) {
            params.iter().try_for_each(|param| piece.accepts(&param.meta()))?;
        }
        Ok(Arc::new(Self { kind, params, options: Mutex::new(options), version: AtomicU64::new(0) }))
    }

    /// The parameters.
    pub fn params(&self) -> &[Arc<Variable>] {
        &self.params
    }

    /// A copy of the options.
    pub fn options(&self) -> Options {
        lock(&self.options).clone()
    }

    /// The pieces of the optimizer under the options as they are.
    pub fn chain(&self) -> Chain {
        (self.kind.chain)(&lock(&self.options))
    }

    /// Replace the options; what changes the chain of pieces changes the version too.
    pub fn set_options(&self, options: Options) -> Result<()> {
        (self.kind.validate)(&options)?;
        let mut held = lock(&self.options);
        let pieces = |o: &Options| format!("{:?}", (self.kind.chain)(o));
        if pieces(&held) != pieces(&options) {
            self.version.fetch_add(1, Ordering::Relaxed);
        }
        *held = options;
        Ok(())
    }

    /// Changes whenever a captured step would have to compute something else.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Relaxed)
    }
}
