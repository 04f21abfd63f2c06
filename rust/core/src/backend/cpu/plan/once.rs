//! One op of much work on all threads: a plan of one step that reads its operands where they lie.

use super::super::arena::{Memories, Memory};
use super::super::threads;
use super::cut::cost;
use super::prepare::{Prepared, prepare_apart};
use super::work::Work;
use crate::buffer::{HostStorage, HostVec, Meta, Storage, Value, unwritten};
use crate::device::Device;
use crate::dtype::DType;
use crate::error::Result;
use crate::ir::op::Op;
use crate::ir::plan::{Exit, Located, Place, Plan, Step};
use crate::layout::Layout;
use smallvec::{SmallVec, smallvec};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// Nanoseconds of work from which cutting it costs little beside it.
const LONG: f64 = 15_000.0;

/// Bytes of the largest operand that an op of so much work has at least.
const LARGE: usize = 32 << 10;

/// Whether an op is better run by all threads.
pub(in crate::backend::cpu) fn is_long(op: &Op, inputs: &[Value], results: &[Meta]) -> bool {
    let elements = |size: usize, bytes: usize| size * bytes >= LARGE;
    let large = results.iter().any(|meta| elements(meta.shape.numel(), meta.dtype.size()))
        || inputs.iter().any(|value| elements(value.shape().numel(), value.dtype.size()));
    if !large || threads::num_threads() == 1 {
        return false;
    }
    let taken: SmallVec<[Meta; 4]> = inputs.iter().map(Value::meta).collect();
    let (taken, given): (SmallVec<[&Meta; 4]>, SmallVec<[&Meta; 1]>) =
        (taken.iter().collect(), results.iter().collect());
    cost(op, &taken, &given) >= LONG
}

/// Run an op; `results` are as long as their shapes say.
pub(in crate::backend::cpu) fn once(op: &Op, inputs: &[Value], metas: &[Meta], results: &mut [HostVec]) -> Result<()> {
    let known = if let Some(known) = KNOWN.with_borrow_mut(|shelf| shelf.find(op, inputs)) {
        known
    } else {
        let made = Rc::new(Known::new(op, inputs, metas)?);
        KNOWN.with_borrow_mut(|shelf| shelf.keep(Rc::clone(&made)));
        made
    };
    let mut aside = HostStorage::new(unwritten(known.prepared.aside), Device::Cpu);
    let mut slots: SmallVec<[Memory; 8]> = smallvec![Memory::EMPTY];
    for value in inputs {
        slots.push(Memory::read(value.host(op.name())?));
    }
    slots.extend(results.iter_mut().map(|bytes| Memory::write(bytes)));
    slots.push(aside.host_mut().map_or(Memory::EMPTY, Memory::write));
    let work = Work::new(&known.prepared, Memories::new(&slots));
    threads::run(&work)?;
    work.verdict()
}

/// What a thread keeps of the ops that it ran last: to plan one takes as long as to add some ten thousand numbers.
#[derive(Debug)]
struct Shelf(VecDeque<Rc<Known>>);

/// Ops that are kept.
const KEPT: usize = 64;

thread_local! {
    static KNOWN: RefCell<Shelf> = const { RefCell::new(Shelf(VecDeque::new())) };
}

impl Shelf {
    fn find(&mut self, op: &Op, inputs: &[Value]) -> Option<Rc<Known>> {
        let at = self.0.iter().position(|known| known.fits(op, inputs))?;
        self.0.swap(at, at / 2);
        self.0.get(at / 2).cloned()
    }

    fn keep(&mut self, known: Rc<Known>) {
        self.0.truncate(KEPT - 1);
        self.0.push_front(known);
    }
}

/// An op on operands that lie somehow, made ready.
#[derive(Debug)]
struct Known {
    op: Op,
    inputs: SmallVec<[(Layout, DType); 3]>,
    threads: usize,
    prepared: Prepared,
}

impl Known {
    fn new(op: &Op, inputs: &[Value], results: &[Meta]) -> Result<Self> {
        let read = |(i, value): (usize, &Value)| Located {
            place: Place::Input(i),
            layout: value.layout.clone(),
            meta: value.meta(),
        };
        let written = |(i, meta): (usize, &Meta)| Located {
            place: Place::Output(i),
            layout: Layout::contiguous(meta.shape.clone()),
            meta: meta.clone(),
        };
        let step = Step {
            op: op.clone(),
            body: None,
            inputs: inputs.iter().enumerate().map(read).collect(),
            outputs: results.iter().enumerate().map(written).collect(),
            origin: None,
        };
        let plan = Plan {
            commit: 1,
            inputs: step.inputs.iter().map(|located| located.meta.clone()).collect(),
            exits: results.iter().cloned().map(Exit::Written).collect(),
            steps: vec![step],
            ..Plan::default()
        };
        Ok(Self {
            op: op.clone(),
            inputs: inputs.iter().map(|value| (value.layout.clone(), value.dtype)).collect(),
            threads: threads::num_threads(),
            prepared: prepare_apart(&plan)?,
        })
    }

    fn fits(&self, op: &Op, inputs: &[Value]) -> bool {
        let alike =
            |((layout, dtype), value): (&(Layout, DType), &Value)| *dtype == value.dtype && *layout == value.layout;
        self.op == *op
            && self.inputs.len() == inputs.len()
            && self.inputs.iter().zip(inputs).all(alike)
            && self.threads == threads::num_threads()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::kernel::{self, Dst};
    use super::super::super::source;
    use super::super::super::testing::{fails, tensor};
    use super::*;
    use crate::backend::result_metas;
    use crate::ir::op::{BinaryOp, Composite, ConvOp, ReduceOp, UnaryOp, ViewOp};

    /// Numbers that take the whole mantissa, so that another order of a sum would show.
    fn numbers(shape: &[usize]) -> Value {
        let count = shape.iter().product();
        tensor(&(0..count).map(|i: usize| (i as f32 * 0.7).sin()).collect::<Vec<f32>>(), shape, DType::F32)
    }

    fn turned(value: &Value) -> Value {
        let rank = value.shape().len();
        let axes: Vec<usize> = (0..rank - 2).chain([rank - 1, rank - 2]).collect();
        value.with_layout(value.layout.permute(&axes))
    }

    #[test]
    fn parts_on_all_threads_give_the_bits_of_one_kernel() {
        let at = tensor(&(0..9000).map(|i| i * 37 % 300).collect::<Vec<i64>>(), &[9000], DType::I64);
        let conv = Op::Conv(ConvOp {
            strides: vec![1, 1],
            low: vec![1; 2],
            high: vec![1; 2],
            input_dilation: vec![1, 1],
            kernel_dilation: vec![1, 1],
            groups: 1,
            batch_groups: 1,
        });
        let cases = [
            (Op::MatMul, vec![numbers(&[160, 160]), numbers(&[160, 160])]),
            (Op::MatMul, vec![turned(&numbers(&[160, 300])), turned(&numbers(&[140, 160]))]),
            (Op::MatMul, vec![numbers(&[1, 2000]), turned(&numbers(&[900, 2000]))]),
            (Op::MatMul, vec![numbers(&[9, 64, 70]), turned(&numbers(&[9, 64, 70]))]),
            (Op::Binary(BinaryOp::Add), vec![numbers(&[300, 300]), turned(&numbers(&[300, 300]))]),
            (Op::Unary(UnaryOp::Exp), vec![numbers(&[40_001])]),
            (Op::Reduce { op: ReduceOp::Sum, axes: vec![0] }, vec![numbers(&[500, 301])]),
            (Op::Reduce { op: ReduceOp::Sum, axes: vec![0, 1] }, vec![numbers(&[20, 30, 257])]),
            (Op::Reduce { op: ReduceOp::Sum, axes: vec![1] }, vec![turned(&numbers(&[500, 301]))]),
            (Op::View(ViewOp::Reshape([90_000].into())), vec![turned(&numbers(&[300, 300]))]),
            (Op::Cast(DType::F16), vec![turned(&numbers(&[300, 300]))]),
            (Op::Gather { axis: 0 }, vec![numbers(&[300, 40]), at.clone()]),
            (Op::ScatterAdd { axis: 0 }, vec![numbers(&[300, 40]), at, numbers(&[9000, 40])]),
            (Op::Composite(Composite::LogSoftmax { axis: 1 }), vec![numbers(&[300, 300])]),
            (conv.clone(), vec![numbers(&[7, 9, 20, 20]), numbers(&[24, 9, 3, 3])]),
            (conv.clone(), vec![turned(&numbers(&[7, 9, 20, 20])), numbers(&[24, 9, 3, 3])]),
        ];
        for (op, inputs) in cases {
            let metas = result_metas(&op, &inputs).unwrap();
            assert!(is_long(&op, &inputs, &metas) || threads::num_threads() == 1, "{op:?}");
            let empty = || metas.iter().map(|meta| unwritten(meta.bytes())).collect::<Vec<HostVec>>();
            let (mut wanted, mut got) = (empty(), empty());
            let sources: Vec<_> = inputs.iter().map(|value| source("test", value).unwrap()).collect();
            let mut targets: Vec<Dst<'_>> =
                wanted.iter_mut().zip(&metas).map(|(bytes, meta)| Dst { bytes, meta }).collect();
            kernel::run(&op, &sources, &mut targets).unwrap();
            for again in [false, true] {
                for bytes in &mut got {
                    bytes.fill(0xAB);
                }
                once(&op, &inputs, &metas, &mut got).unwrap();
                assert!(got.iter().zip(&wanted).all(|(x, y)| x[..] == y[..]), "{op:?}, again: {again}");
            }
        }
    }

    #[test]
    fn short_ops_are_left_alone_and_errors_come_through() {
        let (x, y) = (numbers(&[64, 64]), numbers(&[64, 64]));
        let metas = result_metas(&Op::MatMul, &[x.clone(), y.clone()]).unwrap();
        assert!(!is_long(&Op::MatMul, &[x, y], &metas));
        let mut places = vec![1i64; 9000];
        places[7000] = 300;
        let at = tensor(&places, &[9000], DType::I64);
        let error = fails(&Op::Gather { axis: 0 }, &[numbers(&[300, 40]), at]);
        assert_eq!(error.to_string(), "take: expected indices in [0, 300), got 300");
    }

    #[test]
    fn the_last_ops_are_known_again() {
        let op = Op::Unary(UnaryOp::Exp);
        let run = |x: &[Value]| {
            let metas = result_metas(&op, x).unwrap();
            once(&op, x, &metas, &mut [unwritten(metas[0].bytes())]).unwrap();
        };
        let x = [numbers(&[300, 300])];
        let known = || KNOWN.with_borrow_mut(|shelf| shelf.find(&op, &x).map(|known| Rc::as_ptr(&known)));
        for turn in 0..3 {
            assert_eq!(known().is_some(), turn > 0);
            run(&x);
        }
        (0..KEPT).for_each(|more| run(&[numbers(&[40_000 + more])]));
        assert!(known().is_none());
        assert_eq!(KNOWN.with_borrow(|shelf| shelf.0.len()), KEPT);
    }
}
