//! What is computed for the lanes of one register: a list of values, each made of those before it.

use std::collections::HashMap;

/// Place of a value in the list.
pub(in crate::backend::cpu) type Value = u16;

/// Values of a graph at most.
const MOST: usize = 4096;

/// How one value, or one write, comes about. Truth values are values too; nothing takes one for a number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Node {
    /// The next elements of an operand.
    Load(u8),
    /// An operand that is one register full, the same at all places.
    Whole(u8),
    /// The same bits in every lane.
    Constant(u64),
    One(One, Value),
    Two(Two, Value, Value),
    /// `a * b + c`, or `c - a * b`; rounded once.
    MulAdd {
        negative: bool,
        a: Value,
        b: Value,
        c: Value,
    },
    /// Bits moved up or down by so many places, zeros from behind.
    Shift {
        up: bool,
        x: Value,
        places: u8,
    },
    Compare(Relation, Value, Value),
    /// `mask ? a : b`.
    Select {
        mask: Value,
        a: Value,
        b: Value,
    },
    MaskNot(Value),
    MaskTwo(MaskTwo, Value, Value),
    /// Write to the next elements of an operand.
    Store(u8, Value),
}

/// A function of one register that is one instruction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum One {
    Sqrt,
    Round,
    Floor,
    Ceil,
    Trunc,
}

/// A function of two registers that is one instruction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Two {
    Add,
    Sub,
    Mul,
    Div,
    Min,
    Max,
    And,
    Or,
    Xor,
    AndNot,
    AddBits,
    SubBits,
}

impl Two {
    /// Whether the operands may change places.
    pub(super) fn commutes(self) -> bool {
        matches!(self, Self::Add | Self::Mul | Self::And | Self::Or | Self::Xor | Self::AddBits)
    }
}

/// A comparison; false where either side is NaN.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Relation {
    Equal,
    Less,
    LessEqual,
}

/// A function of two truth values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum MaskTwo {
    And,
    Or,
}

impl Node {
    /// The values that it is made of.
    pub(super) fn inputs(&self) -> impl Iterator<Item = Value> + use<> {
        let inputs = match *self {
            Self::Load(_) | Self::Whole(_) | Self::Constant(_) => [None; 3],
            Self::One(_, x) | Self::Shift { x, .. } | Self::MaskNot(x) | Self::Store(_, x) => [Some(x), None, None],
            Self::Two(_, a, b) | Self::Compare(_, a, b) | Self::MaskTwo(_, a, b) => [Some(a), Some(b), None],
            Self::MulAdd { a, b, c, .. } => [Some(a), Some(b), Some(c)],
            Self::Select { mask, a, b } => [Some(mask), Some(a), Some(b)],
        };
        inputs.into_iter().flatten()
    }

    /// Whether it gives truth values.
    pub(super) fn is_mask(&self) -> bool {
        matches!(self, Self::Compare(..) | Self::MaskNot(_) | Self::MaskTwo(..))
    }
}

/// The list. What is computed twice stands in it once.
#[derive(Debug, Default)]
pub(in crate::backend::cpu) struct Graph {
    pub(super) nodes: Vec<Node>,
    known: HashMap<Node, Value>,
    /// Something was asked for that a list cannot say.
    pub(super) failed: bool,
}

impl Graph {
    /// The value that comes about so.
    pub(super) fn value(&mut self, node: Node) -> Value {
        if let Some(&value) = self.known.get(&node) {
            return value;
        }
        let value = self.nodes.len() as Value;
        self.failed |= self.nodes.len() >= MOST;
        if !self.failed {
            self.nodes.push(node);
            self.known.insert(node, value);
        }
        value
    }

    /// The next elements of an operand, or its one register.
    pub(in crate::backend::cpu) fn operand(&mut self, operand: u8, whole: bool) -> Value {
        self.value(if whole { Node::Whole(operand) } else { Node::Load(operand) })
    }

    /// Write a value to an operand.
    pub(in crate::backend::cpu) fn store(&mut self, operand: u8, value: Value) {
        self.nodes.push(Node::Store(operand, value));
    }
}
