//! The steady state of a plan: no allocation, and the same bits on any number of threads.

#![allow(clippy::unwrap_used, reason = "a test whose data cannot be made should fail on the spot")]
#![allow(unsafe_code, reason = "a global allocator that counts")]

use std::alloc::{GlobalAlloc, Layout as Block, System};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use trainsmith_core::backend::cpu::set_num_threads;
use trainsmith_core::backend::{self, Workspace, interpret};
use trainsmith_core::buffer::{HostStorage, Meta, Value};
use trainsmith_core::device::Device;
use trainsmith_core::dtype::DType;
use trainsmith_core::ir::infer::infer;
use trainsmith_core::ir::op::ScanOp;
use trainsmith_core::ir::{BinaryOp, Op, Program, ReduceOp, UnaryOp, ValueId, ViewOp};
use trainsmith_core::layout::Layout;
use trainsmith_core::passes::fuse::{Caps, fuse};
use trainsmith_core::passes::memory;
use trainsmith_core::rng;

/// Counts what all threads allocate while it is told to.
struct Counting;

static COUNTS: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
/// Tests that count, or that set the number of threads, run one at a time.
static ALONE: Mutex<()> = Mutex::new(());

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, block: Block) -> *mut u8 {
        if COUNTS.load(Ordering::Relaxed) {
            ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: the caller keeps the rules of `alloc`.
        unsafe { System.alloc(block) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, block: Block) {
        // SAFETY: the caller keeps the rules of `dealloc`.
        unsafe { System.dealloc(memory, block) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Maker(Program);

impl Maker {
    fn push(&mut self, op: Op, inputs: &[ValueId]) -> ValueId {
        let metas: Vec<Meta> = inputs.iter().map(|&i| self.0.metas[i].clone()).collect();
        let results = infer(&op, &metas).unwrap();
        self.0.push(op, inputs.into(), &results, None)
    }

    fn binary(&mut self, op: BinaryOp, a: ValueId, b: ValueId) -> ValueId {
        self.push(Op::Binary(op), &[a, b])
    }

    fn turned(&mut self, x: ValueId) -> ValueId {
        self.push(Op::View(ViewOp::Permute(vec![1, 0])), &[x])
    }
}

/// Two layers, their gradients and a step of descent: inputs x `[n, a]`, w `[a, b]`, c `[b]`, v `[b, c]`.
fn step([n, a, b, c]: [usize; 4]) -> Program {
    let meta = |shape: &[usize]| Meta::new(shape, DType::F32);
    let mut m = Maker(Program::with_inputs([meta(&[n, a]), meta(&[a, b]), meta(&[b]), meta(&[b, c])]));
    let (x, w, bias, v) = (0, 1, 2, 3);
    let z = m.push(Op::MatMul, &[x, w]);
    let spread = m.push(Op::View(ViewOp::Expand([n, b].into())), &[bias]);
    let z = m.binary(BinaryOp::Add, z, spread);
    let h = m.push(Op::Unary(UnaryOp::Tanh), &[z]);
    let y = m.push(Op::MatMul, &[h, v]);
    let square = m.binary(BinaryOp::Mul, y, y);
    let loss = m.push(Op::Reduce { op: ReduceOp::Sum, axes: vec![0, 1] }, &[square]);
    let rows = m.turned(h);
    let dv = m.push(Op::MatMul, &[rows, y]);
    let back = m.turned(v);
    let dh = m.push(Op::MatMul, &[y, back]);
    let slope = m.binary(BinaryOp::Mul, h, h);
    let slope = m.binary(BinaryOp::Sub, dh, slope);
    let dz = m.binary(BinaryOp::Mul, dh, slope);
    let columns = m.turned(x);
    let dw = m.push(Op::MatMul, &[columns, dz]);
    let db = m.push(Op::Reduce { op: ReduceOp::Sum, axes: vec![0] }, &[dz]);
    let outputs = [(w, dw), (bias, db), (v, dv)].map(|(value, grad)| m.binary(BinaryOp::Sub, value, grad));
    m.0.outputs = [loss].into_iter().chain(outputs).collect();
    m.0
}

fn inputs(program: &Program) -> Vec<Value> {
    let value = |(place, meta): (usize, &Meta)| {
        let word = |i: usize| rng::unit_f64(rng::word(7, place as u64, i, 0), rng::word(7, 0, i, 1));
        let numbers: Vec<f32> = (0..meta.shape.numel()).map(|i| (word(i) - 0.5) as f32 / 8.0).collect();
        Value {
            buffer: Arc::new(HostStorage::copied(bytemuck::cast_slice(&numbers), Device::Cpu)),
            layout: Layout::contiguous(meta.shape.clone()),
            dtype: meta.dtype,
        }
    };
    program.metas[..program.inputs].iter().enumerate().map(value).collect()
}

fn bits(values: &[Value]) -> Vec<u8> {
    values.iter().flat_map(|value| value.host("test").unwrap().to_vec()).collect()
}

/// Small enough for one thread, and large enough for the pool.
const SIZES: [[usize; 4]; 3] = [[16, 8, 12, 3], [256, 32, 128, 16], [130, 200, 70, 33]];

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let _alone = ALONE.lock().unwrap();
    // A factor of more than a megabyte, whose products are cut by the number of threads.
    let large = ([600, 520, 640, 3], 1);
    for (sizes, times) in SIZES.map(|sizes| (sizes, 10)).into_iter().chain([large]) {
        let program = step(sizes);
        let plan = memory::plan(&program, &[]);
        let run = |threads| {
            set_num_threads(threads).unwrap();
            let mut outputs = vec![];
            let (mut workspace, mut inputs) = (Workspace::default(), inputs(&program));
            backend::of(Device::Cpu).run_plan(&plan, &mut workspace, &mut inputs, &mut outputs).unwrap();
            bits(&outputs)
        };
        let one = run(1);
        for threads in [1, 2, 3, 5] {
            assert!((0..times).all(|_| run(threads) == one), "{sizes:?} on {threads} threads");
        }
    }
}

/// A chain of elementwise ops with a broadcast: no kernel here needs memory of its own.
fn chain(rows: usize) -> Program {
    let meta = |shape: &[usize]| Meta::new(shape, DType::F32);
    let mut m = Maker(Program::with_inputs([meta(&[rows, 64]), meta(&[64])]));
    let spread = m.push(Op::View(ViewOp::Expand([rows, 64].into())), &[1]);
    let mut x = m.binary(BinaryOp::Add, 0, spread);
    for _ in 0..4 {
        let slope = m.push(Op::Unary(UnaryOp::Tanh), &[x]);
        x = m.binary(BinaryOp::Mul, slope, spread);
    }
    m.0.outputs = vec![x];
    m.0
}

/// `h = tanh(h w + x)` for each slice of x `[turns, rows, 32]`, all of them stacked, as one kernel a turn.
fn recurrent(turns: usize, rows: usize) -> Program {
    let meta = |shape: &[usize]| Meta::new(shape, DType::F32);
    let mut body = Maker(Program::with_inputs([meta(&[32, 32]), meta(&[rows, 32]), meta(&[rows, 32])]));
    let product = body.push(Op::MatMul, &[1, 0]);
    let sum = body.binary(BinaryOp::Add, product, 2);
    let state = body.push(Op::Unary(UnaryOp::Tanh), &[sum]);
    body.0.outputs = vec![state, state, 1];
    let mut m = Maker(Program::with_inputs([meta(&[32, 32]), meta(&[rows, 32]), meta(&[rows, turns, 32])]));
    let x = m.push(Op::View(ViewOp::Permute(vec![1, 0, 2])), &[2]);
    let scan = ScanOp { body: Arc::new(body.0), consts: 1, carries: 1, length: turns, reverse: true };
    let first = m.push(Op::Scan(scan), &[0, 1, x]);
    m.0.outputs = vec![first, first + 1, first + 2];
    fuse(&m.0, &[], &Caps::default()).unwrap()
}

#[test]
fn loops_have_the_bits_of_their_turns_on_any_number_of_threads() {
    let _alone = ALONE.lock().unwrap();
    // Rows for several tasks, also of unequal numbers, for one, and turns for none.
    for (turns, rows) in [(40, 64), (40, 71), (41, 9), (40, 1), (1, 640), (0, 64)] {
        let program = recurrent(turns, rows);
        let want = bits(&interpret(backend::of(Device::Cpu), &program, &inputs(&program)).unwrap());
        let plan = memory::plan(&program, &[]);
        for threads in [1, 2, 3] {
            set_num_threads(threads).unwrap();
            let (mut workspace, mut outputs) = (Workspace::default(), vec![]);
            for _ in 0..3 {
                let mut inputs = inputs(&program);
                outputs.clear();
                backend::of(Device::Cpu).run_plan(&plan, &mut workspace, &mut inputs, &mut outputs).unwrap();
                assert!(bits(&outputs) == want, "{turns} turns of {rows} rows on {threads} threads");
            }
        }
    }
}

#[test]
fn the_steady_state_allocates_nothing() {
    let _alone = ALONE.lock().unwrap();
    for threads in [1, 2] {
        set_num_threads(threads).unwrap();
        for (what, program) in
            [("4 rows", chain(4)), ("400 rows", chain(400)), ("turns", recurrent(3, 4)), ("tasks", recurrent(40, 64))]
        {
            let plan = memory::plan(&program, &[]);
            let (mut workspace, mut outputs, mut inputs) = (Workspace::default(), vec![], inputs(&program));
            let mut call = |outputs: &mut Vec<Value>| {
                backend::of(Device::Cpu).run_plan(&plan, &mut workspace, &mut inputs, outputs).unwrap();
                outputs.clear();
            };
            (0..20).for_each(|_| call(&mut outputs));
            // The least of some rounds: the harness may allocate meanwhile, a plan that does would do so in each.
            let rounds = (0..5).map(|_| {
                ALLOCATIONS.store(0, Ordering::SeqCst);
                COUNTS.store(true, Ordering::SeqCst);
                (0..20).for_each(|_| call(&mut outputs));
                COUNTS.store(false, Ordering::SeqCst);
                ALLOCATIONS.load(Ordering::SeqCst)
            });
            assert_eq!(rounds.min(), Some(0), "{what} on {threads} threads");
        }
    }
}
