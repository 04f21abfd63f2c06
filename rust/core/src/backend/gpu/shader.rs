//! One kernel in the making: bindings, numbers, statements.

use super::footprint::{Footprint, Stretch};
use super::launch::{Launch, Slot, View};
use super::space::Space;
use crate::dtype::{DType, Scalar};

/// Threads of a workgroup where a kernel has no reason for another number.
pub(super) const THREADS: u32 = 256;
/// Workgroups in one direction.
pub(super) const MOST_GROUPS: u32 = 65_535;

/// What kernels compute in; narrow dtypes widen on load and are cut on store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// `f32`.
    Float,
    /// A signed 64-bit integer, `vec2<u32>`.
    Signed,
    /// An unsigned 64-bit integer, `vec2<u32>`.
    Unsigned,
    /// `bool`.
    Truth,
}

impl Kind {
    /// What a dtype is computed in.
    pub(super) fn of(dtype: DType) -> Self {
        match dtype.compute() {
            DType::Bool => Self::Truth,
            DType::I64 => Self::Signed,
            DType::U64 => Self::Unsigned,
            _ => Self::Float,
        }
    }

    /// The WGSL type.
    pub(super) fn wgsl(self) -> &'static str {
        match self {
            Self::Float => "f32",
            Self::Signed | Self::Unsigned => "vec2<u32>",
            Self::Truth => "bool",
        }
    }
}

/// A WGSL expression.
#[derive(Clone, Debug)]
pub(super) struct Expr {
    /// The text, safe inside any other expression.
    pub(super) text: String,
    /// Its type.
    pub(super) kind: Kind,
}

impl Expr {
    pub(super) fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { text: text.into(), kind }
    }
}

/// The WGSL type in which elements are stored: 64-bit integers take two words, everything else one.
fn stored(dtype: DType) -> &'static str {
    match dtype {
        DType::I64 | DType::U64 => "vec2<u32>",
        DType::I8 | DType::I16 | DType::I32 => "i32",
        DType::Bool | DType::U8 | DType::U16 | DType::U32 => "u32",
        DType::F16 | DType::BF16 | DType::F32 | DType::F64 => "f32",
    }
}

/// An operand inside a kernel.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    binding: usize,
    dtype: DType,
    offset: String,
    /// What it takes of its place, where it has elements.
    stretch: Option<Stretch>,
}

/// A shader in the making.
#[derive(Debug, Default)]
pub(super) struct Shader {
    bindings: Vec<(Slot, &'static str)>,
    footprint: Footprint,
    params: Vec<u32>,
    /// Module-scope declarations.
    globals: Vec<String>,
    body: String,
    names: usize,
}

impl Shader {
    /// A number that differs from call to call, as an expression of type `u32`.
    pub(super) fn param(&mut self, value: usize) -> String {
        self.word(value as u32)
    }

    /// A word that differs from call to call.
    pub(super) fn word(&mut self, word: u32) -> String {
        self.params.push(word);
        format!("$p{};", self.params.len() - 1)
    }

    /// A number of some dtype that differs from call to call.
    pub(super) fn scalar(&mut self, value: Scalar, dtype: DType) -> Expr {
        let kind = Kind::of(dtype);
        let text = match kind {
            Kind::Truth => format!("({} != 0u)", self.word(u32::from(value.as_bool()))),
            Kind::Float => {
                let word = self.word((value.as_f64() as f32).to_bits());
                format!("bitcast<f32>({word})")
            }
            Kind::Signed | Kind::Unsigned => {
                let value = whole(value, dtype);
                let (low, high) = (self.word(value as u32), self.word((value >> 32) as u32));
                format!("vec2<u32>({low}, {high})")
            }
        };
        Expr::new(kind, text)
    }

    /// Bind a value. Values of one place and one stored type share a binding: there are few of them.
    pub(super) fn operand(&mut self, slot: Slot, view: &View) -> Operand {
        let wanted = (view.home.unwrap_or(slot), stored(view.dtype));
        let known = self.bindings.iter().position(|binding| *binding == wanted);
        let binding = known.unwrap_or_else(|| {
            self.bindings.push(wanted);
            self.bindings.len() - 1
        });
        let offset = self.param(view.layout.offset());
        self.footprint.read(wanted.0, view);
        let stretch = Footprint::stretch(wanted.0, view);
        Operand { binding: binding + 1, dtype: view.dtype, offset, stretch }
    }

    /// A declaration outside of functions.
    pub(super) fn global(&mut self, text: impl AsRef<str>) {
        self.globals.push(text.as_ref().to_owned());
    }

    /// A statement.
    pub(super) fn line(&mut self, text: impl AsRef<str>) {
        self.body.push_str("    ");
        self.body.push_str(text.as_ref());
        self.body.push('\n');
    }

    /// A name that no other has.
    pub(super) fn name(&mut self) -> String {
        self.names += 1;
        format!("v{}", self.names)
    }

    /// A new name for a value, so that it is computed once.
    pub(super) fn keep(&mut self, expr: &Expr) -> Expr {
        let name = self.name();
        self.line(format!("let {name} = {};", expr.text));
        Expr::new(expr.kind, name)
    }

    /// A new name for an index.
    pub(super) fn index(&mut self, text: &str) -> String {
        let name = self.name();
        self.line(format!("let {name} = {text};"));
        name
    }

    /// An element of an operand.
    pub(super) fn load(&mut self, operand: &Operand, at: &str) -> Expr {
        let place = operand.place(at);
        let text = match operand.dtype {
            DType::Bool => format!("({place} != 0u)"),
            DType::I8 | DType::I16 | DType::I32 => format!("extend_i32({place})"),
            DType::U8 | DType::U16 | DType::U32 => format!("vec2<u32>({place}, 0u)"),
            DType::I64 | DType::U64 | DType::F16 | DType::BF16 | DType::F32 | DType::F64 => place,
        };
        self.keep(&Expr::new(Kind::of(operand.dtype), text))
    }

    /// Write an element, rounded or cut to the operand's dtype.
    pub(super) fn store(&mut self, operand: &Operand, at: &str, value: &Expr) {
        let text = &value.text;
        let cut = match operand.dtype {
            DType::Bool => format!("select(0u, 1u, {text})"),
            DType::I8 => format!("((bitcast<i32>({text}.x) << 24u) >> 24u)"),
            DType::I16 => format!("((bitcast<i32>({text}.x) << 16u) >> 16u)"),
            DType::I32 => format!("bitcast<i32>({text}.x)"),
            DType::U8 => format!("({text}.x & 0xffu)"),
            DType::U16 => format!("({text}.x & 0xffffu)"),
            DType::U32 => format!("{text}.x"),
            DType::F16 => format!("round_f16({text})"),
            DType::BF16 => format!("round_bf16({text})"),
            DType::I64 | DType::U64 | DType::F32 | DType::F64 => text.clone(),
        };
        let target = self.target(operand, at);
        self.line(format!("{target} = {cut};"));
    }

    /// A place that is about to be written with a value of the stored type.
    pub(super) fn target(&mut self, operand: &Operand, at: &str) -> String {
        self.footprint.write(operand.stretch);
        operand.place(at)
    }

    /// The position of every operand of a space at a row-major place in it.
    pub(super) fn positions(&mut self, space: &Space, place: &str) -> Vec<String> {
        let dense: Vec<bool> = (0..space.strides.len()).map(|operand| space.is_dense(operand)).collect();
        let still = |strides: &[isize]| strides.iter().all(|&stride| stride == 0);
        let plain = dense.iter().zip(&space.strides).all(|(&dense, strides)| dense || still(strides));
        let coordinates = if plain { Vec::new() } else { self.coordinates(&space.sizes, place) };
        let mut positions = Vec::new();
        for (dense, strides) in dense.into_iter().zip(&space.strides) {
            positions.push(if dense { place.to_owned() } else { self.position(strides, &coordinates) });
        }
        positions
    }

    /// The coordinates of a row-major place.
    pub(super) fn coordinates(&mut self, sizes: &[usize], place: &str) -> Vec<String> {
        let mut coordinates = vec![String::new(); sizes.len()];
        let mut rest = place.to_owned();
        for axis in (0..sizes.len()).rev() {
            if axis == 0 {
                coordinates[0] = rest;
                break;
            }
            let size = self.param(sizes[axis]);
            coordinates[axis] = self.index(&format!("{rest} % {size}"));
            rest = self.index(&format!("{rest} / {size}"));
        }
        coordinates
    }

    /// The sum of coordinates times strides. All strides are numbers, so that one shader serves every order of the axes.
    pub(super) fn position(&mut self, strides: &[isize], coordinates: &[String]) -> String {
        let mut terms = Vec::new();
        if strides.iter().any(|&stride| stride != 0) {
            for (&stride, coordinate) in strides.iter().zip(coordinates) {
                terms.push(format!("{coordinate} * {}", self.word(stride as u32)));
            }
        }
        if terms.is_empty() { "0u".into() } else { self.index(&terms.join(" + ")) }
    }

    /// Begin a kernel with a thread for each of `count` places: gives the name of the place.
    pub(super) fn each(&mut self, count: usize) -> String {
        let count = self.param(count);
        self.line(format!("let i = global.x + global.y * (groups.x * {THREADS}u);"));
        self.line(format!("if i >= {count} {{ return; }}"));
        "i".into()
    }

    /// Close a kernel that began with `each`.
    pub(super) fn finish_each(self, count: usize) -> Launch {
        let groups = (count as u32).div_ceil(THREADS);
        let rows = groups.div_ceil(MOST_GROUPS).max(1);
        self.finish(THREADS, [groups.div_ceil(rows), rows, 1])
    }

    /// Begin a kernel with a workgroup for each of `count` places: gives the name of the place.
    pub(super) fn each_group(&mut self, count: usize) -> String {
        let count = self.param(count);
        self.line("let i = group.x + group.y * groups.x;");
        self.line(format!("if i >= {count} {{ return; }}"));
        "i".into()
    }

    /// Close a kernel that began with `each_group`.
    pub(super) fn finish_each_group(self, threads: u32, count: usize) -> Launch {
        let rows = (count as u32).div_ceil(MOST_GROUPS).max(1);
        self.finish(threads, [(count as u32).div_ceil(rows), rows, 1])
    }

    /// Close a kernel.
    pub(super) fn finish(self, threads: u32, groups: [u32; 3]) -> Launch {
        let Self { bindings, footprint, params, globals, body, .. } = self;
        Launch { bindings, footprint, params, globals, body, threads, groups, label: None }
    }
}

impl Operand {
    /// An element as a place, to be read.
    pub(super) fn place(&self, at: &str) -> String {
        format!("$b{};[{} + {at}]", self.binding, self.offset)
    }
}

/// The bits of a number as a 64-bit integer: integers wrap, floats are held inside the dtype's range.
fn whole(value: Scalar, dtype: DType) -> u64 {
    let bits = 8 * dtype.size() as u32;
    let (low, high) = if dtype.is_unsigned() {
        (0, (1i128 << bits) - 1)
    } else {
        (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1)
    };
    match value {
        Scalar::Float(x) => (x as i128).clamp(low, high) as u64,
        Scalar::Bool(_) | Scalar::Int(_) => value.as_i128() as u64,
    }
}
