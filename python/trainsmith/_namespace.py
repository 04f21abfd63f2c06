"""What the array API standard asks a namespace to say about itself."""

from typing import Any

from trainsmith import _core
from trainsmith._core import DType
from trainsmith._dtypes import ALL, bfloat16, float16, float32, float64, int64, kind_names, of_kind
from trainsmith._problem import problem
from trainsmith.errors import ArgumentError

__array_api_version__ = "2024.12"


class Info:
    """What this namespace can do, as the standard asks for it.

    Example:
        >>> import trainsmith as ts
        >>> ts.__array_namespace_info__().default_device()
        'cpu'
    """

    def capabilities(self) -> dict[str, Any]:
        """Says what is supported.

        Returns:
            Whether boolean indexing and shapes that depend on data are (in eager mode), and the largest number of axes.
        """
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """Gives the device of tensors for which none is named."""
        return "cpu"

    def default_dtypes(self, *, device: str | None = None) -> dict[str, DType]:
        """Gives the dtypes of tensors for which none is named.

        Args:
            device: all devices have the same.

        Returns:
            The dtype for real floating, integral and indexing.
        """
        return {"real floating": float32, "integral": int64, "indexing": int64}

    def devices(self) -> list[str]:
        """Gives the names of the devices that can be used."""
        return _core.devices()

    def dtypes(self, *, device: str | None = None, kind: str | tuple[str, ...] | None = None) -> dict[str, DType]:
        """Gives the dtypes.

        Args:
            device: a GPU has no float64; all others have the same.
            kind: one kind or several, as in `isdtype`; all by default.

        Returns:
            The dtypes of the standard by name; float16 and bfloat16 are beyond it.

        Raises:
            ArgumentError: an unknown kind.
        """
        kinds = kind_names() if kind is None else (kind,) if isinstance(kind, str) else kind
        wanted = {dtype for name in kinds for dtype in of_kind(name)}
        wanted -= {float16, bfloat16}
        if device is not None and device.startswith("gpu"):
            wanted.discard(float64)
        return {dtype.name: dtype for dtype in ALL if dtype in wanted}


def __array_namespace_info__() -> Info:  # noqa: N807
    """Gives what this namespace says about itself.

    Returns:
        An object with `capabilities`, `default_device`, `default_dtypes`, `devices` and `dtypes`.

    Example:
        >>> import trainsmith as ts
        >>> list(ts.__array_namespace_info__().dtypes(kind="bool"))
        ['bool']
    """
    return Info()


def check_version(api_version: str | None) -> None:
    """Refuses a version of the standard that is not ours.

    Raises:
        ArgumentError: another version.
    """
    if api_version not in (None, "2021.12", "2022.12", "2023.12", __array_api_version__):
        raise problem(
            ArgumentError, "__array_namespace__", f"a version up to {__array_api_version__}", repr(api_version)
        )


def devices() -> list[str]:
    """Gives the names of the devices that can be used.

    Returns:
        At least `cpu`.

    Example:
        >>> import trainsmith as ts
        >>> "cpu" in ts.devices()
        True
    """
    return _core.devices()
