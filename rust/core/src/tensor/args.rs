//! Arguments and attributes of a call by name: how the bindings reach every function without knowing any.

use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::shape::Shape;

/// A positional argument.
#[derive(Clone, Debug)]
pub enum Arg {
    /// A tensor.
    Edge(Edge),
    /// A Python number: weak, it takes the dtype of the tensors beside it.
    Scalar(Scalar),
    /// Left out.
    None,
}

/// The value of a keyword.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum Attr {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    Ints(Vec<i64>),
    DType(DType),
}

impl Attr {
    fn kind(&self) -> String {
        match self {
            Self::None => "None".into(),
            Self::Bool(v) => v.to_string(),
            Self::Int(v) => v.to_string(),
            Self::Float(v) => v.to_string(),
            Self::Str(v) => format!("{v:?}"),
            Self::Ints(v) => format!("{v:?}"),
            Self::DType(v) => v.to_string(),
        }
    }
}

/// A call by name.
#[derive(Debug)]
pub struct Call<'a> {
    /// Name of the function, for messages.
    pub name: &'a str,
    /// Positional arguments.
    pub args: &'a [Arg],
    /// Keywords.
    pub attrs: &'a [(String, Attr)],
}

impl Call<'_> {
    fn attr(&self, key: &str) -> &Attr {
        self.attrs.iter().find(|(k, _)| k == key).map_or(&Attr::None, |(_, v)| v)
    }

    fn wrong<T>(&self, key: &str, wanted: &str) -> Result<T> {
        Err(Error::value(self.name, format!("{key} to be {wanted}"), self.attr(key).kind()))
    }

    /// Tensor argument `i`.
    pub fn edge(&self, i: usize) -> Result<Edge> {
        match self.args.get(i) {
            Some(Arg::Edge(edge)) => Ok(edge.clone()),
            Some(Arg::Scalar(scalar)) => super::functions::creation::scalar(self.name, *scalar, None),
            Some(Arg::None) | None => {
                Err(Error::value(self.name, format!("a tensor as argument {}", i + 1), "none".to_owned()))
            }
        }
    }

    /// Tensor argument `i`, if there is one.
    pub fn maybe_edge(&self, i: usize) -> Result<Option<Edge>> {
        match self.args.get(i) {
            Some(Arg::None) | None => Ok(None),
            Some(Arg::Edge(_) | Arg::Scalar(_)) => self.edge(i).map(Some),
        }
    }

    /// All tensor arguments.
    pub fn edges(&self) -> Result<Vec<Edge>> {
        (0..self.args.len()).map(|i| self.edge(i)).collect()
    }

    /// A flag.
    pub fn flag(&self, key: &str, default: bool) -> Result<bool> {
        match self.attr(key) {
            Attr::None => Ok(default),
            Attr::Bool(v) => Ok(*v),
            _ => self.wrong(key, "True or False"),
        }
    }

    /// A real number.
    pub fn float(&self, key: &str, default: f64) -> Result<f64> {
        Ok(self.maybe_float(key)?.unwrap_or(default))
    }

    /// A real number, if given.
    pub fn maybe_float(&self, key: &str) -> Result<Option<f64>> {
        match self.attr(key) {
            Attr::None => Ok(None),
            Attr::Float(v) => Ok(Some(*v)),
            Attr::Int(v) => Ok(Some(*v as f64)),
            Attr::Bool(v) => Ok(Some(f64::from(u8::from(*v)))),
            _ => self.wrong(key, "a number"),
        }
    }

    /// An integer, if given.
    pub fn maybe_int(&self, key: &str) -> Result<Option<i64>> {
        match self.attr(key) {
            Attr::None => Ok(None),
            Attr::Int(v) => Ok(Some(*v)),
            _ => self.wrong(key, "an integer"),
        }
    }

    /// An integer.
    pub fn int(&self, key: &str, default: i64) -> Result<i64> {
        Ok(self.maybe_int(key)?.unwrap_or(default))
    }

    /// A name.
    pub fn text(&self, key: &str, default: &str) -> Result<String> {
        match self.attr(key) {
            Attr::None => Ok(default.to_owned()),
            Attr::Str(v) => Ok(v.clone()),
            _ => self.wrong(key, "a string"),
        }
    }

    /// A dtype, if given.
    pub fn maybe_dtype(&self, key: &str) -> Result<Option<DType>> {
        match self.attr(key) {
            Attr::None => Ok(None),
            Attr::DType(v) => Ok(Some(*v)),
            _ => self.wrong(key, "a dtype such as trainsmith.float32"),
        }
    }

    /// Integers, or one integer taken as a list, if given.
    pub fn maybe_ints(&self, key: &str) -> Result<Option<Vec<i64>>> {
        match self.attr(key) {
            Attr::None => Ok(None),
            Attr::Int(v) => Ok(Some(vec![*v])),
            Attr::Ints(v) => Ok(Some(v.clone())),
            _ => self.wrong(key, "an integer or a tuple of integers"),
        }
    }

    /// Integers that must be there.
    pub fn ints(&self, key: &str) -> Result<Vec<i64>> {
        match self.maybe_ints(key)? {
            Some(v) => Ok(v),
            None => self.wrong(key, "an integer or a tuple of integers"),
        }
    }

    /// Sizes of axes.
    pub fn shape(&self, key: &str) -> Result<Shape> {
        self.ints(key)?
            .into_iter()
            .map(|v| {
                usize::try_from(v)
                    .map_err(|_| Error::value(self.name, format!("{key} without negative sizes"), v.to_string()))
            })
            .collect()
    }

    /// One axis of a tensor with `rank` axes.
    pub fn axis(&self, key: &str, default: i64, rank: usize) -> Result<usize> {
        Shape::axis(self.name, self.int(key, default)?, rank)
    }

    /// Sorted axes of a tensor with `rank` axes; all of them where none is named.
    pub fn axes(&self, key: &str, rank: usize) -> Result<Vec<usize>> {
        match self.maybe_ints(key)? {
            None => Ok((0..rank).collect()),
            Some(axes) => Shape::axes(self.name, &axes, rank),
        }
    }
}
