//! Shape rules of the ops with a window, an index or a body.

use crate::buffer::Meta;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::infer::{float, in_rank, mismatch, not_bool};
use crate::ir::op::{ConvOp, PoolKind, PoolOp, ScanOp};
use crate::shape::Shape;
use smallvec::SmallVec;

/// Size of an axis with `gap` elements between neighbours.
pub fn dilated(size: usize, dilation: usize) -> usize {
    if size == 0 { 0 } else { (size - 1) * dilation + 1 }
}

pub(super) fn pad(low: &[usize], high: &[usize], interior: &[usize], input: &Meta) -> Result<Meta> {
    let rank = input.shape.len();
    if low.len() != rank || high.len() != rank || interior.len() != rank {
        return Err(Error::bug("pad", format!("one amount per axis of {}", input.shape)));
    }
    let shape: Shape = (0..rank).map(|a| low[a] + dilated(input.shape[a], interior[a] + 1) + high[a]).collect();
    Ok(Meta::new(shape, input.dtype))
}

pub(super) fn conv(op: &ConvOp, input: &Meta, kernel: &Meta) -> Result<Meta> {
    float("conv", input)?;
    let both = [input.clone(), kernel.clone()];
    let rank = input.shape.len();
    if rank < 3 || kernel.shape.len() != rank || input.dtype != kernel.dtype {
        return Err(mismatch(
            "conv",
            "input [N, C, spatial...] and kernel [O, C / groups, spatial...] of one dtype",
            &both,
        ));
    }
    let spatial = rank - 2;
    let lengths = [op.strides.len(), op.low.len(), op.high.len(), op.input_dilation.len(), op.kernel_dilation.len()];
    let positive = op.strides.iter().chain(&op.input_dilation).chain(&op.kernel_dilation).all(|&x| x > 0);
    if lengths.iter().any(|&l| l != spatial) || !positive || op.groups == 0 || op.batch_groups == 0 {
        return Err(Error::value(
            "conv",
            format!("positive strides, dilations and groups, one per each of {spatial} spatial axes"),
            format!("{op:?}"),
        ));
    }
    let (n, c) = (input.shape[0], input.shape[1]);
    let (o, per_group) = (kernel.shape[0], kernel.shape[1]);
    let groups_fit = c == per_group * op.groups
        && o.is_multiple_of(op.groups)
        && n.is_multiple_of(op.batch_groups)
        && o.is_multiple_of(op.batch_groups)
        && (op.groups == 1 || op.batch_groups == 1);
    if !groups_fit {
        return Err(mismatch(
            "conv",
            &format!("channels C == kernel[1] * groups and kernel[0] a multiple of groups (groups={})", op.groups),
            &both,
        ));
    }
    let mut shape: Vec<usize> = vec![n / op.batch_groups, o];
    for axis in 0..spatial {
        let padded = dilated(input.shape[axis + 2], op.input_dilation[axis]) as isize + op.low[axis] + op.high[axis];
        let window = dilated(kernel.shape[axis + 2], op.kernel_dilation[axis]) as isize;
        if padded < window && kernel.shape[axis + 2] > 0 && input.shape[axis + 2] > 0 {
            return Err(Error::shape(
                "conv",
                format!("a padded input at least as large as the dilated kernel on spatial axis {axis}"),
                format!("{padded} and {window}"),
            ));
        }
        shape.push(if padded < window { 0 } else { (padded - window) as usize / op.strides[axis] + 1 });
    }
    Ok(Meta::new(shape, input.dtype))
}

impl PoolOp {
    /// Places of the window along its axis `axis`, over an input of this size that is large enough.
    pub fn places(&self, axis: usize, size: usize) -> usize {
        let reach = dilated(self.window[axis], self.dilation[axis]);
        (self.low[axis] + size + self.high[axis] - reach) / self.strides[axis] + 1
    }
}

pub(super) fn pool(op: &PoolOp, input: &Meta) -> Result<Meta> {
    let name = op.kind.name();
    float(name, input)?;
    let axes = op.window.len();
    let lengths = [op.strides.len(), op.low.len(), op.high.len(), op.dilation.len()];
    let positive = op.window.iter().chain(&op.strides).chain(&op.dilation).all(|&x| x > 0);
    if !(1..=3).contains(&axes) || lengths.iter().any(|&l| l != axes) || !positive {
        let rule = "a window of one to three axes; window, strides and dilation of at least 1 for each";
        return Err(Error::value(name, rule, format!("{op:?}")));
    }
    let Some(lead) = input.shape.len().checked_sub(axes) else {
        return Err(Error::shape(name, format!("an input with at least {axes} axes"), input.shape.to_string()));
    };
    let mut shape = input.shape.to_vec();
    for (axis, size) in shape[lead..].iter_mut().enumerate() {
        let reach = dilated(op.window[axis], op.dilation[axis]);
        if *size == 0 || op.low[axis] + *size + op.high[axis] < reach {
            let rule = format!("an input that is not empty and with its border holds the window of {reach}");
            return Err(Error::shape(name, rule, format!("size {size} in {}", input.shape)));
        }
        *size = op.places(axis, *size);
    }
    Ok(Meta::new(shape, input.dtype))
}

pub(super) fn pool_grad(op: &PoolOp, sizes: &[usize], inputs: &[Meta]) -> Result<Meta> {
    let g = &inputs[0];
    let lead = g.shape.len().saturating_sub(sizes.len());
    let input = Meta::new([&g.shape[..lead], sizes].concat(), g.dtype);
    if pool(op, &input)? != *g || (op.kind == PoolKind::Max && inputs[1] != input) {
        return Err(mismatch("pool_grad", "the shapes of a pool's input and result", inputs));
    }
    Ok(input)
}

pub(super) fn gather(axis: usize, input: &Meta, index: &Meta) -> Result<Meta> {
    in_rank("take", axis, input)?;
    integer_index("take", index)?;
    let mut shape: Vec<usize> = input.shape[..axis].to_vec();
    shape.extend_from_slice(&index.shape);
    shape.extend_from_slice(&input.shape[axis + 1..]);
    Ok(Meta::new(shape, input.dtype))
}

pub(super) fn scatter_add(axis: usize, inputs: &[Meta]) -> Result<Meta> {
    let (base, index, updates) = (&inputs[0], &inputs[1], &inputs[2]);
    not_bool("scatter_add", base)?;
    let wanted = gather(axis, base, index)?;
    if wanted != *updates {
        return Err(mismatch("scatter_add", &format!("updates {} {}", wanted.dtype, wanted.shape), inputs));
    }
    Ok(base.clone())
}

pub(super) fn integer_index(op: &str, index: &Meta) -> Result<()> {
    if index.dtype == DType::I64 {
        return Ok(());
    }
    Err(Error::dtype(op, "int64 indices; cast with astype first", index.dtype.to_string()))
}

pub(super) fn scan(op: &ScanOp, inputs: &[Meta]) -> Result<SmallVec<[Meta; 1]>> {
    let body = &op.body;
    let fixed = op.consts + op.carries;
    if inputs.len() != body.inputs || inputs.len() < fixed || body.outputs.len() < op.carries {
        return Err(Error::bug("scan", "inputs and body do not fit"));
    }
    for (place, input) in inputs.iter().enumerate() {
        let wanted = &body.metas[place];
        let given = if place < fixed {
            input.clone()
        } else {
            if input.shape.first() != Some(&op.length) {
                return Err(mismatch("scan", &format!("scanned values with a leading axis of {}", op.length), inputs));
            }
            Meta::new(&input.shape[1..], input.dtype)
        };
        if given != *wanted {
            return Err(mismatch("scan", "values of the body's shapes and dtypes", &[given, wanted.clone()]));
        }
    }
    let mut results = SmallVec::new();
    for (place, &output) in body.outputs.iter().enumerate() {
        let meta = &body.metas[output];
        if place < op.carries {
            let carry = &body.metas[op.consts + place];
            if meta != carry {
                return Err(mismatch(
                    "scan",
                    "a function that gives each carry back with its shape and dtype",
                    &[carry.clone(), meta.clone()],
                ));
            }
            results.push(meta.clone());
        } else {
            let mut shape = vec![op.length];
            shape.extend_from_slice(&meta.shape);
            results.push(Meta::new(shape, meta.dtype));
        }
    }
    Ok(results)
}
