"""Libraries that speak the array API standard take our tensors, and give what they give for NumPy arrays."""

import einops.array_api as einops
import numpy as np
import pytest
import scipy.cluster.vq
import scipy.integrate
import scipy.optimize
import scipy.special
import scipy.stats
from array_api_compat import array_namespace, device, is_array_api_obj, size, to_device
from sklearn import config_context, metrics
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, StandardScaler

import trainsmith as ts

RNG = np.random.default_rng(10)
X = RNG.normal(size=(40, 5))
Y = X @ np.arange(5.0) + 0.1
LABELS = (Y > 0).astype(np.int64)


def close(got, want):
    assert isinstance(got, ts.Tensor)
    np.testing.assert_allclose(np.asarray(got), want, rtol=1e-9, atol=1e-11)


EINOPS = {
    "rearrange": lambda x: einops.rearrange(x, "(a b) c -> b a c", a=4),
    "reduce": lambda x: einops.reduce(x, "(a b) c -> b c", "mean", a=4),
    "repeat": lambda x: einops.repeat(x, "a b -> a r b", r=3),
    "pack": lambda x: einops.pack([x, x], "a * b")[0],
}


@pytest.mark.parametrize("name", EINOPS)
def test_einops(name):
    close(EINOPS[name](ts.asarray(X)), EINOPS[name](X))


def test_einops_has_gradients_and_is_captured():
    x = ts.asarray(X).requires_grad_()
    einops.reduce(x * x, "(a b) c -> b c", "mean", a=4).sum().backward()
    close(x.grad, X / 2)
    close(ts.compile(EINOPS["reduce"])(ts.asarray(X)), EINOPS["reduce"](X))


TRANSFORMERS = {
    "StandardScaler": StandardScaler(),
    "MinMaxScaler": MinMaxScaler(),
    "MaxAbsScaler": MaxAbsScaler(),
    "PCA by singular values": PCA(2, svd_solver="full"),
    "PCA by eigenvalues": PCA(2, svd_solver="covariance_eigh"),
    "PCA by random projections": PCA(2, svd_solver="randomized", random_state=0, power_iteration_normalizer="QR"),
}


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_transformers_of_scikit_learn(name):
    model = TRANSFORMERS[name]
    want = model.fit_transform(X)
    restored = model.inverse_transform(want)
    with config_context(array_api_dispatch=True):
        got = model.fit_transform(ts.asarray(X))
        back = model.inverse_transform(got)
    signs = np.sign((np.asarray(got) * want).sum(0)) if name.startswith("PCA") else 1
    close(got, want * signs)
    close(back, restored)


def test_predictors_of_scikit_learn():
    with config_context(array_api_dispatch=True):
        ridge = Ridge(solver="svd").fit(ts.asarray(X), ts.asarray(Y))
        close(ridge.predict(ts.asarray(X)), Ridge(solver="svd").fit(X, Y).predict(X))
        discriminant = LinearDiscriminantAnalysis().fit(ts.asarray(X), ts.asarray(LABELS))
        close(discriminant.predict(ts.asarray(X)), LinearDiscriminantAnalysis().fit(X, LABELS).predict(X))


@pytest.mark.parametrize("name", ["mean_squared_error", "mean_absolute_error", "r2_score", "max_error"])
def test_metrics_of_numbers(name):
    metric = getattr(metrics, name)
    with config_context(array_api_dispatch=True):
        got = metric(ts.asarray(Y), ts.asarray(Y**2))
    assert float(got) == pytest.approx(metric(Y, Y**2), rel=1e-12)


@pytest.mark.parametrize("name", ["accuracy_score", "zero_one_loss", "f1_score", "confusion_matrix"])
def test_metrics_of_classes(name):
    metric, guesses = getattr(metrics, name), np.roll(LABELS, 3)
    with config_context(array_api_dispatch=True):
        got = metric(ts.asarray(LABELS), ts.asarray(guesses))
    np.testing.assert_allclose(np.asarray(got), metric(LABELS, guesses), rtol=1e-12)


SCIPY = {
    "logsumexp": lambda x: scipy.special.logsumexp(x, axis=0),
    "softmax": lambda x: scipy.special.softmax(x, axis=1),
    "expit": scipy.special.expit,
    "zscore": scipy.stats.zscore,
    "pearsonr": lambda x: scipy.stats.pearsonr(x[:, 0], x[:, 1]).statistic,
    "ttest_ind": lambda x: scipy.stats.ttest_ind(x[:, 0], x[:, 1]).statistic,
    "skew": scipy.stats.skew,
    "kurtosis": scipy.stats.kurtosis,
    "moment": lambda x: scipy.stats.moment(x, order=3),
    "trapezoid": lambda x: scipy.integrate.trapezoid(x, axis=0),
    "whiten": scipy.cluster.vq.whiten,
    "rosen_der": lambda x: scipy.optimize.rosen_der(x[0, :]),
}


@pytest.mark.parametrize("name", SCIPY)
def test_functions_of_scipy(name):
    close(SCIPY[name](ts.asarray(X)), SCIPY[name](X))


def test_array_api_compat():
    x = ts.asarray(X)
    assert is_array_api_obj(x)
    assert array_namespace(x) is ts
    assert (device(x), size(x)) == ("cpu", 200)
    assert to_device(x, "cpu").device == "cpu"


def test_dlpack_both_ways():
    x = np.arange(12.0).reshape(3, 4)
    assert ts.from_dlpack(x).tolist() == x.tolist()
    assert np.from_dlpack(ts.asarray(x)).tolist() == x.tolist()


def test_a_tensor_without_axes_is_not_iterable():
    assert not np.iterable(ts.asarray(1.0))
