//! Random draws: element i is a function of (key, offset, i) alone, with the integers of the CPU.

use crate::backend::gpu::launch::{Launch, Slot, View};
use crate::backend::gpu::shader::{Expr, Kind, Shader};
use crate::dtype::DType;
use crate::error::Result;
use crate::ir::op::RandomOp;

/// Random words or floats from a generator state, i64 `[key, offset]`.
pub(in crate::backend::gpu) fn random(kind: RandomOp, state: &View, out: &View) -> Result<Launch> {
    let mut shader = Shader::default();
    let from = shader.operand(Slot::Input(0), state);
    let to = shader.operand(Slot::Output(0), out);
    let count = out.shape().numel();
    let place = shader.each(count);
    let step = shader.word(state.layout.strides()[0] as u32);
    let (key, offset) = (shader.load(&from, "0u"), shader.load(&from, &step));
    let word = |stream: u32| format!("random_word({}, {}, {place}, {stream}u)", key.text, offset.text);
    let value = match kind {
        RandomOp::Bits => Expr::new(Kind::Signed, format!("vec2<u32>({}, 0u)", word(0))),
        RandomOp::Uniform => {
            // Rounding may reach 1, which the draw excludes.
            let below = match out.dtype {
                DType::F16 => "0.99951171875",
                DType::BF16 => "0.99609375",
                _ => "1.0",
            };
            Expr::new(Kind::Float, format!("min(unit_of({}), {below})", word(0)))
        }
        RandomOp::Normal => Expr::new(Kind::Float, format!("normal_of({}, {})", word(0), word(1))),
    };
    let value = shader.keep(&value);
    let coordinates = shader.coordinates(out.shape(), &place);
    let at = shader.position(out.layout.strides(), &coordinates);
    shader.store(&to, &at, &value);
    Ok(shader.finish_each(count))
}
