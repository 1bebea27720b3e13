"""Masks put into other libraries' arrays, without importing those libraries.

An array is whatever has a buffer, as numpy's have, or a `data_ptr`, as torch's tensors have.
A row holds a bit a token (integers of any width) or a whole element a token (booleans).
"""

from __future__ import annotations

import ctypes
import re
from typing import Any

from harmony.errors import InvalidMessage
from harmony.validation import type_name

BYTE = 8
_SET = re.compile(rb"[^\0]")


def put(mask: bytes, array: Any, row: int) -> None:
    """Write ``mask`` into row ``row`` of ``array``; bits beyond the mask become 0.

    Raises:
        InvalidMessage: the array cannot be written to, has no such row, or one too short.
    """
    target = array if _dimensions(array) == 1 and row == 0 else _row(array, row)
    if hasattr(target, "data_ptr"):
        _into_tensor(mask, target)
    else:
        _into_buffer(mask, target)


def _dimensions(array: Any) -> int:
    dimensions = getattr(array, "ndim", None)
    if dimensions is None:
        try:
            return memoryview(array).ndim
        except TypeError:
            raise InvalidMessage(
                f"fill: expected an array of numpy or torch, or a buffer, got {type_name(array)}"
            ) from None
    return int(dimensions)


def _row(array: Any, row: int) -> Any:
    try:
        return array[row]
    except (IndexError, TypeError, NotImplementedError) as error:
        raise InvalidMessage(f"fill: the array has no row {row!r}: {error}") from None


def _into_tensor(mask: bytes, tensor: Any) -> None:
    if tensor.device.type != "cpu" or not tensor.is_contiguous():
        raise InvalidMessage(
            "fill: expected a tensor in main memory whose rows are contiguous; fill one there "
            f"and copy it, got one on {tensor.device}"
        )
    count, width = tensor.numel(), tensor.element_size()
    content = _content(mask, count, width, is_bool=str(tensor.dtype) == "torch.bool")
    ctypes.memmove(tensor.data_ptr(), content, len(content))


def _into_buffer(mask: bytes, row: Any) -> None:
    try:
        view = memoryview(row)
        is_bool, count, width = view.format == "?", view.nbytes // view.itemsize, view.itemsize
        flat = view.cast("B")
    except (TypeError, ValueError) as error:
        raise InvalidMessage(f"fill: the row cannot be written to: {error}") from None
    if flat.readonly:
        raise InvalidMessage("fill: the array is read-only")
    flat[:] = _content(mask, count, width, is_bool=is_bool)


def _content(mask: bytes, count: int, width: int, *, is_bool: bool) -> bytes:
    """``count`` elements of ``width`` bytes that hold the mask."""
    if is_bool:
        # "{:b}" has the highest bit first: the mask as one number, from its other end.
        bits = f"{int.from_bytes(mask, 'little'):0{len(mask) * BYTE}b}"[::-1].encode()
        content = bits.translate(bytes.maketrans(b"01", b"\0\1"))
        size = count
    else:
        content, size = mask, count * width
    used = content.rstrip(b"\0")
    if size < len(used):
        raise InvalidMessage(
            f"fill: a row of {count} elements of {width} bytes is too short for a vocabulary of "
            f"{len(mask) * BYTE} tokens"
        )
    return used.ljust(size, b"\0")


def ids_in(mask: bytes, first: int) -> list[int]:
    """The ids from ``first`` on whose bits are set in ``mask``."""
    found: list[int] = []
    for match in _SET.finditer(mask, first >> 3):
        byte, start = mask[match.start()], match.start() << 3
        found += [start + bit for bit in range(8) if byte >> bit & 1 and start + bit >= first]
    return found
