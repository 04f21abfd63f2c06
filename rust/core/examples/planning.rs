//! How long a program takes from recording to plan: layers, their derivatives and updates, some 2,000 instructions.
//!
//! `cargo run --release -p trainsmith-core --example planning`

use std::time::Instant;
use trainsmith_core::buffer::Meta;
use trainsmith_core::dtype::{DType, Scalar};
use trainsmith_core::error::Result;
use trainsmith_core::ir::infer::infer;
use trainsmith_core::ir::{BinaryOp, CompareOp, Op, Program, ReduceOp, UnaryOp, ValueId, ViewOp};
use trainsmith_core::passes::fuse::{Caps, fuse};
use trainsmith_core::passes::memory::{self, Cell};
use trainsmith_core::passes::simplify::simplify;
use trainsmith_core::shape::Shape;

const LAYERS: usize = 26;

struct Maker(Program);

impl Maker {
    fn push(&mut self, op: Op, inputs: &[ValueId]) -> Result<ValueId> {
        let metas: Vec<Meta> = inputs.iter().map(|&input| self.0.metas[input].clone()).collect();
        let results = infer(&op, &metas)?;
        Ok(self.0.push(op, inputs.into(), &results, None))
    }

    fn number(&mut self, value: f64, like: ValueId) -> Result<ValueId> {
        let fill = Op::Fill { value: Scalar::Float(value), shape: Shape::scalar(), dtype: DType::F32 };
        let number = self.push(fill, &[])?;
        self.push(Op::View(ViewOp::Expand(self.0.metas[like].shape.clone())), &[number])
    }

    fn binary(&mut self, op: BinaryOp, a: ValueId, b: ValueId) -> Result<ValueId> {
        self.push(Op::Binary(op), &[a, b])
    }

    fn turned(&mut self, value: ValueId) -> Result<ValueId> {
        self.push(Op::View(ViewOp::Permute(vec![1, 0])), &[value])
    }

    /// `relu(x w + b) / sum(|.|)` per row; gives the mask and the result.
    fn layer(&mut self, x: ValueId, w: ValueId, b: ValueId) -> Result<(ValueId, ValueId)> {
        let product = self.push(Op::MatMul, &[x, w])?;
        let shape = self.0.metas[product].shape.clone();
        let bias = self.push(Op::View(ViewOp::Expand(shape.clone())), &[b])?;
        let sum = self.binary(BinaryOp::Add, product, bias)?;
        let zero = self.number(0.0, sum)?;
        let mask = self.push(Op::Compare(CompareOp::LessEqual), &[sum, zero])?;
        let h = self.push(Op::Select, &[mask, zero, sum])?;
        let total = self.push(Op::Reduce { op: ReduceOp::Sum, axes: vec![1] }, &[h])?;
        let total = self.push(Op::View(ViewOp::Reshape([shape[0], 1].into())), &[total])?;
        let total = self.push(Op::View(ViewOp::Expand(shape)), &[total])?;
        Ok((mask, self.binary(BinaryOp::Div, h, total)?))
    }

    fn mixed(&mut self, old: ValueId, new: ValueId, keep: f64) -> Result<ValueId> {
        let (a, b) = (self.number(keep, old)?, self.number(1.0 - keep, old)?);
        let (a, b) = (self.binary(BinaryOp::Mul, old, a)?, self.binary(BinaryOp::Mul, new, b)?);
        self.binary(BinaryOp::Add, a, b)
    }

    /// Adam with numbers for its constants: the new moments and the new parameter.
    fn update(&mut self, g: ValueId, [p, m, v]: [ValueId; 3]) -> Result<[ValueId; 3]> {
        let g = self.push(Op::CheckFinite { name: "gradient".into() }, &[g])?;
        let m = self.mixed(m, g, 0.9)?;
        let square = self.binary(BinaryOp::Mul, g, g)?;
        let v = self.mixed(v, square, 0.999)?;
        let root = self.push(Op::Unary(UnaryOp::Sqrt), &[v])?;
        let small = self.number(1e-8, root)?;
        let root = self.binary(BinaryOp::Add, root, small)?;
        let step = self.binary(BinaryOp::Div, m, root)?;
        let rate = self.number(-1e-3, step)?;
        let step = self.binary(BinaryOp::Mul, step, rate)?;
        Ok([self.binary(BinaryOp::Add, p, step)?, m, v])
    }
}

/// A step of a network whose layers are `width` wide, on `rows` rows.
fn step(rows: usize, width: usize) -> Result<(Program, Vec<Cell>)> {
    let (matrix, row) = (Meta::new([width, width], DType::F32), Meta::new([width], DType::F32));
    let parameters =
        (0..LAYERS).flat_map(|_| std::iter::repeat_n(matrix.clone(), 3).chain([row.clone(), row.clone(), row.clone()]));
    let inputs = std::iter::once(Meta::new([rows, width], DType::F32)).chain(parameters);
    let mut p = Maker(Program::with_inputs(inputs));
    let mut forward = vec![];
    let mut x = 0;
    for layer in 0..LAYERS {
        let (mask, y) = p.layer(x, 1 + 6 * layer, 4 + 6 * layer)?;
        forward.push((x, mask));
        x = y;
    }
    let (mut g, mut outputs, mut cells) = (x, vec![x], vec![]);
    for (layer, (x, mask)) in forward.into_iter().enumerate().rev() {
        let first = 1 + 6 * layer;
        let zero = p.number(0.0, g)?;
        let dz = p.push(Op::Select, &[mask, zero, g])?;
        let db = p.push(Op::Reduce { op: ReduceOp::Sum, axes: vec![0] }, &[dz])?;
        let turned = p.turned(x)?;
        let dw = p.push(Op::MatMul, &[turned, dz])?;
        let turned = p.turned(first)?;
        g = p.push(Op::MatMul, &[dz, turned])?;
        for (grad, first) in [(dw, first), (db, first + 3)] {
            let cell = [first, first + 1, first + 2];
            for (value, input) in p.update(grad, cell)?.into_iter().zip(cell) {
                cells.push(Cell { output: outputs.len(), input });
                outputs.push(value);
            }
        }
    }
    p.0.outputs = outputs;
    Ok((p.0, cells))
}

fn main() -> Result<()> {
    for (rows, width) in [(256, 128), (64, 96), (512, 64)] {
        let (program, cells) = step(rows, width)?;
        let start = Instant::now();
        let simple = simplify(&program);
        let (simplified, start) = (start.elapsed(), Instant::now());
        let fused = fuse(&simple, &cells, &Caps::default())?;
        let (joined, start) = (start.elapsed(), Instant::now());
        let plan = memory::plan(&fused, &cells);
        println!(
            "{} instructions, {} kernels: simplify {simplified:.1?}, fuse {joined:.1?}, memory {:.1?}, arena {} KB",
            program.instructions.len(),
            plan.steps.len(),
            start.elapsed(),
            plan.arena / 1024
        );
    }
    Ok(())
}
