//! Every derivative against differences, first and second order, in f64; kinks, ties and zeros against written numbers.
//!
//! Ops come from the rows of `every_op`, each with its attributes and shapes: an op without a verdict on its derivative does
//! not compile, and one that is said to have a derivative but is never checked fails. Functions come from a table by name.

#![allow(clippy::unwrap_used, reason = "a test whose data cannot be made should fail on the spot")]

mod check;
mod functions;
mod kinks;
mod loops;
mod ops;
mod unrolled;

#[path = "../every_op/attention.rs"]
mod attention;
#[path = "../every_op/data.rs"]
mod data;
#[path = "../every_op/elementwise.rs"]
mod elementwise;
#[path = "../every_op/fused.rs"]
mod fused;
#[path = "../every_op/matrices.rs"]
mod matrices;
#[path = "../every_op/moving.rs"]
mod moving;
#[path = "../every_op/pools.rs"]
mod pools;
#[expect(dead_code, reason = "how close a kernel must come is asked by every_op alone")]
#[path = "../every_op/rows.rs"]
mod rows;
#[path = "../every_op/shaped.rs"]
mod shaped;

#[path = "../common"]
mod common {
    pub(crate) mod close;
    pub(crate) mod draw;
    pub(crate) mod values;
}
