//! Fused kernels, op by op in temporaries: the obvious twin of one pass over the data.

use super::CPU;
use super::kernel::{Dst, Src};
use super::scan::{owned, write};
use crate::backend::interpret;
use crate::error::Result;
use crate::ir::fused::FusedOp;

/// Run a body inside a plan: its values are copied in and out.
pub(super) fn kernel(op: &FusedOp, inputs: &[Src<'_>], outputs: &mut [Dst<'_>]) -> Result<()> {
    for (value, out) in interpret(&CPU, &op.body, &owned(inputs)?)?.iter().zip(outputs) {
        write(value, out.bytes)?;
    }
    Ok(())
}
