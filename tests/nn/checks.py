"""What tests of layers share: differences, captured twins, numbers."""

import numpy as np

import trainsmith as ts


def numbers(*shape, seed=0):
    """Gives standard normal numbers in float64."""
    return np.random.default_rng(seed).normal(size=shape)


def flat(outputs):
    """Gives the tensors of a result of nested tuples."""
    if outputs is None:
        return []
    if isinstance(outputs, tuple | list):
        return [tensor for output in outputs for tensor in flat(output)]
    return [outputs]


def check_gradients(f, *arrays, step=1e-6, tolerance=1e-6):
    """Compares gradients of a random weighing of all floating outputs with central differences, in float64."""
    arrays = [np.array(array, "f8") for array in arrays]

    def weighed(*tensors):
        outputs = [output for output in flat(f(*tensors)) if output.dtype == ts.float64]
        terms = [ts.sum(output * ts.asarray(numbers(*output.shape, seed=i))) for i, output in enumerate(outputs)]
        return sum(terms[1:], start=terms[0])

    tensors = [ts.asarray(array).requires_grad_() for array in arrays]
    weighed(*tensors).backward()
    for place, array in enumerate(arrays):
        slope = np.empty_like(array)
        for index in np.ndindex(array.shape):
            values = []
            for sign in (1, -1):
                moved = [one.copy() for one in arrays]
                moved[place][index] += sign * step
                values.append(float(weighed(*map(ts.asarray, moved))))
            slope[index] = (values[0] - values[1]) / (2 * step)
        gradient = tensors[place].grad
        got = np.zeros_like(array) if gradient is None else np.asarray(gradient)
        np.testing.assert_allclose(got, slope, rtol=tolerance, atol=tolerance * (1 + np.abs(slope).max(initial=0)))


def check_captured(f, *arrays):
    """Compares results and gradients of a captured, replayed call with eager ones."""
    tensors = [ts.asarray(np.asarray(array)) for array in arrays]
    floating = tuple(place for place, tensor in enumerate(tensors) if tensor.dtype.is_floating)

    def both(*given):
        outputs = flat(f(*given))

        def total(*again):
            terms = [ts.sum(one * one) for one in flat(f(*again)) if one.dtype.is_floating]
            return sum(terms[1:], start=terms[0])

        return (*outputs, *(ts.grad(total, argnums=floating)(*given) if floating else ()))

    captured = ts.compile(both)
    captured(*tensors)
    for got, want in zip(captured(*tensors), both(*tensors), strict=True):
        np.testing.assert_allclose(np.asarray(got), np.asarray(want), rtol=1e-5, atol=1e-6)
