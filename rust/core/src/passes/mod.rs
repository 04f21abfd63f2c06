//! Program to program, program to plan. Nothing here runs an op; the tensor layer calls it when it differentiates or compiles.

pub mod fuse;
pub mod grad;
pub mod join;
pub mod loops;
pub mod memory;
mod rewrite;
pub mod simplify;
