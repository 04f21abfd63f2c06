//! Running a plan: every value is found by its place, and outputs are written into buffers that nobody else holds.

use super::arena::regions;
use super::kernel::{Dst, Src, run as run_kernel};
use super::{copy, source};
use crate::backend::{Workspace, locate};
use crate::buffer::{Buffer, HostStorage, Meta, Storage, Value, zeroed};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::ir::plan::{Exit, Located, Place, Plan, Step};
use crate::layout::Layout;
use smallvec::SmallVec;
use std::ops::Range;
use std::sync::Arc;

/// Run a plan; nothing outside the workspace and the returned outputs is written.
pub(super) fn run(plan: &Plan, workspace: &mut Workspace, inputs: &[Value]) -> Result<Vec<Value>> {
    if !inputs.iter().map(Value::meta).eq(plan.inputs.iter().cloned()) {
        let got: Vec<Meta> = inputs.iter().map(Value::meta).collect();
        return Err(Error::bug("run_plan", format!("inputs {:?}, got {got:?}", plan.inputs)));
    }
    let inputs = dense(inputs, &mut workspace.fresh)?;
    let constants = dense(&plan.constants, &mut workspace.fresh)?;
    if workspace.arena.as_ref().is_none_or(|arena| arena.len() < plan.arena) {
        workspace.arena = Some(zeroed(plan.arena));
    }
    let mut buffers = claim(plan, workspace);
    let mut frame = Frame {
        inputs: &inputs,
        constants: &constants,
        arena: workspace.arena.as_deref_mut().unwrap_or_default(),
        buffers: &mut buffers,
    };
    let done =
        plan.steps.iter().try_for_each(|step| frame.step(step).map_err(|error| locate(error, step.origin.as_deref())));
    let results = done.and_then(|()| frame.leave(plan));
    keep(buffers, workspace);
    results
}

/// Values with their elements row-major without gaps; what is not so already is copied, and counted.
fn dense(values: &[Value], fresh: &mut u64) -> Result<Vec<Value>> {
    values
        .iter()
        .map(|value| {
            if value.layout.is_contiguous() {
                return Ok(value.clone());
            }
            *fresh += 1;
            Ok(Value::from_host(copy::row_major(&source("run_plan", value)?)?, &value.meta(), Device::Cpu))
        })
        .collect()
}

/// A sole-owned buffer for every written output: a spare one, or a fresh one, which is counted.
///
/// The workspace keeps two spares for each exit (`i`, and `i` + number of exits): while a variable holds the result of
/// the last call, the one before is free.
fn claim(plan: &Plan, workspace: &mut Workspace) -> Vec<Option<Buffer>> {
    let count = plan.exits.len();
    workspace.spares.resize(2 * count, None);
    let mut buffers = Vec::with_capacity(count);
    for (i, exit) in plan.exits.iter().enumerate() {
        let Exit::Written(meta) = exit else {
            buffers.push(None);
            continue;
        };
        let free = [i, i + count].into_iter().find(|&place| is_free(&mut workspace.spares[place], meta.bytes()));
        buffers.push(free.and_then(|place| workspace.spares[place].take()).or_else(|| {
            workspace.fresh += 1;
            Some(Arc::new(HostStorage::zeroed(meta.bytes(), Device::Cpu)))
        }));
    }
    buffers
}

fn is_free(spare: &mut Option<Buffer>, bytes: usize) -> bool {
    spare.as_mut().and_then(Arc::get_mut).is_some_and(|storage| storage.len() == bytes && storage.host_mut().is_some())
}

/// Keep a handle on every buffer for a later call, in place of the older spare.
fn keep(buffers: Vec<Option<Buffer>>, workspace: &mut Workspace) {
    let count = buffers.len();
    for (i, buffer) in buffers.into_iter().enumerate().filter(|(_, buffer)| buffer.is_some()) {
        let place = if workspace.spares[i].is_none() { i } else { i + count };
        if workspace.spares[place].is_some() {
            workspace.spares.swap(i, i + count);
        }
        workspace.spares[place] = buffer;
    }
}

/// What a call's steps read and write.
struct Frame<'a> {
    inputs: &'a [Value],
    constants: &'a [Value],
    arena: &'a mut [u8],
    buffers: &'a mut [Option<Buffer>],
}

impl Frame<'_> {
    fn step(&mut self, step: &Step) -> Result<()> {
        let writes: SmallVec<[Range<usize>; 1]> = step.outputs.iter().filter_map(arena_range).collect();
        let reads: SmallVec<[Range<usize>; 2]> = step.inputs.iter().filter_map(arena_range).collect();
        let (exclusive, shared) = regions(self.arena, &writes, &reads)?;
        let mut written: SmallVec<[(usize, Option<Buffer>); 1]> = step
            .outputs
            .iter()
            .filter_map(|output| match output.place {
                Place::Output(i) => Some((i, self.buffers[i].take())),
                Place::Input(_) | Place::Constant(_) | Place::Arena(_) => None,
            })
            .collect();
        let mut shared = shared.into_iter();
        let sources = step
            .inputs
            .iter()
            .map(|input| {
                let bytes = match input.place {
                    Place::Input(i) => tail(&self.inputs[i])?,
                    Place::Constant(i) => tail(&self.constants[i])?,
                    Place::Arena(_) => shared.next().ok_or_else(|| homeless(input))?,
                    Place::Output(i) => {
                        self.buffers[i].as_ref().and_then(|buffer| buffer.host()).ok_or_else(|| homeless(input))?
                    }
                };
                Ok(Src { bytes, layout: &input.layout, dtype: input.meta.dtype })
            })
            .collect::<Result<SmallVec<[Src<'_>; 4]>>>();
        let done = sources.and_then(|sources| {
            let (mut exclusive, mut buffers) = (exclusive.into_iter(), written.iter_mut());
            let mut targets = step
                .outputs
                .iter()
                .map(|output| {
                    let bytes = match output.place {
                        Place::Arena(_) => exclusive.next(),
                        Place::Output(_) => buffers.next().and_then(|(_, buffer)| host_mut(buffer)),
                        Place::Input(_) | Place::Constant(_) => None,
                    };
                    Ok(Dst { bytes: bytes.ok_or_else(|| homeless(output))?, meta: &output.meta })
                })
                .collect::<Result<SmallVec<[Dst<'_>; 1]>>>()?;
            run_kernel(&step.op, &sources, &mut targets)
        });
        for (i, buffer) in written {
            self.buffers[i] = buffer;
        }
        done
    }

    /// The values that leave the plan.
    fn leave(&self, plan: &Plan) -> Result<Vec<Value>> {
        let mut values: Vec<Value> = Vec::with_capacity(plan.exits.len());
        for (i, exit) in plan.exits.iter().enumerate() {
            values.push(match exit {
                Exit::Written(meta) => Value {
                    buffer: self.buffers[i].clone().ok_or_else(|| Error::bug("run_plan", "an output has no buffer"))?,
                    layout: Layout::contiguous(meta.shape.clone()),
                    dtype: meta.dtype,
                },
                Exit::Alias(located) => self.alias(located)?,
                Exit::Shared { output, layout } => values[*output].with_layout(layout.clone()),
            });
        }
        Ok(values)
    }

    fn alias(&self, located: &Located) -> Result<Value> {
        let value = match located.place {
            Place::Input(i) => &self.inputs[i],
            Place::Constant(i) => &self.constants[i],
            Place::Arena(_) | Place::Output(_) => return Err(homeless(located)),
        };
        let layout = &located.layout;
        let offset = value.layout.offset() + layout.offset();
        Ok(value.with_layout(Layout::new(layout.shape().clone(), layout.strides().into(), offset)))
    }
}

/// The bytes of a dense value, from its first element.
fn tail(value: &Value) -> Result<&[u8]> {
    let start = value.layout.offset() * value.dtype.size();
    value
        .host("run_plan")?
        .get(start..)
        .ok_or_else(|| Error::bug("run_plan", format!("a value that starts at byte {start}")))
}

/// The bytes of the arena that a value's layout can reach.
fn arena_range(located: &Located) -> Option<Range<usize>> {
    let Place::Arena(start) = located.place else { return None };
    let elements = located.layout.span().map_or(0, |(_, last)| last + 1);
    Some(start..start + elements * located.meta.dtype.size())
}

fn host_mut(buffer: &mut Option<Buffer>) -> Option<&mut [u8]> {
    buffer.as_mut().and_then(Arc::get_mut).and_then(<dyn Storage>::host_mut)
}

fn homeless(located: &Located) -> Error {
    Error::bug("run_plan", format!("nothing lies at {:?}", located.place))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{elements, tensor};
    use super::*;
    use crate::backend::Backend;
    use crate::backend::cpu::CPU;
    use crate::dtype::DType;
    use crate::ir::op::{BinaryOp, Op, UnaryOp};
    use smallvec::smallvec;

    fn at(place: Place, shape: &[usize]) -> Located {
        let meta = Meta::new(shape, DType::F32);
        Located { place, layout: Layout::contiguous(meta.shape.clone()), meta }
    }

    fn step(op: Op, inputs: &[Located], output: Located) -> Step {
        Step { op, inputs: inputs.into(), outputs: smallvec![output], origin: Some("model.py:3".into()) }
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

    fn input() -> Value {
        tensor(&[1f32, 2.0, 3.0, 4.0], &[2, 2], DType::F32)
    }

    #[test]
    fn values_are_found_at_their_places() {
        let x = input();
        let results = CPU.run_plan(&plan(), &mut Workspace::default(), std::slice::from_ref(&x)).unwrap();
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
        let results = CPU.run_plan(&plan(), &mut workspace, &[turned]).unwrap();
        assert_eq!(elements::<f32>(&results[2]), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(workspace.fresh, 2);
        let long = tensor(&[9f32, 9.0, 1.0, 2.0, 3.0, 4.0], &[3, 2], DType::F32);
        let late = long.with_layout(long.layout.slice(&[1, 0], &[2, 2], &[1, 1]));
        drop(results);
        let results = CPU.run_plan(&plan(), &mut workspace, &[late]).unwrap();
        assert_eq!(elements::<f32>(&results[0]), [20.0, 50.0, 50.0, 80.0]);
        assert_eq!(elements::<f32>(&results[2]), [1.0, 3.0, 2.0, 4.0]);
        assert_eq!(workspace.fresh, 2);
    }

    #[test]
    fn a_value_in_use_is_never_written_again() {
        let (plan, mut workspace) = (plan(), Workspace::default());
        let kept = CPU.run_plan(&plan, &mut workspace, &[input()]).unwrap();
        let other = tensor(&[0f32; 4], &[2, 2], DType::F32);
        let second = CPU.run_plan(&plan, &mut workspace, std::slice::from_ref(&other)).unwrap();
        let third = CPU.run_plan(&plan, &mut workspace, &[other]).unwrap();
        assert_eq!(elements::<f32>(&kept[0]), [20.0, 50.0, 50.0, 80.0]);
        assert_eq!((elements::<f32>(&second[0]), elements::<f32>(&third[0])), (vec![0.0; 4], vec![0.0; 4]));
        assert_eq!(workspace.fresh, 3);
    }

    #[test]
    fn a_variable_that_each_call_replaces_needs_two_buffers() {
        let (plan, mut workspace) = (plan(), Workspace::default());
        let mut variable = input();
        for _ in 0..10 {
            variable = CPU.run_plan(&plan, &mut workspace, &[variable]).unwrap().swap_remove(0);
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
        let error = CPU.run_plan(&broken, &mut workspace, &[bad]).unwrap_err();
        assert!(error.to_string().contains("model.py:3"), "{error}");
        assert!(CPU.run_plan(&broken, &mut workspace, &[input()]).is_ok());
        assert_eq!(workspace.fresh, 1);
    }

    #[test]
    fn a_step_that_writes_what_it_reads_is_refused() {
        let mut broken = plan();
        let (h, across) = (at(Place::Arena(64), &[2, 2]), at(Place::Arena(72), &[2, 2]));
        broken.steps.push(step(Op::Unary(UnaryOp::Neg), &[h], across));
        let error = CPU.run_plan(&broken, &mut Workspace::default(), &[input()]).unwrap_err();
        assert!(matches!(error, Error::Bug { .. }));
    }

    #[test]
    fn inputs_must_be_those_of_the_plan() {
        assert!(CPU.run_plan(&plan(), &mut Workspace::default(), &[]).is_err());
    }
}
