"""Averages of parameters: the numbers, the swap, captured steps, state."""

import math

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import ArgumentError, GraphError, NonFiniteError

KINDS = {"EMA": lambda params: optim.EMA(params, decay=0.9), "SWA": optim.SWA}
TABLE = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)


def follow(make, values, dtype=ts.float64):
    """Gives the average after each value."""
    param = nn.Parameter(ts.zeros(1, dtype=dtype))
    average = make([param])
    seen = []
    for value in values:
        param.copy_(ts.asarray([value], dtype=dtype))
        average.update()
        seen.append(float(average.averages()[0]))
    return seen, average


def test_numbers_of_the_specification():
    np.testing.assert_allclose(follow(KINDS["EMA"], [1, 2, 3, 4])[0], [1, 1.1, 1.29, 1.561], rtol=1e-14)
    np.testing.assert_allclose(follow(optim.SWA, [1, 2, 6, 3])[0], [1, 1.5, 3, 3], rtol=1e-14)
    np.testing.assert_allclose(follow(optim.SWA, [1, 3, 8])[0], [1, 2, 4], rtol=1e-14)


@TABLE
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_averages_of_half_precision_are_kept_in_single(make, dtype):
    _, average = follow(make, [1.0, 2.0], getattr(ts, dtype))
    kept = average.averages()[0].dtype
    assert kept == (ts.float64 if dtype == "float64" else ts.float32)
    with average.swapped():
        assert average.params[0].dtype == getattr(ts, dtype)


def test_a_slow_average_of_bfloat16_does_not_freeze():
    seen, _ = follow(lambda params: optim.EMA(params, decay=0.999), [1.0] + [2.0] * 100, ts.bfloat16)
    np.testing.assert_allclose(seen[-1], 2 - 0.999**100, rtol=1e-4)


@TABLE
def test_the_swap_ends_with_the_bits_from_before_also_after_an_error(make):
    _, average = follow(make, [1.0, 2.5])
    param, mean = average.params[0], float(average.averages()[0])
    with average.swapped():
        assert float(param) == mean
    assert float(param) == 2.5
    with pytest.raises(ZeroDivisionError), average.swapped():
        _ = 1 / 0
    assert float(param) == 2.5
    assert float(average.averages()[0]) == mean


@TABLE
def test_nothing_is_taken_in_while_swapped(make):
    _, average = follow(make, [1.0, 2.0])
    with average.swapped():
        for call in (average.update, average.swapped().__enter__, lambda: average.load_state_dict({})):
            with pytest.raises(GraphError, match="after the swap has ended"):
                call()
    assert average.updates == 2
    average.update()


@TABLE
def test_captured_steps_update_at_every_call(make):
    results = []
    for compiled in (False, True):
        param = nn.Parameter(ts.asarray([1.0, -2.0], dtype=ts.float64))
        optimizer = optim.AdamW([param], lr=0.1)
        average = make([param])

        def step(x, param=param, optimizer=optimizer, average=average):
            optimizer.zero_grad()
            ((param - x) ** 2).sum().backward()
            optimizer.step()
            average.update()

        run = ts.compile(step) if compiled else step
        trace = []
        for turn in range(10):
            run(ts.asarray(float(turn), dtype=ts.float64))
            trace.append([*average.averages()[0].tolist(), average.updates])
        results.append(trace)
        if compiled:
            assert len(run.plans) == 1
            with pytest.raises(NonFiniteError):
                run(ts.asarray(math.nan, dtype=ts.float64))
            assert [*average.averages()[0].tolist(), average.updates] == trace[-1]
    np.testing.assert_allclose(results[1], results[0], rtol=1e-12)


@TABLE
def test_a_resumed_average_has_the_bits_of_an_uninterrupted_one(make):
    values = list(np.random.default_rng(0).normal(size=8))
    whole, _ = follow(make, values)
    _, first = follow(make, values[:5])
    param = nn.Parameter(ts.zeros(1, dtype=ts.float64))
    second = make([param])
    state = first.state_dict()
    second.load_state_dict({"updates": state["updates"], "averages": [one.numpy() for one in state["averages"]]})
    first.update()
    for value in values[5:]:
        param.copy_(ts.asarray([value]))
        second.update()
    assert float(second.averages()[0]) == whole[-1]


@TABLE
def test_what_does_not_fit_is_refused(make):
    average = make([nn.Parameter(ts.zeros(2))])
    state = average.state_dict()
    for bad, message in (
        ({}, "a mapping with"),
        ({**state, "averages": []}, "averages of shapes"),
        ({**state, "averages": [np.zeros(3)]}, "averages of shapes"),
    ):
        with pytest.raises(ArgumentError, match=message):
            average.load_state_dict(bad)
    for bad in ([], [ts.zeros(1)], nn.Parameter(ts.zeros(1))):
        with pytest.raises(ArgumentError, match=r"at least one parameter|Parameter objects"):
            make(bad)
    for call in (average.state_dict, average.averages, average.swapped().__enter__, lambda: make(average.params)):
        with pytest.raises(GraphError, match="outside compiled functions"):
            ts.compile(lambda x, call=call: (call(), x)[1])(ts.ones(1))


def test_a_decay_outside_its_domain_is_refused():
    for decay in (-0.1, 1.1, math.nan):
        with pytest.raises(ArgumentError, match="decay in"):
            optim.EMA([nn.Parameter(ts.zeros(1))], decay)


@TABLE
def test_parameters_that_a_conversion_replaced_are_refused(make):
    layer = nn.Linear(2, 1)
    average = make(layer.parameters())
    layer.double()
    with pytest.raises(GraphError, match=r"weight, which it replaced"):
        average.update()


def test_batch_norm_is_computed_anew():
    rng = np.random.default_rng(0)
    batches = [rng.normal(3.0, 2.0, (16, 3)) for _ in range(4)]
    model = nn.Sequential(nn.BatchNorm1d(3, dtype=ts.float64), nn.Dropout(0.5))
    model.eval()
    model[0].running_mean.copy_(ts.full((3,), 99.0, dtype=ts.float64))
    optim.update_bn([(ts.asarray(x), None) for x in batches], model)
    np.testing.assert_allclose(model[0].running_mean.numpy(), np.mean([x.mean(0) for x in batches], 0), rtol=1e-12)
    variances = [x.var(0, ddof=1) for x in batches]
    np.testing.assert_allclose(model[0].running_var.numpy(), np.mean(variances, 0), rtol=1e-12)
    assert (model[0].momentum, model.training, model[1].training) == (0.1, False, False)
    assert int(model[0].num_batches_tracked) == 4


def test_models_without_batch_norm_are_not_called():
    optim.update_bn([None], nn.Sequential(nn.Linear(1, 1)))
