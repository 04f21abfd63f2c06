//! The GPU of this machine, if there is one.

use std::io::Write;
use trainsmith_core::backend::gpu::gpus;
use trainsmith_core::device::Device;

/// The first GPU. Without one a test says that it leaves GPUs out; with `REQUIRE_GPU=1` it fails.
pub(crate) fn gpu() -> Option<Device> {
    if !gpus().is_empty() {
        return Some(Device::Gpu(0));
    }
    assert!(std::env::var("REQUIRE_GPU").is_err(), "REQUIRE_GPU is set, and there is no GPU with a driver");
    let _ = writeln!(std::io::stderr(), "left out on GPUs: there is none with a driver");
    None
}
