"""Dropout of elements and of channels."""

from trainsmith._core import Tensor
from trainsmith._problem import problem
from trainsmith.errors import ShapeError
from trainsmith.nn.functional._call import call, written


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Sets elements to zero at random and scales the others, so that the mean stays.

    y_i = x_i m_i / (1 - p), m_i = 1 with probability 1 - p and else 0; outside training y = x.

    Args:
        input: any shape.
        p: probability of a zero, in [0, 1].
        training: whether to drop anything. The draws come from the default generator.
        inplace: whether `input` shall hold the result too, as after `input += 1`.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ArgumentError: `p` outside [0, 1].

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.dropout(ts.asarray([1.0, 2.0]), p=0.5, training=False).tolist()
        [1.0, 2.0]

    Source: Srivastava et al. 2014.
    """
    return written(input, call("dropout", input, p=p, training=training), inplace)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Sets whole channels of sequences to zero at random and scales the others by 1 / (1 - p).

    y_nc = x_nc m_nc / (1 - p), one draw of m for each channel of each example.

    Args:
        input: shape (n, channels, length) or (channels, length).
        p: probability of a zero, in [0, 1].
        training: whether to drop anything. The draws come from the default generator.
        inplace: whether `input` shall hold the result too, as after `input += 1`.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ArgumentError: `p` outside [0, 1].
        ShapeError: another number of axes.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.dropout1d(ts.ones((2, 3, 4)), p=1.0).shape
        (2, 3, 4)

    Source: Tompson et al. 2015.
    """
    return written(input, _channels("dropout1d", input, (2, 3), 3, p, training), inplace)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Sets whole channels of images to zero at random and scales the others by 1 / (1 - p).

    y_nc = x_nc m_nc / (1 - p), one draw of m for each channel of each example.

    Args:
        input: shape (n, channels, height, width), or (n, channels, length) as in torch.
        p: probability of a zero, in [0, 1].
        training: whether to drop anything. The draws come from the default generator.
        inplace: whether `input` shall hold the result too, as after `input += 1`.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ArgumentError: `p` outside [0, 1].
        ShapeError: another number of axes.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.dropout2d(ts.ones((2, 3, 4, 4)), p=1.0).shape
        (2, 3, 4, 4)

    Source: Tompson et al. 2015.
    """
    return written(input, _channels("dropout2d", input, (3, 4), 3, p, training), inplace)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Sets whole channels of volumes to zero at random and scales the others by 1 / (1 - p).

    y_nc = x_nc m_nc / (1 - p), one draw of m for each channel of each example.

    Args:
        input: shape (n, channels, depth, height, width) or (channels, depth, height, width).
        p: probability of a zero, in [0, 1].
        training: whether to drop anything. The draws come from the default generator.
        inplace: whether `input` shall hold the result too, as after `input += 1`.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ArgumentError: `p` outside [0, 1].
        ShapeError: another number of axes.

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.dropout3d(ts.ones((2, 3, 4, 4, 4)), p=1.0).shape
        (2, 3, 4, 4, 4)

    Source: Tompson et al. 2015.
    """
    return written(input, _channels("dropout3d", input, (4, 5), 5, p, training), inplace)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Sets elements to the least value of `selu` at random, and restores mean 0 and variance 1.

    y_i = a x_i + b where kept, a α' + b where dropped, α' = -1.7581, a = ((1 - p) (1 + p α'²))^(-1/2), b = -a α' p.

    Args:
        input: any shape; integers become float32.
        p: probability to drop, in [0, 1].
        training: whether to drop anything. The draws come from the default generator.
        inplace: whether `input` shall hold the result too, as after `input += 1`.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ArgumentError: `p` outside [0, 1].

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.alpha_dropout(ts.asarray([1.0, 2.0]), training=False).tolist()
        [1.0, 2.0]

    Source: Klambauer et al. 2017, section 3.
    """
    return written(input, call("alpha_dropout", input, p=p, training=training), inplace)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Drops as `alpha_dropout` does, whole channels at once.

    One draw for each channel of each example.

    Args:
        input: shape (n, channels, ...); integers become float32.
        p: probability to drop a channel, in [0, 1].
        training: whether to drop anything. The draws come from the default generator.
        inplace: whether `input` shall hold the result too, as after `input += 1`.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ArgumentError: `p` outside [0, 1].

    Example:
        >>> import trainsmith as ts
        >>> from trainsmith import nn
        >>> nn.functional.feature_alpha_dropout(ts.ones((2, 3, 4)), training=True).shape
        (2, 3, 4)

    Source: Klambauer et al. 2017, section 3.
    """
    options = {"p": p, "training": training, "leading": 2, "caller": "feature_alpha_dropout"}
    return written(input, call("alpha_dropout", input, **options), inplace)


def _channels(name: str, input: Tensor, ranks: tuple[int, int], batched: int, p: float, training: bool) -> Tensor:
    """Drops channels: the first two axes name them in a batch, the first one without."""
    if input.ndim not in ranks:
        raise problem(ShapeError, name, f"{ranks[0]} or {ranks[1]} axes", str(input.shape))
    leading = 2 if input.ndim >= batched else 1
    return call("channel_dropout", input, caller=name, leading=leading, p=p, training=training)
