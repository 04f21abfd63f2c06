//! What becomes of the elements of a product: they are stored, or go through a fused body first.

use super::body::Values;
use crate::backend::gpu::launch::{Slot, View};
use crate::backend::gpu::shader::{Expr, Operand, Shader};
use crate::error::Result;
use crate::ir::program::Program;
use crate::shape::Shape;
use std::iter::zip;

/// How the elements of a product leave.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend::gpu) enum Epilogue<'a> {
    /// As they are.
    Plain(&'a View),
    /// As the outputs of a body, which takes them for the result of its first instruction.
    Body {
        /// The body, whose first two inputs are the product's.
        body: &'a Program,
        /// Its inputs.
        inputs: &'a [View],
        /// Its outputs, all with the shape of the product.
        outputs: &'a [View],
    },
}

impl<'a> Epilogue<'a> {
    /// The shape of the product.
    pub(in crate::backend::gpu) fn shape(&self) -> &'a Shape {
        match self {
            Self::Plain(out) => out.shape(),
            Self::Body { body, .. } => &body.metas[body.first_result()].shape,
        }
    }

    /// Bind what elements meet on their way.
    pub(in crate::backend::gpu) fn bind(self, shader: &mut Shader) -> Leaving<'a> {
        let (inputs, outputs): (&[View], &[View]) = match self {
            Self::Plain(out) => (&[], std::slice::from_ref(out)),
            Self::Body { inputs, outputs, .. } => (inputs, outputs),
        };
        let first = inputs.len().min(2);
        let mut bound = |(place, view): (usize, &'a View), slot: fn(usize) -> Slot| {
            (place, shader.operand(slot(place), view), view)
        };
        Leaving {
            body: match self {
                Self::Plain(_) => None,
                Self::Body { body, .. } => Some(body),
            },
            inputs: inputs.iter().enumerate().skip(first).map(|view| bound(view, Slot::Input)).collect(),
            outputs: outputs.iter().enumerate().map(|view| bound(view, Slot::Output)).collect(),
        }
    }
}

/// A bound epilogue.
pub(in crate::backend::gpu) struct Leaving<'a> {
    body: Option<&'a Program>,
    inputs: Vec<(usize, Operand, &'a View)>,
    outputs: Vec<(usize, Operand, &'a View)>,
}

impl Leaving<'_> {
    /// Store an element of the product, given its coordinates.
    pub(in crate::backend::gpu) fn store(
        &self,
        shader: &mut Shader,
        coordinates: &[String],
        element: &Expr,
    ) -> Result<()> {
        let Some(body) = self.body else {
            let (_, to, view) = &self.outputs[0];
            let at = shader.position(view.layout.strides(), coordinates);
            shader.store(to, &at, element);
            return Ok(());
        };
        let mut values = Values::new(body);
        values.product(shader, element);
        let mut load = |shader: &mut Shader, input: usize| {
            let found = self.inputs.iter().find(|(place, ..)| *place == input);
            found.map(|(_, from, view)| {
                let at = shader.position(&along(view, coordinates.len()), coordinates);
                shader.load(from, &at)
            })
        };
        let results =
            body.outputs.iter().map(|&output| values.get(shader, output, &mut load)).collect::<Result<Vec<_>>>()?;
        for (result, (_, to, view)) in zip(&results, &self.outputs) {
            let at = shader.position(view.layout.strides(), coordinates);
            shader.store(to, &at, result);
        }
        Ok(())
    }
}

/// Strides along a space of this rank: an axis of size 1 stays where it is.
pub(in crate::backend::gpu) fn along(view: &View, rank: usize) -> Vec<isize> {
    debug_assert_eq!(view.shape().len(), rank);
    zip(view.shape().iter(), view.layout.strides()).map(|(&size, &stride)| if size == 1 { 0 } else { stride }).collect()
}
