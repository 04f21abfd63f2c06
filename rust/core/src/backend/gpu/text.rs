//! From kernels to the text of a shader; kernels that do not touch each other's values become one.

use super::clock::together;
use super::footprint::Footprint;
use super::launch::{Launch, Slot};
use super::library;
use super::shader::MOST_GROUPS;
use crate::backend::profile::Label;
use std::fmt::Write;
use std::sync::Arc;

/// Bytes of statements that one shader holds at most when kernels are merged.
const LONGEST: usize = 48 << 10;

/// A dispatch as a GPU takes it.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// The shader; equal texts are one pipeline.
    pub(super) shader: Arc<str>,
    /// What bindings 1, 2, ... are bound to.
    pub(super) slots: Vec<Slot>,
    /// The words of binding 0.
    pub(super) params: Vec<u32>,
    /// Workgroups in each direction.
    pub(super) groups: [u32; 3],
    /// What a profile calls it.
    pub(super) label: Option<Arc<Label>>,
}

impl Launch {
    /// The final text.
    pub(super) fn text(&self) -> Text {
        let mut params = self.params.clone();
        let statements = format!("{}\n{}", self.globals.join("\n"), self.body);
        let library = library::needed(&statements);
        let zero = params.len();
        if library.contains("opaque(") || statements.contains("opaque(") {
            params.push(0);
        }
        let mut shader = String::new();
        let vectors = params.len().div_ceil(4).max(1);
        let _ = writeln!(shader, "@group(0) @binding(0) var<uniform> params: array<vec4<u32>, {vectors}>;");
        for (at, (_, element)) in self.bindings.iter().enumerate() {
            let at = at + 1;
            let _ = writeln!(shader, "@group(0) @binding({at}) var<storage, read_write> b{at}: array<{element}>;");
        }
        if params.len() > zero {
            // A zero that compilers do not know: sums around it are computed as they are written.
            let zero = word(zero);
            let _ = writeln!(shader, "fn opaque(x: f32) -> f32 {{ return bitcast<f32>(bitcast<u32>(x) ^ {zero}); }}");
        }
        let _ = write!(
            shader,
            "{}\n{library}@compute @workgroup_size({})\nfn main(@builtin(global_invocation_id) global: vec3<u32>, \
             @builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>, \
             @builtin(num_workgroups) groups: vec3<u32>) {{\n{}}}\n",
            self.globals.join("\n"),
            self.threads,
            marked(&self.body, &|binding| format!("b{binding}"), &word),
        );
        let slots = self.bindings.iter().map(|(slot, _)| *slot).collect();
        Text { shader: shader.into(), slots, params, groups: self.groups, label: self.label.clone() }
    }
}

/// Whether a kernel can run in one dispatch with others, which then has at most so many bindings.
pub(super) fn can_join(others: &[Launch], launch: &Launch, most: usize) -> bool {
    let mut bindings: Vec<_> = others.iter().chain([launch]).flat_map(|kernel| &kernel.bindings).collect();
    bindings.sort_unstable_by_key(|(slot, element)| (format!("{slot:?}"), *element));
    bindings.dedup();
    let length: usize = others.iter().chain([launch]).map(|kernel| kernel.body.len()).sum();
    // Workgroup memory is shared by name.
    let name = |global: &str| global.split(':').next().map(str::to_owned);
    let clash = |a: &String| launch.globals.iter().any(|b| a != b && name(a) == name(b));
    bindings.len() <= most
        && length <= LONGEST
        && others.iter().all(|other| other.threads == launch.threads && !other.globals.iter().any(clash))
}

/// Kernels as one: each has some of the workgroups.
pub(super) fn merged(kernels: &[Launch]) -> Launch {
    if let [only] = kernels {
        return only.clone();
    }
    let threads = kernels.first().map_or(1, |kernel| kernel.threads);
    let mut whole = Launch {
        bindings: Vec::new(),
        footprint: Footprint::default(),
        params: Vec::new(),
        globals: Vec::new(),
        body: "    let number = group.x + group.y * groups.x;\n".into(),
        threads,
        groups: [0; 3],
        label: Some(Arc::new(together(kernels.iter().filter_map(|kernel| kernel.label.as_deref())))),
    };
    let mut first = 0;
    for kernel in kernels {
        let mut places = Vec::new();
        for binding in &kernel.bindings {
            let known = whole.bindings.iter().position(|known| known == binding);
            places.push(known.unwrap_or(whole.bindings.len()) + 1);
            if known.is_none() {
                whole.bindings.push(*binding);
            }
        }
        whole.footprint.add(&kernel.footprint);
        for global in &kernel.globals {
            if !whole.globals.contains(global) {
                whole.globals.push(global.clone());
            }
        }
        let at = whole.params.len();
        let ([x, y, z], base) = (kernel.groups, at + 5);
        let end = first + x * y * z;
        whole.params.extend([first, end, x, y, z]);
        whole.params.extend(&kernel.params);
        let word = |word: usize| format!("$p{word};");
        let body = marked(&kernel.body, &|binding| format!("$b{};", places[binding - 1]), &|at| word(base + at));
        let _ = write!(
            whole.body,
            "    if number >= {low} && number < {high} {{\n    let own = number - {low};\n    \
             let groups = vec3<u32>({x}, {y}, {z});\n    \
             let group = vec3<u32>(own % {x}, own / {x} % {y}, own / ({x} * {y}));\n    \
             let global = vec3<u32>(group.x * {threads}u + local, group.y, group.z);\n    {{\n{body}    }} }} else ",
            low = word(at),
            high = word(at + 1),
            x = word(at + 2),
            y = word(at + 3),
            z = word(at + 4),
        );
        first = end;
    }
    whole.body.push_str("{}\n");
    let rows = first.div_ceil(MOST_GROUPS).max(1);
    whole.groups = [first.div_ceil(rows), rows, 1];
    whole
}

/// Word `at` of binding 0.
fn word(at: usize) -> String {
    format!("params[{}].{}", at / 4, ["x", "y", "z", "w"][at % 4])
}

/// A text in which marks are replaced.
fn marked(text: &str, binding: &dyn Fn(usize) -> String, word: &dyn Fn(usize) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, mark)) = rest.split_once('$') {
        out.push_str(before);
        let (mark, after) = mark.split_once(';').unwrap_or((mark, ""));
        let number = mark[1..].parse().unwrap_or(0);
        out.push_str(&if mark.starts_with('b') { binding(number) } else { word(number) });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::gpu::launch::View;
    use crate::backend::gpu::shader::Shader;
    use crate::dtype::DType;

    fn kernel(slot: Slot, count: usize) -> Launch {
        let mut shader = Shader::default();
        let view = View::whole([count], DType::F32);
        let to = shader.operand(slot, &view);
        let place = shader.each(count);
        let value = shader.scalar(crate::dtype::Scalar::Float(1.0), DType::F32);
        shader.store(&to, &place, &value);
        shader.finish_each(count)
    }

    #[test]
    fn merged_kernels_share_bindings_and_keep_their_numbers() {
        let kernels = [kernel(Slot::Arena, 100), kernel(Slot::Exit(0), 65), kernel(Slot::Arena, 3)];
        assert!(can_join(&kernels[..2], &kernels[2], 2) && !can_join(&kernels[..1], &kernels[1], 1));
        let whole = merged(&kernels);
        assert_eq!((whole.bindings.len(), whole.groups), (2, [3, 1, 1]));
        let text = whole.text();
        assert!(!text.shader.contains('$'), "{}", text.shader);
        assert_eq!(text.slots, [Slot::Arena, Slot::Exit(0)]);
        assert_eq!(text.params.len(), whole.params.len());
        let other = Launch { threads: 64, ..kernels[0].clone() };
        assert!(!can_join(&kernels, &other, 8), "workgroups of another size");
    }
}
