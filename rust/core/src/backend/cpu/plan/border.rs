//! A value with a border in front of its rows and behind them, as two steps: fill the whole, write the value into it.
//!
//! A fill waits for nothing and is cut like other steps, where the op as one would keep one thread busy.

use super::turns::copy_of;
use crate::ir::op::Op;
use crate::ir::plan::Step;
use crate::layout::Layout;
use smallvec::smallvec;

/// The two steps, if the op puts whole rows in front of the value or behind it and nothing else.
pub(super) fn bordered(step: &Step) -> Option<[Step; 2]> {
    let (Op::Pad { low, high, interior, value }, [from], [output]) = (&step.op, &step.inputs[..], &step.outputs[..])
    else {
        return None;
    };
    let shape = &output.meta.shape;
    let axis = shape.iter().position(|&size| size > 1)?;
    let rows_alone = (0..shape.len()).all(|i| i == axis || (low[i], high[i]) == (0, 0));
    if !rows_alone
        || interior.iter().any(|&gap| gap != 0)
        || !output.layout.is_contiguous()
        || from.meta.shape.numel() == 0
    {
        return None;
    }
    let fill = Op::Fill { value: *value, shape: shape.clone(), dtype: output.meta.dtype };
    let row: usize = shape[axis + 1..].iter().product();
    let inside = Layout::new(
        from.meta.shape.clone(),
        from.meta.shape.contiguous_strides(),
        output.layout.offset() + low[axis] * row,
    );
    let mut to = output.clone();
    (to.layout, to.meta) = (inside, from.meta.clone());
    let mut written = copy_of(from, to);
    written.origin.clone_from(&step.origin);
    Some([Step { op: fill, inputs: smallvec![], ..step.clone() }, written])
}
