"""The errors that trainsmith raises: one root, one class per domain, each with what was expected and what came."""


class TrainsmithError(Exception):
    """The root of all errors that trainsmith raises.

    Args:
        message: one line: operation, rule, what was expected and received, next step.
        op: the operation that failed.
        expected: what the rule asks for.
        got: what came.

    Example:
        >>> error = ShapeError("matmul: inner dimensions must match", op="matmul", got="(4, 3) and (5, 2)")
        >>> error.code, error.op
        ('shape', 'matmul')
    """

    code = "trainsmith"

    def __init__(self, message: str, *, op: str = "", expected: str = "", got: str = "") -> None:
        super().__init__(message)
        self.op = op
        self.expected = expected
        self.got = got


class ArgumentError(TrainsmithError, ValueError):
    """An argument outside its domain."""

    code = "argument"


class ConfigError(TrainsmithError, ValueError):
    """A configuration that breaks a rule."""

    code = "config"


class DataError(TrainsmithError, ValueError):
    """Data that breaks a rule."""

    code = "data"


class DeviceError(TrainsmithError, RuntimeError):
    """A device that is absent or cannot do what was asked."""

    code = "device"


class DTypeError(TrainsmithError, TypeError):
    """A dtype that an operation does not take."""

    code = "dtype"


class GraphError(TrainsmithError, RuntimeError):
    """A graph that cannot be recorded, differentiated or run."""

    code = "graph"


class IndexRangeError(TrainsmithError, IndexError):
    """An index or axis outside the range it points into."""

    code = "index"


class InternalError(TrainsmithError):
    """A defect of trainsmith itself."""

    code = "internal"


class IoError(TrainsmithError, OSError):
    """A file that cannot be read or written."""

    code = "io"


class NonFiniteError(TrainsmithError, FloatingPointError):
    """A loss or gradient that is infinite or not a number."""

    code = "non_finite"


class ShapeError(TrainsmithError, ValueError):
    """A shape that an operation does not take."""

    code = "shape"
