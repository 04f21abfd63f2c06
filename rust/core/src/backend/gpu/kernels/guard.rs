//! Checks on data: where the first element is that breaks a rule.

use crate::backend::gpu::launch::{Launch, Rule, Slot, View};
use crate::backend::gpu::shader::Shader;
use crate::error::Result;

/// What a check writes in place of a number where no element breaks the rule.
pub(in crate::backend::gpu) const PASSED: u32 = u32::MAX;

/// Threads of the one workgroup.
const TOGETHER: u32 = 256;

/// Write the row-major place of the first element that breaks a rule, and the element; nothing where none does.
pub(in crate::backend::gpu) fn guard(rule: &Rule, x: &View, status: &View) -> Result<Launch> {
    let mut shader = Shader::default();
    let (from, to) = (shader.operand(Slot::Input(0), x), shader.operand(Slot::Output(0), status));
    shader.global(format!("var<workgroup> shared_values: array<u32, {TOGETHER}>;"));
    let count = shader.param(x.shape().numel());
    shader.line(format!("var found = {PASSED}u;"));
    shader.line(format!("for (var k = local; k < {count}; k += {TOGETHER}u) {{"));
    let coordinates = shader.coordinates(x.shape(), "k");
    let at = shader.position(x.layout.strides(), &coordinates);
    let element = shader.load(&from, &at).text;
    let broken = match rule {
        Rule::Finite => format!("(bitcast<u32>({element}) & 0x7f800000u) == 0x7f800000u"),
        Rule::Below(size) => {
            let (low, high) = (shader.word(*size as u32), shader.word((*size as u64 >> 32) as u32));
            format!("!less_u64({element}, vec2<u32>({low}, {high}))")
        }
    };
    shader.line(format!("if {broken} {{ found = k; break; }}"));
    shader.line("}");
    shader.line("shared_values[local] = found;");
    shader.line(format!("for (var half = {}u; half > 0u; half = half >> 1u) {{", TOGETHER / 2));
    shader.line("workgroupBarrier();");
    shader.line("if local < half { shared_values[local] = min(shared_values[local], shared_values[local + half]); }");
    shader.line("}");
    shader.line("workgroupBarrier();");
    shader.line(format!("if local != 0u || shared_values[0] == {PASSED}u {{ return; }}"));
    shader.line(format!("{} = shared_values[0];", to.place("0u")));
    let coordinates = shader.coordinates(x.shape(), "shared_values[0]");
    let at = shader.position(x.layout.strides(), &coordinates);
    let element = shader.load(&from, &at).text;
    let words = match rule {
        Rule::Finite => vec![format!("bitcast<u32>({element})")],
        Rule::Below(_) => vec![format!("{element}.x"), format!("{element}.y")],
    };
    for (word, text) in words.iter().enumerate() {
        shader.line(format!("{} = {text};", to.place(&format!("{}u", word + 1))));
    }
    Ok(shader.finish(TOGETHER, [1, 1, 1]))
}
