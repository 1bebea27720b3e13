"""JSON values as the reference holds and writes them.

It reads Python's values as JSON into Rust's `serde_json` and writes them back compactly. So
keys become strings, integers outside 64 bits become floats, and a float is written as
`1e22`, where Python has `1e+22`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from harmony.errors import InvalidSchema

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

_LOWEST_INTEGER = -(2**63)
_HIGHEST_INTEGER = 2**64 - 1
_LAST_DECIMAL_OF_RUST = -5


def plain(value: Any, *, max_depth: int, path: str = "") -> Json:
    """A copy of ``value`` that holds nothing but JSON.

    Raises:
        InvalidSchema: it holds something that JSON cannot (an object of another class, an
            infinite number), or is nested deeper than ``max_depth``, as a dict that
            contains itself is. Its ``path`` is a JSON pointer.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        # Not str(value): that is "Class.MEMBER" for a member of a `str` enum.
        return str.__str__(value)
    if isinstance(value, int):
        return _integer(int(value), path)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidSchema(f"{value} is not a JSON number", path=path)
        return float(value)
    if not isinstance(value, (Mapping, Sequence)) or isinstance(value, (bytes, bytearray)):
        raise InvalidSchema(f"{type(value).__name__!r} is not a JSON type", path=path)
    if max_depth <= 0:
        raise InvalidSchema("the schema is nested too deeply, or contains itself", path=path)
    if isinstance(value, Mapping):
        members: dict[str, Json] = {}
        for key, item in value.items():
            name = _key(key, path)
            members[name] = plain(item, max_depth=max_depth - 1, path=below(path, name))
        return members
    return [
        plain(item, max_depth=max_depth - 1, path=below(path, str(index)))
        for index, item in enumerate(value)
    ]


def below(path: str, *names: str) -> str:
    """The JSON pointer of what stands under ``names`` below ``path``."""
    return "/".join([path, *(name.replace("~", "~0").replace("/", "~1") for name in names)])


def compact(value: Json) -> str:
    """``value`` as JSON without spaces, as `serde_json` writes it."""
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list):
        return f"[{','.join(map(compact, value))}]"
    if isinstance(value, dict):
        members = (f"{_string(key)}:{compact(item)}" for key, item in value.items())
        return f"{{{','.join(members)}}}"
    return json.dumps(value, ensure_ascii=False)


def _string(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def number(value: float) -> str:
    """A float as `serde_json` writes it: ``1e22``, ``1e-7``, ``0.00001``, ``1.0``."""
    text = repr(value)
    mantissa, mark, exponent = text.partition("e")
    if not mark:
        return text
    if int(exponent) == _LAST_DECIMAL_OF_RUST:
        # Rust goes over to the exponent one digit later than Python: 1e-05 is 0.00001.
        sign, digits = re.fullmatch(r"(-?)([\d.]+)", mantissa).groups()  # type: ignore[union-attr]
        return f"{sign}0.0000{digits.replace('.', '')}"
    return f"{mantissa}e{int(exponent)}"


def _integer(value: int, path: str) -> Json:
    if _LOWEST_INTEGER <= value <= _HIGHEST_INTEGER:
        return value
    try:
        return float(value)
    except OverflowError:
        raise InvalidSchema("a number is out of range", path=path) from None


def _key(key: Any, path: str) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    if key is None or isinstance(key, (bool, int, float)):
        return json.dumps(key)
    raise InvalidSchema(f"the key {key!r} is not a string", path=path)
