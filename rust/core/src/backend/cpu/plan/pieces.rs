//! Values made of pieces that are whole rows, one step for each piece: a border is a fill and a copy, values side by side are
//! copies.
//!
//! Each of these steps is cut like others, and stays with the rows that it reads, where the op as one would keep one thread busy.

use crate::ir::op::{Op, ViewOp};
use crate::ir::plan::{Located, Step};
use crate::layout::Layout;
use smallvec::smallvec;

/// The steps, if the op puts whole rows in front of others or behind them and nothing else.
pub(super) fn pieces(step: &Step) -> Option<Vec<Step>> {
    let output = step.outputs.first()?;
    let shape = &output.meta.shape;
    let axis = shape.iter().position(|&size| size > 1)?;
    if !output.layout.is_contiguous() || step.inputs.iter().any(|input| input.meta.shape.numel() == 0) {
        return None;
    }
    match &step.op {
        Op::Pad { low, high, interior, value } => {
            let rows_alone = (0..shape.len()).all(|i| i == axis || (low[i], high[i]) == (0, 0));
            if !rows_alone || interior.iter().any(|&gap| gap != 0) {
                return None;
            }
            let fill = Op::Fill { value: *value, shape: shape.clone(), dtype: output.meta.dtype };
            let fill = Step { op: fill, inputs: smallvec![], ..step.clone() };
            Some(vec![fill, piece(step, step.inputs.first()?, output, axis, low[axis])])
        }
        Op::Concat { axis: along } if *along == axis => {
            let mut row = 0;
            let copies = step.inputs.iter().map(|input| {
                row += input.meta.shape[axis];
                piece(step, input, output, axis, row - input.meta.shape[axis])
            });
            Some(copies.collect())
        }
        _ => None,
    }
}

/// The step that writes a value into rows of the result, from this one on.
fn piece(step: &Step, from: &Located, output: &Located, axis: usize, row: usize) -> Step {
    let (shape, before) = (from.meta.shape.clone(), row * output.meta.shape[axis + 1..].iter().product::<usize>());
    let layout = Layout::new(shape.clone(), shape.contiguous_strides(), output.layout.offset() + before);
    let to = Located { place: output.place, layout, meta: from.meta.clone() };
    Step { origin: step.origin.clone(), ..copy_of(from, to) }
}

/// The step that copies a value.
pub(super) fn copy_of(from: &Located, to: Located) -> Step {
    let op = Op::View(ViewOp::Reshape(from.meta.shape.clone()));
    Step { op, body: None, inputs: smallvec![from.clone()], outputs: smallvec![to], origin: None }
}
