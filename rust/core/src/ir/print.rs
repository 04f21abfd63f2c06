//! Programs as text, one line an instruction.

use crate::ir::op::Op;
use crate::ir::program::Program;
use std::fmt;

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = |i: usize| format!("%{i}: {}{}", self.metas[i].dtype, self.metas[i].shape);
        let inputs: Vec<String> = (0..self.inputs).map(typed).collect();
        writeln!(f, "program({}) {{", inputs.join(", "))?;
        for i in self.inputs..self.first_result() {
            writeln!(f, "  {} = constant", typed(i))?;
        }
        for instruction in &self.instructions {
            let results: Vec<String> = (0..instruction.results).map(|k| typed(instruction.first + k)).collect();
            let operands: Vec<String> = instruction.inputs.iter().map(|i| format!("%{i}")).collect();
            write!(f, "  {} = {}({})", results.join(", "), instruction.op.name(), operands.join(", "))?;
            match &instruction.op {
                Op::Leaf | Op::Select | Op::MatMul | Op::Unary(_) | Op::Binary(_) | Op::Compare(_) => {}
                Op::Scan(scan) => write!(f, " body {}", scan.body)?,
                Op::Fused(fused) => write!(f, " {:?} {}", fused.kind(), fused.body)?,
                op => write!(f, " {op:?}")?,
            }
            if let Some(origin) = &instruction.origin {
                write!(f, "  # {origin}")?;
            }
            writeln!(f)?;
        }
        let outputs: Vec<String> = self.outputs.iter().map(|i| format!("%{i}")).collect();
        writeln!(f, "  return {}", outputs.join(", "))?;
        write!(f, "}}")
    }
}
