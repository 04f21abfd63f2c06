//! Parameters that share options.

use super::{Kind, lock};
use crate::error::Result;
use crate::ir::variable::Variable;
use crate::tensor::counters;
use crate::train::transform::{Chain, Options};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Parameters that share options.
#[derive(Debug)]
pub struct Group {
    kind: Kind,
    params: Vec<Arc<Variable>>,
    held: Mutex<Held>,
    version: AtomicU64,
}

/// The options, and what pieces they make, in words.
#[derive(Debug)]
struct Held {
    options: Options,
    pieces: String,
}

impl Group {
    /// A group of parameters.
    pub fn new(kind: Kind, params: Vec<Arc<Variable>>, options: Options) -> Result<Arc<Self>> {
        (kind.validate)(&options)?;
        let chain = (kind.chain)(&options);
        for piece in &chain {
            params.iter().try_for_each(|param| piece.accepts(&param.meta()))?;
        }
        let pieces = format!("{chain:?}");
        Ok(Arc::new(Self { kind, params, held: Mutex::new(Held { options, pieces }), version: AtomicU64::new(0) }))
    }

    /// The parameters.
    pub fn params(&self) -> &[Arc<Variable>] {
        &self.params
    }

    /// A copy of the options.
    pub fn options(&self) -> Options {
        lock(&self.held).options.clone()
    }

    /// Look at the options.
    pub(super) fn with_options<T>(&self, look: impl FnOnce(&Options) -> T) -> T {
        look(&lock(&self.held).options)
    }

    /// The pieces of the optimizer under the options as they are.
    pub fn chain(&self) -> Chain {
        (self.kind.chain)(&lock(&self.held).options)
    }

    /// Change the options, all or after an error nothing; what changes the chain of pieces changes the version too.
    pub fn change(&self, change: impl FnOnce(&mut Options)) -> Result<()> {
        let mut held = lock(&self.held);
        let mut options = held.options.clone();
        change(&mut options);
        (self.kind.validate)(&options)?;
        let pieces = format!("{:?}", (self.kind.chain)(&options));
        if pieces != held.pieces {
            self.version.fetch_add(1, Ordering::Relaxed);
            counters::add(&counters::CHANGES, 1);
        }
        *held = Held { options, pieces };
        Ok(())
    }

    /// Changes whenever a captured step would have to compute something else.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Relaxed)
    }
}
