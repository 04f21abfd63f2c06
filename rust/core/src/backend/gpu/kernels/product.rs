//! Matrix products: tiles through workgroup memory, or a thread for each element where tiles would be mostly empty.

use super::elementwise;
use super::epilogue::Epilogue;
use super::tile::{self, MOST, Side, Sizes};
use crate::backend::gpu::choices::{Choices, Tile, Way};
use crate::backend::gpu::launch::{Launch, Lowered, Slot, View};
use crate::backend::gpu::shader::{Expr, Kind, Shader};
use crate::backend::gpu::space::Space;
use crate::dtype::Scalar;
use crate::error::Result;
use crate::ir::op::BinaryOp;

/// `[..., m, k] x [..., k, n]`.
pub(in crate::backend::gpu) fn matmul(
    a: &View,
    b: &View,
    epilogue: Epilogue<'_>,
    choices: &Choices,
) -> Result<Lowered> {
    let out = epilogue.shape();
    let last = out.len() - 1;
    let batch: usize = out[..last - 1].iter().product();
    let sizes = Sizes { rows: out[last - 1], columns: out[last], deep: a.shape()[last], batch };
    match choices.product([sizes.rows, sizes.columns, sizes.deep, batch]) {
        Way::Tiles(tile) if Kind::of(a.dtype) == Kind::Float && batch <= MOST => tiles((a, b), epilogue, tile, sizes),
        Way::Tiles(_) | Way::Elements => elements(a, b, epilogue).map(Lowered::from),
    }
}

/// Leading axes of the operands.
fn batches(a: &View, b: &View) -> Space {
    let lead = a.shape().len() - 2;
    let strides = [a, b].map(|view| &view.layout.strides()[..lead]);
    Space::new(&a.shape()[..lead], &strides)
}

/// A thread for each element.
fn elements(a: &View, b: &View, epilogue: Epilogue<'_>) -> Result<Launch> {
    let out = epilogue.shape();
    let last = out.len() - 1;
    let batches = batches(a, b);
    let mut shader = Shader::default();
    let (left, right) = (shader.operand(Slot::Input(0), a), shader.operand(Slot::Input(1), b));
    let leaving = epilogue.bind(&mut shader);
    let count = out.numel();
    let place = shader.each(count);
    let (m, n, k) = (shader.param(out[last - 1]), shader.param(out[last]), shader.param(a.shape()[last]));
    let column = shader.index(&format!("{place} % {n}"));
    let rest = shader.index(&format!("{place} / {n}"));
    let row = shader.index(&format!("{rest} % {m}"));
    let batch = shader.index(&format!("{rest} / {m}"));
    let lead = shader.coordinates(&out[..last - 1], &batch);
    let starts = shader.positions(&batches, &batch);
    let mut step = |view: &View, axis: usize| shader.word(view.layout.strides()[axis] as u32);
    let (a_row, a_step) = (step(a, last - 1), step(a, last));
    let (b_step, b_column) = (step(b, last - 1), step(b, last));
    let from_a = shader.index(&format!("{} + {row} * {a_row}", starts[0]));
    let from_b = shader.index(&format!("{} + {column} * {b_column}", starts[1]));
    let zero = shader.scalar(Scalar::Int(0), a.dtype);
    shader.line(format!("var total = {};", zero.text));
    shader.line(format!("for (var k = 0u; k < {k}; k++) {{"));
    let x = shader.load(&left, &format!("{from_a} + k * {a_step}"));
    let y = shader.load(&right, &format!("{from_b} + k * {b_step}"));
    let total = Expr::new(zero.kind, "total");
    let product = elementwise::binary(BinaryOp::Mul, &x, &y)?;
    let sum = elementwise::binary(BinaryOp::Add, &total, &product)?;
    shader.line(format!("total = {};", sum.text));
    shader.line("}");
    let at: Vec<String> = lead.into_iter().chain([row, column]).collect();
    leaving.store(&mut shader, &at, &total)?;
    Ok(shader.finish_each(count))
}

/// Through workgroup memory.
fn tiles((a, b): (&View, &View), epilogue: Epilogue<'_>, tile: Tile, sizes: Sizes) -> Result<Lowered> {
    let out = epilogue.shape();
    let last = out.len() - 1;
    let batches = batches(a, b);
    let mut shader = Shader::default();
    let (left, right) = (shader.operand(Slot::Input(0), a), shader.operand(Slot::Input(1), b));
    let parts = sizes.parts();
    let leaving = (parts == 1).then(|| epilogue.bind(&mut shader));
    let batch = tile::batch(&mut shader, sizes, parts);
    let starts = shader.positions(&batches, &batch);
    let mut step = |view: &View, axis: usize| shader.word(view.layout.strides()[axis] as u32);
    let (a_row, a_step) = (step(a, last - 1), step(a, last));
    let (b_step, b_column) = (step(b, last - 1), step(b, last));
    let runs_inner = |view: &View, inner: usize, outer: usize| {
        view.layout.strides()[inner].unsigned_abs() <= view.layout.strides()[outer].unsigned_abs()
    };
    let left = Side {
        runs_inner: runs_inner(a, last, last - 1),
        enter: &mut |shader, row| vec![shader.index(&format!("{} + {row} * {a_row}", starts[0]))],
        load: &mut |shader, row, deep| shader.load(&left, &format!("{} + {deep} * {a_step}", row[0])),
    };
    let right = Side {
        runs_inner: runs_inner(b, last - 1, last),
        enter: &mut |shader, column| vec![shader.index(&format!("{} + {column} * {b_column}", starts[1]))],
        load: &mut |shader, column, deep| shader.load(&right, &format!("{} + {deep} * {b_step}", column[0])),
    };
    let mut coordinates = |shader: &mut Shader, batch: &str, row: &str, column: &str| -> Vec<String> {
        let lead = shader.coordinates(&out[..last - 1], batch);
        lead.into_iter().chain([row.to_owned(), column.to_owned()]).collect()
    };
    tile::product(shader, tile, sizes, (left, right), (leaving, epilogue), &mut coordinates)
}

#[cfg(test)]
mod tests {
    use crate::backend::cpu::CPU;
    use crate::backend::gpu::choices::{Choices, Way};
    use crate::backend::gpu::{gpu, gpus, run};
    use crate::backend::{Backend, result_metas};
    use crate::buffer::{Meta, Value};
    use crate::dtype::DType;
    use crate::ir::op::{ConvOp, Op};

    /// The result of an op by each way, and by the CPU.
    fn all(op: &Op, shapes: [&[usize]; 2]) -> (Vec<Vec<f32>>, Vec<f32>) {
        let host = shapes.map(|shape| {
            let meta = Meta::new(shape.to_vec(), DType::F32);
            let numbers: Vec<f32> = (0..meta.shape.numel()).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect();
            (meta, numbers)
        });
        let card = gpu(0);
        let put = |place: &dyn Backend| {
            host.each_ref().map(|(meta, numbers)| place.upload(bytemuck::cast_slice(numbers), meta).unwrap())
        };
        let get = |place: &dyn Backend, value: &Value| -> Vec<f32> {
            bytemuck::cast_slice(&place.download(value).unwrap()).to_vec()
        };
        let (there, here) = (put(card), put(&CPU));
        let metas = result_metas(op, &there).unwrap();
        let by = |way| {
            let choices = Choices::shipped(true).with(way);
            get(card, &run::run_by(card, op, &there, &metas, &choices).unwrap()[0])
        };
        (Way::ALL.map(by).to_vec(), get(&CPU, &CPU.run_op(op, &here).unwrap()[0]))
    }

    fn check(op: &Op, shapes: [&[usize]; 2], terms: usize) {
        let (ways, expected) = all(op, shapes);
        for (way, got) in Way::ALL.iter().zip(&ways) {
            let off = got.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(got.len() == expected.len() && off < 1e-6 * terms as f32, "{way:?} {shapes:?}: off by {off}");
        }
        assert!(ways[1] == ways[2] && ways[2] == ways[3], "{shapes:?}: sizes of tiles differ");
    }

    #[test]
    fn every_way_gives_the_product() {
        if gpus().is_empty() {
            assert!(std::env::var("REQUIRE_GPU").is_err(), "REQUIRE_GPU is set, and there is no GPU with a driver");
            return;
        }
        // Edges of tiles, batches, and inner axes that are long enough for parts, also with a rest.
        for (m, k, n) in [(1, 1, 1), (33, 17, 65), (130, 40, 131), (8, 2048, 5), (70, 3333, 3)] {
            check(&Op::MatMul, [&[m, k], &[k, n]], k);
            check(&Op::MatMul, [&[3, m, k], &[3, k, n]], k);
        }
        let one = vec![1; 2];
        let conv = |low: isize| ConvOp {
            strides: one.clone(),
            low: vec![low; 2],
            high: vec![low; 2],
            input_dilation: one.clone(),
            kernel_dilation: one.clone(),
            groups: 1,
            batch_groups: 1,
        };
        check(&Op::Conv(conv(1)), [&[2, 3, 9, 7], &[5, 3, 3, 3]], 27);
        // A gradient of weights: one window of many places.
        check(&Op::Conv(conv(0)), [&[3, 40, 9, 9], &[4, 40, 8, 8]], 2560);
    }
}
