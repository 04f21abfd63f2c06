//! The program of the units: one fused op for each group, everything else as it was.

use super::collapse::{Ranges, collapse, segments, sizes, spread};
use super::graph::{Graph, Pattern, Seen};
use super::group::Group;
use super::order::{is_outside, order};
use super::units::Units;
use super::{Caps, Groups, fuse};
use crate::buffer::Meta;
use crate::error::{Error, Result};
use crate::ir::fused::FusedOp;
use crate::ir::op::{Op, ScanOp, ViewOp};
use crate::ir::program::{Program, ValueId};
use crate::shape::Shape;
use smallvec::SmallVec;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Write the units in an order in which they can run.
pub(super) fn emit(graph: &Graph<'_>, units: &Units, groups: &Groups, caps: &Caps) -> Result<Program> {
    let program = graph.program;
    let order = order(graph, units, groups)?;
    let live = Live::of(graph, units, groups, &order);
    let out = Program {
        metas: program.metas[..program.first_result()].to_vec(),
        inputs: program.inputs,
        constants: program.constants.clone(),
        ..Program::default()
    };
    let mut renamed = vec![None; program.metas.len()];
    for (value, slot) in renamed.iter_mut().enumerate().take(program.first_result()) {
        *slot = Some(value);
    }
    let mut emitter = Emitter { graph, caps, out, renamed };
    for unit in order {
        match (groups.get(&unit), live.groups.get(&unit)) {
            (Some(group), Some(live)) => emitter.group(group, live)?,
            (Some(_), None) => {}
            (None, _) if live.runs(graph, unit) => emitter.plain(unit)?,
            (None, _) => {}
        }
    }
    let outputs = program.outputs.iter().map(|&output| emitter.now(output)).collect::<Result<_>>()?;
    Ok(Program { outputs, ..emitter.out })
}

/// What is needed, walking back from the outputs.
struct Live {
    needed: Vec<bool>,
    groups: HashMap<usize, LiveGroup>,
}

/// The part of a group that is needed.
struct LiveGroup {
    members: Vec<usize>,
    outputs: Vec<ValueId>,
}

impl Live {
    fn of(graph: &Graph<'_>, units: &Units, groups: &Groups, order: &[usize]) -> Self {
        let mut live = Self { needed: vec![false; graph.program.metas.len()], groups: HashMap::new() };
        for &output in &graph.program.outputs {
            live.needed[output] = true;
        }
        for &unit in order.iter().rev() {
            match groups.get(&unit) {
                Some(group) => live.group(graph, units, unit, group),
                None if live.runs(graph, unit) => {
                    for &input in &graph.program.instructions[unit].inputs {
                        live.needed[input] = true;
                    }
                }
                None => {}
            }
        }
        live
    }

    /// Whether an instruction of its own has to run: a check does for what it may say.
    fn runs(&self, graph: &Graph<'_>, at: usize) -> bool {
        let instruction = &graph.program.instructions[at];
        matches!(instruction.op, Op::CheckFinite { .. } | Op::CheckIndex { .. })
            || self.needed[instruction.first..instruction.first + instruction.results].contains(&true)
    }

    fn group(&mut self, graph: &Graph<'_>, units: &Units, unit: usize, group: &Group) {
        let own = units.members(unit).iter().map(|&at| graph.program.instructions[at].first);
        let outputs: Vec<ValueId> = own.filter(|&value| self.needed[value]).collect();
        if outputs.is_empty() {
            return;
        }
        let mut inside: HashSet<ValueId> = outputs.iter().copied().collect();
        let mut members: Vec<usize> = Vec::new();
        for &member in group.members.iter().rev() {
            if inside.contains(&graph.program.instructions[member].first) {
                members.push(member);
                for seen in group.operands(graph, member) {
                    inside.insert(seen.base);
                    self.needed[seen.base] |= is_outside(graph, group, seen.base);
                }
            }
        }
        for &input in group.product.iter().flat_map(|&at| &graph.program.instructions[at].inputs) {
            self.needed[input] = true;
        }
        members.reverse();
        self.groups.insert(unit, LiveGroup { members, outputs });
    }
}

struct Emitter<'g, 'a> {
    graph: &'g Graph<'a>,
    caps: &'g Caps,
    out: Program,
    renamed: Vec<Option<ValueId>>,
}

impl Emitter<'_, '_> {
    fn now(&self, value: ValueId) -> Result<ValueId> {
        self.renamed[value].ok_or_else(|| Error::bug("fuse", format!("value {value} is read before it is made")))
    }

    /// An instruction as it was; the body of a loop is fused for itself.
    fn plain(&mut self, at: usize) -> Result<()> {
        let program = self.graph.program;
        let instruction = &program.instructions[at];
        let inputs = instruction.inputs.iter().map(|&input| self.now(input)).collect::<Result<_>>()?;
        let op = match &instruction.op {
            Op::Scan(scan) => Op::Scan(ScanOp { body: Arc::new(fuse(&scan.body, &[], self.caps)?), ..scan.clone() }),
            op => op.clone(),
        };
        let range = instruction.first..instruction.first + instruction.results;
        let first = self.out.push(op, inputs, &program.metas[range.clone()], instruction.origin.clone());
        for (place, value) in range.enumerate() {
            self.renamed[value] = Some(first + place);
        }
        Ok(())
    }

    fn view(&mut self, value: ValueId, view: ViewOp, shape: Shape) -> ValueId {
        if self.out.metas[value].shape == shape {
            return value;
        }
        let meta = Meta::new(shape, self.out.metas[value].dtype);
        self.out.push(Op::View(view), SmallVec::from_elem(value, 1), &[meta], None)
    }

    fn reshape(&mut self, value: ValueId, shape: Shape) -> ValueId {
        self.view(value, ViewOp::Reshape(shape.clone()), shape)
    }

    /// An outside value with the axes of the body.
    fn given(&mut self, group: &Group, ranges: &Ranges, seen: &Seen) -> Result<ValueId> {
        let mut value = self.now(seen.base)?;
        let whole = spread(&group.space, &seen.pattern, ranges);
        if whole != seen.pattern {
            value = self.reshape(value, seen.pattern.as_slice().into());
            let shape: Shape = whole.as_slice().into();
            value = self.view(value, ViewOp::Expand(shape.clone()), shape);
        }
        Ok(self.reshape(value, sizes(&group.space, &seen.pattern, ranges)))
    }

    fn group(&mut self, group: &Group, live: &LiveGroup) -> Result<()> {
        let program = self.graph.program;
        let mut outside: Vec<Seen> = Vec::new();
        for &member in &live.members {
            for seen in group.operands(self.graph, member) {
                let known = |other: &Seen| other.base == seen.base && other.pattern == seen.pattern;
                if is_outside(self.graph, group, seen.base) && !outside.iter().any(known) {
                    outside.push(seen);
                }
            }
        }
        let product = group.product.map(|at| &program.instructions[at]);
        let ranges = match product {
            None => collapse(self.graph, group, &outside),
            Some(product) => segments(&group.space, self.graph.shape(product.first))
                .ok_or_else(|| Error::bug("fuse", "an epilogue over another space than its product's"))?,
        };
        let operands = product.map(|product| product.inputs.as_slice()).unwrap_or_default();
        let mut inputs: SmallVec<[ValueId; 2]> =
            operands.iter().map(|&operand| self.now(operand)).collect::<Result<_>>()?;
        for seen in &outside {
            let value = self.given(group, &ranges, seen)?;
            inputs.push(value);
        }
        let mut body = Body::new(self.graph, group, &ranges, inputs.iter().map(|&i| self.out.metas[i].clone()));
        for (place, seen) in outside.into_iter().enumerate() {
            body.known.insert((seen.base, seen.pattern), operands.len() + place);
        }
        if let Some(product) = product {
            let meta = program.metas[product.first].clone();
            let result = body.program.push(product.op.clone(), (0..operands.len()).collect(), &[meta], None);
            body.product = Some((product.first, result));
        }
        for &member in &live.members {
            body.member(member)?;
        }
        body.program.outputs = live.outputs.iter().map(|&output| body.result(output)).collect::<Result<_>>()?;
        let metas: Vec<Meta> = body.program.outputs.iter().map(|&o| body.program.metas[o].clone()).collect();
        let origin = live.members.iter().find_map(|&at| program.instructions[at].origin.clone());
        let op = Op::Fused(FusedOp::new(body.program)?);
        let first = self.out.push(op, inputs, &metas, origin);
        for (place, &output) in live.outputs.iter().enumerate() {
            let value = self.reshape(first + place, self.graph.shape(output).clone());
            self.renamed[output] = Some(value);
        }
        Ok(())
    }
}

/// A body in canonical form, as it grows.
struct Body<'g, 'a> {
    graph: &'g Graph<'a>,
    group: &'g Group,
    ranges: &'g Ranges,
    program: Program,
    /// Values of the program, as they lie in the space.
    known: HashMap<(ValueId, Pattern), ValueId>,
    /// Values of the body, spread to a shape.
    spread: HashMap<(ValueId, Shape), ValueId>,
    /// The product's result, and its number here.
    product: Option<(ValueId, ValueId)>,
}

impl<'g, 'a> Body<'g, 'a> {
    fn new(graph: &'g Graph<'a>, group: &'g Group, ranges: &'g Ranges, inputs: impl IntoIterator<Item = Meta>) -> Self {
        let (known, spread) = (HashMap::new(), HashMap::new());
        Self { graph, group, ranges, program: Program::with_inputs(inputs), known, spread, product: None }
    }

    fn push(&mut self, op: Op, inputs: &[ValueId], shape: Shape, like: ValueId) -> ValueId {
        let meta = Meta::new(shape, self.graph.program.metas[like].dtype);
        self.program.push(op, inputs.into(), &[meta], None)
    }

    fn sizes(&self, pattern: &[usize]) -> Shape {
        sizes(&self.group.space, pattern, self.ranges)
    }

    /// Number of a result that leaves the body.
    fn result(&self, value: ValueId) -> Result<ValueId> {
        if let Some((result, here)) = self.product
            && result == value
        {
            return Ok(here);
        }
        let known = self.group.pattern_of(value).and_then(|pattern| self.known.get(&(value, pattern.clone())));
        known.copied().ok_or_else(|| Error::bug("fuse", format!("value {value} is not made where it should be")))
    }

    /// An operand, spread to `shape`.
    fn operand(&mut self, seen: &Seen, shape: &Shape) -> Result<ValueId> {
        if let Some((result, here)) = self.product
            && self.graph.unshaped(seen.base) == result
        {
            return Ok(here);
        }
        let key = (seen.base, seen.pattern.clone());
        let value = match (self.known.get(&key), self.graph.op(seen.base)) {
            (None, Some(Op::Fill { value, dtype, .. })) => {
                let ones: Shape = self.ranges.iter().map(|_| 1).collect();
                let op = Op::Fill { value: *value, shape: ones.clone(), dtype: *dtype };
                let number = self.push(op, &[], ones, seen.base);
                self.known.insert(key, number);
                number
            }
            (known, _) => *known.ok_or_else(|| Error::bug("fuse", format!("value {} is not there", seen.base)))?,
        };
        if self.program.metas[value].shape == *shape {
            return Ok(value);
        }
        if let Some(&spread) = self.spread.get(&(value, shape.clone())) {
            return Ok(spread);
        }
        let spread = self.push(Op::View(ViewOp::Expand(shape.clone())), &[value], shape.clone(), seen.base);
        self.spread.insert((value, shape.clone()), spread);
        Ok(spread)
    }

    fn member(&mut self, at: usize) -> Result<()> {
        let instruction = &self.graph.program.instructions[at];
        let result = instruction.first;
        let pattern = self.group.pattern_of(result).cloned().unwrap_or_default();
        let shape = self.sizes(&pattern);
        let folded = matches!(instruction.op, Op::Reduce { .. });
        let read = if folded { self.sizes(&self.group.whole()) } else { shape.clone() };
        let operands = self.group.operands(self.graph, at);
        let inputs: SmallVec<[ValueId; 3]> =
            operands.iter().map(|seen| self.operand(seen, &read)).collect::<Result<_>>()?;
        let value = match &instruction.op {
            Op::Reduce { op, .. } => {
                let rank = self.ranges.len();
                let total = self.group.totals.contains_key(&result);
                let axes: Vec<usize> = if total { (0..rank - 1).collect() } else { vec![rank - 1] };
                let left = read.reduced(&axes, false);
                let fold = self.push(Op::Reduce { op: *op, axes }, &inputs, left, result);
                self.push(Op::View(ViewOp::Reshape(shape.clone())), &[fold], shape.clone(), result)
            }
            op => self.push(op.clone(), &inputs, shape.clone(), result),
        };
        self.known.insert((result, pattern), value);
        Ok(())
    }
}
