//! Random numbers as a cell: a key, and the offset of the next draw. The cell goes to the device that draws.

use crate::buffer::{Meta, Value};
use crate::device::Device;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::{Op, RandomOp};
use crate::ir::variable::Variable;
use crate::rng::reserved;
use crate::shape::Shape;
use crate::tensor::face::{face, leaf};
use crate::tensor::object::moved;
use crate::tensor::{Tensor, mode};
use std::sync::{Arc, LazyLock};

/// A stream of random numbers. Eager, captured and recomputed draws give the same bits.
#[derive(Clone, Debug)]
pub struct Generator(Arc<Variable>);

static DEFAULT: LazyLock<Generator> = LazyLock::new(|| Generator::new(0));

impl Generator {
    /// A stream that starts at offset 0 of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Variable::roaming("generator", state([seed as i64, 0])))
    }

    /// The stream that is used where none is named.
    pub fn global() -> &'static Self {
        &DEFAULT
    }

    /// The cell that holds `[seed, offset]`.
    pub fn variable(&self) -> &Arc<Variable> {
        &self.0
    }

    /// Start again with another seed.
    pub fn reseed(&self, seed: u64) -> Result<()> {
        self.set_state([seed as i64, 0])
    }

    /// Seed and offset of the next draw.
    pub fn state(&self) -> Result<[i64; 2]> {
        let bytes = Tensor::from_variable(Arc::clone(&self.0)).to_host("generator")?;
        let words: &[i64] = bytemuck::cast_slice(&bytes);
        Ok([words[0], words[1]])
    }

    /// Go to a seed and an offset.
    pub fn set_state(&self, words: [i64; 2]) -> Result<()> {
        Tensor::from_variable(Arc::clone(&self.0)).overwrite("generator", leaf(state(words)))
    }

    /// Draw on a device; the range of counters that the draw needs is reserved in program order, over all devices.
    pub fn draw(&self, kind: RandomOp, shape: &Shape, dtype: DType, device: Device) -> Result<Edge> {
        let b = face();
        let cell = Tensor::from_variable(Arc::clone(&self.0));
        mode::with_grad(false, || {
            let now = self.now(device)?;
            let op = Op::Random { kind, shape: shape.clone(), dtype };
            let drawn = b.one(op, std::slice::from_ref(&now))?;
            let step = leaf(moved(&state([0, reserved(shape.numel()) as i64]), device)?);
            cell.overwrite("generator", b.add(&now, &step)?)?;
            Ok(drawn)
        })
    }

    /// The state, on a device.
    fn now(&self, device: Device) -> Result<Edge> {
        let Some(now) = mode::with_recorder(|recorder| recorder.read_variable_on(&self.0, device)) else {
            let here = moved(&self.0.get(), device)?;
            self.0.set(here);
            return Tensor::from_variable(Arc::clone(&self.0)).edge();
        };
        if now.node.device != device {
            let rule = format!("draws on one device in a compiled function, {} here", now.node.device);
            return Err(Error::device("random", rule, device.to_string()));
        }
        Ok(now)
    }
}

fn state(words: [i64; 2]) -> Value {
    let meta = Meta::new([2], DType::I64);
    let bytes = crate::buffer::HostVec::from_slice(64, bytemuck::cast_slice(&words));
    Value::from_host(bytes, &meta, Device::Cpu)
}
