//! The order in which rows come.

use crate::error::{Error, Result};
use std::ops::Range;

const ROUNDS: usize = 8;
const MIN_HALF: u32 = 3;
/// Numbers that go through the rounds side by side: each alone would wait for its own multiplications.
const LANES: usize = 8;

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

    /// The rows at some positions.
    pub fn at(&self, positions: Range<usize>) -> Vec<usize> {
        match self {
            Self::Sequence => positions.collect(),
            Self::Permuted(permutation) => permutation.at(positions),
            Self::Listed(numbers) => numbers[positions].to_vec(),
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

    /// The numbers at some positions below the size.
    pub fn at(&self, positions: Range<usize>) -> Vec<usize> {
        let mut numbers: Vec<u64> = positions.map(|position| position as u64).collect();
        self.permute(&mut numbers);
        let mut outside: Vec<usize> = (0..numbers.len()).collect();
        self.keep_outside(&mut outside, &numbers);
        while !outside.is_empty() {
            let mut walkers: Vec<u64> = outside.iter().map(|&place| numbers[place]).collect();
            self.permute(&mut walkers);
            outside.iter().zip(walkers).for_each(|(&place, number)| numbers[place] = number);
            self.keep_outside(&mut outside, &numbers);
        }
        numbers.into_iter().map(|number| number as usize).collect()
    }

    /// Leaves the places whose number is not below the size; without a branch, as no processor could predict it.
    fn keep_outside(&self, places: &mut Vec<usize>, numbers: &[u64]) {
        let mut kept = 0;
        for turn in 0..places.len() {
            let place = places[turn];
            places[kept] = place;
            kept += usize::from(numbers[place] >= self.size);
        }
        places.truncate(kept);
    }

    fn permute(&self, numbers: &mut [u64]) {
        let (whole, rest) = numbers.as_chunks_mut();
        for lanes in whole {
            self.rounds::<LANES>(lanes);
        }
        for number in rest {
            self.rounds(std::array::from_mut(number));
        }
    }

    fn rounds<const N: usize>(&self, numbers: &mut [u64; N]) {
        let mask = (1 << self.half) - 1;
        let (mut left, mut right) = (numbers.map(|number| number >> self.half), numbers.map(|number| number & mask));
        for key in self.keys {
            for (left, right) in left.iter_mut().zip(&mut right) {
                (*left, *right) = (*right, *left ^ (mix(right.wrapping_add(key)) & mask));
            }
        }
        *numbers = std::array::from_fn(|lane| (left[lane] << self.half) | right[lane]);
    }
}

/// The finaliser of SplitMix64.
fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}
