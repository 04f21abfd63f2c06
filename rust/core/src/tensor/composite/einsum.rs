//! Sums of products named by letters: `bij,bjk->bik`; `...` stands for axes without a letter.
//!
//! Operands meet from left to right. Letters that later operands and the result do not need are summed as soon as two
//! operands have met; what is left of each pair is one batched product of matrices.

use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ir::node::Edge;
use crate::ir::op::ReduceOp;
use crate::shape::Shape;
use crate::tensor::face::face;
use std::collections::BTreeMap;

/// Stands for `...` while an equation is read.
const OPEN: char = '…';

/// Axes under `...` are called by characters from here on, which no equation can name.
const FIRST_OPEN: u32 = 0xE000;

/// An operand and the letter of each of its axes, all different.
struct Term {
    x: Edge,
    labels: Vec<char>,
}

/// The sum of products that an equation names.
pub(crate) fn einsum(equation: &str, operands: &[Edge]) -> Result<Edge> {
    let (inputs, output) = parse(equation, operands)?;
    let mut dtype = operands[0].dtype();
    for x in operands {
        dtype = DType::promote("einsum", dtype, x.dtype())?;
    }
    let sizes = sizes(&inputs, operands)?;
    let mut terms = Vec::with_capacity(operands.len());
    for (labels, x) in inputs.into_iter().zip(operands) {
        terms.push(diagonal(Term { x: face().cast(x, dtype)?, labels }, &sizes)?);
    }
    let mut rest = terms.into_iter();
    let Some(mut so_far) = rest.next() else { return Err(Error::value("einsum", "at least one operand", "none")) };
    while let Some(next) = rest.next() {
        let later = |c: char| output.contains(&c) || rest.as_slice().iter().any(|term| term.labels.contains(&c));
        let left = keep(so_far, |c| next.labels.contains(&c) || later(c))?;
        let right = keep(next, |c| left.labels.contains(&c) || later(c))?;
        so_far = meet(&left, &right, later)?;
    }
    let summed = keep(so_far, |c| output.contains(&c))?;
    arrange(&summed, &output)
}

/// The letters of each operand, and those of the result. Axes under `...` get letters of their own, counted from the
/// right, so that they broadcast.
fn parse(equation: &str, operands: &[Edge]) -> Result<(Vec<Vec<char>>, Vec<char>)> {
    let wrong = |rule: &str| Err(Error::value("einsum", rule, format!("{equation:?} for {} operands", operands.len())));
    let text: String = equation.chars().filter(|c| !c.is_whitespace()).collect::<String>().replace("...", "…");
    let (left, right) = match text.split_once("->") {
        Some((left, right)) => (left, Some(right)),
        None => (text.as_str(), None),
    };
    let groups: Vec<Vec<char>> = left.split(',').map(|part| part.chars().collect()).collect();
    let right: Option<Vec<char>> = right.map(|text| text.chars().collect());
    let all = || groups.iter().chain(&right);
    if all().flatten().any(|c| !c.is_ascii_alphabetic() && *c != OPEN)
        || all().any(|group| group.iter().filter(|c| **c == OPEN).count() > 1)
    {
        return wrong("letters for axes, one ... at most in each group, commas between operands and at most one ->");
    }
    if groups.len() != operands.len() {
        return wrong("one group of letters for each operand");
    }
    let mut open = vec![];
    for (group, x) in groups.iter().zip(operands) {
        let (named, rank) = (group.iter().filter(|c| **c != OPEN).count(), x.shape().len());
        if named > rank || (named < rank && !group.contains(&OPEN)) {
            let got = format!("{:?} for a tensor of shape {}", group.iter().collect::<String>(), x.shape());
            return Err(Error::shape("einsum", "one letter for each axis, or ... for several", got));
        }
        open.push(rank - named);
    }
    let most = open.iter().copied().max().unwrap_or(0);
    let spread = |group: &[char], axes: usize| -> Vec<char> {
        let places = || (most - axes..most).filter_map(|place| char::from_u32(FIRST_OPEN + place as u32));
        group.iter().flat_map(|&c| if c == OPEN { places().collect() } else { vec![c] }).collect()
    };
    let inputs: Vec<Vec<char>> = groups.iter().zip(&open).map(|(group, &axes)| spread(group, axes)).collect();
    let count = |c: char| inputs.iter().flatten().filter(|&&other| other == c).count();
    let output: Vec<char> = if let Some(right) = &right {
        spread(right, most)
    } else {
        let mut once: Vec<char> = groups.iter().flatten().copied().filter(|&c| c != OPEN && count(c) == 1).collect();
        once.sort_unstable();
        [spread(&[OPEN], most), once].concat()
    };
    let fits = output.iter().enumerate().all(|(i, &c)| count(c) > 0 && !output[..i].contains(&c));
    if fits { Ok((inputs, output)) } else { wrong("after -> different letters that operands have") }
}

/// The size of each letter; an axis of size 1 is repeated.
fn sizes(inputs: &[Vec<char>], operands: &[Edge]) -> Result<BTreeMap<char, usize>> {
    let mut sizes: BTreeMap<char, usize> = BTreeMap::new();
    for (labels, x) in inputs.iter().zip(operands) {
        for (&c, &size) in labels.iter().zip(x.shape().iter()) {
            let known = sizes.entry(c).or_insert(size);
            if *known == 1 {
                *known = size;
            } else if size != 1 && size != *known {
                let rule = format!("one size for all axes named {c}");
                return Err(Error::shape("einsum", rule, format!("{known} and {size}")));
            }
        }
    }
    Ok(sizes)
}

/// Axes of one letter become one axis, its diagonal; all axes get their letter's size.
fn diagonal(term: Term, sizes: &BTreeMap<char, usize>) -> Result<Term> {
    let b = face();
    let Term { x, mut labels } = term;
    let full: Shape = labels.iter().map(|c| sizes[c]).collect();
    let mut x = b.expand(&x, &full)?;
    while let Some((i, j)) = twice(&labels) {
        let rank = labels.len();
        let perm: Vec<usize> = (0..rank).filter(|a| ![i, j].contains(a)).chain([i, j]).collect();
        x = b.permute(&x, &perm)?;
        let size = sizes[&labels[i]];
        let mut shape = x.shape()[..rank - 2].to_vec();
        shape.push(size * size);
        x = b.reshape(&x, &shape.as_slice().into())?;
        let (mut taken, mut steps) = (shape, vec![1; rank - 1]);
        taken[rank - 2] = size;
        steps[rank - 2] = size as isize + 1;
        x = b.slice(&x, vec![0; rank - 1], taken, steps)?;
        labels = perm[..rank - 1].iter().map(|&axis| labels[axis]).collect();
    }
    Ok(Term { x, labels })
}

fn twice(labels: &[char]) -> Option<(usize, usize)> {
    (0..labels.len()).find_map(|i| (i + 1..labels.len()).find(|&j| labels[i] == labels[j]).map(|j| (i, j)))
}

/// Sum the axes whose letters nobody needs.
fn keep(term: Term, needed: impl Fn(char) -> bool) -> Result<Term> {
    let gone: Vec<usize> = (0..term.labels.len()).filter(|&axis| !needed(term.labels[axis])).collect();
    let x = face().reduce(ReduceOp::Sum, &term.x, &gone)?;
    Ok(Term { x, labels: term.labels.into_iter().filter(|&c| needed(c)).collect() })
}

/// The axes in the order of `labels`.
fn arrange(term: &Term, labels: &[char]) -> Result<Edge> {
    let perm: Vec<usize> = labels.iter().filter_map(|c| term.labels.iter().position(|l| l == c)).collect();
    face().permute(&term.x, &perm)
}

/// Multiply two operands; letters that both have and nobody needs later are summed.
fn meet(left: &Term, right: &Term, later: impl Fn(char) -> bool) -> Result<Term> {
    let b = face();
    let both = |c: &char| left.labels.contains(c) && right.labels.contains(c);
    let pick = |term: &Term, wanted: &dyn Fn(&char) -> bool| -> Vec<char> {
        term.labels.iter().copied().filter(|c| wanted(c)).collect()
    };
    let batch = pick(left, &|c| both(c) && later(*c));
    let inner = pick(left, &|c| both(c) && !later(*c));
    let rows = pick(left, &|c| !both(c));
    let columns = pick(right, &|c| !both(c));
    let lhs = arrange(left, &[&batch[..], &rows, &inner].concat())?;
    let rhs = arrange(right, &[&batch[..], &inner, &columns].concat())?;
    let labels = [&batch[..], &rows, &columns].concat();
    let (n, r, i) = (batch.len(), rows.len(), inner.len());
    let (head, down) = (&lhs.shape()[..n], &lhs.shape()[n..n + r]);
    let right_sizes = &rhs.shape()[n + i..];
    let whole: Shape = head.iter().chain(down).chain(right_sizes).copied().collect();
    let numel = |sizes: &[usize]| sizes.iter().product::<usize>();
    let (depth, height, width) = (numel(&lhs.shape()[n + r..]), numel(down), numel(right_sizes));
    let flat = numel(head);
    let product = if inner.is_empty() {
        let cube: Shape = [flat, height, width].into();
        let lhs = b.expand(&b.reshape(&lhs, &[flat, height, 1].into())?, &cube)?;
        b.mul(&lhs, &b.expand(&b.reshape(&rhs, &[flat, 1, width].into())?, &cube)?)?
    } else {
        b.matmul(&b.reshape(&lhs, &[flat, height, depth].into())?, &b.reshape(&rhs, &[flat, depth, width].into())?)?
    };
    Ok(Term { x: b.reshape(&product, &whole)?, labels })
}
