//! What a GPU can do, in steps; a variable forces a lower one, so that one machine tests them all.

use crate::error::{Error, Result};
use std::fmt;
use wgpu::{Features, Limits};

/// The variable that forces a tier.
const VARIABLE: &str = "TRAINSMITH_GPU_CAPS";

/// Steps of ability; each has those below it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Tier {
    /// What WebGPU promises everywhere.
    T0,
    /// Threads of a subgroup exchange values.
    T1,
    /// 16-bit floats are stored as such.
    T2,
    /// Products of small matrices in one instruction.
    T3,
}

impl Tier {
    /// The tier of an adapter with these features.
    pub(super) fn of(features: Features) -> Self {
        if !features.contains(Features::SUBGROUP) {
            Self::T0
        } else if !features.contains(Features::SHADER_F16) {
            Self::T1
        } else if !features.contains(Features::EXPERIMENTAL_COOPERATIVE_MATRIX) {
            Self::T2
        } else {
            Self::T3
        }
    }

    /// The tier to use: the adapter's, or a lower one that the variable asks for.
    pub(super) fn wanted(has: Self) -> Result<Self> {
        let Ok(text) = std::env::var(VARIABLE) else { return Ok(has) };
        let tier = match text.as_str() {
            "" => return Ok(has),
            "t0" => Self::T0,
            "t1" => Self::T1,
            "t2" => Self::T2,
            "t3" => Self::T3,
            _ => return Err(Error::value(VARIABLE, "t0, t1, t2 or t3", format!("{text:?}"))),
        };
        if tier > has {
            return Err(Error::device(VARIABLE, format!("a tier that the GPU has, {has} at most"), tier.to_string()));
        }
        Ok(tier)
    }

    /// The limits to ask for: those of the adapter, or on the lowest tier those that every adapter has.
    pub(super) fn limits(self, has: Limits) -> Limits {
        if self != Self::T0 {
            return has;
        }
        let base = Limits::default();
        Limits {
            max_storage_buffers_per_shader_stage: base.max_storage_buffers_per_shader_stage,
            max_compute_workgroup_storage_size: base.max_compute_workgroup_storage_size,
            max_compute_invocations_per_workgroup: base.max_compute_invocations_per_workgroup,
            max_storage_buffer_binding_size: base
                .max_storage_buffer_binding_size
                .min(has.max_storage_buffer_binding_size),
            min_storage_buffer_offset_alignment: base.min_storage_buffer_offset_alignment,
            min_uniform_buffer_offset_alignment: base.min_uniform_buffer_offset_alignment,
            ..has
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::T0 => "t0",
            Self::T1 => "t1",
            Self::T2 => "t2",
            Self::T3 => "t3",
        })
    }
}
