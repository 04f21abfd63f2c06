//! Imports point one way: the table of allowed edges between modules, compared with every path in the sources.
//!
//! The scan reads tokens, not lines: `use crate::{a, b::c}`, paths inside expressions and `super::super::x` all count.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const ERROR: &[&str] = &["error"];
const BASE: &[&str] = &["error", "dtype", "shape", "layout", "rng", "device", "buffer"];

/// What each module of the crate may name, besides itself.
fn allowed() -> BTreeMap<&'static str, Vec<&'static str>> {
    let above_base = |more: &[&'static str]| [BASE, more].concat();
    BTreeMap::from([
        ("error", vec![]),
        ("rng", vec![]),
        ("dtype", ERROR.to_vec()),
        ("shape", ERROR.to_vec()),
        ("device", ERROR.to_vec()),
        ("layout", vec!["shape"]),
        ("buffer", vec!["device", "dtype", "error", "layout", "shape"]),
        ("ir", above_base(&[])),
        ("passes", above_base(&["ir"])),
        ("backend", above_base(&["ir"])),
        ("tensor", above_base(&["ir", "passes", "backend"])),
        ("train", above_base(&["ir", "tensor"])),
        ("io", above_base(&["tensor"])),
        ("data", above_base(&[])),
    ])
}

/// A path that leaves the module it is written in.
#[derive(Debug, PartialEq)]
struct Edge {
    line: usize,
    to: String,
}

#[test]
fn imports_point_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let table = allowed();
    let mut wrong = Vec::new();
    for file in sources(&root) {
        let relative = file.strip_prefix(&root).expect("a file under src");
        let module = module_path(relative);
        let Some(from) = module.first() else { continue };
        let Some(may) = table.get(from.as_str()) else {
            wrong.push(format!("src/{}: module {from} is not in the table", relative.display()));
            continue;
        };
        let text = std::fs::read_to_string(&file).expect("a readable source");
        for edge in edges(&text, &module) {
            if edge.to != *from && !may.contains(&edge.to.as_str()) {
                wrong.push(format!("src/{}:{}: {from} names {}", relative.display(), edge.line, edge.to));
            }
        }
    }
    assert!(wrong.is_empty(), "edges that the table does not allow:\n{}", wrong.join("\n"));
}

#[test]
fn the_table_has_no_cycle() {
    let mut table = allowed();
    while !table.is_empty() {
        let leaves: Vec<&str> = table.iter().filter(|(_, to)| to.is_empty()).map(|(from, _)| *from).collect();
        assert!(!leaves.is_empty(), "a cycle among {:?}", table.keys());
        table.retain(|from, _| !leaves.contains(from));
        for to in table.values_mut() {
            to.retain(|module| !leaves.contains(module));
        }
    }
}

#[test]
fn the_scan_sees_every_way_to_write_a_path() {
    let source = r##"
        // crate::comment and "crate::text" are none
        use crate::{error::Result, shape::{Shape, self}};
        fn f() -> crate::ir::op::Op { super::super::train::go("crate::text \" {", r"\", r#" " crate::io "#) }
        use super::node;
        mod tests { use super::super::x; fn g<'a>() { let c = '"'; crate::io::read(); } }
    "##;
    let module = ["ir".to_string(), "op".to_string()];
    let found: Vec<String> = edges(source, &module).into_iter().map(|edge| edge.to).collect();
    assert_eq!(found, ["error", "shape", "ir", "train", "ir", "ir", "io"]);
    let line = edges(source, &module)[3].line;
    assert_eq!(line, 4);
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// `ir/op.rs` is `[ir, op]`, `ir/mod.rs` is `[ir]`, `lib.rs` is the root.
fn module_path(relative: &Path) -> Vec<String> {
    let whole = relative.with_extension("");
    let mut parts: Vec<String> = whole.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib")) {
        parts.pop();
    }
    parts
}

/// Top-level modules that paths in `source` lead to.
fn edges(source: &str, module: &[String]) -> Vec<Edge> {
    let tokens = tokens(source);
    let text = |i: usize| tokens.get(i).map_or("", |token| token.1.as_str());
    let mut here: Vec<String> = module.to_vec();
    let mut inline: Vec<usize> = Vec::new();
    let mut depth = 0;
    let mut found = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        match text(i) {
            "mod" if text(i + 2) == "{" => {
                here.push(text(i + 1).to_string());
                inline.push(depth);
                i += 1;
            }
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                if inline.last() == Some(&depth) {
                    inline.pop();
                    here.pop();
                }
            }
            "crate" | "super" if text(i + 1) == "::" => {
                let line = tokens[i].0;
                let mut from = if text(i) == "crate" { 0 } else { here.len().saturating_sub(1) };
                i += 2;
                while text(i) == "super" {
                    from = from.saturating_sub(1);
                    i += 2;
                }
                let names = if from > 0 { vec![here[0].clone()] } else { heads(&tokens, i) };
                found.extend(names.into_iter().map(|to| Edge { line, to }));
                continue;
            }
            _ => {}
        }
        i += 1;
    }
    found
}

/// First names of the path, or of each path in the group, that starts at token `i`; a root re-export counts as its module.
fn heads(tokens: &[(usize, String)], mut i: usize) -> Vec<String> {
    let own = |name: &str| if matches!(name, "Error" | "Result") { "error".to_string() } else { name.to_string() };
    if tokens[i].1 != "{" {
        return vec![own(&tokens[i].1)];
    }
    let (mut names, mut depth, mut first) = (Vec::new(), 0, true);
    loop {
        match tokens[i].1.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," if depth == 1 => first = true,
            name if depth == 1 && first => {
                names.push(own(name));
                first = false;
            }
            _ => {}
        }
        if depth == 0 {
            return names;
        }
        i += 1;
    }
}

/// Words, `::` and single marks with their lines; comments, strings and characters are left out.
fn tokens(source: &str) -> Vec<(usize, String)> {
    let chars: Vec<char> = source.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let (mut found, mut line, mut i) = (Vec::new(), 1, 0);
    while i < chars.len() {
        let start = i;
        match at(i) {
            '/' if at(i + 1) == '/' => {
                while i < chars.len() && at(i) != '\n' {
                    i += 1;
                }
            }
            '"' => {
                i += 1;
                while i < chars.len() && at(i) != '"' {
                    i += if at(i) == '\\' { 2 } else { 1 };
                }
                i += 1;
            }
            '\'' if at(i + 2) == '\'' => i += 3,
            '\'' if at(i + 1) == '\\' => {
                i += 3;
                while at(i) != '\'' {
                    i += 1;
                }
                i += 1;
            }
            ':' if at(i + 1) == ':' => {
                found.push((line, "::".to_string()));
                i += 2;
            }
            c if c.is_alphanumeric() || c == '_' => {
                while at(i).is_alphanumeric() || at(i) == '_' {
                    i += 1;
                }
                let hashes = chars[i..].iter().take_while(|&&c| c == '#').count();
                if at(start) == 'r' && i == start + 1 && at(i + hashes) == '"' {
                    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
                    i += hashes + 1;
                    while i < chars.len() && !chars[i..].starts_with(&end) {
                        i += 1;
                    }
                    i += end.len();
                } else {
                    found.push((line, chars[start..i].iter().collect()));
                }
            }
            c => {
                if !c.is_whitespace() {
                    found.push((line, c.to_string()));
                }
                i += 1;
            }
        }
        line += chars[start..i.min(chars.len())].iter().filter(|&&c| c == '\n').count();
    }
    found
}
