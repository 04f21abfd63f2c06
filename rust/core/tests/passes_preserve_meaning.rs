//! Random programs mean the same on every backend, after every pass, and as a plan.

mod common {
    pub(crate) mod draw;
    pub(crate) mod gpu;
    pub(crate) mod lies;
    pub(crate) mod programs;
    pub(crate) mod steps;
    pub(crate) mod structures;
    pub(crate) mod values;
}

use common::gpu::gpu;
use common::programs::{Known, build, build_for, inputs, inputs_for};
use common::values::numbers;
use proptest::prelude::*;
use trainsmith_core::backend::{self, Workspace, interpret};
use trainsmith_core::buffer::Value;
use trainsmith_core::device::Device;
use trainsmith_core::dtype::Scalar;
use trainsmith_core::ir::Program;
use trainsmith_core::ir::verify::verify;
use trainsmith_core::passes::fuse::{Caps, fuse};
use trainsmith_core::passes::loops::loops;
use trainsmith_core::passes::memory::{self, Cell};
use trainsmith_core::passes::simplify::simplify;

const DEVICES: [Device; 2] = [Device::Cpu, Device::Reference];

fn words() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(any::<u64>(), 1..24)
}

fn run(program: &Program, word: u64, device: Device) -> Vec<Value> {
    interpret(backend::of(device), program, &inputs(word, device))
        .unwrap_or_else(|error| panic!("{error} on {device}\n{program}"))
}

/// Each output as the new value of an input of its shape and dtype, while there are such.
fn cells(program: &Program) -> Vec<Cell> {
    let mut free: Vec<usize> = (0..program.inputs).collect();
    let cell = |(output, &value): (usize, &usize)| {
        let place = free.iter().position(|&input| program.metas[input] == program.metas[value])?;
        Some(Cell { output, input: free.remove(place) })
    };
    program.outputs.iter().enumerate().filter_map(cell).collect()
}

/// The plan, run twice on one workspace with other inputs between, so that nothing may survive from an earlier call.
fn run_plan(program: &Program, cells: &[Cell], word: u64, device: Device) -> Vec<Value> {
    let (plan, mut workspace) = (memory::plan_on(device, program, cells), Workspace::default());
    let mut call = |word| {
        let mut outputs = vec![];
        backend::of(device)
            .run_plan(&plan, &mut workspace, &mut inputs(word, device), &mut outputs)
            .unwrap_or_else(|error| panic!("{error} on {device}\n{program}"));
        outputs
    };
    call(word);
    call(word.wrapping_add(1000));
    call(word)
}

/// Every element within the error that is known for it; with none known, equal.
fn assert_near(got: &[Value], want: &[Value], known: &[Known], what: &str, program: &Program) {
    assert_eq!(got.len(), want.len());
    for (place, (got, want)) in got.iter().zip(want).enumerate() {
        assert_eq!(got.meta(), want.meta(), "output {place}, {what}\n{program}");
        let error = known.get(place).map_or(0.0, |known| known.error);
        for (a, b) in numbers(got).into_iter().zip(numbers(want)) {
            let near = match (a, b) {
                (Scalar::Float(a), Scalar::Float(b)) => a == b || (a - b).abs() <= error,
                (a, b) => a == b,
            };
            assert!(near, "output {place}, {what}: {a:?} instead of {b:?}, up to {error}\n{program}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn programs_are_well_formed_and_backends_agree(words in words()) {
        let maker = build(&words, Device::Reference);
        prop_assert!(verify(&maker.program).is_ok(), "{:?}\n{}", verify(&maker.program), maker.program);
        let want = run(&maker.program, words[0], Device::Reference);
        let got = run(&build(&words, Device::Cpu).program, words[0], Device::Cpu);
        let known: Vec<Known> = maker.program.outputs.iter().map(|&o| maker.known[o]).collect();
        assert_near(&got, &want, &known, "cpu and reference", &maker.program);
    }

    #[test]
    fn simplified_programs_mean_the_same(words in words()) {
        let program = build(&words, Device::Reference).program;
        let simple = simplify(&program);
        prop_assert!(verify(&simple).is_ok(), "{:?}\n{program}\n{simple}", verify(&simple));
        prop_assert!(simple.instructions.len() <= program.instructions.len());
        let (got, want) = (run(&simple, words[0], Device::Reference), run(&program, words[0], Device::Reference));
        assert_near(&got, &want, &[], "simplified", &program);
        prop_assert_eq!(simplify(&simple).to_string(), simple.to_string(), "twice simplified");
    }

    /// To the bit where no sum leaves its loop; what is drawn here has none that could.
    #[test]
    fn rewritten_loops_mean_the_same(words in words()) {
        let program = simplify(&build(&words, Device::Reference).program);
        let rewritten = loops(&program).unwrap_or_else(|error| panic!("{error}\n{program}"));
        prop_assert!(verify(&rewritten).is_ok(), "{:?}\n{program}\n{rewritten}", verify(&rewritten));
        let (got, want) = (run(&rewritten, words[0], Device::Reference), run(&program, words[0], Device::Reference));
        assert_near(&got, &want, &[], "loops rewritten", &program);
    }

    /// To the bit: a fused kernel means its ops one by one.
    #[test]
    fn fused_programs_mean_the_same(words in words()) {
        let program = build(&words, Device::Reference).program;
        let fused = fuse(&program, &[], &Caps::default()).unwrap_or_else(|error| panic!("{error}\n{program}"));
        prop_assert!(verify(&fused).is_ok(), "{:?}\n{program}\n{fused}", verify(&fused));
        let (got, want) = (run(&fused, words[0], Device::Reference), run(&program, words[0], Device::Reference));
        assert_near(&got, &want, &[], "fused", &fused);
    }

    /// To the bit, though a plan first copies what is not row-major: no kernel's rounding depends on how elements lie.
    #[test]
    fn plans_compute_what_the_program_says(words in words()) {
        for device in DEVICES {
            let program = build(&words, device).program;
            let want = run(&program, words[0], device);
            assert_near(&run_plan(&program, &[], words[0], device), &want, &[], "planned", &program);
            let simple = simplify(&program);
            assert_near(&run_plan(&simple, &[], words[0], device), &want, &[], "simplified and planned", &program);
        }
    }

    /// To the bit: no step reads an old value that is gone, and nothing is written before it may be.
    #[test]
    fn replaced_inputs_change_no_result(words in words()) {
        for device in DEVICES {
            let program = build(&words, device).program;
            let cells = cells(&program);
            let fused = fuse(&simplify(&program), &cells, &Caps::default()).unwrap_or_else(|error| panic!("{error}"));
            let want = run(&fused, words[0], device);
            assert_near(&run_plan(&fused, &cells, words[0], device), &want, &[], "fused and replaced", &fused);
        }
    }
}

// A GPU that is a program compiles a shader for milliseconds, so it gets fewer programs.
proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_gpu_agrees_with_the_reference(words in words()) {
        let Some(device) = gpu() else { return Ok(()) };
        let maker = build_for(&words, Device::Reference, true);
        let wanted = interpret(backend::of(Device::Reference), &maker.program, &inputs_for(words[0], Device::Reference, true));
        let want = wanted.unwrap_or_else(|error| panic!("{error}\n{}", maker.program));
        let program = build(&words, device).program;
        let known: Vec<Known> = program.outputs.iter().map(|&o| maker.known[o]).collect();
        assert_near(&run(&program, words[0], device), &want, &known, "gpu and reference", &program);
    }

    /// Fused kernels and the plan of them, new values of cells over the old ones.
    #[test]
    fn a_gpu_runs_fused_plans_as_the_reference_says(words in words()) {
        let Some(device) = gpu() else { return Ok(()) };
        let maker = build_for(&words, Device::Reference, true);
        let wanted = interpret(backend::of(Device::Reference), &maker.program, &inputs_for(words[0], Device::Reference, true));
        let want = wanted.unwrap_or_else(|error| panic!("{error}\n{}", maker.program));
        let program = simplify(&build(&words, device).program);
        let cells = cells(&program);
        for inputs in [16, 4] {
            let caps = Caps { inputs, mixed: true, ..Caps::default() };
            let fused = fuse(&program, &cells, &caps).unwrap_or_else(|error| panic!("{error}\n{program}"));
            let known: Vec<Known> = maker.program.outputs.iter().map(|&o| maker.known[o]).collect();
            assert_near(&run_plan(&fused, &cells, words[0], device), &want, &known, "gpu, fused and planned", &fused);
        }
    }

    /// To the bit: a plan runs the kernels of its ops.
    #[test]
    fn a_gpu_runs_plans_as_programs(words in words()) {
        let Some(device) = gpu() else { return Ok(()) };
        let program = simplify(&build(&words, device).program);
        let want = run(&program, words[0], device);
        let cells = cells(&program);
        assert_near(&run_plan(&program, &cells, words[0], device), &want, &[], "planned", &program);
    }
}
