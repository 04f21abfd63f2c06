//! The CPU backend.
/// The CPU.
pub static CPU: super::reference::Reference = super::reference::Reference;
