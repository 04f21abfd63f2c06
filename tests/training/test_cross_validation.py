import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from trainsmith.data import KFold, WalkForward
from trainsmith.errors import CancelledError, ConfigError, DataError, NotRegistered
from trainsmith.testing import check_cross_validator
from trainsmith.training import (
    ArrayDataProvider,
    CVConfig,
    DefaultCrossValidator,
    DefaultMetricComputer,
    RunContext,
    SerialExecutor,
    SpawnExecutor,
    TrainingResult,
    ValidationResult,
    WindowDataProvider,
    cross_validate,
)

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(40, 3))
Y = X @ [1.0, -2.0, 0.5] + 0.1 * GENERATOR.normal(size=40)
DATA = ArrayDataProvider(X, Y, columns={"group": np.arange(40) // 8, "symbol": np.arange(40) % 4})


def linear(train, test):
    return LinearRegression().fit(X[train], Y[train]).predict(X[test])


def failing(train, test):
    if 0 in test:
        raise RuntimeError("out of luck")
    return linear(train, test)


def test_mean_std_and_out_of_fold_are_those_of_the_folds():
    found = cross_validate(linear, X, Y, splitter=KFold(4), metrics=DefaultMetricComputer(["mae", "r2"]))
    losses, mae = [], []
    for train, test in KFold(4).split(X):
        expected = linear(train, test)
        assert np.array_equal(found.out_of_fold[test], expected)
        losses.append(((expected - Y[test]) ** 2).mean())
        mae.append(np.abs(expected - Y[test]).mean())
    result = found.result
    assert [one.loss for one in result.fold_results] == pytest.approx(losses)
    assert (result.mean_loss, result.std_loss) == pytest.approx((np.mean(losses), np.std(losses)))
    assert (result.mean_metrics["mae"], result.std_metrics["mae"]) == pytest.approx((np.mean(mae), np.std(mae)))
    assert result.extensions["pooled_metrics"]["mse"] == pytest.approx(((found.out_of_fold - Y) ** 2).mean())
    assert [one.sample_count for one in result.fold_results] == [10] * 4
    sample = cross_validate(linear, X, Y, splitter=KFold(4), ddof=1).result.std_loss
    assert sample == pytest.approx(np.std(losses, ddof=1))


def test_every_executor_gives_the_same():
    serial = cross_validate(linear, X, Y, splitter=KFold(3))
    with ThreadPoolExecutor(2) as threads:
        assert np.array_equal(
            cross_validate(linear, X, Y, splitter=KFold(3), executor=threads).out_of_fold, serial.out_of_fold
        )
    with SpawnExecutor(1) as processes:
        found = cross_validate(np.maximum, X, Y, splitter=KFold(2), executor=processes)
    assert found.out_of_fold[:3].tolist() == [20, 21, 22]


def test_a_fold_that_fails_is_listed_with_its_error():
    found = cross_validate(failing, X, Y, splitter=KFold(4)).result
    assert len(found.fold_results) == 4
    assert found.fold_results[0].loss is None
    assert found.fold_results[0].extensions["error"] == "RuntimeError: out of luck"
    assert found.extensions["failed_folds"] == [0]
    assert found.mean_loss == pytest.approx(np.mean([one.loss for one in found.fold_results[1:]]))


def test_when_every_fold_fails_there_is_no_mean():
    found = cross_validate(lambda train, test: [1.0], X, Y, splitter=KFold(4))
    assert (found.result.mean_loss, found.result.std_loss) == (None, None)
    assert "one prediction per test row" in found.result.fold_results[0].extensions["error"]
    assert np.isnan(found.out_of_fold).all()


def test_rows_that_no_fold_tests_have_no_prediction():
    found = cross_validate(linear, X, Y, splitter=WalkForward(10, 10))
    assert np.isnan(found.out_of_fold[:10]).all()
    assert not np.isnan(found.out_of_fold[10:]).any()


def test_shuffled_labels_are_at_chance():
    shuffled = np.random.default_rng(1).permutation(Y)

    def fit(train, test):
        return LinearRegression().fit(X[train], shuffled[train]).predict(X[test])

    found = cross_validate(fit, X, shuffled, splitter=KFold(5), metrics=DefaultMetricComputer(["r2"]))
    assert found.result.extensions["pooled_metrics"]["r2"] < 0.1


def test_a_cancelled_context_ends_the_folds():
    context = RunContext()

    def cancelling(train, test):
        context.cancel()
        return linear(train, test)

    with pytest.raises(CancelledError):
        cross_validate(cancelling, X, Y, splitter=KFold(4), ctx=context)
    with pytest.raises(NotRegistered):
        cross_validate(linear, X, Y, splitter=KFold(4), loss="msee")


def test_a_cancel_does_not_wait_for_running_folds():
    context, release = RunContext(), threading.Event()
    with ThreadPoolExecutor(2) as threads:
        threading.Timer(0.05, context.cancel).start()
        with pytest.raises(CancelledError):
            cross_validate(lambda train, test: release.wait(30), X, Y, splitter=KFold(2), executor=threads, ctx=context)
        release.set()


@pytest.mark.parametrize(
    "config",
    [
        CVConfig(num_folds=3),
        CVConfig(num_folds=3, purge_gap=1),
        CVConfig(num_folds=3, shuffle=True, random_seed=2**64 - 1),
        CVConfig(strategy="group", num_folds=3),
        CVConfig(strategy="group", num_folds=4, group_by="symbol"),
        CVConfig(strategy="time_series", num_folds=3, purge_gap=2, test_size=0.1),
        CVConfig(strategy="purged", num_folds=3, purge_gap=1, embargo=2),
        CVConfig(strategy="walk_forward", num_folds=3, purge_gap=1, embargo=1),
        CVConfig(strategy="walk_forward", train_size=10, test_size=5, expanding=False),
    ],
    ids=lambda config: config.strategy,
)
def test_every_strategy_keeps_the_laws(config):
    check_cross_validator(DefaultCrossValidator(), DATA, config=config)


def test_walk_forward_has_the_asked_number_of_folds():
    for gap in (0, 3):
        folds = DefaultCrossValidator().create_folds(
            DATA, CVConfig(strategy="walk_forward", num_folds=4, purge_gap=gap)
        )
        assert len(folds) == 4
        assert folds[-1].valid_rows[-1] == 39


def test_stratified_folds_take_the_targets():
    data = ArrayDataProvider(X, np.repeat([[0], [1]], [30, 10], axis=0))
    for fold in DefaultCrossValidator().create_folds(data, CVConfig(strategy="stratified", num_folds=5)):
        assert np.bincount(fold.valid_data().targets[:, 0]).tolist() == [6, 2]


def test_groups_come_from_the_named_column():
    for fold in DefaultCrossValidator().create_folds(DATA, CVConfig(strategy="group", num_folds=2, group_by="symbol")):
        assert not set(fold.train_data().column("symbol")) & set(fold.valid_data().column("symbol"))


def test_settings_that_exclude_each_other_are_refused():
    for config in (
        CVConfig(shuffle=True, purge_gap=1),
        CVConfig(strategy="time_series", shuffle=True),
        CVConfig(strategy="group", group_by="other"),
    ):
        with pytest.raises(ConfigError):
            DefaultCrossValidator().create_folds(DATA, config)
    with pytest.raises(DataError, match="leave rows"):
        DefaultCrossValidator().create_folds(DATA, CVConfig(strategy="walk_forward", num_folds=4, test_size=10))


class MeanWorkflow:
    """Predicts the mean of the training targets."""

    seen = ()

    def initialize(self, config, *, ctx=None):
        self.config = config

    def train(self, dataset, model_provider, *, ctx=None):
        assert dataset.get_metadata()["validation_rows"] == 0, "validation rows stay unseen"
        MeanWorkflow.seen = (*MeanWorkflow.seen, dataset.rows)
        self.mean = dataset.targets.mean()
        return TrainingResult()

    def validate(self, dataset, model_provider, *, ctx=None):
        if model_provider == "broken" and 0.0 in dataset.inputs["x"]:
            raise RuntimeError("no luck")
        true = dataset.targets
        return ValidationResult(
            loss=float(((true - self.mean) ** 2).mean()),
            sample_count=true.size,
            extensions={"predictions": np.full(true.size, self.mean)},
        )

    def get_metrics(self):
        return {}

    def shutdown(self, *, ctx=None):
        pass


@pytest.mark.parametrize("executor", [None, SerialExecutor()])
def test_validate_model_runs_a_workflow_per_fold(executor):
    validator = DefaultCrossValidator(MeanWorkflow, executor=executor)
    check_cross_validator(validator, DATA, config=CVConfig(num_folds=4), model_provider="any")
    result = validator.validate_model(DATA, "any", CVConfig(num_folds=4))
    expected = cross_validate(lambda train, test: np.full(test.size, Y[train].mean()), X, Y, splitter=KFold(4))
    assert result.mean_loss == pytest.approx(expected.result.mean_loss)
    assert result.extensions["out_of_fold"] == pytest.approx(expected.out_of_fold.tolist())
    assert MeanWorkflow.seen[-4:] == (30, 30, 30, 30)


def test_validate_model_lists_failed_folds_and_needs_a_workflow():
    data = ArrayDataProvider(np.arange(12.0), np.arange(12.0))
    result = DefaultCrossValidator(MeanWorkflow).validate_model(data, "broken", CVConfig(num_folds=3))
    assert result.extensions["failed_folds"] == [0]
    assert result.fold_results[0].extensions["error"] == "RuntimeError: no luck"
    assert result.extensions["out_of_fold"][:4] == [None] * 4
    with pytest.raises(ConfigError, match="workflow"):
        DefaultCrossValidator().validate_model(data, None, CVConfig())


class Leaky(DefaultCrossValidator):
    def create_folds(self, dataset, config, *, ctx=None):
        folds = super().create_folds(dataset, config, ctx=ctx)
        folds[1].train_rows = np.arange(40)
        return folds


class Renumbered(DefaultCrossValidator):
    def create_folds(self, dataset, config, *, ctx=None):
        return super().create_folds(dataset, config, ctx=ctx)[::-1]


@pytest.mark.parametrize(("kind", "law"), [(Leaky, "both parts"), (Renumbered, "numbered from 0")])
def test_the_law_kit_finds_a_broken_validator(kind, law):
    with pytest.raises(AssertionError, match=law):
        check_cross_validator(kind(), DATA)


@pytest.mark.parametrize(("length", "horizon", "stride", "gap"), [(4, 1, 1, 4), (4, 3, 2, 3), (1, 1, 1, 1)])
def test_folds_of_windows_share_no_step(length, horizon, stride, gap):
    rows = np.arange(120.0)[:, np.newaxis]
    windows = WindowDataProvider(
        rows, window_len=length, horizon=horizon, stride=stride, standardise=False, validation_ratio=0.0
    )
    validator = DefaultCrossValidator()
    strategies = ("k_fold", "time_series", "purged", "walk_forward")
    for strategy in strategies:
        with pytest.raises(ConfigError, match=f"purge_gap of at least {gap}"):
            validator.create_folds(windows, CVConfig(strategy=strategy, num_folds=3, purge_gap=gap - 1))
        for fold in validator.create_folds(windows, CVConfig(strategy=strategy, num_folds=3, purge_gap=gap)):
            seen = [
                {float(step) for x, y in zip(part.inputs["x"], part.targets) for step in (*x.ravel(), *y)}
                for part in (fold.train_data(), fold.valid_data())
            ]
            spans = [(min(one), max(one)) for one in seen]
            assert not seen[0] & seen[1], (strategy, spans)
    for config in (CVConfig(strategy="stratified", purge_gap=gap), CVConfig(shuffle=True)):
        with pytest.raises(ConfigError, match="must not overlap"):
            validator.create_folds(windows, config)
