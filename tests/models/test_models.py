"""Networks for tables and windows."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith.errors import ConfigError
from trainsmith.models import (
    DLinear,
    complete_architecture,
    complete_windowed_architecture,
    create_model,
    create_windowed_model,
)
from trainsmith.models._dlinear import moving_average
from trainsmith.testing import check_model

GENERATOR = np.random.default_rng(0)


@pytest.mark.parametrize("type", ["mlp", "resnet"])
def test_models_of_rows_are_models(type):
    ts.manual_seed(0)
    options = {"activation": "tanh"} if type == "mlp" else {"blocks": 2}
    model = create_model(type, options, inputs=3, outputs=2, dtype=ts.float64)
    x = ts.asarray(GENERATOR.normal(size=(5, 3)))
    assert model(x).shape == (5, 2)
    check_model(model, x)
    np.testing.assert_allclose(np.asarray(model(x).detach())[2], np.asarray(model(x[2:3]).detach())[0], rtol=1e-12)


@pytest.mark.parametrize("type", ["lstm", "dlinear"])
def test_models_of_windows_are_models(type):
    ts.manual_seed(0)
    model = create_windowed_model(type, {}, window=6, features=3, outputs=2, dtype=ts.float64)
    x = ts.asarray(GENERATOR.normal(size=(5, 6, 3)))
    assert model(x).shape == (5, 2)
    check_model(model, x)
    np.testing.assert_allclose(np.asarray(model(x).detach())[2], np.asarray(model(x[2:3]).detach())[0], rtol=1e-12)


@pytest.mark.parametrize("reach", [0, 1, 3, 12])
def test_the_trend_is_a_moving_average_with_the_ends_repeated(reach):
    x = GENERATOR.normal(size=(2, 9, 3))
    padded = np.pad(x, ((0, 0), (reach, reach), (0, 0)), mode="edge")
    expected = np.stack([padded[:, t : t + 2 * reach + 1].mean(axis=1) for t in range(9)], axis=1)
    np.testing.assert_allclose(np.asarray(moving_average(ts.asarray(x), reach)), expected, rtol=1e-12)


def test_dlinear_is_two_linear_maps():
    ts.manual_seed(0)
    model = DLinear(5, 2, 3, kernel=3, dtype=ts.float64)
    x = GENERATOR.normal(size=(4, 5, 2))
    trend = np.asarray(moving_average(ts.asarray(x), 1))
    state = {name: np.asarray(one) for name, one in model.state_dict().items()}
    expected = trend.reshape(4, -1) @ state["trend.weight"].T + state["trend.bias"]
    expected += (x - trend).reshape(4, -1) @ state["season.weight"].T
    np.testing.assert_allclose(np.asarray(model(ts.asarray(x)).detach()), expected, rtol=1e-12)
    assert DLinear(3, 1, 1, kernel=25).reach == 1


@pytest.mark.parametrize(
    ("complete", "type", "options", "message"),
    [
        (complete_architecture, "lstm", {}, "mlp or resnet"),
        (complete_architecture, "resnet", {"width": 0}, "width"),
        (complete_architecture, "resnet", {"depth": 2}, "depth"),
        (complete_windowed_architecture, "mlp", {}, "dlinear or lstm"),
        (complete_windowed_architecture, "lstm", {"hidden": "x", "layers": 0}, "hidden(.|\n)*layers"),
        (complete_windowed_architecture, "dlinear", {"kernel": 0}, "kernel"),
    ],
)
def test_architectures_are_checked(complete, type, options, message):
    with pytest.raises(ConfigError, match=message):
        complete(type, options)
