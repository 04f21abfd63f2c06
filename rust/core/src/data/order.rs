//! The order in which rows come.

use crate::error::{Error, Result};

const ROUNDS: usize = 8;
const MIN_HALF: u32 = 3;

/// Which row stands at a position.
#[derive(Debug, Clone)]
pub enum Order {
    /// Row i at position i.
    Sequence,
    /// A shuffle that can be entered anywhere.
    Permuted(Permutation),
    /// Any rows, also repeated ones.
    Listed(Vec<usize>),
}

impl Order {
    /// An order from row numbers, each below `rows`.
    pub fn listed(numbers: &[i64], rows: usize) -> Result<Self> {
        let found: Vec<usize> = numbers.iter().filter_map(|&n| usize::try_from(n).ok().filter(|&n| n < rows)).collect();
        if found.len() == numbers.len() {
            return Ok(Self::Listed(found));
        }
        let outside = numbers.iter().find(|&&n| usize::try_from(n).map_or(true, |n| n >= rows));
        let got = outside.map_or_else(String::new, i64::to_string);
        Err(Error::index("batches", format!("row numbers from 0 to {}", rows.saturating_sub(1)), got))
    }

    /// Positions that the order has over `rows` rows.
    pub fn len(&self, rows: usize) -> usize {
        match self {
            Self::Sequence | Self::Permuted(_) => rows,
            Self::Listed(numbers) => numbers.len(),
        }
    }

    /// The row at a position.
    pub fn at(&self, position: usize) -> usize {
        match self {
            Self::Sequence => position,
            Self::Permuted(permutation) => permutation.at(position as u64) as usize,
            Self::Listed(numbers) => numbers[position],
        }
    }
}

/// A pseudo-random order of 0 to size - 1, computed where it is asked: a Feistel network with cycle walking.
///
/// `trainsmith.data.Permutation` is the same function in NumPy, and says where it comes from.
#[derive(Debug, Clone)]
pub struct Permutation {
    size: u64,
    half: u32,
    keys: [u64; ROUNDS],
}

impl Permutation {
    /// The permutation of `size` numbers under some round keys.
    pub fn new(size: u64, keys: [u64; ROUNDS]) -> Self {
        let bits = u64::BITS - size.saturating_sub(1).leading_zeros();
        Self { size, half: bits.div_ceil(2).max(MIN_HALF), keys }
    }

    /// The number at a position below the size.
    pub fn at(&self, position: u64) -> u64 {
        let mut value = self.permute(position);
        while value >= self.size {
            value = self.permute(value);
        }
        value
    }

    fn permute(&self, value: u64) -> u64 {
        let mask = (1 << self.half) - 1;
        let (left, right) = self.keys.iter().fold((value >> self.half, value & mask), |(left, right), key| {
            (right, left ^ (mix(right.wrapping_add(*key)) & mask))
        });
        (left << self.half) | right
    }
}

/// The finaliser of SplitMix64.
fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}
