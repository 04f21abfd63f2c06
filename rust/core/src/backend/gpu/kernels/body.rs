//! The values of a fused body as expressions: each is made once, where it is asked for.

use super::elementwise;
use crate::backend::gpu::shader::{Expr, Kind, Shader};
use crate::error::{Error, Result};
use crate::ir::op::Op;
use crate::ir::program::{Instruction, Program, ValueId};
use std::collections::HashMap;

/// Values that lines written so far hold; a clone serves an inner block.
#[derive(Clone)]
pub(in crate::backend::gpu) struct Values<'a> {
    body: &'a Program,
    known: HashMap<ValueId, Expr>,
}

/// Reads an element of an input, where the kernel has bound it.
pub(in crate::backend::gpu) type Load<'l> = dyn FnMut(&mut Shader, ValueId) -> Option<Expr> + 'l;

impl<'a> Values<'a> {
    /// No values yet.
    pub(in crate::backend::gpu) fn new(body: &'a Program) -> Self {
        Self { body, known: HashMap::new() }
    }

    /// The instruction that makes a value; inputs have none.
    pub(in crate::backend::gpu) fn maker(&self, value: ValueId) -> Option<&'a Instruction> {
        value.checked_sub(self.body.first_result()).and_then(|at| self.body.instructions.get(at))
    }

    /// Whether a value is there.
    pub(in crate::backend::gpu) fn has(&self, value: ValueId) -> bool {
        self.known.contains_key(&value)
    }

    /// Let a value be what a kernel made of it, rounded to its dtype.
    pub(in crate::backend::gpu) fn set(&mut self, shader: &mut Shader, value: ValueId, expr: &Expr) {
        let rounded = shader.keep(&elementwise::narrow(expr, self.body.metas[value].dtype));
        self.known.insert(value, rounded);
    }

    /// Let the result of the first instruction be this element.
    pub(in crate::backend::gpu) fn product(&mut self, shader: &mut Shader, element: &Expr) {
        self.set(shader, self.body.first_result(), element);
    }

    /// The expression of a value.
    pub(in crate::backend::gpu) fn get(
        &mut self,
        shader: &mut Shader,
        value: ValueId,
        load: &mut Load<'_>,
    ) -> Result<Expr> {
        if let Some(known) = self.known.get(&value) {
            return Ok(known.clone());
        }
        let unmade = |what: &str| Error::bug("fused", format!("value {value} is {what}"));
        let Some(maker) = self.maker(value) else {
            let element = load(shader, value).ok_or_else(|| unmade("an input that is not bound"))?;
            self.known.insert(value, element.clone());
            return Ok(element);
        };
        match &maker.op {
            Op::View(_) => {
                let same = self.get(shader, maker.inputs[0], load)?;
                self.known.insert(value, same);
            }
            Op::Fill { value: number, dtype, .. } => {
                let number = shader.scalar(*number, *dtype);
                self.set(shader, value, &number);
            }
            op if op.is_pointwise() => {
                let operands =
                    maker.inputs.iter().map(|&input| self.get(shader, input, load)).collect::<Result<Vec<_>>>()?;
                let result = elementwise::pointwise(op, &operands)?;
                self.set(shader, value, &alone(result));
            }
            _ => return Err(unmade("a fold that is read before it is made")),
        }
        self.known.get(&value).cloned().ok_or_else(|| unmade("lost"))
    }
}

/// A number that compilers cannot see through: else some simplify `(a - b) + b`, and round as no step alone does.
fn alone(x: Expr) -> Expr {
    if x.kind == Kind::Float { Expr::new(x.kind, format!("opaque({})", x.text)) } else { x }
}
