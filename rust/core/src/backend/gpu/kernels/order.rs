//! Sorting: blocks by counting, then runs merged pairwise; every element finds its own place, so sorting is stable.

use super::reduce::lines;
use crate::backend::gpu::launch::{Launch, Lowered, Slot, View};
use crate::backend::gpu::shader::{Expr, Kind, Operand, Shader};
use crate::dtype::DType;
use crate::error::Result;

/// Elements that are ordered by counting.
const BLOCK: usize = 64;

/// Elements in order along an axis, and their positions.
pub(in crate::backend::gpu) fn sort(
    axis: usize,
    descending: bool,
    x: &View,
    values: &View,
    positions: &View,
) -> Result<Lowered> {
    let length = x.shape()[axis];
    let count = x.shape().numel();
    let order = Order { axis, descending, x, count };
    // Where an element of the sorted line comes from, in two buffers by turns.
    let table = View::whole([count], DType::U32);
    let mut launches = vec![order.blocks(&table)?];
    let (mut from, mut width) = (0, BLOCK);
    while width < length {
        launches.push(order.merge(&table, from, width)?);
        (from, width) = (1 - from, 2 * width);
    }
    launches.push(order.take(&table, from, values, positions)?);
    Ok(Lowered { launches, scratch: vec![4 * count; 2], ..Lowered::default() })
}

struct Order<'a> {
    axis: usize,
    descending: bool,
    x: &'a View,
    count: usize,
}

/// A shader with a thread for each element: line and place in it.
struct Thread {
    shader: Shader,
    source: Operand,
    /// Start of the line in the input.
    line: String,
    /// Start of the line in the tables.
    base: String,
    place: String,
    length: String,
    step: String,
}

impl Order<'_> {
    fn thread(&self) -> Thread {
        let mut shader = Shader::default();
        let source = shader.operand(Slot::Input(0), self.x);
        let i = shader.each(self.count);
        let lines = lines(self.axis, self.x, &[]);
        let length = shader.param(self.x.shape()[self.axis]);
        let number = shader.index(&format!("{i} / {length}"));
        let place = shader.index(&format!("{i} % {length}"));
        let line = shader.positions(&lines, &number).remove(0);
        let base = shader.index(&format!("{number} * {length}"));
        let step = shader.word(self.x.layout.strides()[self.axis] as u32);
        Thread { shader, source, line, base, place, length, step }
    }

    /// Whether one element stands before another.
    fn compare(&self, shader: &mut Shader) {
        let kind = Kind::of(self.x.dtype);
        let less = match kind {
            Kind::Float => "a < b || (!is_nan(a) && is_nan(b))",
            Kind::Signed => "less_i64(a, b)",
            Kind::Unsigned => "less_u64(a, b)",
            Kind::Truth => "!a && b",
        };
        let kind = kind.wgsl();
        shader.global(format!("fn is_less(a: {kind}, b: {kind}) -> bool {{ return {less}; }}"));
        let (x, y) = if self.descending { ("b", "a") } else { ("a", "b") };
        shader.global(format!(
            "fn is_before(a: {kind}, at: u32, b: {kind}, bt: u32) -> bool {{\n    if is_less({x}, {y}) {{ return true; }}\n    \
             return !is_less({y}, {x}) && at < bt;\n}}"
        ));
    }

    /// Order each block by counting what stands before each element.
    fn blocks(&self, table: &View) -> Result<Launch> {
        let mut t = self.thread();
        self.compare(&mut t.shader);
        let to = t.shader.operand(Slot::Scratch(0), table);
        let mine = t.element(&t.place.clone());
        let start = t.shader.index(&format!("({} / {BLOCK}u) * {BLOCK}u", t.place));
        t.shader.line("var rank = 0u;");
        t.shader.line(format!("for (var k = {start}; k < min({start} + {BLOCK}u, {}); k++) {{", t.length));
        let other = t.element("k");
        t.shader.line(format!("if is_before({}, k, {}, {}) {{ rank++; }}", other.text, mine.text, t.place));
        t.shader.line("}");
        let target = t.shader.target(&to, &format!("{} + {start} + rank", t.base));
        t.shader.line(format!("{target} = {};", t.place));
        Ok(t.shader.finish_each(self.count))
    }

    /// Merge neighbouring runs: each element counts those of the other run that stand before it.
    fn merge(&self, table: &View, from: usize, width: usize) -> Result<Launch> {
        let mut t = self.thread();
        self.compare(&mut t.shader);
        let (read, write) =
            (t.shader.operand(Slot::Scratch(from), table), t.shader.operand(Slot::Scratch(1 - from), table));
        let width = t.shader.param(width);
        let run = t.shader.index(&format!("{} / {width}", t.place));
        let pair = t.shader.index(&format!("(run_of({run})) * {width}"));
        t.shader.global("fn run_of(run: u32) -> u32 { return run - (run & 1u); }");
        let start = t.shader.index(&format!("min((run_of({run}) + 1u - ({run} & 1u)) * {width}, {})", t.length));
        let end = t.shader.index(&format!("min({start} + {width}, {})", t.length));
        let own = t.shader.index(&read.place(&format!("{} + {}", t.base, t.place)));
        let mine = t.element(&own);
        t.shader.line(format!("var low = {start};"));
        t.shader.line(format!("var high = {end};"));
        t.shader.line("while low < high {");
        t.shader.line("let middle = (low + high) / 2u;");
        let other = t.shader.index(&read.place(&format!("{} + middle", t.base)));
        let element = t.element(&other);
        t.shader.line(format!(
            "if is_before({}, {other}, {}, {own}) {{ low = middle + 1u; }} else {{ high = middle; }}",
            element.text, mine.text
        ));
        t.shader.line("}");
        let rank = format!("{pair} + ({} - {run} * {width}) + (low - {start})", t.place);
        let target = t.shader.target(&write, &format!("{} + {rank}", t.base));
        t.shader.line(format!("{target} = {own};"));
        Ok(t.shader.finish_each(self.count))
    }

    /// Write elements and positions in the order of the table.
    fn take(&self, table: &View, from: usize, values: &View, positions: &View) -> Result<Launch> {
        let mut t = self.thread();
        let read = t.shader.operand(Slot::Scratch(from), table);
        let (to, at) = (t.shader.operand(Slot::Output(0), values), t.shader.operand(Slot::Output(1), positions));
        let own = t.shader.index(&read.place(&format!("{} + {}", t.base, t.place)));
        let value = t.element(&own);
        let number = t.shader.index(&format!("{} / {}", t.base, t.length));
        for (target, view, value) in
            [(&to, values, value), (&at, positions, Expr::new(Kind::Signed, format!("vec2<u32>({own}, 0u)")))]
        {
            let line = t.shader.positions(&lines(self.axis, view, &[]), &number).remove(0);
            let step = t.shader.word(view.layout.strides()[self.axis] as u32);
            let place = format!("{line} + {} * {step}", t.place);
            t.shader.store(target, &place, &value);
        }
        Ok(t.shader.finish_each(self.count))
    }
}

impl Thread {
    /// Element `place` of the thread's line.
    fn element(&mut self, place: &str) -> Expr {
        let at = format!("{} + {place} * {}", self.line, self.step);
        let source = self.source.clone();
        self.shader.load(&source, &at)
    }
}
