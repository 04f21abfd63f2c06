//! Where a tensor lives.

use crate::error::{Error, Result};
use std::fmt;

/// A place that holds tensors and runs ops on them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Device {
    /// Host memory, SIMD loops.
    #[default]
    Cpu,
    /// Host memory, the slow and obvious interpreter that the other backends are tested against.
    Reference,
}

impl Device {
    /// Parse a device name: `cpu` or `reference`.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "cpu" | "cpu:0" => Ok(Self::Cpu),
            "reference" => Ok(Self::Reference),
            _ => Err(Error::device("device", "one of \"cpu\", \"reference\"", format!("{name:?}"))),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "cpu",
            Self::Reference => "reference",
        })
    }
}
