//! Every op on every backend: the shape and dtype rule, the reference's elements, the same bits in every run and layout, or the same refusal.
//!
//! Rows come from tables that do not compile while an op is missing. Each row runs on inputs that lie in every way a view
//! can make them lie.

mod attention;
mod data;
mod elementwise;
mod fused;
mod matrices;
mod moving;
mod pools;
mod rows;
mod shaders;
mod shaped;

#[path = "../common"]
mod common {
    pub(crate) mod close;
    pub(crate) mod draw;
    pub(crate) mod gpu;
    pub(crate) mod lies;
    pub(crate) mod values;
}

use common::close::{Close, difference};
use common::lies::Lie;
use common::values::value;
use rows::{Expect, Kind, Row, kind};
use smallvec::SmallVec;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use trainsmith_core::backend::{self, Backend};
use trainsmith_core::buffer::{Meta, Value};
use trainsmith_core::device::Device;
use trainsmith_core::dtype::{DType, Scalar};
use trainsmith_core::error::{Error, Result};
use trainsmith_core::ir::infer::infer;
use trainsmith_core::ir::{ArgOp, BinaryOp, CompareOp, CumulateOp, Op, PoolKind, RandomOp, ReduceOp, UnaryOp};

/// The backends that are held against the reference.
fn devices() -> impl Iterator<Item = Device> {
    [Some(Device::Cpu), common::gpu::gpu()].into_iter().flatten()
}

/// Whether a GPU refuses the row: it has no float64.
fn has_f64(row: &Row, rule: &Result<SmallVec<[Meta; 1]>>) -> bool {
    let results = rule.iter().flatten();
    row.inputs.iter().map(|slot| &slot.meta).chain(results).any(|meta| meta.dtype == DType::F64)
}

#[test]
fn every_op_has_rows() {
    for &wanted in Kind::ALL {
        let rows = wanted.rows();
        assert!(rows.iter().all(|row| kind(&row.op) == wanted), "{wanted:?} holds rows of another op");
        assert!(!rows.is_empty(), "{wanted:?} has no row");
    }
}

#[test]
fn every_member_of_a_family_has_an_accepted_row() {
    let rows = Kind::ALL.iter().flat_map(|kind| kind.rows());
    let accepted = rows.filter(|row| matches!(row.expect, Expect::Agrees(_)));
    let names: BTreeSet<&str> = accepted.map(|row| row.op.name()).collect();
    let members = [
        UnaryOp::ALL.iter().map(|op| op.name()).collect::<Vec<_>>(),
        BinaryOp::ALL.iter().map(|op| op.name()).collect(),
        CompareOp::ALL.iter().map(|op| op.name()).collect(),
        ReduceOp::ALL.iter().map(|op| op.name()).collect(),
        ArgOp::ALL.iter().map(|op| op.name()).collect(),
        CumulateOp::ALL.iter().map(|op| op.name()).collect(),
        RandomOp::ALL.iter().map(|op| op.name()).collect(),
        PoolKind::ALL.iter().map(|op| op.name()).collect(),
    ];
    let missing: Vec<&str> = members.concat().into_iter().filter(|name| !names.contains(name)).collect();
    assert_eq!(missing, [""; 0]);
}

macro_rules! agree {
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

agree! {
    sources_agree: Leaf Fill Iota Random;
    unary_ops_agree: Unary;
    binary_ops_agree: Binary;
    comparisons_and_casts_agree: Compare Select Cast;
    folds_agree: Reduce ArgReduce Cumulate;
    views_agree: Reshape Permute Expand Slice;
    moves_agree: Pad Concat Gather ScatterAdd CheckFinite CheckIndex;
    products_agree: MatMul Conv;
    orders_and_decompositions_agree: Sort Linalg;
    loops_and_composites_agree: Scan Fused LogSoftmax LogSoftmaxGrad Pool PoolGrad;
    attention_agrees: Attention AttentionGrad;
}

/// Check all rows of these kinds and report the first complaint of each op and dtype.
fn check(kinds: &[Kind]) {
    let mut seen = BTreeSet::new();
    let mut complaints = Vec::new();
    for row in kinds.iter().flat_map(|kind| kind.rows()) {
        for device in devices() {
            if let Some(complaint) = complaint(&row, device) {
                let inputs: Vec<String> =
                    row.inputs.iter().map(|s| format!("{} {}", s.meta.dtype, s.meta.shape)).collect();
                let dtypes: Vec<String> = row.inputs.iter().map(|s| s.meta.dtype.to_string()).collect();
                if seen.insert((row.op.name(), dtypes)) {
                    complaints.push(format!(
                        "{device} {} ({}): {complaint}\n    {:?}",
                        row.op.name(),
                        inputs.join(", "),
                        row.op
                    ));
                }
            }
        }
    }
    shaders::are_accepted_everywhere();
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

/// A GPU may take a subnormal number for zero.
fn without_subnormals(number: &mut Scalar) {
    if let Scalar::Float(x) = number
        && x.abs() < f64::from(f32::MIN_POSITIVE)
    {
        *x = 0f64.copysign(*x);
    }
}

fn complaint(row: &Row, device: Device) -> Option<String> {
    let metas: Vec<Meta> = row.inputs.iter().map(|slot| slot.meta.clone()).collect();
    let rule = infer(&row.op, &metas);
    if rule.is_err() != matches!(row.expect, Expect::Refused) {
        return Some(format!("the rule gives {rule:?}, which the row does not expect"));
    }
    if device != Device::Cpu && has_f64(row, &rule) {
        return None;
    }
    // Every way of lying, each input in the same way and each in another; the reference is slow, so fewer of large ones.
    let large = row.inputs.iter().any(|slot| slot.meta.shape.numel() > 10_000);
    // A GPU that is a program compiles a shader for milliseconds: it sees each way of lying, but not each twice.
    let on_gpu = device != Device::Cpu;
    let turns = (0..Lie::ALL.len()).step_by(if large { 3 } else { 1 + usize::from(on_gpu) });
    let paces = if on_gpu { 1 } else { row.inputs.len().clamp(1, 2) };
    let mut plain = None;
    for (turn, pace) in turns.flat_map(|turn| (0..paces).map(move |pace| (turn, pace))) {
        let lie = |place: usize| Lie::ALL[(turn + pace * (place + 1)) % Lie::ALL.len()];
        let lies: Vec<Lie> = (0..row.inputs.len()).map(lie).collect();
        if lies.contains(&Lie::Repeated) && matches!(row.op, Op::Linalg(_)) {
            continue; // equal rows make a singular matrix, which has no factors or not one choice of them
        }
        let inputs = |device| -> Vec<Value> {
            let input = |(place, slot): (usize, &rows::Slot)| {
                let seed = 1 + place as u64;
                let mut numbers = data::fill(seed, slot.meta.dtype, slot.data, slot.meta.shape.numel());
                if on_gpu {
                    numbers.iter_mut().for_each(without_subnormals);
                }
                value(device, &slot.meta, lie(place).layout(&slot.meta.shape), &numbers)
            };
            row.inputs.iter().enumerate().map(input).collect()
        };
        let run = |backend: &dyn Backend| {
            catch_unwind(AssertUnwindSafe(|| Ok(backend.run_op(&row.op, &inputs(backend.device()))?.into_vec())))
                .map_err(|_| "a panic".to_string())
        };
        let results = run(backend::of(Device::Reference)).and_then(|want| Ok((run(backend::of(device))?, want)));
        let complaint = match (results, &row.expect, &rule) {
            (Err(panic), _, _) => Some(panic),
            (Ok((got, want)), Expect::Agrees(close), Ok(metas)) => agrees(&got, &want, *close, metas).or_else(|| {
                if lies.contains(&Lie::Repeated) || (on_gpu && turn > 2) {
                    return None;
                }
                let plain = plain.get_or_insert(got);
                let again = run(backend::of(device)).ok()?;
                let other = agrees(&again, plain, Close::EXACT, metas)?;
                Some(format!("bits that depend on the run, or on how inputs lie: {other}"))
            }),
            (Ok((got, want)), _, _) => refuses(&got, &want),
        };
        if let Some(complaint) = complaint {
            return Some(format!("{complaint}; inputs lie {lies:?}"));
        }
    }
    None
}

fn agrees(got: &Result<Vec<Value>>, want: &Result<Vec<Value>>, close: Close, metas: &[Meta]) -> Option<String> {
    let (got, want) = match (got, want) {
        (Ok(got), Ok(want)) => (got, want),
        (Err(error), _) | (_, Err(error)) => return Some(error.to_string()),
    };
    let fits = |values: &[Value]| values.iter().map(Value::meta).eq(metas.iter().cloned());
    if !fits(got) || !fits(want) {
        return Some(format!(
            "the rule says {metas:?}, a backend gives {:?}",
            got.iter().map(Value::meta).collect::<Vec<_>>()
        ));
    }
    got.iter().zip(want).find_map(|(got, want)| difference(got, want, close))
}

fn refuses(got: &Result<Vec<Value>>, want: &Result<Vec<Value>>) -> Option<String> {
    match (got, want) {
        (Err(got @ Error::Index { .. }), Err(want)) if got.to_string() != want.to_string() => {
            Some(format!("says {got:?} instead of {want:?}"))
        }
        (Err(got), Err(want)) if std::mem::discriminant(got) == std::mem::discriminant(want) => None,
        _ => {
            let (got, want) = (outcome(got), outcome(want));
            Some(format!("gives {got:?} where the reference gives {want:?}"))
        }
    }
}

/// Shapes and dtypes, or the error; the elements would fill the screen.
fn outcome(result: &Result<Vec<Value>>) -> std::result::Result<Vec<Meta>, &Error> {
    result.as_ref().map(|values| values.iter().map(Value::meta).collect())
}
