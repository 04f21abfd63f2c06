//! Instructions of x86-64 vectors as bytes: VEX for registers of 256 bits, EVEX for those of 512.
//!
//! Encodings after the Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, chapter 2.

use super::allocate::Register;

/// Map of opcodes: the bytes that would come before them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Map {
    /// 0F
    Plain = 1,
    /// 0F 38
    Third = 2,
    /// 0F 3A
    Immediate = 3,
}

/// What stands for the mandatory prefix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Prefix {
    None = 0,
    Operand = 1,
}

/// One opcode.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opcode {
    pub(super) map: Map,
    pub(super) prefix: Prefix,
    pub(super) byte: u8,
    /// The bit that tells wide elements from narrow ones in some opcodes.
    pub(super) wide: bool,
}

/// The last operand of an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Register(Register),
    /// Memory at the address in this general register.
    At(u8),
    /// That plus the offset of the elements.
    Next(u8),
    /// Stack of the function.
    Stack(i32),
    /// Memory behind the code; one element that stands for all lanes, where so said.
    Pool {
        offset: usize,
        repeated: bool,
    },
}

/// General register that holds the offset of the elements in bytes.
const OFFSET: u8 = 6;
const STACK: u8 = 4;

/// How a mask takes part.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Masked {
    /// Mask register; 0 for none.
    pub(super) mask: u8,
    /// Lanes outside the mask become zero, and do not keep what they were.
    pub(super) zero: bool,
}

/// Bytes of a function, and places in it that are known later.
#[derive(Debug)]
pub(super) struct Assembler {
    pub(super) bytes: Vec<u8>,
    /// Vectors of 512 bits.
    wide: bool,
    /// Place of four bytes, place that they count from, and offset in the pool that they lead to.
    pool: Vec<(usize, usize, usize)>,
}

impl Assembler {
    /// No bytes yet; vectors of 512 bits, or of 256.
    pub(super) fn new(wide: bool) -> Self {
        Self { bytes: vec![], wide, pool: vec![] }
    }

    /// Append bytes.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Append a jump forward or to a known place; `fix` fills it in.
    pub(super) fn jump(&mut self, opcode: &[u8], to: Option<usize>) -> usize {
        self.raw(opcode);
        let place = self.bytes.len();
        self.raw(&[0; 4]);
        if let Some(to) = to {
            self.fix(place, to);
        }
        place
    }

    /// Let a jump lead to a place.
    pub(super) fn fix(&mut self, place: usize, to: usize) {
        let distance = to as i64 - (place as i64 + 4);
        self.bytes[place..place + 4].copy_from_slice(&(distance as i32).to_le_bytes());
    }

    /// `lea rax, [pool + offset]`.
    pub(super) fn pool_address(&mut self, offset: usize) {
        self.raw(&[0x48, 0x8d, 0x05]);
        self.pool.push((self.bytes.len(), self.bytes.len() + 4, offset));
        self.raw(&[0; 4]);
    }

    /// An instruction of vectors: `reg` is its first operand, `second` the one after it, if it has one.
    pub(super) fn vector(
        &mut self,
        opcode: Opcode,
        reg: Register,
        second: Register,
        side: Side,
        masked: Masked,
        immediate: Option<u8>,
    ) {
        let (rm, index) = match side {
            Side::Register(register) => (register, register >> 1),
            Side::At(base) => (base, 0),
            Side::Next(base) => (base, OFFSET),
            Side::Stack(_) => (STACK, 0),
            Side::Pool { .. } => (0, 0),
        };
        if self.wide {
            self.evex(opcode, (reg, second, rm), index & 8 != 0, side, masked);
        } else {
            self.vex(opcode, reg, second, rm & 8 != 0, true);
        }
        self.side(reg, side, immediate);
    }

    /// An instruction of masks: VEX, of registers alone.
    pub(super) fn masks(&mut self, byte: u8, reg: Register, second: Option<Register>, rm: Register) {
        let opcode = Opcode { map: Map::Plain, prefix: Prefix::None, byte, wide: false };
        self.vex(opcode, reg, second.unwrap_or(0), false, second.is_some());
        self.side(reg, Side::Register(rm), None);
    }

    fn vex(&mut self, opcode: Opcode, reg: Register, second: Register, high: bool, long: bool) {
        let inverted = |bit: bool, place: u8| u8::from(!bit) << place;
        self.raw(&[
            0xc4,
            inverted(reg & 8 != 0, 7) | inverted(false, 6) | inverted(high, 5) | opcode.map as u8,
            u8::from(opcode.wide) << 7 | (!second & 15) << 3 | u8::from(long) << 2 | opcode.prefix as u8,
            opcode.byte,
        ]);
    }

    fn evex(
        &mut self,
        opcode: Opcode,
        (reg, second, rm): (Register, Register, Register),
        index: bool,
        side: Side,
        masked: Masked,
    ) {
        let inverted = |bit: bool, place: u8| u8::from(!bit) << place;
        let high =
            inverted(reg & 8 != 0, 7) | inverted(index, 6) | inverted(rm & 8 != 0, 5) | inverted(reg & 16 != 0, 4);
        let repeated = matches!(side, Side::Pool { repeated: true, .. });
        self.raw(&[
            0x62,
            high | opcode.map as u8,
            u8::from(opcode.wide) << 7 | (!second & 15) << 3 | 4 | opcode.prefix as u8,
            u8::from(masked.zero) << 7 | 2 << 5 | u8::from(repeated) << 4 | inverted(second & 16 != 0, 3) | masked.mask,
            opcode.byte,
        ]);
    }

    /// The bytes that say where the last operand lies.
    fn side(&mut self, reg: Register, side: Side, immediate: Option<u8>) {
        let reg = (reg & 7) << 3;
        match side {
            Side::Register(register) => self.raw(&[0xc0 | reg | register & 7]),
            // Base 4 would mean an index, base 5 none without a distance: both are written out.
            Side::At(base) => self.raw(&[0x44 | reg, 0x20 | base & 7, 0]),
            Side::Next(base) => self.raw(&[0x44 | reg, OFFSET << 3 | base & 7, 0]),
            Side::Stack(distance) => {
                self.raw(&[0x84 | reg, 0x20 | STACK]);
                self.raw(&distance.to_le_bytes());
            }
            Side::Pool { offset, .. } => {
                self.raw(&[0x05 | reg]);
                let place = self.bytes.len();
                self.pool.push((place, place + 4 + usize::from(immediate.is_some()), offset));
                self.raw(&[0; 4]);
            }
        }
        self.bytes.extend(immediate);
    }

    /// Append the pool, where lines begin, and let the code find it.
    pub(super) fn finish(mut self, pool: &[u8]) -> Vec<u8> {
        let start = self.bytes.len().next_multiple_of(64);
        for &(place, from, offset) in &self.pool {
            let distance = (start + offset) as i64 - from as i64;
            self.bytes[place..place + 4].copy_from_slice(&(distance as i32).to_le_bytes());
        }
        self.bytes.resize(start, 0xcc);
        self.raw(pool);
        self.bytes
    }
}
