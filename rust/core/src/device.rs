//! Where a tensor lives.

use crate::error::{Error, Result};
use std::fmt;

/// A place that holds tensors and runs ops on them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Device {
    /// Host memory, SIMD loops.
    #[default]
    Cpu,
    /// Memory and compute units of a graphics processor, by its number.
    Gpu(u8),
    /// Host memory, the slow and obvious interpreter that the other backends are tested against.
    Reference,
}

impl Device {
    /// GPUs that can be named.
    pub const GPUS: u8 = 16;

    /// Parse a device name: `cpu`, `gpu`, `gpu:1` or `reference`. Whether there is such a GPU shows when it is first used.
    pub fn parse(name: &str) -> Result<Self> {
        let number = |text: &str| text.parse().ok().filter(|&number| number < Self::GPUS).map(Self::Gpu);
        let device = match name {
            "cpu" | "cpu:0" => Some(Self::Cpu),
            "gpu" => Some(Self::Gpu(0)),
            "reference" => Some(Self::Reference),
            _ => name.strip_prefix("gpu:").and_then(number),
        };
        let rule = "one of \"cpu\", \"gpu\", \"gpu:1\", \"reference\"";
        device.ok_or_else(|| Error::device("device", rule, format!("{name:?}")))
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Gpu(0) => f.write_str("gpu"),
            Self::Gpu(number) => write!(f, "gpu:{number}"),
            Self::Reference => f.write_str("reference"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for device in [Device::Cpu, Device::Gpu(0), Device::Gpu(15), Device::Reference] {
            assert_eq!(Device::parse(&device.to_string()).unwrap(), device);
        }
        assert_eq!(Device::parse("gpu:0").unwrap(), Device::Gpu(0));
        for name in ["", "gpu:", "gpu:16", "gpu:-1", "cuda"] {
            assert!(Device::parse(name).is_err(), "{name}");
        }
    }
}
