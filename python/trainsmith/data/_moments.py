"""Mean and standard deviation of a column."""

import numpy as np
import numpy.typing as npt


def mean_and_std(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Returns the mean and the population standard deviation.

    The values are divided by their largest magnitude first, so neither huge nor tiny numbers leave the range of
    float64.

    Args:
        values: shape (n,), float64, finite; n may be 0.

    Returns:
        Mean and standard deviation, in the unit of the values. The deviation is exactly 0 for a constant column and for
        no values at all; the mean of no values is 0.

    Example:
        >>> import numpy as np
        >>> mean_and_std(np.array([1.0, 3.0]))
        (2.0, 1.0)
    """
    largest = float(np.max(np.abs(values), initial=0.0))
    if largest == 0.0:
        return 0.0, 0.0
    scaled = values / largest
    if scaled.min() == scaled.max():
        return float(values[0]), 0.0
    return float(scaled.mean()) * largest, float(scaled.std()) * largest
