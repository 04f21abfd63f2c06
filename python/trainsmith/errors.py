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


class CancelledError(TrainsmithError):
    """Work that stopped because its `RunContext` was cancelled or ran out of time."""

    code = "cancelled"


class ConfigError(TrainsmithError, ValueError):
    """A configuration that breaks a rule."""

    code = "config"


class DataError(TrainsmithError, ValueError):
    """Data that breaks a rule."""

    code = "data"


class ChunkError(DataError):
    """A chunk of data that could not be loaded.

    Args:
        message: one line.
        chunk: the chunk's index, counted from 0.
    """

    code = "chunk"

    def __init__(self, message: str, *, op: str = "", expected: str = "", got: str = "", chunk: int = -1) -> None:
        super().__init__(message, op=op, expected=expected, got=got)
        self.chunk = chunk


class DeadlineError(CancelledError, TimeoutError):
    """Work that stopped because its `RunContext` ran out of time."""

    code = "deadline"


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


class RegistryError(TrainsmithError):
    """A registration or look-up that a registry refuses."""

    code = "registry"


class AlreadyRegistered(RegistryError):  # noqa: N818 - the name is part of the interface
    """A name that is taken."""

    code = "already_registered"


class NotRegistered(RegistryError, LookupError):  # noqa: N818 - the name is part of the interface
    """A name that a registry does not know; the message lists close matches."""

    code = "not_registered"


class PluginError(RegistryError):
    """A plugin of an installed package that cannot be used."""

    code = "plugin"


class ShapeError(TrainsmithError, ValueError):
    """A shape that an operation does not take."""

    code = "shape"
