//! Every shader that the tests made is one that Metal and DX12 would get, and adds no floats by atomics.

use naga::back::{hlsl, msl};
use naga::valid::{Capabilities, ValidationFlags, Validator};
use std::collections::HashSet;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use trainsmith_core::backend::gpu::texts;

/// Shaders that were looked at.
static SEEN: LazyLock<Mutex<HashSet<Arc<str>>>> = LazyLock::new(Mutex::default);

/// Write every shader made so far, and not looked at before, for the interfaces that this machine lacks.
pub(crate) fn are_accepted_everywhere() {
    let fresh: Vec<Arc<str>> = {
        let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        texts().into_iter().filter(|text| seen.insert(Arc::clone(text))).collect()
    };
    for text in fresh {
        // The order in which threads arrive must not show in a sum.
        assert!(!text.contains("atomic"), "an atomic in\n{text}");
        written(&text).unwrap_or_else(|error| panic!("{error} in\n{text}"));
    }
}

fn written(text: &str) -> Result<(), String> {
    let module = naga::front::wgsl::parse_str(text).map_err(|error| error.emit_to_string(text))?;
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::default());
    let info = validator.validate(&module).map_err(|error| error.to_string())?;
    let (options, pipeline) = (msl::Options::default(), msl::PipelineOptions::default());
    msl::write_string(&module, &info, &options, &pipeline).map_err(|error| format!("Metal: {error}"))?;
    let (options, pipeline) = (hlsl::Options::default(), hlsl::PipelineOptions::default());
    let mut out = String::new();
    let mut writer = hlsl::Writer::new(&mut out, &options, &pipeline);
    writer.write(&module, &info, None).map_err(|error| format!("DX12: {error}"))?;
    Ok(())
}
