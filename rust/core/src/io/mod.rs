//! Files. Nothing here computes; the bindings call it.

pub mod safetensors;
