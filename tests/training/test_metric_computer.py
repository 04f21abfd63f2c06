import pytest

from trainsmith.errors import NotRegistered, RegistryError
from trainsmith.testing import check_metric_computer
from trainsmith.training import DefaultMetricComputer


def test_the_computer_keeps_the_laws():
    check_metric_computer(DefaultMetricComputer(), [1.0], [1.0])
    check_metric_computer(DefaultMetricComputer(["r2", "mae", "mse"]), [1.0, 2.0], [1.0, 4.0])


def test_values_are_those_of_the_functions():
    computer = DefaultMetricComputer(["mse"])
    computer.register_metric("scaled", lambda predictions, targets, metadata: metadata["scale"] * len(targets))
    assert computer.compute_metrics([1.0], [3.0], {"scale": 2}) == {"mse": 4.0, "scaled": 2.0}
    computer.unregister_metric("mse")
    assert computer.available_metrics() == ["scaled"]


def test_what_is_no_metric_is_refused():
    with pytest.raises(NotRegistered, match="did you mean 'mse'"):
        DefaultMetricComputer(["msee"])
    for name, metric in (("", len), (" ", len), ("a", None)):
        with pytest.raises(RegistryError, match="name and a function"):
            DefaultMetricComputer().register_metric(name, metric)


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        ({"available_metrics": lambda self: sorted(self._metrics, reverse=True)}, "sorted"),
        ({"unregister_metric": lambda self, name: None}, "removes the metric"),
        ({"compute_metrics": lambda self, p, t, m=None, *, ctx=None: {"mae": 0.0, "mse": 0.0}}, "every registered"),
    ],
)
def test_the_law_kit_finds_a_broken_computer(broken, law):
    kind = type("Broken", (DefaultMetricComputer,), broken)
    with pytest.raises(AssertionError, match=law):
        check_metric_computer(kind(["mse", "mae"]), [1.0], [1.0])
