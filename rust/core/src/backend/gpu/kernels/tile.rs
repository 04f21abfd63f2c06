//! Products through workgroup memory: each thread makes a block of a tile, and a long inner axis is parted.
//!
//! Every size of tile adds the terms of an element in the same order, so the size changes no result.

use super::elementwise;
use super::epilogue::{Epilogue, Leaving};
use crate::backend::gpu::choices::Tile;
use crate::backend::gpu::launch::{Launch, Lowered, Slot, View};
use crate::backend::gpu::shader::{Expr, Kind, Shader};
use crate::dtype::DType;
use crate::error::Result;
use crate::ir::op::BinaryOp;

/// Inner elements of a part of a product at least.
const PART: usize = 1024;
/// Tiles of 64 x 64 from which on there is enough to do without parts.
const ENOUGH: usize = 64;
/// Workgroups in the direction of batches and parts.
pub(super) const MOST: usize = 65_535;

/// How a workgroup is laid out.
#[derive(Clone, Copy)]
struct Plan {
    /// Rows and columns of a tile.
    side: usize,
    /// Inner elements of a tile; as many vectors as threads fill one operand's.
    deep: usize,
    /// Rows and columns of a thread, a multiple of four.
    block: usize,
}

impl Plan {
    fn of(tile: Tile) -> Self {
        match tile {
            Tile::Small => Self { side: 32, deep: 8, block: 4 },
            Tile::Medium => Self { side: 64, deep: 16, block: 4 },
            Tile::Large => Self { side: 128, deep: 8, block: 8 },
        }
    }

    /// Threads in one direction.
    fn across(self) -> usize {
        self.side / self.block
    }

    fn threads(self) -> usize {
        self.across() * self.across()
    }

    /// Vectors of four from one inner element to the next: one more than there are, so that neighbours meet other banks.
    fn pitch(self) -> usize {
        self.side / 4 + 1
    }

    /// Vectors of an operand in workgroup memory: as many for all tiles of as many threads, so that their kernels can
    /// share a dispatch.
    fn room(self) -> usize {
        let room = |plan: Self| plan.deep * plan.pitch();
        let alike = [Tile::Small, Tile::Medium, Tile::Large].map(Self::of);
        alike.into_iter().filter(|plan| plan.threads() == self.threads()).map(room).max().unwrap_or(0)
    }

    /// Vectors of four columns in a thread's block.
    fn vectors(self) -> usize {
        self.block / 4
    }
}

/// Sizes of a product.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) deep: usize,
    /// Products of the batch.
    pub(super) batch: usize,
}

impl Sizes {
    /// Parts of the inner axis: several where there are few tiles and many terms. They depend on the sizes alone, so that
    /// no choice of tiles changes a result.
    pub(super) fn parts(self) -> usize {
        let tiles = self.rows.div_ceil(64) * self.columns.div_ceil(64) * self.batch;
        let wanted = ENOUGH / tiles.max(1);
        wanted.min(self.deep / PART).min(MOST / self.batch.max(1)).max(1)
    }
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

/// Gives the coordinates of an element of the result from its batch, row and column.
type Coordinates<'a> = dyn FnMut(&mut Shader, &str, &str, &str) -> Vec<String> + 'a;

/// Where the elements of a product go: out, or to the sums of a part.
enum Goal<'a, 'b> {
    /// Out, at their coordinates.
    Out(&'a Leaving<'a>, &'a mut Coordinates<'b>),
    /// Into working memory, for so many parts.
    Part(usize),
}

/// The product of the batch that a workgroup works on: all of a batch for one part come before those for the next.
pub(super) fn batch(shader: &mut Shader, sizes: Sizes, parts: usize) -> String {
    if parts == 1 {
        "group.z".to_owned()
    } else {
        let batch = shader.param(sizes.batch);
        shader.index(&format!("group.z % {batch}"))
    }
}

/// Emit a product; what leaves is bound where it is made in one part.
pub(super) fn product(
    shader: Shader,
    tile: Tile,
    sizes: Sizes,
    sides: (Side<'_>, Side<'_>),
    (leaving, epilogue): (Option<Leaving<'_>>, Epilogue<'_>),
    coordinates: &mut Coordinates<'_>,
) -> Result<Lowered> {
    if let Some(leaving) = leaving {
        return tiles(shader, tile, sizes, sides, Goal::Out(&leaving, coordinates)).map(Lowered::from);
    }
    let parts = sizes.parts();
    let first = tiles(shader, tile, sizes, sides, Goal::Part(parts))?;
    add_up(first, sizes, parts, epilogue, coordinates)
}

fn tiles(
    mut shader: Shader,
    tile: Tile,
    sizes: Sizes,
    (left, right): (Side<'_>, Side<'_>),
    goal: Goal<'_, '_>,
) -> Result<Launch> {
    let plan = Plan::of(tile);
    let (side, across, pitch, vectors) = (plan.side, plan.across(), plan.pitch(), plan.vectors());
    let params = [sizes.rows, sizes.columns, sizes.deep].map(|size| shader.param(size));
    let [rows, columns, deep] = &params;
    shader.line(format!("let first_row = group.y * {side}u;"));
    shader.line(format!("let first_column = group.x * {side}u;"));
    let (parts, partial) = match &goal {
        Goal::Out(..) => (1, None),
        Goal::Part(parts) => {
            let shape = [*parts, sizes.batch, sizes.rows, sizes.columns];
            (*parts, Some(shader.operand(Slot::Scratch(0), &View::whole(shape, DType::F32))))
        }
    };
    let (start, end) = if parts == 1 {
        ("0u".to_owned(), deep.clone())
    } else {
        let (batch, chunk) = (shader.param(sizes.batch), shader.param(chunk(sizes.deep, parts)));
        let start = shader.index(&format!("group.z / {batch} * {chunk}"));
        let end = shader.index(&format!("min({start} + {chunk}, {deep})"));
        (start, end)
    };
    let mut left = Filled::new(&mut shader, plan, "left_tile", left, ("first_row", rows));
    let mut right = Filled::new(&mut shader, plan, "right_tile", right, ("first_column", columns));
    for row in 0..plan.block {
        for vector in 0..vectors {
            shader.line(format!("var t{row}_{vector} = vec4<f32>();"));
        }
    }
    shader.line(format!("for (var base = {start}; base < {end}; base += {}u) {{", plan.deep));
    left.fill(&mut shader, plan, &end);
    right.fill(&mut shader, plan, &end);
    shader.line("workgroupBarrier();");
    shader.line(format!("for (var k = 0u; k < {}u; k++) {{", plan.deep));
    for vector in 0..vectors {
        let skip = vector * across;
        shader.line(format!("let x{vector} = left_tile[k * {pitch}u + local / {across}u + {skip}u];"));
        shader.line(format!("let y{vector} = right_tile[k * {pitch}u + local % {across}u + {skip}u];"));
    }
    for row in 0..plan.block {
        let part = ["x", "y", "z", "w"][row % 4];
        for vector in 0..vectors {
            let sum = format!("t{row}_{vector}");
            shader.line(format!("{sum} = fma(vec4<f32>(x{}.{part}), y{vector}, {sum});", row / 4));
        }
    }
    shader.line("}");
    shader.line("workgroupBarrier();");
    shader.line("}");
    // A loop, since what becomes of an element may be long.
    let cells = plan.block * plan.block;
    shader.line(format!("for (var cell = 0u; cell < {cells}u; cell++) {{"));
    shader.line(format!("let line_number = cell / {}u;", plan.block));
    shader.line(format!("let vector_number = cell / 4u % {vectors}u;"));
    let wide = 4 * across;
    shader
        .line(format!("let row = first_row + line_number / 4u * {wide}u + local / {across}u * 4u + line_number % 4u;"));
    shader.line(format!("let column = first_column + vector_number * {wide}u + local % {across}u * 4u + cell % 4u;"));
    shader.line(format!("if row >= {rows} || column >= {columns} {{ continue; }}"));
    shader.line("var line = t0_0;");
    let cases = (1..plan.block * vectors)
        .map(|at| format!("case {at}u: {{ line = t{}_{}; }}", at / vectors, at % vectors))
        .collect::<Vec<_>>();
    shader.line(format!("switch cell / 4u {{ {} default: {{}} }}", cases.join(" ")));
    let total = shader.keep(&Expr::new(Kind::Float, "line[cell % 4u]"));
    match (goal, partial) {
        (Goal::Part(_), Some(partial)) => {
            shader.store(&partial, &format!("(group.z * {rows} + row) * {columns} + column"), &total);
        }
        (Goal::Out(leaving, coordinates), _) => {
            let at = coordinates(&mut shader, "group.z", "row", "column");
            leaving.store(&mut shader, &at, &total)?;
        }
        (Goal::Part(_), None) => {}
    }
    shader.line("}");
    let count = |size: usize| size.div_ceil(side) as u32;
    let groups = [count(sizes.columns), count(sizes.rows), (sizes.batch * parts) as u32];
    Ok(shader.finish(plan.threads() as u32, groups))
}

/// Inner elements of a part.
fn chunk(deep: usize, parts: usize) -> usize {
    // A multiple of what any tile walks at once.
    deep.div_ceil(parts).next_multiple_of(16)
}

/// A product in parts: the sums of each, then what they add up to, in order, on its way out.
fn add_up(
    first: Launch,
    sizes: Sizes,
    parts: usize,
    epilogue: Epilogue<'_>,
    coordinates: &mut Coordinates<'_>,
) -> Result<Lowered> {
    let mut shader = Shader::default();
    let shape = [parts, sizes.batch, sizes.rows, sizes.columns];
    let partial = shader.operand(Slot::Scratch(0), &View::whole(shape, DType::F32));
    let leaving = epilogue.bind(&mut shader);
    let count = sizes.batch * sizes.rows * sizes.columns;
    let place = shader.each(count);
    let [all, rows, columns, parts_word] = [count, sizes.rows, sizes.columns, parts].map(|size| shader.param(size));
    let column = shader.index(&format!("{place} % {columns}"));
    let rest = shader.index(&format!("{place} / {columns}"));
    let row = shader.index(&format!("{rest} % {rows}"));
    let batch = shader.index(&format!("{rest} / {rows}"));
    shader.line("var total = 0.0;");
    shader.line(format!("for (var part = 0u; part < {parts_word}; part++) {{"));
    let element = shader.load(&partial, &format!("part * {all} + {place}"));
    let sum = elementwise::binary(BinaryOp::Add, &Expr::new(Kind::Float, "total"), &element)?;
    shader.line(format!("total = {};", sum.text));
    shader.line("}");
    let at = coordinates(&mut shader, &batch, &row, &column);
    leaving.store(&mut shader, &at, &Expr::new(Kind::Float, "total"))?;
    let last = shader.finish_each(count);
    Ok(Lowered { launches: vec![first, last], scratch: vec![4 * parts * count], ..Lowered::default() })
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
    fn new(shader: &mut Shader, plan: Plan, tile: &'static str, side: Side<'a>, (first, end): (&str, &str)) -> Self {
        shader.global(format!("var<workgroup> {tile}: array<vec4<f32>, {}>;", plan.room()));
        // Neighbouring threads load neighbouring elements.
        let (deep, quads) = (plan.deep, plan.side / 4);
        let (deep, quad) = if side.runs_inner {
            (format!("local % {deep}u"), format!("local / {deep}u"))
        } else {
            (format!("local / {quads}u"), format!("local % {quads}u"))
        };
        let (deep, quad) = (shader.index(&deep), shader.index(&quad));
        let mut lines = Vec::new();
        for part in 0..4 {
            let line = shader.index(&format!("{first} + {quad} * 4u + {part}u"));
            let known = (side.enter)(shader, &line);
            lines.push((shader.index(&format!("{line} < {end}")), known));
        }
        Self { tile, side, deep, quad, lines }
    }

    fn fill(&mut self, shader: &mut Shader, plan: Plan, end: &str) {
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
        let (tile, deep, pitch, quad) = (self.tile, &self.deep, plan.pitch(), &self.quad);
        shader.line(format!("{tile}[{deep} * {pitch}u + {quad}] = vec4<f32>({});", parts.join(", ")));
    }
}
