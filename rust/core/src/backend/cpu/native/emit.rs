//! The function around the steps: a loop over whole registers, and the rest by a mask.
//!
//! `extern "sysv64" fn(operands: *const *mut T, count: usize)`: rdi and rsi. In the loop rdi stays, rsi is the offset of
//! the elements in bytes, rdx where whole registers end.

use super::allocate::{Allocated, Form, Place, Register, Step, Supply};
use super::encode::{Assembler, Map, Masked, Opcode, Prefix, Side};
use super::graph::{MaskTwo, One, Relation, Two};

/// The registers that code is made for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Target {
    /// AVX-512, else AVX2.
    pub(super) wide: bool,
    /// f64, else f32.
    pub(super) double: bool,
}

/// Mask register, or vector register, that tells which elements of the last turn there are.
const REST_MASK: u8 = 1;
const REST_VECTOR: u8 = 15;
/// General registers that hold addresses of operands all the time, and the one for those that are left.
const BASES: [u8; 10] = [1, 3, 8, 9, 10, 11, 12, 13, 14, 15];
const SPARE: u8 = 0;

impl Target {
    pub(super) fn supply(self) -> Supply {
        if self.wide {
            Supply { vectors: 32, masks: Some(REST_MASK + 1) }
        } else {
            Supply { vectors: REST_VECTOR, masks: None }
        }
    }

    /// Bytes of a register.
    fn bytes(self) -> usize {
        if self.wide { 64 } else { 32 }
    }

    /// Bytes of an element.
    fn element(self) -> usize {
        if self.double { 8 } else { 4 }
    }
}

/// The code of a function and the constants behind it.
pub(super) fn function(target: Target, allocated: &Allocated) -> Vec<u8> {
    let mut emitter = Emitter { target, asm: Assembler::new(target.wide), allocated, rest: false };
    emitter.enter();
    emitter.asm.raw(&[0x48, 0x39, 0xd6]); // cmp rsi, rdx
    let over = emitter.asm.jump(&[0x0f, 0x84], None);
    let again = emitter.asm.bytes.len();
    emitter.steps();
    emitter.asm.raw(&[0x48, 0x83, 0xc6, target.bytes() as u8]); // add rsi, bytes
    emitter.asm.raw(&[0x48, 0x39, 0xd6]);
    emitter.asm.jump(&[0x0f, 0x82], Some(again));
    let here = emitter.asm.bytes.len();
    emitter.asm.fix(over, here);
    emitter.asm.raw(&[0x48, 0x83, 0x7d, 0xf8, 0]); // cmp qword [rbp - 8], 0
    let out = emitter.asm.jump(&[0x0f, 0x84], None);
    emitter.rest = true;
    emitter.steps();
    let here = emitter.asm.bytes.len();
    emitter.asm.fix(out, here);
    emitter.leave();
    let pool = emitter.pool();
    emitter.asm.finish(&pool)
}

struct Emitter<'a> {
    target: Target,
    asm: Assembler,
    allocated: &'a Allocated,
    /// Only the elements under the mask are read and written.
    rest: bool,
}

impl Emitter<'_> {
    fn enter(&mut self) {
        let lanes = (self.target.bytes() / self.target.element()) as u8;
        let places = self.target.element().trailing_zeros() as u8;
        self.asm.raw(&[0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57]); // push rbx, rbp, r12 to r15
        self.asm.raw(&[0x48, 0x89, 0xf2]); // mov rdx, rsi
        self.asm.raw(&[0x48, 0x83, 0xe2, lanes.wrapping_neg()]); // and rdx, -lanes
        self.asm.raw(&[0x48, 0xc1, 0xe2, places]); // shl rdx, places
        self.asm.raw(&[0x83, 0xe6, lanes - 1]); // and esi, lanes - 1
        self.asm.raw(&[0x89, 0xf1]); // mov ecx, esi
        if self.target.wide {
            self.asm.raw(&[0xb8, 1, 0, 0, 0, 0xd3, 0xe0, 0xff, 0xc8]); // mov eax, 1; shl eax, cl; dec eax
            self.asm.raw(&[0xc5, 0xf8, 0x92, 0xc0 | REST_MASK << 3]); // kmovw k1, eax
        } else {
            // As many full lanes as there are elements left lie before the middle of the table.
            self.asm.pool_address(self.target.bytes());
            self.asm.raw(&[0x48, 0xf7, 0xd9, 0x48, 0xc1, 0xe1, places, 0x48, 0x01, 0xc8]); // neg rcx; shl rcx; add rax, rcx
            self.vector(self.load(), REST_VECTOR, 0, Side::At(SPARE));
        }
        self.asm.raw(&[0x48, 0x89, 0xe5, 0x56]); // mov rbp, rsp; push rsi
        let stack = (self.allocated.slots * self.target.bytes() + 64) as i32;
        self.asm.raw(&[0x48, 0x81, 0xec]); // sub rsp, stack
        self.asm.raw(&stack.to_le_bytes());
        self.asm.raw(&[0x48, 0x83, 0xe4, 0xc0]); // and rsp, -64
        for (operand, &base) in BASES.iter().enumerate() {
            if self.allocated.steps.iter().any(|step| step.operand() == Some(operand as u8)) {
                self.address(operand, base);
            }
        }
        self.asm.raw(&[0x31, 0xf6]); // xor esi, esi
    }

    fn leave(&mut self) {
        self.asm.raw(&[0x48, 0x89, 0xec]); // mov rsp, rbp
        self.asm.raw(&[0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b]); // pop r15 to r12, rbp, rbx
        self.asm.raw(&[0xc5, 0xf8, 0x77, 0xc3]); // vzeroupper; ret
    }

    /// Constants, and where masks lie in vectors, first a table of full lanes and as many empty ones.
    fn pool(&self) -> Vec<u8> {
        let mut pool = vec![];
        if !self.target.wide {
            pool.resize(self.target.bytes(), 0xff);
            pool.resize(2 * self.target.bytes(), 0);
        }
        for bits in &self.allocated.constants {
            for _ in 0..self.constant_bytes() / self.target.element() {
                pool.extend_from_slice(&bits.to_le_bytes()[..self.target.element()]);
            }
        }
        pool
    }

    fn constant_bytes(&self) -> usize {
        if self.target.wide { self.target.element() } else { self.target.bytes() }
    }

    /// `mov base, [rdi + 8 * operand]`.
    fn address(&mut self, operand: usize, base: u8) {
        self.asm.raw(&[0x48 | (base >> 3) << 2, 0x8b, 0x87 | (base & 7) << 3]);
        self.asm.raw(&(8 * operand as i32).to_le_bytes());
    }

    /// The general register with the address of an operand.
    fn base(&mut self, operand: u8) -> u8 {
        BASES.get(usize::from(operand)).copied().unwrap_or_else(|| {
            self.address(usize::from(operand), SPARE);
            SPARE
        })
    }

    fn side(&self, place: Place) -> Side {
        match place {
            Place::Register(register) => Side::Register(register),
            Place::Slot(slot) => Side::Stack((slot * self.target.bytes()) as i32),
            Place::Constant(constant) => {
                let table = if self.target.wide { 0 } else { 2 * self.target.bytes() };
                Side::Pool { offset: table + constant * self.constant_bytes(), repeated: self.target.wide }
            }
        }
    }

    /// An opcode that exists for both floats, told apart by prefix and width.
    fn float(&self, byte: u8) -> Opcode {
        let double = self.target.double;
        let prefix = if double { Prefix::Operand } else { Prefix::None };
        Opcode { map: Map::Plain, prefix, byte, wide: double && self.target.wide }
    }

    /// An opcode whose width alone tells elements apart.
    fn sized(&self, map: Map, byte: u8) -> Opcode {
        Opcode { map, prefix: Prefix::Operand, byte, wide: self.target.double }
    }

    fn load(&self) -> Opcode {
        self.float(0x10)
    }

    fn vector(&mut self, opcode: Opcode, reg: Register, second: Register, side: Side) {
        self.asm.vector(opcode, reg, second, side, Masked::default(), None);
    }

    fn steps(&mut self) {
        for &step in &self.allocated.steps {
            self.step(step);
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Load { to, operand } => self.access(true, to, operand),
            Step::Store { from, operand } => self.access(false, from, operand),
            Step::Whole { to, operand } => {
                let base = self.base(operand);
                self.vector(self.load(), to, 0, Side::At(base));
            }
            Step::Move { to, from: Place::Constant(constant) } => {
                let Side::Pool { offset, .. } = self.side(Place::Constant(constant)) else { return };
                let opcode = if self.target.wide {
                    self.sized(Map::Third, if self.target.double { 0x19 } else { 0x18 })
                } else {
                    self.load()
                };
                self.vector(opcode, to, 0, Side::Pool { offset, repeated: false });
            }
            Step::Move { to, from } => self.vector(self.float(0x28), to, 0, self.side(from)),
            Step::Spill { from, slot } => self.vector(self.float(0x29), from, 0, self.side(Place::Slot(slot))),
            Step::One { op, to, x } => self.one(op, to, x),
            Step::Two { op, to, left, right } => {
                let opcode = self.two(op);
                self.vector(opcode, to, left, self.side(right));
            }
            Step::MulAdd { form, negative, to, left, right } => {
                let form = match form {
                    Form::ToRight => 0x98,
                    Form::LeftTo => 0xa8,
                    Form::LeftRight => 0xb8,
                };
                let opcode = self.sized(Map::Third, form + if negative { 4 } else { 0 });
                self.vector(opcode, to, left, self.side(right));
            }
            Step::Shift { up, to, x, places } => {
                let byte = if self.target.double { 0x73 } else { 0x72 };
                let opcode = Opcode { wide: self.target.double && self.target.wide, ..self.sized(Map::Plain, byte) };
                let kind = if up { 6 } else { 2 };
                self.asm.vector(opcode, kind, to, Side::Register(x), Masked::default(), Some(places));
            }
            Step::Compare { relation, to, left, right } => {
                let code = match relation {
                    Relation::Equal => 0,
                    Relation::Less => 0x11,
                    Relation::LessEqual => 0x12,
                };
                self.asm.vector(self.float(0xc2), to, left, self.side(right), Masked::default(), Some(code));
            }
            Step::Select { to, mask, yes, no } if self.target.wide => {
                let masked = Masked { mask, zero: false };
                self.asm.vector(self.sized(Map::Third, 0x65), to, no, self.side(yes), masked, None);
            }
            Step::Select { to, mask, yes, no } => {
                let byte = if self.target.double { 0x4b } else { 0x4a };
                let opcode = Opcode { map: Map::Immediate, prefix: Prefix::Operand, byte, wide: false };
                self.asm.vector(opcode, to, no, self.side(yes), Masked::default(), Some(mask << 4));
            }
            Step::MaskNot { to, x } if self.target.wide => self.asm.masks(0x44, to, None, x),
            Step::MaskTwo { op, to, a, b } if self.target.wide => {
                let byte = if op == MaskTwo::And { 0x41 } else { 0x45 };
                self.asm.masks(byte, to, Some(a), b);
            }
            Step::MaskNot { to, x } => {
                // The table of the rest begins with full lanes.
                self.vector(self.two(Two::Xor), to, x, Side::Pool { offset: 0, repeated: false });
            }
            Step::MaskTwo { op, to, a, b } => {
                let op = if op == MaskTwo::And { Two::And } else { Two::Or };
                self.vector(self.two(op), to, a, Side::Register(b));
            }
        }
    }

    /// Read or write the next elements of an operand.
    fn access(&mut self, read: bool, register: Register, operand: u8) {
        let base = self.base(operand);
        let opcode = self.float(if read { 0x10 } else { 0x11 });
        if self.rest && !self.target.wide {
            let byte = 0x2c + if read { 0 } else { 2 } + u8::from(self.target.double);
            let opcode = Opcode { map: Map::Third, prefix: Prefix::Operand, byte, wide: false };
            self.vector(opcode, register, REST_VECTOR, Side::Next(base));
        } else {
            let mask = if self.rest { REST_MASK } else { 0 };
            self.asm.vector(opcode, register, 0, Side::Next(base), Masked { mask, zero: read && self.rest }, None);
        }
    }

    fn one(&mut self, op: One, to: Register, x: Place) {
        let toward = match op {
            One::Sqrt => return self.vector(self.float(0x51), to, 0, self.side(x)),
            One::Round => 8,
            One::Floor => 9,
            One::Ceil => 10,
            One::Trunc => 11,
        };
        let byte = if self.target.double { 9 } else { 8 };
        let opcode = Opcode { wide: self.target.double && self.target.wide, ..self.sized(Map::Immediate, byte) };
        self.asm.vector(opcode, to, 0, self.side(x), Masked::default(), Some(toward));
    }

    fn two(&self, op: Two) -> Opcode {
        let integer = |narrow: u8, double: u8| Opcode {
            map: Map::Plain,
            prefix: Prefix::Operand,
            byte: if self.target.double { double } else { narrow },
            wide: self.target.double && self.target.wide,
        };
        match op {
            Two::Add => self.float(0x58),
            Two::Mul => self.float(0x59),
            Two::Sub => self.float(0x5c),
            Two::Min => self.float(0x5d),
            Two::Div => self.float(0x5e),
            Two::Max => self.float(0x5f),
            Two::And => self.float(0x54),
            Two::AndNot => self.float(0x55),
            Two::Or => self.float(0x56),
            Two::Xor => self.float(0x57),
            Two::AddBits => integer(0xfe, 0xd4),
            Two::SubBits => integer(0xfa, 0xfb),
        }
    }
}
