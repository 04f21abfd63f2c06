//! Rows on their way to a step: the order they come in, and batches gathered ahead of the one who asks.

pub mod ahead;
pub mod order;
pub mod rows;

#[cfg(test)]
mod tests;
