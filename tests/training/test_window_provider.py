import numpy as np
import pytest

from trainsmith.errors import ConfigError, DataError, ShapeError
from trainsmith.testing._data_laws import check_data_provider
from trainsmith.training import BatchConfig, WindowDataProvider

PLAIN = BatchConfig(batch_size=4, shuffle=False)


def taken(iterator):
    batches = list(iterator)
    return tuple(
        np.concatenate([np.asarray(one) for one in part])
        for part in ([batch.inputs["x"] for batch in batches], [batch.targets for batch in batches])
    )


def series(rows, columns=2, seed=0):
    return np.random.default_rng(seed).normal(3.0, 2.0, size=(rows, columns))


def test_the_provider_keeps_the_laws():
    check_data_provider(WindowDataProvider(series(30), window_len=4))


@pytest.mark.parametrize(("length", "horizon", "stride"), [(1, 1, 1), (4, 1, 1), (3, 5, 2), (6, 0, 1)])
def test_no_window_reaches_over_the_border(length, horizon, stride):
    rows = np.stack([np.arange(60.0), 1000 + np.arange(60.0)], axis=1)
    provider = WindowDataProvider(
        rows,
        window_len=length,
        horizon=horizon,
        stride=stride,
        validation_ratio=0.4,
        standardise=False,
        drop_label_from_inputs=horizon == 0,
        dtype="float64",
    )
    x, y = taken(provider.get_training_data(PLAIN))
    late_x, late_y = taken(provider.get_validation_data(PLAIN))
    assert y.max() - 1000 < 36
    assert x[..., 0].max() < 36
    assert late_x[..., 0].min() >= 36
    for window, label in ((x, y), (late_x, late_y)):
        np.testing.assert_array_equal(window[:, -1, 0] + horizon, label[:, 0] - 1000)
        np.testing.assert_array_equal(np.diff(window[:, 0, 0]), stride)
    assert provider.column("label_row").tolist() == (y[:, 0] - 1000).tolist()


def test_moments_come_from_the_past_alone():
    rows = series(100)
    rows[80:] += 1e3
    provider = WindowDataProvider(rows, window_len=3)
    metadata = provider.get_metadata()
    np.testing.assert_allclose(metadata["input_mean"], rows[:80].mean(axis=0))
    np.testing.assert_allclose(metadata["input_std"], rows[:80].std(axis=0))
    assert metadata["target_mean"] == metadata["input_mean"][-1]
    x, y = taken(provider.get_training_data(PLAIN))
    np.testing.assert_allclose(y[:, 0] * metadata["target_std"] + metadata["target_mean"], rows[3:80, 1], rtol=1e-5)
    assert x.dtype == np.float32


def test_no_window_spans_two_groups():
    groups = np.tile([7, 3], 20)
    rows = np.stack([groups.astype(float), np.arange(40.0)], axis=1)
    provider = WindowDataProvider(
        rows, window_len=3, groups=groups, standardise=False, validation_ratio=0.25, dtype="float64"
    )
    for x, y in (taken(provider.get_training_data(PLAIN)), taken(provider.get_validation_data(PLAIN))):
        assert all(len(set(window[:, 0])) == 1 for window in x)
        np.testing.assert_array_equal(x[:, -1, 1] + 2, y[:, 0])
    assert provider.rows == 2 * 12


def test_a_constant_column_stays_finite():
    rows = series(30)
    rows[:, 0] = 5.0
    x, _ = taken(WindowDataProvider(rows, window_len=3).get_training_data(PLAIN))
    assert not x[..., 0].any()


@pytest.mark.parametrize(
    ("error", "rows", "options"),
    [
        (ConfigError, series(30), {"horizon": 0}),
        (ConfigError, series(30), {"window_len": 0}),
        (ConfigError, series(30), {"validation_ratio": 1.0}),
        (ConfigError, series(30), {"stride": 0}),
        (DataError, series(4), {}),
        (DataError, np.where(np.arange(60).reshape(30, 2) == 7, np.nan, 1.0), {}),
        (ShapeError, np.zeros(5), {}),
        (ShapeError, np.zeros((0, 3)), {}),
        (ShapeError, np.array([["a"]]), {}),
        (ShapeError, series(30), {"groups": [1]}),
        (ShapeError, series(30), {"label_column": 5}),
    ],
)
def test_what_gives_no_windows_is_refused(error, rows, options):
    with pytest.raises(error):
        WindowDataProvider(rows, **{"window_len": 4, **options})
