"""The GPU as a device: transfers, refusals, training. Kernels are tested op by op in the core."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import ConfigError, DeviceError, DTypeError, NonFiniteError, TrainsmithError
from trainsmith.training import RunConfig

GPUS = [name for name in ts.devices() if name.startswith("gpu")]

pytestmark = pytest.mark.skipif(
    not GPUS and "REQUIRE_GPU" not in os.environ, reason="no GPU with a driver; see docs/gpu.md"
)

DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32"]


def test_a_gpu_is_listed():
    assert GPUS
    assert GPUS[0] == "gpu"


@pytest.mark.parametrize("dtype", DTYPES)
def test_values_come_back_as_they_went(dtype):
    x = np.arange(-6, 6).reshape(3, 4).astype(dtype)
    there = ts.asarray(x, device="gpu")
    assert there.device == "gpu"
    np.testing.assert_array_equal(np.asarray(there), x)
    np.testing.assert_array_equal(np.asarray(there.T.to("cpu")), x.T)
    assert there.to("cpu").to("gpu:0").device == "gpu"


def test_what_a_gpu_lacks_is_refused_and_work_goes_on():
    with pytest.raises(DTypeError, match="float32"):
        ts.asarray(np.ones(2), device="gpu")
    with pytest.raises(DeviceError, match="gpu:"):
        ts.asarray([1.0], device="gpu:15")
    with pytest.raises(DeviceError, match="one device"):
        ts.add(ts.ones(2, device="gpu"), ts.ones(2))
    with pytest.raises((DeviceError, BufferError)):
        ts.ones(2, device="gpu").__dlpack__()
    assert float(ts.sum(ts.ones(3, device="gpu"))) == 3.0


def test_a_tensor_too_large_is_refused_and_work_goes_on():
    with pytest.raises(DeviceError, match=r"bytes|elements"):
        ts.sum(ts.add(ts.zeros((1 << 16, 1 << 15), device="gpu"), 1.0))
    assert float(ts.sum(ts.ones(3, device="gpu"))) == 3.0


def test_an_index_out_of_range_has_the_error_of_the_cpu():
    texts = []
    for device in ("cpu", "gpu"):
        x = ts.arange(6.0, device=device)
        with pytest.raises(TrainsmithError) as caught:
            ts.take(x, ts.asarray([0, 6], device=device), axis=0)
        texts.append(str(caught.value))
    assert texts[0] == texts[1]


def test_random_bits_are_those_of_the_cpu():
    drawn = []
    for device in ("cpu", "gpu"):
        ts.manual_seed(5)
        drawn.append(np.asarray(nn.init.uniform_(ts.empty((33, 7), device=device))))
    np.testing.assert_array_equal(drawn[0], drawn[1])


def test_one_stream_of_draws_serves_all_devices():
    drawn = []
    for devices in (("cpu",) * 4, ("gpu",) * 4, ("cpu", "gpu", "gpu", "cpu")):
        ts.manual_seed(5)
        first, second, third, fourth = devices
        bits = [ts.rand(33, 7, device=first), ts.randint(-5, 1000, (70,), device=second), ts.rand(3, device=fourth)]
        normal = ts.randn(50, device=third)
        assert (bits[1].device, normal.device) == (second, third)
        drawn.append(([np.asarray(x) for x in bits], np.asarray(normal), ts.default_generator().get_state()))
    for bits, normal, state in drawn[1:]:
        for got, expected in zip(bits, drawn[0][0], strict=True):
            np.testing.assert_array_equal(got, expected)
        np.testing.assert_allclose(normal, drawn[0][1], rtol=1e-5, atol=1e-6)
        assert state == drawn[0][2]


@pytest.mark.parametrize("compiled", [False, True])
def test_dropout_falls_on_the_elements_of_the_cpu(compiled):
    kept, states = [], []
    for device in ("cpu", "gpu"):
        function = lambda x: nn.functional.dropout(x, 0.3)  # noqa: E731
        step = ts.compile(function) if compiled else function
        ones = ts.ones((40, 5), device=device)
        ts.manual_seed(9)
        kept.append([np.asarray(step(ones)) for _ in range(3)])
        states.append(ts.default_generator().get_state())
        ts.default_generator().set_state((9, 0))
        np.testing.assert_array_equal(np.asarray(step(ones)), kept[-1][0])
    np.testing.assert_array_equal(kept[0], kept[1])
    assert states[0] == states[1]
    assert not np.array_equal(kept[1][0], kept[1][1])


def test_a_compiled_function_draws_on_one_device():
    with pytest.raises(DeviceError, match="draws on one device"):
        ts.compile(lambda x: (ts.rand(3), x + ts.rand(3, device="gpu")))(ts.ones(3, device="gpu"))


def make(device, compiled):
    ts.manual_seed(3)
    model = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 3))
    model.load_state_dict({name: value.to(device) for name, value in model.state_dict().items()})
    model = model.to(device)
    optimizer = optim.AdamW(model.parameters(), lr=1e-2)

    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return model, ts.compile(step) if compiled else step


def batch(device, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(16, 6)).astype("float32")
    return ts.asarray(x, device=device), ts.asarray(rng.integers(0, 3, size=16), device=device)


@pytest.mark.parametrize("compiled", [False, True])
def test_training_gives_the_losses_of_the_cpu(compiled):
    losses = {}
    for device in ("cpu", "gpu"):
        _, step = make(device, compiled)
        losses[device] = [float(step(*batch(device, seed))) for seed in range(20)]
    np.testing.assert_allclose(losses["gpu"], losses["cpu"], rtol=1e-4)


def test_a_captured_step_makes_no_objects_once_it_runs():
    _, step = make("gpu", True)
    x, y = batch("gpu", 0)
    made = []
    for _ in range(8):
        before = ts.debug.counters()["gpu_objects"]
        float(step(x, y))
        made.append(ts.debug.counters()["gpu_objects"] - before)
    assert made[0] > 0
    assert made[2:] == [0] * 6, made


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("bad", ["label", "nan"])
def test_a_step_that_fails_changes_nothing(bad, compiled):
    model, step = make("gpu", compiled)
    x, y = batch("gpu", 0)
    step(x, y)
    before = {name: np.asarray(value).copy() for name, value in model.state_dict().items()}
    wrong = ts.asarray(np.full(16, 7), device="gpu") if bad == "label" else y
    broken = ts.full((16, 6), float("nan"), device="gpu") if bad == "nan" else x
    with pytest.raises((NonFiniteError, IndexError)):
        float(step(broken, wrong))
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(np.asarray(value), before[name])
    assert np.isfinite(float(step(x, y)))


def test_the_same_step_gives_the_same_bits():
    runs = []
    for _ in range(2):
        _, step = make("gpu", True)
        runs.append([float(step(*batch("gpu", seed))) for seed in range(5)])
    assert runs[0] == runs[1]


def test_a_configuration_trains_on_a_gpu(tmp_path):
    table = Path(__file__).parents[1] / "examples"
    for name in ("breast_cancer.toml", "breast_cancer.csv"):
        shutil.copy(table / name, tmp_path)
    command = [
        Path(sys.executable).with_name("trainsmith"),
        "train",
        "breast_cancer.toml",
        "--device",
        "gpu",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_a_configuration_asks_a_gpu_for_no_float64():
    with pytest.raises(ConfigError, match="use float32"):
        RunConfig(device="gpu", dtype="float64")
