//! Kernels by family: functions from an op and where its values lie to shader text and numbers.

#![allow(
    clippy::unnecessary_wraps,
    reason = "the door to the kernels treats those that can refuse an op and the others alike"
)]

mod body;
mod column;
pub(super) mod conv;
pub(super) mod elementwise;
pub(super) mod epilogue;
pub(super) mod fused;
pub(super) mod guard;
pub(super) mod index;
pub(super) mod map;
pub(super) mod movement;
pub(super) mod order;
pub(super) mod product;
pub(super) mod random;
pub(super) mod reduce;
mod row;
pub(super) mod softmax;
mod tile;
pub(super) mod window;
