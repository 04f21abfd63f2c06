"""What every optimizer does. One row per optimizer and its options; a row inherits all laws."""

import copy
import math
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn, optim
from trainsmith.errors import ArgumentError, GraphError, NonFiniteError


@dataclass(frozen=True)
class Row:
    """An optimizer with options, the state it keeps for a matrix, and what it needs for a small quadratic.

    Attributes:
        kind: its class.
        options: what it is made with.
        state: names of state tensors.
        numbers: names of numbers in the state, besides the step.
        steps: until it is at the goal.
        atol: how near it comes; optimizers whose steps do not shrink with the gradient swing around it.
        steep: whether its rate suits a slope of about 1, and a far steeper one needs a lower rate.
        matrices: whether it takes parameters of two axes alone.
    """

    kind: type[optim.Optimizer]
    options: Mapping[str, Any] = field(default_factory=dict)
    state: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    steps: int = 300
    atol: float = 0.02
    steep: bool = True
    matrices: bool = False

    def make(self, params, **more):
        return self.kind(params, **{**self.options, **more})

    def of(self, layer):
        return [param for param in layer.parameters() if not self.matrices or param.ndim == 2]


MEANS = ("exp_avg", "exp_avg_sq")
FACTORS = ("row_var", "col_var")
CODED = (*MEANS, "exp_avg_absmax", "exp_avg_sq_absmax")
PLAIN = {"lr": 0.1, "weight_decay": 0.0}
LIKE_RMS = {"lr": 0.02, "centered": True, "momentum": 0.5, "alpha": 0.9}
ROWS = {
    "SGD": Row(optim.SGD, {"lr": 0.1}),
    "SGD momentum": Row(optim.SGD, {"lr": 0.05, "momentum": 0.9}, ("momentum_buffer",)),
    "SGD dampened": Row(optim.SGD, {"lr": 0.1, "momentum": 0.5, "dampening": 0.5}, ("momentum_buffer",)),
    "SGD nesterov": Row(optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True}, ("momentum_buffer",)),
    "Adam": Row(optim.Adam, {"lr": 0.1}, MEANS),
    "Adam amsgrad": Row(optim.Adam, {"lr": 0.1, "amsgrad": True}, (*MEANS, "max_exp_avg_sq"), steps=600),
    "Adam decoupled": Row(optim.Adam, {"lr": 0.1, "decoupled_weight_decay": True}, MEANS),
    "AdamW": Row(optim.AdamW, PLAIN, MEANS),
    "AdamW amsgrad": Row(optim.AdamW, {**PLAIN, "amsgrad": True}, (*MEANS, "max_exp_avg_sq"), steps=600),
    "AdamW kingma": Row(optim.AdamW, {**PLAIN, "eps_mode": "kingma", "eps": 1e-3}, MEANS),
    "NAdam": Row(optim.NAdam, {"lr": 0.1}, MEANS, ("mu_product",)),
    "NAdam decoupled": Row(optim.NAdam, {"lr": 0.1, "decoupled_weight_decay": True}, MEANS, ("mu_product",)),
    "RAdam": Row(optim.RAdam, {"lr": 0.1}, MEANS),
    "Adamax": Row(optim.Adamax, {"lr": 0.1}, ("exp_avg", "exp_inf")),
    "RMSprop": Row(optim.RMSprop, {"lr": 0.02}, ("square_avg",), steps=400),
    "RMSprop centered": Row(optim.RMSprop, LIKE_RMS, ("square_avg", "grad_avg", "momentum_buffer"), atol=0.2),
    "Adagrad": Row(optim.Adagrad, {"lr": 1.0}, ("sum",)),
    "Adagrad decay": Row(optim.Adagrad, {"lr": 1.0, "lr_decay": 1e-3, "initial_accumulator_value": 0.1}, ("sum",)),
    "Adadelta": Row(optim.Adadelta, {"lr": 1.0, "eps": 1e-3}, ("square_avg", "acc_delta"), steps=600),
    "Adafactor": Row(optim.Adafactor, {"lr": 5e-3, "eps": (None, 1.0)}, FACTORS, steps=1000, steep=False),
    "Muon": Row(
        optim.Muon,
        {"lr": 0.01, "weight_decay": 0.0, "momentum": 0.5},
        ("momentum_buffer",),
        steps=600,
        steep=False,
        matrices=True,
    ),
    "Lion": Row(optim.Lion, {"lr": 5e-3, "betas": (0.5, 0.5)}, ("exp_avg",), steps=800, steep=False),
    "LARS": Row(optim.LARS, {"lr": 1.0, "momentum": 0.0, "trust_coefficient": 3e-3}, steps=600, steep=False),
    "LARS momentum": Row(
        optim.LARS, {"lr": 0.5, "trust_coefficient": 1e-3}, ("momentum_buffer",), steps=900, atol=0.05
    ),
    "LAMB": Row(optim.LAMB, {"lr": 0.01, "weight_decay": 0.0}, MEANS, steps=1000, atol=0.05),
    "AdamW8bit": Row(optim.AdamW8bit, {"lr": 0.05, "weight_decay": 0.0, "min_8bit_size": 0}, CODED, atol=0.05),
    "AdamW8bit small": Row(optim.AdamW8bit, PLAIN, MEANS),
}
TABLE = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
GOAL = np.array([[1.0, -2.0], [0.5, 3.0]])


def test_every_optimizer_has_a_row():
    finals = {getattr(optim, name) for name in optim.__all__}
    kinds = {kind for kind in finals if isinstance(kind, type) and issubclass(kind, optim.Optimizer)}
    assert kinds - {optim.Optimizer} == {row.kind for row in ROWS.values()}


def parameter(dtype="float64", value=0.0):
    return nn.Parameter(ts.full(GOAL.shape, value, dtype=getattr(ts, dtype)))


def pull(optimizer, *params, sign=1.0):
    """Takes a step down the distance from the goal."""
    optimizer.zero_grad()
    for param in params:
        goal = ts.asarray(GOAL, dtype=param.dtype)
        (sign * ((param - goal) ** 2).sum()).backward()
    optimizer.step()


def run(row, steps, seed_state=None, optimizer=None, params=None):
    params = params or [parameter(), parameter(value=2.0)]
    optimizer = optimizer or row.make(params)
    for _ in range(steps):
        pull(optimizer, *params)
    return params, optimizer


@TABLE
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_reaches_the_goal(row, dtype):
    param = parameter(dtype)
    optimizer = row.make([param])
    for _ in range(row.steps):
        pull(optimizer, param)
    np.testing.assert_allclose(param.numpy(), GOAL, atol=row.atol)


@TABLE
def test_it_goes_down_a_curved_valley(row):
    """The Rosenbrock function, every row of the parameter a start of its own."""
    starts = np.array([[-1.0, 1.0], [0.5, -0.5]])
    param = nn.Parameter(ts.asarray(starts))
    optimizer = row.make([param], lr=row.options["lr"] * (0.02 if row.steep else 1.0))

    def height():
        x, y = param[:, 0], param[:, 1]
        return ((1 - x) ** 2 + 100 * (y - x**2) ** 2).sum()

    first = float(height())
    for _ in range(200):
        optimizer.zero_grad()
        height().backward()
        optimizer.step()
    assert float(height()) < 0.9 * first


@TABLE
def test_maximize_climbs(row):
    down, up = parameter(), parameter()
    for param, sign, maximize in ((down, 1.0, False), (up, -1.0, True)):
        optimizer = row.make([param], maximize=maximize)
        for _ in range(5):
            pull(optimizer, param, sign=sign)
    np.testing.assert_allclose(up.numpy(), down.numpy(), rtol=1e-12)


@TABLE
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_state_and_parameters_keep_dtype_and_shape(row, dtype):
    param = nn.Parameter(ts.zeros(GOAL.shape, dtype=getattr(ts, dtype)))
    optimizer = row.make([param])
    seen = []
    for _ in range(3):
        pull(optimizer, param)
        assert (param.dtype, param.shape) == (getattr(ts, dtype), GOAL.shape)
        state = optimizer.state_dict()["state"][0]
        assert set(state) == {"step", *row.state, *row.numbers}
        seen.append({name: (state[name].dtype, state[name].shape) for name in row.state})
    assert seen[0] == seen[1] == seen[2]
    assert bool(ts.all(ts.isfinite(param)))
    wide = ts.float64 if dtype == "float64" else ts.float32
    floating = {kind for kind, _ in seen[0].values() if kind.is_floating}
    assert floating <= {wide, *([ts.float32] if "8bit" in row.kind.__name__ else [])}


@TABLE
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_moves_like_single_precision(row, dtype):
    half, single = parameter(dtype, value=2.0), parameter("float32", value=2.0)
    for param in (half, single):
        optimizer = row.make([param])
        for _ in range(5):
            optimizer.zero_grad()
            param.grad = ts.asarray([[1.0, -2.0], [0.5, 3.0]], dtype=param.dtype) / 64
            optimizer.step()
    moved = single.numpy() - 2
    wide = ts.astype(half, ts.float32).numpy() - 2
    np.testing.assert_allclose(wide, moved, rtol=0.1, atol=5 * (2.0**-6 if dtype == "bfloat16" else 2.0**-9))


@TABLE
def test_gradients_add_up_until_they_are_cleared(row):
    param = parameter()
    optimizer = row.make([param])
    for _ in range(2):
        (param * 3).sum().backward()
    assert param.grad.tolist() == [[6.0, 6.0], [6.0, 6.0]]
    optimizer.zero_grad(set_to_none=False)
    assert param.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    optimizer.zero_grad()
    assert param.grad is None
    optimizer.step()
    assert param.tolist() == [[0.0, 0.0], [0.0, 0.0]]


@TABLE
def test_a_rate_of_zero_stands_still_and_a_new_rate_counts_at_once(row):
    (param, _), optimizer = run(row, 2)
    before = param.tolist()
    optimizer.param_groups[0]["lr"] = 0.0
    pull(optimizer, param)
    assert param.tolist() == before
    optimizer.param_groups[0]["lr"] = 0.1
    pull(optimizer, param)
    assert param.tolist() != before


@TABLE
def test_groups_have_options_of_their_own(row):
    slow, fast, alone = parameter(), parameter(), parameter()
    optimizer = row.make([{"params": [slow], "lr": 0.002}, {"params": fast}])
    reference = row.make([alone], lr=0.002)
    for _ in range(3):
        pull(optimizer, slow, fast)
        pull(reference, alone)
    assert slow.tolist() == alone.tolist()
    assert slow.tolist() != fast.tolist()


@TABLE
def test_a_resumed_run_has_the_bits_of_an_uninterrupted_one(row):
    whole, _ = run(row, 20)
    halfway, optimizer = run(row, 9)
    state = optimizer.state_dict()
    state["param_groups"] = [dict(group) for group in state["param_groups"]]
    copies = [nn.Parameter(ts.asarray(param.numpy().copy())) for param in halfway]
    resumed = row.make(copies)
    resumed.load_state_dict(state)
    run(row, 11, optimizer=resumed, params=copies)
    for one, two in zip(whole, copies):
        assert one.tolist() == two.tolist()
    for place, entry in optimizer.state_dict()["state"].items():
        assert entry["step"] == 9, place


@TABLE
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_a_copy_of_module_and_optimizer_goes_on_alone(row, duplicate):
    layer = nn.Linear(2, 2, bias=False, dtype=ts.float64)
    optimizer = row.make([{"params": layer.parameters(), "lr": 0.05, "name": "all"}])
    pull(optimizer, layer.weight)
    twin, follower = duplicate((layer, optimizer))
    before = layer.weight.tolist()
    pull(follower, twin.weight)
    assert layer.weight.tolist() == before
    pull(optimizer, layer.weight)
    assert layer.weight.tolist() == twin.weight.tolist()
    assert repr(follower) == repr(optimizer)


@TABLE
def test_state_is_a_snapshot(row):
    params, optimizer = run(row, 2)
    state = optimizer.state_dict()["state"]
    before = {name: state[0][name].tolist() for name in row.state}
    run(row, 2, optimizer=optimizer, params=params)
    assert {name: state[0][name].tolist() for name in row.state} == before


@TABLE
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_changes_nothing(row, bad):
    params, optimizer = run(row, 3)
    params[1].name_ = "the_second"
    before = [param.tolist() for param in params], optimizer.state_dict()
    for param in params:
        param.grad = ts.ones(GOAL.shape, dtype=ts.float64)
    params[1].grad = ts.asarray(np.array([[1.0, bad], [0.0, 0.0]]))
    with pytest.raises(NonFiniteError, match="the_second"):
        optimizer.step()
    after = [param.tolist() for param in params], optimizer.state_dict()
    assert after[0] == before[0]
    for place, entry in before[1]["state"].items():
        for name in ("step", *row.numbers):
            assert after[1]["state"][place][name] == entry[name]
        for name in row.state:
            assert after[1]["state"][place][name].tolist() == entry[name].tolist()
    pull(optimizer, *params)
    assert [param.tolist() for param in params] != before[0]


@TABLE
def test_frozen_parameters_stay(row):
    frozen, free = parameter(), parameter()
    optimizer = row.make([frozen, free])
    pull(optimizer, frozen, free)
    frozen.requires_grad_(False)
    before = frozen.tolist()
    optimizer.zero_grad()
    ((frozen + free) ** 2).sum().backward()
    optimizer.step()
    assert frozen.tolist() == before
    frozen.requires_grad_(True)
    pull(optimizer, frozen, free)
    assert frozen.tolist() != before


@TABLE
def test_parameters_that_a_conversion_replaced_are_refused(row):
    layer = nn.Linear(2, 1)
    optimizer = row.make(row.of(layer))
    layer.float()
    optimizer.step()
    layer.double()
    with pytest.raises(GraphError, match=r"weight, which Module\.to has replaced"):
        optimizer.step()
    row.make(row.of(layer)).step()


@TABLE
def test_captured_steps_have_the_numbers_of_eager_ones(row):
    eager, captured = [parameter(), parameter(value=2.0)], [parameter(), parameter(value=2.0)]
    reference, optimizer = row.make(eager), row.make(captured)
    step = ts.compile(lambda: pull(optimizer, *captured))
    for count in range(10):
        if count == 5:
            for one in (reference, optimizer):
                one.param_groups[0]["lr"] *= 0.5
        pull(reference, *eager)
        step()
        for one, two in zip(eager, captured):
            np.testing.assert_allclose(two.numpy(), one.numpy(), rtol=1e-12, atol=1e-14)
    assert len(step.plans) == 1
    assert {entry["step"] for entry in optimizer.state_dict()["state"].values()} <= {10}


@TABLE
def test_a_captured_step_that_fails_changes_nothing(row):
    (param, _), _ = run(row, 0)
    optimizer = row.make([param])

    @ts.compile
    def step(scale):
        optimizer.zero_grad()
        (param * scale).sum().backward()
        optimizer.step()

    step(ts.asarray(1.0, dtype=ts.float64))
    before, state = param.tolist(), optimizer.state_dict()["state"]
    with pytest.raises(NonFiniteError):
        step(ts.asarray(math.nan, dtype=ts.float64))
    assert param.tolist() == before
    assert {k: v["step"] for k, v in optimizer.state_dict()["state"].items()} == {
        k: v["step"] for k, v in state.items()
    }


@TABLE
def test_changed_flags_are_recorded_again(row):
    eager, captured = parameter(), parameter()
    reference, optimizer = row.make([eager]), row.make([captured])
    step = ts.compile(lambda: pull(optimizer, captured))
    for maximize in (False, True, False):
        for one in (reference, optimizer):
            one.param_groups[0]["maximize"] = maximize
        pull(reference, eager)
        step()
        np.testing.assert_allclose(captured.numpy(), eager.numpy(), rtol=1e-12)


@TABLE
def test_a_closure_gives_the_loss(row):
    param = parameter()
    optimizer = row.make([param])

    def closure():
        optimizer.zero_grad()
        loss = ((param - 1) ** 2).sum()
        loss.backward()
        return loss

    assert float(optimizer.step(closure)) == 4.0
    assert optimizer.step() is None


@TABLE
@pytest.mark.parametrize("option", ["lr", "weight_decay"])
def test_options_outside_their_domain_are_refused(row, option):
    with pytest.raises(ArgumentError, match=option):
        row.make([parameter()], **{option: -1.0})
    with pytest.raises(ArgumentError, match=option):
        row.make([parameter()], **{option: "fast"})
    optimizer = row.make([parameter()])
    before = optimizer.param_groups[0][option]
    with pytest.raises(ArgumentError, match=option):
        optimizer.param_groups[0][option] = -1.0
    assert optimizer.param_groups[0][option] == before


BAD_PARAMETERS = {
    "none": ([], "at least one parameter in an iterable, .* got list"),
    "a parameter alone": (parameter(), "at least one parameter in an iterable, .* got Parameter"),
    "a tensor": ([ts.ones(1)], "Tensor at place 0"),
    "an array": ([parameter(), np.ones(1)], "ndarray at place 1"),
    "a name alone": (["weight"], "str at place 0"),
    "a group without parameters": ([{"lr": 0.1}], "a mapping with"),
    "an empty group": ([{"params": []}], "at least one parameter per group"),
    "a misspelt option": ([{"params": [parameter()], "weight_deacy": 0.1}], "did you mean 'weight_decay'"),
}


@pytest.mark.parametrize(("params", "message"), BAD_PARAMETERS.values(), ids=BAD_PARAMETERS)
@TABLE
def test_what_is_no_parameter_is_refused(row, params, message):
    with pytest.raises(ArgumentError, match=message):
        row.make(params)


@TABLE
def test_a_parameter_belongs_to_one_group(row):
    param = parameter()
    with pytest.raises(ArgumentError, match="twice"):
        row.make([param, param])
    optimizer = row.make([param])
    with pytest.raises(ArgumentError, match="twice"):
        optimizer.add_param_group({"params": [param]})
    assert len(optimizer.param_groups) == 1


@TABLE
def test_named_parameters_name_themselves(row):
    layer = nn.Linear(2, 1)
    named = [(f"head.{name}", param) for name, param in layer.named_parameters() if param.ndim == 2 or not row.matrices]
    optimizer = row.make(named)
    assert layer.weight.name_ == "head.weight"
    assert [id(param) for param in optimizer.param_groups[0]["params"]] == [id(param) for param in row.of(layer)]


@TABLE
def test_repr_lists_groups(row):
    text = repr(row.make([parameter()]))
    assert text.startswith(f"{row.kind.__name__} (\nParameter Group 0\n")
    assert f"    lr: {row.options['lr']}\n" in text


@TABLE
def test_steps_count_on_after_state_was_loaded(row):
    param = parameter()
    optimizer = row.make([param])
    for _ in range(2):
        param.grad = ts.ones(param.shape, dtype=param.dtype)
        optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
    param.grad = ts.ones(param.shape, dtype=param.dtype)
    optimizer.step()
    assert optimizer.state_dict()["state"][0]["step"] == 3
