//! Where what a loop hands on from turn to turn lies.

use super::launch::{Slot, View};
use crate::buffer::{Meta, element_size};
use crate::device::Device;
use crate::ir::op::ScanOp;
use crate::ir::plan::{Exit, Place, Plan};
use crate::layout::{Layout, Strides};

/// A carry's home.
///
/// A loop often stacks what it hands on; the carry then lives in the stack, and no turn copies it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Home {
    /// Two places by turns.
    Between,
    /// Output i stacks its value after each turn.
    After(usize),
    /// Output i stacks its value before each turn.
    Before(usize),
}

/// The home of each carry.
pub(super) fn homes(op: &ScanOp, body: &Plan) -> Vec<Home> {
    (0..op.carries).map(|carry| home(op, body, carry)).collect()
}

fn home(op: &ScanOp, body: &Plan, carry: usize) -> Home {
    let whole = |layout: &Layout, meta: &Meta| *layout == Layout::contiguous(meta.shape.clone());
    let input = op.consts + carry;
    let after = |exit: &Exit| match (exit, &body.exits[carry]) {
        (Exit::Shared { output, layout }, Exit::Written(meta)) => *output == carry && whole(layout, meta),
        _ => false,
    };
    let before = |exit: &Exit| {
        matches!(exit, Exit::Alias(located) if located.place == Place::Input(input)
            && whole(&located.layout, &body.inputs[input]))
    };
    let stack = |found: &dyn Fn(&Exit) -> bool| (op.carries..body.exits.len()).find(|&exit| found(&body.exits[exit]));
    match (stack(&after), stack(&before)) {
        (Some(output), _) => Home::After(output),
        (None, Some(output)) => Home::Before(output),
        (None, None) => Home::Between,
    }
}

/// The part of a stack that belongs to one turn of the loop.
pub(super) fn slice(op: &ScanOp, stack: &View, turn: usize) -> View {
    let place = if op.reverse { op.length - 1 - turn } else { turn };
    let layout = &stack.layout;
    let offset = layout.offset().wrapping_add_signed(place as isize * layout.strides()[0]);
    stack.with(Layout::new(layout.shape()[1..].into(), layout.strides()[1..].into(), offset))
}

/// The parts of a stack for all turns but one: from the first turn on, or from the second.
pub(super) fn run(op: &ScanOp, stack: &View, first: usize) -> View {
    let layout = &stack.layout;
    let mut shape = layout.shape().to_vec();
    shape[0] -= 1;
    // Turns walk backwards through the stack of a reversed loop.
    let start = if op.reverse { 1 - first } else { first };
    let offset = layout.offset().wrapping_add_signed(start as isize * layout.strides()[0]);
    stack.with(Layout::new(shape.as_slice().into(), Strides::from_slice(layout.strides()), offset))
}

/// Working memory behind a plan's arena, taken piece by piece.
#[derive(Debug)]
pub(super) struct Room {
    /// Byte at which the next piece starts.
    next: usize,
}

impl Room {
    /// Memory from this byte of the arena on.
    pub(super) fn new(start: usize) -> Self {
        Self { next: start.next_multiple_of(256) }
    }

    /// So many bytes: where they start.
    pub(super) fn take(&mut self, bytes: usize) -> usize {
        let start = self.next;
        self.next += bytes.next_multiple_of(256);
        start
    }

    /// Room for a value.
    pub(super) fn value(&mut self, meta: &Meta, device: Device) -> View {
        let size = element_size(meta.dtype, device);
        let start = self.take(meta.shape.numel() * size) / size;
        let layout = Layout::new(meta.shape.clone(), meta.shape.contiguous_strides(), start);
        View { home: Some(Slot::Arena), ..View::new(layout, meta.dtype) }
    }

    /// The byte behind all pieces.
    pub(super) fn end(&self) -> usize {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtype::DType;
    use crate::ir::plan::Located;
    use crate::ir::program::Program;
    use std::sync::Arc;

    fn scan(reverse: bool) -> ScanOp {
        ScanOp { body: Arc::new(Program::default()), consts: 1, carries: 2, length: 4, reverse }
    }

    #[test]
    fn a_carry_lives_in_the_stack_that_holds_it() {
        let meta = Meta::new([3], DType::F32);
        let layout = Layout::contiguous([3].into());
        let body = Plan {
            inputs: vec![meta.clone(); 3],
            exits: vec![
                Exit::Written(meta.clone()),
                Exit::Written(meta.clone()),
                Exit::Alias(Located { place: Place::Input(2), layout: layout.clone(), meta: meta.clone() }),
                Exit::Shared { output: 0, layout },
            ],
            ..Plan::default()
        };
        assert_eq!(homes(&scan(false), &body), [Home::After(3), Home::Before(2)]);
        let alone = Plan { exits: body.exits[..2].to_vec(), ..body };
        assert_eq!(homes(&scan(false), &alone), [Home::Between, Home::Between]);
    }

    #[test]
    fn turns_of_a_reversed_loop_walk_backwards() {
        let stack = View::whole([4, 3], DType::F32);
        let at = |op: &ScanOp, turn| slice(op, &stack, turn).layout.offset();
        assert_eq!([0, 3].map(|turn| at(&scan(false), turn)), [0, 9]);
        assert_eq!([0, 3].map(|turn| at(&scan(true), turn)), [9, 0]);
        let from = |op: &ScanOp, first| run(op, &stack, first).layout.offset();
        assert_eq!([0, 1].map(|first| from(&scan(false), first)), [0, 3]);
        assert_eq!([0, 1].map(|first| from(&scan(true), first)), [3, 0]);
    }
}
