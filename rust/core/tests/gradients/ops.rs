//! Ops: each accepted f64 row of the table of ops, with numbers away from kinks.

use super::check::{complaint, tensor};
use super::common::draw::draw;
use super::common::values::value;
use super::data::{self, Data};
use super::rows::{Expect, Kind, Row, Slot};
use std::collections::BTreeSet;
use trainsmith_core::Result;
use trainsmith_core::device::Device;
use trainsmith_core::dtype::{DType, Scalar};
use trainsmith_core::error::Error;
use trainsmith_core::ir::{BinaryOp, Composite, LinalgOp, Op, ReduceOp, UnaryOp};
use trainsmith_core::layout::Layout;
use trainsmith_core::tensor::backward::watch;
use trainsmith_core::tensor::face::face;
use trainsmith_core::tensor::{Face, Tensor};

/// What is known of an op's derivative.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    /// It is compared with differences.
    Checked,
    /// Nothing floating goes in or comes out, so results never ask for a gradient.
    Blind,
    /// Floating, but without a derivative: refused where a gradient would get lost.
    Refused,
    /// Differences cannot see it; a test of its own holds it.
    Elsewhere,
}

fn verdict(op: &Op) -> Verdict {
    match op {
        Op::Leaf
        | Op::Fill { .. }
        | Op::Iota { .. }
        | Op::Random { .. }
        | Op::Compare(_)
        | Op::ArgReduce { .. }
        | Op::CheckIndex { .. } => Verdict::Blind,
        Op::Unary(UnaryOp::Not) | Op::Reduce { op: ReduceOp::Any | ReduceOp::All, .. } => Verdict::Blind,
        Op::Fused(_) | Op::Binary(BinaryOp::FloorDivide | BinaryOp::NextAfter) => Verdict::Refused,
        Op::Binary(BinaryOp::And | BinaryOp::Or | BinaryOp::Xor | BinaryOp::ShiftLeft | BinaryOp::ShiftRight) => {
            Verdict::Blind
        }
        Op::Linalg(LinalgOp::Qr { .. } | LinalgOp::Svd | LinalgOp::Eigh) => Verdict::Refused,
        Op::Cast(DType::F64) => Verdict::Checked,
        Op::Cast(dtype) if dtype.is_float() => Verdict::Elsewhere,
        Op::Cast(_) => Verdict::Blind,
        Op::Unary(_)
        | Op::Binary(_)
        | Op::Select
        | Op::Reduce { .. }
        | Op::Cumulate { .. }
        | Op::View(_)
        | Op::Pad { .. }
        | Op::Concat { .. }
        | Op::MatMul
        | Op::Conv(_)
        | Op::Gather { .. }
        | Op::ScatterAdd { .. }
        | Op::Sort { .. }
        | Op::Linalg(_)
        | Op::Scan(_)
        | Op::Composite(
            Composite::LogSoftmax { .. }
            | Composite::LogSoftmaxGrad { .. }
            | Composite::Attention { .. }
            | Composite::AttentionGrad { .. }
            | Composite::Pool(_)
            | Composite::PoolGrad { .. },
        )
        | Op::CheckFinite { .. } => Verdict::Checked,
    }
}

/// Larger rows say nothing more about a derivative.
const LARGEST: usize = 1000;

fn fits(row: &Row) -> bool {
    let floats: Vec<&Slot> = row.inputs.iter().filter(|slot| slot.meta.dtype.is_float()).collect();
    matches!(row.expect, Expect::Agrees(_))
        && !floats.is_empty()
        && floats
            .iter()
            .all(|slot| slot.meta.dtype == DType::F64 && !matches!(slot.data, Data::Edges { .. } | Data::Ties))
        && row.inputs.iter().all(|slot| slot.meta.shape.numel() <= LARGEST)
        && !matches!(row.op, Op::Pad { value: Scalar::Float(border), .. } if border.is_infinite())
}

/// Numbers of the row's range that lie near zero, each at least 0.05 from every multiple of one half.
fn smooth(seed: u64, low: f64, high: f64, count: usize) -> Vec<f64> {
    let (low, high) = (low.max(-3.0), high.min(3.0));
    let spread = (high - low) / 40.0;
    let numbers = draw(seed, DType::F64, low + spread, high - spread, count);
    numbers.into_iter().map(Scalar::as_f64).map(|x| (2.0 * x).floor() / 2.0 + 0.05 + 0.8 * x.rem_euclid(0.5)).collect()
}

fn input(place: usize, slot: &Slot) -> Tensor {
    let (meta, seed) = (&slot.meta, 11 + place as u64);
    let count = meta.shape.numel();
    match slot.data {
        Data::Range(low, high) | Data::Wild(low, high) if meta.dtype == DType::F64 => {
            tensor(&smooth(seed, low, high, count), &meta.shape)
        }
        data => {
            let numbers = data::fill(seed, meta.dtype, data, count);
            Tensor::from_value(value(Device::Cpu, meta, Layout::contiguous(meta.shape.clone()), &numbers))
        }
    }
}

fn emit(op: &Op, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
    let edges = inputs.iter().map(Tensor::edge).collect::<Result<Vec<_>>>()?;
    let edges = trainsmith_core::ir::build::Builder::emit(&Face, op.clone(), &edges)?;
    Ok(edges.into_iter().map(Tensor::from_edge).collect())
}

/// Check the rows of these kinds; every op that claims a derivative must have had numbers to show it.
fn check(kinds: &[Kind]) {
    let (mut wanted, mut seen, mut complaints) = (BTreeSet::new(), BTreeSet::new(), vec![]);
    for row in kinds.iter().flat_map(|kind| kind.rows()) {
        let name = row.op.name();
        let inputs: Vec<Tensor> = row.inputs.iter().enumerate().map(|(place, slot)| input(place, slot)).collect();
        match verdict(&row.op) {
            Verdict::Checked => {
                wanted.insert(name);
                if !fits(&row) {
                    continue;
                }
                if row.inputs.iter().any(|slot| slot.meta.shape.numel() > 0) {
                    seen.insert(name);
                }
                if let Some(complaint) = complaint(&|inputs| emit(&row.op, inputs), &inputs) {
                    let metas: Vec<_> = row.inputs.iter().map(|slot| slot.meta.shape.to_string()).collect();
                    complaints.push(format!("{name} {}: {complaint}\n    {:?}", metas.join(", "), row.op));
                }
            }
            Verdict::Blind => complaints.extend(sees(&row, &inputs)),
            Verdict::Refused if fits(&row) => {
                let watched = inputs.iter().map(watch).collect::<Result<Vec<_>>>().unwrap();
                match emit(&row.op, &watched) {
                    Err(Error::Graph { op, .. }) if op == name => {}
                    other => complaints.push(format!("{name} is not refused: {other:?}")),
                }
            }
            Verdict::Refused | Verdict::Elsewhere => {}
        }
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
    assert_eq!(wanted.difference(&seen).collect::<Vec<_>>(), [&""; 0], "never checked");
}

/// A complaint if a result of a blind op asks for a gradient.
fn sees(row: &Row, inputs: &[Tensor]) -> Option<String> {
    if !matches!(row.expect, Expect::Agrees(_)) {
        return None;
    }
    let watched: Vec<Tensor> = inputs.iter().map(|t| watch(t).unwrap_or_else(|_| t.clone())).collect();
    let results = emit(&row.op, &watched).unwrap();
    results.iter().any(Tensor::requires_grad).then(|| format!("{} asks for a gradient", row.op.name()))
}

macro_rules! derivatives {
    ($($test:ident: $($kind:ident)+;)+) => {
        $(
            #[test]
            fn $test() {
                check(&[$(Kind::$kind),+]);
            }
        )+

        #[test]
        fn every_kind_is_checked() {
            let checked = [$($(Kind::$kind),+),+];
            assert_eq!(Kind::ALL.iter().filter(|kind| !checked.contains(kind)).count(), 0);
        }
    };
}

derivatives! {
    unary: Unary;
    binary: Binary;
    blind: Fill Iota Random Compare ArgReduce CheckIndex Leaf;
    choices: Select Cast CheckFinite;
    folds: Reduce Cumulate;
    views: Reshape Permute Expand Slice;
    moves: Pad Concat Gather ScatterAdd;
    products: MatMul Conv;
    orders_and_decompositions: Sort Linalg;
    looping: Scan Fused;
    composites: LogSoftmax LogSoftmaxGrad Pool PoolGrad;
    attention: Attention AttentionGrad;
}

/// Between float dtypes differences drown in rounding; the derivative is the cast back, to the bit.
#[test]
fn casts_hand_gradients_back_in_the_dtype_they_came_from() {
    let floats = [DType::F16, DType::BF16, DType::F32, DType::F64];
    for (from, to) in floats.into_iter().flat_map(|from| floats.map(|to| (from, to))) {
        let b = face();
        let draw = |seed| tensor(&super::check::random(seed, 9), &[9].into()).edge().unwrap();
        let x = watch(&Tensor::from_edge(b.cast(&draw(1), from).unwrap())).unwrap();
        let w = watch(&Tensor::from_edge(b.cast(&draw(2), to).unwrap())).unwrap();
        let v = Tensor::from_edge(b.cast(&draw(3), from).unwrap());
        let y = Tensor::from_edge(b.cast(&x.edge().unwrap(), to).unwrap());
        let gradients = trainsmith_core::tensor::backward::gradients;
        let first = gradients(&[y], Some(std::slice::from_ref(&w)), std::slice::from_ref(&x)).unwrap();
        let second = gradients(&first, Some(std::slice::from_ref(&v)), &[x, w.clone()]).unwrap();
        let cast = |t: &Tensor, dtype| Tensor::from_edge(b.cast(&t.edge().unwrap(), dtype).unwrap());
        for (got, want) in [(&first[0], cast(&w, from)), (&second[1], cast(&v, to))] {
            assert_eq!(got.meta(), want.meta(), "{from} to {to}");
            assert_eq!(got.to_f64().unwrap(), want.to_f64().unwrap(), "{from} to {to}");
        }
        assert_eq!(second[0].to_f64().unwrap(), [0.0; 9]);
    }
}
