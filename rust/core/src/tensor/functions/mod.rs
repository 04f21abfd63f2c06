//! Functions by name: what the bindings call. Each row promotes, broadcasts and composes ops.
//!
//! Adding a composed function: a row in its family's table, its public wrapper, its test.

mod activation;
pub mod creation;
mod elementwise;
mod linalg;
pub(crate) mod linear;
mod loss;
mod manipulation;
mod neural;
mod promote;
mod random;
mod reduction;
mod sequence;
mod sorting;
mod spatial;

use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::passes::grad::identity;
use crate::tensor::args::{Arg, Attr, Call};
use crate::tensor::face::face;
use std::collections::HashMap;
use std::sync::LazyLock;

/// A function of the table.
pub type Function = fn(&Call<'_>) -> Result<Vec<Edge>>;

/// A row of a table.
type Row = (&'static str, Function);

static TABLE: LazyLock<HashMap<&'static str, Function>> = LazyLock::new(|| {
    let families: &[&[Row]] = &[
        activation::ROWS,
        creation::ROWS,
        elementwise::ROWS,
        linalg::ROWS,
        linear::ROWS,
        loss::ROWS,
        manipulation::ROWS,
        neural::ROWS,
        random::ROWS,
        reduction::ROWS,
        sequence::ROWS,
        sorting::ROWS,
        spatial::ROWS,
    ];
    families.iter().copied().flatten().copied().collect()
});

/// Call a function by name.
///
/// A function that has nothing to do, such as a reshape to the same shape, gives its operand back; of a leaf it gives a
/// result, so that an in-place change of the result never asks for the rights of the leaf. Positions that come with
/// floating results, such as those of a sort, lose their tape.
pub fn call(name: &str, args: &[Arg], attrs: &[(String, Attr)]) -> Result<Vec<Edge>> {
    let function = TABLE.get(name).ok_or_else(|| Error::bug(name, "no function of this name"))?;
    let mut results = function(&Call { name, args, attrs })?;
    for edge in &mut results {
        let positions = edge.node.requires_grad && !edge.dtype().is_float();
        if edge.node.sink.is_some() || positions {
            *edge = face().one(identity(edge), std::slice::from_ref(edge))?;
        }
    }
    Ok(results)
}

/// Names of all functions, sorted.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = TABLE.keys().copied().collect();
    names.sort_unstable();
    names
}
