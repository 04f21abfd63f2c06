"""The surface: names, signatures and the standard's questions."""

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import trainsmith as ts
from trainsmith.errors import ArgumentError

PACKAGE = Path(ts.__file__).parent

# The standard's signatures (annotations left out), from its 2024.12 pages.
STANDARD = """
abs(x, /) acos(x, /) acosh(x, /) add(x1, x2, /) all(x, /, *, axis=None, keepdims=False)
any(x, /, *, axis=None, keepdims=False) arange(start, /, stop=None, step=1, *, dtype=None, device=None)
argmax(x, /, *, axis=None, keepdims=False) argmin(x, /, *, axis=None, keepdims=False)
argsort(x, /, *, axis=-1, descending=False, stable=True) asarray(obj, /, *, dtype=None, device=None, copy=None)
asin(x, /)
asinh(x, /) astype(x, dtype, /, *, copy=True, device=None) atan(x, /) atan2(x1, x2, /) atanh(x, /)
bitwise_and(x1, x2, /) bitwise_invert(x, /) bitwise_left_shift(x1, x2, /) bitwise_or(x1, x2, /)
bitwise_right_shift(x1, x2, /)
bitwise_xor(x1, x2, /) broadcast_arrays(*arrays) broadcast_to(x, /, shape) can_cast(from_, to, /) ceil(x, /)
clip(x, /, min=None, max=None) concat(arrays, /, *, axis=0) conj(x, /) copysign(x1, x2, /) cos(x, /) cosh(x, /)
count_nonzero(x, /, *, axis=None, keepdims=False)
cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False)
cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False)
diff(x, /, *, axis=-1, n=1, prepend=None, append=None) divide(x1, x2, /) empty(shape, *, dtype=None, device=None)
empty_like(x, /, *, dtype=None, device=None) equal(x1, x2, /) exp(x, /) expand_dims(x, /, axis=0) expm1(x, /)
eye(n_rows, n_cols=None, /, *, k=0, dtype=None, device=None) finfo(type, /) flip(x, /, *, axis=None) floor(x, /)
floor_divide(x1, x2, /) from_dlpack(x, /, *, device=None, copy=None)
full(shape, fill_value, *, dtype=None, device=None) full_like(x, /, fill_value, *, dtype=None, device=None)
greater(x1, x2, /) greater_equal(x1, x2, /) hypot(x1, x2, /) iinfo(type, /) imag(x, /) isdtype(dtype, kind)
isfinite(x, /) isinf(x, /) isnan(x, /) less(x1, x2, /) less_equal(x1, x2, /)
linspace(start, stop, /, num, *, dtype=None, device=None, endpoint=True) log(x, /) log10(x, /) log1p(x, /) log2(x, /)
logaddexp(x1, x2, /) logical_and(x1, x2, /) logical_not(x, /) logical_or(x1, x2, /) logical_xor(x1, x2, /)
matmul(x1, x2, /) matrix_transpose(x, /) max(x, /, *, axis=None, keepdims=False) maximum(x1, x2, /)
mean(x, /, *, axis=None, keepdims=False) meshgrid(*arrays, indexing='xy') min(x, /, *, axis=None, keepdims=False)
minimum(x1, x2, /) moveaxis(x, source, destination, /) multiply(x1, x2, /) negative(x, /) nextafter(x1, x2, /)
nonzero(x, /) not_equal(x1, x2, /) ones(shape, *, dtype=None, device=None) ones_like(x, /, *, dtype=None, device=None)
permute_dims(x, /, axes) positive(x, /) pow(x1, x2, /) prod(x, /, *, axis=None, dtype=None, keepdims=False) real(x, /)
reciprocal(x, /) remainder(x1, x2, /) repeat(x, repeats, /, *, axis=None) reshape(x, /, shape, *, copy=None)
result_type(*arrays_and_dtypes) roll(x, /, shift, *, axis=None) round(x, /)
searchsorted(x1, x2, /, *, side='left', sorter=None) sign(x, /) signbit(x, /) sin(x, /) sinh(x, /)
sort(x, /, *, axis=-1, descending=False, stable=True) sqrt(x, /) square(x, /) squeeze(x, /, axis)
stack(arrays, /, *, axis=0) std(x, /, *, axis=None, correction=0.0, keepdims=False) subtract(x1, x2, /)
sum(x, /, *, axis=None, dtype=None, keepdims=False) take(x, indices, /, *, axis=None)
take_along_axis(x, indices, /, *, axis=-1) tan(x, /) tanh(x, /) tensordot(x1, x2, /, *, axes=2) tile(x, repetitions, /)
tril(x, /, *, k=0) triu(x, /, *, k=0) trunc(x, /) unique_all(x, /) unique_counts(x, /) unique_inverse(x, /)
unique_values(x, /) unstack(x, /, *, axis=0) var(x, /, *, axis=None, correction=0.0, keepdims=False)
vecdot(x1, x2, /, *, axis=-1) where(condition, x1, x2, /) zeros(shape, *, dtype=None, device=None)
zeros_like(x, /, *, dtype=None, device=None)
"""


def signatures():
    text, depth, start = STANDARD.replace("\n", " "), 0, 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == ")" and depth == 0:
            name, _, rest = text[start : place + 1].strip().partition("(")
            yield name, "(" + rest
            start = place + 1


SIGNATURES = dict(signatures())


@pytest.mark.parametrize("name", sorted(SIGNATURES))
def test_signature_is_the_standards(name):
    found = inspect.signature(getattr(ts, name))
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in found.parameters.values()]
    assert str(found.replace(parameters=bare, return_annotation=inspect.Signature.empty)) == SIGNATURES[name]


def test_all_is_what_the_package_has():
    public = {name for name in dir(ts) if not name.startswith("_")} - {"TYPE_CHECKING"}
    submodules = {path.stem for path in PACKAGE.iterdir() if path.stem in public and path.stem not in ts.__all__}
    assert public - submodules == {name for name in ts.__all__ if not name.startswith("__")}
    assert len(set(ts.__all__)) == len(ts.__all__)


def test_init_holds_imports_and_all_only():
    body = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8")).body
    # The condition tells type checkers about the packages that are loaded later.
    assert [type(node) for node in body[1:] if not isinstance(node, ast.ImportFrom)] == [ast.If, ast.Assign]


@pytest.mark.parametrize(
    "name", [n for n in ts.__all__ if inspect.isfunction(getattr(ts, n)) or inspect.isclass(getattr(ts, n))]
)
def test_public_function_is_documented(name):
    member = getattr(ts, name)
    assert member.__doc__
    if inspect.isfunction(member) and name != "compile":
        assert "Example:\n" in member.__doc__
        if inspect.signature(member).parameters:
            assert "Args:\n" in member.__doc__
        if member.__annotations__.get("return") not in (None, "None"):
            assert "Returns:\n" in member.__doc__


def test_array_namespace():
    x = ts.ones(1)
    assert x.__array_namespace__() is ts
    assert x.__array_namespace__(api_version="2024.12") is ts
    assert ts.__array_api_version__ == "2024.12"
    with pytest.raises(ArgumentError, match=r"a version up to 2024\.12"):
        x.__array_namespace__(api_version="2031.12")


def test_namespace_info():
    info = ts.__array_namespace_info__()
    assert info.capabilities()["boolean indexing"] is True
    assert info.default_device() == "cpu"
    assert info.default_dtypes() == {"real floating": ts.float32, "integral": ts.int64, "indexing": ts.int64}
    assert "cpu" in info.devices()
    assert info.devices() == ts.devices()
    assert info.dtypes(kind="unsigned integer") == {f"uint{n}": getattr(ts, f"uint{n}") for n in (8, 16, 32, 64)}
    assert set(info.dtypes(kind=("bool", "real floating"))) == {"bool", "float32", "float64"}
    assert set(info.dtypes(kind="real floating", device="gpu")) == {"float32"}
    assert len(info.dtypes()) == 11
    assert info.dtypes(kind="complex floating") == {}
    with pytest.raises(ArgumentError, match="a kind among"):
        info.dtypes(kind="quaternion")


def test_version_is_one():
    assert ts.__version__ == ts._core.__version__


def test_counters_count():
    before = ts.debug.counters()
    assert before
    assert all(isinstance(name, str) and count >= 0 for name, count in before.items())


def test_import_is_quick_and_takes_numpy_alone(tmp_path):
    program = """
import sys, time
start = time.perf_counter()
import numpy
middle = time.perf_counter()
import trainsmith
print((time.perf_counter() - middle) / (middle - start))
heavy = {"rich", "matplotlib", "sklearn", "torch", "pandas", "ml_dtypes", "asyncio", "multiprocessing", "unittest"}
print(sorted(heavy & set(sys.modules)))
"""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""}
    shares = []
    for _ in range(5):
        run = subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment
        )
        share, modules = run.stdout.splitlines()
        shares.append(float(share))
        assert modules == "[]"
    assert min(shares) < 1.08  # 0.25 s with the 0.12 s of NumPy, on any machine
