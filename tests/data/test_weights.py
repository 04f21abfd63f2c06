import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from trainsmith.data import WeightedOrder, class_weights
from trainsmith.errors import ConfigError, DataError, IndexRangeError


def test_balanced_weights_are_those_of_scikit_learn():
    labels = np.random.default_rng(3).integers(0, 4, 50) ** 2
    np.testing.assert_allclose(class_weights(labels), compute_sample_weight("balanced", labels))
    given = {0: 2.0, 1: 0.0, 4: 1.5, 9: 3.0}
    np.testing.assert_allclose(class_weights(labels[:, None], given), compute_sample_weight(given, labels))


@pytest.mark.parametrize(
    ("error", "labels", "weights"),
    [
        (ConfigError, [0, 1], {0: 1.0}),
        (ConfigError, [0, 1], {0: 1.0, 1: -1.0}),
        (ConfigError, [0, 1], {0: 1.0, 1: float("nan")}),
        (DataError, [], "balanced"),
        (DataError, np.zeros((2, 2)), "balanced"),
    ],
)
def test_weights_that_fit_no_class_are_refused(error, labels, weights):
    with pytest.raises(error, match="class_weights"):
        class_weights(labels, weights)


def test_draws_follow_the_weights_and_the_seed():
    weights = np.array([0.0, 1.0, 3.0, 0.0, 6.0, 0.0])
    order = WeightedOrder(weights, seed=5, epoch=1, size=50_000)
    found = order.at(np.arange(50_000))
    shares = np.bincount(found, minlength=6) / found.size
    np.testing.assert_allclose(shares, weights / 10, atol=0.01)
    np.testing.assert_array_equal(found[100:200], order.at(range(100, 200)))
    for other in (WeightedOrder(weights, 6, 1, size=99), WeightedOrder(weights, 5, 2, size=99)):
        assert not np.array_equal(other.at(range(99)), found[:99])


def test_draws_that_cannot_be_made_are_refused():
    for weights in ([], [0.0, 0.0], [1.0, -1.0], [1.0, np.nan], np.ones((2, 2))):
        with pytest.raises(DataError):
            WeightedOrder(weights)
    with pytest.raises(ConfigError):
        WeightedOrder([1.0], seed=-1)
    with pytest.raises(IndexRangeError):
        WeightedOrder([1.0], size=3).at([3])
