//! Checks on data: where the first element is that breaks a rule.

use crate::backend::gpu::launch::{Launch, Rule, Slot, View};
use crate::backend::gpu::shader::{Operand, Shader};
use crate::error::Result;

/// What a check writes in place of a number where no element breaks the rule.
pub(in crate::backend::gpu) const PASSED: u32 = u32::MAX;

/// Threads of the one workgroup.
const TOGETHER: u32 = 256;

/// Words of a plan's status that its calls share.
pub(in crate::backend::gpu) struct Marks {
    /// Whether a check has failed.
    pub(in crate::backend::gpu) failed: View,
    /// Whether that was in a call that is over: later calls leave its answers alone.
    pub(in crate::backend::gpu) sealed: View,
    /// Calls that have passed.
    pub(in crate::backend::gpu) passed: View,
}

/// For each check write the row-major place of the first element that breaks its rule, and the element; nothing where none does.
///
/// A workgroup for each check, which comes with the word of `status` from which its answer is written.
///
/// A failing check sets the mark that a call has failed; none looks once an earlier call has.
pub(in crate::backend::gpu) fn guards(
    checks: &[(&Rule, &View, usize)],
    status: &View,
    marks: Option<&Marks>,
) -> Result<Launch> {
    let mut shader = Shader::default();
    let operands: Vec<Operand> =
        checks.iter().enumerate().map(|(place, (_, x, _))| shader.operand(Slot::Input(place), x)).collect();
    let to = shader.operand(Slot::Output(0), status);
    shader.global(format!("var<workgroup> shared_places: array<u32, {TOGETHER}>;"));
    let marks = marks.map(|marks| [&marks.failed, &marks.sealed].map(|mark| shader.operand(Slot::Output(0), mark)));
    let open = marks.as_ref().map_or_else(|| "true".to_owned(), |[_, sealed]| format!("{} == 0u", sealed.place("0u")));
    shader.line(format!("let open = {open};"));
    shader.line(format!("var found = {PASSED}u;"));
    for (number, ((rule, x, _), from)) in checks.iter().zip(&operands).enumerate() {
        let count = shader.param(x.shape().numel());
        shader.line(format!("if open && group.x == {number}u {{"));
        shader.line(format!("for (var k = local; k < {count}; k += {TOGETHER}u) {{"));
        let element = element(&mut shader, from, x, "k");
        let broken = match rule {
            Rule::Finite => format!("(bitcast<u32>({element}) & 0x7f800000u) == 0x7f800000u"),
            Rule::Below(size) => {
                let (low, high) = (shader.word(*size as u32), shader.word((*size as u64 >> 32) as u32));
                format!("!less_u64({element}, vec2<u32>({low}, {high}))")
            }
        };
        shader.line(format!("if {broken} {{ found = k; break; }}"));
        shader.line("} }");
    }
    shader.line("shared_places[local] = found;");
    shader.line(format!("for (var half = {}u; half > 0u; half = half >> 1u) {{", TOGETHER / 2));
    shader.line("workgroupBarrier();");
    shader.line("if local < half { shared_places[local] = min(shared_places[local], shared_places[local + half]); }");
    shader.line("}");
    shader.line("workgroupBarrier();");
    shader.line(format!("if local != 0u || shared_places[0] == {PASSED}u {{ return; }}"));
    if let Some([failed, _]) = &marks {
        // Checks that fail together all write the same word, so their order does not show.
        shader.line(format!("{} = 1u;", failed.place("0u")));
    }
    for (number, ((rule, x, answer), from)) in checks.iter().zip(&operands).enumerate() {
        shader.line(format!("if group.x == {number}u {{"));
        let answer = shader.param(*answer);
        let target = shader.target(&to, &answer);
        shader.line(format!("{target} = shared_places[0];"));
        let element = element(&mut shader, from, x, "shared_places[0]");
        let texts = match rule {
            Rule::Finite => vec![format!("bitcast<u32>({element})")],
            Rule::Below(_) => vec![format!("{element}.x"), format!("{element}.y")],
        };
        for (word, text) in texts.iter().enumerate() {
            let target = shader.target(&to, &format!("{answer} + {}u", word + 1));
            shader.line(format!("{target} = {text};"));
        }
        shader.line("}");
    }
    Ok(shader.finish(TOGETHER, [checks.len() as u32, 1, 1]))
}

/// The kernel that ends a call of a plan: it counts the call, or closes the answers to later calls.
pub(in crate::backend::gpu) fn seal(marks: &Marks) -> Launch {
    let mut shader = Shader::default();
    let [failed, sealed, passed] =
        [&marks.failed, &marks.sealed, &marks.passed].map(|mark| shader.operand(Slot::Output(0), mark));
    shader.each(1);
    let (close, count) = (shader.target(&sealed, "0u"), shader.target(&passed, "0u"));
    shader.line(format!("if {} != 0u {{ {close} = 1u; }} else {{ {count} += 1u; }}", failed.place("0u")));
    shader.finish_each(1)
}

/// A kernel that does nothing once a check has failed.
pub(in crate::backend::gpu) fn mask(mut launch: Launch, failed: &View) -> Launch {
    let wanted = (Slot::Status, "u32");
    let known = launch.bindings.iter().position(|binding| *binding == wanted);
    let binding = 1 + known.unwrap_or_else(|| {
        launch.bindings.push(wanted);
        launch.bindings.len() - 1
    });
    launch.footprint.read(Slot::Status, failed);
    launch.params.push(failed.layout.offset() as u32);
    let word = format!("$b{binding};[$p{};]", launch.params.len() - 1);
    let test = if launch.body.contains("Barrier") {
        // All threads of a workgroup must take the same way past a barrier, and a compiler must see that they do.
        launch.globals.push("var<workgroup> shared_mask: u32;".into());
        format!(
            "    if local == 0u {{ shared_mask = {word}; }}\n    if workgroupUniformLoad(&shared_mask) != 0u {{ return; }}\n"
        )
    } else {
        format!("    if {word} != 0u {{ return; }}\n")
    };
    launch.body.insert_str(0, &test);
    launch
}

/// The element at a row-major place.
fn element(shader: &mut Shader, from: &Operand, x: &View, place: &str) -> String {
    let coordinates = shader.coordinates(x.shape(), place);
    let at = shader.position(x.layout.strides(), &coordinates);
    shader.load(from, &at).text
}
