//! Compiled shaders by their text: those in use, and of the others the last ones.

use std::collections::HashMap;
use std::sync::Arc;

/// Shaders that are kept at most beside those that plans hold.
const MOST: usize = 2048;

/// Compiled shaders.
#[derive(Debug)]
pub(super) struct Pipelines<T> {
    known: HashMap<Arc<str>, Entry<T>>,
    /// Counts what was asked for.
    time: u64,
    most: usize,
}

#[derive(Debug)]
struct Entry<T> {
    pipeline: Arc<T>,
    used: u64,
}

impl<T> Default for Pipelines<T> {
    fn default() -> Self {
        Self { known: HashMap::new(), time: 0, most: MOST }
    }
}

impl<T> Pipelines<T> {
    /// The texts.
    pub(super) fn texts(&self) -> impl Iterator<Item = &Arc<str>> {
        self.known.keys()
    }

    /// Whether a text is compiled.
    pub(super) fn contains(&self, text: &str) -> bool {
        self.known.contains_key(text)
    }

    /// A compiled text.
    pub(super) fn get(&mut self, text: &str) -> Option<Arc<T>> {
        self.time += 1;
        let entry = self.known.get_mut(text)?;
        entry.used = self.time;
        Some(Arc::clone(&entry.pipeline))
    }

    /// Keep a compiled text. When there are too many, half of those go that nobody holds, the longest unused first.
    pub(super) fn insert(&mut self, text: Arc<str>, pipeline: T) -> Arc<T> {
        if self.known.len() >= self.most {
            let idle = self.known.values().filter(|entry| Arc::strong_count(&entry.pipeline) == 1);
            let mut times: Vec<u64> = idle.map(|entry| entry.used).collect();
            times.sort_unstable();
            let old = times.get(times.len() / 2).copied().unwrap_or(0);
            self.known.retain(|_, entry| Arc::strong_count(&entry.pipeline) > 1 || entry.used > old);
        }
        let pipeline = Arc::new(pipeline);
        self.known.insert(text, Entry { pipeline: Arc::clone(&pipeline), used: self.time });
        pipeline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_or_was_used_lately_stays() {
        let mut pipelines = Pipelines { most: 8, ..Pipelines::default() };
        let held: Vec<Arc<usize>> = (0..4)
            .map(|number| {
                pipelines.get("");
                pipelines.insert(format!("held {number}").into(), number)
            })
            .collect();
        for number in 0..100 {
            assert!(pipelines.get(&format!("idle {number}")).is_none());
            pipelines.insert(format!("idle {number}").into(), number);
            assert!(pipelines.get("idle 0").is_some(), "it is used all the time");
            assert!(pipelines.known.len() <= 8);
        }
        assert!((0..4).all(|number| pipelines.contains(&format!("held {number}"))) && held.len() == 4);
        assert!(pipelines.contains("idle 99") && !pipelines.contains("idle 50"));
        assert_eq!(pipelines.texts().count(), pipelines.known.len());
    }
}
