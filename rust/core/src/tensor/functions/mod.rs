//! Functions by name: what the bindings call. Each row promotes, broadcasts and composes ops.
//!
//! Adding a composed function: a row in its family's table, its public wrapper, its test.

mod activation;
mod autocast;
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
use crate::shape::Shape;
use crate::tensor::args::{Arg, Attr, Call};
use crate::tensor::face::face;
use crate::tensor::mode;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

/// A function of the table.
pub type Function = fn(&Call<'_>) -> Result<Vec<Edge>>;

/// A row of a table.
type Row = (&'static str, Function);

/// What bounds the element operations of a family's functions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    /// The size of the common shape, where the operands have one; else the product of their sizes.
    Elements,
    /// The product of the operands' sizes.
    Product,
    /// Nothing that the operands' shapes tell.
    Unknown,
}

static TABLE: LazyLock<HashMap<&'static str, (Function, Work), BuildHasherDefault<NameHasher>>> = LazyLock::new(|| {
    let families: &[(&[Row], Work)] = &[
        (activation::ROWS, Work::Elements),
        (creation::ROWS, Work::Unknown),
        (elementwise::ROWS, Work::Elements),
        (linalg::ROWS, Work::Unknown),
        (linear::ROWS, Work::Product),
        (loss::ROWS, Work::Product),
        (manipulation::ROWS, Work::Unknown),
        (neural::ROWS, Work::Unknown),
        (random::ROWS, Work::Unknown),
        (reduction::ROWS, Work::Elements),
        (sequence::ROWS, Work::Unknown),
        (sorting::ROWS, Work::Unknown),
        (spatial::ROWS, Work::Unknown),
    ];
    families.iter().flat_map(|(rows, work)| rows.iter().map(|&(name, function)| (name, (function, *work)))).collect()
});

/// FNV-1a, by Fowler, Noll and Vo: names are short and our own, so a keyed hash would only cost time.
struct NameHasher(u64);

impl Default for NameHasher {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for NameHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    }
}

/// Element operations below which a call is shorter than handing a lock over and taking it back.
const SHORT: usize = 4096;

/// Whether a call is surely short, as far as its operands' shapes tell.
pub fn is_short(name: &str, args: &[Arg]) -> bool {
    let Some(&(_, work)) = TABLE.get(name).filter(|(_, work)| *work != Work::Unknown) else { return false };
    let mut shapes = args.iter().filter_map(|arg| match arg {
        Arg::Edge(edge) => Some(edge.shape()),
        Arg::Scalar(_) | Arg::None => None,
    });
    let Some(first) = shapes.next() else { return true };
    let product = |size: usize, shape: &Shape| {
        if work == Work::Elements && shape == first { Some(size) } else { size.checked_mul(shape.numel().max(1)) }
    };
    shapes.try_fold(first.numel(), product).is_some_and(|size| size <= SHORT)
}

/// Call a function by name.
///
/// A function that has nothing to do, such as a reshape to the same shape, gives its operand back; of a leaf it gives a
/// result, so that an in-place change of the result never asks for the rights of the leaf. Positions that come with
/// floating results, such as those of a sort, lose their tape.
pub fn call(name: &str, args: &[Arg], attrs: &[(String, Attr)]) -> Result<Vec<Edge>> {
    let (function, _) = TABLE.get(name).ok_or_else(|| Error::bug(name, "no function of this name"))?;
    let cast = mode::autocast().map_or(Ok(None), |dtype| autocast::cast(name, args, dtype))?;
    let mut results = function(&Call { name, args: cast.as_deref().unwrap_or(args), attrs })?;
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
