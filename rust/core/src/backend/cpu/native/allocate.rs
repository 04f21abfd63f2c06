//! Registers for the values of a graph: the list becomes steps of one instruction each.
//!
//! A value lives in a register from its step to its last use. Where registers run out, the one whose next use lies
//! farthest ahead goes to the stack (Belady 1966). Constants are read from memory beside the code.

use super::graph::{Graph, MaskTwo, Node, One, Relation, Two, Value};

/// Number of a vector or mask register.
pub(super) type Register = u8;

/// An operand that an instruction takes from a register or from memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    Register(Register),
    /// A constant, by its number.
    Constant(usize),
    /// A register's worth of stack, by its number.
    Slot(usize),
}

/// Which operands of a fused multiply-add are factors; the target is one of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// `to = to * right + left`.
    ToRight,
    /// `to = left * to + right`.
    LeftTo,
    /// `to = left * right + to`.
    LeftRight,
}

/// What one instruction does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    Load { to: Register, operand: u8 },
    Whole { to: Register, operand: u8 },
    Store { from: Register, operand: u8 },
    Move { to: Register, from: Place },
    Spill { from: Register, slot: usize },
    One { op: One, to: Register, x: Place },
    Two { op: Two, to: Register, left: Register, right: Place },
    MulAdd { form: Form, negative: bool, to: Register, left: Register, right: Place },
    Shift { up: bool, to: Register, x: Register, places: u8 },
    Compare { relation: Relation, to: Register, left: Register, right: Place },
    Select { to: Register, mask: Register, yes: Place, no: Register },
    MaskNot { to: Register, x: Register },
    MaskTwo { op: MaskTwo, to: Register, a: Register, b: Register },
}

impl Step {
    /// The operand that it reads or writes, by its number.
    pub(super) fn operand(&self) -> Option<u8> {
        match *self {
            Self::Load { operand, .. } | Self::Whole { operand, .. } | Self::Store { operand, .. } => Some(operand),
            _ => None,
        }
    }
}

/// Registers that values may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Supply {
    /// Vector registers, from 0 on.
    pub(super) vectors: Register,
    /// Mask registers, from this one to 7; None where truth values lie in vector registers.
    pub(super) masks: Option<Register>,
}

/// A graph with registers.
#[derive(Debug)]
pub(super) struct Allocated {
    pub(super) steps: Vec<Step>,
    pub(super) constants: Vec<u64>,
    pub(super) slots: usize,
}

/// Give every value its registers; None where truth values run out of theirs.
pub(super) fn allocate(graph: &Graph, supply: Supply) -> Option<Allocated> {
    let mut uses = vec![vec![]; graph.nodes.len()];
    for (turn, node) in graph.nodes.iter().enumerate().rev() {
        node.inputs().for_each(|input| uses[usize::from(input)].push(turn));
    }
    let result = Allocated { steps: vec![], constants: vec![], slots: 0 };
    let count = graph.nodes.len();
    let mut allocator = Allocator {
        graph,
        supply,
        uses,
        at: vec![None; count],
        home: vec![None; count],
        vectors: [None; 32],
        masks: [None; 8],
        result,
    };
    for turn in 0..count {
        allocator.node(turn)?;
    }
    Some(allocator.result)
}

struct Allocator<'g> {
    graph: &'g Graph,
    supply: Supply,
    /// Turns that read each value, the next one last.
    uses: Vec<Vec<usize>>,
    /// The register that holds a value.
    at: Vec<Option<Register>>,
    /// Where in memory a value lies.
    home: Vec<Option<Place>>,
    /// What the registers hold.
    vectors: [Option<Value>; 32],
    masks: [Option<Value>; 8],
    result: Allocated,
}

impl Allocator<'_> {
    fn node(&mut self, turn: usize) -> Option<()> {
        let node = self.graph.nodes[turn];
        let value = turn as Value;
        let step = match node {
            Node::Constant(bits) => {
                self.home[turn] = Some(Place::Constant(self.result.constants.len()));
                self.result.constants.push(bits);
                return Some(());
            }
            Node::Load(operand) => Step::Load { to: self.result_of(turn)?, operand },
            Node::Whole(operand) => Step::Whole { to: self.result_of(turn)?, operand },
            Node::Store(operand, x) => {
                let from = self.register(x, &[x])?;
                self.release(turn);
                Step::Store { from, operand }
            }
            Node::One(op, x) => {
                let x = self.place(x);
                Step::One { op, to: self.result_of(turn)?, x }
            }
            Node::Two(op, a, b) => {
                let (left, right) = if op.commutes() && !self.is_near(a) { (b, a) } else { (a, b) };
                let (left, right) = (self.register(left, &[a, b])?, self.place(right));
                Step::Two { op, to: self.result_of(turn)?, left, right }
            }
            Node::MulAdd { negative, a, b, c } => self.mul_add(turn, negative, a, b, c)?,
            Node::Shift { up, x, places } => {
                let x = self.register(x, &[x])?;
                Step::Shift { up, to: self.result_of(turn)?, x, places }
            }
            Node::Compare(relation, a, b) => {
                let (left, right) = (self.register(a, &[a, b])?, self.place(b));
                Step::Compare { relation, to: self.result_of(turn)?, left, right }
            }
            Node::Select { mask, a, b } => {
                let all = [mask, a, b];
                let (mask, no) = (self.register(mask, &all)?, self.register(b, &all)?);
                let yes = self.place(a);
                Step::Select { to: self.result_of(turn)?, mask, yes, no }
            }
            Node::MaskNot(x) => {
                let x = self.register(x, &[x])?;
                Step::MaskNot { to: self.result_of(turn)?, x }
            }
            Node::MaskTwo(op, a, b) => {
                let (a, b) = (self.register(a, &[a, b])?, self.register(b, &[a, b])?);
                Step::MaskTwo { op, to: self.result_of(turn)?, a, b }
            }
        };
        self.result.steps.push(step);
        if self.uses[turn].is_empty() && !matches!(node, Node::Store(..)) {
            self.free(value);
        }
        Some(())
    }

    /// A fused multiply-add writes over one of its operands: one that nobody reads again, or a copy.
    fn mul_add(&mut self, turn: usize, negative: bool, a: Value, b: Value, c: Value) -> Option<Step> {
        let all = [a, b, c];
        // One operand may lie in memory: a factor rather than the summand, which the polynomials read once.
        let (a, b) = if self.is_near(a) { (a, b) } else { (b, a) };
        let left = self.register(a, &all)?;
        let far = if self.is_near(b) && !self.is_near(c) { c } else { b };
        let near = if far == c { b } else { c };
        let near_register = self.register(near, &all)?;
        let right = self.place(far);
        let (form, over, left, right) = if far == c {
            let factor = !self.ends(a, turn) && self.ends(b, turn);
            if factor { (Form::LeftTo, b, left, right) } else { (Form::LeftTo, a, near_register, right) }
        } else if self.ends(c, turn) {
            (Form::LeftRight, c, left, right)
        } else if self.ends(a, turn) {
            (Form::ToRight, a, near_register, right)
        } else if self.is_near(b) && self.ends(b, turn) {
            (Form::ToRight, b, near_register, Place::Register(left))
        } else {
            (Form::LeftRight, c, left, right)
        };
        let to = self.over(turn, over, &all)?;
        Some(Step::MulAdd { form, negative, to, left, right })
    }

    /// A register for what comes about at a turn that holds an operand: its own, or a copy where that is read again.
    fn over(&mut self, turn: usize, over: Value, all: &[Value]) -> Option<Register> {
        let held = self.at[usize::from(over)]?;
        let to = if self.ends(over, turn) {
            held
        } else {
            let to = self.take(false, all)?;
            self.result.steps.push(Step::Move { to, from: Place::Register(held) });
            to
        };
        self.release(turn);
        self.hold(turn as Value, to);
        Some(to)
    }

    /// Whether nothing reads a value after a turn.
    fn ends(&self, value: Value, turn: usize) -> bool {
        self.uses[usize::from(value)].iter().all(|&later| later == turn)
    }

    /// Whether a value is in a register.
    fn is_near(&self, value: Value) -> bool {
        self.at[usize::from(value)].is_some()
    }

    /// Where a value can be read.
    fn place(&self, value: Value) -> Place {
        let value = usize::from(value);
        self.at[value].map_or_else(|| self.home[value].unwrap_or(Place::Slot(usize::MAX)), Place::Register)
    }

    /// The register of a value, into which it is brought where it is in none; those of `locked` stay.
    fn register(&mut self, value: Value, locked: &[Value]) -> Option<Register> {
        if let Some(register) = self.at[usize::from(value)] {
            return Some(register);
        }
        let from = self.home[usize::from(value)]?;
        let to = self.take(false, locked)?;
        self.result.steps.push(Step::Move { to, from });
        self.hold(value, to);
        Some(to)
    }

    /// A register for what comes about at a turn. It may be one of the operands': the instruction reads them before it writes.
    fn result_of(&mut self, turn: usize) -> Option<Register> {
        self.release(turn);
        let mask = self.graph.nodes[turn].is_mask() && self.supply.masks.is_some();
        let register = self.take(mask, &[])?;
        self.hold(turn as Value, register);
        Some(register)
    }

    /// Forget the uses of a turn, and give up the registers of what is read no more.
    fn release(&mut self, turn: usize) {
        for input in self.graph.nodes[turn].inputs() {
            let uses = &mut self.uses[usize::from(input)];
            while uses.last() == Some(&turn) {
                uses.pop();
            }
            if uses.is_empty() {
                self.free(input);
            }
        }
    }

    fn free(&mut self, value: Value) {
        let Some(register) = self.at[usize::from(value)].take() else { return };
        self.holders(value)[usize::from(register)] = None;
    }

    fn hold(&mut self, value: Value, register: Register) {
        self.at[usize::from(value)] = Some(register);
        self.holders(value)[usize::from(register)] = Some(value);
    }

    /// The file of registers that a value lies in.
    fn holders(&mut self, value: Value) -> &mut [Option<Value>] {
        let mask = self.graph.nodes[usize::from(value)].is_mask() && self.supply.masks.is_some();
        if mask { &mut self.masks } else { &mut self.vectors }
    }

    /// A free register; a vector register is made free where there is none.
    fn take(&mut self, mask: bool, locked: &[Value]) -> Option<Register> {
        if mask {
            let first = self.supply.masks?;
            return (first..8).find(|&i| self.masks[usize::from(i)].is_none());
        }
        let all = 0..self.supply.vectors;
        if let Some(free) = all.clone().find(|&i| self.vectors[usize::from(i)].is_none()) {
            return Some(free);
        }
        let next = |value: Value| self.uses[usize::from(value)].last().copied().unwrap_or(0);
        let held = |i: Register| self.vectors[usize::from(i)];
        let goes = all.filter(|&i| held(i).is_some_and(|value| !locked.contains(&value)));
        let register = goes.max_by_key(|&i| held(i).map(next))?;
        let value = held(register)?;
        if self.home[usize::from(value)].is_none() {
            let slot = self.result.slots;
            self.result.slots += 1;
            self.home[usize::from(value)] = Some(Place::Slot(slot));
            self.result.steps.push(Step::Spill { from: register, slot });
        }
        self.free(value);
        Some(register)
    }
}
