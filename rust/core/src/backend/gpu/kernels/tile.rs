//! Products through workgroup memory: each of 256 threads makes 4 x 4 elements of a tile of 64 x 64.

use super::epilogue::Leaving;
use crate::backend::gpu::launch::Launch;
use crate::backend::gpu::shader::{Expr, Kind, Shader};
use crate::error::Result;

/// Rows and columns of a tile.
const TILE: usize = 64;
/// Inner elements of a tile.
pub(super) const DEEP: usize = 16;
/// Vectors of four from one inner element to the next: one more than there are, so that neighbours meet other banks.
const PITCH: usize = TILE / 4 + 1;

/// Sizes of a product.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) deep: usize,
    /// Products of the batch.
    pub(super) batch: usize,
}

/// How one operand is read.
pub(super) struct Side<'a> {
    /// Whether elements that are neighbours along the inner axis lie closer than those of neighbouring rows or columns.
    pub(super) runs_inner: bool,
    /// What is known of a row or column before the walk along the inner axis.
    pub(super) enter: &'a mut dyn FnMut(&mut Shader, &str) -> Vec<String>,
    /// The element of such a row or column at an inner place.
    pub(super) load: &'a mut dyn FnMut(&mut Shader, &[String], &str) -> Expr,
}

/// Emit a product; `coordinates` gives those of an element of the result from its batch, row and column.
pub(super) fn tiles(
    mut shader: Shader,
    sizes: Sizes,
    (left, right): (Side<'_>, Side<'_>),
    leaving: &Leaving<'_>,
    coordinates: &mut dyn FnMut(&mut Shader, &str, &str, &str) -> Vec<String>,
) -> Result<Launch> {
    let params = [sizes.rows, sizes.columns, sizes.deep].map(|size| shader.param(size));
    let [rows, columns, deep] = &params;
    shader.line(format!("let first_row = group.y * {TILE}u;"));
    shader.line(format!("let first_column = group.x * {TILE}u;"));
    let mut left = Filled::new(&mut shader, "left_tile", left, ("first_row", rows));
    let mut right = Filled::new(&mut shader, "right_tile", right, ("first_column", columns));
    for row in 0..4 {
        shader.line(format!("var t{row} = vec4<f32>();"));
    }
    shader.line(format!("for (var base = 0u; base < {deep}; base += {DEEP}u) {{"));
    left.fill(&mut shader, deep);
    right.fill(&mut shader, deep);
    shader.line("workgroupBarrier();");
    shader.line(format!("for (var k = 0u; k < {DEEP}u; k++) {{"));
    shader.line(format!("let x = left_tile[k * {PITCH}u + local / 16u];"));
    shader.line(format!("let y = right_tile[k * {PITCH}u + local % 16u];"));
    for (row, part) in ["x", "y", "z", "w"].iter().enumerate() {
        shader.line(format!("t{row} = fma(vec4<f32>(x.{part}), y, t{row});"));
    }
    shader.line("}");
    shader.line("workgroupBarrier();");
    shader.line("}");
    // A loop, since what becomes of an element may be long.
    shader.line("for (var cell = 0u; cell < 16u; cell++) {");
    shader.line("let row = first_row + local / 16u * 4u + cell / 4u;");
    shader.line("let column = first_column + local % 16u * 4u + cell % 4u;");
    shader.line(format!("if row >= {rows} || column >= {columns} {{ continue; }}"));
    shader.line("var line = t0;");
    shader.line(
        "switch cell / 4u { case 1u: { line = t1; } case 2u: { line = t2; } case 3u: { line = t3; } default: {} }",
    );
    let total = shader.keep(&Expr::new(Kind::Float, "line[cell % 4u]"));
    let at = coordinates(&mut shader, "group.z", "row", "column");
    leaving.store(&mut shader, &at, &total)?;
    shader.line("}");
    let groups = [sizes.columns.div_ceil(TILE) as u32, sizes.rows.div_ceil(TILE) as u32, sizes.batch as u32];
    Ok(shader.finish(256, groups))
}

/// A tile of an operand, of which each thread fills one vector.
struct Filled<'a> {
    tile: &'static str,
    side: Side<'a>,
    deep: String,
    quad: String,
    /// For each of four rows or columns: whether it is there, and what is known of it.
    lines: Vec<(String, Vec<String>)>,
}

impl<'a> Filled<'a> {
    fn new(shader: &mut Shader, tile: &'static str, side: Side<'a>, (first, end): (&str, &str)) -> Self {
        shader.global(format!("var<workgroup> {tile}: array<vec4<f32>, {}>;", DEEP * PITCH));
        // Neighbouring threads load neighbouring elements.
        let (deep, quad) =
            if side.runs_inner { ("local % 16u", "local / 16u") } else { ("local / 16u", "local % 16u") };
        let (deep, quad) = (shader.index(deep), shader.index(quad));
        let mut lines = Vec::new();
        for part in 0..4 {
            let line = shader.index(&format!("{first} + {quad} * 4u + {part}u"));
            let known = (side.enter)(shader, &line);
            lines.push((shader.index(&format!("{line} < {end}")), known));
        }
        Self { tile, side, deep, quad, lines }
    }

    fn fill(&mut self, shader: &mut Shader, end: &str) {
        let inner = shader.index(&format!("base + {}", self.deep));
        let mut parts = Vec::new();
        for (there, known) in &self.lines {
            let part = shader.name();
            shader.line(format!("var {part} = 0.0;"));
            shader.line(format!("if {there} && {inner} < {end} {{"));
            let element = (self.side.load)(shader, known, &inner);
            shader.line(format!("{part} = {}; }}", element.text));
            parts.push(part);
        }
        shader.line(format!(
            "{}[{} * {PITCH}u + {}] = vec4<f32>({});",
            self.tile,
            self.deep,
            self.quad,
            parts.join(", ")
        ));
    }
}
