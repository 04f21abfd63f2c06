//! Philox-4x32-10: random bits as a pure function of (key, counter).
//!
//! Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3.

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Four words of random bits for one counter.
pub fn philox(key: u64, counter: u64, stream: u32) -> [u32; 4] {
    let mut c = [counter as u32, (counter >> 32) as u32, stream, 0];
    let mut k = [key as u32, (key >> 32) as u32];
    for _ in 0..10 {
        c = round(c, k);
        k = [k[0].wrapping_add(WEYL[0]), k[1].wrapping_add(WEYL[1])];
    }
    c
}

fn round(c: [u32; 4], k: [u32; 2]) -> [u32; 4] {
    let a = u64::from(MULTIPLIERS[0]) * u64::from(c[0]);
    let b = u64::from(MULTIPLIERS[1]) * u64::from(c[2]);
    [(b >> 32) as u32 ^ c[1] ^ k[0], b as u32, (a >> 32) as u32 ^ c[3] ^ k[1], a as u32]
}

/// Word of element `i` of a draw that starts at `offset`; `stream` 1 holds the extra bits of wide draws.
pub fn word(key: u64, offset: u64, i: usize, stream: u32) -> u32 {
    philox(key, offset.wrapping_add(i as u64 / 4), stream)[i % 4]
}

/// Counters that a draw of `numel` elements reserves.
pub fn reserved(numel: usize) -> u64 {
    (numel as u64).div_ceil(4)
}

/// A float in [0, 1) with 24 random bits.
pub fn unit_f32(bits: u32) -> f32 {
    (bits >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// A float in [0, 1) with 53 random bits.
pub fn unit_f64(high: u32, low: u32) -> f64 {
    let bits = (u64::from(high) << 21) | u64::from(low >> 11);
    bits as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// A standard normal value from two words (Box and Muller 1958), in f64.
pub fn normal(radius: u32, angle: u32) -> f64 {
    let u = (f64::from(radius) + 1.0) * (1.0 / 4_294_967_296.0);
    let v = f64::from(angle) * (1.0 / 4_294_967_296.0);
    (-2.0 * u.ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers_of_the_authors_test_file() {
        assert_eq!(philox(0, 0, 0), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
    }
}
