"""Numbers that the specification and papers give: both forms of eps, eight-bit state, sizes of steps."""

import numpy as np
import pytest

import trainsmith as ts
from trainsmith import nn, optim


def trajectory(optimizer_of, start, gradients):
    """Takes a step for each gradient and gives the parameter after each."""
    param = nn.Parameter(ts.asarray(np.array(start)))
    optimizer = optimizer_of([param])
    values = []
    for gradient in gradients:
        param.grad = ts.asarray(np.array(gradient))
        optimizer.step()
        values.append(param.tolist())
    return np.array(values), optimizer.state_dict()["state"][0]


GRADIENTS = [[0.1, -0.2], [0.3, 0.1], [-0.2, 0.05]]
ADAMW = {
    "torch": [
        [0.9989900000999999, -1.99898000005],
        [0.9980622291220549, -1.9986936732271863],
        [0.9977943447066057, -1.9986122974323044],
    ],
    "kingma": [
        [0.9989900031622677, -1.9989800015811363],
        [0.9980622330610819, -1.9986936751182678],
        [0.9977943488517099, -1.998612299403522],
    ],
}


@pytest.mark.parametrize("mode", ADAMW)
def test_adamw_in_both_forms_of_eps(mode):
    values, state = trajectory(lambda p: optim.AdamW(p, eps_mode=mode), [1.0, -2.0], GRADIENTS)
    np.testing.assert_allclose(values, ADAMW[mode], rtol=1e-14)
    np.testing.assert_allclose(state["exp_avg"].tolist(), [0.0151, -0.0022], rtol=1e-12)
    np.testing.assert_allclose(state["exp_avg_sq"].tolist(), [1.3989001e-4, 5.241004e-5], rtol=1e-12)


EPS = {
    "torch": [0.95, 0.90, 0.85],
    "kingma": [0.9969346569968285, 0.9926549841495852, 0.9874646415971692],
}


@pytest.mark.parametrize("mode", EPS)
def test_a_large_eps_tells_the_forms_apart(mode):
    options = {"lr": 0.1, "eps": 1e-3, "weight_decay": 0.0, "eps_mode": mode}
    values, _ = trajectory(lambda p: optim.AdamW(p, **options), [1.0], [[1e-3]] * 3)
    np.testing.assert_allclose(values[:, 0], EPS[mode], rtol=1e-12)


def test_eight_bits_keep_small_values_beside_large_ones():
    """With a linear code the second weight would move by 16 here."""
    options = {"lr": 1e-3, "eps": 1e-8, "weight_decay": 0.0}
    gradients = [[1.0, 0.01], [0.0, 0.0], [0.0, 0.0]]
    coded, state = trajectory(lambda p: optim.AdamW8bit(p, **options, min_8bit_size=0), [0.0, 0.0], gradients)
    whole, _ = trajectory(lambda p: optim.AdamW(p, **options), [0.0, 0.0], gradients)
    np.testing.assert_allclose(whole[-1], [-0.00218801, -0.00218795], rtol=1e-4)
    np.testing.assert_allclose(coded, whole, rtol=0.05)
    assert (state["exp_avg"].dtype, state["exp_avg_sq"].dtype) == (ts.int8, ts.uint8)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 1024])
def test_eight_bits_follow_full_precision(size):
    rng = np.random.default_rng(size)
    scale = 10.0 ** rng.uniform(-1, 1, size)
    gradients = [scale * rng.normal(size=size) for _ in range(20)]
    start = rng.normal(size=size)
    coded, state = trajectory(lambda p: optim.AdamW8bit(p, lr=0.01, min_8bit_size=0), start, gradients)
    whole, _ = trajectory(lambda p: optim.AdamW(p, lr=0.01), start, gradients)
    moved = np.abs(whole[-1] - start)
    assert np.abs(coded - whole).max() < 0.1
    assert np.median(np.abs(coded[-1] - whole[-1])) < 0.1 * np.median(moved)
    blocks = -(-size // 256)
    assert state["exp_avg"].shape == (size,)
    assert state["exp_avg_absmax"].shape == state["exp_avg_sq_absmax"].shape == (blocks,)


def test_codes_of_eight_bits():
    """Magnitudes relative to the largest: itself, steps of the same decade, a decade further down, nothing."""
    rows = np.array([8.0, -8.0, 4.0, 0.8, 0.08, 8e-7, 0.0, 8e-9])
    _, state = trajectory(lambda p: optim.AdamW8bit(p, betas=(0.0, 0.0), min_8bit_size=0), np.zeros(8), [rows])
    assert state["exp_avg"].tolist() == [127, -127, 92, 64, 32, 1, 0, 0]
    assert float(state["exp_avg_absmax"][0]) == 8.0
    second = state["exp_avg_sq"].tolist()
    assert second[0] == second[1] == 254
    assert second[5:] == [1, 0, 1]


def test_layerwise_steps_are_as_long_as_the_parameter_says():
    """LAMB moves a parameter by lr times its norm; LARS by lr times trust times its norm, without momentum."""
    start = np.array([3.0, -4.0])
    values, _ = trajectory(lambda p: optim.LAMB(p, lr=0.1, weight_decay=0.0), start, [[1.0, 100.0]])
    np.testing.assert_allclose(np.linalg.norm(values[0] - start), 0.5, rtol=1e-6)
    options = {"lr": 2.0, "momentum": 0.0, "trust_coefficient": 0.01, "eps": 0.0}
    values, _ = trajectory(lambda p: optim.LARS(p, **options), start, [[1.0, 100.0]])
    np.testing.assert_allclose(np.linalg.norm(values[0] - start), 0.1, rtol=1e-12)


def test_lion_steps_by_the_sign_alone():
    values, state = trajectory(lambda p: optim.Lion(p, lr=0.1), [1.0, 1.0, 1.0], [[5.0, -1e-3, 0.0], [-0.5, 1.0, 0.0]])
    np.testing.assert_allclose(values, [[0.9, 1.1, 1.0], [1.0, 1.0, 1.0]], rtol=1e-12)
    np.testing.assert_allclose(state["exp_avg"].tolist(), [0.0445, 0.0099901, 0.0], rtol=1e-12)


@pytest.mark.parametrize("shape", [(6, 3), (3, 6)])
@pytest.mark.parametrize(("adjust", "factor"), [("original", None), ("match_rms_adamw", 0.2 * 6**0.5)])
def test_muon_steps_are_nearly_orthogonal(shape, adjust, factor):
    gradient = np.random.default_rng(0).normal(size=shape)
    options = {"lr": 1.0, "weight_decay": 0.0, "adjust_lr_fn": adjust}
    values, _ = trajectory(lambda p: optim.Muon(p, **options), np.zeros(shape), [gradient])
    sizes = np.linalg.svd(values[0], compute_uv=False) / (factor or max(1.0, shape[0] / shape[1]) ** 0.5)
    assert sizes.min() > 0.5
    assert sizes.max() < 1.5


def test_adafactor_keeps_rows_and_columns():
    _, state = trajectory(optim.Adafactor, np.ones((2, 3, 4)), [np.ones((2, 3, 4))])
    assert (state["row_var"].shape, state["col_var"].shape) == ((2, 3, 1), (2, 1, 4))
    _, state = trajectory(optim.Adafactor, np.ones(3), [np.ones(3)])
    assert state["variance"].shape == (3,)


def test_a_number_per_parameter_is_loaded_from_a_torch_checkpoint():
    _, state = trajectory(optim.NAdam, [1.0], [[1.0]])
    assert state["mu_product"] == pytest.approx(0.9 * (1 - 0.5 * 0.96**0.004), rel=1e-12)
    optimizer = optim.NAdam([nn.Parameter(ts.ones(1))])
    foreign = {**state, "step": ts.asarray(1.0), "mu_product": ts.asarray(0.5)}
    optimizer.load_state_dict({"state": {0: foreign}, "param_groups": optimizer.state_dict()["param_groups"]})
    assert optimizer.state_dict()["state"][0]["mu_product"] == 0.5


def test_the_accumulator_of_adagrad_starts_where_it_is_told():
    _, state = trajectory(lambda p: optim.Adagrad(p, initial_accumulator_value=0.5), [1.0], [[2.0]])
    assert state["sum"].tolist() == [4.5]
