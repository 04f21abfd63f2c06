"""Dropout."""

from trainsmith._core import Tensor
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
