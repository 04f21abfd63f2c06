//! What of a tensor decides which captured step fits.

use crate::buffer::{Meta, Value};
use crate::device::Device;
use crate::ir::variable::Variable;
use crate::tensor::Tensor;
use std::sync::Arc;

/// Shape, dtype, device and what gradients it has; a cell stands for itself.
#[derive(Clone, Debug)]
pub struct Outline {
    meta: Meta,
    device: Device,
    requires_grad: bool,
    has_grad: bool,
    cell: Option<Arc<Variable>>,
}

impl Outline {
    /// The outline of a tensor as it is now, outside recordings.
    pub fn of(tensor: &Tensor) -> Self {
        Self {
            meta: tensor.meta(),
            device: tensor.device(),
            requires_grad: tensor.requires_grad(),
            has_grad: tensor.grad().is_some(),
            cell: tensor.variable().cloned(),
        }
    }

    /// Whether a tensor has this outline, outside recordings. Nothing is copied.
    pub fn fits(&self, tensor: &Tensor) -> bool {
        match (tensor.handle(), tensor.variable(), &self.cell) {
            (Some(handle), _, None) => handle.with(|edge| {
                let has_grad = edge.node.sink.as_ref().is_some_and(|sink| sink.is_set());
                *edge.meta() == self.meta
                    && edge.node.device == self.device
                    && edge.node.requires_grad == self.requires_grad
                    && has_grad == self.has_grad
            }),
            (_, Some(cell), Some(mine)) => {
                let like = |value: &Value| value.dtype == self.meta.dtype && *value.shape() == self.meta.shape;
                Arc::ptr_eq(cell, mine)
                    && like(&cell.lock())
                    && cell.trainable() == self.requires_grad
                    && cell.sink().is_set() == self.has_grad
            }
            (_, _, _) => false,
        }
    }

    /// Shape and dtype, if a fresh tensor of them has this outline.
    pub fn fresh(&self) -> Option<&Meta> {
        let plain = self.device == Device::Cpu && !self.requires_grad && !self.has_grad && self.cell.is_none();
        plain.then_some(&self.meta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Tensor, Tensor) {
        let make = || Tensor::from_f32(&[1.0, 2.0], [2]).unwrap();
        (make(), make())
    }

    #[test]
    fn shape_dtype_and_gradients_decide() {
        let (a, b) = pair();
        assert!(Outline::of(&a).fits(&b) && Outline::of(&a).fresh().is_some());
        assert!(!Outline::of(&a).fits(&Tensor::from_f32(&[1.0], [1]).unwrap()));
        assert!(!Outline::of(&a).fits(&Tensor::from_f64(&[1.0, 2.0], [2]).unwrap()));
        b.set_requires_grad(true).unwrap();
        assert!(!Outline::of(&a).fits(&b));
        let before = Outline::of(&b);
        assert!(before.fits(&b) && before.fresh().is_none());
        b.set_grad(Some(&a)).unwrap();
        assert!(!before.fits(&b) && Outline::of(&b).fits(&b));
    }

    #[test]
    fn a_cell_stands_for_itself() {
        let (a, b) = pair();
        let cell = |t: &Tensor| Tensor::from_variable(Variable::new("w", t.value("test").unwrap(), true));
        let (first, second) = (cell(&a), cell(&b));
        let outline = Outline::of(&first);
        assert!(outline.fits(&first) && !outline.fits(&second) && !outline.fits(&a));
        assert!(!Outline::of(&a).fits(&first));
        first.set_requires_grad(false).unwrap();
        assert!(!outline.fits(&first));
    }
}
