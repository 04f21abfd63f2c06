//! Which GPUs there are, found when one is first asked for.

use super::tier::Tier;
use crate::error::{Error, Result};
use std::sync::LazyLock;
use wgpu::{Adapter, Backend, Backends, DeviceType, Instance, InstanceDescriptor, InstanceFlags};

static ADAPTERS: LazyLock<Vec<Adapter>> = LazyLock::new(|| {
    let mut options = InstanceDescriptor::new_without_display_handle();
    options.backends = Backends::VULKAN | Backends::METAL | Backends::DX12;
    options.flags = InstanceFlags::empty();
    let instance = Instance::new(options.with_env());
    let found = pollster::block_on(instance.enumerate_adapters(Backends::all()));
    let mut adapters: Vec<Adapter> = Vec::new();
    for adapter in found {
        // One card can be there once for each interface; the first one found stands for it.
        let info = adapter.get_info();
        let twin = adapters
            .iter()
            .map(Adapter::get_info)
            .any(|other| other.backend != info.backend && (other.vendor, other.device) == (info.vendor, info.device));
        if !twin {
            adapters.push(adapter);
        }
    }
    adapters.sort_by_key(|adapter| kind(adapter.get_info().device_type));
    adapters
});

/// Cards of their own come first, software last.
fn kind(device: DeviceType) -> u8 {
    match device {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    }
}

/// What is known of a GPU without opening it.
#[derive(Clone, Debug)]
pub struct GpuInfo {
    /// Name of the card.
    pub name: String,
    /// Driver and its version.
    pub driver: String,
    /// Interface: `vulkan`, `metal` or `dx12`.
    pub backend: String,
    /// What it can do: `t0` to `t3`.
    pub tier: String,
    /// Whether it is a program on the CPU.
    pub software: bool,
    /// Bytes that one tensor may have at most.
    pub largest: u64,
}

/// The GPUs of this machine, in the order of their numbers.
pub fn gpus() -> Vec<GpuInfo> {
    ADAPTERS.iter().map(describe).collect()
}

fn describe(adapter: &Adapter) -> GpuInfo {
    let (info, limits) = (adapter.get_info(), adapter.limits());
    let backend = match info.backend {
        Backend::Vulkan => "vulkan",
        Backend::Metal => "metal",
        Backend::Dx12 => "dx12",
        Backend::Noop | Backend::Gl | Backend::BrowserWebGpu => "other",
    };
    GpuInfo {
        name: info.name,
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
        backend: backend.to_owned(),
        tier: Tier::of(adapter.features()).to_string(),
        software: info.device_type == DeviceType::Cpu,
        largest: limits.max_storage_buffer_binding_size.min(limits.max_buffer_size),
    }
}

/// The adapter with this number.
pub(super) fn adapter(number: u8) -> Result<&'static Adapter> {
    let count = ADAPTERS.len();
    if count == 0 {
        let rule = "a GPU with a Vulkan, Metal or DX12 driver; install one (on Linux the package with the Vulkan driver \
                    of the card, or mesa-vulkan-drivers), or use device=\"cpu\"";
        return Err(Error::device("gpu", rule, "no adapter"));
    }
    ADAPTERS.get(number as usize).ok_or_else(|| {
        let rule = format!("a GPU from gpu:0 to gpu:{}", count - 1);
        Error::device("gpu", rule, format!("gpu:{number}"))
    })
}
