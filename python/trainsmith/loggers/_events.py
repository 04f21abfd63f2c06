"""TensorBoard's event files: records with checksums around small protocol-buffer messages."""

import struct
from collections.abc import Iterator, Mapping

_POLYNOMIAL = 0x82F63B78
_MASK_DELTA = 0xA282EAD8


def _crc_table() -> tuple[int, ...]:
    table: list[int] = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return tuple(table)


_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    """Computes the Castagnoli checksum.

    Args:
        data: the bytes.

    Returns:
        0 to 2**32 - 1.

    Example:
        >>> hex(crc32c(b"123456789"))
        '0xe3069283'

    Source: RFC 3720, appendix B.4.
    """
    value = 0xFFFFFFFF
    for byte in data:
        value = (value >> 8) ^ _TABLE[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


def masked_crc(data: bytes) -> int:
    """Computes the checksum as records hold it: rotated right by 15 bits, plus a constant.

    Args:
        data: the bytes.

    Returns:
        0 to 2**32 - 1.

    Example:
        >>> masked_crc(b"") == 0xA282EAD8
        True

    Source: the TFRecord format.
    """
    value = crc32c(data)
    return (((value >> 15) | (value << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def record(data: bytes) -> bytes:
    """Frames a message: length, its checksum, the message, its checksum; little endian.

    Args:
        data: the message.

    Returns:
        The record.

    Example:
        >>> len(record(b"abc"))
        19
    """
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked_crc(length)) + data + struct.pack("<I", masked_crc(data))


def version_event(wall_time: float) -> bytes:
    """Writes the first message of a file.

    Args:
        wall_time: seconds since 1970.

    Returns:
        The message.

    Example:
        >>> b"brain.Event:2" in version_event(0.0)
        True
    """
    return _double(1, wall_time) + _bytes(3, b"brain.Event:2")


def scalars_event(wall_time: float, step: int, scalars: Mapping[str, float]) -> bytes:
    """Writes a message with some numbers.

    Args:
        wall_time: seconds since 1970.
        step: at least 0.
        scalars: float32 number by tag.

    Returns:
        The message.

    Example:
        >>> b"loss" in scalars_event(0.0, 1, {"loss": 0.5})
        True
    """
    values = b"".join(
        _bytes(1, _bytes(1, tag.encode()) + _key(2, 5) + struct.pack("<f", value)) for tag, value in scalars.items()
    )
    return _double(1, wall_time) + _key(2, 0) + _varint(step) + _bytes(5, values)


def whole_records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Goes through the records of a file, up to the first that is cut off or damaged.

    Args:
        data: the content of the file.

    Yields:
        The place where each record ends, and its message.

    Example:
        >>> [message for _, message in whole_records(record(b"a") + record(b"bc")[:-1])]
        [b'a']
    """
    start = 0
    while start + 12 <= len(data):
        (length,) = struct.unpack_from("<Q", data, start)
        (check,) = struct.unpack_from("<I", data, start + 8)
        end = start + 16 + length
        if check != masked_crc(data[start : start + 8]) or end > len(data):
            return
        message = data[start + 12 : end - 4]
        if struct.unpack_from("<I", data, end - 4)[0] != masked_crc(message):
            return
        yield end, message
        start = end


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append((value & 0x7F) | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _key(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def _bytes(field: int, data: bytes) -> bytes:
    return _key(field, 2) + _varint(len(data)) + data


def _double(field: int, value: float) -> bytes:
    return _key(field, 1) + struct.pack("<d", value)
