//! Right factors packed into panels before the steps that multiply with them: once for all parts, or for all turns of a loop.

use super::super::matmul;
use super::cut::{Cut, packs_often, parts, product};
use super::prepare::{Kernel, Ready, Slots, operand};
use crate::buffer::Meta;
use crate::ir::plan::{Located, Place, Plan, Step};
use crate::layout::Layout;
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

/// The step that packs the right factor of a product for all its parts, and the product of what it leaves.
pub(super) fn packed(step: &Step, slots: Slots, aside: &mut usize) -> Option<(Ready, Step)> {
    let (product, output) = product(step)?;
    if !packs_often(product, &step.inputs, output) {
        return None;
    }
    let (ready, panels) = pack(&step.inputs[1], step.origin.as_ref(), slots, aside)?;
    let mut then = step.clone();
    then.inputs[1] = panels;
    Some((ready, then))
}

/// Whether a step is a product whose right factor is an input from this one on, all of which lie in panels.
pub(super) fn in_panels(step: &Step, first: usize) -> bool {
    let given = |located: &Located| matches!(located.place, Place::Input(i) if i >= first);
    product(step).is_some() && step.inputs.get(1).is_some_and(given)
}

/// What is packed before a loop.
#[derive(Debug)]
pub(super) struct Lifted {
    /// The body, whose last inputs are the panels.
    pub(super) plan: Arc<Plan>,
    /// The steps that pack, and what they leave.
    pub(super) packs: Vec<Ready>,
    pub(super) panels: Vec<Located>,
}

/// The body of a loop whose products find those right factors in panels that hold for all turns: the first inputs, which lie
/// outside as `given` says.
pub(super) fn lifted(plan: &Arc<Plan>, given: &[Located], slots: Slots, aside: &mut usize) -> Lifted {
    let mut lifted = Lifted { plan: Arc::clone(plan), packs: vec![], panels: vec![] };
    for (at, step) in plan.steps.iter().enumerate() {
        let Some((factor, outside)) = still(step, given) else { continue };
        let offset = factor.layout.offset() + outside.layout.offset();
        let layout = Layout::new(factor.layout.shape().clone(), factor.layout.strides().into(), offset);
        let source = Located { place: outside.place, layout, meta: factor.meta.clone() };
        let Some((ready, panels)) = pack(&source, step.origin.as_ref(), slots, aside) else { continue };
        let body = Arc::make_mut(&mut lifted.plan);
        let place = Place::Input(body.inputs.len());
        let layout = Layout::contiguous(panels.meta.shape.clone());
        body.inputs.push(panels.meta.clone());
        body.steps[at].inputs[1] = Located { place, layout, meta: panels.meta.clone() };
        lifted.packs.push(ready);
        lifted.panels.push(panels);
    }
    lifted
}

/// The right factor of a product of two matrices, if it holds for all turns, and where it lies outside of the loop.
fn still<'a>(step: &'a Step, given: &'a [Located]) -> Option<(&'a Located, &'a Located)> {
    let ((_, output), [left, factor, ..]) = (product(step)?, &step.inputs[..]) else { return None };
    let single = |located: &Located| located.meta.shape.iter().rev().skip(2).all(|&size| size == 1);
    let Place::Input(i) = factor.place else { return None };
    let wide = output.shape.last().is_some_and(|&columns| columns > 1);
    if wide && single(left) && single(factor) { Some((factor, given.get(i)?)) } else { None }
}

/// The step that packs a factor, and the panels, if there are any for its dtype.
fn pack(factor: &Located, origin: Option<&Arc<str>>, slots: Slots, aside: &mut usize) -> Option<(Ready, Located)> {
    let [rows, columns] = *factor.meta.shape.last_chunk()?;
    let meta = Meta::new(matmul::panels(rows, columns, factor.meta.dtype)?, factor.meta.dtype);
    let (count, width) = (meta.shape[0], meta.shape[2]);
    let panels = slots.aside(*aside, meta);
    *aside += panels.meta.bytes().next_multiple_of(64);
    let cost = 0.3 * panels.meta.shape.numel() as f64;
    // Panels are filled some at a time, so that a part reads whole lines of the factor's rows.
    let each = count.div_ceil(parts(count, cost, 1).max(1)).next_multiple_of(matmul::TOGETHER);
    let parts = count.div_ceil(each);
    let cut = |axis: usize, rows: usize| Cut { axis, inputs: SmallVec::new(), rows, parts };
    let axis = factor.meta.shape.len() - 1;
    let ready = Ready {
        kernel: Kernel::Panels,
        inputs: smallvec![operand(slots, factor, Some((axis, &cut(axis, each * width))))],
        outputs: smallvec![operand(slots, &panels, Some((0, &cut(0, each))))],
        parts,
        staged: false,
        cost,
        origin: origin.cloned(),
        step: 0,
    };
    Some((ready, panels))
}
