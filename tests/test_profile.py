"""Profiles: times, bytes and operations of kernels on the CPU and on a GPU; clear words where there is nothing."""

import json
import os
import threading

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import ArgumentError, GraphError, IoError

GPU = pytest.param(
    "gpu",
    marks=pytest.mark.skipif(
        "gpu" not in ts.devices() and "REQUIRE_GPU" not in os.environ, reason="no GPU with a driver; see docs/gpu.md"
    ),
)
DEVICES = ["cpu", GPU]


def find(profile, text):
    found = [kernel for kernel in profile.kernels if text in kernel.name]
    assert len(found) == 1, profile.table()
    return found[0]


@pytest.mark.parametrize("device", DEVICES)
def test_an_eager_product_counts_two_for_each_term(device):
    a, b = ts.ones((30, 40), device=device), ts.ones((40, 50), device=device)
    with ts.profile() as p:
        for _ in range(3):
            c = a @ b
    kernel = find(p, "matmul (30, 40) x (40, 50)")
    assert float(c[0, 0]) == 40.0
    assert (kernel.device, kernel.calls, kernel.flops) == (device, 3, 3 * 2 * 30 * 40 * 50)
    assert kernel.bytes == 3 * 4 * (30 * 40 + 40 * 50 + 30 * 50)
    assert 0 < kernel.seconds < p.seconds


def make_step(device, size=64):
    model = nn.Sequential(nn.Linear(size, 2 * size), nn.ReLU(), nn.Linear(2 * size, 8)).to(device)
    optimizer = optim.Adam(model.parameters(), lr=1e-3)

    @ts.compile
    def step(x):
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    return step, ts.asarray(np.ones((32, size), "float32"), device=device)


@pytest.mark.parametrize("device", DEVICES)
def test_a_captured_step_is_taken_apart_and_its_result_is_the_same(device):
    results = []
    for profiled in (False, True):
        ts.manual_seed(0)
        step, x = make_step(device)
        losses = [float(step(x)) for _ in range(3)]
        if profiled:
            with ts.profile() as p:
                last = [step(x) for _ in range(2)]
            losses += map(float, last)
        else:
            losses += [float(step(x)) for _ in range(2)]
        results.append(losses)
    assert results[0] == results[1]
    products = sum(kernel.flops for kernel in p.kernels if "matmul" in kernel.name)
    # Two products forward, two for weights, one for activations; what is fused behind them adds a little.
    terms = 32 * 64 * 128 * 2 + 32 * 128 * 8 * 3
    assert 2 * 2 * terms <= products < 1.2 * 2 * 2 * terms, p.table()
    assert {kernel.device for kernel in p.kernels} == {device}
    assert all(kernel.calls % 2 == 0 and kernel.bytes > 0 for kernel in p.kernels), p.table()
    # Threads work at the same time, so their sum may be more than the time of the block.
    assert 0 < sum(kernel.seconds for kernel in p.kernels) <= p.seconds * max(1, ts.get_num_threads())


@pytest.mark.parametrize("device", DEVICES)
def test_parts_of_a_cut_kernel_are_one_call(device):
    step, x = make_step(device, size=256)
    step(x)
    with ts.profile() as p:
        step(x)
    assert all(kernel.calls <= 4 for kernel in p.kernels), p.table()


@pytest.mark.parametrize("device", DEVICES)
def test_a_loop_has_a_name_and_operations(device):
    lstm = nn.LSTM(8, 16, batch_first=True).to(device)
    step = ts.compile(lambda x: lstm(x)[0].sum())
    x = ts.ones((4, 5, 8), device=device)
    step(x)
    with ts.profile() as p:
        step(x)
    assert sum(kernel.flops for kernel in p.kernels) > 2 * 4 * 5 * (8 + 16) * 64


def test_a_table_adds_up_and_says_how_time_was_taken():
    x = ts.ones((100, 100))
    with ts.profile() as p:
        for _ in range(5):
            ts.sum(ts.exp(x) @ x)
    lines = p.table().splitlines()
    assert lines[0].split() == ["kernel", "device", "calls", "ms", "%", "us", "a", "call", "GFLOP/s", "GB/s"]
    shares = [float(line.split()[-4]) for line in lines[1:4]]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(100, abs=0.5)
    assert lines[4].split()[:2] == ["all", "15"]
    assert lines[-1].startswith("cpu: timed by")
    assert "2 more" in p.table(limit=1)
    with pytest.raises(ArgumentError, match="at least 1"):
        p.table(limit=0)


@pytest.mark.parametrize("device", DEVICES)
def test_a_trace_has_every_run(device, tmp_path):
    step, x = make_step(device)
    step(x)
    with ts.profile() as p:
        for _ in range(3):
            step(x)
    p.export_trace(tmp_path / "trace.json")
    trace = json.loads((tmp_path / "trace.json").read_text())
    runs = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    assert {event["name"] for event in runs} == {kernel.name for kernel in p.kernels}
    assert all(event["dur"] >= 0 and 0 <= event["ts"] <= 1e6 * p.seconds for event in runs)
    spent = sum(event["dur"] for event in runs) / 1e6
    assert spent == pytest.approx(sum(kernel.seconds for kernel in p.kernels), rel=1e-6)
    assert trace["otherData"]["runs_left_out"] == 0
    names = [event["args"]["name"] for event in trace["traceEvents"] if event["name"] == "process_name"]
    assert names == [device]
    assert [path.name for path in tmp_path.iterdir()] == ["trace.json"]
    with pytest.raises(IoError, match="export_trace"):
        p.export_trace(tmp_path / "nowhere" / "trace.json")


def test_a_block_without_kernels_says_so(tmp_path):
    with ts.profile() as p:
        pass
    assert p.kernels == []
    assert p.table().startswith("no kernel ran\n")
    p.export_trace(tmp_path / "trace.json")
    assert json.loads((tmp_path / "trace.json").read_text())["traceEvents"] == []


def test_one_profile_runs_at_a_time():
    with ts.profile() as outer:
        with pytest.raises(ArgumentError, match="one profile at a time"), ts.profile():
            pass
        ts.ones(3) + 1.0
    assert any("add" in kernel.name for kernel in outer.kernels)
    with pytest.raises(GraphError, match="call profile"), outer:
        pass


def test_a_profile_is_asked_after_its_block():
    p = ts.profile()
    for ask in (p.table, lambda: p.kernels, lambda: p.export_trace("never.json")):
        with pytest.raises(GraphError, match="after the with block"):
            ask()
    with p, pytest.raises(GraphError, match="after the with block"):
        p.table()


def test_an_error_inside_ends_the_profile():
    p = ts.profile()

    def fail():
        with p:
            ts.ones(3) + 1.0
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert find(p, "add (3,)").calls == 1
    with ts.profile():
        pass


def test_other_threads_are_seen():
    with ts.profile() as p:
        thread = threading.Thread(target=lambda: ts.exp(ts.ones((7, 3))))
        thread.start()
        thread.join()
    assert find(p, "exp (7, 3)").calls == 1


def test_nothing_is_noted_once_the_block_has_ended():
    with ts.profile() as p:
        ts.exp(ts.ones(3))
    before = p.kernels
    ts.exp(ts.ones(3))
    assert p.kernels == before
