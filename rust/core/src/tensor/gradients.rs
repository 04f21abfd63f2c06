//! The gradients that a captured step reads, writes and clears: where they are at each call.
//!
//! A cell has one place for its gradient for ever. Arguments and tensor objects outside may be other leaves at each call,
//! so theirs is looked up through them.

use crate::error::{Error, Result};
use crate::ir::node::{Edge, Handle, Sink};
use crate::tensor::recorder::{Recorder, SinkEntry, Source};
use std::sync::Arc;

/// What a captured step knows of gradients, by the places it was recorded with.
#[derive(Debug)]
pub(super) struct Gradients {
    /// Places that belong to arguments and tensor objects outside.
    leaves: Vec<(Arc<Sink>, Source)>,
    /// Whether there was a gradient at entry, where the function asked.
    asked: Vec<(Arc<Sink>, bool)>,
    /// Cleared after the step.
    cleared: Vec<Arc<Sink>>,
}

impl Gradients {
    /// What a recording noted, and the gradients that leave the step: place and value.
    pub(super) fn of(recorder: &Recorder, keep: bool) -> (Self, Vec<(Arc<Sink>, Edge)>) {
        let leaf = |(source, edge): &(Source, Edge)| match source {
            Source::Argument(_) | Source::Handle(_) => Some((edge.node.sink.clone()?, source.clone())),
            Source::Variable(_) | Source::Sink(_) | Source::Numbers(_) => None,
        };
        let leaves = recorder.inputs.iter().filter_map(leaf).collect();
        let asked = |entry: &SinkEntry| entry.at_entry.map(|had| (Arc::clone(&entry.sink), had));
        let asked = recorder.sinks.iter().filter_map(asked).collect();
        let (mut cleared, mut written) = (vec![], vec![]);
        for entry in &recorder.sinks {
            let spent = entry.cleared_first && entry.used && !keep;
            match &entry.current {
                Some(grad) if !spent => written.push((Arc::clone(&entry.sink), grad.get())),
                _ => cleared.push(Arc::clone(&entry.sink)),
            }
        }
        (Self { leaves, asked, cleared }, written)
    }

    fn leaf(&self, sink: &Arc<Sink>) -> Option<&Source> {
        self.leaves.iter().find(|(held, _)| Arc::ptr_eq(held, sink)).map(|(_, source)| source)
    }

    /// Whether the place belongs to an argument, so that only a call can tell what is there.
    pub(super) fn of_argument(&self, sink: &Arc<Sink>) -> bool {
        matches!(self.leaf(sink), Some(Source::Argument(_)))
    }

    /// The place, as it is in this call.
    pub(super) fn now(&self, sink: &Arc<Sink>, arguments: &[Arc<Handle>]) -> Arc<Sink> {
        let now = match self.leaf(sink) {
            Some(Source::Argument(place)) => arguments[*place].get().node.sink.clone(),
            Some(Source::Handle(handle)) => handle.get().node.sink.clone(),
            Some(Source::Variable(_) | Source::Sink(_) | Source::Numbers(_)) | None => None,
        };
        now.unwrap_or_else(|| Arc::clone(sink))
    }

    /// Whether a gradient that was asked for came or went; those of arguments are left to [`Gradients::check`].
    pub(super) fn changed(&self) -> bool {
        let others = self.asked.iter().filter(|(sink, _)| !self.of_argument(sink));
        others.into_iter().any(|(sink, had)| self.now(sink, &[]).get().is_some() != *had)
    }

    /// Refuse a call whose gradients are not there, or not absent, as they were when the step was recorded.
    pub(super) fn check(&self, arguments: &[Arc<Handle>]) -> Result<()> {
        let lost = |source: &Source| match source {
            Source::Argument(place) => arguments[*place].get().node.sink.is_none(),
            Source::Handle(handle) => handle.get().node.sink.is_none(),
            Source::Variable(_) | Source::Sink(_) | Source::Numbers(_) => false,
        };
        if self.leaves.iter().any(|(_, source)| lost(source)) {
            let rule = "tensors that require a gradient where the step was recorded with such";
            return Err(Error::graph("compile", rule, "one that requires none"));
        }
        for (sink, had) in &self.asked {
            if self.now(sink, arguments).get().is_some() != *had {
                let rule = "gradients that are there, or None, as when the step was recorded; record it anew";
                return Err(Error::graph("compile", rule, if *had { "None" } else { "a gradient" }));
            }
        }
        Ok(())
    }

    /// Clear what the step clears.
    pub(super) fn clear(&self, arguments: &[Arc<Handle>]) {
        self.cleared(arguments).for_each(|sink| sink.set(None));
    }

    /// Places that the step clears.
    pub(super) fn cleared<'a>(&'a self, arguments: &'a [Arc<Handle>]) -> impl Iterator<Item = Arc<Sink>> + 'a {
        self.cleared.iter().map(|sink| self.now(sink, arguments))
    }
}
