//! Compiled shaders that outlive the process: the driver's own pipeline cache, in a file beside the list of the shaders
//! that it holds.

#![allow(unsafe_code, reason = "wgpu asks for a promise about the bytes that a pipeline cache is made from")]

use super::disk::{Identity, Sealed, hash};
use crate::backend::need::Need;
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wgpu::{AdapterInfo, Device, Features, PipelineCache, PipelineCacheDescriptor};

/// New shaders of one step from which on their compilation is announced.
const MANY: usize = 16;
/// Bytes of a step from which on they are announced.
const MUCH: u64 = 1 << 30;
/// Time between two writes of the file, beside the first and the last.
const PACE: Duration = Duration::from_secs(10);
/// A larger file is not read: the next process begins with an empty one.
const LARGEST: usize = 256 << 20;

/// The compiled shaders of one GPU that a later process finds again.
pub(super) struct Kept {
    name: String,
    cache: Option<PipelineCache>,
    file: Option<Sealed>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Hashes of the shaders in the cache.
    shaders: BTreeSet<u64>,
    /// Shaders that the file lacks.
    unsaved: usize,
    saved: Option<Instant>,
}

impl Kept {
    /// What earlier processes left for this GPU.
    pub(super) fn open(device: &Device, info: &AdapterInfo) -> Self {
        let able = device.features().contains(Features::PIPELINE_CACHE);
        let file = if able { Sealed::new("pipelines", &Identity::of(info)) } else { None };
        let found = file.as_ref().and_then(Sealed::read).filter(|content| content.len() <= LARGEST);
        let (shaders, blob) = found.as_deref().and_then(parse).unwrap_or_default();
        let data = (!blob.is_empty()).then_some(blob);
        let descriptor = PipelineCacheDescriptor { label: None, data, fallback: true };
        // SAFETY: the bytes are those that `get_data` gave: `Sealed` has checked their hash, adapter, driver and version.
        let cache = able.then(|| unsafe { device.create_pipeline_cache(&descriptor) });
        let state = Mutex::new(State { shaders, ..State::default() });
        Self { name: info.name.clone(), cache, file, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What compilations read and fill.
    pub(super) fn cache(&self) -> Option<&PipelineCache> {
        self.cache.as_ref()
    }

    /// A shader was compiled.
    pub(super) fn add(&self, shader: &str) {
        let mut state = self.state();
        if state.shaders.insert(hash(shader.as_bytes())) {
            state.unsaved += 1;
        }
    }

    /// Tell the user what a step that is about to be made ready needs, if that is much: shaders to compile, memory.
    pub(super) fn announce<'a>(&self, shaders: impl IntoIterator<Item = &'a str>, need: Need) {
        let shaders: BTreeSet<u64> = shaders.into_iter().map(|shader| hash(shader.as_bytes())).collect();
        let count = shaders.difference(&self.state().shaders).count();
        let kept = || self.cache.is_some() && self.file.as_ref().is_some_and(Sealed::is_writable);
        let compiling = (count >= MANY).then(|| compiling(count, kept()));
        if let Some(text) = notice(&self.name, compiling, need) {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// Write the file if shaders were compiled since the last time; not at every plan, but when `all` must be there.
    pub(super) fn save(&self, all: bool) {
        let mut state = self.state();
        let due = all || state.saved.is_none_or(|saved| saved.elapsed() > PACE);
        if state.unsaved == 0 || !due {
            return;
        }
        state.saved = Some(Instant::now());
        if let (Some(file), Some(blob)) = (&self.file, self.cache.as_ref().and_then(PipelineCache::get_data)) {
            // A cache is a help: where it cannot be written, the next process compiles again.
            let _ = file.write(&content(&state.shaders, &blob));
        }
        state.unsaved = 0;
    }
}

fn notice(name: &str, compiling: Option<String>, need: Need) -> Option<String> {
    let taking = (need.total() >= MUCH).then(|| format!("the step takes {need}"));
    let parts: Vec<String> = compiling.into_iter().chain(taking).collect();
    (!parts.is_empty()).then(|| format!("trainsmith: on {name}: {}", parts.join("; ")))
}

fn compiling(count: usize, kept: bool) -> String {
    let next = if kept { "cached next time" } else { "at every start: nothing can be cached" };
    format!("compiling {count} shaders ({next})")
}

/// The list of shaders, then the driver's bytes.
fn content(shaders: &BTreeSet<u64>, blob: &[u8]) -> Vec<u8> {
    let count = (shaders.len() as u64).to_le_bytes();
    count.into_iter().chain(shaders.iter().flat_map(|hash| hash.to_le_bytes())).chain(blob.iter().copied()).collect()
}

fn parse(content: &[u8]) -> Option<(BTreeSet<u64>, &[u8])> {
    let number = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).ok();
    let (count, rest) = content.split_at_checked(8)?;
    let (list, blob) = rest.split_at_checked(usize::try_from(number(count)?).ok()?.checked_mul(8)?)?;
    Some((list.chunks_exact(8).filter_map(number).collect(), blob))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_back_its_list_and_its_bytes() {
        let shaders = BTreeSet::from([7, 1 << 60]);
        let bytes = content(&shaders, b"driver");
        assert_eq!(parse(&bytes), Some((shaders, &b"driver"[..])));
        assert_eq!(parse(&bytes[..20]), None, "a list that is longer than the file");
        assert_eq!(parse(&u64::MAX.to_le_bytes()), None);
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn a_notice_promises_only_what_is_kept() {
        assert_eq!(compiling(37, true), "compiling 37 shaders (cached next time)");
        assert!(!compiling(37, false).contains("next time"));
    }

    #[test]
    fn much_memory_is_told_before_the_first_step() {
        let need = |working| Need { given: 0, results: 0, working };
        assert_eq!(notice("card", None, need(MUCH - 1)), None);
        assert_eq!(notice("card", Some("busy".into()), need(0)).unwrap(), "trainsmith: on card: busy");
        let text = notice("card", Some("busy".into()), need(3 << 30)).unwrap();
        assert!(text.starts_with("trainsmith: on card: busy; the step takes 3.0 GiB: "), "{text}");
    }
}
