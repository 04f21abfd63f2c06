"""What a compiled function promises: the numbers of the eager one, state read and written as the eager one would."""

import threading
import warnings
from typing import Any

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import errors, nn, optim


def batch(rows: int = 8, features: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, features)).astype(np.float32)
    return x, np.sin(x.sum(1, keepdims=True)).astype(np.float32)


def network(seed: int = 0, dropout: float = 0.0) -> nn.Module:
    ts.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, 1))


def stepper(model: nn.Module, optimizer: optim.Optimizer) -> Any:
    def step(x: ts.Tensor, y: ts.Tensor) -> ts.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def trajectory(
    compiled: bool, steps: int = 6, dropout: float = 0.3, **options: Any
) -> tuple[list[float], dict[str, Any]]:
    model = network(dropout=dropout)
    optimizer = optim.AdamW(model.parameters(), lr=1e-2)
    step = stepper(model, optimizer)
    step = ts.compile(step, **options) if compiled else step
    ts.manual_seed(7)
    losses = [float(step(*map(ts.asarray, batch(seed=i)))) for i in range(steps)]
    return losses, {k: np.asarray(v) for k, v in model.state_dict().items()}


def test_captured_steps_equal_eager_ones_with_the_same_dropout() -> None:
    eager, eager_state = trajectory(False)
    captured, captured_state = trajectory(True)
    assert captured == eager
    for name, value in eager_state.items():
        np.testing.assert_array_equal(captured_state[name], value, err_msg=name)


def test_check_passes_on_a_faithful_step_and_keeps_the_numbers() -> None:
    assert trajectory(True, check=2)[0] == trajectory(False)[0]


def test_check_raises_when_capture_cannot_see_what_the_function_reads() -> None:
    calls = [0.0]

    @ts.compile(check=2)
    def f(x: ts.Tensor) -> ts.Tensor:
        calls[0] += 1.0
        return x * calls[0]

    f(ts.asarray([1.0]))
    with pytest.raises(errors.GraphError, match="difference of"):
        f(ts.asarray([1.0]))


def test_python_runs_once_for_each_signature() -> None:
    runs = []

    @ts.compile
    def f(x: ts.Tensor, scale: float) -> ts.Tensor:
        runs.append(scale)
        return x * scale

    x = ts.asarray([1.0, 2.0])
    assert [f(x, 2.0).tolist(), f(x, 2.0).tolist(), f(x, 3.0).tolist()] == [[2.0, 4.0], [2.0, 4.0], [3.0, 6.0]]
    assert runs == [2.0, 3.0]
    f(ts.asarray([1.0, 2.0, 3.0]), 2.0)
    f(ts.asarray(np.ones(2)), 2.0)
    assert len(runs) == 4


def test_closures_are_read_anew_at_each_call() -> None:
    bias = ts.asarray([1.0])
    f = ts.compile(lambda x: x + bias)
    assert f(ts.asarray([1.0])).tolist() == [2.0]
    bias += 5
    assert f(ts.asarray([1.0])).tolist() == [7.0]


def test_arrays_made_inside_are_constants() -> None:
    held = np.ones(2, np.float32)
    f = ts.compile(lambda x: x + ts.asarray(held))
    assert f(ts.asarray([1.0, 1.0])).tolist() == [2.0, 2.0]
    held[:] = 9
    assert f(ts.asarray([1.0, 1.0])).tolist() == [2.0, 2.0]


def test_a_tensor_changed_in_place_is_changed_at_every_call() -> None:
    total = ts.asarray(0.0)

    @ts.compile
    def add(x: ts.Tensor) -> None:
        nonlocal total
        total += x

    for _ in range(3):
        add(ts.asarray(2.0))
    assert float(total) == 6.0


def test_an_argument_changed_in_place_is_rebound() -> None:
    @ts.compile
    def double(x: ts.Tensor) -> None:
        x *= 2

    for _ in range(2):
        x = ts.asarray([1.0, 2.0])
        same = x
        double(x)
        assert same.tolist() == [2.0, 4.0]


def test_an_array_argument_is_never_written() -> None:
    @ts.compile
    def double(x: ts.Tensor) -> ts.Tensor:
        x *= 2
        return x

    held = np.ones(2, np.float32)
    assert double(held).tolist() == [2.0, 2.0]
    assert double(held).tolist() == [2.0, 2.0]
    assert held.tolist() == [1.0, 1.0]


def test_the_same_tensor_twice_is_another_signature() -> None:
    f = ts.compile(lambda a, b: a + b)
    x, y = ts.asarray([1.0]), ts.asarray([10.0])
    assert f(x, x).tolist() == [2.0]
    assert f(x, y).tolist() == [11.0]


@pytest.mark.parametrize(
    "read",
    [float, bool, int, lambda t: t.item(), np.asarray, lambda t: t.tolist(), lambda t: 1 if t > 0 else 0],
    ids=["float", "bool", "int", "item", "asarray", "tolist", "if"],
)
def test_values_cannot_be_read_while_recording(read: Any) -> None:
    outside = ts.asarray(1.0)
    for take in (lambda x: x * 2, lambda x: outside):
        with pytest.raises(errors.GraphError, match="inside a compiled function"):
            ts.compile(lambda x, take=take: read(take(x)))(ts.asarray(1.0))


def test_a_recorded_tensor_that_was_kept_cannot_be_read_later() -> None:
    kept = []

    @ts.compile
    def f(x: ts.Tensor) -> ts.Tensor:
        kept.append(x * 2)
        return x

    f(ts.asarray(1.0))
    with pytest.raises(errors.GraphError, match="return it from the compiled function"):
        float(kept[0])


def test_errors_name_the_users_line() -> None:
    table = ts.asarray([1.0, 2.0])
    f = ts.compile(lambda i: ts.take(table, i, axis=0))
    with pytest.raises(errors.IndexRangeError, match=r"test_capture\.py:\d+"):
        f(ts.asarray([0, 5]))


@pytest.mark.parametrize("keep_grads", [False, True])
def test_gradients_after_a_step(keep_grads: bool) -> None:
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    step = ts.compile(stepper(model, optimizer), keep_grads=keep_grads)
    for i in range(3):
        step(*batch(seed=i))
        assert all((p.grad is not None) == keep_grads for p in model.parameters())


def test_gradients_add_up_over_calls_as_in_eager_mode() -> None:
    def accumulated(compiled: bool) -> list[np.ndarray]:
        model = network()

        def add(x: ts.Tensor, y: ts.Tensor) -> None:
            nn.functional.mse_loss(model(x), y).backward()

        run = ts.compile(add) if compiled else add
        for i in range(3):
            run(*map(ts.asarray, batch(seed=i)))
        return [np.asarray(p.grad) for p in model.parameters()]

    for eager, captured in zip(accumulated(False), accumulated(True), strict=True):
        np.testing.assert_array_equal(captured, eager)


def test_gradients_of_an_argument_belong_to_the_argument_of_the_call() -> None:
    @ts.compile
    def step(x: ts.Tensor) -> ts.Tensor:
        loss = ts.sum(x**3)
        loss.backward()
        return loss

    first, second = (ts.asarray([number]).requires_grad_() for number in (1.0, 2.0))
    for calls in (1, 2):
        step(first)
        step(second)
        assert (np.asarray(first.grad).item(), np.asarray(second.grad).item()) == (3.0 * calls, 12.0 * calls)


def test_numbers_of_the_optimizer_are_read_at_every_step() -> None:
    def run(compiled: bool) -> np.ndarray:
        p = nn.Parameter(ts.asarray([1.0, 2.0]))
        optimizer = optim.SGD([p], lr=0.1, momentum=0.9)

        def step() -> None:
            optimizer.zero_grad()
            ts.sum(p * p).backward()
            optimizer.step()

        step = ts.compile(step) if compiled else step
        for i in range(5):
            optimizer.param_groups[0]["lr"] = 0.1 / (i + 1)
            step()
        return np.asarray(p)

    np.testing.assert_array_equal(run(True), run(False))


def test_a_schedule_inside_the_step_is_a_host_action() -> None:
    def rates(compiled: bool) -> list[float]:
        p = nn.Parameter(ts.asarray([1.0]))
        optimizer = optim.SGD([p], lr=1.0)
        schedule = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)

        def step() -> None:
            optimizer.zero_grad()
            ts.sum(p * p).backward()
            optimizer.step()
            schedule.step()

        step = ts.compile(step) if compiled else step
        found = []
        for _ in range(6):
            found.append(optimizer.param_groups[0]["lr"])
            step()
        return found

    assert rates(True) == rates(False) == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]


def test_training_mode_is_part_of_the_signature_and_plans_are_kept() -> None:
    model = network(dropout=0.5)
    f = ts.compile(lambda x: model(x))
    x = ts.asarray(batch()[0])
    for _ in range(3):
        model.train()
        f(x)
        model.eval()
        np.testing.assert_array_equal(np.asarray(f(x)), np.asarray(model(x)))
    assert len(f.plans) == 2


def test_a_changed_module_is_recorded_anew() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    f = ts.compile(lambda x: model(x))
    x = ts.asarray(batch()[0])
    f(x)
    model[1] = nn.Tanh()
    np.testing.assert_array_equal(np.asarray(f(x)), np.asarray(model(x)))


def test_freezing_a_parameter_is_seen() -> None:
    model = nn.Linear(4, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    step = ts.compile(stepper(model, optimizer))
    step(*batch())
    model.weight.requires_grad_(False)
    before = np.asarray(model.weight)
    step(*batch())
    np.testing.assert_array_equal(np.asarray(model.weight), before)


def state_of(model: nn.Module, optimizer: optim.Optimizer) -> list[np.ndarray]:
    state = optimizer.state_dict()["state"]
    cells = [np.asarray(v) for s in state.values() for v in s.values()]
    return [*(np.asarray(v) for v in model.state_dict().values()), *cells]


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("fault", ["label", "nan"])
def test_a_step_that_fails_changes_nothing(compiled: bool, fault: str) -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    for layer in (model[1],):
        layer.eval()
    optimizer = optim.AdamW(model.parameters(), lr=0.1)

    def step(x: ts.Tensor, y: ts.Tensor) -> ts.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    step = ts.compile(step) if compiled else step
    x, y = ts.asarray(batch()[0]), ts.asarray(np.arange(8) % 3)
    step(x, y)
    before = state_of(model, optimizer)
    expected = errors.IndexRangeError if fault == "label" else errors.NonFiniteError
    with pytest.raises(expected):
        step(x, y + 1) if fault == "label" else step(x * float("nan"), y)
    for old, new in zip(before, state_of(model, optimizer), strict=True):
        np.testing.assert_array_equal(new, old)
    step(x, y)


def test_run_steps_equals_single_steps() -> None:
    xs, ys = (np.stack(part) for part in zip(*(batch(seed=i) for i in range(5)), strict=True))

    def run(many: bool) -> tuple[list[float], list[np.ndarray]]:
        model = network()
        optimizer = optim.AdamW(model.parameters(), lr=1e-2)
        step = ts.compile(stepper(model, optimizer))
        losses = step.run_steps(xs, ys).tolist() if many else [float(step(x, y)) for x, y in zip(xs, ys, strict=True)]
        return losses, state_of(model, optimizer)

    (many, many_state), (single, single_state) = run(True), run(False)
    assert many == single
    for a, b in zip(many_state, single_state, strict=True):
        np.testing.assert_array_equal(a, b)


def test_run_steps_goes_on_where_a_step_changes_what_it_depends_on() -> None:
    x = np.random.default_rng(0).normal(size=(4, 3, 2)).astype(np.float32)

    def run(many: bool) -> tuple[list[float], list[float]]:
        layer = nn.Linear(2, 1)
        layer.load_state_dict({"weight": ts.asarray([[0.5, -1.0]]), "bias": ts.asarray([0.25])})

        @ts.compile
        def accumulate(x: ts.Tensor) -> ts.Tensor:
            loss = ts.mean(ts.square(layer(x)))
            loss.backward()
            return loss

        losses = accumulate.run_steps(x).tolist() if many else [float(accumulate(part)) for part in x]
        assert len(accumulate.plans) == 2
        return losses, np.asarray(layer.weight.grad).ravel().tolist()

    assert run(True) == run(False)


def test_threads_on_one_model_see_before_or_after() -> None:
    counter = nn.Parameter(ts.asarray([0.0, 0.0]))
    optimizer = optim.SGD([counter], lr=1.0)

    @ts.compile
    def step() -> ts.Tensor:
        optimizer.zero_grad()
        (-ts.sum(counter)).backward()
        optimizer.step()
        return counter * 1

    step()
    seen: list[list[float]] = []

    def work() -> None:
        seen.extend(step().tolist() for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [[float(i), float(i)] for i in range(2, 102)]


def test_a_signature_that_changes_at_every_call_warns_and_names_the_cause() -> None:
    f = ts.compile(lambda x, scale: x * scale)

    def vary() -> None:
        for i in range(12):
            f(ts.asarray([1.0]), float(i))

    with pytest.warns(RuntimeWarning, match="better passed as a 0-d array"):
        vary()


def test_plans_are_evicted_least_recently_used_first() -> None:
    f = ts.compile(lambda x: x * 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for n in range(1, 80):
            f(ts.zeros(n))
    assert len(f.plans) == 64


def test_steady_state_allocates_no_output_buffers() -> None:
    model = network()
    optimizer = optim.AdamW(model.parameters(), lr=1e-2)
    step = ts.compile(stepper(model, optimizer))
    x, y = map(ts.asarray, batch())
    for _ in range(4):
        step(x, y)
    fresh = ts.debug.counters()["fresh_buffers"]
    for _ in range(10):
        step(x, y)
    assert ts.debug.counters()["fresh_buffers"] == fresh


def test_structures_of_results_come_back() -> None:
    f = ts.compile(lambda d: {"sum": d["a"] + d["b"], "rest": [None, "text", (d["a"],)]})
    result = f({"a": ts.asarray(1.0), "b": ts.asarray(2.0)})
    assert float(result["sum"]) == 3.0
    assert result["rest"][:2] == [None, "text"]
    assert float(result["rest"][2][0]) == 1.0


def test_methods_can_be_compiled() -> None:
    class Model:
        def __init__(self, scale: float) -> None:
            self.scale = scale

        @ts.compile
        def run(self, x: ts.Tensor) -> ts.Tensor:
            return x * self.scale

    assert [float(Model(s).run(ts.asarray(1.0))) for s in (2.0, 3.0)] == [2.0, 3.0]


def test_gradient_functions_work_inside() -> None:
    f = ts.compile(lambda x: ts.grad(ts.grad(lambda v: ts.sum(v**3)))(x) if x.ndim == 0 else x)
    assert float(f(ts.asarray(2.0))) == pytest.approx(12.0)


def test_a_tape_from_outside_is_refused() -> None:
    w = ts.asarray([1.0]).requires_grad_()
    y = w * 2
    with pytest.raises(errors.GraphError, match="leaves"):
        ts.compile(lambda: y + 1)()


def test_an_exception_inside_leaves_everything_as_it_was() -> None:
    p = nn.Parameter(ts.asarray([1.0]))
    total = ts.asarray(0.0)

    def broken() -> None:
        nonlocal total
        total += 1
        with ts.no_grad():
            p.copy_(ts.asarray([5.0]))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ts.compile(broken)()
    assert float(total) == 0.0
    assert p.tolist() == [1.0]
    assert float(p + 1) == 2.0
