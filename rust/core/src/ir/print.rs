//! Programs as text, one line an instruction; the programs that ops hold are indented.

use crate::ir::fused::FusedKind;
use crate::ir::op::Op;
use crate::ir::program::Program;
use std::fmt;

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(self, "program", "", f)
    }
}

fn print(program: &Program, title: &str, indent: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let typed = |i: usize| format!("%{i}: {}{}", program.metas[i].dtype, program.metas[i].shape);
    let inputs: Vec<String> = (0..program.inputs).map(typed).collect();
    writeln!(f, "{title}({}) {{", inputs.join(", "))?;
    for i in program.inputs..program.first_result() {
        writeln!(f, "{indent}  {} = constant", typed(i))?;
    }
    let inner = format!("{indent}  ");
    for instruction in &program.instructions {
        let results: Vec<String> = (0..instruction.results).map(|k| typed(instruction.first + k)).collect();
        let operands: Vec<String> = instruction.inputs.iter().map(|i| format!("%{i}")).collect();
        write!(f, "{inner}{} = {}({})", results.join(", "), instruction.op.name(), operands.join(", "))?;
        match &instruction.op {
            Op::Leaf | Op::Select | Op::MatMul | Op::Unary(_) | Op::Binary(_) | Op::Compare(_) => {}
            Op::Scan(scan) => {
                write!(f, " ")?;
                print(&scan.body, "body", &inner, f)?;
            }
            Op::Fused(fused) => {
                write!(f, " ")?;
                print(&fused.body, title_of(fused.kind()), &inner, f)?;
            }
            op => write!(f, " {op:?}")?,
        }
        if let Some(origin) = &instruction.origin {
            write!(f, "  # {origin}")?;
        }
        writeln!(f)?;
    }
    let outputs: Vec<String> = program.outputs.iter().map(|i| format!("%{i}")).collect();
    writeln!(f, "{inner}return {}", outputs.join(", "))?;
    write!(f, "{indent}}}")
}

fn title_of(kind: FusedKind) -> &'static str {
    match kind {
        FusedKind::Group => "group",
        FusedKind::Product => "product",
    }
}
