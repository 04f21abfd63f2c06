//! Memory that a call of a plan takes, known before the first one.

use crate::buffer::{Meta, element_size};
use crate::device::Device;
use crate::error::Error;
use crate::ir::plan::{Exit, Plan};
use std::fmt;

/// Bytes on a device, beside those of what the caller holds for other purposes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Need {
    /// Of arguments, parameters, optimizer state and constants.
    pub given: u64,
    /// Of results that get memory of their own; what is written over an input needs none.
    pub results: u64,
    /// Of values in between.
    pub working: u64,
}

impl Need {
    /// That of a plan which works in so many bytes on a device.
    pub(super) fn of(device: Device, plan: &Plan, working: u64) -> Self {
        let bytes = |meta: &Meta| (meta.shape.numel() * element_size(meta.dtype, device)) as u64;
        let constants = plan.constants.iter().map(|constant| bytes(&constant.meta()));
        let written = plan.exits.iter().map(|exit| match exit {
            Exit::Written(meta) => bytes(meta),
            Exit::Replaced { .. } | Exit::Alias(_) | Exit::Shared { .. } => 0,
        });
        Self { given: plan.inputs.iter().map(bytes).chain(constants).sum(), results: written.sum(), working }
    }

    /// All of it.
    pub fn total(self) -> u64 {
        self.given + self.results + self.working
    }

    /// Let an error of the device say what the step would have taken.
    pub(super) fn explain(self, error: Error) -> Error {
        match error {
            Error::Device { op, expected, got } => {
                Error::Device { op, expected, got: format!("{got}; the step takes {self}") }
            }
            other => other,
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { given, results, working } = self;
        let [total, given, results, working] = [self.total(), *given, *results, *working].map(size);
        write!(f, "{total}: {given} of arguments, parameters and state, {results} of results, {working} to work in")
    }
}

/// Bytes as people read them.
pub(super) fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64 / 1024.0;
    if value < 1.0 {
        return format!("{bytes} bytes");
    }
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well_and_an_error_tells_them() {
        let need = Need { given: 3 << 20, results: 12, working: 5 << 29 };
        let text = "2.5 GiB: 3.0 MiB of arguments, parameters and state, 12 bytes of results, 2.5 GiB to work in";
        assert_eq!((need.total(), &need.to_string()[..]), ((3 << 20) + 12 + (5 << 29), text));
        let said = need.explain(Error::device("compile", "room", "no room for 9 bytes")).to_string();
        assert!(said.contains("no room for 9 bytes; the step takes 2.5 GiB"), "{said}");
        assert_eq!([size(1023), size(1024), size(1 << 50)], ["1023 bytes", "1.0 KiB", "1024.0 TiB"]);
    }
}
