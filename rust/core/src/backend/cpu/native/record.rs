//! Lanes that compute nothing: they write down what a kernel asks of them, so that machine code rounds as its loops do.

#![allow(unsafe_code, reason = "the trait's loads and stores are unsafe; here they touch nothing")]

use super::graph::{Graph, MaskTwo, Node, One, Relation, Two, Value};
use crate::backend::cpu::arch::{Kernel, Lanes};
use crate::backend::cpu::element::Float;
use std::cell::RefCell;
use std::marker::PhantomData;

thread_local! {
    /// The graph that is being written.
    static GRAPH: RefCell<Graph> = RefCell::default();
}

/// Write down what `f` asks of the lanes that it gets, behind what stands in a graph already.
pub(in crate::backend::cpu) fn record<T: Float, R>(graph: &mut Graph, f: impl FnOnce(Recorder<T>) -> R) -> R {
    GRAPH.with_borrow_mut(|current| std::mem::swap(current, graph));
    let result = f(Recorder(PhantomData));
    GRAPH.with_borrow_mut(|current| std::mem::swap(current, graph));
    result
}

/// Lanes whose registers are places in the list.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend::cpu) struct Recorder<T>(PhantomData<fn() -> T>);

fn value(node: Node) -> Value {
    GRAPH.with_borrow_mut(|graph| graph.value(node))
}

/// What no list can say.
fn fail() {
    GRAPH.with_borrow_mut(|graph| graph.failed = true);
}

/// Stamp methods that are one value.
///
/// `add(a, b) = Node::Two(Two::Add, a, b);` expands to `fn add(self, a: Value, b: Value) -> Value`.
macro_rules! values {
    ($($name:ident($($x:ident),+) = $node:expr;)+) => {$(
        fn $name(self, $($x: Value),+) -> Value {
            value($node)
        }
    )+};
}

impl<T: Float> Lanes for Recorder<T> {
    type Elem = T;
    type V = Value;
    type M = Value;
    const WIDTH: usize = 1;
    const REGISTERS: usize = 32;

    fn vectorize<K: Kernel<T>>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
    unsafe fn load_ptr(self, _: *const T) -> Value {
        fail();
        0
    }
    unsafe fn store_ptr(self, _: Value, _: *mut T) {
        fail();
    }
    unsafe fn load_part_ptr(self, _: *const T, _: usize) -> Value {
        fail();
        0
    }
    unsafe fn store_part_ptr(self, _: Value, _: *mut T, _: usize) {
        fail();
    }
    unsafe fn transpose_ptr(self, _: *const T, _: isize, _: *mut T, _: isize) {
        fail();
    }
    fn splat(self, x: T) -> Value {
        let mut bits = [0; 8];
        let bytes = bytemuck::bytes_of(&x);
        bits[..bytes.len()].copy_from_slice(bytes);
        value(Node::Constant(u64::from_le_bytes(bits)))
    }
    fn shift_left(self, x: Value, places: i32) -> Value {
        value(Node::Shift { up: true, x, places: places as u8 })
    }
    fn shift_right(self, x: Value, places: i32) -> Value {
        value(Node::Shift { up: false, x, places: places as u8 })
    }
    fn any(self, _: Value) -> bool {
        fail();
        false
    }
    values! {
        add(a, b) = Node::Two(Two::Add, a, b);
        sub(a, b) = Node::Two(Two::Sub, a, b);
        mul(a, b) = Node::Two(Two::Mul, a, b);
        div(a, b) = Node::Two(Two::Div, a, b);
        mul_add(a, b, c) = Node::MulAdd { negative: false, a, b, c };
        neg_mul_add(a, b, c) = Node::MulAdd { negative: true, a, b, c };
        sqrt(x) = Node::One(One::Sqrt, x);
        min(a, b) = Node::Two(Two::Min, a, b);
        max(a, b) = Node::Two(Two::Max, a, b);
        floor(x) = Node::One(One::Floor, x);
        ceil(x) = Node::One(One::Ceil, x);
        trunc(x) = Node::One(One::Trunc, x);
        round(x) = Node::One(One::Round, x);
        and(a, b) = Node::Two(Two::And, a, b);
        or(a, b) = Node::Two(Two::Or, a, b);
        xor(a, b) = Node::Two(Two::Xor, a, b);
        and_not(a, b) = Node::Two(Two::AndNot, a, b);
        add_bits(a, b) = Node::Two(Two::AddBits, a, b);
        sub_bits(a, b) = Node::Two(Two::SubBits, a, b);
        eq(a, b) = Node::Compare(Relation::Equal, a, b);
        lt(a, b) = Node::Compare(Relation::Less, a, b);
        le(a, b) = Node::Compare(Relation::LessEqual, a, b);
        select(mask, a, b) = Node::Select { mask, a, b };
        mask_and(a, b) = Node::MaskTwo(MaskTwo::And, a, b);
        mask_or(a, b) = Node::MaskTwo(MaskTwo::Or, a, b);
        mask_not(a) = Node::MaskNot(a);
    }
}
