//! The one way to make ops: derivatives, decompositions and the tensor layer all speak to a [`Builder`].
//!
//! An eager builder runs what it emits, a recording one notes it down.

use crate::buffer::Value;
use crate::device::Device;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::ir::node::{Edge, Edges};
use crate::ir::op::{BinaryOp, CompareOp, Op, ReduceOp, UnaryOp, ViewOp};
use crate::shape::Shape;

/// Something that turns ops into edges.
pub trait Builder {
    /// Apply an op to inputs of the shapes and dtypes it asks for.
    fn emit(&self, op: Op, inputs: &[Edge]) -> Result<Edges>;
    /// Apply an op through which no gradient passes.
    fn emit_frozen(&self, op: Op, inputs: &[Edge]) -> Result<Edges>;
    /// An edge that holds a fixed value.
    fn constant(&self, value: Value) -> Result<Edge>;
    /// Apply an op without inputs on a device.
    fn source(&self, op: Op, device: Device) -> Result<Edge>;
}

/// Short names for single ops, on any builder.
impl dyn Builder + '_ {
    /// Apply an op with one result.
    pub fn one(&self, op: Op, inputs: &[Edge]) -> Result<Edge> {
        let name = op.name();
        self.emit(op, inputs)?.into_iter().next().ok_or_else(|| Error::bug(name, "an op without a result"))
    }

    /// Elementwise function of one input.
    pub fn unary(&self, op: UnaryOp, x: &Edge) -> Result<Edge> {
        self.one(Op::Unary(op), std::slice::from_ref(x))
    }

    /// Elementwise function of two inputs of one shape and dtype.
    pub fn binary(&self, op: BinaryOp, a: &Edge, b: &Edge) -> Result<Edge> {
        self.one(Op::Binary(op), &[a.clone(), b.clone()])
    }

    /// `a + b`.
    pub fn add(&self, a: &Edge, b: &Edge) -> Result<Edge> {
        self.binary(BinaryOp::Add, a, b)
    }

    /// `a - b`.
    pub fn sub(&self, a: &Edge, b: &Edge) -> Result<Edge> {
        self.binary(BinaryOp::Sub, a, b)
    }

    /// `a * b`.
    pub fn mul(&self, a: &Edge, b: &Edge) -> Result<Edge> {
        self.binary(BinaryOp::Mul, a, b)
    }

    /// `a / b`.
    pub fn div(&self, a: &Edge, b: &Edge) -> Result<Edge> {
        self.binary(BinaryOp::Div, a, b)
    }

    /// `-x`.
    pub fn neg(&self, x: &Edge) -> Result<Edge> {
        self.unary(UnaryOp::Neg, x)
    }

    /// Elementwise comparison.
    pub fn compare(&self, op: CompareOp, a: &Edge, b: &Edge) -> Result<Edge> {
        self.one(Op::Compare(op), &[a.clone(), b.clone()])
    }

    /// Elementwise choice.
    pub fn select(&self, condition: &Edge, a: &Edge, b: &Edge) -> Result<Edge> {
        self.one(Op::Select, &[condition.clone(), a.clone(), b.clone()])
    }

    /// Another dtype; the edge itself where it has it already.
    pub fn cast(&self, x: &Edge, dtype: DType) -> Result<Edge> {
        if x.dtype() == dtype {
            return Ok(x.clone());
        }
        self.one(Op::Cast(dtype), std::slice::from_ref(x))
    }

    /// One value everywhere, with the shape, dtype and device of `like`.
    pub fn full_like(&self, like: &Edge, value: f64) -> Result<Edge> {
        let value = if like.dtype().is_float() { Scalar::Float(value) } else { Scalar::Int(value as i128) };
        let op = Op::Fill { value, shape: Shape::scalar(), dtype: like.dtype() };
        let one = self.source(op, like.node.device)?;
        self.expand(&one, like.shape())
    }

    /// `x * factor`.
    pub fn scale(&self, x: &Edge, factor: f64) -> Result<Edge> {
        let factor = self.full_like(x, factor)?;
        self.mul(x, &factor)
    }

    /// `x + amount`.
    pub fn shift(&self, x: &Edge, amount: f64) -> Result<Edge> {
        let amount = self.full_like(x, amount)?;
        self.add(x, &amount)
    }

    /// The same elements under another shape; the edge itself where nothing changes.
    pub fn reshape(&self, x: &Edge, shape: &Shape) -> Result<Edge> {
        if x.shape() == shape {
            return Ok(x.clone());
        }
        self.one(Op::View(ViewOp::Reshape(shape.clone())), std::slice::from_ref(x))
    }

    /// Axes in another order.
    pub fn permute(&self, x: &Edge, perm: &[usize]) -> Result<Edge> {
        if perm.iter().copied().eq(0..perm.len()) {
            return Ok(x.clone());
        }
        self.one(Op::View(ViewOp::Permute(perm.to_vec())), std::slice::from_ref(x))
    }

    /// The last two axes swapped.
    pub fn transpose(&self, x: &Edge) -> Result<Edge> {
        let rank = x.shape().len();
        let mut perm: Vec<usize> = (0..rank).collect();
        perm.swap(rank - 1, rank - 2);
        self.permute(x, &perm)
    }

    /// Repeat size-1 and new leading axes.
    pub fn expand(&self, x: &Edge, shape: &Shape) -> Result<Edge> {
        if x.shape() == shape {
            return Ok(x.clone());
        }
        self.one(Op::View(ViewOp::Expand(shape.clone())), std::slice::from_ref(x))
    }

    /// Fold axes away.
    pub fn reduce(&self, op: ReduceOp, x: &Edge, axes: &[usize]) -> Result<Edge> {
        if axes.is_empty() && !matches!(op, ReduceOp::Any | ReduceOp::All) {
            return Ok(x.clone());
        }
        self.one(Op::Reduce { op, axes: axes.to_vec() }, std::slice::from_ref(x))
    }

    /// Fold axes away and keep them as size 1, ready to broadcast against `x`.
    pub fn reduce_keep(&self, op: ReduceOp, x: &Edge, axes: &[usize]) -> Result<Edge> {
        let folded = self.reduce(op, x, axes)?;
        self.reshape(&folded, &x.shape().reduced(axes, true))
    }

    /// Fold axes away, then repeat the result to the shape of `x`.
    pub fn reduce_spread(&self, op: ReduceOp, x: &Edge, axes: &[usize]) -> Result<Edge> {
        let kept = self.reduce_keep(op, x, axes)?;
        self.expand(&kept, x.shape())
    }

    /// Add up the axes that broadcasting `shape` to the shape of `x` repeated.
    pub fn sum_to(&self, x: &Edge, shape: &Shape) -> Result<Edge> {
        let lead = x.shape().len() - shape.len();
        let axes: Vec<usize> =
            (0..x.shape().len()).filter(|&a| a < lead || (shape[a - lead] == 1 && x.shape()[a] != 1)).collect();
        let summed = self.reduce(ReduceOp::Sum, x, &axes)?;
        self.reshape(&summed, shape)
    }

    /// Part of a tensor.
    pub fn slice(&self, x: &Edge, starts: Vec<usize>, sizes: Vec<usize>, steps: Vec<isize>) -> Result<Edge> {
        self.one(Op::View(ViewOp::Slice { starts, sizes, steps }), std::slice::from_ref(x))
    }

    /// Elements `start..start + size` of one axis.
    pub fn narrow(&self, x: &Edge, axis: usize, start: usize, size: usize) -> Result<Edge> {
        let rank = x.shape().len();
        let mut starts = vec![0; rank];
        starts[axis] = start;
        self.slice(x, starts, x.shape().with(axis, size).to_vec(), vec![1; rank])
    }

    /// Axes reversed.
    pub fn flip(&self, x: &Edge, axes: &[usize]) -> Result<Edge> {
        let shape = x.shape();
        if axes.iter().any(|&a| shape[a] == 0) {
            return Ok(x.clone());
        }
        let starts = (0..shape.len()).map(|a| if axes.contains(&a) { shape[a] - 1 } else { 0 }).collect();
        let steps = (0..shape.len()).map(|a| if axes.contains(&a) { -1 } else { 1 }).collect();
        self.slice(x, starts, shape.to_vec(), steps)
    }

    /// Positions in the flattened tensor of sizes `sizes`, of i64 positions along one axis; the other axes keep their place.
    pub fn flat_places(&self, index: &Edge, axis: usize, sizes: &Shape) -> Result<Edge> {
        let (rank, shape) = (sizes.len(), index.shape());
        let strides = sizes.contiguous_strides();
        let mut flat = self.scale(index, strides[axis] as f64)?;
        for other in (0..rank).filter(|&a| a != axis) {
            let iota = self.source(Op::Iota { length: shape[other] }, index.node.device)?;
            let column: Shape = (0..rank).map(|a| if a == other { shape[other] } else { 1 }).collect();
            let offset = self.reshape(&self.scale(&iota, strides[other] as f64)?, &column)?;
            flat = self.add(&flat, &self.expand(&offset, shape)?)?;
        }
        Ok(flat)
    }

    /// Product of matrices with equal leading axes.
    pub fn matmul(&self, a: &Edge, b: &Edge) -> Result<Edge> {
        self.one(Op::MatMul, &[a.clone(), b.clone()])
    }
}
