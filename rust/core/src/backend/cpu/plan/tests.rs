use super::prepare::Kernel;
use super::stage::Stage;
use super::*;
use crate::backend::Backend;
use crate::backend::cpu::CPU;
use crate::backend::cpu::testing::{elements, tensor};
use crate::dtype::{DType, Scalar};
use crate::ir::fused::FusedOp;
use crate::ir::op::{BinaryOp, Op, ReduceOp, UnaryOp, ViewOp};
use crate::ir::plan::Step;
use crate::ir::program::Program;
use smallvec::smallvec;

fn at(place: Place, shape: &[usize]) -> Located {
    let meta = Meta::new(shape, DType::F32);
    Located { place, layout: Layout::contiguous(meta.shape.clone()), meta }
}

fn step(op: Op, inputs: &[Located], output: Located) -> Step {
    Step { op, inputs: inputs.into(), outputs: smallvec![output], body: None, origin: Some("model.py:3".into()) }
}

/// `h = x * c`, `y = h + transpose(h)`; out: y, transpose(y), x transposed.
fn plan() -> Plan {
    let turned = |place| Located { layout: at(place, &[2, 2]).layout.permute(&[1, 0]), ..at(place, &[2, 2]) };
    let (x, h, y) = (at(Place::Input(0), &[2, 2]), at(Place::Arena(64), &[2, 2]), at(Place::Output(0), &[2, 2]));
    let constant = at(Place::Constant(0), &[1, 1]);
    let spread = Located { layout: constant.layout.expand(&[2, 2].into()), ..at(Place::Constant(0), &[2, 2]) };
    Plan {
        steps: vec![
            step(Op::Binary(BinaryOp::Mul), &[x.clone(), spread], h.clone()),
            step(Op::Binary(BinaryOp::Add), &[h, turned(Place::Arena(64))], y.clone()),
        ],
        commit: 2,
        arena: 128,
        inputs: vec![x.meta],
        constants: vec![tensor(&[10f32], &[1, 1], DType::F32)],
        exits: vec![
            Exit::Written(y.meta),
            Exit::Shared { output: 0, layout: y.layout.permute(&[1, 0]) },
            Exit::Alias(turned(Place::Input(0))),
        ],
    }
}

fn call(plan: &Plan, workspace: &mut Workspace, inputs: &[Value]) -> Result<Vec<Value>> {
    let mut outputs = vec![];
    CPU.run_plan(plan, workspace, &mut inputs.to_vec(), &mut outputs)?;
    Ok(outputs)
}

fn input() -> Value {
    tensor(&[1f32, 2.0, 3.0, 4.0], &[2, 2], DType::F32)
}

#[test]
fn values_are_found_at_their_places() {
    let x = input();
    let results = call(&plan(), &mut Workspace::default(), std::slice::from_ref(&x)).unwrap();
    assert_eq!(elements::<f32>(&results[0]), [20.0, 50.0, 50.0, 80.0]);
    assert!(Arc::ptr_eq(&results[0].buffer, &results[1].buffer));
    assert!(Arc::ptr_eq(&results[2].buffer, &x.buffer));
    assert_eq!(elements::<f32>(&results[2]), [1.0, 3.0, 2.0, 4.0]);
}

#[test]
fn a_strided_input_is_copied_and_a_late_start_is_not() {
    let mut workspace = Workspace::default();
    let x = input();
    let turned = x.with_layout(x.layout.permute(&[1, 0]));
    let results = call(&plan(), &mut workspace, &[turned]).unwrap();
    assert_eq!(elements::<f32>(&results[2]), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(workspace.fresh, 2);
    let long = tensor(&[9f32, 9.0, 1.0, 2.0, 3.0, 4.0], &[3, 2], DType::F32);
    let late = long.with_layout(long.layout.slice(&[1, 0], &[2, 2], &[1, 1]));
    drop(results);
    let results = call(&plan(), &mut workspace, &[late]).unwrap();
    assert_eq!(elements::<f32>(&results[0]), [20.0, 50.0, 50.0, 80.0]);
    assert_eq!(elements::<f32>(&results[2]), [1.0, 3.0, 2.0, 4.0]);
    assert_eq!(workspace.fresh, 2);
}

#[test]
fn a_value_in_use_is_never_written_again() {
    let (plan, mut workspace) = (plan(), Workspace::default());
    let kept = call(&plan, &mut workspace, &[input()]).unwrap();
    let other = tensor(&[0f32; 4], &[2, 2], DType::F32);
    let second = call(&plan, &mut workspace, std::slice::from_ref(&other)).unwrap();
    let third = call(&plan, &mut workspace, &[other]).unwrap();
    assert_eq!(elements::<f32>(&kept[0]), [20.0, 50.0, 50.0, 80.0]);
    assert_eq!((elements::<f32>(&second[0]), elements::<f32>(&third[0])), (vec![0.0; 4], vec![0.0; 4]));
    assert_eq!(workspace.fresh, 3);
}

#[test]
fn a_variable_that_each_call_replaces_needs_two_buffers() {
    let (plan, mut workspace) = (plan(), Workspace::default());
    let mut variable = input();
    for _ in 0..10 {
        variable = call(&plan, &mut workspace, &[variable]).unwrap().swap_remove(0);
    }
    assert_eq!(workspace.fresh, 2);
}

#[test]
fn an_error_names_the_users_line_and_keeps_the_buffers() {
    let mut broken = plan();
    let (y, spare) = (at(Place::Output(0), &[2, 2]), at(Place::Arena(0), &[2, 2]));
    broken.steps.push(step(Op::CheckFinite { name: "loss".into() }, &[y], spare));
    let mut workspace = Workspace::default();
    let bad = tensor(&[f32::NAN; 4], &[2, 2], DType::F32);
    let error = call(&broken, &mut workspace, &[bad]).unwrap_err();
    assert!(error.to_string().contains("model.py:3"), "{error}");
    assert!(call(&broken, &mut workspace, &[input()]).is_ok());
    assert_eq!(workspace.fresh, 1);
}

#[test]
fn a_step_that_writes_what_it_reads_is_refused() {
    let mut broken = plan();
    let (h, across) = (at(Place::Arena(64), &[2, 2]), at(Place::Arena(72), &[2, 2]));
    broken.steps.push(step(Op::MatMul, &[h.clone(), h], across));
    let error = call(&broken, &mut Workspace::default(), &[input()]).unwrap_err();
    assert!(matches!(error, Error::Bug { .. }));
}

#[test]
fn inputs_must_be_those_of_the_plan() {
    assert!(call(&plan(), &mut Workspace::default(), &[]).is_err());
}

#[test]
fn parts_that_all_need_one_serial_step_run_in_a_stage_of_their_own() {
    let count = [40_000];
    let (sorted, y) = (at(Place::Arena(0), &count), at(Place::Output(0), &count));
    let sort = Op::Sort { axis: 0, descending: false };
    let plan = Plan {
        steps: vec![
            step(sort, &[at(Place::Input(0), &count)], sorted.clone()),
            step(Op::Unary(UnaryOp::Exp), &[sorted], y.clone()),
        ],
        commit: 2,
        arena: 160_000,
        inputs: vec![y.meta.clone()],
        constants: vec![],
        exits: vec![Exit::Written(y.meta)],
    };
    let tasks: Vec<usize> = prepare(&plan).unwrap().stages.iter().map(|stage| stage.tasks.len()).collect();
    assert!(matches!(tasks[..], [1, (2..)]), "{tasks:?}");
}

#[test]
fn packed_factors_take_turns_in_one_memory() {
    let factor = |i: usize| at(Place::Input(i), &[1024, 1024]);
    let x = |i: usize| at(Place::Arena(i * (1 << 20)), &[256, 1024]);
    let product = |i: usize| step(Op::MatMul, &[x(i % 2), factor(i)], x((i + 1) % 2));
    let plan = |count: usize| Plan {
        steps: (0..count).map(product).collect(),
        arena: 2 << 20,
        inputs: (0..count).map(|i| factor(i).meta).collect(),
        ..Plan::default()
    };
    let [two, ten] = [2, 10].map(|count| prepare(&plan(count)).unwrap().aside);
    assert!(two >= 8 << 20, "{two} bytes");
    assert_eq!(two, ten);
}

/// Two layers of a network on 256 rows, back to the gradients of both weights, whose right factors are tall enough to be packed:
/// `h = x a`, `g = exp(h b)`, `db = h' g`, `dh = g b'`, `da = x' dh`, `da` summed over its columns' rows.
fn layers() -> Plan {
    const ROWS: usize = 256;
    let place = |i: usize| Place::Arena(i << 18);
    let turned = |located: &Located| Located {
        layout: located.layout.permute(&[1, 0]),
        meta: Meta::new([located.meta.shape[1], located.meta.shape[0]], DType::F32),
        ..located.clone()
    };
    let (x, a, b) =
        (at(Place::Input(0), &[ROWS, 64]), at(Place::Input(1), &[64, 128]), at(Place::Input(2), &[128, 96]));
    let (h, z, g) = (at(place(0), &[ROWS, 128]), at(place(1), &[ROWS, 96]), at(place(2), &[ROWS, 96]));
    let (dh, da, db) = (at(place(3), &[ROWS, 128]), at(Place::Output(0), &[64, 128]), at(Place::Output(1), &[128, 96]));
    let total = at(Place::Output(2), &[96]);
    let matmul =
        |left: &Located, right: &Located, to: &Located| step(Op::MatMul, &[left.clone(), right.clone()], to.clone());
    Plan {
        steps: vec![
            matmul(&x, &a, &h),
            matmul(&h, &b, &z),
            step(Op::Unary(UnaryOp::Exp), std::slice::from_ref(&z), g.clone()),
            matmul(&turned(&h), &g, &db),
            step(Op::Reduce { op: ReduceOp::Sum, axes: vec![0] }, std::slice::from_ref(&g), total.clone()),
            matmul(&g, &turned(&b), &dh),
            matmul(&turned(&x), &dh, &da),
        ],
        commit: 7,
        arena: 4 << 18,
        inputs: vec![x.meta, a.meta, b.meta],
        exits: [da, db, total].map(|exit| Exit::Written(exit.meta)).into(),
        ..Plan::default()
    }
}

#[test]
fn rows_stay_in_one_task_from_the_first_layer_to_the_gradients_of_weights() {
    let Prepared { steps, stages, .. } = prepare(&layers()).unwrap();
    let holds = |stage: &Stage, wanted: fn(&Kernel) -> bool| {
        stage.tasks.iter().flatten().filter(|(at, _)| wanted(&steps[*at as usize].kernel)).count()
    };
    let packs: Vec<usize> =
        stages.iter().map(|stage| holds(stage, |kernel| matches!(kernel, Kernel::Panels))).collect();
    let totals: Vec<usize> =
        stages.iter().map(|stage| holds(stage, |kernel| matches!(kernel, Kernel::Total))).collect();
    assert_eq!(stages.len(), 3, "packs, rows, totals");
    assert!(packs[0] > 0 && packs[1..] == [0, 0], "{packs:?}");
    assert!(totals[2] > 0 && totals[..2] == [0, 0], "{totals:?}");
    for task in &stages[1].tasks {
        let parts = task.iter().map(|&(_, part)| part);
        assert_eq!(parts.clone().min(), parts.max(), "rows of one part");
    }
}

#[test]
fn shares_add_up_to_the_sum() {
    let numbers = |count: usize| -> Vec<f32> { (0..count).map(|i| ((i * 7) % 31) as f32 * 0.01 - 0.15).collect() };
    let inputs =
        [[256, 64], [64, 128], [128, 96]].map(|shape| tensor(&numbers(shape[0] * shape[1]), &shape, DType::F32));
    let results = call(&layers(), &mut Workspace::default(), &inputs).unwrap();
    let wide = inputs.map(|value| elements::<f32>(&value).into_iter().map(f64::from).collect::<Vec<f64>>());
    let [x, a, b] = &wide;
    let product = |a: &[f64], (m, k, n): (usize, usize, usize), b: &[f64], steps: [usize; 4]| -> Vec<f64> {
        let term = |i: usize, j: usize, l: usize| a[i * steps[0] + l * steps[1]] * b[l * steps[2] + j * steps[3]];
        (0..m * n).map(|at| (0..k).map(|l| term(at / n, at % n, l)).sum()).collect()
    };
    let h = product(x, (256, 64, 128), a, [64, 1, 128, 1]);
    let g: Vec<f64> = product(&h, (256, 128, 96), b, [128, 1, 96, 1]).into_iter().map(f64::exp).collect();
    let dh = product(&g, (256, 96, 128), b, [96, 1, 1, 96]);
    let da = product(x, (64, 256, 128), &dh, [1, 64, 128, 1]);
    let db = product(&h, (128, 256, 96), &g, [1, 128, 96, 1]);
    let total = product(&[1.0; 256], (1, 256, 96), &g, [256, 1, 96, 1]);
    for (wanted, got) in [da, db, total].iter().zip(&results) {
        for (wanted, got) in wanted.iter().zip(elements::<f32>(got)) {
            assert!((wanted - f64::from(got)).abs() <= 1e-5 * wanted.abs().max(1.0), "{wanted} {got}");
        }
    }
}

#[test]
fn a_border_around_rows_is_a_fill_and_a_copy() {
    let (x, y) = (at(Place::Input(0), &[5, 20_000]), at(Place::Output(0), &[8, 20_000]));
    let border = Op::Pad { low: vec![2, 0], high: vec![1, 0], interior: vec![0, 0], value: Scalar::Float(7.0) };
    let plan = Plan {
        steps: vec![step(border, std::slice::from_ref(&x), y.clone())],
        commit: 1,
        inputs: vec![x.meta],
        exits: vec![Exit::Written(y.meta)],
        ..Plan::default()
    };
    let steps = prepare(&plan).unwrap().steps;
    assert!(matches!([&steps[0].kernel, &steps[1].kernel], [Kernel::Op(Op::Fill { .. }), Kernel::Copy]));
    let numbers: Vec<f32> = (0..100_000).map(|i| i as f32).collect();
    let results = call(&plan, &mut Workspace::default(), &[tensor(&numbers, &[5, 20_000], DType::F32)]).unwrap();
    let wanted = [vec![7.0; 40_000], numbers, vec![7.0; 20_000]].concat();
    assert_eq!(elements::<f32>(&results[0]), wanted);
}

#[test]
fn rows_side_by_side_are_copies() {
    let [x, y] = [(0, 3), (1, 4)].map(|(i, rows)| at(Place::Input(i), &[1, rows, 20_000]));
    let both = at(Place::Output(0), &[1, 7, 20_000]);
    let plan = Plan {
        steps: vec![step(Op::Concat { axis: 1 }, &[x.clone(), y.clone()], both.clone())],
        commit: 1,
        inputs: vec![x.meta.clone(), y.meta.clone()],
        exits: vec![Exit::Written(both.meta)],
        ..Plan::default()
    };
    let steps = prepare(&plan).unwrap().steps;
    assert!(matches!([&steps[0].kernel, &steps[1].kernel], [Kernel::Copy, Kernel::Copy]));
    let numbers: Vec<f32> = (0..140_000).map(|i| i as f32).collect();
    let (first, last) = numbers.split_at(60_000);
    let inputs = [tensor(first, &x.meta.shape, DType::F32), tensor(last, &y.meta.shape, DType::F32)];
    let results = call(&plan, &mut Workspace::default(), &inputs).unwrap();
    assert_eq!(elements::<f32>(&results[0]), numbers);
}

/// `d = x - y`, `m = sum(d d) / n * s`: out m and `d + d`.
fn loss(count: usize) -> Plan {
    let metas = |shape: &[usize]| [Meta::new(shape, DType::F32)];
    let full = metas(&[count]);
    let mut body = Program::with_inputs([full[0].clone(), full[0].clone(), metas(&[1])[0].clone()]);
    let binary = |body: &mut Program, op: BinaryOp, a: usize, b: usize| {
        let meta = [body.metas[a].clone()];
        body.push(Op::Binary(op), smallvec![a, b], &meta, None)
    };
    let d = binary(&mut body, BinaryOp::Sub, 0, 1);
    let squares = binary(&mut body, BinaryOp::Mul, d, d);
    let sum = Op::Reduce { op: ReduceOp::Sum, axes: vec![0] };
    let sum = body.push(sum, smallvec![squares], &metas(&[]), None);
    let sum = body.push(Op::View(ViewOp::Reshape([1].into())), smallvec![sum], &metas(&[1]), None);
    let fill = Op::Fill { value: Scalar::Float(count as f64), shape: [1].into(), dtype: DType::F32 };
    let fill = body.push(fill, smallvec![], &metas(&[1]), None);
    let mean = binary(&mut body, BinaryOp::Div, sum, fill);
    let scaled = binary(&mut body, BinaryOp::Mul, mean, 2);
    body.outputs = vec![scaled, binary(&mut body, BinaryOp::Add, d, d)];
    let (x, y, s) = (at(Place::Input(0), &[count]), at(Place::Input(1), &[count]), at(Place::Input(2), &[1]));
    let (m, twice) = (at(Place::Output(0), &[1]), at(Place::Output(1), &[count]));
    let op = Op::Fused(FusedOp::new(body).unwrap());
    let inputs: Vec<Located> = vec![x, y, s];
    Plan {
        inputs: inputs.iter().map(|input| input.meta.clone()).collect(),
        exits: [&m, &twice].map(|exit| Exit::Written(exit.meta.clone())).into(),
        steps: vec![Step { outputs: smallvec![m, twice.clone()], ..step(op, &inputs, twice) }],
        commit: 1,
        ..Plan::default()
    }
}

#[test]
fn a_mean_at_the_end_of_a_group_keeps_no_rows_together() {
    let count = 40_000;
    let steps = prepare(&loss(count)).unwrap().steps;
    assert!(steps[0].parts > 1 && steps.len() == 3, "the rows, the total, the mean");
    let x: Vec<f32> = (0..count).map(|i| (i % 7) as f32).collect();
    let y: Vec<f32> = (0..count).map(|i| (i % 5) as f32).collect();
    let inputs =
        [tensor(&x, &[count], DType::F32), tensor(&y, &[count], DType::F32), tensor(&[0.5f32], &[1], DType::F32)];
    let results = call(&loss(count), &mut Workspace::default(), &inputs).unwrap();
    let sum: f32 = x.iter().zip(&y).map(|(x, y)| (x - y) * (x - y)).sum();
    assert_eq!(elements::<f32>(&results[0]), [sum / count as f32 * 0.5]);
    assert_eq!(elements::<f32>(&results[1]), x.iter().zip(&y).map(|(x, y)| 2.0 * (x - y)).collect::<Vec<f32>>());
}

#[test]
fn sums_of_nothing_are_zero_beside_much_work() {
    let count = [100_000];
    let (x, y) = (at(Place::Input(0), &count), at(Place::Output(0), &count));
    let (no_rows, no_columns) = (at(Place::Input(1), &[3, 0, 4]), at(Place::Input(2), &[256, 0]));
    let (zeros, none) = (at(Place::Output(1), &[4]), at(Place::Output(2), &[0]));
    let sum = |axes: &[usize]| Op::Reduce { op: ReduceOp::Sum, axes: axes.into() };
    let plan = Plan {
        steps: vec![
            step(Op::Unary(UnaryOp::Exp), std::slice::from_ref(&x), y.clone()),
            step(sum(&[0, 1]), std::slice::from_ref(&no_rows), zeros.clone()),
            step(sum(&[0]), std::slice::from_ref(&no_columns), none.clone()),
        ],
        commit: 3,
        inputs: [&x, &no_rows, &no_columns].map(|input| input.meta.clone()).into(),
        exits: [y, zeros, none].map(|exit| Exit::Written(exit.meta)).into(),
        ..Plan::default()
    };
    let inputs = [
        tensor(&vec![0f32; 100_000], &count, DType::F32),
        tensor::<f32>(&[], &[3, 0, 4], DType::F32),
        tensor::<f32>(&[], &[256, 0], DType::F32),
    ];
    let results = call(&plan, &mut Workspace::default(), &inputs).unwrap();
    assert_eq!(elements::<f32>(&results[1]), [0.0; 4]);
}
