//! Random draws: element i of the row-major result is a function of (key, offset, i) alone, by `rng.rs`.

use super::element::to_odd;
use super::kernel::{Dst, Src};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::op::RandomOp;
use crate::rng::{normal, philox, unit_f32, unit_f64};
use bytemuck::Pod;
use half::{bf16, f16};

/// Random words or floats from a generator state, i64 `[key, offset]`.
pub(super) fn random(kind: RandomOp, state: &Src<'_>, out: &mut Dst<'_>) -> Result<()> {
    let [key, offset] = [0, 1].map(|i| state_word(state, i));
    let draw = Draw { key, offset };
    match (kind, out.meta.dtype) {
        (RandomOp::Bits, DType::I64) => draw.fill(out, |word, _| i64::from(word)),
        (RandomOp::Uniform, DType::F64) => draw.fill(out, unit_f64),
        (RandomOp::Uniform, DType::F32) => draw.fill(out, |word, _| unit_f32(word)),
        // Rounding may reach 1, which the draw excludes.
        (RandomOp::Uniform, DType::F16) => draw.fill(out, |word, _| f16::from_f32(unit_f32(word)).min(BELOW_ONE_F16)),
        (RandomOp::Uniform, DType::BF16) => {
            draw.fill(out, |word, _| bf16::from_f32(unit_f32(word)).min(BELOW_ONE_BF16));
        }
        (RandomOp::Normal, DType::F64) => draw.fill(out, normal),
        (RandomOp::Normal, DType::F32) => draw.fill(out, |radius, angle| normal(radius, angle) as f32),
        (RandomOp::Normal, DType::F16) => draw.fill(out, |radius, angle| f16::from_f32(to_odd(normal(radius, angle)))),
        (RandomOp::Normal, DType::BF16) => {
            draw.fill(out, |radius, angle| bf16::from_f32(to_odd(normal(radius, angle))));
        }
        (RandomOp::Bits | RandomOp::Uniform | RandomOp::Normal, dtype) => {
            return Err(Error::bug(kind.name(), format!("no draw of {dtype}")));
        }
    }
    Ok(())
}

const BELOW_ONE_F16: f16 = f16::from_bits(0x3BFF);
const BELOW_ONE_BF16: bf16 = bf16::from_bits(0x3F7F);

/// Word `i` of the state, by its bits.
fn state_word(state: &Src<'_>, i: usize) -> u64 {
    const SIZE: usize = size_of::<u64>();
    bytemuck::pod_read_unaligned(&state.bytes[state.layout.at(&[i]) * SIZE..][..SIZE])
}

#[derive(Debug)]
struct Draw {
    key: u64,
    offset: u64,
}

impl Draw {
    /// Write `f(word of stream 0, word of stream 1)` for every element; one counter serves four.
    fn fill<T: Pod>(&self, out: &mut Dst<'_>, f: impl Fn(u32, u32) -> T) {
        let size = size_of::<T>();
        for (counter, chunk) in (0u64..).zip(out.bytes.chunks_mut(4 * size)) {
            let [first, second] = [0, 1].map(|stream| philox(self.key, self.offset.wrapping_add(counter), stream));
            for (slot, (a, b)) in chunk.chunks_exact_mut(size).zip(first.into_iter().zip(second)) {
                slot.copy_from_slice(bytemuck::bytes_of(&f(a, b)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{run, tensor};
    use super::*;
    use crate::ir::op::Op;
    use crate::rng::word;

    const KEY: i64 = -5;
    const OFFSET: i64 = i64::MAX;

    fn draw<T: Pod>(kind: RandomOp, numel: usize, dtype: DType) -> Vec<T> {
        let op = Op::Random { kind, shape: [numel].into(), dtype };
        run(&op, &[tensor(&[KEY, OFFSET], &[2], DType::I64)])
    }

    #[test]
    fn bits_are_those_of_the_generator() {
        let wanted: Vec<i64> = (0..7).map(|i| i64::from(word(KEY as u64, OFFSET as u64, i, 0))).collect();
        assert_eq!(draw::<i64>(RandomOp::Bits, 7, DType::I64), wanted);
    }

    #[test]
    fn floats_come_from_one_or_two_words() {
        let words = |i| (word(KEY as u64, OFFSET as u64, i, 0), word(KEY as u64, OFFSET as u64, i, 1));
        let singles: Vec<f32> = (0..6).map(|i| unit_f32(words(i).0)).collect();
        assert_eq!(draw::<f32>(RandomOp::Uniform, 6, DType::F32), singles);
        let doubles: Vec<f64> = (0..6).map(|i| unit_f64(words(i).0, words(i).1)).collect();
        assert_eq!(draw::<f64>(RandomOp::Uniform, 6, DType::F64), doubles);
        let normals: Vec<f32> = (0..6).map(|i| normal(words(i).0, words(i).1) as f32).collect();
        assert_eq!(draw::<f32>(RandomOp::Normal, 6, DType::F32), normals);
    }

    #[test]
    fn narrow_draws_stay_below_one() {
        let halves: Vec<bf16> = draw(RandomOp::Uniform, 4096, DType::BF16);
        assert!(halves.iter().all(|x| *x >= bf16::ZERO && *x < bf16::ONE));
        assert_eq!(bf16::ONE.min(BELOW_ONE_BF16).to_f32(), 1.0 - 2f32.powi(-8));
        assert_eq!(f16::ONE.min(BELOW_ONE_F16).to_f32(), 1.0 - 2f32.powi(-11));
    }
}
