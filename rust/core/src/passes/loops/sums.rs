//! Carries that only add up: each turn's terms are stacked, and added by one product or fold over all turns.

use crate::error::Result;
use crate::ir::op::{BinaryOp, Op, ReduceOp, ScanOp, ViewOp};
use crate::ir::program::{Instruction, Program, ValueId};
use crate::passes::rewrite::{Copy, Results, each, makers, remake, uses};
use smallvec::{SmallVec, smallvec};

/// Take sums out of loops.
pub(super) fn sums(program: &Program) -> Result<Program> {
    let outer = makers(program);
    each(program, |copy, at, scan| {
        let mut sums = Sums::new(scan);
        let found: Vec<Option<Total>> = (0..scan.carries).map(|carry| sums.carry(carry)).collect();
        if found.iter().all(Option::is_none) {
            return Ok(None);
        }
        let starts = &program.instructions[at].inputs[scan.consts..][..scan.carries];
        let from_zero: Vec<bool> = starts.iter().map(|&start| is_zero(program, &outer, start)).collect();
        sums.apply(copy, at, &found, &from_zero)
    })
}

/// Whether a value is zero everywhere.
fn is_zero(program: &Program, makers: &[Option<usize>], mut value: ValueId) -> bool {
    while let Some(maker) = makers[value].map(|at| &program.instructions[at]) {
        match maker.op {
            Op::Fill { value, .. } => return value.as_f64() == 0.0,
            Op::View(_) => value = maker.inputs[0],
            _ => return false,
        }
    }
    false
}

/// A value of the body, for all turns: a scanned input of the loop, or one of its stacked outputs.
#[derive(Clone, Copy)]
enum Stack {
    Scanned(usize),
    Output(usize),
}

/// The sum of a value over all turns.
enum Total {
    /// Products of matrices, of which the left one is stacked as its transpose if `turned`.
    Product { left: Stack, turned: bool, right: Stack },
    /// Sums over axes of one turn's value.
    Fold { of: Stack, axes: Vec<usize> },
    /// The same elements under another shape.
    View(ViewOp, Box<Total>),
    /// Two sums.
    Both(Box<Total>, Box<Total>),
}

struct Sums<'a> {
    scan: &'a ScanOp,
    body: &'a Program,
    makers: Vec<Option<usize>>,
    uses: Vec<usize>,
    /// The body's outputs, and what has to be stacked besides.
    outputs: Vec<ValueId>,
}

impl<'a> Sums<'a> {
    fn new(scan: &'a ScanOp) -> Self {
        let body = &*scan.body;
        Self { scan, body, makers: makers(body), uses: uses(body), outputs: body.outputs.clone() }
    }

    /// What the turns add to a carry, if that is all they do with it.
    fn carry(&mut self, carry: usize) -> Option<Total> {
        let (start, end) = (self.scan.consts + carry, self.body.outputs[carry]);
        let float = self.body.metas[start].dtype.is_float();
        let terms = if float { self.terms(start, end)? } else { return None };
        let stacked = self.outputs.len();
        let totals: Option<Vec<Total>> = terms.into_iter().map(|term| self.total(term)).collect();
        if totals.is_none() {
            self.outputs.truncate(stacked);
        }
        totals?.into_iter().reduce(|a, b| Total::Both(Box::new(a), Box::new(b)))
    }

    /// The terms of `end = start + term + ...`, where nothing else reads the sums on the way.
    fn terms(&self, start: ValueId, end: ValueId) -> Option<Vec<ValueId>> {
        let (mut terms, mut sum) = (vec![], end);
        while sum != start {
            let maker = self.maker(sum).filter(|_| self.uses[sum] == 1)?;
            let Op::Binary(BinaryOp::Add) = maker.op else { return None };
            let (a, b) = (maker.inputs[0], maker.inputs[1]);
            let (on, term) = if self.leads_to(a, start) { (a, b) } else { (b, a) };
            terms.push(term);
            sum = on;
        }
        (self.uses[start] == 1 && !terms.is_empty()).then_some(terms)
    }

    /// Whether `start` is one of the terms of a sum.
    fn leads_to(&self, sum: ValueId, start: ValueId) -> bool {
        let maker = self.maker(sum).filter(|maker| maker.op == Op::Binary(BinaryOp::Add) && self.uses[sum] == 1);
        sum == start || maker.is_some_and(|maker| maker.inputs.iter().any(|&input| self.leads_to(input, start)))
    }

    fn maker(&self, value: ValueId) -> Option<&'a Instruction> {
        self.makers[value].map(|at| &self.body.instructions[at])
    }

    fn total(&mut self, value: ValueId) -> Option<Total> {
        let maker = self.maker(value)?;
        match &maker.op {
            Op::MatMul if self.body.metas[value].shape.len() == 2 => {
                let (a, b) = (maker.inputs[0], maker.inputs[1]);
                let turned = self.maker(a).filter(|maker| maker.op == Op::View(ViewOp::Permute(vec![1, 0])));
                let (left, right) = (turned.map_or(a, |turn| turn.inputs[0]), b);
                Some(Total::Product { left: self.stack(left)?, turned: turned.is_some(), right: self.stack(right)? })
            }
            Op::Reduce { op: ReduceOp::Sum, axes } => {
                Some(Total::Fold { of: self.stack(maker.inputs[0])?, axes: axes.clone() })
            }
            Op::View(view @ (ViewOp::Reshape(_) | ViewOp::Permute(_))) => {
                Some(Total::View(view.clone(), Box::new(self.total(maker.inputs[0])?)))
            }
            Op::Binary(BinaryOp::Add) => {
                let (a, b) = (self.total(maker.inputs[0])?, self.total(maker.inputs[1])?);
                Some(Total::Both(Box::new(a), Box::new(b)))
            }
            _ => None,
        }
    }

    /// Where a value lies for all turns; what no output holds yet becomes one. A constant is not worth to be repeated.
    fn stack(&mut self, value: ValueId) -> Option<Stack> {
        let fixed = self.scan.consts + self.scan.carries;
        if value < self.scan.consts {
            return None;
        }
        if (fixed..self.body.inputs).contains(&value) {
            return Some(Stack::Scanned(value));
        }
        let known = (self.scan.carries..self.outputs.len()).find(|&place| self.outputs[place] == value);
        Some(Stack::Output(known.unwrap_or_else(|| {
            self.outputs.push(value);
            self.outputs.len() - 1
        })))
    }

    /// The loop without the carries that were found, and their sums behind it.
    ///
    /// `from_zero`: carries that start as zeros.
    fn apply(
        &self,
        copy: &mut Copy<'_>,
        at: usize,
        found: &[Option<Total>],
        from_zero: &[bool],
    ) -> Result<Option<Results>> {
        let (scan, body) = (self.scan, self.body);
        let gone =
            |input: usize| input.checked_sub(scan.consts).and_then(|c| found.get(c)).is_some_and(Option::is_some);
        let given = copy.inputs(at)?;
        let left: Vec<usize> = (0..body.inputs).filter(|&input| !gone(input)).collect();
        let mut known = vec![None; body.metas.len()];
        left.iter().enumerate().for_each(|(place, &input)| known[input] = Some(place));
        let kept: Vec<usize> = (0..self.outputs.len()).filter(|&o| found.get(o).is_none_or(Option::is_none)).collect();
        let outputs: Vec<ValueId> = kept.iter().map(|&o| self.outputs[o]).collect();
        let metas = left.iter().map(|&input| body.metas[input].clone()).collect();
        let carries = scan.carries - (body.inputs - left.len());
        let op = ScanOp { body: remake(body, metas, known, &outputs)?, carries, ..scan.clone() };
        let first = copy.push(Op::Scan(op), left.iter().map(|&input| given[input]).collect(), at)?;
        let place = |output: usize| kept.iter().position(|&o| o == output).map(|place| first + place);
        let stack = |stack: Stack| match stack {
            Stack::Scanned(input) => Some(given[input]),
            Stack::Output(output) => place(output),
        };
        let mut results = Results::new();
        for output in 0..body.outputs.len() {
            results.push(match found.get(output).and_then(Option::as_ref) {
                None => place(output),
                Some(total) => {
                    let total = emit(copy, at, total, &stack)?;
                    let start = given[scan.consts + output];
                    let mut add = |total| copy.push(Op::Binary(BinaryOp::Add), smallvec![start, total], at);
                    if from_zero[output] { total } else { total.map(&mut add).transpose()? }
                }
            });
        }
        Ok(Some(results))
    }
}

/// The ops that add up all turns.
fn emit(
    copy: &mut Copy<'_>,
    at: usize,
    total: &Total,
    stack: &impl Fn(Stack) -> Option<ValueId>,
) -> Result<Option<ValueId>> {
    let (op, inputs): (Op, SmallVec<[ValueId; 2]>) = match total {
        Total::Product { left, turned, right } => {
            let (Some(left), Some(right)) = (stack(*left), stack(*right)) else { return Ok(None) };
            let left = if *turned {
                let long = long(copy, at, left)?;
                copy.push(Op::View(ViewOp::Permute(vec![1, 0])), smallvec![long], at)?
            } else {
                let shape = copy.meta(left).shape.clone();
                let rows = copy.push(Op::View(ViewOp::Permute(vec![1, 0, 2])), smallvec![left], at)?;
                let wide = ViewOp::Reshape([shape[1], shape[0] * shape[2]].into());
                copy.push(Op::View(wide), smallvec![rows], at)?
            };
            (Op::MatMul, smallvec![left, long(copy, at, right)?])
        }
        Total::Fold { of, axes } => {
            let Some(of) = stack(*of) else { return Ok(None) };
            let axes = std::iter::once(0).chain(axes.iter().map(|axis| axis + 1)).collect();
            (Op::Reduce { op: ReduceOp::Sum, axes }, smallvec![of])
        }
        Total::View(view, of) => {
            let Some(of) = emit(copy, at, of, stack)? else { return Ok(None) };
            (Op::View(view.clone()), smallvec![of])
        }
        Total::Both(a, b) => {
            let (Some(a), Some(b)) = (emit(copy, at, a, stack)?, emit(copy, at, b, stack)?) else { return Ok(None) };
            (Op::Binary(BinaryOp::Add), smallvec![a, b])
        }
    };
    copy.push(op, inputs, at).map(Some)
}

/// The matrices of all turns, one below the other.
fn long(copy: &mut Copy<'_>, at: usize, stack: ValueId) -> Result<ValueId> {
    let shape = copy.meta(stack).shape.clone();
    copy.push(Op::View(ViewOp::Reshape([shape[0] * shape[1], shape[2]].into())), smallvec![stack], at)
}
