//! From a body to the code that runs on tiles: values get registers, and what does not change from tile to tile comes first.

use super::joined::{Joined, is_whole, join};
use super::last::{After, Last, last};
use super::loops::{pairs, takes_copies};
use crate::buffer::Meta;
use crate::dtype::DType;
use crate::ir::fused::{FusedKind, FusedOp};
use crate::ir::op::{BinaryOp, CompareOp, Op, ReduceOp, UnaryOp, ViewOp};
use crate::ir::program::{Program, ValueId};
use crate::shape::Shape;
use smallvec::SmallVec;

/// Elements of a tile: all registers and the arrays that an instruction touches stay in the first cache.
pub(super) const TILE: usize = 512;

/// Elements of a tile that one piece of machine code computes, in no register of the program.
pub(super) const LONG: usize = 8192;

/// Registers of a program at most.
pub(super) const REGISTERS: usize = 48;

/// How far a value reaches over the iteration space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::backend::cpu) enum Class {
    /// An element for each row and column.
    Full,
    /// An element for each row.
    Row,
    /// An element for each column.
    Column,
    /// One element.
    Number,
}

/// What an instruction computes; truth values are the numbers 0 and 1.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Code {
    Fill(f64),
    Unary(UnaryOp),
    Binary(BinaryOp),
    /// `second(first(a, b), c)`; `second(c, first(a, b))` where that comes last.
    Pair {
        first: BinaryOp,
        second: BinaryOp,
        last: bool,
    },
    Compare(CompareOp),
    Select,
    /// `op(x, y) ? a : b`.
    Choose(CompareOp),
    Not,
    /// To a truth value: whether the number is not zero.
    Truth,
    /// Some copies of a number, which stand for a tile of it.
    Copies,
    /// The same elements; to more rows or columns where the class of the result is wider.
    Spread,
    /// A fold of each row.
    FoldColumns(ReduceOp),
    /// A fold over the rows; what leaves is known after the last one.
    FoldRows(ReduceOp),
}

/// Operands of an instruction.
type Sources = SmallVec<[Source; 4]>;

/// One instruction.
#[derive(Clone, Debug)]
pub(super) struct Instruction {
    pub(super) code: Code,
    pub(super) from: Sources,
    pub(super) class: Class,
    /// Class of the first operand, from which a spread and a fold start.
    pub(super) wide: Class,
    pub(super) to: Target,
    /// Outputs that take a copy of the result.
    pub(super) outputs: SmallVec<[usize; 1]>,
}

impl Instruction {
    /// Class of its operands.
    pub(super) fn reads(&self) -> Class {
        match self.code {
            Code::Copies | Code::Spread | Code::FoldColumns(_) | Code::FoldRows(_) => self.wide,
            _ => self.class,
        }
    }
}

/// Where an operand is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    Register(usize),
    /// Copies of a number.
    Copies(usize),
    /// An input of the body, read where it lies.
    Input(usize),
    /// An output of the body that is written already.
    Output(usize),
}

/// What may lie over an input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::backend::cpu) enum Under {
    /// Nothing.
    Apart,
    /// This output, element by element.
    Same(usize),
    /// Some output, anyhow.
    Mixed,
}

/// Where a result goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Target {
    Register(usize),
    /// An output of the body, written where it lies.
    Output(usize),
    /// A running fold.
    Fold(usize),
}

/// An input that is brought into a register, because its elements do not lie as tiles want them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) input: usize,
    pub(super) class: Class,
    pub(super) register: usize,
    /// It is whole along some of the axes that are rows, and is repeated along the others.
    pub(super) mixed: bool,
}

/// A fold over the rows.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend::cpu) struct RowFold {
    /// Whether it folds the columns too.
    pub(super) number: bool,
    pub(in crate::backend::cpu) output: usize,
}

/// What an input or output is.
#[derive(Clone, Debug)]
pub(super) struct Side {
    pub(super) class: Class,
    pub(super) truth: bool,
    pub(super) mixed: bool,
}

/// A compiled body.
#[derive(Clone, Debug)]
pub(in crate::backend::cpu) struct Compiled {
    pub(super) dtype: DType,
    /// Every value is full or one number and nothing is folded but everything: rows and columns are one axis.
    pub(in crate::backend::cpu) flat: bool,
    /// What the tiles of a product can do in place of the instructions.
    pub(super) last: Option<Last>,
    pub(super) inputs: Vec<Side>,
    pub(super) outputs: Vec<Side>,
    /// Loads and instructions whose results hold for all tiles.
    pub(super) once: (Vec<Load>, Vec<Instruction>),
    /// Those of each tile.
    pub(super) each: (Vec<Load>, Vec<Instruction>),
    /// Runs of them that are one piece of machine code.
    pub(super) joined: Vec<Joined>,
    /// One piece of machine code does all the work of a tile, and the registers hold nothing but single numbers.
    pub(super) whole: bool,
    /// Whole inputs that are read where they lie, and that loops read one after the other: what they need of the next tile
    /// is fetched. Machine code reads all at once, which the hardware foresees.
    pub(super) streams: Vec<usize>,
    pub(in crate::backend::cpu) folds: Vec<RowFold>,
    pub(super) registers: usize,
}

/// Compile a body, if it is of floats of one dtype and truth values, and small enough.
///
/// `dense[i]`: input i, after the operands of a product, is row-major, so it can be read where it lies. `under[i]`: what may
/// lie over input i, operands of a product among them.
pub(in crate::backend::cpu) fn compile(op: &FusedOp, dense: &[bool], under: &[Under]) -> Option<Compiled> {
    let body = &*op.body;
    let dtype = body.metas.iter().map(|meta| meta.dtype).find(|&dtype| dtype != DType::Bool)?;
    let known = |meta: &Meta| meta.dtype == dtype || meta.dtype == DType::Bool;
    if !matches!(dtype, DType::F32 | DType::F64) || !body.metas.iter().all(known) {
        return None;
    }
    let product = op.kind() == FusedKind::Product;
    let space = op.space();
    let mut maker = Maker::new(body, &space, product);
    maker.mark_flat(dense);
    maker.place_inputs(dense, under);
    for at in usize::from(product)..body.instructions.len() {
        maker.instruction(at)?;
    }
    let truth = |id: ValueId| body.metas[id].dtype == DType::Bool;
    let side = |id: ValueId| Side { class: maker.classes[id], truth: truth(id), mixed: maker.mixed[id] };
    let skipped = if product { 2 } else { 0 };
    let mut inputs: Vec<Side> = (skipped..body.inputs).map(side).collect();
    let outputs: Vec<Side> = body.outputs.iter().map(|&output| side(output)).collect();
    if product {
        inputs.push(Side { class: Class::Full, truth: false, mixed: false });
    }
    if !spans(&space, inputs.iter().chain(&outputs)) {
        return None;
    }
    let after = match body.instructions.first().filter(|_| product).map(|instruction| &instruction.op) {
        // Tiles write the result while operands are still read.
        _ if under.iter().any(|&under| under != Under::Apart) => None,
        Some(Op::Conv(_)) => Some(After::Convolution { channels: channels(&body.metas[skipped..body.inputs], &space) }),
        Some(_) => Some(After::Product),
        None => None,
    };
    let each = (&maker.each.0[..], &maker.each.1[..]);
    let last = after.and_then(|after| last(after, &inputs, &maker.once.1, each, &outputs));
    let joined = if last.is_some() { vec![] } else { join(dtype, &maker.once.1, each.1) };
    let whole = is_whole(&joined, (&maker.once.0, &maker.once.1), each);
    let streams = (0..inputs.len()).filter(|&i| inputs[i].class == Class::Full && !whole);
    let streams = streams.filter(|&i| each.1.iter().any(|step| step.from.contains(&Source::Input(i)))).collect();
    Some(Compiled {
        dtype,
        last,
        whole,
        flat: maker.flat,
        inputs,
        outputs,
        once: maker.once,
        joined,
        each: maker.each,
        streams,
        folds: maker.folds,
        registers: maker.registers.count,
    })
}

/// The class of a shape, if it has one in this space.
pub(in crate::backend::cpu) fn class(shape: &Shape, space: &Shape) -> Option<Class> {
    let (columns, rows) = space.split_last()?;
    let (wide, tall) = shape.split_last()?;
    let all = tall == rows;
    let one = tall.iter().all(|&size| size == 1);
    match (wide == columns, *wide == 1) {
        (true, _) if all => Some(Class::Full),
        (_, true) if one => Some(Class::Number),
        (_, true) if all => Some(Class::Row),
        (true, _) if one => Some(Class::Column),
        _ => None,
    }
}

/// The first input that has a number for each channel of a space, and is the same at all places.
fn channels(inputs: &[Meta], space: &Shape) -> Option<usize> {
    let fits = |meta: &Meta| {
        let wanted = space.iter().enumerate().map(|(axis, &size)| if axis == 1 { size } else { 1 });
        meta.dtype != DType::Bool && meta.shape.iter().copied().eq(wanted)
    };
    inputs.iter().position(fits)
}

/// Whether the rows and columns of a space can be told from what goes in and out, as a part of it has to.
fn spans<'a>(space: &Shape, sides: impl Iterator<Item = &'a Side>) -> bool {
    let found: Vec<Class> = sides.filter(|side| !side.mixed).map(|side| side.class).collect();
    let Some((&columns, rows)) = space.split_last() else { return true };
    found.contains(&Class::Full)
        || (rows.iter().all(|&size| size == 1) || found.contains(&Class::Row))
            && (columns == 1 || found.contains(&Class::Column))
}

fn is_fold(op: &Op) -> bool {
    matches!(op, Op::Reduce { .. })
}

/// Which registers are free.
#[derive(Debug, Default)]
struct Registers {
    free: Vec<usize>,
    count: usize,
}

impl Registers {
    /// One for a value of each tile.
    fn take(&mut self) -> Option<usize> {
        self.free.pop().or_else(|| self.keep())
    }

    /// One that nothing else ever uses, for a value that holds for all tiles.
    fn keep(&mut self) -> Option<usize> {
        self.count += 1;
        (self.count <= REGISTERS).then(|| self.count - 1)
    }
}

struct Maker<'a> {
    body: &'a Program,
    classes: Vec<Class>,
    /// Values that are whole along some of the axes that are rows: they are spread to full ones.
    mixed: Vec<bool>,
    /// Turn of the last instruction that reads a value; those that hold for all tiles are never given up.
    last: Vec<usize>,
    constant: Vec<bool>,
    places: Vec<Option<Source>>,
    once: (Vec<Load>, Vec<Instruction>),
    each: (Vec<Load>, Vec<Instruction>),
    folds: Vec<RowFold>,
    registers: Registers,
    flat: bool,
    /// Besides, every value is a float and nothing is folded.
    lanes: bool,
    product: bool,
    /// The value whose instruction was joined with the one that reads it.
    joined: Option<ValueId>,
}

impl<'a> Maker<'a> {
    fn new(body: &'a Program, space: &Shape, product: bool) -> Self {
        // What a fold gives has fewer axes, and is put back at once by the reshape after it.
        let folds: Vec<ValueId> = body.instructions.iter().filter(|i| is_fold(&i.op)).map(|i| i.first).collect();
        let skipped = if product { 2 } else { 0 };
        let found = |id: ValueId| if id < skipped { Some(Class::Full) } else { class(&body.metas[id].shape, space) };
        let mixed: Vec<bool> = (0..body.metas.len()).map(|id| found(id).is_none() && !folds.contains(&id)).collect();
        let classes: Vec<Class> = (0..body.metas.len()).map(|id| found(id).unwrap_or(Class::Full)).collect();
        let mut last = vec![0; body.metas.len()];
        for (turn, instruction) in body.instructions.iter().enumerate() {
            instruction.inputs.iter().for_each(|&input| last[input] = turn);
        }
        Self {
            body,
            classes,
            mixed,
            last,
            constant: vec![false; body.metas.len()],
            places: vec![None; body.metas.len()],
            once: (vec![], vec![]),
            each: (vec![], vec![]),
            folds: vec![],
            registers: Registers::default(),
            flat: false,
            lanes: false,
            product,
            joined: None,
        }
    }

    fn mark_flat(&mut self, dense: &[bool]) {
        let simple = |&class: &Class| matches!(class, Class::Full | Class::Number);
        let folds = (0..self.body.instructions.len()).any(|at| match &self.body.instructions[at].op {
            Op::Reduce { op, axes } => self.folds_columns(at, *op, axes) || axes.len() < self.rank_of_input(at),
            _ => false,
        });
        self.flat = self.classes.iter().all(simple)
            && !self.mixed.contains(&true)
            && !folds
            && dense.iter().all(|&dense| dense);
        let truths = self.body.metas.iter().any(|meta| meta.dtype == DType::Bool);
        let folds = self.body.instructions.iter().any(|instruction| is_fold(&instruction.op));
        let narrow = self.body.outputs.iter().any(|&output| self.classes[output] != Class::Full);
        self.lanes = self.flat && !self.product && !truths && !folds && !narrow;
    }

    /// Whether an input can be read where it lies although an output lies over it: it is read before that is written.
    fn is_read_first(&self, id: ValueId, under: Under) -> bool {
        let Under::Same(output) = under else { return under == Under::Apart };
        let turn = |id: ValueId| self.body.instructions.iter().position(|instruction| instruction.first == id);
        self.lanes && turn(self.body.outputs[output]).is_some_and(|turn| self.last[id] <= turn)
    }

    /// Inputs that can be read in place, and loads of the others.
    fn place_inputs(&mut self, dense: &[bool], under: &[Under]) {
        let first = if self.product { 2 } else { 0 };
        for (id, &under) in under.iter().enumerate().skip(first) {
            let (input, class) = (id - first, self.classes[id]);
            let truth = self.body.metas[id].dtype == DType::Bool;
            self.constant[id] = matches!(class, Class::Column | Class::Number);
            let mixed = self.mixed[id];
            if dense[input] && self.is_read_first(id, under) && !truth && !mixed {
                self.places[id] = Some(Source::Input(input));
                continue;
            }
            let Some(register) = self.registers.take() else { return };
            self.places[id] = Some(Source::Register(register));
            let load = Load { input, class, register, mixed };
            if self.constant[id] { self.once.0.push(load) } else { self.each.0.push(load) }
        }
        if self.product {
            let id = self.body.first_result();
            let from = Source::Input(self.body.inputs - first);
            self.places[id] = Some(from);
            for output in (0..self.body.outputs.len()).filter(|&o| self.body.outputs[o] == id) {
                let (code, class, to) = (Code::Spread, Class::Full, Target::Output(output));
                let from = SmallVec::from_iter([from]);
                self.each.1.push(Instruction { code, from, class, wide: class, to, outputs: SmallVec::new() });
            }
        }
    }

    fn instruction(&mut self, at: usize) -> Option<()> {
        let instruction = &self.body.instructions[at];
        let id = instruction.first;
        if let Op::Reduce { op, axes } = &instruction.op {
            return self.fold(at, *op, axes);
        }
        let folded = matches!(instruction.op, Op::View(ViewOp::Reshape(_)));
        if folded {
            return Some(());
        }
        let code = self.code(&instruction.op, &instruction.inputs)?;
        let from: Sources = instruction.inputs.iter().map(|&i| self.places[i]).collect::<Option<_>>()?;
        if code == Code::Spread && self.is_for_copies(instruction) {
            let register = self.registers.keep()?;
            let (to, outputs) = (Target::Register(register), SmallVec::new());
            let copies =
                Instruction { code: Code::Copies, from, class: Class::Number, wide: Class::Number, to, outputs };
            self.once.1.push(copies);
            (self.places[id], self.constant[id]) = (Some(Source::Copies(register)), true);
            return Some(());
        }
        let wide = instruction.inputs.first().map_or(Class::Number, |&i| self.classes[i]);
        // A value that repeats along some rows lies spread over all columns: it cannot become one of each row.
        if code == Code::Spread && wide == Class::Full && self.classes[id] != Class::Full {
            return None;
        }
        let constant = instruction.inputs.iter().all(|&i| self.constant[i]);
        self.emit(at, id, code, from, wide, constant)
    }

    /// Whether a number that holds for all tiles is repeated for loops that take copies of it.
    fn is_for_copies(&self, instruction: &crate::ir::program::Instruction) -> bool {
        let (input, id) = (instruction.inputs[0], instruction.first);
        let mut readers = self.body.instructions.iter().filter(|reader| reader.inputs.contains(&id));
        self.constant[input]
            && self.classes[input] == Class::Number
            && matches!(instruction.op, Op::View(ViewOp::Expand(_)))
            && !self.body.outputs.contains(&id)
            && readers.all(|reader| takes_copies(&reader.op) && self.body.metas[reader.first].shape.numel() > 0)
    }

    fn rank_of_input(&self, at: usize) -> usize {
        self.body.metas[self.body.instructions[at].inputs[0]].shape.len()
    }

    /// Whether a fold is that of each row; a sum of everything that only leaves can be added up tile by tile, where it is
    /// one of f32, which are added in f64: the order does not show.
    fn folds_columns(&self, at: usize, op: ReduceOp, axes: &[usize]) -> bool {
        let rank = self.rank_of_input(at);
        let read = self.body.instructions.get(at + 1).is_some_and(|shaped| self.last[shaped.first] > at + 1);
        let wide = self.body.metas[self.body.instructions[at].inputs[0]].dtype == DType::F64;
        axes[..] == [rank - 1] && (rank > 1 || read || wide || op != ReduceOp::Sum)
    }

    /// A fold and the reshape after it are one instruction.
    fn fold(&mut self, at: usize, op: ReduceOp, axes: &[usize]) -> Option<()> {
        let instruction = &self.body.instructions[at];
        let (input, id) = (instruction.inputs[0], self.body.instructions.get(at + 1)?.first);
        let from: Sources = SmallVec::from_iter([self.places[input]?]);
        let rank = self.body.metas[input].shape.len();
        let full = self.classes[input] == Class::Full && !self.mixed[input];
        if !full || self.body.metas[input].dtype == DType::Bool {
            return None;
        }
        if self.folds_columns(at, op, axes) {
            self.emit(at + 1, id, Code::FoldColumns(op), from, Class::Full, false)?;
            self.release(at, &[input]);
            return Some(());
        }
        let mut outputs = (0..self.body.outputs.len()).filter(|&o| self.body.outputs[o] == id);
        let output = outputs.next()?;
        if op != ReduceOp::Sum || outputs.next().is_some() {
            return None;
        }
        self.folds.push(RowFold { number: axes.len() == rank, output });
        let to = Target::Fold(self.folds.len() - 1);
        let outputs = SmallVec::new();
        let code = Code::FoldRows(op);
        self.each.1.push(Instruction { code, from, class: self.classes[id], wide: Class::Full, to, outputs });
        self.release(at, &[input]);
        Some(())
    }

    fn emit(&mut self, at: usize, id: ValueId, code: Code, from: Sources, wide: Class, constant: bool) -> Option<()> {
        let outputs: SmallVec<[usize; 1]> =
            (0..self.body.outputs.len()).filter(|&o| self.body.outputs[o] == id).collect();
        let truth = self.body.metas[id].dtype == DType::Bool;
        // What leaves with every tile is computed with every tile.
        let constant = constant && outputs.is_empty();
        let read = self.last[id] > at;
        let class = self.classes[id];
        let (code, from, joined) = match self.join(at, code, &from, class, constant) {
            Some((code, from, register)) => (code, from, Some(register)),
            None => (code, from, None),
        };
        let (to, outputs) = match outputs[..] {
            // A result that only leaves is written where it goes.
            [output] if !read && !truth && !constant && class == Class::Full => {
                self.registers.free.extend(joined);
                (Target::Output(output), SmallVec::new())
            }
            // What lies under it and is read later is in a register.
            [output] if !truth && !constant && class == Class::Full => {
                self.registers.free.extend(joined);
                self.places[id] = Some(Source::Output(output));
                (Target::Output(output), SmallVec::new())
            }
            _ if constant => (Target::Register(self.registers.keep()?), outputs),
            // The place of the first of two is no operand of the second; others may have been given up in between.
            _ => (Target::Register(joined.or_else(|| self.registers.take())?), outputs),
        };
        if let Target::Register(register) = to {
            self.places[id] = Some(Source::Register(register));
        }
        self.constant[id] = constant;
        let instruction = Instruction { code, from, class, wide, to, outputs };
        if constant {
            self.once.1.push(instruction);
        } else {
            self.each.1.push(instruction);
        }
        let inputs = self.body.instructions[at].inputs.clone();
        self.release(at, &inputs);
        if !read
            && !constant
            && let Target::Register(register) = to
        {
            self.registers.free.push(register);
        }
        Some(())
    }

    /// Join an instruction with the one before it, where nothing else reads what that gives: one loop does both.
    fn join(
        &mut self,
        at: usize,
        code: Code,
        from: &Sources,
        class: Class,
        constant: bool,
    ) -> Option<(Code, Sources, usize)> {
        let before = self.each.1.last().filter(|before| !constant && before.class == class)?;
        let Target::Register(register) = before.to else { return None };
        let place = from.iter().position(|&source| source == Source::Register(register))?;
        let value = self.body.instructions[at].inputs[place];
        let once = from.iter().filter(|&&source| source == Source::Register(register)).count() == 1;
        if !once || self.last[value] != at || !before.outputs.is_empty() {
            return None;
        }
        let rest = || from.iter().copied().filter(|&source| source != Source::Register(register));
        let code = match (before.code, code, place) {
            (Code::Binary(first), Code::Binary(second), place) if pairs(first) && pairs(second) => {
                Code::Pair { first, second, last: place == 1 }
            }
            (Code::Compare(op), Code::Select, 0) => Code::Choose(op),
            _ => return None,
        };
        let from = before.from.iter().copied().chain(rest()).collect();
        self.each.1.pop();
        self.joined = Some(value);
        Some((code, from, register))
    }

    /// Give up the registers of values that nobody reads any more.
    fn release(&mut self, at: usize, inputs: &[ValueId]) {
        for (k, &input) in inputs.iter().enumerate() {
            // The register of the first of two that were joined has gone to the second.
            let again = inputs[..k].contains(&input) || self.joined == Some(input);
            if let Some(Source::Register(register)) = self.places[input]
                && self.last[input] == at
                && !self.constant[input]
                && !again
            {
                self.registers.free.push(register);
            }
        }
    }

    fn code(&self, op: &Op, inputs: &[ValueId]) -> Option<Code> {
        let truth = |id: ValueId| self.body.metas[id].dtype == DType::Bool;
        Some(match op {
            Op::Fill { value, dtype: DType::Bool, .. } => Code::Fill(f64::from(value.as_f64() != 0.0)),
            Op::Fill { value, .. } => Code::Fill(value.as_f64()),
            Op::Unary(UnaryOp::Not) if truth(inputs[0]) => Code::Not,
            Op::Unary(unary) if !truth(inputs[0]) => Code::Unary(*unary),
            Op::Binary(binary) if !truth(inputs[0]) => Code::Binary(*binary),
            Op::Binary(BinaryOp::And | BinaryOp::Minimum) => Code::Binary(BinaryOp::Mul),
            Op::Binary(BinaryOp::Or | BinaryOp::Maximum) => Code::Binary(BinaryOp::Maximum),
            Op::Binary(BinaryOp::Xor) => Code::Compare(CompareOp::NotEqual),
            Op::Compare(compare) => Code::Compare(*compare),
            Op::Select => Code::Select,
            Op::Cast(DType::Bool) if !truth(inputs[0]) => Code::Truth,
            Op::Cast(_) | Op::View(ViewOp::Expand(_)) => Code::Spread,
            _ => return None,
        })
    }
}
