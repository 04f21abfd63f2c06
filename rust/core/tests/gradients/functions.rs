//! Functions by name: each has rows, or a reason why there is nothing to differentiate.

mod activations;
mod losses;
mod neural;
mod structured;
mod table;

use super::check::{complaint, tensor};
use super::common::draw::draw;
use std::collections::BTreeSet;
use trainsmith_core::dtype::{DType, Scalar};
use trainsmith_core::error::Error;
use trainsmith_core::tensor::args::{Arg, Attr};
use trainsmith_core::tensor::backward::watch;
use trainsmith_core::tensor::{Generator, Tensor, functions};
use trainsmith_core::{Result, buffer::Meta, device::Device};

/// One argument of a call.
#[derive(Clone, Debug)]
enum Given {
    /// Numbers of a range, each differentiated.
    Floats(&'static [usize], f64, f64),
    /// Positions, classes, bits.
    Ints(&'static [usize], &'static [i64]),
    /// A condition.
    Bools(&'static [usize], &'static [u8]),
    /// A Python number.
    Number(f64),
    /// Left out.
    Nothing,
}

/// What is known of one name.
#[derive(Clone, Debug)]
enum Entry {
    /// A call that is compared with differences.
    Call(&'static str, Vec<Given>, Vec<(&'static str, Attr)>),
    /// Names with one reason to be left out.
    Left(&'static str, &'static [&'static str]),
}

fn text(word: &str) -> Attr {
    Attr::Str(word.into())
}

fn entries() -> Vec<Entry> {
    [table::entries(), activations::entries(), losses::entries(), neural::entries(), structured::entries()]
        .into_iter()
        .flatten()
        .collect()
}

/// The tensors of a call, in order; numbers and absent arguments stay in the row.
fn tensors(given: &[Given]) -> Vec<Tensor> {
    let tensor = |(place, given): (usize, &Given)| match *given {
        Given::Floats(shape, low, high) => {
            let count = shape.iter().product();
            let numbers = draw(21 + place as u64, DType::F64, low, high, count);
            Some(tensor(&numbers.into_iter().map(Scalar::as_f64).collect::<Vec<_>>(), &shape.into()))
        }
        Given::Ints(shape, elements) => Some(Tensor::from_i64(elements, shape).unwrap()),
        Given::Bools(shape, bytes) => {
            Some(Tensor::from_bytes(bytes, &Meta::new(shape, DType::Bool), Device::Cpu).unwrap())
        }
        Given::Number(_) | Given::Nothing => None,
    };
    given.iter().enumerate().filter_map(tensor).collect()
}

/// Call by name; every call draws the same random numbers.
fn call(name: &str, given: &[Given], attrs: &[(&str, Attr)], tensors: &[Tensor]) -> Result<Vec<Tensor>> {
    let mut rest = tensors.iter();
    let mut args = vec![];
    for given in given {
        args.push(match (given, rest.as_slice().first()) {
            (Given::Number(number), _) => Arg::Scalar(Scalar::Float(*number)),
            (Given::Nothing, _) | (_, None) => Arg::None,
            (Given::Floats(..) | Given::Ints(..) | Given::Bools(..), Some(_)) => {
                Arg::Edge(rest.next().unwrap().edge()?)
            }
        });
    }
    Generator::global().reseed(9)?;
    let attrs: Vec<(String, Attr)> = attrs.iter().map(|(key, attr)| ((*key).to_owned(), attr.clone())).collect();
    Ok(functions::call(name, &args, &attrs)?.into_iter().map(Tensor::from_edge).collect())
}

/// One test, since rows share the generator.
#[test]
fn functions_have_the_slopes_of_differences() {
    let mut complaints = vec![];
    for entry in entries() {
        let Entry::Call(name, given, attrs) = entry else { continue };
        if let Some(complaint) = complaint(&|inputs| call(name, &given, &attrs, inputs), &tensors(&given)) {
            complaints.push(format!("{name} {given:?} {attrs:?}: {complaint}"));
        }
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn every_name_has_a_row_or_a_reason() {
    let named = |entry: Entry| match entry {
        Entry::Call(name, ..) => vec![name],
        Entry::Left(reason, names) => {
            assert!(!reason.is_empty(), "{names:?}");
            names.to_vec()
        }
    };
    let known: BTreeSet<&str> = entries().into_iter().flat_map(named).collect();
    let names: BTreeSet<&str> = functions::names().into_iter().collect();
    assert_eq!(names.difference(&known).collect::<Vec<_>>(), [&""; 0], "neither a row nor a reason");
    assert_eq!(known.difference(&names).collect::<Vec<_>>(), [&""; 0], "no function of this name");
}

/// Where a function has results but no derivative, a gradient that would get lost is an error that names it.
#[test]
fn a_function_without_a_derivative_refuses() {
    let x = watch(&Tensor::from_f64(&[1.5, 2.5], [2]).unwrap()).unwrap();
    let args = [Arg::Edge(x.edge().unwrap()), Arg::Scalar(Scalar::Float(2.0))];
    match functions::call("floor_divide", &args, &[]) {
        Err(Error::Graph { op, .. }) => assert_eq!(op, "floor_divide"),
        other => panic!("{other:?}"),
    }
}
