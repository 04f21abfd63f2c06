"""A checkpoint names the tables that chose its GPU kernels, and a run that goes on by others says so."""

import os
import warnings

import pytest
from tests.training.loop.runs import StopAt, make_loop

import trainsmith as ts
from trainsmith.training.loop import TuningWarning, _state
from trainsmith.training.loop._tuning import tables_of


def begin(folder, monkeypatch, tables):
    monkeypatch.setattr(_state, "tables_of", lambda tensors: tables)
    watch = StopAt(5)
    make_loop(folder, callbacks=[watch], stop=lambda: watch.reached).run()


def go_on(folder, monkeypatch, tables):
    monkeypatch.setattr(_state, "tables_of", lambda tensors: tables)
    return make_loop(folder, callbacks=[StopAt(10**9)], resume=True, stop=lambda: False).run()


def test_another_table_is_noticed_and_the_run_goes_on(tmp_path, monkeypatch):
    begin(tmp_path / "c", monkeypatch, {"gpu": "shipped"})
    with pytest.warns(TuningWarning, match=r"gpu, 'shipped', got '0123456789abcdef'.*TRAINSMITH_CACHE_DIR"):
        result = go_on(tmp_path / "c", monkeypatch, {"gpu": "0123456789abcdef"})
    assert result.status == "completed"


@pytest.mark.parametrize("then", [{}, {"gpu": "a"}])
@pytest.mark.parametrize("now", [{}, {"gpu": "a"}])
def test_the_same_table_and_another_device_are_silent(tmp_path, monkeypatch, then, now):
    begin(tmp_path / "c", monkeypatch, then)
    with warnings.catch_warnings():
        warnings.simplefilter("error", TuningWarning)
        go_on(tmp_path / "c", monkeypatch, now)


@pytest.mark.skipif(
    "gpu" not in ts.devices() and "REQUIRE_GPU" not in os.environ, reason="no GPU with a driver; see docs/gpu.md"
)
def test_weights_on_a_gpu_name_its_table():
    weights = [ts.ones(1, device="gpu"), ts.ones(1), ts.zeros(2, device="gpu")]
    assert list(tables_of(weights)) == ["gpu"]
    assert tables_of(weights)["gpu"]
