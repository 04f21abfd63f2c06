//! The WGSL functions that shaders call, each taken into a shader only where it, or one that it takes, is called.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

const SOURCES: [&str; 4] = [
    include_str!("wgsl/int64.wgsl"),
    include_str!("wgsl/convert.wgsl"),
    include_str!("wgsl/float.wgsl"),
    include_str!("wgsl/random.wgsl"),
];

/// A function: its text, and the library's functions and variables that it names.
struct Function {
    text: &'static str,
    names: Vec<&'static str>,
}

static FUNCTIONS: LazyLock<BTreeMap<&'static str, Function>> = LazyLock::new(|| {
    let parts = SOURCES.iter().flat_map(|source| source.split("\n\n"));
    let named = |part: &'static str| Some((name_of(part)?, part));
    let texts: BTreeMap<&str, &str> = parts.flat_map(split_variables).filter_map(named).collect();
    let function = |(&name, &text): (&&'static str, &&'static str)| {
        let names = texts.keys().copied().filter(|other| *other != name && mentions(text, other)).collect();
        (name, Function { text, names })
    };
    texts.iter().map(function).collect()
});

/// Variables stand one to a line.
fn split_variables(part: &'static str) -> Vec<&'static str> {
    if part.contains("\nfn ") || part.starts_with("fn ") { vec![part] } else { part.lines().collect() }
}

fn name_of(part: &'static str) -> Option<&'static str> {
    let line = part.lines().find(|line| line.starts_with("fn ") || line.starts_with("var<private>"))?;
    let rest = line.trim_start_matches("fn ").trim_start_matches("var<private> ");
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

fn mentions(text: &str, name: &str) -> bool {
    let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    text.match_indices(name)
        .any(|(at, _)| edge(text[..at].chars().next_back()) && edge(text[at + name.len()..].chars().next()))
}

/// The functions that a shader's text needs, itself not included.
pub(super) fn needed(text: &str) -> String {
    let mut pending: Vec<&str> = FUNCTIONS.keys().copied().filter(|name| mentions(text, name)).collect();
    let mut taken = BTreeSet::new();
    while let Some(name) = pending.pop() {
        if taken.insert(name) {
            pending.extend(&FUNCTIONS[name].names);
        }
    }
    taken.iter().flat_map(|name| [FUNCTIONS[name].text, "\n\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shader_gets_what_it_calls_and_what_that_calls() {
        let text = needed("let y = logarithm(x);");
        assert!(text.contains("fn logarithm(") && text.contains("fn log_cubic(") && text.contains("bits_of_nan: u32"));
        assert!(!text.contains("fn exponential(") && !text.contains("fn log_one_plus("));
        assert_eq!(needed("let y = x + 1.0;"), "");
    }

    #[test]
    fn no_float_is_added_by_an_atomic() {
        // Sums must not depend on the order in which threads arrive.
        assert!(SOURCES.iter().all(|source| !source.contains("atomic")));
    }
}
