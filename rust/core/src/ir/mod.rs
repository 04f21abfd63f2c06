//! WHAT is computed, as pure data: ops, nodes, programs, their rules. Nothing here runs an op or knows a backend.
//!
//! The tensor layer builds [`Node`]s, the passes rewrite [`Program`]s, the backends read both.

pub mod build;
pub mod cost;
pub mod decompose;
pub mod decompose_attention;
pub mod decompose_pool;
pub mod fused;
pub mod infer;
mod infer_attention;
pub mod infer_linalg;
pub mod infer_window;
pub mod node;
pub mod op;
pub mod plan;
pub mod print;
pub mod program;
pub mod sketch;
pub mod variable;
pub mod verify;
pub mod view;

pub use build::Builder;
pub use fused::{FusedKind, FusedOp};
pub use node::{Edge, Edges, Handle, Leaf, Node, Sink};
pub use op::{
    ArgOp, BinaryOp, CompareOp, Composite, ConvOp, CumulateOp, LinalgOp, Op, PoolKind, PoolOp, RandomOp, ReduceOp,
    ScanOp, UnaryOp, ViewOp,
};
pub use plan::Plan;
pub use program::{Instruction, Program, ValueId};
pub use variable::Variable;
